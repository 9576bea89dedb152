//! A movement: what an operation changed of what a merchant is owed.

use domain::{Currency, IssuerId, MerchantId, OperationId, OperationKind, Timestamp};

/// What an approved operation moved on the account of one merchant, in the order of the log. An operation that
/// touches the accounts of several merchants is as many movements, ordered by merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The operation.
    pub operation: OperationId,
    /// What it did.
    pub kind: OperationKind,
    /// When.
    pub at: Timestamp,
    /// Its issuer.
    pub issuer: IssuerId,
    /// The merchant whose account it touched.
    pub merchant: MerchantId,
    /// The merchant that the operation itself names: of a settlement, whose statement it posts.
    pub named: Option<MerchantId>,
    /// The currency.
    pub currency: Currency,
    /// What the account received less what it gave, in minor units. Not zero.
    pub delta: i64,
    /// The operation that it gives back or undoes.
    pub original: Option<OperationId>,
}

/// What a line of a statement is about. Numbers and names never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MovementKind {
    /// A redemption or capture.
    Sale,
    /// Value given back to a card, with or without a sale.
    Refund,
    /// An operation undone.
    Reversal,
    /// A part in the sales of another merchant, or its claw-back.
    SplitIn,
    /// A payout that came back.
    PayoutReturn,
    /// A correction.
    Correction,
    /// Value on cards that the merchant funds, or that comes back to it.
    Funding,
}

impl MovementKind {
    /// All kinds, in the order of their numbers (1, 2, …).
    pub const ALL: [Self; 7] = [
        Self::Sale,
        Self::Refund,
        Self::Reversal,
        Self::SplitIn,
        Self::PayoutReturn,
        Self::Correction,
        Self::Funding,
    ];

    /// The number it is stored under.
    pub const fn number(self) -> i64 {
        match self {
            Self::Sale => 1,
            Self::Refund => 2,
            Self::Reversal => 3,
            Self::SplitIn => 4,
            Self::PayoutReturn => 5,
            Self::Correction => 6,
            Self::Funding => 7,
        }
    }

    /// The kind with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Refund => "refund",
            Self::Reversal => "reversal",
            Self::SplitIn => "split_in",
            Self::PayoutReturn => "payout_return",
            Self::Correction => "correction",
            Self::Funding => "funding",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Movement {
    /// What the line for it is about; `None` where no line is made, because the statement itself already
    /// says it: what it posted, and what was paid out or in on it.
    pub fn line_kind(&self) -> Option<MovementKind> {
        let own = self.named == Some(self.merchant);
        match self.kind {
            OperationKind::Redemption | OperationKind::Capture => Some(MovementKind::Sale),
            OperationKind::Refund | OperationKind::UnlinkedRefund => Some(MovementKind::Refund),
            OperationKind::Reversal => Some(MovementKind::Reversal),
            OperationKind::Settlement => (!own).then_some(MovementKind::SplitIn),
            OperationKind::Payout | OperationKind::MerchantPayment => None,
            OperationKind::PayoutReturn => Some(MovementKind::PayoutReturn),
            OperationKind::Correction | OperationKind::Adjustment => Some(MovementKind::Correction),
            _ => Some(MovementKind::Funding),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_round_trip() {
        for kind in MovementKind::ALL {
            assert_eq!(MovementKind::from_number(kind.number()), Some(kind));
            assert_eq!(MovementKind::from_name(kind.name()), Some(kind));
        }
    }
}
