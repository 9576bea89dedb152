//! Holds (pre-authorisations): value set aside on a card for one merchant, for a limited time.

use crate::{Amount, CardId, HoldId, IssuerId, MerchantId, StoreId, TerminalId, Timestamp};

/// Where a hold is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldStatus {
    /// Sets value aside.
    Open,
    /// Completed by its final capture.
    Captured,
    /// Given up by its owner.
    Released,
    /// Given up because its time ran out.
    Expired,
}

impl HoldStatus {
    /// The number it is stored under. Numbers never change.
    pub const fn number(self) -> i64 {
        match self {
            Self::Open => 1,
            Self::Captured => 2,
            Self::Released => 3,
            Self::Expired => 4,
        }
    }

    /// The status with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Open, Self::Captured, Self::Released, Self::Expired].into_iter().find(|s| s.number() == number)
    }
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its id; the value is that of the operation that created it.
    pub id: HoldId,
    /// The issuer.
    pub issuer: IssuerId,
    /// The card.
    pub card: CardId,
    /// Its owner: only this merchant (or the issuer itself) may capture or release it.
    pub merchant: MerchantId,
    /// The store it was made in.
    pub store: Option<StoreId>,
    /// The terminal it was made on.
    pub terminal: Option<TerminalId>,
    /// How much was set aside.
    pub amount: Amount,
    /// How much of it has been captured.
    pub captured: Amount,
    /// Where it is in its life.
    pub status: HoldStatus,
    /// When it was made; lots that were usable then stay usable for its captures.
    pub created_at: Timestamp,
    /// When it gives its value back by itself.
    pub expires_at: Timestamp,
}

impl Hold {
    /// What it still sets aside.
    pub fn remaining(&self) -> Amount {
        match self.status {
            HoldStatus::Open => self.amount.saturating_sub(self.captured),
            HoldStatus::Captured | HoldStatus::Released | HoldStatus::Expired => Amount::ZERO,
        }
    }
}
