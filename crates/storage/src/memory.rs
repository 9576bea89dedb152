//! A store in memory: the plain reference that other stores are compared with, and a quick store for
//! tests. It keeps whole domain values in maps and answers every question by a fold over them, so that
//! there is as little as possible in it that could be wrong. Not for production: nothing is durable.

mod accounting;
mod activity;
mod approvals;
mod audit;
mod catalog;
mod holders;
mod identity;
mod issue;
mod jobs;
mod keys;
mod nodes;
mod passkeys;
mod providers;
mod queries;
mod reconciliation;
mod settlement;
mod state;
mod transactions;
mod usage;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use state::State;
use tokio::sync::watch;

/// A store in memory. Clones share their data.
#[derive(Clone, Default)]
pub struct MemoryStore {
    /// Held by whoever writes, for as long as a transaction lasts.
    turn: Arc<tokio::sync::Mutex<()>>,
    state: Arc<RwLock<State>>,
    /// The catalog's revision, for those who wait for it to change.
    revised: Arc<watch::Sender<i64>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.read();
        write!(f, "MemoryStore({} cards, {} operations)", state.cards.len(), state.operations.len())
    }
}
