//! Gifts: a card goes to the holder of another phone number, once that holder accepts it.
//!
//! The card is bound anew by the engine, under a key that follows from the gift: killed in the middle and done
//! again, it happens once. The operation names the gift as its reference, so that the log says who gave what to
//! whom. Until then the card stays the giver's, who can spend from it.

use domain::{Amount, Card, CardId, Command, GiftId, command::BindMember};
use storage::{Gift, GiftState, HeldCard, Holder, StorageError};

use crate::{MAX_CARDS, Phone, Wallet, WalletError, held, member_of};

/// Days that a gift waits for its receiver.
pub const GIFT_DAYS: i64 = 7;
/// Gifts that one holder offers in 24 hours: each makes a holder of whoever's number it was.
pub const MAX_GIFTS_A_DAY: usize = 20;
/// Gifts that are listed.
const LISTED: usize = 100;
const DAY_SECONDS: i64 = 86_400;
const GIFT: &[u8; 8] = b"wgift\0\0\0";

/// Why nothing came of a step of a gift.
#[derive(Debug, thiserror::Error)]
pub enum GiftError {
    /// The holder has no such gift, or no such card.
    #[error("there is none")]
    Unknown,
    /// It is not at the step before this one.
    #[error("the gift is {}", .0.name())]
    State(GiftState),
    /// The number is the giver's own.
    #[error("a card cannot be given to its own holder")]
    Oneself,
    /// The card has another open gift.
    #[error("the card is being given to somebody already")]
    Offered,
    /// Too many in a day.
    #[error("{MAX_GIFTS_A_DAY} gifts a day are enough")]
    TooMany,
    /// The receiver's wallet is full.
    #[error("a wallet has at most {MAX_CARDS} cards")]
    Full,
    /// The fault is not the caller's.
    #[error(transparent)]
    Fault(#[from] WalletError),
}

impl From<StorageError> for GiftError {
    fn from(error: StorageError) -> Self {
        Self::Fault(error.into())
    }
}

/// A gift as one of the two sees it.
#[derive(Clone, Debug)]
pub struct SeenGift {
    /// The gift.
    pub gift: Gift,
    /// Whether it is given to, and not by, who looks.
    pub incoming: bool,
    /// The last four digits of the other's phone.
    pub other_last4: String,
    /// The card.
    pub card: Card,
    /// What can be spent from the card now.
    pub available: Amount,
}

type GiftResult<T> = std::result::Result<T, GiftError>;

impl Wallet {
    /// Offers a card to the holder of a phone number.
    pub async fn offer(&self, giver: &Holder, card: CardId, phone: &Phone) -> GiftResult<SeenGift> {
        let own = self.card(giver, card).await?.ok_or(GiftError::Unknown)?;
        let (store, now) = (self.engine.store(), self.engine.now());
        let day_ago = now.plus_seconds(-DAY_SECONDS);
        let lately = store.gifts_of(giver.id, LISTED).await?;
        let lately = lately.iter().filter(|gift| gift.giver == giver.id && gift.created_at > day_ago).count();
        if lately >= MAX_GIFTS_A_DAY {
            return Err(GiftError::TooMany);
        }
        let receiver = self.holder_of(giver.issuer, phone).await?;
        if receiver.id == giver.id {
            return Err(GiftError::Oneself);
        }
        let gift = Gift {
            id: GiftId::new(self.engine.next_id()),
            issuer: giver.issuer,
            card: own.card.id,
            giver: giver.id,
            receiver: receiver.id,
            state: GiftState::Pending,
            created_at: now,
            expires_at: now.plus_seconds(GIFT_DAYS * DAY_SECONDS),
            decided_at: None,
            operation: None,
            version: 1,
        };
        match store.add_gift(&gift).await {
            Ok(()) => self.seen(giver, gift).await,
            Err(StorageError::Conflict { what: "gift" }) => Err(GiftError::Offered),
            Err(error) => Err(error.into()),
        }
    }

    /// The gifts of a holder, newest first.
    pub async fn gifts(&self, holder: &Holder) -> GiftResult<Vec<SeenGift>> {
        let mut seen = Vec::new();
        for gift in self.engine.store().gifts_of(holder.id, LISTED).await? {
            seen.push(self.seen(holder, gift).await?);
        }
        Ok(seen)
    }

    /// Accepts a gift: the card becomes the receiver's. Again after a crash, it goes on where it was.
    pub async fn accept(&self, receiver: &Holder, id: GiftId) -> GiftResult<SeenGift> {
        let mut gift = self.own_gift(receiver, id).await?;
        if gift.receiver != receiver.id {
            return Err(GiftError::Unknown);
        }
        if gift.state != GiftState::Accepting {
            self.check_pending(&gift)?;
            if self.engine.store().held_cards(receiver.id, MAX_CARDS).await?.len() >= MAX_CARDS {
                return Err(GiftError::Full);
            }
            gift = self.step(gift, GiftState::Accepting).await?;
        }
        let done = self.complete(gift).await?;
        if done.state != GiftState::Accepted {
            return Err(GiftError::State(done.state));
        }
        self.seen(receiver, done).await
    }

    /// Declines a gift.
    pub async fn decline(&self, receiver: &Holder, id: GiftId) -> GiftResult<SeenGift> {
        let gift = self.own_gift(receiver, id).await?;
        if gift.receiver != receiver.id {
            return Err(GiftError::Unknown);
        }
        self.check_pending(&gift)?;
        let done = self.step(gift, GiftState::Declined).await?;
        self.seen(receiver, done).await
    }

    /// Takes a gift back that nobody has accepted.
    pub async fn withdraw(&self, giver: &Holder, id: GiftId) -> GiftResult<SeenGift> {
        let gift = self.own_gift(giver, id).await?;
        if gift.giver != giver.id {
            return Err(GiftError::Unknown);
        }
        self.check_pending(&gift)?;
        let done = self.step(gift, GiftState::Withdrawn).await?;
        self.seen(giver, done).await
    }

    async fn own_gift(&self, holder: &Holder, id: GiftId) -> GiftResult<Gift> {
        let gift = self.engine.store().gift(id).await?;
        let own = gift.filter(|gift| gift.giver == holder.id || gift.receiver == holder.id);
        own.ok_or(GiftError::Unknown)
    }

    fn check_pending(&self, gift: &Gift) -> GiftResult<()> {
        match gift.state {
            GiftState::Pending if self.engine.now() < gift.expires_at => Ok(()),
            GiftState::Pending => Err(GiftError::State(GiftState::Expired)),
            state => Err(GiftError::State(state)),
        }
    }

    /// One of several steps at once wins; the others are told what it came to.
    pub(crate) async fn step(&self, gift: Gift, state: GiftState) -> GiftResult<Gift> {
        let next = Gift {
            state,
            decided_at: Some(self.engine.now()),
            version: gift.version.saturating_add(1),
            ..gift
        };
        match self.engine.store().change_gift(&next).await {
            Ok(()) => Ok(next),
            Err(StorageError::Conflict { what: "version" }) => {
                let now = self.engine.store().gift(next.id).await?;
                Err(GiftError::State(now.map_or(GiftState::Failed, |gift| gift.state)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Binds the card of a gift that is being accepted, and writes down what came of it.
    pub(crate) async fn complete(&self, gift: Gift) -> GiftResult<Gift> {
        let store = self.engine.store();
        let receiver = store.holders(&[gift.receiver]).await?.pop();
        let receiver = receiver.ok_or(WalletError::Inconsistent("a gift has no receiver"))?;
        let command = Command::BindMember(BindMember {
            card: held(gift.card, gift.giver),
            member: member_of(gift.receiver),
            pin: None,
        });
        let named = Some(gift.id.to_string());
        let outcome = self.submit(&receiver, (gift.id.get(), GIFT), command, named).await?;
        let operation = outcome.as_ref().ok().map(|answer| answer.operation.id);
        let bound = outcome.is_ok_and(|answer| answer.operation.is_approved());
        let state = if bound { GiftState::Accepted } else { GiftState::Failed };
        let done = Gift { state, operation, version: gift.version.saturating_add(1), ..gift };
        let written = match operation {
            Some(since) if bound => {
                let held = HeldCard {
                    holder: done.receiver,
                    card: done.card,
                    issuer: done.issuer,
                    since,
                    added_at: self.engine.now(),
                };
                store.finish_gift(&done, &held).await
            }
            _ => store.change_gift(&done).await,
        };
        match written {
            Ok(()) => Ok(done),
            // Somebody else went on with it at the same time, and came to the same.
            Err(StorageError::Conflict { what: "version" }) => {
                store.gift(done.id).await?.ok_or(GiftError::Unknown)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn seen(&self, by: &Holder, gift: Gift) -> GiftResult<SeenGift> {
        let incoming = gift.receiver == by.id;
        let other = if incoming { gift.giver } else { gift.receiver };
        let other = self.engine.store().holders(&[other]).await?.pop();
        let card = self.engine.store().card(gift.card).await?;
        let card = card.ok_or(WalletError::Inconsistent("a gift has no card"))?;
        let available = card.available(self.engine.now());
        let other_last4 = other.map(|other| other.last4).unwrap_or_default();
        Ok(SeenGift { gift, incoming, other_last4, card, available })
    }
}
