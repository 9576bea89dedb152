-- Reconciliation: files that were compared with our books, their lines, and what came of each difference.
-- Amounts are minor units of the reconciliation's currency, below zero where money went back.

CREATE TABLE reconciliation (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL,
    account_kind smallint NOT NULL,
    account_ref bigint NOT NULL,
    format text NOT NULL,
    file_name text NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    currency text NOT NULL,
    period_from bigint NOT NULL,
    period_to bigint NOT NULL,
    window_seconds bigint NOT NULL,
    match_on text NOT NULL,
    status text NOT NULL CHECK (status IN ('running', 'complete')),
    lines bigint NOT NULL,
    passed_over bigint NOT NULL,
    lines_sum bigint NOT NULL,
    totals_checked boolean NOT NULL,
    records bigint NOT NULL,
    records_sum bigint NOT NULL,
    matched bigint NOT NULL,
    cancelled bigint NOT NULL,
    differences bigint NOT NULL,
    created_by bigint NOT NULL,
    created_at bigint NOT NULL,
    completed_at bigint,
    CHECK (status <> 'complete' OR completed_at IS NOT NULL)
);
CREATE INDEX reconciliation_by_issuer ON reconciliation (issuer_id, id);
-- The same file is reconciled once. What was interrupted does not count.
CREATE UNIQUE INDEX reconciliation_file ON reconciliation (issuer_id, account_kind, account_ref, digest)
    WHERE status = 'complete';

-- Lines in the order of the file.
CREATE TABLE reconciliation_line (
    reconciliation_id bigint NOT NULL,
    number bigint NOT NULL,
    issuer_id bigint NOT NULL,
    place bigint NOT NULL,
    reference text NOT NULL,
    amount bigint NOT NULL,
    at_from bigint NOT NULL,
    at_to bigint NOT NULL,
    status text NOT NULL CHECK (status IN ('succeeded', 'failed', 'pending')),
    operation_id bigint,
    class text,
    PRIMARY KEY (reconciliation_id, number)
);

CREATE TABLE reconciliation_difference (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL,
    reconciliation_id bigint NOT NULL,
    account_kind smallint NOT NULL,
    account_ref bigint NOT NULL,
    currency text NOT NULL,
    class text NOT NULL,
    line bigint,
    reference text NOT NULL,
    operation_id bigint,
    here bigint NOT NULL,
    there bigint NOT NULL,
    suggested bigint NOT NULL,
    at bigint NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'proposed', 'approved', 'cleared')),
    proposed_by bigint,
    proposed_at bigint,
    proposed_correction bigint,
    note text,
    decided_by bigint,
    decided_at bigint,
    correction_id bigint,
    cleared_by bigint,
    version bigint NOT NULL,
    CHECK (decided_by IS NULL OR decided_by <> proposed_by),
    CHECK (status NOT IN ('proposed', 'approved') OR proposed_by IS NOT NULL),
    CHECK ((status = 'approved') = (decided_by IS NOT NULL)),
    CHECK (correction_id IS NULL OR status = 'approved'),
    CHECK ((status = 'cleared') = (cleared_by IS NOT NULL))
);
CREATE INDEX reconciliation_difference_by_issuer ON reconciliation_difference (issuer_id, id);
CREATE INDEX reconciliation_difference_by_file ON reconciliation_difference (reconciliation_id, id);
CREATE INDEX reconciliation_difference_open ON reconciliation_difference (issuer_id, id)
    WHERE status IN ('open', 'proposed');
CREATE INDEX reconciliation_difference_missing
    ON reconciliation_difference (issuer_id, account_kind, account_ref, id)
    WHERE status = 'open' AND class = 'missing_there';
CREATE INDEX reconciliation_difference_unposted ON reconciliation_difference (id)
    WHERE status = 'approved' AND proposed_correction IS NOT NULL AND correction_id IS NULL;

-- What somebody did about a difference. Kept for ever.
CREATE TABLE reconciliation_event (
    difference_id bigint NOT NULL,
    version bigint NOT NULL,
    issuer_id bigint NOT NULL,
    at bigint NOT NULL,
    client_id bigint,
    action text NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (difference_id, version)
);

-- Append-only is what is not granted. What was found is never granted for change.
GRANT SELECT, INSERT ON reconciliation, reconciliation_line, reconciliation_difference, reconciliation_event
    TO hexiao_app;
GRANT UPDATE (status, lines, passed_over, lines_sum, totals_checked, records, records_sum, matched, cancelled,
    differences, completed_at) ON reconciliation TO hexiao_app;
GRANT UPDATE (status, proposed_by, proposed_at, proposed_correction, note, decided_by, decided_at, correction_id,
    cleared_by, version) ON reconciliation_difference TO hexiao_app;

ALTER TABLE reconciliation ENABLE ROW LEVEL SECURITY;
ALTER TABLE reconciliation_line ENABLE ROW LEVEL SECURITY;
ALTER TABLE reconciliation_difference ENABLE ROW LEVEL SECURITY;
ALTER TABLE reconciliation_event ENABLE ROW LEVEL SECURITY;

CREATE POLICY issuers ON reconciliation
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON reconciliation_line
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON reconciliation_difference
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON reconciliation_event
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
