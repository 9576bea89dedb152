//! What the store in memory holds, and how a batch of changes is checked and written.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use domain::{
    BatchId, CardId, Catalog, ClientId, Hold, HoldId, IdempotencyKey, Operation, OperationId, Timestamp,
    Transfer,
    command::NumberIndex,
    operation::Compensation,
    working::{Changes, TraceKey},
};

use crate::{Batch, Figure, NewCard, Result, Setting, StorageError, UsageKey};

/// Everything.
#[derive(Default)]
pub(super) struct State {
    pub(super) catalog: Catalog,
    pub(super) revision: i64,
    pub(super) batches: BTreeMap<BatchId, Batch>,
    /// Batches whose secrets are being exported, since when.
    pub(super) export_claims: HashMap<BatchId, Timestamp>,
    pub(super) cards: BTreeMap<CardId, NewCard>,
    pub(super) numbers: HashMap<NumberIndex, CardId>,
    pub(super) operations: BTreeMap<OperationId, Arc<Operation>>,
    pub(super) transfers: BTreeMap<OperationId, Vec<Transfer>>,
    pub(super) compensations: BTreeMap<OperationId, Compensation>,
    pub(super) keys: HashMap<(ClientId, IdempotencyKey), OperationId>,
    pub(super) traces: HashMap<TraceKey, OperationId>,
    pub(super) tombstones: HashMap<(ClientId, IdempotencyKey), OperationId>,
    pub(super) holds: BTreeMap<HoldId, Hold>,
    /// The newest operation that the roll-up has taken in. Totals are always folded from transfers.
    pub(super) rolled_up: Option<OperationId>,
    /// The newest operation that the journal's roll-up has taken in. The journal is always folded as well.
    pub(super) journaled: Option<OperationId>,
    pub(super) figures: Vec<Figure>,
    pub(super) settings: Vec<Setting>,
    pub(super) nodes: BTreeMap<u16, LentNode>,
    pub(super) leases: HashMap<String, HeldLease>,
    pub(super) usage: HashMap<UsageKey, Used>,
    pub(super) approvals: super::approvals::Approvals,
    pub(super) providers: super::providers::Providers,
    pub(super) people: super::identity::People,
    pub(super) reconciliations: super::reconciliation::Reconciliations,
    pub(super) settlements: super::settlement::Settlements,
    pub(super) holders: super::holders::Holders,
    pub(super) passkeys: super::passkeys::Passkeys,
}

/// Who has a node number, or had it last.
#[derive(Clone, Copy)]
pub(super) struct LentNode {
    pub(super) term: i64,
    pub(super) expires_at: Timestamp,
    pub(super) ids_until: Timestamp,
}

/// Who has a lease.
pub(super) struct HeldLease {
    pub(super) holder: String,
    pub(super) expires_at: Timestamp,
}

/// A total that nodes add to.
pub(super) struct Used {
    pub(super) total: i64,
    pub(super) expires_at: Timestamp,
}

pub(super) fn conflict<T>(what: &'static str) -> Result<T> {
    Err(StorageError::Conflict { what })
}

/// The trace number under which an operation is found again.
pub(super) fn trace_of(operation: &Operation) -> Option<TraceKey> {
    Some(TraceKey { terminal: operation.terminal?, date: operation.business_date, trace: operation.trace? })
}

impl State {
    pub(super) fn transfers_of(&self, id: OperationId) -> &[Transfer] {
        self.transfers.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The card with the first of these indexes that exists.
    pub(super) fn find(&self, indexes: &[NumberIndex]) -> Option<CardId> {
        indexes.iter().find_map(|index| self.numbers.get(index)).copied()
    }

    /// Refuses changes that contradict what is there, before any of them is written.
    pub(super) fn check(&self, changes: &Changes) -> Result<()> {
        let mut ids = HashSet::new();
        let mut keys = HashSet::new();
        let mut traces = HashSet::new();
        for operation in &changes.operations {
            if self.operations.contains_key(&operation.id) || !ids.insert(operation.id) {
                return conflict("id");
            }
            let key = (operation.client, operation.key.clone());
            if self.keys.contains_key(&key) || !keys.insert(key) {
                return conflict("key");
            }
            if let Some(trace) = trace_of(operation)
                && (self.traces.contains_key(&trace) || !traces.insert(trace))
            {
                return conflict("trace");
            }
        }
        let known = |id: &OperationId| ids.contains(id) || self.operations.contains_key(id);
        let stray_transfer = changes.transfers.iter().any(|t| !ids.contains(&t.operation));
        let stray_compensation = changes.compensations.iter().any(|(id, _)| !known(id));
        let stray_card = changes.cards.iter().any(|card| !self.cards.contains_key(&card.id));
        if stray_transfer || stray_compensation || stray_card { conflict("reference") } else { Ok(()) }
    }

    /// Writes changes that were checked.
    pub(super) fn apply(&mut self, changes: &Changes) {
        for operation in &changes.operations {
            self.keys.insert((operation.client, operation.key.clone()), operation.id);
            if let Some(trace) = trace_of(operation) {
                self.traces.insert(trace, operation.id);
            }
            self.operations.insert(operation.id, Arc::clone(operation));
        }
        for transfer in &changes.transfers {
            self.transfers.entry(transfer.operation).or_default().push(transfer.clone());
        }
        for card in &changes.cards {
            if let Some(stored) = self.cards.get_mut(&card.id) {
                stored.card = card.clone();
            }
        }
        self.holds.extend(changes.holds.iter().map(|hold| (hold.id, hold.clone())));
        self.compensations.extend(changes.compensations.iter().copied());
        for tombstone in &changes.tombstones {
            self.tombstones.insert((tombstone.client, tombstone.key.clone()), tombstone.reversal);
        }
    }
}
