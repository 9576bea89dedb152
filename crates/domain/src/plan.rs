//! What must be read before a request can be decided.
//!
//! Called in rounds: the first names what the request names; once that is loaded, the next names what
//! those point to (the card of a hold, the successor of a closed card). Empty when all is there.

use crate::{
    BusinessDate, Card, CardId, Catalog, Decline, OperationId, Request, Timestamp,
    command::{CardRef, Command, Reverse},
    operation::{OperationKind, Recorded, Status},
    working::{KeyState, Need, TraceKey, Working},
};

/// The longest chain of successors that is followed from a replaced or merged card.
pub const MAX_SUCCESSORS: usize = 8;
/// The most rounds of reading that any request takes.
pub const MAX_ROUNDS: usize = MAX_SUCCESSORS + 4;

/// Appends what is still missing for `request` to `needs`. Nothing is appended once it can be decided.
pub fn plan(request: &Request, working: &Working, catalog: &Catalog, now: Timestamp, needs: &mut Vec<Need>) {
    let mut round = Round { working, needs };
    round.key(request);
    if let Some(key) = trace_key(request, catalog, now)
        && !working.traces.contains_key(&key)
    {
        round.needs.push(Need::Trace(key));
    }
    match &request.command {
        Command::Activate(c) => round.card_ref(&c.card),
        Command::Load(c) => round.card_ref(&c.card),
        Command::Redeem(c) => round.card_ref(&c.card),
        Command::Hold(c) => round.card_ref(&c.payment.card),
        Command::Capture(c) => round.hold(c.hold),
        Command::Release(c) => round.hold(c.hold),
        Command::Reverse(c) => round.reverse(request, c),
        Command::Refund(c) => round.refunded(c.original),
        Command::UnlinkedRefund(c) => round.card_ref(&c.card),
        Command::Adjust(c) => round.card_ref(&c.card),
        Command::Freeze(c) | Command::Close(c) => round.card_ref(&c.card),
        Command::Unfreeze(card) | Command::ReportLost(card) => round.card_ref(card),
        Command::Replace(c) | Command::Merge(c) => {
            round.card_ref(&c.from);
            round.card_ref(&c.to);
        }
        Command::Transfer(c) => {
            round.card_ref(&c.from);
            round.card_ref(&c.to);
        }
        Command::Expire(id) => round.card(*id),
        Command::Reactivate(c) => round.card_ref_and_successors(&c.card),
        Command::CashOut(c) => round.card_ref(&c.card),
        Command::BindMember(c) => round.card_ref(&c.card),
        Command::Inquire(c) => round.card_ref(&c.card),
        // The catalog says all there is to know.
        Command::Post(_) => {}
        Command::HolderRefund(c) => round.card_ref_and_successors(&c.card),
        Command::Exchange(c) => {
            round.card_ref(&c.from);
            round.card_ref(&c.to);
        }
    }
}

/// Whether what a command needs can grow with what is loaded or decided: it follows pointers from one
/// thing to the next. For all others one round of reading is enough.
pub const fn follows_pointers(command: &Command) -> bool {
    matches!(
        command,
        Command::Capture(_)
            | Command::Release(_)
            | Command::Reverse(_)
            | Command::Refund(_)
            | Command::Reactivate(_)
            | Command::HolderRefund(_)
    )
}

/// The trace key of a request that has a trace number and a terminal.
pub(crate) fn trace_key(request: &Request, catalog: &Catalog, now: Timestamp) -> Option<TraceKey> {
    let trace = request.trace?;
    let terminal = place_of(&request.command)?.terminal?;
    let issuer = catalog.issuers.get(&request.actor.issuer)?;
    Some(TraceKey { terminal, date: BusinessDate::of(now, &issuer.zone), trace })
}

/// The place that a command names.
pub(crate) fn place_of(command: &Command) -> Option<&crate::command::Place> {
    match command {
        Command::Activate(c) => Some(&c.place),
        Command::Load(c) => Some(&c.place),
        Command::Redeem(c) => Some(&c.place),
        Command::Hold(c) => Some(&c.payment.place),
        Command::UnlinkedRefund(c) => Some(&c.place),
        _ => None,
    }
}

struct Round<'a> {
    working: &'a Working,
    needs: &'a mut Vec<Need>,
}

impl<'a> Round<'a> {
    fn key(&mut self, request: &Request) {
        let key = (request.actor.client, request.key.clone());
        if !self.working.keys.contains_key(&key) {
            self.needs.push(Need::Key(key.0, key.1));
        }
    }

    fn card(&mut self, id: CardId) {
        if !self.working.cards.contains_key(&id) {
            self.needs.push(Need::Card(id));
        }
    }

    fn card_ref(&mut self, card: &CardRef) {
        match card {
            CardRef::Id(id) | CardRef::Held { card: id, .. } => self.card(*id),
            CardRef::Number(indexes) => {
                // Without an index there is nothing to look for, in any round.
                let Some(first) = indexes.first() else { return };
                match self.working.numbers.get(first) {
                    Some(Some(id)) => self.card(*id),
                    Some(None) => {}
                    None => self.needs.push(Need::Number(indexes.clone())),
                }
            }
        }
    }

    fn operation(&mut self, id: OperationId) -> Option<&'a Recorded> {
        let found = self.working.operations.get(&id);
        if found.is_none() {
            self.needs.push(Need::Operation(id));
        }
        found?.as_ref()
    }

    fn hold(&mut self, id: crate::HoldId) {
        match self.working.holds.get(&id) {
            Some(Some(hold)) => self.card(hold.card),
            Some(None) => {}
            None => self.needs.push(Need::Hold(id)),
        }
    }

    fn card_ref_and_successors(&mut self, card: &CardRef) {
        self.card_ref(card);
        match card {
            CardRef::Id(id) | CardRef::Held { card: id, .. } if self.working.cards.contains_key(id) => {
                self.card_and_successors(*id);
            }
            CardRef::Number(indexes) => {
                let found = indexes.first().and_then(|index| self.working.numbers.get(index));
                if let Some(Some(id)) = found
                    && self.working.cards.contains_key(id)
                {
                    self.card_and_successors(*id);
                }
            }
            CardRef::Id(_) | CardRef::Held { .. } => {}
        }
    }

    /// The card of an operation and the cards that took its place.
    fn card_and_successors(&mut self, id: CardId) {
        let mut next = Some(id);
        for _ in 0..=MAX_SUCCESSORS {
            let Some(id) = next else { return };
            match self.working.cards.get(&id) {
                Some(Some(card)) => next = successor(card),
                Some(None) => return,
                None => {
                    self.needs.push(Need::Card(id));
                    return;
                }
            }
        }
    }

    fn refunded(&mut self, original: OperationId) {
        let card = self.operation(original).and_then(|r| r.operation.card);
        if let Some(card) = card {
            self.card_and_successors(card.id);
        }
    }

    fn reverse(&mut self, request: &Request, reverse: &Reverse) {
        let key = (request.actor.client, reverse.original.clone());
        let Some(state) = self.working.keys.get(&key) else {
            self.needs.push(Need::Key(key.0, key.1));
            return;
        };
        let found = match state {
            KeyState::Taken(found) => found,
            KeyState::Tombstone(first) => {
                self.operation(*first);
                return;
            }
            KeyState::Free => return,
        };
        let Some(original) = self.operation(found.id) else { return };
        if let Some(reversal) = original.compensation.reversed_by {
            self.operation(reversal);
            return;
        }
        let operation = &original.operation;
        if operation.status == Status::Declined(Decline::ReversedBeforeArrival)
            && let Some(reversal) = operation.original
        {
            self.operation(reversal);
        }
        if let Some(card) = operation.card {
            self.card_and_successors(card.id);
        }
        if let Some(card) = operation.counterpart {
            self.card(card.id);
        }
        if let Some(hold) = operation.hold {
            self.hold(hold);
        }
        if operation.kind == OperationKind::Refund
            && let Some(redemption) = operation.original
        {
            self.operation(redemption);
        }
    }
}

fn successor(card: &Card) -> Option<CardId> {
    card.state.successor()
}
