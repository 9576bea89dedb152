//! A card: its state machine, lots, held value and counters.

use crate::{
    Amount, BatchId, BusinessDate, CardId, Decline, IssuerId, Lot, LotNo, MerchantId, OperationId, ProgramId,
    Timestamp,
    lot::{self, LotPart, LotSource},
};

/// The most lots that one card may have. Lots of the same source, funder and expiry are one lot.
pub const MAX_LOTS: usize = 64;
/// Wrong PINs in a row after which the PIN is locked.
pub const MAX_PIN_FAILURES: u8 = 5;
/// Wrong PINs over the life of the card after which the PIN is locked for good.
pub const MAX_LIFETIME_PIN_FAILURES: u8 = 10;

/// Why a card was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// A new card took its place.
    Replaced(CardId),
    /// Its value went to another card.
    Merged(CardId),
    /// Its value was paid out.
    CashedOut,
    /// Its holder got back what the law says.
    Refunded,
    /// It was withdrawn or destroyed.
    Destroyed,
}

/// Where a card is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardState {
    /// Made, not sold: worth nothing.
    Stocked,
    /// In use.
    Active,
    /// Blocked for a while.
    Frozen {
        /// Why.
        reason: String,
    },
    /// Reported lost by its registered holder.
    Lost,
    /// Past its validity; what it held can be claimed.
    Expired,
    /// For good.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

/// The kind of a state without its data, with the number it is stored under. Numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateCode {
    /// See [`CardState::Stocked`].
    Stocked,
    /// See [`CardState::Active`].
    Active,
    /// See [`CardState::Frozen`].
    Frozen,
    /// See [`CardState::Lost`].
    Lost,
    /// See [`CardState::Expired`].
    Expired,
    /// See [`CardState::Closed`].
    Closed,
}

impl StateCode {
    /// All codes.
    pub const ALL: [Self; 6] =
        [Self::Stocked, Self::Active, Self::Frozen, Self::Lost, Self::Expired, Self::Closed];

    /// The number it is stored under.
    pub const fn number(self) -> i64 {
        match self {
            Self::Stocked => 1,
            Self::Active => 2,
            Self::Frozen => 3,
            Self::Lost => 4,
            Self::Expired => 5,
            Self::Closed => 6,
        }
    }

    /// The code with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.number() == number)
    }

    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stocked => "stocked",
            Self::Active => "active",
            Self::Frozen => "frozen",
            Self::Lost => "lost",
            Self::Expired => "expired",
            Self::Closed => "closed",
        }
    }
}

impl CardState {
    /// Its kind.
    pub const fn code(&self) -> StateCode {
        match self {
            Self::Stocked => StateCode::Stocked,
            Self::Active => StateCode::Active,
            Self::Frozen { .. } => StateCode::Frozen,
            Self::Lost => StateCode::Lost,
            Self::Expired => StateCode::Expired,
            Self::Closed { .. } => StateCode::Closed,
        }
    }

    /// The decline that this state gives to anything that needs an active card.
    pub const fn refusal_to_serve(&self) -> Option<Decline> {
        match self {
            Self::Active => None,
            Self::Stocked => Some(Decline::CardNotActivated),
            Self::Lost => Some(Decline::CardLost),
            Self::Closed { .. } => Some(Decline::CardClosed),
            Self::Frozen { .. } => Some(Decline::CardFrozen),
            Self::Expired => Some(Decline::CardExpired),
        }
    }

    /// Stocked → Active.
    pub fn activate(self) -> Result<Self, Decline> {
        match self {
            Self::Stocked => Ok(Self::Active),
            Self::Active => Err(Decline::CardAlreadyActive),
            other => Err(other.refusal_to_serve().unwrap_or(Decline::CardClosed)),
        }
    }

    /// Active → Stocked: an activation that is reversed.
    pub fn deactivate(self) -> Result<Self, Decline> {
        match self {
            Self::Active => Ok(Self::Stocked),
            other => Err(other.refusal_to_serve().unwrap_or(Decline::CardClosed)),
        }
    }

    /// Active → Frozen.
    pub fn freeze(self, reason: String) -> Result<Self, Decline> {
        match self {
            Self::Active => Ok(Self::Frozen { reason }),
            other => Err(other.refusal_to_serve().unwrap_or(Decline::CardClosed)),
        }
    }

    /// Frozen → Active.
    pub fn unfreeze(self) -> Result<Self, Decline> {
        match self {
            Self::Frozen { .. } => Ok(Self::Active),
            Self::Active => Err(Decline::CardNotFrozen),
            other => Err(other.refusal_to_serve().unwrap_or(Decline::CardNotFrozen)),
        }
    }

    /// Active or Frozen → Lost.
    pub fn lose(self) -> Result<Self, Decline> {
        match self {
            Self::Active | Self::Frozen { .. } => Ok(Self::Lost),
            other => Err(other.refusal_to_serve().unwrap_or(Decline::CardLost)),
        }
    }

    /// Active → Expired.
    pub fn expire(self) -> Result<Self, Decline> {
        match self {
            Self::Active | Self::Frozen { .. } => Ok(Self::Expired),
            other => Err(other.refusal_to_serve().unwrap_or(Decline::CardExpired)),
        }
    }

    /// Expired or Active → Active.
    pub fn reactivate(self) -> Result<Self, Decline> {
        match self {
            Self::Expired | Self::Active => Ok(Self::Active),
            other => Err(other.refusal_to_serve().unwrap_or(Decline::CardClosed)),
        }
    }

    /// Anything but Closed → Closed.
    pub fn close(self, reason: CloseReason) -> Result<Self, Decline> {
        match self {
            Self::Closed { .. } => Err(Decline::CardClosed),
            _ => Ok(Self::Closed { reason }),
        }
    }

    /// The card that took this one's place, if one did.
    pub const fn successor(&self) -> Option<CardId> {
        match self {
            Self::Closed { reason: CloseReason::Replaced(id) | CloseReason::Merged(id) } => Some(*id),
            _ => None,
        }
    }
}

/// How often and how much a card was used on its latest business date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayCounters {
    /// The business date they are about.
    pub date: BusinessDate,
    /// Approved redemptions and holds on that date.
    pub count: u32,
    /// Their sum.
    pub amount: Amount,
}

impl DayCounters {
    /// The counters as of `date`: zero if the latest use was on another date.
    #[must_use]
    pub fn on(self, date: BusinessDate) -> Self {
        if self.date == date { self } else { Self { date, count: 0, amount: Amount::ZERO } }
    }
}

/// A PIN as stored: a keyed digest with the id of its key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PinDigest {
    /// The key-ring key it was made with.
    pub key_id: u8,
    /// The digest.
    pub bytes: [u8; 16],
}

impl std::fmt::Debug for PinDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PinDigest(key {})", self.key_id)
    }
}

/// The PIN of a card and the wrong attempts at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PinState {
    /// The digest, if the card has a PIN.
    pub digest: Option<PinDigest>,
    /// Wrong attempts in a row.
    pub failures: u8,
    /// Wrong attempts ever.
    pub lifetime_failures: u8,
}

impl PinState {
    /// Whether no further attempt is evaluated.
    pub const fn is_locked(&self) -> bool {
        self.failures >= MAX_PIN_FAILURES || self.lifetime_failures >= MAX_LIFETIME_PIN_FAILURES
    }
}

/// A card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its id.
    pub id: CardId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// Its program.
    pub program: ProgramId,
    /// The batch it was made in.
    pub batch: Option<BatchId>,
    /// The last four digits of its number, 0 to 9999.
    pub last4: u16,
    /// Where it is in its life.
    pub state: CardState,
    /// What it is sold for, if that was decided when it was made.
    pub face_value: Option<Amount>,
    /// Its value by source.
    pub lots: Vec<Lot>,
    /// What open holds set aside.
    pub held: Amount,
    /// Today's use.
    pub day: DayCounters,
    /// Its PIN.
    pub pin: PinState,
    /// The member it is bound to, in the issuer's own words.
    pub member: Option<String>,
    /// When it was activated.
    pub activated_at: Option<Timestamp>,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// The newest operation on it; each operation names the one before it.
    pub last_operation: Option<OperationId>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A grant of value to a card.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// Where it comes from.
    pub source: LotSource,
    /// The merchant that gives it, for merchant-funded value.
    pub funder: Option<MerchantId>,
    /// How much.
    pub amount: Amount,
    /// When it expires before the card does.
    pub expires_at: Option<Timestamp>,
}

impl Card {
    /// The sum of its lots.
    pub fn posted(&self) -> Amount {
        lot::posted(&self.lots)
    }

    /// What can be spent at a moment: usable lots less held value.
    pub fn available(&self, at: Timestamp) -> Amount {
        lot::usable(&self.lots, at).saturating_sub(self.held)
    }

    /// What has expired from it and can still be claimed.
    pub fn claimable(&self) -> Amount {
        Amount::checked_sum(self.lots.iter().map(|lot| lot.expired)).unwrap_or(Amount::MAX)
    }

    /// Whether its validity has run out at a moment, whatever its state says.
    pub fn is_past_validity(&self, at: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= at)
    }

    /// The lot with this number.
    pub fn lot(&self, no: LotNo) -> Option<&Lot> {
        self.lots.iter().find(|lot| lot.no == no)
    }

    /// The lot with this number, to change.
    pub fn lot_mut(&mut self, no: LotNo) -> Option<&mut Lot> {
        self.lots.iter_mut().find(|lot| lot.no == no)
    }

    /// Takes parts out of their lots. `None` if one does not hold that much.
    pub fn take(&mut self, parts: &[LotPart]) -> Option<()> {
        for part in parts {
            let lot = self.lot_mut(part.lot)?;
            lot.remaining = lot.remaining.checked_sub(part.amount)?;
        }
        Some(())
    }

    /// Takes from lots what they were granted, after as much was moved on or taken back: it counts as never
    /// granted, not as used.
    pub fn ungrant(&mut self, parts: &[LotPart]) {
        for part in parts {
            if let Some(lot) = self.lot_mut(part.lot) {
                lot.granted = lot.granted.saturating_sub(part.amount);
            }
        }
    }

    /// Puts value into the lot of the same source, funder and expiry, or into a new one.
    pub fn grant(&mut self, grant: Grant) -> Result<LotNo, Decline> {
        let same = |lot: &&mut Lot| {
            lot.source == grant.source && lot.funder == grant.funder && lot.expires_at == grant.expires_at
        };
        if let Some(lot) = self.lots.iter_mut().find(same) {
            lot.granted = lot.granted.checked_add(grant.amount).ok_or(Decline::BalanceCapExceeded)?;
            lot.remaining = lot.remaining.checked_add(grant.amount).ok_or(Decline::BalanceCapExceeded)?;
            return Ok(lot.no);
        }
        if self.lots.len() >= MAX_LOTS {
            return Err(Decline::TooManyLots);
        }
        let last = self.lots.iter().map(|lot| lot.no.0).max().unwrap_or(0);
        let no = LotNo(last.checked_add(1).ok_or(Decline::TooManyLots)?);
        self.lots.push(Lot {
            no,
            source: grant.source,
            funder: grant.funder,
            granted: grant.amount,
            remaining: grant.amount,
            expired: Amount::ZERO,
            expired_to_breakage: false,
            expires_at: grant.expires_at,
        });
        Ok(no)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transitions() {
        let frozen = || CardState::Frozen { reason: "r".to_owned() };
        let closed = || CardState::Closed { reason: CloseReason::Destroyed };
        let code = |r: Result<CardState, Decline>| r.map(|s| s.code());
        assert_eq!(code(CardState::Stocked.activate()), Ok(StateCode::Active));
        assert_eq!(code(CardState::Active.activate()), Err(Decline::CardAlreadyActive));
        assert_eq!(code(closed().activate()), Err(Decline::CardClosed));
        assert_eq!(code(CardState::Active.freeze(String::new())), Ok(StateCode::Frozen));
        assert_eq!(code(frozen().freeze(String::new())), Err(Decline::CardFrozen));
        assert_eq!(code(frozen().unfreeze()), Ok(StateCode::Active));
        assert_eq!(code(CardState::Active.unfreeze()), Err(Decline::CardNotFrozen));
        assert_eq!(code(CardState::Lost.unfreeze()), Err(Decline::CardLost));
        assert_eq!(code(frozen().lose()), Ok(StateCode::Lost));
        assert_eq!(code(CardState::Stocked.lose()), Err(Decline::CardNotActivated));
        assert_eq!(code(CardState::Expired.reactivate()), Ok(StateCode::Active));
        assert_eq!(code(closed().close(CloseReason::Destroyed)), Err(Decline::CardClosed));
        assert_eq!(code(CardState::Lost.close(CloseReason::Replaced(CardId::new(1)))), Ok(StateCode::Closed));
    }
}
