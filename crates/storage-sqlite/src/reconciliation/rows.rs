//! Rows of reconciliation: how each type is read and written, in one declared order of columns.

use domain::{
    Account, ClientId, Currency, DifferenceId, IssuerId, OperationId, ReconciliationId, Timestamp,
    account::AccountKind,
};
use reconciliation::{Class, LineStatus};
use storage::{
    DifferenceEvent, DifferenceRecord, DifferenceStatus, MatchOn, Proposal, ReconciledLine, Reconciliation,
    ReconciliationStatus, Result,
};

use crate::{
    error::corrupt,
    fields::{Binder, Fields},
};

pub(crate) const FILE: &str = "id, issuer_id, account_kind, account_ref, format, file_name, digest, currency, \
     period_from, period_to, window_seconds, match_on, status, lines, passed_over, lines_sum, totals_checked, \
     records, records_sum, matched, cancelled, differences, created_by, created_at, completed_at";

pub(crate) const LINE: &str = "reconciliation_id, number, issuer_id, place, reference, amount, at_from, at_to, \
     status, operation_id, class";

pub(crate) const DIFFERENCE: &str = "id, issuer_id, reconciliation_id, account_kind, account_ref, currency, class, \
     line, reference, operation_id, here, there, suggested, at, status, proposed_by, proposed_at, \
     proposed_correction, note, decided_by, decided_at, correction_id, cleared_by, version";

pub(crate) const EVENT: &str = "difference_id, version, issuer_id, at, client_id, action, note";

type F<'a, 'r, 's> = &'a mut Fields<'r, 's>;

fn account(f: F<'_, '_, '_>) -> Result<Account> {
    let kind = f.coded(AccountKind::from_number)?;
    let reference = f.int()?;
    Account::from_stored(kind, reference)
        .ok_or_else(|| corrupt(format!("there is no account {}:{reference}", kind.name())))
}

fn currency(f: F<'_, '_, '_>) -> Result<Currency> {
    f.named(|code| Currency::parse(code).ok())
}

fn flag(f: F<'_, '_, '_>) -> Result<bool> {
    f.coded(|number| match number {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    })
}

pub(crate) fn file(f: F<'_, '_, '_>) -> Result<Reconciliation> {
    Ok(Reconciliation {
        id: ReconciliationId::new(f.int()?),
        issuer: IssuerId::new(f.int()?),
        account: account(f)?,
        format: f.text()?.to_owned(),
        file_name: f.text()?.to_owned(),
        digest: f.bytes()?,
        currency: currency(f)?,
        from: f.time()?,
        to: f.time()?,
        window_seconds: f.narrow()?,
        match_on: f.named(MatchOn::from_name)?,
        status: f.named(ReconciliationStatus::from_name)?,
        lines: f.narrow()?,
        passed_over: f.narrow()?,
        lines_sum: f.int()?,
        totals_checked: flag(f)?,
        records: f.narrow()?,
        records_sum: f.int()?,
        matched: f.narrow()?,
        cancelled: f.narrow()?,
        differences: f.narrow()?,
        created_by: ClientId::new(f.int()?),
        created_at: f.time()?,
        completed_at: f.opt_time()?,
    })
}

pub(crate) fn put_file(b: &mut Binder<'_, '_>, file: &Reconciliation) -> Result<()> {
    b.put(file.id.get())?.put(file.issuer.get())?;
    b.put(file.account.kind().number())?.put(file.account.reference())?;
    b.put(&file.format)?.put(&file.file_name)?.put(&file.digest[..])?.put(file.currency.code())?;
    b.put(file.from.micros())?.put(file.to.micros())?.put(file.window_seconds)?;
    b.put(file.match_on.name())?.put(file.status.name())?;
    b.put(file.lines)?.put(file.passed_over)?.put(file.lines_sum)?.put(file.totals_checked)?;
    b.put(file.records)?.put(file.records_sum)?.put(file.matched)?.put(file.cancelled)?;
    b.put(file.differences)?.put(file.created_by.get())?.put(file.created_at.micros())?;
    b.put(file.completed_at.map(Timestamp::micros))?;
    Ok(())
}

pub(crate) fn line(f: F<'_, '_, '_>) -> Result<ReconciledLine> {
    f.int()?;
    let number = f.narrow()?;
    f.int()?;
    Ok(ReconciledLine {
        number,
        place: f.narrow()?,
        reference: f.text()?.into(),
        amount: f.int()?,
        from: f.time()?,
        to: f.time()?,
        status: f.named(LineStatus::from_name)?,
        operation: f.opt_int()?.map(OperationId::new),
        class: opt_class(f)?,
    })
}

fn opt_class(f: F<'_, '_, '_>) -> Result<Option<Class>> {
    let Some(name) = f.opt_text()? else { return Ok(None) };
    Class::from_name(name).map(Some).ok_or_else(|| corrupt("a line has an unknown class"))
}

pub(crate) fn put_line(
    b: &mut Binder<'_, '_>,
    (reconciliation, issuer): (ReconciliationId, IssuerId),
    line: &ReconciledLine,
) -> Result<()> {
    b.put(reconciliation.get())?.put(line.number)?.put(issuer.get())?.put(line.place)?;
    b.put(&*line.reference)?.put(line.amount)?.put(line.from.micros())?.put(line.to.micros())?;
    b.put(line.status.name())?.put(line.operation.map(OperationId::get))?.put(line.class.map(Class::name))?;
    Ok(())
}

pub(crate) fn difference(f: F<'_, '_, '_>) -> Result<DifferenceRecord> {
    Ok(DifferenceRecord {
        id: DifferenceId::new(f.int()?),
        issuer: IssuerId::new(f.int()?),
        reconciliation: ReconciliationId::new(f.int()?),
        account: account(f)?,
        currency: currency(f)?,
        class: f.named(Class::from_name)?,
        line: f.opt_narrow()?,
        reference: f.text()?.to_owned(),
        operation: f.opt_int()?.map(OperationId::new),
        here: f.int()?,
        there: f.int()?,
        suggested: f.int()?,
        at: f.time()?,
        status: f.named(DifferenceStatus::from_name)?,
        proposal: proposal(f)?,
        decided: f.opt_int()?.map(ClientId::new).zip(f.opt_time()?),
        correction: f.opt_int()?.map(OperationId::new),
        cleared_by: f.opt_int()?.map(ReconciliationId::new),
        version: f.narrow()?,
    })
}

fn proposal(f: F<'_, '_, '_>) -> Result<Option<Proposal>> {
    let (by, at, correction) = (f.opt_int()?, f.opt_time()?, f.opt_int()?);
    let note = f.opt_text()?;
    let Some(((by, at), note)) = by.zip(at).zip(note) else { return Ok(None) };
    Ok(Some(Proposal { by: ClientId::new(by), at, correction, note: note.to_owned() }))
}

pub(crate) fn put_difference(b: &mut Binder<'_, '_>, record: &DifferenceRecord) -> Result<()> {
    b.put(record.id.get())?.put(record.issuer.get())?.put(record.reconciliation.get())?;
    b.put(record.account.kind().number())?.put(record.account.reference())?;
    b.put(record.currency.code())?.put(record.class.name())?.put(record.line)?.put(&record.reference)?;
    b.put(record.operation.map(OperationId::get))?.put(record.here)?.put(record.there)?;
    b.put(record.suggested)?.put(record.at.micros())?.put(record.status.name())?;
    let proposal = record.proposal.as_ref();
    b.put(proposal.map(|p| p.by.get()))?.put(proposal.map(|p| p.at.micros()))?;
    b.put(proposal.and_then(|p| p.correction))?.put(proposal.map(|p| p.note.as_str()))?;
    b.put(record.decided.map(|(by, _)| by.get()))?.put(record.decided.map(|(_, at)| at.micros()))?;
    b.put(record.correction.map(OperationId::get))?;
    b.put(record.cleared_by.map(ReconciliationId::get))?.put(record.version)?;
    Ok(())
}

pub(crate) fn event(f: F<'_, '_, '_>) -> Result<DifferenceEvent> {
    let (difference, version) = (DifferenceId::new(f.int()?), f.narrow()?);
    f.int()?;
    let (at, by) = (f.time()?, f.opt_int()?.map(ClientId::new));
    Ok(DifferenceEvent {
        difference,
        version,
        at,
        by,
        action: f.text()?.to_owned(),
        note: f.text()?.to_owned(),
    })
}

pub(crate) fn put_event(b: &mut Binder<'_, '_>, issuer: IssuerId, event: &DifferenceEvent) -> Result<()> {
    b.put(event.difference.get())?.put(event.version)?.put(issuer.get())?.put(event.at.micros())?;
    b.put(event.by.map(ClientId::get))?.put(&event.action)?.put(&event.note)?;
    Ok(())
}
