//! The facts of the log, added up without knowing the rules: lots by transfers, held value by holds,
//! refunds by originals, wrong PINs by declines.

use domain::{
    Account, CardId, ClientId, Command, Decline, HoldId, IdempotencyKey, LotNo, OperationId, OperationKind,
    card::StateCode,
    operation::{CardAfter, Status},
    working::Map,
};

use super::{Entry, Finding, Ground, ensure};
use crate::{
    simulation::Simulation,
    world::{self, Island},
};

/// A hold by its operations.
struct Held {
    card: CardId,
    left: i64,
}

/// What the log added up to so far.
#[derive(Default)]
struct Books {
    lots: Map<(CardId, LotNo), i64>,
    balances: Map<CardId, i64>,
    holds: Map<HoldId, Held>,
    held: Map<CardId, i64>,
    last: Map<CardId, CardAfter>,
    newest: Map<CardId, OperationId>,
    approved: Map<OperationId, i64>,
    refunded: Map<OperationId, i64>,
    reversed: Map<OperationId, OperationId>,
    refund_of: Map<OperationId, (OperationId, i64)>,
    tombstones: Map<(ClientId, IdempotencyKey), OperationId>,
    wrong_pins: Map<CardId, u8>,
}

pub(super) fn check(log: &[Entry], simulation: &Simulation, ground: &Ground<'_>) -> Finding {
    let mut books = Books::default();
    for entry in log {
        books.enter(entry).map_err(|wrong| format!("{}: {wrong}", entry.operation.id))?;
    }
    for card in ground.cards.iter().filter_map(|new| simulation.database.card(new.card.id)) {
        let wrong = books.wrong_pins.get(&card.id).copied().unwrap_or(0);
        let counted = card.pin.lifetime_failures;
        ensure(counted == wrong, || format!("{}: {wrong} wrong PINs, {counted} counted", card.id))?;
    }
    Ok(())
}

impl Books {
    fn enter(&mut self, entry: &Entry) -> Finding {
        self.is_fit_before(entry)?;
        self.pins(entry)?;
        self.transfers(entry)?;
        if entry.operation.is_approved() {
            self.holds(entry)?;
            self.given_back(entry)?;
        }
        self.cards(entry)
    }

    /// Who was reversed before it came is not carried out, and only an active card pays.
    fn is_fit_before(&mut self, entry: &Entry) -> Finding {
        let operation = &entry.operation;
        // An expiry states what is so already, whatever its key went through.
        if !operation.is_approved() || operation.kind == OperationKind::Expiry {
            return Ok(());
        }
        let key = (operation.client, operation.key.clone());
        let tombstone = self.tombstones.get(&key);
        ensure(tombstone.is_none(), || format!("carried out though reversed before by {tombstone:?}"))?;
        let pays = matches!(
            operation.kind,
            OperationKind::Redemption | OperationKind::Hold | OperationKind::Load | OperationKind::Transfer
        );
        let Some(card) = operation.card.filter(|_| pays) else { return Ok(()) };
        let state = self.last.get(&card.id).map_or(StateCode::Stocked, |after| after.state);
        ensure(state == StateCode::Active, || format!("approved on a card that was {state:?}"))?;
        if operation.kind == OperationKind::Load {
            return Ok(());
        }
        let balance = self.balances.get(&card.id).copied().unwrap_or(0);
        let free = balance - self.held.get(&card.id).copied().unwrap_or(0);
        ensure(operation.approved.get() <= free, || {
            format!("{} of {free} available were approved", operation.approved)
        })
    }

    /// Every wrong PIN counts, and none is accepted.
    fn pins(&mut self, entry: &Entry) -> Finding {
        let operation = &entry.operation;
        let (Some(card), Some(ask)) = (operation.card, &entry.ask) else { return Ok(()) };
        if operation.status == Status::Declined(Decline::PinWrong) {
            *self.wrong_pins.entry(card.id).or_default() += 1;
        }
        let Some(pin) = ask.pin().filter(|_| operation.is_approved()) else { return Ok(()) };
        ensure(&*pin.0 == world::PIN, || "a wrong PIN was accepted".to_owned())
    }

    fn transfers(&mut self, entry: &Entry) -> Finding {
        for transfer in &entry.transfers {
            let sides = [
                (transfer.debit, transfer.debit_lot, -transfer.amount.get()),
                (transfer.credit, transfer.credit_lot, transfer.amount.get()),
            ];
            for (account, lot, change) in sides {
                let (Account::Card(card), Some(lot)) = (account, lot) else { continue };
                let value = self.lots.entry((card, lot)).or_default();
                *value += change;
                ensure(*value >= 0, || format!("lot {} of {card} is below zero", lot.0))?;
                *self.balances.entry(card).or_default() += change;
                ensure(Island::issuer_of(card) == entry.operation.issuer, || {
                    format!("moves value of {card}, which is another issuer's")
                })?;
            }
        }
        Ok(())
    }

    fn holds(&mut self, entry: &Entry) -> Finding {
        let operation = &entry.operation;
        let approved = operation.approved.get();
        match operation.kind {
            OperationKind::Hold => {
                let (Some(id), Some(card)) = (operation.hold, operation.card) else { return Ok(()) };
                *self.held.entry(card.id).or_default() += approved;
                self.holds.insert(id, Held { card: card.id, left: approved });
                Ok(())
            }
            OperationKind::Capture => {
                let is_final = entry
                    .ask
                    .as_ref()
                    .is_some_and(|ask| matches!(&ask.command, Command::Capture(capture) if capture.is_final));
                self.take_from_hold(operation.hold, Some(approved).filter(|_| !is_final), approved)
            }
            OperationKind::Release => self.take_from_hold(operation.hold, None, approved),
            OperationKind::Reversal => {
                let original = operation.original.map(|id| HoldId::new(id.get()));
                if original.is_some_and(|id| self.holds.contains_key(&id)) {
                    return self.take_from_hold(original, None, approved);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes so much out of a hold, or all that is left.
    fn take_from_hold(&mut self, id: Option<HoldId>, part: Option<i64>, approved: i64) -> Finding {
        let Some(hold) = id.and_then(|id| self.holds.get_mut(&id)) else {
            return Err(format!("takes from {id:?}, which was never made"));
        };
        ensure(approved <= hold.left, || format!("takes {approved} of {} held", hold.left))?;
        let freed = part.unwrap_or(hold.left);
        hold.left -= freed;
        *self.held.entry(hold.card).or_default() -= freed;
        Ok(())
    }

    fn given_back(&mut self, entry: &Entry) -> Finding {
        let operation = &entry.operation;
        let approved = operation.approved.get();
        self.approved.insert(operation.id, approved);
        match (operation.kind, operation.original) {
            (OperationKind::Refund, Some(original)) => {
                let refunded = self.refunded.entry(original).or_default();
                *refunded += approved;
                self.refund_of.insert(operation.id, (original, approved));
                let most = self.approved.get(&original).copied().unwrap_or(0);
                ensure(*refunded <= most, || format!("{refunded} refunded of {most} for {original}"))?;
                let reversed = self.reversed.get(&original);
                ensure(reversed.is_none(), || format!("refunds {original}, reversed by {reversed:?}"))
            }
            (OperationKind::Reversal, Some(original)) => {
                let first = self.reversed.insert(original, operation.id);
                ensure(first.is_none(), || format!("reverses {original} after {first:?}"))?;
                let refunded = self.refunded.get(&original).copied().unwrap_or(0);
                ensure(refunded == 0, || format!("reverses {original}, of which {refunded} was refunded"))?;
                if let Some((redemption, amount)) = self.refund_of.get(&original) {
                    *self.refunded.entry(*redemption).or_default() -= amount;
                }
                Ok(())
            }
            (OperationKind::Reversal, None) => {
                let named = operation.detail.original_key.as_deref();
                let key = named.and_then(|key| IdempotencyKey::parse(key).ok());
                self.tombstones.extend(key.map(|key| ((operation.client, key), operation.id)));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What an operation says of its cards is what the log adds up to.
    fn cards(&mut self, entry: &Entry) -> Finding {
        let operation = &entry.operation;
        for after in [operation.card, operation.counterpart].into_iter().flatten() {
            let balance = self.balances.get(&after.id).copied().unwrap_or(0);
            ensure(after.balance.get() == balance, || {
                format!("{} has {balance}, and {} is stated", after.id, after.balance)
            })?;
            let held = self.held.get(&after.id).copied().unwrap_or(0);
            ensure(after.held.get() == held, || {
                format!("{} holds {held}, and {} is stated", after.id, after.held)
            })?;
            ensure(0 <= held && held <= balance, || format!("{} holds {held} of {balance}", after.id))?;
            let last = self.newest.insert(after.id, operation.id);
            ensure(after.previous == last, || {
                format!("follows {:?} on {}, not {last:?}", after.previous, after.id)
            })?;
            ensure(last.is_none_or(|last| last < operation.id), || {
                format!("has a smaller id than {last:?}, which it follows on {}", after.id)
            })?;
            self.last.insert(after.id, after);
        }
        Ok(())
    }
}
