//! Rows of reconciliation: how each type is read and written, in one declared order of columns.

use domain::{
    Account, ClientId, Currency, DifferenceId, IssuerId, OperationId, ReconciliationId, account::AccountKind,
};
use reconciliation::{Class, LineStatus};
use storage::{
    DifferenceEvent, DifferenceRecord, DifferenceStatus, MatchOn, Proposal, ReconciledLine, Reconciliation,
    ReconciliationStatus, Result,
};

use crate::{error::corrupt, fields::Fields, rows::arrays::arrays};

pub(crate) const FILE: &str = "id, issuer_id, account_kind, account_ref, format, file_name, digest, currency, \
     period_from, period_to, window_seconds, match_on, status, lines, passed_over, lines_sum, totals_checked, \
     records, records_sum, matched, cancelled, differences, created_by, created_at, completed_at";

pub(crate) const LINE: &str = "reconciliation_id, number, issuer_id, place, reference, amount, at_from, at_to, \
     status, operation_id, class";

pub(crate) const DIFFERENCE: &str = "id, issuer_id, reconciliation_id, account_kind, account_ref, currency, class, \
     line, reference, operation_id, here, there, suggested, at, status, proposed_by, proposed_at, \
     proposed_correction, note, decided_by, decided_at, correction_id, cleared_by, version";

pub(crate) const EVENT: &str = "difference_id, version, issuer_id, at, client_id, action, note";

type F<'a, 'r> = &'a mut Fields<'r>;

fn account(f: F<'_, '_>) -> Result<Account> {
    let kind = f.coded(AccountKind::from_number)?;
    let reference = f.int()?;
    Account::from_stored(kind, reference)
        .ok_or_else(|| corrupt(format!("there is no account {}:{reference}", kind.name())))
}

fn currency(f: F<'_, '_>) -> Result<Currency> {
    f.named(|code| Currency::parse(code).ok())
}

pub(crate) fn file(f: F<'_, '_>) -> Result<Reconciliation> {
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
        totals_checked: f.boolean()?,
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

pub(crate) fn line(f: F<'_, '_>) -> Result<ReconciledLine> {
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

fn opt_class(f: F<'_, '_>) -> Result<Option<Class>> {
    let Some(name) = f.opt_text()? else { return Ok(None) };
    Class::from_name(name).map(Some).ok_or_else(|| corrupt("a line has an unknown class"))
}

pub(crate) fn difference(f: F<'_, '_>) -> Result<DifferenceRecord> {
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

fn proposal(f: F<'_, '_>) -> Result<Option<Proposal>> {
    let (by, at, correction) = (f.opt_int()?, f.opt_time()?, f.opt_int()?);
    let note = f.opt_text()?;
    let Some(((by, at), note)) = by.zip(at).zip(note) else { return Ok(None) };
    Ok(Some(Proposal { by: ClientId::new(by), at, correction, note: note.to_owned() }))
}

pub(crate) fn event(f: F<'_, '_>) -> Result<DifferenceEvent> {
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

arrays! {
    /// Lines of files.
    Lines<'a> {
        reconciliation_id: i64 => "bigint",
        number: i64 => "bigint",
        issuer_id: i64 => "bigint",
        place: i64 => "bigint",
        reference: &'a str => "text",
        amount: i64 => "bigint",
        at_from: i64 => "bigint",
        at_to: i64 => "bigint",
        status: &'a str => "text",
        operation_id: Option<i64> => "bigint",
        class: Option<&'a str> => "text",
    }
}

impl<'a> Lines<'a> {
    pub(crate) fn push(
        &mut self,
        (reconciliation, issuer): (ReconciliationId, IssuerId),
        line: &'a ReconciledLine,
    ) {
        self.reconciliation_id.push(reconciliation.get());
        self.number.push(line.number.into());
        self.issuer_id.push(issuer.get());
        self.place.push(line.place.into());
        self.reference.push(&line.reference);
        self.amount.push(line.amount);
        self.at_from.push(line.from.micros());
        self.at_to.push(line.to.micros());
        self.status.push(line.status.name());
        self.operation_id.push(line.operation.map(OperationId::get));
        self.class.push(line.class.map(Class::name));
    }
}

arrays! {
    /// Differences.
    Differences<'a> {
        id: i64 => "bigint",
        issuer_id: i64 => "bigint",
        reconciliation_id: i64 => "bigint",
        account_kind: i16 => "smallint",
        account_ref: i64 => "bigint",
        currency: &'a str => "text",
        class: &'a str => "text",
        line: Option<i64> => "bigint",
        reference: &'a str => "text",
        operation_id: Option<i64> => "bigint",
        here: i64 => "bigint",
        there: i64 => "bigint",
        suggested: i64 => "bigint",
        at: i64 => "bigint",
        status: &'a str => "text",
        proposed_by: Option<i64> => "bigint",
        proposed_at: Option<i64> => "bigint",
        proposed_correction: Option<i64> => "bigint",
        note: Option<&'a str> => "text",
        decided_by: Option<i64> => "bigint",
        decided_at: Option<i64> => "bigint",
        correction_id: Option<i64> => "bigint",
        cleared_by: Option<i64> => "bigint",
        version: i64 => "bigint",
    }
}

impl<'a> Differences<'a> {
    pub(crate) fn push(&mut self, record: &'a DifferenceRecord) {
        self.id.push(record.id.get());
        self.issuer_id.push(record.issuer.get());
        self.reconciliation_id.push(record.reconciliation.get());
        self.account_kind.push(kind_of(record.account));
        self.account_ref.push(record.account.reference());
        self.currency.push(record.currency.code());
        self.class.push(record.class.name());
        self.line.push(record.line.map(i64::from));
        self.reference.push(&record.reference);
        self.operation_id.push(record.operation.map(OperationId::get));
        self.here.push(record.here);
        self.there.push(record.there);
        self.suggested.push(record.suggested);
        self.at.push(record.at.micros());
        self.status.push(record.status.name());
        let proposal = record.proposal.as_ref();
        self.proposed_by.push(proposal.map(|p| p.by.get()));
        self.proposed_at.push(proposal.map(|p| p.at.micros()));
        self.proposed_correction.push(proposal.and_then(|p| p.correction));
        self.note.push(proposal.map(|p| p.note.as_str()));
        self.decided_by.push(record.decided.map(|(by, _)| by.get()));
        self.decided_at.push(record.decided.map(|(_, at)| at.micros()));
        self.correction_id.push(record.correction.map(OperationId::get));
        self.cleared_by.push(record.cleared_by.map(ReconciliationId::get));
        self.version.push(record.version.into());
    }
}

/// The kind of an account as its column has it. There are nine.
pub(crate) fn kind_of(account: Account) -> i16 {
    i16::try_from(account.kind().number()).unwrap_or(i16::MAX)
}
