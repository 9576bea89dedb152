-- Settlement: agreements, statements with their lines, payouts. Days are business dates (YYYYMMDD) in the issuer's
-- time zone, amounts minor units of the statement's currency.

-- What yearly notices say about days. `year` is the notice's; it may list days of the year before.
CREATE TABLE calendar_day (
    issuer_id bigint NOT NULL,
    year integer NOT NULL,
    day integer NOT NULL,
    working boolean NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (issuer_id, year, day)
);

-- Versions of agreements. Merchant 0 stands for all merchants without one of their own.
CREATE TABLE agreement (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL,
    merchant_id bigint NOT NULL,
    currency text NOT NULL,
    effective_from integer NOT NULL,
    terms text NOT NULL,
    created_by bigint NOT NULL,
    created_at bigint NOT NULL,
    CONSTRAINT agreement_effective UNIQUE (issuer_id, merchant_id, currency, effective_from)
);
CREATE INDEX agreement_by_issuer ON agreement (issuer_id, id);

-- Bank accounts of merchants. Of several in force, the newest counts.
CREATE TABLE payee (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL,
    merchant_id bigint NOT NULL,
    currency text NOT NULL,
    effective_from integer NOT NULL,
    holder_name text NOT NULL,
    account_number text NOT NULL,
    bank_name text NOT NULL,
    bic text,
    clearing_code text,
    created_by bigint NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX payee_by_merchant ON payee (merchant_id, id);

-- How far the log is on statements. Whatever changes open statements raises the revision it was decided on.
-- Like the roll-up it follows (xid, operation), never ids alone; `highest` is the highest id taken in so far.
CREATE TABLE settlement_cursor (
    issuer_id bigint PRIMARY KEY,
    xid xid8 NOT NULL,
    position bigint NOT NULL,
    revision bigint NOT NULL,
    highest bigint NOT NULL
);

-- The figures of a statement are written when it is closed; until then they are what its lines add up to.
-- `lines_from` is at most the lowest operation of its lines: nothing of it is before that.
CREATE TABLE statement (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL,
    merchant_id bigint NOT NULL,
    currency text NOT NULL,
    status smallint NOT NULL CHECK (status BETWEEN 1 AND 3),
    period_from integer NOT NULL,
    period_to integer NOT NULL,
    ends_at bigint NOT NULL,
    due_on integer NOT NULL,
    due_estimated boolean NOT NULL,
    agreement_id bigint,
    first_line_id bigint,
    newest_line_id bigint,
    lines_from bigint,
    opening bigint NOT NULL,
    payouts_rejected bigint NOT NULL CHECK (payouts_rejected >= 0),
    lines bigint NOT NULL,
    sales_count bigint NOT NULL,
    refunds_count bigint NOT NULL,
    late_count bigint NOT NULL,
    sales bigint NOT NULL,
    refunds bigint NOT NULL,
    reversals bigint NOT NULL,
    split_in bigint NOT NULL,
    payout_returns bigint NOT NULL,
    corrections bigint NOT NULL,
    funding bigint NOT NULL,
    fees bigint NOT NULL,
    splits_out bigint NOT NULL,
    yearly_fee bigint NOT NULL CHECK (yearly_fee >= 0),
    closing bigint NOT NULL,
    payout bigint NOT NULL CHECK (payout >= 0),
    invoiced bigint NOT NULL CHECK (invoiced >= 0),
    carried bigint NOT NULL,
    volume_month integer NOT NULL,
    volume bigint NOT NULL,
    yearly_through integer NOT NULL,
    previous_id bigint,
    operation_id bigint,
    digest bytea CHECK (length(digest) = 32),
    created_at bigint NOT NULL,
    closed_at bigint,
    CONSTRAINT statement_period UNIQUE (merchant_id, currency, period_to),
    CHECK (carried = closing - payout + invoiced),
    CHECK (closing = opening + payouts_rejected + sales + refunds + reversals + split_in + payout_returns + corrections + funding - fees - splits_out - yearly_fee),
    CHECK (status < 3 OR (digest IS NOT NULL AND closed_at IS NOT NULL))
);
CREATE INDEX statement_by_issuer ON statement (issuer_id, id);
CREATE INDEX statement_by_merchant ON statement (merchant_id, id);
CREATE INDEX statement_unfinished ON statement (issuer_id, id) WHERE status < 3;

-- Lines, in the order of the log. No other index: each would cost a page for each sale. The lines of one
-- statement are a chain through `previous_id`.
CREATE TABLE settlement_line (
    operation_id bigint NOT NULL,
    issuer_id bigint NOT NULL,
    merchant_id bigint NOT NULL,
    statement_id bigint NOT NULL,
    previous_id bigint,
    kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 7),
    day integer NOT NULL,
    amount bigint NOT NULL CHECK (amount <> 0),
    fee bigint NOT NULL,
    agreement_id bigint,
    original_id bigint,
    refunded_before bigint NOT NULL CHECK (refunded_before >= 0),
    residue integer NOT NULL,
    late boolean NOT NULL,
    PRIMARY KEY (operation_id, merchant_id)
);

-- Parts of a line that go to other merchants, where there are any.
CREATE TABLE settlement_split (
    operation_id bigint NOT NULL,
    issuer_id bigint NOT NULL,
    merchant_id bigint NOT NULL,
    receiver_id bigint NOT NULL,
    statement_id bigint NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (operation_id, merchant_id, receiver_id)
);

-- What was given back of a sale, where something was.
CREATE TABLE settlement_refund (
    operation_id bigint NOT NULL,
    issuer_id bigint NOT NULL,
    merchant_id bigint NOT NULL,
    refunded bigint NOT NULL CHECK (refunded >= 0),
    fee_returned bigint NOT NULL CHECK (fee_returned >= 0),
    PRIMARY KEY (operation_id, merchant_id)
);

-- The newest statement of each merchant and currency whose figures are fixed: what is carried forward is there.
CREATE TABLE settlement_account (
    issuer_id bigint NOT NULL,
    merchant_id bigint NOT NULL,
    currency text NOT NULL,
    statement_id bigint NOT NULL,
    PRIMARY KEY (issuer_id, merchant_id, currency)
);

CREATE TABLE payout (
    id bigint PRIMARY KEY,
    issuer_id bigint NOT NULL,
    merchant_id bigint NOT NULL,
    statement_id bigint NOT NULL CONSTRAINT payout_statement UNIQUE,
    currency text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    due_on integer NOT NULL,
    due_estimated boolean NOT NULL,
    status smallint NOT NULL CHECK (status BETWEEN 1 AND 6),
    payee_id bigint,
    proposed_by bigint NOT NULL,
    decided_by bigint,
    reason text,
    operation_id bigint,
    return_operation_id bigint,
    credited_in bigint,
    created_at bigint NOT NULL,
    decided_at bigint,
    sent_at bigint,
    finished_at bigint,
    version bigint NOT NULL,
    CHECK (decided_by IS NULL OR decided_by <> proposed_by),
    CHECK (status = 1 OR decided_by IS NOT NULL),
    CHECK (status IN (1, 2, 3) OR operation_id IS NOT NULL),
    CHECK (credited_in IS NULL OR status = 3)
);
CREATE INDEX payout_by_issuer ON payout (issuer_id, id);
CREATE INDEX payout_by_merchant ON payout (merchant_id, id);
CREATE INDEX payout_uncredited ON payout (issuer_id, id) WHERE status = 3 AND credited_in IS NULL;

-- Append-only is what is not granted. What names a statement or a payout is never granted for change.
GRANT SELECT, INSERT ON agreement, payee, statement, settlement_line, settlement_split, payout TO hexiao_app;
GRANT SELECT, INSERT, UPDATE ON settlement_cursor, settlement_refund, settlement_account TO hexiao_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_day TO hexiao_app;
GRANT UPDATE (status, period_from, ends_at, due_on, due_estimated, agreement_id, first_line_id, newest_line_id,
    lines_from, opening, payouts_rejected, lines, sales_count, refunds_count, late_count, sales, refunds,
    reversals, split_in, payout_returns, corrections, funding, fees, splits_out, yearly_fee, closing, payout,
    invoiced, carried, volume_month, volume, yearly_through, previous_id, operation_id, digest, closed_at)
    ON statement TO hexiao_app;
GRANT UPDATE (status, payee_id, decided_by, reason, operation_id, return_operation_id, credited_in, decided_at,
    sent_at, finished_at, version) ON payout TO hexiao_app;

-- A statement goes from open to closing to closed. Its figures are fixed when it leaves open, and nothing of it
-- changes once it is closed. Grants cannot say that, because they do not look at rows.
CREATE FUNCTION statement_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 3 OR NEW.status NOT IN (OLD.status, OLD.status + 1) OR (OLD.status = 2 AND
        to_jsonb(NEW) - '{status,operation_id,digest,closed_at}'::text[]
        <> to_jsonb(OLD) - '{status,operation_id,digest,closed_at}'::text[]) THEN
        RAISE EXCEPTION 'statements are append-only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER statement_is_kept BEFORE UPDATE ON statement
    FOR EACH ROW EXECUTE FUNCTION statement_is_kept();

ALTER TABLE calendar_day ENABLE ROW LEVEL SECURITY;
ALTER TABLE agreement ENABLE ROW LEVEL SECURITY;
ALTER TABLE payee ENABLE ROW LEVEL SECURITY;
ALTER TABLE settlement_cursor ENABLE ROW LEVEL SECURITY;
ALTER TABLE statement ENABLE ROW LEVEL SECURITY;
ALTER TABLE settlement_line ENABLE ROW LEVEL SECURITY;
ALTER TABLE settlement_split ENABLE ROW LEVEL SECURITY;
ALTER TABLE settlement_refund ENABLE ROW LEVEL SECURITY;
ALTER TABLE settlement_account ENABLE ROW LEVEL SECURITY;
ALTER TABLE payout ENABLE ROW LEVEL SECURITY;

CREATE POLICY issuers ON calendar_day
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON agreement
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON payee
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON settlement_cursor
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON statement
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON settlement_line
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON settlement_split
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON settlement_refund
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON settlement_account
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
CREATE POLICY issuers ON payout
    USING ((SELECT hexiao_any_issuer()) OR issuer_id = ANY ((SELECT hexiao_issuers())::bigint[]));
