-- Requests of users that count against the limits of their roles, and what a second person decides.
-- Amounts are minor units of `currency`; terms have none and count nothing.

CREATE TABLE approval (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    maker_id INTEGER NOT NULL,
    body TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'withdrawn', 'expired', 'failed')),
    decided_by INTEGER,
    decided_at INTEGER,
    note TEXT,
    result TEXT,
    failure TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    -- Four eyes: nobody decides what he asked for.
    CHECK (state NOT IN ('approved', 'rejected', 'failed') OR decided_by IS NOT NULL AND decided_by <> maker_id),
    CHECK (state <> 'withdrawn' OR decided_by IS NOT NULL AND decided_by = maker_id),
    CHECK ((state = 'pending') = (decided_at IS NULL)),
    CHECK (state <> 'approved' OR decided_at < expires_at),
    CHECK (result IS NULL OR state = 'approved'),
    CHECK ((failure IS NOT NULL) = (state = 'failed'))
) STRICT;
CREATE INDEX approval_by_issuer ON approval (issuer_id, id);
CREATE INDEX approval_pending ON approval (issuer_id, id) WHERE state = 'pending';
CREATE INDEX approval_by_maker ON approval (maker_id, id);
CREATE INDEX approval_overdue ON approval (expires_at) WHERE state = 'pending';
CREATE INDEX approval_unfinished ON approval (id) WHERE state = 'approved' AND result IS NULL;

-- What somebody did about an approval. Kept for ever.
CREATE TABLE approval_event (
    approval_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    issuer_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    client_id INTEGER,
    action TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (approval_id, version)
) STRICT, WITHOUT ROWID;

-- What users asked for, and whether it counts. `id` is that of the approval where there is one.
CREATE TABLE limit_use (
    maker_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    id INTEGER NOT NULL,
    issuer_id INTEGER NOT NULL,
    fingerprint_key_id INTEGER NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16),
    kind TEXT NOT NULL,
    currency TEXT NOT NULL,
    day INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    counted INTEGER NOT NULL CHECK (counted IN (0, 1)),
    status TEXT NOT NULL CHECK (status IN ('through', 'declined', 'released', 'approval')),
    attempt INTEGER NOT NULL,
    PRIMARY KEY (maker_id, key),
    CHECK (status = 'approval' OR counted = (status = 'through'))
) STRICT, WITHOUT ROWID;
CREATE INDEX limit_use_of_day ON limit_use (maker_id, day, kind, currency, amount) WHERE counted = 1;
CREATE INDEX limit_use_by_id ON limit_use (id);

CREATE TRIGGER approval_is_kept BEFORE DELETE ON approval
    BEGIN SELECT RAISE(ABORT, 'approvals are append-only'); END;
-- What was asked for never changes; only what is done about it does.
CREATE TRIGGER approval_keeps_what_was_asked BEFORE UPDATE ON approval
    WHEN (NEW.id, NEW.issuer_id, NEW.kind, NEW.subject, NEW.maker_id, NEW.body, NEW.amount, NEW.currency,
          NEW.created_at, NEW.expires_at)
        IS NOT (OLD.id, OLD.issuer_id, OLD.kind, OLD.subject, OLD.maker_id, OLD.body, OLD.amount, OLD.currency,
          OLD.created_at, OLD.expires_at)
    BEGIN SELECT RAISE(ABORT, 'approvals are append-only'); END;
-- What is decided stays decided; only doing it is still to come.
CREATE TRIGGER approval_is_decided_once BEFORE UPDATE ON approval
    WHEN OLD.state <> 'pending' AND NOT (OLD.state = 'approved' AND OLD.result IS NULL
        AND NEW.state IN ('approved', 'failed') AND (NEW.decided_by, NEW.decided_at) IS (OLD.decided_by, OLD.decided_at))
    BEGIN SELECT RAISE(ABORT, 'approvals are append-only'); END;
CREATE TRIGGER approval_event_is_append_only_update BEFORE UPDATE ON approval_event
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER approval_event_is_append_only_delete BEFORE DELETE ON approval_event
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER limit_use_is_kept BEFORE DELETE ON limit_use
    BEGIN SELECT RAISE(ABORT, 'uses are append-only'); END;
