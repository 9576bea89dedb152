-- Requests of users that count against the limits of their roles, and what a second person decides.
-- Amounts are minor units of `currency`; terms have none and count nothing.

CREATE TABLE approval (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    maker_id bigint NOT NULL,
    body text NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    currency text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'withdrawn', 'expired', 'failed')),
    decided_by bigint,
    decided_at bigint,
    note text,
    result text,
    failure text,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    version bigint NOT NULL,
    -- Four eyes: nobody decides what he asked for.
    CHECK (state NOT IN ('approved', 'rejected', 'failed') OR decided_by IS NOT NULL AND decided_by <> maker_id),
    CHECK (state <> 'withdrawn' OR decided_by IS NOT NULL AND decided_by = maker_id),
    CHECK ((state = 'pending') = (decided_at IS NULL)),
    CHECK (state <> 'approved' OR decided_at < expires_at),
    CHECK (result IS NULL OR state = 'approved'),
    CHECK ((failure IS NOT NULL) = (state = 'failed'))
);
CREATE INDEX approval_by_issuer ON approval (issuer_id, id);
CREATE INDEX approval_pending ON approval (issuer_id, id) WHERE state = 'pending';
CREATE INDEX approval_by_maker ON approval (maker_id, id);
CREATE INDEX approval_overdue ON approval (expires_at) WHERE state = 'pending';
CREATE INDEX approval_unfinished ON approval (id) WHERE state = 'approved' AND result IS NULL;

-- What somebody did about an approval. Kept for ever.
CREATE TABLE approval_event (
    approval_id bigint NOT NULL,
    version bigint NOT NULL,
    issuer_id bigint NOT NULL,
    at bigint NOT NULL,
    client_id bigint,
    action text NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (approval_id, version)
);

-- What users asked for, and whether it counts. `id` is that of the approval where there is one.
CREATE TABLE limit_use (
    maker_id bigint NOT NULL,
    key text NOT NULL,
    id bigint NOT NULL,
    issuer_id bigint NOT NULL,
    fingerprint_key_id smallint NOT NULL,
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 16),
    kind text NOT NULL,
    currency text NOT NULL,
    day integer NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    counted boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('through', 'declined', 'released', 'approval')),
    attempt bigint NOT NULL,
    PRIMARY KEY (maker_id, key),
    CHECK (status = 'approval' OR counted = (status = 'through'))
);
CREATE INDEX limit_use_of_day ON limit_use (maker_id, day, kind, currency, amount) WHERE counted;
CREATE INDEX limit_use_by_id ON limit_use (id);

-- Append-only is what is not granted. What was asked for is never granted for change.
GRANT SELECT, INSERT ON approval, approval_event, limit_use TO hexiao_app;
GRANT UPDATE (state, decided_by, decided_at, note, result, failure, version) ON approval TO hexiao_app;
GRANT UPDATE (id, fingerprint_key_id, fingerprint, kind, currency, day, amount, counted, status, attempt) ON limit_use
    TO hexiao_app;

-- What is decided stays decided; only doing it is still to come.
CREATE FUNCTION hexiao_approval_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'approvals are append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER approval_is_decided_once BEFORE UPDATE ON approval FOR EACH ROW
    WHEN (OLD.state <> 'pending' AND NOT (OLD.state = 'approved' AND OLD.result IS NULL
        AND NEW.state IN ('approved', 'failed') AND NEW.decided_by = OLD.decided_by
        AND NEW.decided_at = OLD.decided_at))
    EXECUTE FUNCTION hexiao_approval_is_decided_once();

ALTER TABLE approval ENABLE ROW LEVEL SECURITY;
ALTER TABLE approval_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE limit_use ENABLE ROW LEVEL SECURITY;

CREATE POLICY issuers ON approval
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON approval_event
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON limit_use
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
