//! A statement (结算单): what a merchant is owed for a period, and what becomes of it.

use domain::{
    AgreementId, Amount, BusinessDate, Currency, IssuerId, MerchantId, OperationId, StatementId, Timestamp,
};

use crate::MovementKind;

/// How far a statement is. Numbers and names never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatementStatus {
    /// Lines are added.
    Open,
    /// Its figures are fixed; what it posts is being posted.
    Closing,
    /// Posted. It never changes again.
    Closed,
}

impl StatementStatus {
    /// All, in the order of their numbers (1, 2, …).
    pub const ALL: [Self; 3] = [Self::Open, Self::Closing, Self::Closed];

    /// The number it is stored under.
    pub const fn number(self) -> i64 {
        match self {
            Self::Open => 1,
            Self::Closing => 2,
            Self::Closed => 3,
        }
    }

    /// The status with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }

    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closing => "closing",
            Self::Closed => "closed",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What the lines of a statement add up to, in minor units, each with the sign with which it changes what the
/// merchant is owed, except `fees` and `splits_out`, which are taken from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatementSums {
    /// How many lines there are.
    pub lines: u64,
    /// How many of them are sales.
    pub sales_count: u64,
    /// How many are refunds.
    pub refunds_count: u64,
    /// How many are late.
    pub late_count: u64,
    /// Sales.
    pub sales: i64,
    /// Refunds, mostly negative.
    pub refunds: i64,
    /// Reversals.
    pub reversals: i64,
    /// Parts in the sales of others.
    pub split_in: i64,
    /// Payouts that came back.
    pub payout_returns: i64,
    /// Corrections.
    pub corrections: i64,
    /// Value on cards that the merchant funds.
    pub funding: i64,
    /// Fees of the operations less fees given back: taken.
    pub fees: i64,
    /// Parts of others less what was clawed back: taken.
    pub splits_out: i64,
}

impl StatementSums {
    /// Adds `amount` to the sum of its kind.
    pub fn add(&mut self, kind: MovementKind, amount: i64) -> Option<()> {
        let sum = match kind {
            MovementKind::Sale => &mut self.sales,
            MovementKind::Refund => &mut self.refunds,
            MovementKind::Reversal => &mut self.reversals,
            MovementKind::SplitIn => &mut self.split_in,
            MovementKind::PayoutReturn => &mut self.payout_returns,
            MovementKind::Correction => &mut self.corrections,
            MovementKind::Funding => &mut self.funding,
        };
        *sum = sum.checked_add(amount)?;
        Some(())
    }

    /// What the operations moved, before fees and splits.
    pub fn movements(&self) -> Option<i64> {
        [
            self.sales,
            self.refunds,
            self.reversals,
            self.split_in,
            self.payout_returns,
            self.corrections,
            self.funding,
        ]
        .into_iter()
        .try_fold(0_i64, i64::checked_add)
    }

    /// What they leave the merchant.
    pub fn net(&self) -> Option<i64> {
        self.movements()?.checked_sub(self.fees)?.checked_sub(self.splits_out)
    }
}

/// A statement. One for each merchant, currency and period in which something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its id.
    pub id: StatementId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// Its merchant.
    pub merchant: MerchantId,
    /// Its currency.
    pub currency: Currency,
    /// How far it is.
    pub status: StatementStatus,
    /// The first settlement day of its period.
    pub period_from: BusinessDate,
    /// The last settlement day of its period. One statement of a merchant and currency for each.
    pub period_to: BusinessDate,
    /// When the period is over: from then on it can be closed.
    pub ends_at: Timestamp,
    /// When its payout is due.
    pub due_on: BusinessDate,
    /// Whether the due date rests on a year whose holidays were not known yet.
    pub due_estimated: bool,
    /// The agreement in force at the end of the period; none where the standard terms applied.
    pub agreement: Option<AgreementId>,
    /// Its first line. One without lines has none.
    pub first_line: Option<OperationId>,
    /// Its newest line, from which the chain is followed. Written when it is closed.
    pub newest_line: Option<OperationId>,
    /// The figures. Written when it is closed.
    pub figures: Figures,
    /// The statement before it, of the same merchant and currency. Written when it is closed.
    pub previous: Option<StatementId>,
    /// The settlement operation that posted it. None if there was nothing to post.
    pub operation: Option<OperationId>,
    /// SHA-256 over its content and the digest of the statement before it.
    pub digest: Option<[u8; 32]>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// The figures of a statement, in minor units:
/// `closing = opening + payouts_rejected + sums.net − yearly_fee`, and `carried = closing − payout + invoiced`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Carried forward from the statement before it.
    pub opening: i64,
    /// Payouts that were rejected before they were sent, payable again.
    pub payouts_rejected: Amount,
    /// What its lines add up to.
    pub sums: StatementSums,
    /// The flat fee for a year.
    pub yearly_fee: Amount,
    /// The sum of all this.
    pub closing: i64,
    /// To be paid out.
    pub payout: Amount,
    /// To be paid by the merchant.
    pub invoiced: Amount,
    /// Carried into the next statement.
    pub carried: i64,
    /// The latest month (`YYYYMM`) in which the merchant had sales so far, or 0.
    pub volume_month: i32,
    /// Its sales in that month through this statement.
    pub volume: i64,
    /// The latest year for which the yearly fee was charged, or 0.
    pub yearly_through: i32,
}
