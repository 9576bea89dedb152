//! What is stored, and how a commit is checked, written and lost again.

use std::{collections::HashSet, sync::Arc};

use domain::{
    Card, CardId, Catalog, ClientId, Hold, HoldId, IdempotencyKey, Operation, OperationId,
    command::NumberIndex,
    operation::{Compensation, Recorded},
    working::{Changes, KeyState, Map, TraceKey},
};
use storage::{NewCard, Result, StorageError};

use crate::planted::{self, Bug};

pub(crate) type Key = (ClientId, IdempotencyKey);

/// A row, and the commit that wrote it last.
pub(super) struct Row<T> {
    pub(super) value: T,
    pub(super) version: u64,
}

/// A commit as it stands in the log.
pub(crate) struct Commit {
    pub(crate) changes: Changes,
    undo: Undo,
}

/// What a commit wrote over.
#[derive(Default)]
struct Undo {
    cards: Vec<Card>,
    holds: Vec<(HoldId, Option<Hold>)>,
    compensations: Vec<(OperationId, Compensation)>,
}

/// What a transaction read, as it was.
pub(super) enum Read {
    Key(Key, KeyState),
    Trace(TraceKey, Option<OperationId>),
    Card(CardId, u64),
    Operation(OperationId, u64),
    Hold(HoldId, u64),
}

/// Everything.
#[derive(Default)]
pub(super) struct State {
    pub(super) up: bool,
    /// Grows with every crash: a transaction of an earlier one is over.
    pub(super) epoch: u32,
    pub(super) catalog: Catalog,
    pub(super) cards: Map<CardId, Row<Card>>,
    pub(super) numbers: Map<NumberIndex, CardId>,
    pub(super) holds: Map<HoldId, Row<Hold>>,
    pub(super) operations: Map<OperationId, Row<Recorded>>,
    pub(super) keys: Map<Key, OperationId>,
    pub(super) traces: Map<TraceKey, OperationId>,
    pub(super) tombstones: Map<Key, OperationId>,
    pub(super) newest: Option<OperationId>,
    pub(super) log: Vec<Commit>,
    /// How many commits of the log are durable.
    pub(super) durable: usize,
    version: u64,
    pub(super) locks: Map<CardId, u64>,
    pub(super) transactions: u64,
}

/// The trace number under which an operation is found again.
pub(crate) fn trace_of(operation: &Operation) -> Option<TraceKey> {
    Some(TraceKey { terminal: operation.terminal?, date: operation.business_date, trace: operation.trace? })
}

impl State {
    pub(super) fn new(catalog: Catalog, cards: Vec<NewCard>) -> Self {
        let mut state = Self { up: true, catalog, ..Self::default() };
        for new in cards {
            state.numbers.insert(new.index, new.card.id);
            state.cards.insert(new.card.id, Row { value: new.card, version: 0 });
        }
        state
    }

    pub(super) fn key(&self, key: &Key) -> KeyState {
        if planted::is(Bug::KeyOfAnyClient) {
            let anybodys = self.operations.values().map(|row| &row.value.operation).find(|o| o.key == key.1);
            if let Some(operation) = anybodys {
                return KeyState::Taken(Arc::clone(operation));
            }
        }
        match (self.keys.get(key), self.tombstones.get(key)) {
            (Some(id), _) => KeyState::Taken(Arc::clone(&self.operations[id].value.operation)),
            (None, Some(reversal)) => KeyState::Tombstone(*reversal),
            (None, None) => KeyState::Free,
        }
    }

    pub(super) fn version_of<K: std::hash::Hash + Eq, V>(rows: &Map<K, Row<V>>, key: &K) -> u64 {
        rows.get(key).map_or(0, |row| row.version)
    }

    /// Whether what was read is still so.
    pub(super) fn is_current(&self, read: &Read) -> bool {
        match read {
            Read::Key(key, seen) => match (seen, self.keys.get(key), self.tombstones.get(key)) {
                (KeyState::Taken(_), _, _) => true,
                _ if planted::is(Bug::KeysNotUnique) => true,
                (KeyState::Free, None, Some(_)) => planted::is(Bug::TombstoneRacesOriginal),
                (KeyState::Tombstone(_), None, Some(_)) | (KeyState::Free, None, None) => true,
                _ => false,
            },
            Read::Trace(key, seen) => self.traces.get(key) == seen.as_ref(),
            Read::Card(id, seen) => {
                planted::is(Bug::CardsNotLocked) || Self::version_of(&self.cards, id) == *seen
            }
            Read::Operation(id, seen) => {
                planted::is(Bug::RefundReadBeforeLock) || Self::version_of(&self.operations, id) == *seen
            }
            Read::Hold(id, seen) => {
                planted::is(Bug::HoldReadBeforeLock) || Self::version_of(&self.holds, id) == *seen
            }
        }
    }

    /// Refuses changes that contradict what is there, as unique indexes do.
    pub(super) fn check(&self, changes: &Changes) -> Result<()> {
        let mut keys = HashSet::new();
        for operation in &changes.operations {
            if self.operations.contains_key(&operation.id) && !planted::is(Bug::NodeNumberShared) {
                return Err(StorageError::Conflict { what: "id" });
            }
            let key = (operation.client, operation.key.clone());
            let in_batch = !keys.insert((operation.client, &operation.key));
            if (in_batch || self.keys.contains_key(&key)) && !planted::is(Bug::KeysNotUnique) {
                return Err(StorageError::Conflict { what: "key" });
            }
            if trace_of(operation).is_some_and(|trace| self.traces.contains_key(&trace)) {
                return Err(StorageError::Conflict { what: "trace" });
            }
        }
        Ok(())
    }

    /// Writes changes that were checked. Returns the position of the commit in the log.
    pub(super) fn apply(&mut self, changes: Changes) -> usize {
        self.version += 1;
        let undo = Undo {
            cards: self.write_cards(&changes),
            holds: self.write_holds(&changes),
            compensations: Vec::new(),
        };
        self.write_operations(&changes);
        let undo = Undo { compensations: self.write_compensations(&changes), ..undo };
        for tombstone in &changes.tombstones {
            if !planted::is(Bug::TombstoneNotStored) {
                self.tombstones.insert((tombstone.client, tombstone.key.clone()), tombstone.reversal);
            }
        }
        self.log.push(Commit { changes, undo });
        self.log.len() - 1
    }

    /// Writes cards without what led to them: a commit that fell apart.
    pub(super) fn apply_torn(&mut self, changes: &Changes) {
        self.version += 1;
        let _ = self.write_cards(changes);
    }

    fn write_cards(&mut self, changes: &Changes) -> Vec<Card> {
        let version = self.version;
        let mut before = Vec::with_capacity(changes.cards.len());
        for card in &changes.cards {
            let row = Row { value: card.clone(), version };
            before.extend(self.cards.insert(card.id, row).map(|row| row.value));
        }
        before
    }

    fn write_holds(&mut self, changes: &Changes) -> Vec<(HoldId, Option<Hold>)> {
        let version = self.version;
        let write = |hold: &Hold| {
            let before = self.holds.insert(hold.id, Row { value: hold.clone(), version });
            (hold.id, before.map(|row| row.value))
        };
        changes.holds.iter().map(write).collect()
    }

    fn write_operations(&mut self, changes: &Changes) {
        let version = self.version;
        let mut transfers = changes.transfers.iter().peekable();
        for operation in &changes.operations {
            let id = operation.id;
            self.keys.insert((operation.client, operation.key.clone()), id);
            if let Some(trace) = trace_of(operation)
                && !planted::is(Bug::TraceForgotten)
            {
                self.traces.insert(trace, id);
            }
            let mut of = Vec::new();
            while let Some(transfer) = transfers.next_if(|transfer| transfer.operation == id) {
                of.push(transfer.clone());
            }
            let operation = Arc::clone(operation);
            let value = Recorded { operation, transfers: of, compensation: Compensation::default() };
            self.operations.insert(id, Row { value, version });
            self.newest = self.newest.max(Some(id));
        }
    }

    fn write_compensations(&mut self, changes: &Changes) -> Vec<(OperationId, Compensation)> {
        let mut before = Vec::with_capacity(changes.compensations.len());
        for (id, compensation) in &changes.compensations {
            let Some(row) = self.operations.get_mut(id) else { continue };
            before.push((*id, row.value.compensation));
            row.value.compensation = *compensation;
            if planted::is(Bug::ReversalNotNoted) {
                row.value.compensation.reversed_by = None;
            }
            row.version = self.version;
        }
        before
    }

    /// Takes the last commits back, as a crash does that comes before they are durable.
    pub(super) fn lose_last(&mut self, count: usize) {
        for _ in 0..count {
            let Some(commit) = self.log.pop() else { return };
            self.undo(commit);
        }
    }

    /// Takes one commit back and leaves the later ones.
    pub(super) fn lose_one(&mut self, at: usize) {
        let commit = self.log.remove(at);
        self.undo(commit);
    }

    fn undo(&mut self, commit: Commit) {
        self.version += 1;
        let version = self.version;
        for operation in &commit.changes.operations {
            self.operations.remove(&operation.id);
            self.keys.remove(&(operation.client, operation.key.clone()));
            if let Some(trace) = trace_of(operation) {
                self.traces.remove(&trace);
            }
        }
        for tombstone in &commit.changes.tombstones {
            self.tombstones.remove(&(tombstone.client, tombstone.key.clone()));
        }
        for card in commit.undo.cards {
            self.cards.insert(card.id, Row { value: card, version });
        }
        for (id, hold) in commit.undo.holds {
            match hold {
                Some(value) => self.holds.insert(id, Row { value, version }),
                None => self.holds.remove(&id),
            };
        }
        for (id, compensation) in commit.undo.compensations {
            if let Some(row) = self.operations.get_mut(&id) {
                row.value.compensation = compensation;
                row.version = version;
            }
        }
        self.newest = self.operations.keys().max().copied();
    }
}
