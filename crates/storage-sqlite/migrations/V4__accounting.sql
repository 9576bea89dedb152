-- Derived: the journal by business day, made again from the log whenever it is deleted together with its
-- cursor (`journal` in job_cursor). All cards of a program are one account (kind 1, ref = the program's id);
-- program 0 is none; original_kind is that of what a reversal undid, else 0. An operation is counted where its
-- first transfer is.
CREATE TABLE journal_rollup (
    issuer_id INTEGER NOT NULL,
    business_date INTEGER NOT NULL,
    program_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    original_kind INTEGER NOT NULL,
    debit_kind INTEGER NOT NULL,
    debit_ref INTEGER NOT NULL,
    credit_kind INTEGER NOT NULL,
    credit_ref INTEGER NOT NULL,
    currency TEXT NOT NULL,
    operations INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (issuer_id, business_date, program_id, kind, original_kind, debit_kind, debit_ref, credit_kind, credit_ref, currency)
) STRICT, WITHOUT ROWID;

-- Figures that finance enters, such as the balance of a custody account. A correction is a new version.
CREATE TABLE reported_figure (
    issuer_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    period INTEGER NOT NULL,
    currency TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    note TEXT,
    client_id INTEGER NOT NULL,
    entered_at INTEGER NOT NULL,
    PRIMARY KEY (issuer_id, kind, period, currency, version)
) STRICT, WITHOUT ROWID;

-- Settings of an issuer's accounting, such as its chart of accounts. A change is a new version.
CREATE TABLE accounting_setting (
    issuer_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    value TEXT NOT NULL,
    client_id INTEGER NOT NULL,
    entered_at INTEGER NOT NULL,
    PRIMARY KEY (issuer_id, name, version)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER reported_figure_is_append_only_update BEFORE UPDATE ON reported_figure
    BEGIN SELECT RAISE(ABORT, 'figures are append-only'); END;
CREATE TRIGGER reported_figure_is_append_only_delete BEFORE DELETE ON reported_figure
    BEGIN SELECT RAISE(ABORT, 'figures are append-only'); END;
CREATE TRIGGER accounting_setting_is_append_only_update BEFORE UPDATE ON accounting_setting
    BEGIN SELECT RAISE(ABORT, 'settings are append-only'); END;
CREATE TRIGGER accounting_setting_is_append_only_delete BEFORE DELETE ON accounting_setting
    BEGIN SELECT RAISE(ABORT, 'settings are append-only'); END;
