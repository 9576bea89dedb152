//! A merchant's settlement statement: what goes in. The words of it are here, the figures come from settlement;
//! nothing is computed but checks that they add up.

mod agreement;
mod csv_form;
mod line_table;
mod pdf_form;
mod pdf_head;
mod pdf_rows;
mod sums;
mod words;
mod writer;
mod xlsx_form;

pub use agreement::{
    AgreementSummary, CycleSummary, FeeRounding, FeeSummary, FeeTier, NegativeBalance, SplitBase, SplitShare,
    SplitSummary,
};
pub use pdf_form::MAX_LINES_PDF;
pub use writer::{Format, MAX_LINES_XLSX, StatementWriter, Written};

use domain::Currency;
use jiff::{
    Zoned,
    civil::{Date, DateTime},
};

use crate::language::Language;

/// Everything of a statement but its lines.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The statement's number, as it is quoted in letters and remittances.
    pub number: String,
    /// The language of the document.
    pub language: Language,
    /// Who settles.
    pub issuer: Party,
    /// Who is settled with.
    pub merchant: Party,
    /// The currency of all amounts.
    pub currency: Currency,
    /// First settlement day.
    pub from: Date,
    /// Last settlement day.
    pub to: Date,
    /// The day the payout is due.
    pub due: Date,
    /// Whether `due` was worked out from a year whose holidays are not published yet.
    pub due_estimated: bool,
    /// What was agreed.
    pub agreement: AgreementSummary,
    /// The figures.
    pub totals: Totals,
    /// When this document was made, in the issuer's time zone.
    pub generated: Zoned,
    /// SHA-256 over the statement's content in hexadecimal; `None` while it is open.
    pub digest: Option<String>,
}

/// A party of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// Its full name.
    pub name: String,
    /// The number it has with the issuer.
    pub number: Option<String>,
    /// Unified social credit code, or another register's number.
    pub registration: Option<String>,
}

/// The figures of a statement in minor units. What adds to the merchant's balance is positive, what takes from it
/// negative, except fees and splits: these are positive when they are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Carried forward from the statement before.
    pub opening: i64,
    /// Sales.
    pub sales: i64,
    /// Refunds, as a rule negative.
    pub refunds: i64,
    /// Reversals, of sales negative, of refunds positive.
    pub reversals: i64,
    /// Parts received of other merchants' sales.
    pub splits_in: i64,
    /// Corrections.
    pub corrections: i64,
    /// Payouts that the bank returned.
    pub payout_returns: i64,
    /// Fees taken, those given back subtracted.
    pub fees: i64,
    /// What rounding the fee once per statement adds to the fees on the lines; 0 when each is rounded.
    pub fee_rounding: i64,
    /// The yearly flat fee, if it fell into this period.
    pub yearly_fee: i64,
    /// Parts given to other merchants.
    pub splits_out: i64,
    /// What all of this gives.
    pub closing: i64,
    /// Paid out.
    pub payout: i64,
    /// Invoiced to the merchant, when the balance is negative and so agreed; positive.
    pub invoiced: i64,
    /// Carried into the next statement: closing − payout + invoiced.
    pub carried: i64,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineKind {
    /// A redemption or capture.
    Sale,
    /// A refund.
    Refund,
    /// A reversal.
    Reversal,
    /// A part of another merchant's sale.
    SplitIn,
    /// An approved correction.
    Correction,
    /// A payout that the bank returned.
    PayoutReturn,
}

/// A line: one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// The operation's id.
    pub operation: String,
    /// What it is.
    pub kind: LineKind,
    /// When, in the issuer's time zone.
    pub at: DateTime,
    /// The settlement day.
    pub day: Date,
    /// Where: the store or terminal.
    pub place: Option<String>,
    /// What it did to the balance before fees and splits, in minor units.
    pub amount: i64,
    /// The fee on it; negative when it is given back.
    pub fee: i64,
    /// What of it goes to other merchants; negative when it is clawed back.
    pub split: i64,
    /// The operation it refunds or reverses.
    pub original: Option<String>,
    /// Whether it belongs to a day whose statement was already closed.
    pub late: bool,
}

/// A heading over the lines that follow; the writer adds their subtotal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// All lines of a settlement day.
    Day(Date),
    /// All lines of a kind.
    Kind(LineKind),
}
