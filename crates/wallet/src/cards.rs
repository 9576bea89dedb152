//! The cards of a wallet: adding one by number and PIN, and reporting one lost.

use domain::{
    Card, CardId, CardState, Command, Decline, Operation, OperationId,
    command::{BindMember, CardRef, Inquire, NumberIndex, PinAttempt},
    operation::Status,
};
use storage::{HeldCard, Holder};
use vault::{CardNumber, Pin};

use crate::{Result, Wallet, WalletError, held, member_of};

/// Cards that a wallet has at most.
pub const MAX_CARDS: usize = 50;

/// A card with since when it is the holder's.
#[derive(Clone, Debug)]
pub struct OwnCard {
    /// The card.
    pub card: Card,
    /// Operations from this one on are the holder's to see.
    pub since: OperationId,
}

/// What became of adding a card.
#[derive(Clone, Debug)]
pub enum Added {
    /// It is in the wallet.
    Yes(Box<OwnCard>),
    /// Unknown, foreign, not sold, or its PIN is wrong, locked or none: nobody is told which.
    NotFound,
    /// Number and PIN are right, and the card is somebody else's.
    Taken,
    /// Number and PIN are right, and the card cannot be bound.
    Declined(Decline),
    /// The wallet is full.
    Full,
}

impl Wallet {
    /// The cards of a wallet, newest first.
    pub async fn cards(&self, holder: &Holder) -> Result<Vec<OwnCard>> {
        let store = self.engine.store();
        let mut own = Vec::new();
        for held in store.held_cards(holder.id, MAX_CARDS).await? {
            own.extend(self.confirmed(holder, held).await?);
        }
        Ok(own)
    }

    /// A card of a wallet.
    pub async fn card(&self, holder: &Holder, id: CardId) -> Result<Option<OwnCard>> {
        let held = self.engine.store().held_cards(holder.id, MAX_CARDS).await?;
        match held.into_iter().find(|held| held.card == id) {
            Some(held) => self.confirmed(holder, held).await,
            None => Ok(None),
        }
    }

    /// The card itself says whose it is.
    async fn confirmed(&self, holder: &Holder, held: HeldCard) -> Result<Option<OwnCard>> {
        let card = self.engine.store().card(held.card).await?;
        let own = card.filter(|card| card.member.as_deref() == Some(&*member_of(holder.id)));
        Ok(own.map(|card| OwnCard { card, since: held.since }))
    }

    /// Adds a card by number and PIN. The PIN is checked and counted like every other, before anything is said
    /// about the card; a card without a PIN cannot be added, because a number alone proves nothing.
    pub async fn add_card(&self, holder: &Holder, number: &CardNumber, pin: &Pin) -> Result<Added> {
        let indexes: Vec<NumberIndex> =
            self.engine.vault().indexes(number).map(|(_, index)| NumberIndex(index)).collect();
        let found = self.engine.store().card_by_number(&indexes).await?;
        let Some(card) = found.filter(|c| c.issuer == holder.issuer && c.state != CardState::Stocked) else {
            return Ok(Added::NotFound);
        };
        let attempt = PinAttempt(pin.expose().into());
        let inquiry = Command::Inquire(Inquire { card: CardRef::Id(card.id), pin: Some(attempt.clone()) });
        let inquired = self.submit(holder, (self.engine.next_id(), b"inquire\0"), inquiry, None).await?;
        if !inquired.is_ok_and(|answer| answer.operation.is_approved()) {
            return Ok(Added::NotFound);
        }
        self.bind(holder, card.id, attempt).await
    }

    async fn bind(&self, holder: &Holder, card: CardId, pin: PinAttempt) -> Result<Added> {
        let store = self.engine.store();
        let before = store.held_cards(holder.id, MAX_CARDS).await?;
        let known = before.iter().any(|held| held.card == card);
        if !known && before.len() >= MAX_CARDS {
            return Ok(Added::Full);
        }
        if !known {
            // In the list before it is bound: until the card confirms it, the row means nothing.
            store.put_held_card(&self.held_from_now(holder, card)).await?;
        }
        let command = Command::BindMember(BindMember {
            card: CardRef::Id(card),
            member: member_of(holder.id),
            pin: Some(pin),
        });
        let outcome = self.submit(holder, (self.engine.next_id(), b"wadd\0\0\0\0"), command, None).await?;
        let status = outcome.ok().map(|answer| answer.operation.status);
        if status != Some(Status::Approved) && !known {
            store.remove_held_card(holder.id, card).await?;
        }
        match status {
            Some(Status::Approved) => {
                let own = self.card(holder, card).await?;
                let own = own.ok_or(WalletError::Inconsistent("a card that was just bound is not bound"))?;
                Ok(Added::Yes(Box::new(own)))
            }
            Some(Status::Declined(Decline::MemberAlreadyBound)) => Ok(Added::Taken),
            Some(Status::Declined(decline)) => Ok(Added::Declined(decline)),
            None => Ok(Added::NotFound),
        }
    }

    pub(crate) fn held_from_now(&self, holder: &Holder, card: CardId) -> HeldCard {
        HeldCard {
            holder: holder.id,
            card,
            issuer: holder.issuer,
            since: OperationId::new(self.engine.next_id()),
            added_at: self.engine.now(),
        }
    }

    /// Puts a card into a wallet on the issuer's authority, as for demonstrations. `false` if it cannot be bound.
    pub async fn assign(&self, holder: &Holder, card: CardId) -> Result<bool> {
        if self.card(holder, card).await?.is_some() {
            return Ok(true);
        }
        let unbound = CardRef::Id(card);
        let command =
            Command::BindMember(BindMember { card: unbound, member: member_of(holder.id), pin: None });
        self.engine.store().put_held_card(&self.held_from_now(holder, card)).await?;
        let outcome = self.submit(holder, (self.engine.next_id(), b"wassign\0"), command, None).await?;
        Ok(outcome.is_ok_and(|answer| answer.operation.is_approved()))
    }

    /// Reports a card lost (挂失), and revokes its devices. `None` if it is not the holder's any more.
    pub async fn report_lost(&self, holder: &Holder, card: CardId) -> Result<Option<Operation>> {
        let command = Command::ReportLost(held(card, holder.id));
        let outcome = self.submit(holder, (self.engine.next_id(), b"wlost\0\0\0"), command, None).await?;
        let Ok(answer) = outcome else { return Ok(None) };
        if answer.operation.is_approved() {
            self.engine.store().revoke_devices_of(card, self.engine.now()).await?;
        }
        Ok(Some(Operation::clone(&answer.operation)))
    }
}
