//! The write path: transactions that wait, fail, are in doubt, or come too late.

use std::{
    collections::hash_map::Entry,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    CardId,
    working::{Changes, Need, Working},
};
use storage::{Durable, Result, StorageError, Transaction, Transactions, durable_already};
use tokio::{
    sync::{OwnedMutexGuard, oneshot},
    time::{Instant, timeout_at},
};

use super::{
    Connection, Database, INJECTED,
    state::{Read, State},
    unavailable,
};
use crate::planted::{self, Bug};

/// How long a transaction waits for a lock before it takes itself for deadlocked.
const LOCK_PATIENCE: Duration = Duration::from_millis(100);

struct SimulatedTransaction {
    database: Arc<Database>,
    process: Arc<AtomicBool>,
    id: u64,
    epoch: u32,
    reads: Vec<Read>,
    locked: Vec<CardId>,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Drop for SimulatedTransaction {
    fn drop(&mut self) {
        let mut state = self.database.state();
        if state.epoch == self.epoch {
            for card in &self.locked {
                state.locks.remove(card);
            }
        }
        drop(state);
        self.database.changed.notify_waiters();
    }
}

#[async_trait]
impl Transactions for Connection {
    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        let database = Arc::clone(&self.database);
        let environment = &database.environment;
        environment.pause().await;
        database.check_up()?;
        if environment.strikes(environment.profile.faults.unavailable, "unavailable") {
            return unavailable();
        }
        let turn =
            if database.is_embedded() { Some(Arc::clone(&database.turn).lock_owned().await) } else { None };
        let (id, epoch) = {
            let mut state = database.state();
            state.transactions += 1;
            (state.transactions, state.epoch)
        };
        let process = Arc::clone(&self.process);
        let (reads, locked) = (Vec::new(), Vec::new());
        Ok(Box::new(SimulatedTransaction { database, process, id, epoch, reads, locked, _turn: turn }))
    }

    fn writers(&self) -> usize {
        self.database.environment.profile.writers
    }
}

#[async_trait]
impl Transaction for SimulatedTransaction {
    async fn load(&mut self, needs: &[Need], working: &mut Working) -> Result<()> {
        let database = Arc::clone(&self.database);
        database.environment.pause().await;
        if !database.is_embedded() && !planted::is(Bug::CardsNotLocked) {
            let cards = cards_of(needs, &database.state());
            self.lock(cards).await?;
        }
        let state = database.state();
        if state.epoch != self.epoch || !state.up {
            return unavailable();
        }
        for need in needs {
            self.read(&state, need, working);
        }
        Ok(())
    }

    async fn commit(self: Box<Self>, changes: &Changes) -> Result<Durable> {
        let (changes, database) = (copy(changes), Arc::clone(&self.database));
        if database.is_embedded() {
            return self.commit_here(changes).await;
        }
        let (reply, answer) = oneshot::channel();
        // On the server: goes on when the node that asked is gone.
        tokio::spawn(self.commit_there(changes, reply));
        match answer.await {
            Ok(Ok(())) => Ok(durable_already()),
            Ok(Err(StorageError::InDoubt(_))) if planted::is(Bug::DoubtTakenForDone) => Ok(durable_already()),
            Ok(Err(error)) => Err(error),
            Err(_) => in_doubt(),
        }
    }
}

fn in_doubt<T>() -> Result<T> {
    Err(StorageError::InDoubt(INJECTED.to_owned()))
}

/// The cards among the needs, in the order in which they are locked. What is known of a hold or an
/// operation changes under the lock of its card only, so those are locked before it is read.
fn cards_of(needs: &[Need], state: &State) -> Vec<CardId> {
    let card = |need: &Need| match need {
        Need::Card(id) => Some(*id),
        Need::Number(indexes) => indexes.iter().find_map(|index| state.numbers.get(index)).copied(),
        Need::Hold(id) if !planted::is(Bug::HoldReadBeforeLock) => {
            state.holds.get(id).map(|row| row.value.card)
        }
        Need::Operation(id) if !planted::is(Bug::RefundReadBeforeLock) => {
            state.operations.get(id).and_then(|row| row.value.operation.card).map(|card| card.id)
        }
        _ => None,
    };
    let mut cards: Vec<CardId> = needs.iter().filter_map(card).collect();
    cards.sort_unstable();
    cards.dedup();
    cards
}

pub(crate) fn copy(changes: &Changes) -> Changes {
    Changes {
        operations: changes.operations.clone(),
        transfers: changes.transfers.clone(),
        cards: changes.cards.clone(),
        holds: changes.holds.clone(),
        compensations: changes.compensations.clone(),
        tombstones: changes.tombstones.clone(),
    }
}

impl SimulatedTransaction {
    /// Locks one card after the other. Two transactions that wait for each other end by their patience.
    async fn lock(&mut self, cards: Vec<CardId>) -> Result<()> {
        let database = Arc::clone(&self.database);
        let end = Instant::now() + LOCK_PATIENCE;
        for card in cards {
            if self.locked.contains(&card) {
                continue;
            }
            loop {
                let changed = database.changed.notified();
                {
                    let mut state = database.state();
                    if state.epoch != self.epoch {
                        return unavailable();
                    }
                    if let Entry::Vacant(free) = state.locks.entry(card) {
                        free.insert(self.id);
                        self.locked.push(card);
                        break;
                    }
                }
                if timeout_at(end, changed).await.is_err() {
                    return Err(StorageError::Busy("deadlock".to_owned()));
                }
            }
        }
        Ok(())
    }

    fn read(&mut self, state: &State, need: &Need, working: &mut Working) {
        match need {
            Need::Key(client, key) => {
                let key = (*client, key.clone());
                let found = state.key(&key);
                self.reads.push(Read::Key(key.clone(), found.clone()));
                working.keys.insert(key, found);
            }
            Need::Trace(key) => {
                let found = state.traces.get(key).copied();
                self.reads.push(Read::Trace(*key, found));
                let operation = |id| Arc::clone(&state.operations[&id].value.operation);
                working.traces.insert(*key, found.map(operation));
            }
            Need::Card(id) => self.read_card(state, *id, working),
            Need::Number(indexes) => {
                let found = indexes.iter().find_map(|index| state.numbers.get(index)).copied();
                if let Some(first) = indexes.first() {
                    working.numbers.insert(*first, found);
                }
                if let Some(id) = found
                    && !working.cards.contains_key(&id)
                {
                    self.read_card(state, id, working);
                }
            }
            Need::Operation(id) => {
                self.reads.push(Read::Operation(*id, State::version_of(&state.operations, id)));
                working.operations.insert(*id, state.operations.get(id).map(|row| row.value.clone()));
            }
            Need::Hold(id) => {
                self.reads.push(Read::Hold(*id, State::version_of(&state.holds, id)));
                working.holds.insert(*id, state.holds.get(id).map(|row| row.value.clone()));
            }
        }
    }

    fn read_card(&mut self, state: &State, id: CardId, working: &mut Working) {
        self.reads.push(Read::Card(id, State::version_of(&state.cards, &id)));
        working.cards.insert(id, state.cards.get(&id).map(|row| row.value.clone()));
    }

    /// Checks and writes. Returns the position of the commit in the log.
    fn write(&self, changes: Changes) -> Result<usize> {
        let mut state = self.database.state();
        if state.epoch != self.epoch || !state.up {
            return in_doubt();
        }
        if !self.database.is_embedded() && !self.reads.iter().all(|read| state.is_current(read)) {
            return Err(StorageError::Busy("another writer came first".to_owned()));
        }
        state.check(&changes)?;
        let environment = &self.database.environment;
        for operation in &changes.operations {
            environment.note("stored", operation.id.get(), operation.approved.get());
        }
        let position = state.apply(changes);
        if !self.database.is_embedded() {
            state.durable = state.log.len();
        }
        Ok(position)
    }

    async fn commit_here(self: Box<Self>, changes: Changes) -> Result<Durable> {
        let database = Arc::clone(&self.database);
        let environment = &database.environment;
        environment.pause().await;
        if !self.process.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(StorageError::Fatal(format!("{INJECTED}: the process has ended")));
        }
        let faults = &environment.profile.faults;
        if environment.strikes(faults.busy, "busy") {
            return Err(StorageError::Busy(INJECTED.to_owned()));
        }
        let fails = environment.strikes(faults.fatal, "the disk refuses");
        if fails && environment.random().chance(500) {
            return Err(StorageError::Fatal(format!("{INJECTED}: nothing was written")));
        }
        let position = self.write(changes)?;
        if fails {
            return Err(StorageError::Fatal(format!("{INJECTED}: something was written")));
        }
        Ok(database.sync_later(position, self.epoch))
    }

    async fn commit_there(self: Box<Self>, changes: Changes, reply: oneshot::Sender<Result<()>>) {
        let database = Arc::clone(&self.database);
        let environment = &database.environment;
        let faults = &environment.profile.faults;
        environment.pause().await;
        if environment.strikes(faults.busy, "busy") {
            let _ = reply.send(Err(StorageError::Busy(INJECTED.to_owned())));
            return;
        }
        if environment.strikes(faults.in_doubt, "in doubt") {
            let late = environment.strikes(faults.late, "a late commit");
            let happens = late || environment.random().chance(500);
            if late {
                let _ = reply.send(in_doubt());
                environment.wait_up_to(300).await;
                let _ = self.write(changes);
            } else {
                if happens && planted::is(Bug::TornCommit) {
                    database.state().apply_torn(&changes);
                } else if happens {
                    let _ = self.write(changes);
                }
                drop(self);
                let _ = reply.send(in_doubt());
            }
            return;
        }
        let written = self.write(changes);
        let epoch = self.epoch;
        drop(self);
        environment.pause().await;
        let cut = database.state().epoch != epoch;
        let answer = if cut { in_doubt() } else { written.map(|_| ()) };
        let _ = reply.send(answer);
    }
}
