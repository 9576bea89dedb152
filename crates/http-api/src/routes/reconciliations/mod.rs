//! Files of merchants, channels and banks (对账): sent here, compared with the books, and what disagrees.

pub(crate) mod ageing;
pub(crate) mod differences;
pub(crate) mod lines;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod resolve;
pub(crate) mod upload;

use domain::{ClientId, Currency, OperationId, ReconciliationId};
use finance::reconciliation::ReconcileError;
use serde::Serialize;
use storage::{DifferenceRecord, Reconciliation};
use utoipa::ToSchema;

use crate::{
    error::{Code, Problem},
    wire::{moment::Moment, schema},
};

/// A file that was compared with the books.
#[derive(Serialize, ToSchema)]
#[schema(as = Reconciliation)]
pub(crate) struct ReconciliationView {
    /// Its id.
    #[schema(value_type = schema::ReconciliationId)]
    id: ReconciliationId,
    /// The account that the file speaks of.
    #[schema(value_type = schema::Account)]
    account: String,
    /// The format of the file.
    #[schema(value_type = schema::FileFormat)]
    format: String,
    /// What you call the file.
    file_name: String,
    /// SHA-256 of its bytes, in hexadecimal. The same bytes for the same account are the same reconciliation.
    sha256: String,
    /// The currency of its amounts.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// The first moment that it speaks of.
    #[schema(value_type = schema::Moment)]
    from: Moment,
    /// The last such moment.
    #[schema(value_type = schema::Moment)]
    to: Moment,
    /// How far apart two sides of the same thing may be, in seconds.
    window_seconds: u32,
    /// What references were compared with.
    #[schema(value_type = schema::MatchOn)]
    match_on: &'static str,
    /// `running` where it was interrupted: send the file again.
    #[schema(value_type = schema::ReconciliationStatus)]
    status: &'static str,
    /// Lines that speak of money.
    lines: u32,
    /// Lines that do not: headings, comments, totals.
    passed_over: u32,
    /// The sum of the lines that succeeded, in minor units.
    #[schema(value_type = schema::Total)]
    lines_sum: i64,
    /// Whether the file's own totals, or the ones that came with it, were there and agreed.
    totals_checked: bool,
    /// Own records of the period.
    records: u32,
    /// The sum of those that were approved, in minor units.
    #[schema(value_type = schema::Total)]
    records_sum: i64,
    /// Lines that agree with a record.
    matched: u32,
    /// Operations that cancelled out with their reversals.
    cancelled: u32,
    /// What does not agree.
    differences: u32,
    /// Who sent it.
    #[schema(value_type = schema::ClientId)]
    created_by: ClientId,
    /// When.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
    /// When it was done.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<Moment>,
}

impl ReconciliationView {
    pub(crate) fn new(of: Reconciliation) -> Self {
        Self {
            id: of.id,
            account: of.account.to_string(),
            format: of.format,
            file_name: of.file_name,
            sha256: hex(&of.digest),
            currency: of.currency,
            from: Moment(of.from),
            to: Moment(of.to),
            window_seconds: of.window_seconds,
            match_on: of.match_on.name(),
            status: of.status.name(),
            lines: of.lines,
            passed_over: of.passed_over,
            lines_sum: of.lines_sum,
            totals_checked: of.totals_checked,
            records: of.records,
            records_sum: of.records_sum,
            matched: of.matched,
            cancelled: of.cancelled,
            differences: of.differences,
            created_by: of.created_by,
            created_at: Moment(of.created_at),
            completed_at: of.completed_at.map(Moment),
        }
    }
}

/// What somebody wants done.
#[derive(Serialize, ToSchema)]
#[schema(as = Proposal)]
pub(crate) struct ProposalView {
    /// Who.
    #[schema(value_type = schema::ClientId)]
    by: ClientId,
    /// When.
    #[schema(value_type = schema::Moment)]
    at: Moment,
    /// What to move into the account, in minor units, as its owner's file counts; absent: it is explained.
    #[schema(value_type = Option<schema::Total>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    correction: Option<i64>,
    /// Why.
    note: String,
}

/// What does not agree, and what came of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Difference)]
pub(crate) struct DifferenceView {
    /// Its id.
    #[schema(value_type = schema::DifferenceId)]
    id: domain::DifferenceId,
    /// The file that showed it.
    #[schema(value_type = schema::ReconciliationId)]
    reconciliation: ReconciliationId,
    /// The account.
    #[schema(value_type = schema::Account)]
    account: String,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// How the sides disagree.
    #[schema(value_type = schema::DifferenceClass)]
    class: &'static str,
    /// The number of the line, where the file has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// What it is called by.
    reference: String,
    /// The operation, where we have one.
    #[schema(value_type = Option<schema::OperationId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<OperationId>,
    /// What moved by our books, in minor units.
    #[schema(value_type = schema::Total)]
    here: i64,
    /// What moved by theirs.
    #[schema(value_type = schema::Total)]
    there: i64,
    /// What would make the books agree, if they are right; 0 where theirs is to be mended.
    #[schema(value_type = schema::Total)]
    suggested: i64,
    /// When it happened.
    #[schema(value_type = schema::Moment)]
    at: Moment,
    /// Where the work on it stands.
    #[schema(value_type = schema::DifferenceStatus)]
    status: &'static str,
    /// What is proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    proposal: Option<ProposalView>,
    /// Who approved.
    #[schema(value_type = Option<schema::ClientId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<ClientId>,
    /// When.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_at: Option<Moment>,
    /// The operation that corrects it.
    #[schema(value_type = Option<schema::OperationId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    correction: Option<OperationId>,
    /// The file that brought what was missing.
    #[schema(value_type = Option<schema::ReconciliationId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    cleared_by: Option<ReconciliationId>,
}

impl DifferenceView {
    pub(crate) fn new(of: DifferenceRecord) -> Self {
        let proposal = of.proposal.map(|p| ProposalView {
            by: p.by,
            at: Moment(p.at),
            correction: p.correction,
            note: p.note,
        });
        Self {
            id: of.id,
            reconciliation: of.reconciliation,
            account: of.account.to_string(),
            currency: of.currency,
            class: of.class.name(),
            line: of.line,
            reference: of.reference,
            operation: of.operation,
            here: of.here,
            there: of.there,
            suggested: of.suggested,
            at: Moment(of.at),
            status: of.status.name(),
            proposal,
            approved_by: of.decided.map(|(by, _)| by),
            approved_at: of.decided.map(|(_, at)| Moment(at)),
            correction: of.correction,
            cleared_by: of.cleared_by,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

pub(crate) fn unknown(what: &str) -> Problem {
    Problem::new(Code::ReconciliationUnknown, format!("there is no such {what}"))
}

impl From<ReconcileError> for Problem {
    fn from(error: ReconcileError) -> Self {
        let text = error.to_string();
        match error {
            ReconcileError::Storage(error) => error.into(),
            ReconcileError::Submit(error) => error.into(),
            ReconcileError::Refused(refusal) => refusal.into(),
            ReconcileError::File(_) | ReconcileError::TooMuch(_) => Self::new(Code::FileRefused, text),
            ReconcileError::Field { pointer, message } => {
                Self::new(Code::TermsContradict, message).parameter(pointer)
            }
            ReconcileError::Unknown(what) => unknown(what),
            ReconcileError::SameClient => Self::new(Code::SecondPersonNeeded, text),
            ReconcileError::Status { .. } | ReconcileError::Changed => {
                Self::new(Code::DifferenceStatus, text)
            }
            ReconcileError::Busy => Self::new(Code::Busy, text).retry_after(30),
        }
    }
}
