-- Derived: the journal by business day, made again from the log whenever it is deleted together with its
-- cursor (`journal` in job_cursor). All cards of a program are one account (kind 1, ref = the program's id);
-- program 0 is none; original_kind is that of what a reversal undid, else 0. An operation is counted where its
-- first transfer is.
CREATE TABLE journal_rollup (
    issuer_id bigint NOT NULL,
    program_id bigint NOT NULL,
    debit_ref bigint NOT NULL,
    credit_ref bigint NOT NULL,
    operations bigint NOT NULL,
    amount bigint NOT NULL,
    business_date integer NOT NULL,
    kind smallint NOT NULL,
    original_kind smallint NOT NULL,
    debit_kind smallint NOT NULL,
    credit_kind smallint NOT NULL,
    currency text NOT NULL,
    PRIMARY KEY (issuer_id, business_date, program_id, kind, original_kind, debit_kind, debit_ref, credit_kind,
        credit_ref, currency)
) WITH (fillfactor = 80);

-- Figures that finance enters, such as the balance of a custody account. A correction is a new version.
CREATE TABLE reported_figure (
    issuer_id bigint NOT NULL,
    kind smallint NOT NULL,
    period integer NOT NULL,
    currency text NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    amount bigint NOT NULL CHECK (amount >= 0),
    note text,
    client_id bigint NOT NULL,
    entered_at bigint NOT NULL,
    CONSTRAINT reported_figure_version PRIMARY KEY (issuer_id, kind, period, currency, version)
);

-- Settings of an issuer's accounting, such as its chart of accounts. A change is a new version.
CREATE TABLE accounting_setting (
    issuer_id bigint NOT NULL,
    name text NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    value text NOT NULL,
    client_id bigint NOT NULL,
    entered_at bigint NOT NULL,
    CONSTRAINT accounting_setting_version PRIMARY KEY (issuer_id, name, version)
);

-- What was entered stays: what is not granted cannot be done (decision 0011).
GRANT SELECT, INSERT ON reported_figure, accounting_setting TO hexiao_app;
GRANT SELECT, INSERT, UPDATE ON journal_rollup TO hexiao_app;

ALTER TABLE journal_rollup ENABLE ROW LEVEL SECURITY;
ALTER TABLE reported_figure ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounting_setting ENABLE ROW LEVEL SECURITY;

CREATE POLICY issuers ON journal_rollup
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON reported_figure
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON accounting_setting
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
