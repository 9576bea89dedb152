//! Payouts (打款): what a statement pays to a merchant's bank account, proposed by one client and approved by
//! another.

use domain::{
    Amount, BusinessDate, ClientId, Currency, IssuerId, MerchantId, OperationId, PayeeId, PayoutId,
    StatementId, Timestamp,
};

/// How far a payout is. Numbers and names never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PayoutStatus {
    /// Waits for a second person.
    Proposed,
    /// May be sent.
    Approved,
    /// Will not be sent; its amount is payable again in the next statement.
    Rejected,
    /// Is in a payment file; its amount has left the merchant's account.
    Sent,
    /// The bank has paid it.
    Confirmed,
    /// The bank has not; its amount is payable again in the next statement.
    Returned,
}

impl PayoutStatus {
    /// All, in the order of their numbers (1, 2, …).
    pub const ALL: [Self; 6] =
        [Self::Proposed, Self::Approved, Self::Rejected, Self::Sent, Self::Confirmed, Self::Returned];

    /// The number it is stored under.
    pub const fn number(self) -> i64 {
        match self {
            Self::Proposed => 1,
            Self::Approved => 2,
            Self::Rejected => 3,
            Self::Sent => 4,
            Self::Confirmed => 5,
            Self::Returned => 6,
        }
    }

    /// The status with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }

    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Sent => "sent",
            Self::Confirmed => "confirmed",
            Self::Returned => "returned",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether a payout may go from here to `next`. A returned payment can still come after it was confirmed.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Proposed, Self::Approved | Self::Rejected)
                | (Self::Approved, Self::Sent | Self::Rejected)
                | (Self::Sent, Self::Confirmed | Self::Returned)
                | (Self::Confirmed, Self::Returned)
        )
    }
}

/// A payout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payout {
    /// Its id.
    pub id: PayoutId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// Its merchant.
    pub merchant: MerchantId,
    /// The statement that it pays. One payout for each.
    pub statement: StatementId,
    /// Its currency.
    pub currency: Currency,
    /// How much, not zero.
    pub amount: Amount,
    /// When it is due.
    pub due_on: BusinessDate,
    /// Whether the due date rests on a year whose holidays were not known yet.
    pub due_estimated: bool,
    /// How far it is.
    pub status: PayoutStatus,
    /// The bank account; none until it is sent.
    pub payee: Option<PayeeId>,
    /// Who proposed it (maker).
    pub proposed_by: ClientId,
    /// Who approved or rejected it (checker), never the same.
    pub decided_by: Option<ClientId>,
    /// Why it was rejected or returned.
    pub reason: Option<String>,
    /// The operation that took it from the merchant's account.
    pub operation: Option<OperationId>,
    /// The operation that put it back.
    pub return_operation: Option<OperationId>,
    /// Of a rejected payout, the statement that took its amount up again.
    pub credited_in: Option<StatementId>,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// When it was approved or rejected.
    pub decided_at: Option<Timestamp>,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// When it was confirmed or returned.
    pub finished_at: Option<Timestamp>,
    /// How often it was changed; a change names the version it is based on.
    pub version: u32,
}
