//! Lines of statements: each traces to one operation. They are written in the order of the log and never
//! changed.

use domain::{AgreementId, Amount, BusinessDate, MerchantId, OperationId, StatementId};

use crate::MovementKind;

/// What one operation means for one merchant. Named by both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The operation.
    pub operation: OperationId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The statement that it is on.
    pub statement: StatementId,
    /// The line before it on the same statement; the lines of a statement are a chain.
    pub previous: Option<OperationId>,
    /// What it is about.
    pub kind: MovementKind,
    /// The settlement day of the operation. Of a late line, a day of an earlier statement.
    pub day: BusinessDate,
    /// What the operation added to what the merchant is owed, in minor units; negative if it took.
    pub amount: i64,
    /// The fee, in minor units; negative if it was given back.
    pub fee: i64,
    /// The agreement in force on the day of the sale; none where the standard terms applied.
    pub agreement: Option<AgreementId>,
    /// The sale that it gives back, or that the refund it undoes gave back.
    pub original: Option<OperationId>,
    /// How much of that sale had been given back before, in minor units.
    pub refunded_before: Amount,
    /// What rounding per statement left after this line, in ten-thousandths of a minor unit.
    pub residue: i32,
    /// Whether the statement of its day had been closed already.
    pub late: bool,
}

/// A part of a sale that goes to another merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplitPart {
    /// The operation of the line.
    pub operation: OperationId,
    /// The merchant of the line, whose sale is divided.
    pub merchant: MerchantId,
    /// Who receives the part.
    pub receiver: MerchantId,
    /// The statement of the line.
    pub statement: StatementId,
    /// The part, in minor units; negative if it is clawed back.
    pub amount: i64,
}

/// What was given back of a sale so far. Only for sales of which something was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refunded {
    /// The sale.
    pub original: OperationId,
    /// Its merchant.
    pub merchant: MerchantId,
    /// How much of it.
    pub refunded: Amount,
    /// How much of its fee.
    pub fee_returned: Amount,
}
