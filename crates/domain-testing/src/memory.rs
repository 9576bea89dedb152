//! The simplest store: maps, and a batch run as the engine runs it (plan in rounds, decide, write once).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use domain::{
    Amount, Card, CardId, Catalog, ClientId, Hold, HoldId, IdempotencyKey, Operation, OperationId, Refusal,
    Request, Timestamp,
    command::NumberIndex,
    decide::{Context, Verdict, decide},
    hold::HoldStatus,
    operation::{Compensation, Recorded},
    plan,
    working::{Changes, KeyState, Need, Touched, TraceKey, Working},
};

use crate::{fixture::TestSecrets, invariants};

/// A request with what the engine adds to it.
#[derive(Clone, Debug)]
pub struct Call {
    /// The request.
    pub request: Request,
    /// The id that its operation gets.
    pub id: OperationId,
    /// When it is decided.
    pub now: Timestamp,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Decided now.
    Decided(Arc<Operation>),
    /// Decided before.
    Replayed(Arc<Operation>),
    /// Turned away.
    Refused(Refusal),
}

impl Answer {
    /// The operation, if there is one.
    pub fn operation(&self) -> Option<&Operation> {
        match self {
            Self::Decided(operation) | Self::Replayed(operation) => Some(operation),
            Self::Refused(_) => None,
        }
    }
}

/// All that is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Cards.
    pub cards: HashMap<CardId, Card>,
    /// Cards by number.
    pub numbers: HashMap<NumberIndex, CardId>,
    /// Holds.
    pub holds: HashMap<HoldId, Hold>,
    /// Operations with their transfers and what was given back.
    pub operations: HashMap<OperationId, Recorded>,
    /// Operations by key.
    pub keys: HashMap<(ClientId, IdempotencyKey), OperationId>,
    /// Operations by trace number.
    pub traces: HashMap<TraceKey, OperationId>,
    /// Reversals that came first.
    pub tombstones: HashMap<(ClientId, IdempotencyKey), OperationId>,
}

impl Memory {
    /// A store that holds these cards.
    pub fn with_cards(cards: impl IntoIterator<Item = Card>) -> Self {
        Self { cards: cards.into_iter().map(|card| (card.id, card)).collect(), ..Self::default() }
    }

    /// Runs calls as one batch: all read first, decided in order on one state, written once.
    ///
    /// # Panics
    /// If a decision breaks an invariant, or reading does not come to an end.
    pub fn batch(&mut self, catalog: &Catalog, calls: &[Call]) -> Vec<Answer> {
        let mut working = self.read(catalog, calls);
        let mut touched = Touched::default();
        let answers = calls.iter().map(|call| {
            // An earlier decision of this batch may have changed where the pointers lead.
            self.complete(catalog, std::slice::from_ref(call), &mut working);
            one(catalog, call, &mut working, &mut touched)
        });
        let answers = answers.collect();
        self.write(working.changes(touched));
        answers
    }

    /// Runs one call.
    ///
    /// # Panics
    /// As [`Memory::batch`].
    pub fn run(&mut self, catalog: &Catalog, call: &Call) -> Answer {
        self.batch(catalog, std::slice::from_ref(call)).pop().expect("an answer for a call")
    }

    /// Reads what the calls need, in rounds.
    ///
    /// # Panics
    /// If reading does not come to an end.
    pub fn read(&self, catalog: &Catalog, calls: &[Call]) -> Working {
        let mut working = Working::default();
        self.complete(catalog, calls, &mut working);
        working
    }

    fn complete(&self, catalog: &Catalog, calls: &[Call], working: &mut Working) {
        for _ in 0..plan::MAX_ROUNDS {
            let mut needs = Vec::new();
            for call in calls {
                plan::plan(&call.request, working, catalog, call.now, &mut needs);
            }
            if needs.is_empty() {
                return;
            }
            for need in needs {
                self.load(need, working);
            }
        }
        panic!("reading did not end after {} rounds", plan::MAX_ROUNDS);
    }

    fn load(&self, need: Need, working: &mut Working) {
        match need {
            Need::Key(client, key) => {
                let name = (client, key);
                let state = match (self.keys.get(&name), self.tombstones.get(&name)) {
                    (Some(id), _) => KeyState::Taken(self.operation(*id)),
                    (None, Some(reversal)) => KeyState::Tombstone(*reversal),
                    (None, None) => KeyState::Free,
                };
                working.keys.insert(name, state);
            }
            Need::Trace(key) => {
                working.traces.insert(key, self.traces.get(&key).map(|id| self.operation(*id)));
            }
            Need::Card(id) => {
                working.cards.insert(id, self.cards.get(&id).cloned());
            }
            Need::Number(indexes) => {
                let found = indexes.iter().find_map(|index| self.numbers.get(index)).copied();
                working.numbers.insert(indexes[0], found);
            }
            Need::Operation(id) => {
                working.operations.insert(id, self.operations.get(&id).cloned());
            }
            Need::Hold(id) => {
                working.holds.insert(id, self.holds.get(&id).cloned());
            }
        }
    }

    fn operation(&self, id: OperationId) -> Arc<Operation> {
        Arc::clone(&self.operations[&id].operation)
    }

    fn write(&mut self, changes: Changes) {
        let Changes { operations, transfers, cards, holds, compensations, tombstones } = changes;
        assert!(unique(cards.iter().map(|card| card.id)), "a card is written twice");
        assert!(unique(holds.iter().map(|hold| hold.id)), "a hold is written twice");
        assert!(unique(compensations.iter().map(|(id, _)| *id)), "a compensation is written twice");
        for operation in operations {
            let of = transfers.iter().filter(|t| t.operation == operation.id).cloned().collect();
            let key = (operation.client, operation.key.clone());
            assert!(self.keys.insert(key, operation.id).is_none(), "a key is used twice");
            if let (Some(terminal), Some(trace)) = (operation.terminal, operation.trace) {
                let key = TraceKey { terminal, date: operation.business_date, trace };
                assert!(self.traces.insert(key, operation.id).is_none(), "a trace number is used twice");
            }
            let id = operation.id;
            let recorded = Recorded { operation, transfers: of, compensation: Compensation::default() };
            assert!(self.operations.insert(id, recorded).is_none(), "an id is used twice");
        }
        self.cards.extend(cards.into_iter().map(|card| (card.id, card)));
        self.holds.extend(holds.into_iter().map(|hold| (hold.id, hold)));
        for (id, compensation) in compensations {
            self.operations.get_mut(&id).expect("a known operation").compensation = compensation;
        }
        for tombstone in tombstones {
            self.tombstones.insert((tombstone.client, tombstone.key), tombstone.reversal);
        }
    }

    /// What must hold between operations. Names the first thing that does not.
    pub fn audit(&self) -> Result<(), String> {
        for card in self.cards.values() {
            let open = self.holds.values().filter(|h| h.card == card.id && h.status == HoldStatus::Open);
            let held = Amount::checked_sum(open.map(Hold::remaining));
            if held != Some(card.held) {
                return Err(format!("{} holds {} but its open holds {held:?}", card.id, card.held));
            }
        }
        for recorded in self.operations.values() {
            if recorded.compensation.refunded > recorded.operation.approved {
                return Err(format!("{} was refunded beyond itself", recorded.operation.id));
            }
        }
        Ok(())
    }
}

fn one(catalog: &Catalog, call: &Call, working: &mut Working, touched: &mut Touched) -> Answer {
    let context = Context { catalog, now: call.now, id: call.id, secrets: &TestSecrets };
    match decide(&call.request, working, &context) {
        Ok(Verdict::Decided(decision)) => {
            if let Err(broken) = invariants::check(working, &decision) {
                panic!("{broken}\n{:?}\n{decision:#?}", call.request.command);
            }
            let operation = decision.operation.clone();
            working.apply(*decision, touched);
            Answer::Decided(Arc::new(operation))
        }
        Ok(Verdict::Replayed(operation)) => Answer::Replayed(operation),
        Err(refusal) => Answer::Refused(refusal),
    }
}

fn unique<T: Eq + std::hash::Hash>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = HashSet::new();
    items.into_iter().all(|item| seen.insert(item))
}
