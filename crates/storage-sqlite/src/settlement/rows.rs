//! Rows of settlement: how each type is read and written, in one declared order of columns.

use domain::{
    AgreementId, BusinessDate, ClientId, Currency, IssuerId, MerchantId, OperationId, PayeeId, PayoutId,
    StatementId, Timestamp,
};
use rusqlite::Statement as Prepared;
use settlement::{
    Agreement, CalendarDay, Line, MovementKind, Payee, Payout, PayoutStatus, Refunded, SealedAccount,
    SplitPart, Statement, StatementStatus, StatementSums, statement::Figures,
};
use storage::Result;

use crate::{
    error::corrupt,
    fields::{Binder, Fields},
};

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

type F<'a, 'r, 's> = &'a mut Fields<'r, 's>;

pub(crate) fn currency(f: F<'_, '_, '_>) -> Result<Currency> {
    f.named(|code| Currency::parse(code).ok())
}

pub(crate) fn date(f: F<'_, '_, '_>) -> Result<BusinessDate> {
    f.narrow().map(BusinessDate::from_stored)
}

fn flag(f: F<'_, '_, '_>) -> Result<bool> {
    f.coded(|number| match number {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    })
}

fn id<T>(f: F<'_, '_, '_>, new: fn(i64) -> T) -> Result<T> {
    f.int().map(new)
}

fn opt_id<T>(f: F<'_, '_, '_>, new: fn(i64) -> T) -> Result<Option<T>> {
    Ok(f.opt_int()?.map(new))
}

fn opt_text(f: F<'_, '_, '_>) -> Result<Option<String>> {
    Ok(f.opt_text()?.map(str::to_owned))
}

pub(crate) fn day(f: F<'_, '_, '_>) -> Result<CalendarDay> {
    Ok(CalendarDay { year: f.narrow()?, date: date(f)?, working: flag(f)?, name: f.text()?.to_owned() })
}

pub(crate) fn agreement(f: F<'_, '_, '_>) -> Result<Agreement> {
    let (id, issuer) = (id(f, AgreementId::new)?, id(f, IssuerId::new)?);
    let merchant = Some(f.int()?).filter(|merchant| *merchant != 0).map(MerchantId::new);
    let (currency, effective_from) = (currency(f)?, date(f)?);
    let terms = serde_json::from_str(f.text()?)
        .map_err(|error| corrupt(format!("the terms of {id} do not parse: {error}")))?;
    let (created_by, created_at) = (ClientId::new(f.int()?), f.time()?);
    Ok(Agreement { id, issuer, merchant, currency, effective_from, terms, created_by, created_at })
}

pub(crate) fn payee(f: F<'_, '_, '_>) -> Result<Payee> {
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

fn sealed_account(f: F<'_, '_, '_>) -> Result<Option<SealedAccount>> {
    let (key_id, bytes) = (f.opt_narrow()?, f.opt_blob()?);
    Ok(key_id.zip(bytes).map(|(key_id, bytes)| SealedAccount { key_id, bytes: bytes.to_vec() }))
}

pub(crate) fn statement(f: F<'_, '_, '_>) -> Result<Statement> {
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
        due_estimated: flag(f)?,
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

fn digest(f: F<'_, '_, '_>) -> Result<Option<[u8; 32]>> {
    let Some(bytes) = f.opt_blob()? else { return Ok(None) };
    bytes.try_into().map(Some).map_err(|_| corrupt("a digest has not 32 bytes"))
}

fn figures(f: F<'_, '_, '_>) -> Result<Figures> {
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

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Binds the columns of [`STATEMENT`], in their order.
pub(crate) fn put_statement(b: &mut Binder<'_, '_>, s: &Statement) -> Result<()> {
    b.put(s.id.get())?.put(s.issuer.get())?.put(s.merchant.get())?.put(s.currency.code())?;
    b.put(s.status.number())?.put(s.period_from.get())?.put(s.period_to.get())?.put(s.ends_at.micros())?;
    b.put(s.due_on.get())?.put(s.due_estimated)?.put(s.agreement.map(AgreementId::get))?;
    b.put(s.first_line.map(OperationId::get))?.put(s.newest_line.map(OperationId::get))?;
    let f = &s.figures;
    b.put(f.opening)?.put(f.payouts_rejected.get())?;
    let sums = &f.sums;
    for number in [sums.lines, sums.sales_count, sums.refunds_count, sums.late_count] {
        b.put(count(number))?;
    }
    b.put(sums.sales)?.put(sums.refunds)?.put(sums.reversals)?.put(sums.split_in)?;
    b.put(sums.payout_returns)?.put(sums.corrections)?.put(sums.funding)?.put(sums.fees)?;
    b.put(sums.splits_out)?.put(f.yearly_fee.get())?.put(f.closing)?.put(f.payout.get())?;
    b.put(f.invoiced.get())?.put(f.carried)?.put(f.volume_month)?.put(f.volume)?.put(f.yearly_through)?;
    b.put(s.previous.map(StatementId::get))?.put(s.operation.map(OperationId::get))?;
    b.put(s.digest.as_ref().map(|digest| &digest[..]))?.put(s.created_at.micros())?;
    b.put(s.closed_at.map(Timestamp::micros))?;
    Ok(())
}

pub(crate) fn line(f: F<'_, '_, '_>) -> Result<Line> {
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
        late: flag(f)?,
    })
}

/// Binds the columns of [`LINE`], in their order, and runs the statement.
pub(crate) fn put_line(statement: &mut Prepared<'_>, line: &Line) -> Result<rusqlite::Result<usize>> {
    let l = line;
    let mut binder = Binder::new(statement);
    let b = &mut binder;
    b.put(l.operation.get())?.put(l.merchant.get())?.put(l.statement.get())?;
    b.put(l.previous.map(OperationId::get))?.put(l.kind.number())?.put(l.day.get())?;
    b.put(l.amount)?.put(l.fee)?.put(l.agreement.map(AgreementId::get))?;
    b.put(l.original.map(OperationId::get))?.put(l.refunded_before.get())?.put(l.residue)?.put(l.late)?;
    Ok(b.run())
}

pub(crate) fn part(f: F<'_, '_, '_>) -> Result<SplitPart> {
    Ok(SplitPart {
        operation: id(f, OperationId::new)?,
        merchant: id(f, MerchantId::new)?,
        receiver: id(f, MerchantId::new)?,
        statement: id(f, StatementId::new)?,
        amount: f.int()?,
    })
}

pub(crate) fn refunded(f: F<'_, '_, '_>) -> Result<Refunded> {
    Ok(Refunded {
        original: id(f, OperationId::new)?,
        merchant: id(f, MerchantId::new)?,
        refunded: f.amount()?,
        fee_returned: f.amount()?,
    })
}

pub(crate) fn payout(f: F<'_, '_, '_>) -> Result<Payout> {
    Ok(Payout {
        id: id(f, PayoutId::new)?,
        issuer: id(f, IssuerId::new)?,
        merchant: id(f, MerchantId::new)?,
        statement: id(f, StatementId::new)?,
        currency: currency(f)?,
        amount: f.amount()?,
        due_on: date(f)?,
        due_estimated: flag(f)?,
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

/// Binds the columns of [`PAYOUT`], in their order.
pub(crate) fn put_payout(b: &mut Binder<'_, '_>, p: &Payout) -> Result<()> {
    b.put(p.id.get())?.put(p.issuer.get())?.put(p.merchant.get())?.put(p.statement.get())?;
    b.put(p.currency.code())?.put(p.amount.get())?.put(p.due_on.get())?.put(p.due_estimated)?;
    put_progress(b, p)
}

fn put_progress(b: &mut Binder<'_, '_>, p: &Payout) -> Result<()> {
    b.put(p.status.number())?.put(p.payee.map(PayeeId::get))?.put(p.proposed_by.get())?;
    b.put(p.decided_by.map(ClientId::get))?.put(p.reason.as_deref())?;
    b.put(p.operation.map(OperationId::get))?.put(p.return_operation.map(OperationId::get))?;
    b.put(p.credited_in.map(StatementId::get))?.put(p.created_at.micros())?;
    for moment in [p.decided_at, p.sent_at, p.finished_at] {
        b.put(moment.map(Timestamp::micros))?;
    }
    b.put(p.version)?;
    Ok(())
}

/// `?1, ?2, …`, one for each column of a list.
pub(crate) fn places(columns: &str) -> String {
    let count = columns.split(',').count();
    (1..=count).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ")
}

/// `a = ?1, b = ?2, …`, one for each column of a list.
pub(crate) fn assignments(columns: &str) -> String {
    let each = columns.split(',').zip(1..);
    each.map(|(name, n): (&str, usize)| format!("{} = ?{n}", name.trim())).collect::<Vec<_>>().join(", ")
}
