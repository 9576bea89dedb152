-- Reconciliation: files that were compared with our books, their lines, and what came of each difference.
-- Amounts are minor units of the reconciliation's currency, below zero where money went back.

CREATE TABLE reconciliation (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    account_kind INTEGER NOT NULL,
    account_ref INTEGER NOT NULL,
    format TEXT NOT NULL,
    file_name TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    currency TEXT NOT NULL,
    period_from INTEGER NOT NULL,
    period_to INTEGER NOT NULL,
    window_seconds INTEGER NOT NULL,
    match_on TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'complete')),
    lines INTEGER NOT NULL,
    passed_over INTEGER NOT NULL,
    lines_sum INTEGER NOT NULL,
    totals_checked INTEGER NOT NULL CHECK (totals_checked IN (0, 1)),
    records INTEGER NOT NULL,
    records_sum INTEGER NOT NULL,
    matched INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    differences INTEGER NOT NULL,
    created_by INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    completed_at INTEGER,
    CHECK (status <> 'complete' OR completed_at IS NOT NULL)
) STRICT;
CREATE INDEX reconciliation_by_issuer ON reconciliation (issuer_id, id);
-- The same file is reconciled once. What was interrupted does not count.
CREATE UNIQUE INDEX reconciliation_file ON reconciliation (issuer_id, account_kind, account_ref, digest)
    WHERE status = 'complete';

-- Lines in the order of the file.
CREATE TABLE reconciliation_line (
    reconciliation_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    issuer_id INTEGER NOT NULL,
    place INTEGER NOT NULL,
    reference TEXT NOT NULL,
    amount INTEGER NOT NULL,
    at_from INTEGER NOT NULL,
    at_to INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('succeeded', 'failed', 'pending')),
    operation_id INTEGER,
    class TEXT,
    PRIMARY KEY (reconciliation_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE reconciliation_difference (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    reconciliation_id INTEGER NOT NULL,
    account_kind INTEGER NOT NULL,
    account_ref INTEGER NOT NULL,
    currency TEXT NOT NULL,
    class TEXT NOT NULL,
    line INTEGER,
    reference TEXT NOT NULL,
    operation_id INTEGER,
    here INTEGER NOT NULL,
    there INTEGER NOT NULL,
    suggested INTEGER NOT NULL,
    at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'proposed', 'approved', 'cleared')),
    proposed_by INTEGER,
    proposed_at INTEGER,
    proposed_correction INTEGER,
    note TEXT,
    decided_by INTEGER,
    decided_at INTEGER,
    correction_id INTEGER,
    cleared_by INTEGER,
    version INTEGER NOT NULL,
    CHECK (decided_by IS NULL OR decided_by <> proposed_by),
    CHECK (status NOT IN ('proposed', 'approved') OR proposed_by IS NOT NULL),
    CHECK ((status = 'approved') = (decided_by IS NOT NULL)),
    CHECK (correction_id IS NULL OR status = 'approved'),
    CHECK ((status = 'cleared') = (cleared_by IS NOT NULL))
) STRICT;
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
    difference_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    issuer_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    client_id INTEGER,
    action TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (difference_id, version)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER reconciliation_is_kept BEFORE DELETE ON reconciliation
    BEGIN SELECT RAISE(ABORT, 'reconciliations are append-only'); END;
CREATE TRIGGER reconciliation_is_final BEFORE UPDATE ON reconciliation WHEN OLD.status = 'complete'
    BEGIN SELECT RAISE(ABORT, 'reconciliations are append-only'); END;
CREATE TRIGGER reconciliation_line_is_append_only_update BEFORE UPDATE ON reconciliation_line
    BEGIN SELECT RAISE(ABORT, 'lines of files are append-only'); END;
CREATE TRIGGER reconciliation_line_is_append_only_delete BEFORE DELETE ON reconciliation_line
    BEGIN SELECT RAISE(ABORT, 'lines of files are append-only'); END;
CREATE TRIGGER reconciliation_event_is_append_only_update BEFORE UPDATE ON reconciliation_event
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER reconciliation_event_is_append_only_delete BEFORE DELETE ON reconciliation_event
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER reconciliation_difference_is_kept BEFORE DELETE ON reconciliation_difference
    BEGIN SELECT RAISE(ABORT, 'differences are append-only'); END;
-- What was found never changes; only what is done about it does.
CREATE TRIGGER reconciliation_difference_keeps_its_finding BEFORE UPDATE ON reconciliation_difference
    WHEN (NEW.id, NEW.issuer_id, NEW.reconciliation_id, NEW.account_kind, NEW.account_ref, NEW.currency,
          NEW.class, NEW.line, NEW.reference, NEW.operation_id, NEW.here, NEW.there, NEW.suggested, NEW.at)
        IS NOT (OLD.id, OLD.issuer_id, OLD.reconciliation_id, OLD.account_kind, OLD.account_ref, OLD.currency,
          OLD.class, OLD.line, OLD.reference, OLD.operation_id, OLD.here, OLD.there, OLD.suggested, OLD.at)
    BEGIN SELECT RAISE(ABORT, 'differences are append-only'); END;
