//! The state that a batch of requests is decided on: what was loaded, and what earlier decisions of the
//! same batch made of it. Later requests of a batch see it, so that a batch equals one by one.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    BusinessDate, Card, CardId, ClientId, Hold, HoldId, IdempotencyKey, Operation, OperationId, TerminalId,
    command::NumberIndex,
    decide::Decision,
    operation::{Compensation, Recorded},
};

/// A map of one batch. Its hash is quick and the same in every run; what callers choose cannot hurt,
/// because a batch is small.
pub type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;
type Set<K> = HashSet<K, foldhash::fast::FixedState>;

/// What is known of a (client, idempotency key).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Never used.
    Free,
    /// Reversed before it arrived, by this operation.
    Tombstone(OperationId),
    /// Used by this operation.
    Taken(Arc<Operation>),
}

/// A terminal's own number of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceKey {
    /// The terminal.
    pub terminal: TerminalId,
    /// The business date.
    pub date: BusinessDate,
    /// The number.
    pub trace: u32,
}

/// Something that must be read before a request can be decided.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// What is known of a key.
    Key(ClientId, IdempotencyKey),
    /// The operation that a terminal's trace number names.
    Trace(TraceKey),
    /// A card by id.
    Card(CardId),
    /// A card by number: the first index that exists.
    Number(Vec<NumberIndex>),
    /// An operation with its transfers and what was given back of it.
    Operation(OperationId),
    /// A hold.
    Hold(HoldId),
}

/// A reversal that came before its original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The client.
    pub client: ClientId,
    /// The key that was reversed.
    pub key: IdempotencyKey,
    /// The reversal.
    pub reversal: OperationId,
}

/// Loaded state. A key that is absent was not read; a `None` was read and is not there.
#[derive(Debug, Default)]
pub struct Working {
    /// Keys.
    pub keys: Map<(ClientId, IdempotencyKey), KeyState>,
    /// Trace numbers.
    pub traces: Map<TraceKey, Option<Arc<Operation>>>,
    /// Cards.
    pub cards: Map<CardId, Option<Card>>,
    /// Cards by number, under the first index of the request.
    pub numbers: Map<NumberIndex, Option<CardId>>,
    /// Operations.
    pub operations: Map<OperationId, Option<Recorded>>,
    /// Holds.
    pub holds: Map<HoldId, Option<Hold>>,
}

/// Everything that a batch of decisions changes, ready to be written in one database transaction.
#[derive(Debug, Default)]
pub struct Changes {
    /// Operations in the order of their decision.
    pub operations: Vec<Arc<Operation>>,
    /// Their transfers, in the same order.
    pub transfers: Vec<crate::Transfer>,
    /// Cards as the batch leaves them, each once.
    pub cards: Vec<Card>,
    /// Holds as the batch leaves them, each once.
    pub holds: Vec<Hold>,
    /// What was given back, as the batch leaves it, each once.
    pub compensations: Vec<(OperationId, Compensation)>,
    /// Reversals without an original.
    pub tombstones: Vec<Tombstone>,
}

impl Changes {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }
}

/// What the decisions of a batch touched, in order of first touch.
#[derive(Debug, Default)]
pub struct Touched {
    operations: Vec<OperationId>,
    cards: Vec<CardId>,
    holds: Vec<HoldId>,
    compensations: Vec<OperationId>,
    tombstones: Vec<Tombstone>,
    seen_cards: Set<CardId>,
    seen_holds: Set<HoldId>,
    seen_compensations: Set<OperationId>,
}

impl Working {
    /// Lets a decision take effect, so that the next request of the batch sees it.
    pub fn apply(&mut self, decision: Decision, touched: &mut Touched) {
        let Decision { operation, transfers, cards, hold, compensations, tombstone } = decision;
        let operation = Arc::new(operation);
        for card in cards {
            if touched.seen_cards.insert(card.id) {
                touched.cards.push(card.id);
            }
            self.cards.insert(card.id, Some(card));
        }
        if let Some(hold) = hold {
            if touched.seen_holds.insert(hold.id) {
                touched.holds.push(hold.id);
            }
            self.holds.insert(hold.id, Some(hold));
        }
        for (id, compensation) in compensations {
            if touched.seen_compensations.insert(id) {
                touched.compensations.push(id);
            }
            if let Some(Some(recorded)) = self.operations.get_mut(&id) {
                recorded.compensation = compensation;
            }
        }
        if let Some(tombstone) = tombstone {
            let key = (tombstone.client, tombstone.key.clone());
            self.keys.insert(key, KeyState::Tombstone(tombstone.reversal));
            touched.tombstones.push(tombstone);
        }
        if let (Some(terminal), Some(trace)) = (operation.terminal, operation.trace) {
            let key = TraceKey { terminal, date: operation.business_date, trace };
            self.traces.insert(key, Some(Arc::clone(&operation)));
        }
        let key = (operation.client, operation.key.clone());
        self.keys.insert(key, KeyState::Taken(Arc::clone(&operation)));
        // A later request of the batch may refund or reverse it.
        touched.operations.push(operation.id);
        let recorded = Recorded { operation, transfers, compensation: Compensation::default() };
        self.operations.insert(recorded.operation.id, Some(recorded));
    }

    /// What must be written after a batch.
    pub fn changes(&mut self, touched: Touched) -> Changes {
        let cards = touched.cards.iter().filter_map(|id| self.cards.remove(id).flatten()).collect();
        let holds = touched.holds.iter().filter_map(|id| self.holds.remove(id).flatten()).collect();
        let compensations = touched
            .compensations
            .iter()
            .filter_map(|id| match self.operations.get(id) {
                Some(Some(recorded)) => Some((*id, recorded.compensation)),
                _ => None,
            })
            .collect();
        let (mut operations, mut transfers) = (Vec::with_capacity(touched.operations.len()), Vec::new());
        for recorded in touched.operations.iter().filter_map(|id| self.operations.remove(id).flatten()) {
            operations.push(recorded.operation);
            transfers.extend(recorded.transfers);
        }
        Changes { operations, transfers, cards, holds, compensations, tombstones: touched.tombstones }
    }
}
