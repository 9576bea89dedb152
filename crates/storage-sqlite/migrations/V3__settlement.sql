-- Settlement: agreements, statements with their lines, payouts. Days are business dates (YYYYMMDD) in the issuer's
-- time zone, amounts minor units of the statement's currency.

-- What yearly notices say about days. `year` is the notice's; it may list days of the year before.
CREATE TABLE calendar_day (
    issuer_id INTEGER NOT NULL,
    year INTEGER NOT NULL,
    day INTEGER NOT NULL,
    working INTEGER NOT NULL CHECK (working IN (0, 1)),
    name TEXT NOT NULL,
    PRIMARY KEY (issuer_id, year, day)
) STRICT, WITHOUT ROWID;

-- Versions of agreements. Merchant 0 stands for all merchants without one of their own.
CREATE TABLE agreement (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    merchant_id INTEGER NOT NULL,
    currency TEXT NOT NULL,
    effective_from INTEGER NOT NULL,
    terms TEXT NOT NULL,
    created_by INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (issuer_id, merchant_id, currency, effective_from)
) STRICT;
CREATE INDEX agreement_by_issuer ON agreement (issuer_id, id);

-- Bank accounts of merchants. Of several in force, the newest counts.
CREATE TABLE payee (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    merchant_id INTEGER NOT NULL,
    currency TEXT NOT NULL,
    effective_from INTEGER NOT NULL,
    holder_name TEXT NOT NULL,
    account_number TEXT NOT NULL,
    bank_name TEXT NOT NULL,
    bic TEXT,
    clearing_code TEXT,
    created_by INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX payee_by_merchant ON payee (merchant_id, id);

-- How far the log is on statements. Whatever changes open statements raises the revision it was decided on.
-- `highest` is the highest operation taken in so far.
CREATE TABLE settlement_cursor (
    issuer_id INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    highest INTEGER NOT NULL
) STRICT;

-- The figures of a statement are written when it is closed; until then they are what its lines add up to.
-- `lines_from` is at most the lowest operation of its lines: nothing of it is before that.
CREATE TABLE statement (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    merchant_id INTEGER NOT NULL,
    currency TEXT NOT NULL,
    status INTEGER NOT NULL CHECK (status BETWEEN 1 AND 3),
    period_from INTEGER NOT NULL,
    period_to INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    due_on INTEGER NOT NULL,
    due_estimated INTEGER NOT NULL CHECK (due_estimated IN (0, 1)),
    agreement_id INTEGER,
    first_line_id INTEGER,
    newest_line_id INTEGER,
    lines_from INTEGER,
    opening INTEGER NOT NULL,
    payouts_rejected INTEGER NOT NULL CHECK (payouts_rejected >= 0),
    lines INTEGER NOT NULL,
    sales_count INTEGER NOT NULL,
    refunds_count INTEGER NOT NULL,
    late_count INTEGER NOT NULL,
    sales INTEGER NOT NULL,
    refunds INTEGER NOT NULL,
    reversals INTEGER NOT NULL,
    split_in INTEGER NOT NULL,
    payout_returns INTEGER NOT NULL,
    corrections INTEGER NOT NULL,
    funding INTEGER NOT NULL,
    fees INTEGER NOT NULL,
    splits_out INTEGER NOT NULL,
    yearly_fee INTEGER NOT NULL CHECK (yearly_fee >= 0),
    closing INTEGER NOT NULL,
    payout INTEGER NOT NULL CHECK (payout >= 0),
    invoiced INTEGER NOT NULL CHECK (invoiced >= 0),
    carried INTEGER NOT NULL,
    volume_month INTEGER NOT NULL,
    volume INTEGER NOT NULL,
    yearly_through INTEGER NOT NULL,
    previous_id INTEGER,
    operation_id INTEGER,
    digest BLOB CHECK (length(digest) = 32),
    created_at INTEGER NOT NULL,
    closed_at INTEGER,
    UNIQUE (merchant_id, currency, period_to),
    CHECK (carried = closing - payout + invoiced),
    CHECK (closing = opening + payouts_rejected + sales + refunds + reversals + split_in + payout_returns + corrections + funding - fees - splits_out - yearly_fee),
    CHECK (status < 3 OR (digest IS NOT NULL AND closed_at IS NOT NULL))
) STRICT;
CREATE INDEX statement_by_issuer ON statement (issuer_id, id);
CREATE INDEX statement_by_merchant ON statement (merchant_id, id);
CREATE INDEX statement_unfinished ON statement (issuer_id, id) WHERE status < 3;

-- Lines, in the order of the log. No other index: each would cost a page for each sale. The lines of one
-- statement are a chain through `previous_id`.
CREATE TABLE settlement_line (
    operation_id INTEGER NOT NULL,
    merchant_id INTEGER NOT NULL,
    statement_id INTEGER NOT NULL,
    previous_id INTEGER,
    kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 7),
    day INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount <> 0),
    fee INTEGER NOT NULL,
    agreement_id INTEGER,
    original_id INTEGER,
    refunded_before INTEGER NOT NULL CHECK (refunded_before >= 0),
    residue INTEGER NOT NULL,
    late INTEGER NOT NULL CHECK (late IN (0, 1)),
    PRIMARY KEY (operation_id, merchant_id)
) STRICT, WITHOUT ROWID;

-- Parts of a line that go to other merchants, where there are any.
CREATE TABLE settlement_split (
    operation_id INTEGER NOT NULL,
    merchant_id INTEGER NOT NULL,
    receiver_id INTEGER NOT NULL,
    statement_id INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (operation_id, merchant_id, receiver_id)
) STRICT, WITHOUT ROWID;

-- What was given back of a sale, where something was.
CREATE TABLE settlement_refund (
    operation_id INTEGER NOT NULL,
    merchant_id INTEGER NOT NULL,
    refunded INTEGER NOT NULL CHECK (refunded >= 0),
    fee_returned INTEGER NOT NULL CHECK (fee_returned >= 0),
    PRIMARY KEY (operation_id, merchant_id)
) STRICT, WITHOUT ROWID;

-- The newest statement of each merchant and currency whose figures are fixed: what is carried forward is there.
CREATE TABLE settlement_account (
    issuer_id INTEGER NOT NULL,
    merchant_id INTEGER NOT NULL,
    currency TEXT NOT NULL,
    statement_id INTEGER NOT NULL,
    PRIMARY KEY (issuer_id, merchant_id, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE payout (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL,
    merchant_id INTEGER NOT NULL,
    statement_id INTEGER NOT NULL UNIQUE,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    due_on INTEGER NOT NULL,
    due_estimated INTEGER NOT NULL CHECK (due_estimated IN (0, 1)),
    status INTEGER NOT NULL CHECK (status BETWEEN 1 AND 6),
    payee_id INTEGER,
    proposed_by INTEGER NOT NULL,
    decided_by INTEGER,
    reason TEXT,
    operation_id INTEGER,
    return_operation_id INTEGER,
    credited_in INTEGER,
    created_at INTEGER NOT NULL,
    decided_at INTEGER,
    sent_at INTEGER,
    finished_at INTEGER,
    version INTEGER NOT NULL,
    CHECK (decided_by IS NULL OR decided_by <> proposed_by),
    CHECK (status = 1 OR decided_by IS NOT NULL),
    CHECK (status IN (1, 2, 3) OR operation_id IS NOT NULL),
    CHECK (credited_in IS NULL OR status = 3)
) STRICT;
CREATE INDEX payout_by_issuer ON payout (issuer_id, id);
CREATE INDEX payout_by_merchant ON payout (merchant_id, id);
CREATE INDEX payout_uncredited ON payout (issuer_id, id) WHERE status = 3 AND credited_in IS NULL;

CREATE TRIGGER agreement_is_append_only_update BEFORE UPDATE ON agreement
    BEGIN SELECT RAISE(ABORT, 'agreements are append-only'); END;
CREATE TRIGGER agreement_is_append_only_delete BEFORE DELETE ON agreement
    BEGIN SELECT RAISE(ABORT, 'agreements are append-only'); END;
CREATE TRIGGER payee_is_append_only_update BEFORE UPDATE ON payee
    BEGIN SELECT RAISE(ABORT, 'payees are append-only'); END;
CREATE TRIGGER payee_is_append_only_delete BEFORE DELETE ON payee
    BEGIN SELECT RAISE(ABORT, 'payees are append-only'); END;
CREATE TRIGGER settlement_line_is_append_only_update BEFORE UPDATE ON settlement_line
    BEGIN SELECT RAISE(ABORT, 'lines are append-only'); END;
CREATE TRIGGER settlement_line_is_append_only_delete BEFORE DELETE ON settlement_line
    BEGIN SELECT RAISE(ABORT, 'lines are append-only'); END;
CREATE TRIGGER settlement_split_is_append_only_update BEFORE UPDATE ON settlement_split
    BEGIN SELECT RAISE(ABORT, 'splits are append-only'); END;
CREATE TRIGGER settlement_split_is_append_only_delete BEFORE DELETE ON settlement_split
    BEGIN SELECT RAISE(ABORT, 'splits are append-only'); END;

-- A statement goes from open to closing to closed. What names it never changes, its figures are fixed when it
-- leaves open, and nothing of it changes once it is closed.
CREATE TRIGGER statement_is_kept BEFORE DELETE ON statement
    BEGIN SELECT RAISE(ABORT, 'statements are append-only'); END;
CREATE TRIGGER statement_keeps_its_name BEFORE UPDATE ON statement
    WHEN (NEW.id, NEW.issuer_id, NEW.merchant_id, NEW.currency, NEW.period_to, NEW.created_at)
        IS NOT (OLD.id, OLD.issuer_id, OLD.merchant_id, OLD.currency, OLD.period_to, OLD.created_at)
        OR NEW.status NOT IN (OLD.status, OLD.status + 1)
    BEGIN SELECT RAISE(ABORT, 'statements are append-only'); END;
CREATE TRIGGER statement_keeps_its_figures BEFORE UPDATE ON statement
    WHEN OLD.status = 3 OR (OLD.status = 2 AND
        (NEW.period_from, NEW.ends_at, NEW.due_on, NEW.due_estimated, NEW.agreement_id, NEW.first_line_id,
         NEW.newest_line_id, NEW.lines_from, NEW.opening, NEW.payouts_rejected, NEW.lines, NEW.sales_count,
         NEW.refunds_count, NEW.late_count, NEW.sales, NEW.refunds, NEW.reversals, NEW.split_in,
         NEW.payout_returns, NEW.corrections, NEW.funding, NEW.fees, NEW.splits_out, NEW.yearly_fee,
         NEW.closing, NEW.payout, NEW.invoiced, NEW.carried, NEW.volume_month, NEW.volume,
         NEW.yearly_through, NEW.previous_id)
        IS NOT
        (OLD.period_from, OLD.ends_at, OLD.due_on, OLD.due_estimated, OLD.agreement_id, OLD.first_line_id,
         OLD.newest_line_id, OLD.lines_from, OLD.opening, OLD.payouts_rejected, OLD.lines, OLD.sales_count,
         OLD.refunds_count, OLD.late_count, OLD.sales, OLD.refunds, OLD.reversals, OLD.split_in,
         OLD.payout_returns, OLD.corrections, OLD.funding, OLD.fees, OLD.splits_out, OLD.yearly_fee,
         OLD.closing, OLD.payout, OLD.invoiced, OLD.carried, OLD.volume_month, OLD.volume,
         OLD.yearly_through, OLD.previous_id))
    BEGIN SELECT RAISE(ABORT, 'statements are append-only'); END;

CREATE TRIGGER payout_is_kept BEFORE DELETE ON payout
    BEGIN SELECT RAISE(ABORT, 'payouts are append-only'); END;
CREATE TRIGGER payout_keeps_its_name BEFORE UPDATE ON payout
    WHEN (NEW.id, NEW.issuer_id, NEW.merchant_id, NEW.statement_id, NEW.currency, NEW.amount, NEW.due_on,
          NEW.due_estimated, NEW.proposed_by, NEW.created_at)
        IS NOT (OLD.id, OLD.issuer_id, OLD.merchant_id, OLD.statement_id, OLD.currency, OLD.amount, OLD.due_on,
          OLD.due_estimated, OLD.proposed_by, OLD.created_at)
    BEGIN SELECT RAISE(ABORT, 'payouts are append-only'); END;
