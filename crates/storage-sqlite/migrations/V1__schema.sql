-- Times are UTC microseconds, amounts minor units, ids 64-bit and time-ordered.
-- CHECK constraints are the last wall behind the domain's rules, not a replacement for them.

-- The catalog: low-rate data that is read whole.

CREATE TABLE catalog_revision (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO catalog_revision (only, revision) VALUES (1, 0);

CREATE TABLE issuer (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'closed')),
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE program (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL REFERENCES issuer (id),
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    number_prefix TEXT NOT NULL,
    number_length INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'closed')),
    rules TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE merchant (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL REFERENCES issuer (id),
    name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'closed')),
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE store (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL REFERENCES issuer (id),
    merchant_id INTEGER NOT NULL REFERENCES merchant (id),
    name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'closed')),
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE terminal (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL REFERENCES issuer (id),
    store_id INTEGER NOT NULL REFERENCES store (id),
    name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'closed')),
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE client (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER REFERENCES issuer (id),
    merchant_id INTEGER REFERENCES merchant (id),
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    secret_hash BLOB NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    rate_per_second INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'closed')),
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

-- Cards. No foreign keys from here on: each would be a look-up per row on the write path, and `verify`
-- checks what they would check.

CREATE TABLE batch (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    program_id INTEGER NOT NULL,
    client_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint_key_id INTEGER NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16),
    count INTEGER NOT NULL,
    face_value INTEGER,
    activate INTEGER NOT NULL CHECK (activate IN (0, 1)),
    issued INTEGER NOT NULL CHECK (issued BETWEEN 0 AND count),
    activated INTEGER NOT NULL CHECK (activated BETWEEN 0 AND count),
    status TEXT NOT NULL CHECK (status IN ('running', 'complete', 'failed')),
    failure TEXT,
    created_at INTEGER NOT NULL,
    completed_at INTEGER,
    exported_at INTEGER,
    UNIQUE (client_id, key)
) STRICT;
CREATE INDEX batch_by_issuer ON batch (issuer_id, id);
CREATE INDEX batch_running ON batch (id) WHERE status = 'running';

-- A sale reads and writes one row here. Its secrets are in a table of their own, to keep this one dense.
-- `posted` repeats the sum of the lots, for reports and for the CHECKs.
CREATE TABLE card (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    program_id INTEGER NOT NULL,
    batch_id INTEGER,
    last4 INTEGER NOT NULL CHECK (last4 BETWEEN 0 AND 9999),
    state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 6),
    state_reason TEXT,
    successor_id INTEGER,
    face_value INTEGER CHECK (face_value >= 0),
    lots TEXT NOT NULL,
    held INTEGER NOT NULL CHECK (held >= 0),
    day INTEGER NOT NULL,
    day_count INTEGER NOT NULL,
    day_amount INTEGER NOT NULL,
    pin_key_id INTEGER,
    pin_digest BLOB,
    pin_failures INTEGER NOT NULL,
    pin_lifetime_failures INTEGER NOT NULL,
    member TEXT,
    activated_at INTEGER,
    expires_at INTEGER,
    last_operation_id INTEGER,
    created_at INTEGER NOT NULL,
    posted INTEGER NOT NULL,
    next_lot_expiry INTEGER,
    number_key_id INTEGER NOT NULL,
    number_index BLOB NOT NULL UNIQUE CHECK (length(number_index) = 16),
    CHECK (posted >= held)
) STRICT;
CREATE INDEX card_by_batch ON card (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX card_by_expiry ON card (expires_at) WHERE expires_at IS NOT NULL AND state IN (2, 3);
CREATE INDEX card_by_lot_expiry ON card (next_lot_expiry)
    WHERE next_lot_expiry IS NOT NULL AND state IN (2, 3);

CREATE TABLE card_secret (
    card_id INTEGER PRIMARY KEY,
    number_key_id INTEGER NOT NULL,
    number BLOB NOT NULL,
    pin_key_id INTEGER,
    pin BLOB
) STRICT;

-- Lots as rows, for reports and checks.
CREATE VIEW lot AS
    SELECT card.id AS card_id, card.issuer_id AS issuer_id, card.program_id AS program_id,
           item.value ->> 0 AS no, item.value ->> 1 AS source, item.value ->> 2 AS funder_id,
           item.value ->> 3 AS granted, item.value ->> 4 AS remaining, item.value ->> 5 AS expired,
           item.value ->> 6 AS expired_to_breakage, item.value ->> 7 AS expires_at
    FROM card, json_each(card.lots) AS item;

-- The log. What only some operations have comes last: those columns are left out of the usual INSERT.
CREATE TABLE operation (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    client_id INTEGER NOT NULL,
    key BLOB NOT NULL CHECK (length(key) = 17),
    key_text TEXT,
    fingerprint_key_id INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    kind INTEGER NOT NULL,
    decline INTEGER,
    program_id INTEGER,
    card_id INTEGER,
    card_last4 INTEGER,
    card_state INTEGER,
    card_balance INTEGER,
    card_held INTEGER,
    card_available INTEGER,
    card_previous_id INTEGER,
    merchant_id INTEGER,
    store_id INTEGER,
    terminal_id INTEGER,
    channel INTEGER,
    currency TEXT,
    requested INTEGER NOT NULL,
    approved INTEGER NOT NULL CHECK (approved >= 0),
    business_date INTEGER NOT NULL,
    at INTEGER NOT NULL,
    trace INTEGER,
    reference TEXT,
    metadata TEXT,
    original_id INTEGER,
    hold_id INTEGER,
    counterpart_id INTEGER,
    counterpart_last4 INTEGER,
    counterpart_state INTEGER,
    counterpart_balance INTEGER,
    counterpart_held INTEGER,
    counterpart_available INTEGER,
    counterpart_previous_id INTEGER,
    detail TEXT,
    UNIQUE (client_id, key),
    CHECK (decline IS NULL OR approved = 0)
) STRICT;
CREATE UNIQUE INDEX operation_by_trace ON operation (terminal_id, business_date, trace)
    WHERE trace IS NOT NULL;

CREATE TABLE transfer (
    operation_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    debit_kind INTEGER NOT NULL,
    debit_ref INTEGER NOT NULL,
    debit_lot INTEGER,
    credit_kind INTEGER NOT NULL,
    credit_ref INTEGER NOT NULL,
    credit_lot INTEGER,
    amount INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (operation_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER operation_is_append_only_update BEFORE UPDATE ON operation
    BEGIN SELECT RAISE(ABORT, 'operations are append-only'); END;
CREATE TRIGGER operation_is_append_only_delete BEFORE DELETE ON operation
    BEGIN SELECT RAISE(ABORT, 'operations are append-only'); END;
CREATE TRIGGER transfer_is_append_only_update BEFORE UPDATE ON transfer
    BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
CREATE TRIGGER transfer_is_append_only_delete BEFORE DELETE ON transfer
    BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;

CREATE TABLE hold (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    card_id INTEGER NOT NULL,
    merchant_id INTEGER NOT NULL,
    store_id INTEGER,
    terminal_id INTEGER,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    captured INTEGER NOT NULL CHECK (captured BETWEEN 0 AND amount),
    status INTEGER NOT NULL CHECK (status BETWEEN 1 AND 4),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX hold_by_card ON hold (card_id);
CREATE INDEX hold_open_by_expiry ON hold (expires_at) WHERE status = 1;

CREATE TABLE compensation (
    operation_id INTEGER PRIMARY KEY,
    refunded INTEGER NOT NULL CHECK (refunded >= 0),
    reversed_by INTEGER
) STRICT;

CREATE TABLE tombstone (
    client_id INTEGER NOT NULL,
    key BLOB NOT NULL,
    key_text TEXT,
    reversal_id INTEGER NOT NULL,
    PRIMARY KEY (client_id, key)
) STRICT, WITHOUT ROWID;

-- Derived: totals per hour, account and currency, made again from the log whenever they are deleted together with
-- their cursor. All cards of a program are one line (kind 1, ref = the program's id).
CREATE TABLE account_rollup (
    issuer_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    ref INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    currency TEXT NOT NULL,
    debits INTEGER NOT NULL,
    credits INTEGER NOT NULL,
    PRIMARY KEY (issuer_id, kind, ref, hour, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_cursor (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Nodes: who has which number and which job. Times are those of this database's clock.

CREATE TABLE node (
    number INTEGER PRIMARY KEY CHECK (number BETWEEN 0 AND 1023),
    name TEXT NOT NULL,
    term INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ids_until INTEGER NOT NULL
) STRICT;
INSERT INTO node (number, name, term, expires_at, ids_until)
    WITH RECURSIVE every (number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM every WHERE number < 1023)
    SELECT number, '', 0, 0, 0 FROM every;

CREATE TABLE job_lease (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What shared limits have counted. Worth little: lost, the limits begin anew.
CREATE TABLE shared_usage (
    kind INTEGER NOT NULL,
    subject BLOB NOT NULL CHECK (length(subject) = 16),
    period INTEGER NOT NULL,
    total INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (kind, subject, period)
) STRICT, WITHOUT ROWID;
CREATE INDEX shared_usage_by_expiry ON shared_usage (expires_at);
