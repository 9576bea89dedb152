//! The simulated database: the ports of `storage` over a model of what is visible and what is durable.
//!
//! | | embedded | server |
//! |---|---|---|
//! | writers | one, in turn | several, of several nodes |
//! | isolation | by turn | cards locked in id order before anything of them is read; keys checked again at the commit |
//! | visible | at the commit | at the commit |
//! | durable | some time later, in order | at the commit |
//! | lost in a crash | what is not durable | nothing |
//!
//! What the write path does not use is left to the store in memory, which is not part of the simulation.

mod approvals;
mod holders;
mod identity;
mod passkeys;
mod ports;
mod providers;
mod reconciliation;
mod settlement;
mod state;
mod transaction;

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::Catalog;
use storage::{Durable, NewCard, Result, StorageError, memory::MemoryStore};
use tokio::sync::Notify;

use crate::{
    environment::{Environment, lock},
    planted::{self, Bug},
    profile,
};

use state::State;
pub(crate) use state::{Commit, trace_of};
pub(crate) use transaction::copy;

/// A database that any number of nodes may be connected to.
pub(crate) struct Database {
    environment: Arc<Environment>,
    state: Mutex<State>,
    /// Something changed that somebody may wait for: a lock is free, a commit is durable, all is over.
    changed: Notify,
    /// The turn of the one writer of an embedded database.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// For ports that the write path does not use.
    rest: MemoryStore,
}

/// What marks an error that was meant to happen.
pub(crate) const INJECTED: &str = "injected";

impl Database {
    pub(crate) fn new(environment: Arc<Environment>, catalog: Catalog, cards: Vec<NewCard>) -> Self {
        Self {
            environment,
            state: Mutex::new(State::new(catalog, cards)),
            changed: Notify::new(),
            turn: Arc::default(),
            rest: MemoryStore::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn is_embedded(&self) -> bool {
        self.environment.profile.database == profile::Database::Embedded
    }

    /// All commits that are still there, in order.
    pub(crate) fn with_log<R>(&self, read: impl FnOnce(&[Commit]) -> R) -> R {
        read(&self.state().log)
    }

    /// What is stored of a card now.
    pub(crate) fn card(&self, id: domain::CardId) -> Option<domain::Card> {
        self.state().cards.get(&id).map(|row| row.value.clone())
    }

    /// The power fails, or the server dies: connections are cut, locks are gone, and so is what was not
    /// durable, or some of it.
    pub(crate) fn crash(&self) {
        let mut state = self.state();
        let undurable = state.log.len() - state.durable;
        if self.is_embedded() {
            let kept = self.environment.random().index(undurable + 1);
            let lost = undurable - kept;
            if planted::is(Bug::SyncedOutOfOrder) && undurable > 0 {
                let at = state.durable;
                state.lose_one(at);
            } else {
                state.lose_last(lost);
            }
            state.durable = state.log.len();
        } else if planted::is(Bug::FailoverLosesCommits) {
            let lost = self.environment.random().index(3).min(state.log.len());
            state.lose_last(lost);
            state.durable = state.log.len();
        }
        state.epoch += 1;
        state.locks.clear();
        drop(state);
        self.environment.fault("crash of the database", i64::try_from(undurable).unwrap_or(0));
        self.changed.notify_waiters();
    }

    /// Whether it takes connections.
    pub(crate) fn set_up(&self, up: bool) {
        self.state().up = up;
        self.changed.notify_waiters();
    }

    /// A process opens an embedded database: what the one before left is synced before it counts.
    pub(crate) fn open(&self) {
        if self.is_embedded() && !planted::is(Bug::ReopenedUnsynced) {
            let mut state = self.state();
            state.durable = state.log.len();
        }
    }

    fn check_up(&self) -> Result<()> {
        if self.state().up { Ok(()) } else { unavailable() }
    }

    /// Syncs the log up to a commit some time later, and says when.
    fn sync_later(self: &Arc<Self>, commit: usize, epoch: u32) -> Durable {
        let database = Arc::clone(self);
        tokio::spawn(async move {
            let millis = 1 + database.environment.random().below(8);
            tokio::time::sleep(Duration::from_millis(millis)).await;
            let mut state = database.state();
            if state.epoch == epoch {
                state.durable = state.durable.max(commit + 1);
            }
            drop(state);
            database.changed.notify_waiters();
        });
        if planted::is(Bug::AnsweredBeforeDurable) {
            return storage::durable_already();
        }
        let database = Arc::clone(self);
        Box::pin(async move {
            loop {
                let changed = database.changed.notified();
                {
                    let state = database.state();
                    if state.epoch != epoch {
                        return Err(StorageError::Fatal(format!("{INJECTED}: the power failed")));
                    }
                    if state.durable > commit {
                        return Ok(());
                    }
                }
                changed.await;
            }
        })
    }
}

fn unavailable<T>() -> Result<T> {
    Err(StorageError::Unavailable(INJECTED.to_owned()))
}

/// A node's connection. Ends with its process.
pub(crate) struct Connection {
    pub(crate) database: Arc<Database>,
    pub(crate) process: Arc<AtomicBool>,
}

impl Connection {
    fn is_alive(&self) -> bool {
        self.process.load(Ordering::Relaxed)
    }
}
