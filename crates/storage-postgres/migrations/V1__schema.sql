-- The same schema by meaning as the embedded store's; `tests/store/parity.rs` compares them.
-- Times are UTC microseconds, amounts minor units, ids 64-bit and time-ordered.
-- CHECK constraints are the last wall behind the domain's rules, not a replacement for them.
-- Wide columns come first in the hot tables, so that rows have no padding.

-- The catalog: low-rate data that is read whole.

CREATE TABLE catalog_revision (
    "only" integer PRIMARY KEY CHECK ("only" = 1),
    revision bigint NOT NULL
);
INSERT INTO catalog_revision ("only", revision) VALUES (1, 0);

CREATE TABLE issuer (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    time_zone text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'closed')),
    created_at bigint NOT NULL,
    version bigint NOT NULL
);

CREATE TABLE program (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL REFERENCES issuer (id),
    name text NOT NULL,
    currency text NOT NULL,
    number_prefix text NOT NULL,
    number_length integer NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'closed')),
    rules text NOT NULL,
    created_at bigint NOT NULL,
    version bigint NOT NULL
);

CREATE TABLE merchant (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL REFERENCES issuer (id),
    name text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'closed')),
    created_at bigint NOT NULL,
    version bigint NOT NULL
);

CREATE TABLE store (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL REFERENCES issuer (id),
    merchant_id bigint NOT NULL REFERENCES merchant (id),
    name text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'closed')),
    created_at bigint NOT NULL,
    version bigint NOT NULL
);

CREATE TABLE terminal (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL REFERENCES issuer (id),
    store_id bigint NOT NULL REFERENCES store (id),
    name text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'closed')),
    created_at bigint NOT NULL,
    version bigint NOT NULL
);

CREATE TABLE client (
    id bigint PRIMARY KEY,
    issuer_id bigint REFERENCES issuer (id),
    merchant_id bigint REFERENCES merchant (id),
    name text NOT NULL,
    scopes text NOT NULL,
    secret_hash bytea NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    rate_per_second bigint NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'closed')),
    created_at bigint NOT NULL,
    version bigint NOT NULL
);

-- Cards. No foreign keys from here on: each would be a look-up per row on the write path, and `verify`
-- checks what they would check.

CREATE TABLE batch (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL,
    program_id bigint NOT NULL,
    client_id bigint NOT NULL,
    key text NOT NULL,
    fingerprint_key_id smallint NOT NULL,
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 16),
    count bigint NOT NULL,
    face_value bigint,
    activate boolean NOT NULL,
    issued bigint NOT NULL CHECK (issued BETWEEN 0 AND count),
    activated bigint NOT NULL CHECK (activated BETWEEN 0 AND count),
    status text NOT NULL CHECK (status IN ('running', 'complete', 'failed')),
    failure text,
    created_at bigint NOT NULL,
    completed_at bigint,
    exported_at bigint,
    CONSTRAINT batch_key UNIQUE (client_id, key)
);
CREATE INDEX batch_by_issuer ON batch (issuer_id, id);
CREATE INDEX batch_running ON batch (id) WHERE status = 'running';

-- A sale reads and writes one row here. Its secrets are in a table of their own, to keep this one dense.
-- `posted` repeats the sum of the lots, for reports and for the CHECKs.
-- A sale changes no indexed column, and room is left on each page for the new version of a row, so that
-- no index is touched (a heap-only update).
CREATE TABLE card (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL,
    program_id bigint NOT NULL,
    held bigint NOT NULL CHECK (held >= 0),
    day_count bigint NOT NULL,
    day_amount bigint NOT NULL,
    created_at bigint NOT NULL,
    posted bigint NOT NULL,
    batch_id bigint,
    successor_id bigint,
    face_value bigint CHECK (face_value >= 0),
    activated_at bigint,
    expires_at bigint,
    last_operation_id bigint,
    next_lot_expiry bigint,
    day integer NOT NULL,
    pin_failures integer NOT NULL,
    pin_lifetime_failures bigint NOT NULL,
    last4 smallint NOT NULL CHECK (last4 BETWEEN 0 AND 9999),
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 6),
    number_key_id smallint NOT NULL,
    pin_key_id smallint,
    number_index bytea NOT NULL CHECK (length(number_index) = 16),
    lots text NOT NULL,
    state_reason text,
    pin_digest bytea,
    member text,
    CONSTRAINT card_number UNIQUE (number_index),
    CHECK (posted >= held)
) WITH (fillfactor = 70);
CREATE INDEX card_by_batch ON card (batch_id, id) WHERE batch_id IS NOT NULL;
CREATE INDEX card_by_expiry ON card (expires_at) WHERE expires_at IS NOT NULL AND state IN (2, 3);
CREATE INDEX card_by_lot_expiry ON card (next_lot_expiry)
    WHERE next_lot_expiry IS NOT NULL AND state IN (2, 3);

CREATE TABLE card_secret (
    card_id bigint PRIMARY KEY,
    number_key_id smallint NOT NULL,
    pin_key_id smallint,
    number bytea NOT NULL,
    pin bytea
);

-- Lots as rows, for reports and checks. With the rights of who asks, so that the policies below hold.
CREATE VIEW lot WITH (security_invoker = true) AS
    SELECT card.id AS card_id, card.issuer_id, card.program_id,
           (item.value ->> 0)::integer AS no, item.value ->> 1 AS source,
           (item.value ->> 2)::bigint AS funder_id, (item.value ->> 3)::bigint AS granted,
           (item.value ->> 4)::bigint AS remaining, (item.value ->> 5)::bigint AS expired,
           (item.value ->> 6)::integer AS expired_to_breakage, (item.value ->> 7)::bigint AS expires_at
    FROM card CROSS JOIN LATERAL jsonb_array_elements(card.lots::jsonb) AS item (value);

-- The log. `card_id` is the distribution key of every hot table and part of every primary key, so that it
-- is never null: 0 stands for "no card" (decision 0011). `xid` is the transaction that wrote the row:
-- ids of transactions that run at the same time become visible out of order, so whoever follows the log
-- follows (xid, id) below the oldest transaction that is still running, never id alone.
CREATE TABLE operation (
    id bigint NOT NULL,
    card_id bigint NOT NULL,
    issuer_id bigint NOT NULL,
    client_id bigint NOT NULL,
    requested bigint NOT NULL,
    approved bigint NOT NULL CHECK (approved >= 0),
    at bigint NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    program_id bigint,
    card_balance bigint,
    card_held bigint,
    card_available bigint,
    card_previous_id bigint,
    merchant_id bigint,
    store_id bigint,
    terminal_id bigint,
    channel bigint,
    trace bigint,
    original_id bigint,
    hold_id bigint,
    counterpart_id bigint,
    counterpart_balance bigint,
    counterpart_held bigint,
    counterpart_available bigint,
    counterpart_previous_id bigint,
    business_date integer NOT NULL,
    kind smallint NOT NULL,
    fingerprint_key_id smallint NOT NULL,
    decline smallint,
    card_last4 smallint,
    card_state smallint,
    counterpart_last4 smallint,
    counterpart_state smallint,
    key bytea NOT NULL CHECK (length(key) = 17),
    fingerprint bytea NOT NULL,
    key_text text,
    currency text,
    reference text,
    metadata text,
    detail text,
    PRIMARY KEY (id, card_id),
    CONSTRAINT operation_key UNIQUE (client_id, key),
    CHECK (decline IS NULL OR approved = 0)
);
CREATE UNIQUE INDEX operation_by_trace ON operation (terminal_id, business_date, trace)
    WHERE trace IS NOT NULL;
CREATE INDEX operation_by_xid ON operation (xid, id);

CREATE TABLE transfer (
    operation_id bigint NOT NULL,
    card_id bigint NOT NULL,
    issuer_id bigint NOT NULL,
    debit_ref bigint NOT NULL,
    credit_ref bigint NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    seq integer NOT NULL,
    debit_lot integer,
    credit_lot integer,
    debit_kind smallint NOT NULL,
    credit_kind smallint NOT NULL,
    PRIMARY KEY (operation_id, seq, card_id)
);

CREATE TABLE hold (
    id bigint NOT NULL,
    card_id bigint NOT NULL,
    issuer_id bigint NOT NULL,
    merchant_id bigint NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    captured bigint NOT NULL CHECK (captured BETWEEN 0 AND amount),
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    store_id bigint,
    terminal_id bigint,
    status smallint NOT NULL CHECK (status BETWEEN 1 AND 4),
    PRIMARY KEY (id, card_id)
) WITH (fillfactor = 80);
CREATE INDEX hold_by_card ON hold (card_id, id);
CREATE INDEX hold_open_by_expiry ON hold (expires_at, id) WHERE status = 1;

CREATE TABLE compensation (
    operation_id bigint NOT NULL,
    card_id bigint NOT NULL,
    issuer_id bigint NOT NULL,
    refunded bigint NOT NULL CHECK (refunded >= 0),
    reversed_by bigint,
    PRIMARY KEY (operation_id, card_id)
);

CREATE TABLE tombstone (
    client_id bigint NOT NULL,
    key bytea NOT NULL,
    key_text text,
    reversal_id bigint NOT NULL,
    CONSTRAINT tombstone_key PRIMARY KEY (client_id, key)
);

-- Derived: totals per hour, account and currency, made again from the log whenever they are deleted
-- together with their cursor. All cards of a program are one line (kind 1, ref = the program's id).
CREATE TABLE account_rollup (
    issuer_id bigint NOT NULL,
    kind smallint NOT NULL,
    ref bigint NOT NULL,
    hour bigint NOT NULL,
    currency text NOT NULL,
    debits bigint NOT NULL,
    credits bigint NOT NULL,
    PRIMARY KEY (issuer_id, kind, ref, hour, currency)
);

CREATE TABLE job_cursor (
    name text PRIMARY KEY,
    xid xid8 NOT NULL,
    position bigint NOT NULL
);

-- Nodes: who has which number and which job. Times are those of this database's clock.

CREATE TABLE node (
    number integer PRIMARY KEY CHECK (number BETWEEN 0 AND 1023),
    name text NOT NULL,
    term bigint NOT NULL,
    expires_at bigint NOT NULL,
    ids_until bigint NOT NULL
);
INSERT INTO node (number, name, term, expires_at, ids_until)
    SELECT number, '', 0, 0, 0 FROM generate_series(0, 1023) AS number;

CREATE TABLE job_lease (
    name text PRIMARY KEY,
    holder text NOT NULL,
    expires_at bigint NOT NULL
);

-- What shared limits have counted. Worth little: lost, the limits begin anew; so it is not logged.
CREATE UNLOGGED TABLE shared_usage (
    kind smallint NOT NULL,
    subject bytea NOT NULL CHECK (length(subject) = 16),
    period bigint NOT NULL,
    total bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (kind, subject, period)
);
CREATE INDEX shared_usage_by_expiry ON shared_usage (expires_at);
