//! The write path: one writer at a time, and nothing visible before its commit.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    OperationId,
    operation::Recorded,
    working::{Changes, KeyState, Need, Working},
};
use tokio::sync::OwnedMutexGuard;

use super::{MemoryStore, state::State};
use crate::{Durable, Result, Transaction, Transactions, durable_already};

struct MemoryTransaction {
    store: MemoryStore,
    _turn: OwnedMutexGuard<()>,
}

#[async_trait]
impl Transactions for MemoryStore {
    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        Ok(Box::new(MemoryTransaction { store: self.clone(), _turn: turn }))
    }
}

#[async_trait]
impl Transaction for MemoryTransaction {
    async fn load(&mut self, needs: &[Need], working: &mut Working) -> Result<()> {
        let state = self.store.read();
        for need in needs {
            load_one(&state, need, working);
        }
        Ok(())
    }

    async fn commit(self: Box<Self>, changes: &Changes) -> Result<Durable> {
        let mut state = self.store.write();
        state.check(changes)?;
        state.apply(changes);
        Ok(durable_already())
    }
}

fn load_one(state: &State, need: &Need, working: &mut Working) {
    match need {
        Need::Key(client, key) => {
            let key = (*client, key.clone());
            let found = match (state.keys.get(&key), state.tombstones.get(&key)) {
                (Some(id), _) => KeyState::Taken(Arc::clone(&state.operations[id])),
                (None, Some(reversal)) => KeyState::Tombstone(*reversal),
                (None, None) => KeyState::Free,
            };
            working.keys.insert(key, found);
        }
        Need::Trace(key) => {
            let found = state.traces.get(key).map(|id| Arc::clone(&state.operations[id]));
            working.traces.insert(*key, found);
        }
        Need::Card(id) => {
            working.cards.insert(*id, state.cards.get(id).map(|stored| stored.card.clone()));
        }
        Need::Number(indexes) => {
            let found = state.find(indexes);
            if let Some(first) = indexes.first() {
                working.numbers.insert(*first, found);
            }
            if let Some(id) = found {
                // What an earlier decision made of the card must not be undone.
                working.cards.entry(id).or_insert_with(|| Some(state.cards[&id].card.clone()));
            }
        }
        Need::Operation(id) => {
            working.operations.insert(*id, recorded(state, *id));
        }
        Need::Hold(id) => {
            working.holds.insert(*id, state.holds.get(id).cloned());
        }
    }
}

fn recorded(state: &State, id: OperationId) -> Option<Recorded> {
    Some(Recorded {
        operation: Arc::clone(state.operations.get(&id)?),
        transfers: state.transfers_of(id).to_vec(),
        compensation: state.compensations.get(&id).copied().unwrap_or_default(),
    })
}
