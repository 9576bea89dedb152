//! Rows of settlement: how each type is read and written, in one declared order of columns.

use domain::{
    AgreementId, BusinessDate, ClientId, Currency, IssuerId, MerchantId, OperationId, PayeeId, PayoutId,
    StatementId, Timestamp,
};
use settlement::{
    Agreement, CalendarDay, Line, MovementKind, Payee, Payout, PayoutStatus, Refunded, SealedAccount,
    SplitPart, Statement, StatementStatus, StatementSums, statement::Figures,
};
use storage::Result;

use crate::{error::corrupt, fields::Fields, rows::arrays::arrays};

pub(crate) const STATEMENT: &str = "id, issuer_id, merchant_id, currency, status, period_from, period_to, ends_at, \
     due_on, due_estimated, agreement_id, first_line_id, newest_line_id, opening, payouts_rejected, lines, \
     sales_count, refunds_count, late_count, sales, refunds, reversals, split_in, payout_returns, corrections, \
     funding, fees, splits_out, yearly_fee, closing, payout, invoiced, carried, volume_month, volume, \
     yearly_through, previous_id, operation_id, digest, created_at, closed_at";

pub(crate) const LINE: &str = "operation_id, merchant_id, statement_id, previous_id, kind, day, amount, fee, \
     agreement_id, original_id, refunded_before, residue, late";

pub(crate) const PAYOUT: &str = "id, issuer_id, merchant_id, statement_id, currency, amount, due_on, due_estimated, \
     status, payee_id, proposed_by, decided_by, reason, operation_id, return_operation_id, credited_in, \
     created_at, decided_at, sent_at, finished_at, version";

pub(crate) const AGREEMENT: &str =
    "id, issuer_id, merchant_id, currency, effective_from, terms, created_by, created_at";

pub(crate) const PAYEE: &str = "id, issuer_id, merchant_id, currency, effective_from, holder_name, account_number, \
     bank_name, bic, clearing_code, created_by, created_at, account_key_id, account_sealed";

type F<'a, 'r> = &'a mut Fields<'r>;

pub(crate) fn currency(f: F<'_, '_>) -> Result<Currency> {
    f.named(|code| Currency::parse(code).ok())
}

pub(crate) fn date(f: F<'_, '_>) -> Result<BusinessDate> {
    f.narrow().map(BusinessDate::from_stored)
}

fn id<T>(f: F<'_, '_>, new: fn(i64) -> T) -> Result<T> {
    f.int().map(new)
}

fn opt_id<T>(f: F<'_, '_>, new: fn(i64) -> T) -> Result<Option<T>> {
    Ok(f.opt_int()?.map(new))
}

fn opt_text(f: F<'_, '_>) -> Result<Option<String>> {
    Ok(f.opt_text()?.map(str::to_owned))
}

pub(crate) fn day(f: F<'_, '_>) -> Result<CalendarDay> {
    Ok(CalendarDay { year: f.narrow()?, date: date(f)?, working: f.boolean()?, name: f.text()?.to_owned() })
}

pub(crate) fn agreement(f: F<'_, '_>) -> Result<Agreement> {
    let (id, issuer) = (id(f, AgreementId::new)?, id(f, IssuerId::new)?);
    let merchant = Some(f.int()?).filter(|merchant| *merchant != 0).map(MerchantId::new);
    let (currency, effective_from) = (currency(f)?, date(f)?);
    let terms = serde_json::from_str(f.text()?)
        .map_err(|error| corrupt(format!("the terms of {id} do not parse: {error}")))?;
    let (created_by, created_at) = (ClientId::new(f.int()?), f.time()?);
    Ok(Agreement { id, issuer, merchant, currency, effective_from, terms, created_by, created_at })
}

pub(crate) fn payee(f: F<'_, '_>) -> Result<Payee> {
    Ok(Payee {
        id: id(f, PayeeId::new)?,
        issuer: id(f, IssuerId::new)?,
        merchant: id(f, MerchantId::new)?,
        currency: currency(f)?,
        effective_from: date(f)?,
        holder_name: f.text()?.to_owned(),
        account_number: f.text()?.to_owned(),
        bank_name: f.text()?.to_owned(),
        bic: opt_text(f)?,
        clearing_code: opt_text(f)?,
        created_by: id(f, ClientId::new)?,
        created_at: f.time()?,
        sealed: sealed_account(f)?,
    })
}

fn sealed_account(f: F<'_, '_>) -> Result<Option<SealedAccount>> {
    let (key_id, bytes) = (f.opt_narrow()?, f.opt_blob()?);
    Ok(key_id.zip(bytes).map(|(key_id, bytes)| SealedAccount { key_id, bytes: bytes.to_vec() }))
}

pub(crate) fn statement(f: F<'_, '_>) -> Result<Statement> {
    Ok(Statement {
        id: id(f, StatementId::new)?,
        issuer: id(f, IssuerId::new)?,
        merchant: id(f, MerchantId::new)?,
        currency: currency(f)?,
        status: f.coded(StatementStatus::from_number)?,
        period_from: date(f)?,
        period_to: date(f)?,
        ends_at: f.time()?,
        due_on: date(f)?,
        due_estimated: f.boolean()?,
        agreement: opt_id(f, AgreementId::new)?,
        first_line: opt_id(f, OperationId::new)?,
        newest_line: opt_id(f, OperationId::new)?,
        figures: figures(f)?,
        previous: opt_id(f, StatementId::new)?,
        operation: opt_id(f, OperationId::new)?,
        digest: digest(f)?,
        created_at: f.time()?,
        closed_at: f.opt_time()?,
    })
}

fn digest(f: F<'_, '_>) -> Result<Option<[u8; 32]>> {
    let Some(bytes) = f.opt_blob()? else { return Ok(None) };
    bytes.try_into().map(Some).map_err(|_| corrupt("a digest has not 32 bytes"))
}

fn figures(f: F<'_, '_>) -> Result<Figures> {
    Ok(Figures {
        opening: f.int()?,
        payouts_rejected: f.amount()?,
        sums: StatementSums {
            lines: f.narrow()?,
            sales_count: f.narrow()?,
            refunds_count: f.narrow()?,
            late_count: f.narrow()?,
            sales: f.int()?,
            refunds: f.int()?,
            reversals: f.int()?,
            split_in: f.int()?,
            payout_returns: f.int()?,
            corrections: f.int()?,
            funding: f.int()?,
            fees: f.int()?,
            splits_out: f.int()?,
        },
        yearly_fee: f.amount()?,
        closing: f.int()?,
        payout: f.amount()?,
        invoiced: f.amount()?,
        carried: f.int()?,
        volume_month: f.narrow()?,
        volume: f.int()?,
        yearly_through: f.narrow()?,
    })
}

pub(crate) fn line(f: F<'_, '_>) -> Result<Line> {
    Ok(Line {
        operation: id(f, OperationId::new)?,
        merchant: id(f, MerchantId::new)?,
        statement: id(f, StatementId::new)?,
        previous: opt_id(f, OperationId::new)?,
        kind: f.coded(MovementKind::from_number)?,
        day: date(f)?,
        amount: f.int()?,
        fee: f.int()?,
        agreement: opt_id(f, AgreementId::new)?,
        original: opt_id(f, OperationId::new)?,
        refunded_before: f.amount()?,
        residue: f.narrow()?,
        late: f.boolean()?,
    })
}

pub(crate) fn part(f: F<'_, '_>) -> Result<SplitPart> {
    Ok(SplitPart {
        operation: id(f, OperationId::new)?,
        merchant: id(f, MerchantId::new)?,
        receiver: id(f, MerchantId::new)?,
        statement: id(f, StatementId::new)?,
        amount: f.int()?,
    })
}

pub(crate) fn refunded(f: F<'_, '_>) -> Result<Refunded> {
    Ok(Refunded {
        original: id(f, OperationId::new)?,
        merchant: id(f, MerchantId::new)?,
        refunded: f.amount()?,
        fee_returned: f.amount()?,
    })
}

pub(crate) fn payout(f: F<'_, '_>) -> Result<Payout> {
    Ok(Payout {
        id: id(f, PayoutId::new)?,
        issuer: id(f, IssuerId::new)?,
        merchant: id(f, MerchantId::new)?,
        statement: id(f, StatementId::new)?,
        currency: currency(f)?,
        amount: f.amount()?,
        due_on: date(f)?,
        due_estimated: f.boolean()?,
        status: f.coded(PayoutStatus::from_number)?,
        payee: opt_id(f, PayeeId::new)?,
        proposed_by: id(f, ClientId::new)?,
        decided_by: opt_id(f, ClientId::new)?,
        reason: opt_text(f)?,
        operation: opt_id(f, OperationId::new)?,
        return_operation: opt_id(f, OperationId::new)?,
        credited_in: opt_id(f, StatementId::new)?,
        created_at: f.time()?,
        decided_at: f.opt_time()?,
        sent_at: f.opt_time()?,
        finished_at: f.opt_time()?,
        version: f.narrow()?,
    })
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Numbers of kinds and states are small.
fn small(number: i64) -> i16 {
    i16::try_from(number).unwrap_or(-1)
}

arrays! {
    /// New statements, or their figures. `lines_from` comes last, so that an update can leave it out.
    Statements<'a> {
        id: i64 => "bigint",
        issuer_id: i64 => "bigint",
        merchant_id: i64 => "bigint",
        currency: &'a str => "text",
        status: i16 => "smallint",
        period_from: i32 => "integer",
        period_to: i32 => "integer",
        ends_at: i64 => "bigint",
        due_on: i32 => "integer",
        due_estimated: bool => "boolean",
        agreement_id: Option<i64> => "bigint",
        first_line_id: Option<i64> => "bigint",
        newest_line_id: Option<i64> => "bigint",
        opening: i64 => "bigint",
        payouts_rejected: i64 => "bigint",
        lines: i64 => "bigint",
        sales_count: i64 => "bigint",
        refunds_count: i64 => "bigint",
        late_count: i64 => "bigint",
        sales: i64 => "bigint",
        refunds: i64 => "bigint",
        reversals: i64 => "bigint",
        split_in: i64 => "bigint",
        payout_returns: i64 => "bigint",
        corrections: i64 => "bigint",
        funding: i64 => "bigint",
        fees: i64 => "bigint",
        splits_out: i64 => "bigint",
        yearly_fee: i64 => "bigint",
        closing: i64 => "bigint",
        payout: i64 => "bigint",
        invoiced: i64 => "bigint",
        carried: i64 => "bigint",
        volume_month: i32 => "integer",
        volume: i64 => "bigint",
        yearly_through: i32 => "integer",
        previous_id: Option<i64> => "bigint",
        operation_id: Option<i64> => "bigint",
        digest: Option<&'a [u8]> => "bytea",
        created_at: i64 => "bigint",
        closed_at: Option<i64> => "bigint",
        lines_from: Option<i64> => "bigint",
    }
}

impl<'a> Statements<'a> {
    pub(super) fn push(&mut self, s: &'a Statement, lines_from: Option<i64>) {
        let f = &s.figures;
        self.id.push(s.id.get());
        self.issuer_id.push(s.issuer.get());
        self.merchant_id.push(s.merchant.get());
        self.currency.push(s.currency.code());
        self.status.push(small(s.status.number()));
        self.period_from.push(s.period_from.get());
        self.period_to.push(s.period_to.get());
        self.ends_at.push(s.ends_at.micros());
        self.due_on.push(s.due_on.get());
        self.due_estimated.push(s.due_estimated);
        self.agreement_id.push(s.agreement.map(AgreementId::get));
        self.first_line_id.push(s.first_line.map(OperationId::get));
        self.newest_line_id.push(s.newest_line.map(OperationId::get));
        self.opening.push(f.opening);
        self.payouts_rejected.push(f.payouts_rejected.get());
        self.lines.push(count(f.sums.lines));
        self.sales_count.push(count(f.sums.sales_count));
        self.refunds_count.push(count(f.sums.refunds_count));
        self.late_count.push(count(f.sums.late_count));
        self.sales.push(f.sums.sales);
        self.refunds.push(f.sums.refunds);
        self.reversals.push(f.sums.reversals);
        self.split_in.push(f.sums.split_in);
        self.payout_returns.push(f.sums.payout_returns);
        self.corrections.push(f.sums.corrections);
        self.funding.push(f.sums.funding);
        self.fees.push(f.sums.fees);
        self.splits_out.push(f.sums.splits_out);
        self.yearly_fee.push(f.yearly_fee.get());
        self.closing.push(f.closing);
        self.payout.push(f.payout.get());
        self.invoiced.push(f.invoiced.get());
        self.carried.push(f.carried);
        self.volume_month.push(f.volume_month);
        self.volume.push(f.volume);
        self.yearly_through.push(f.yearly_through);
        self.previous_id.push(s.previous.map(StatementId::get));
        self.operation_id.push(s.operation.map(OperationId::get));
        self.digest.push(s.digest.as_ref().map(|digest| &digest[..]));
        self.created_at.push(s.created_at.micros());
        self.closed_at.push(s.closed_at.map(Timestamp::micros));
        self.lines_from.push(lines_from);
    }
}

arrays! {
    /// New lines.
    Lines<'a> {
        issuer_id: i64 => "bigint",
        operation_id: i64 => "bigint",
        merchant_id: i64 => "bigint",
        statement_id: i64 => "bigint",
        previous_id: Option<i64> => "bigint",
        kind: i16 => "smallint",
        day: i32 => "integer",
        amount: i64 => "bigint",
        fee: i64 => "bigint",
        agreement_id: Option<i64> => "bigint",
        original_id: Option<i64> => "bigint",
        refunded_before: i64 => "bigint",
        residue: i32 => "integer",
        late: bool => "boolean",
    }
}

impl<'a> Lines<'a> {
    pub(super) fn push(&mut self, l: &'a Line, issuer: IssuerId) {
        self.issuer_id.push(issuer.get());
        self.operation_id.push(l.operation.get());
        self.merchant_id.push(l.merchant.get());
        self.statement_id.push(l.statement.get());
        self.previous_id.push(l.previous.map(OperationId::get));
        self.kind.push(small(l.kind.number()));
        self.day.push(l.day.get());
        self.amount.push(l.amount);
        self.fee.push(l.fee);
        self.agreement_id.push(l.agreement.map(AgreementId::get));
        self.original_id.push(l.original.map(OperationId::get));
        self.refunded_before.push(l.refunded_before.get());
        self.residue.push(l.residue);
        self.late.push(l.late);
    }
}

arrays! {
    /// New parts.
    Parts<'a> {
        issuer_id: i64 => "bigint",
        operation_id: i64 => "bigint",
        merchant_id: i64 => "bigint",
        receiver_id: i64 => "bigint",
        statement_id: i64 => "bigint",
        amount: i64 => "bigint",
    }
}

impl<'a> Parts<'a> {
    pub(super) fn push(&mut self, p: &'a SplitPart, issuer: IssuerId) {
        self.issuer_id.push(issuer.get());
        self.operation_id.push(p.operation.get());
        self.merchant_id.push(p.merchant.get());
        self.receiver_id.push(p.receiver.get());
        self.statement_id.push(p.statement.get());
        self.amount.push(p.amount);
    }
}

arrays! {
    /// What was given back of sales.
    Refunds<'a> {
        issuer_id: i64 => "bigint",
        operation_id: i64 => "bigint",
        merchant_id: i64 => "bigint",
        refunded: i64 => "bigint",
        fee_returned: i64 => "bigint",
    }
}

impl<'a> Refunds<'a> {
    pub(super) fn push(&mut self, r: &'a Refunded, issuer: IssuerId) {
        self.issuer_id.push(issuer.get());
        self.operation_id.push(r.original.get());
        self.merchant_id.push(r.merchant.get());
        self.refunded.push(r.refunded.get());
        self.fee_returned.push(r.fee_returned.get());
    }
}

arrays! {
    /// New payouts, or how far they are.
    Payouts<'a> {
        id: i64 => "bigint",
        issuer_id: i64 => "bigint",
        merchant_id: i64 => "bigint",
        statement_id: i64 => "bigint",
        currency: &'a str => "text",
        amount: i64 => "bigint",
        due_on: i32 => "integer",
        due_estimated: bool => "boolean",
        status: i16 => "smallint",
        payee_id: Option<i64> => "bigint",
        proposed_by: i64 => "bigint",
        decided_by: Option<i64> => "bigint",
        reason: Option<&'a str> => "text",
        operation_id: Option<i64> => "bigint",
        return_operation_id: Option<i64> => "bigint",
        credited_in: Option<i64> => "bigint",
        created_at: i64 => "bigint",
        decided_at: Option<i64> => "bigint",
        sent_at: Option<i64> => "bigint",
        finished_at: Option<i64> => "bigint",
        version: i64 => "bigint",
    }
}

impl<'a> Payouts<'a> {
    pub(super) fn push(&mut self, p: &'a Payout) {
        self.id.push(p.id.get());
        self.issuer_id.push(p.issuer.get());
        self.merchant_id.push(p.merchant.get());
        self.statement_id.push(p.statement.get());
        self.currency.push(p.currency.code());
        self.amount.push(p.amount.get());
        self.due_on.push(p.due_on.get());
        self.due_estimated.push(p.due_estimated);
        self.status.push(small(p.status.number()));
        self.payee_id.push(p.payee.map(PayeeId::get));
        self.proposed_by.push(p.proposed_by.get());
        self.decided_by.push(p.decided_by.map(ClientId::get));
        self.reason.push(p.reason.as_deref());
        self.operation_id.push(p.operation.map(OperationId::get));
        self.return_operation_id.push(p.return_operation.map(OperationId::get));
        self.credited_in.push(p.credited_in.map(StatementId::get));
        self.created_at.push(p.created_at.micros());
        self.decided_at.push(p.decided_at.map(Timestamp::micros));
        self.sent_at.push(p.sent_at.map(Timestamp::micros));
        self.finished_at.push(p.finished_at.map(Timestamp::micros));
        self.version.push(p.version.into());
    }
}
