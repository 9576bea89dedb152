//! Whose turn it is to run a job: of all nodes on a database, one runs it at a time.
//!
//! A lease for each job, kept for all of them with one question every few seconds. A node that dies leaves
//! its leases to run out, and another one goes on within [`TurnsConfig::lease`]. The leases save work and no
//! more than that: a node that was frozen in the middle of a round goes on with it when it wakes, beside
//! the node that took over, and nothing is done twice, because whatever jobs do has idempotency keys that
//! follow from its subject, or is one transaction with its cursor.

use std::{sync::Arc, time::Duration};

use engine::Membership;
use storage::Store;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};

/// How leases are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TurnsConfig {
    /// How long a job stays a dead node's.
    pub(crate) lease: Duration,
    /// How often leases are kept, and free ones looked for.
    pub(crate) every: Duration,
}

impl Default for TurnsConfig {
    fn default() -> Self {
        Self { lease: Duration::from_secs(15), every: Duration::from_secs(3) }
    }
}

/// Until when each job is ours, in the order of the names.
type Held = Vec<Option<Instant>>;

/// This node's part in the jobs.
#[derive(Clone)]
pub(crate) struct Turns {
    /// None: there are no other nodes.
    held: Option<watch::Receiver<Held>>,
}

/// What asks for leases.
pub(crate) struct Keeper {
    asking: Option<Asking>,
}

struct Asking {
    store: Arc<dyn Store>,
    holder: Arc<dyn Fn() -> String + Send + Sync>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Turns {
    /// Begins to ask. Without a membership, every turn is ours.
    pub(crate) fn start(
        store: &Arc<dyn Store>,
        membership: Option<Membership>,
        names: &'static [&'static str],
        config: TurnsConfig,
    ) -> (Self, Keeper) {
        match membership {
            None => (Self { held: None }, Keeper { asking: None }),
            Some(membership) => Self::ask(store, Arc::new(move || membership.holder()), names, config),
        }
    }

    fn ask(
        store: &Arc<dyn Store>,
        holder: Arc<dyn Fn() -> String + Send + Sync>,
        names: &'static [&'static str],
        config: TurnsConfig,
    ) -> (Self, Keeper) {
        let (sender, held) = watch::channel(vec![None; names.len()]);
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(keep(Arc::clone(store), Arc::clone(&holder), names, config, sender, stopped));
        let asking = Asking { store: Arc::clone(store), holder, stop, task };
        (Self { held: Some(held) }, Keeper { asking: Some(asking) })
    }

    /// Whether the job with this place in the names is ours now.
    pub(crate) fn is_ours(&self, job: usize) -> bool {
        let Some(held) = &self.held else { return true };
        held.borrow().get(job).copied().flatten().is_some_and(|until| Instant::now() < until)
    }

    /// Waits until leases were asked for again.
    pub(crate) async fn asked_again(&mut self) {
        match &mut self.held {
            Some(held) => {
                if held.changed().await.is_err() {
                    // Nobody asks any more: the jobs are being stopped.
                    std::future::pending::<()>().await;
                }
            }
            None => std::future::pending().await,
        }
    }
}

impl Keeper {
    /// Gives all leases up at once, so that other nodes need not wait. To be called when no job runs here.
    pub(crate) async fn stop(self) {
        let Some(asking) = self.asking else { return };
        let _ = asking.stop.send(true);
        let _ = asking.task.await;
        let holder = (asking.holder)();
        if let Err(error) = asking.store.release_leases(&holder).await {
            tracing::warn!(%error, "the leases of jobs could not be given up; they run out by themselves");
        }
    }
}

async fn keep(
    store: Arc<dyn Store>,
    holder: Arc<dyn Fn() -> String + Send + Sync>,
    names: &'static [&'static str],
    config: TurnsConfig,
    held: watch::Sender<Held>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let asked = Instant::now();
        match timeout(config.every, store.hold_leases(names, &holder(), config.lease)).await {
            Ok(Ok(ours)) => {
                // Counted from the question on, so never longer than the database counts.
                let until = |ours: &bool| ours.then_some(asked + config.lease);
                let now: Held = ours.iter().map(until).collect();
                for (name, until) in names.iter().zip(&now) {
                    metrics::gauge!("hexiao_job_is_here", "job" => *name).set(f64::from(until.is_some()));
                }
                held.send_replace(now);
            }
            Ok(Err(error)) => tracing::warn!(%error, "the leases of jobs could not be asked for"),
            Err(_) => tracing::warn!("the database does not answer for the leases of jobs"),
        }
        if timeout(config.every, stopped.wait_for(|stopped| *stopped)).await.is_ok() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use storage::memory::MemoryStore;

    use super::*;

    const NAMES: &[&str] = &["one", "two"];
    const CONFIG: TurnsConfig =
        TurnsConfig { lease: Duration::from_secs(3), every: Duration::from_millis(50) };

    fn node(store: &Arc<dyn Store>, name: &'static str) -> (Turns, Keeper) {
        Turns::ask(store, Arc::new(move || name.to_owned()), NAMES, CONFIG)
    }

    async fn until(what: impl Fn() -> bool) -> Duration {
        let started = Instant::now();
        while !what() {
            assert!(started.elapsed() < Duration::from_secs(20), "in time");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        started.elapsed()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_node_has_a_job_until_it_leaves_or_dies() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (first, leaving) = node(&store, "first");
        until(|| first.is_ours(0) && first.is_ours(1)).await;
        let (second, dying) = node(&store, "second");
        let watched = Instant::now();
        while watched.elapsed() < 2 * CONFIG.lease {
            assert!(!second.is_ours(0) && !second.is_ours(1), "kept longer than one lease");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        leaving.stop().await;
        until(|| second.is_ours(0) && second.is_ours(1)).await;
        let (third, _keeper) = node(&store, "third");
        dying.asking.expect("a task").task.abort();
        let waited = until(|| third.is_ours(0)).await;
        assert!(!second.is_ours(0), "it knows by its own clock that its time has run out");
        assert!(waited >= CONFIG.lease / 2, "not before the lease of the dead node ran out: {waited:?}");
    }
}
