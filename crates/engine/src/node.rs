//! This process as one of several nodes on a database: its number, how long it may go on, and how it leaves.
//!
//! The lease is asked to be renewed every [`NodeConfig::renew_every`], many times within its length. By its own
//! monotonic clock, counted from when the question was sent, a node knows a moment before which nobody can have
//! taken its number: until then it is a member. Afterwards it takes no requests in until a renewal (or,
//! where its number was taken, a new lease) succeeds. Whatever it still gives out meanwhile cannot
//! contradict another node: ids stay within the lease's own moments (see `id_source`), and cards are
//! decided under the database's locks.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU16, Ordering},
    },
    time::Duration,
};

use storage::{NodeLease, StorageError, Store};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{
    clock::{Clock, DatabaseClock},
    id_source::IdSource,
};

/// How a node takes part.
pub struct NodeConfig {
    /// What people are told of who has the number: host and process, for example.
    pub name: String,
    /// How long a lease lasts that is not renewed: after that, the number of a dead node is free, and a
    /// node that cannot reach the database stops taking requests in.
    pub lease: Duration,
    /// How often it is renewed.
    pub renew_every: Duration,
    /// Called when ids were waited for in vain for ten seconds, because the lease is over. Should end the
    /// process.
    pub on_cut_off: Box<dyn Fn() + Send + Sync>,
}

impl NodeConfig {
    /// Usual times: longer than a failover of the database, and short enough for a dead node's jobs.
    pub fn new(name: String, on_cut_off: Box<dyn Fn() + Send + Sync>) -> Self {
        let (lease, renew_every) = (Duration::from_secs(30), Duration::from_secs(3));
        Self { name, lease, renew_every, on_cut_off }
    }
}

/// Why a process could not become a node.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// All numbers are taken.
    #[error(
        "all {} node numbers of this database are on loan; stop nodes that are not needed, or wait until the \
         leases of dead ones run out",
        storage::NODES
    )]
    NoNumber,
}

/// What the parts of a node may know of its membership. Cheap to clone.
#[derive(Clone)]
pub struct Membership(Arc<Shared>);

struct Shared {
    start: Instant,
    /// Until when the lease is certainly ours, in microseconds since `start`.
    ours_until: AtomicI64,
    nodes: AtomicU16,
    lease: Mutex<NodeLease>,
    left: watch::Sender<bool>,
}

impl Membership {
    fn new(lease: NodeLease) -> Self {
        Self(Arc::new(Shared {
            start: Instant::now(),
            ours_until: AtomicI64::new(0),
            nodes: AtomicU16::new(lease.nodes),
            lease: Mutex::new(lease),
            left: watch::Sender::new(false),
        }))
    }

    /// Whether nobody else can have this node's number yet.
    pub fn is_current(&self) -> bool {
        let now = i64::try_from(self.0.start.elapsed().as_micros()).unwrap_or(i64::MAX);
        now < self.0.ours_until.load(Ordering::Acquire) && !*self.0.left.borrow()
    }

    /// Nodes on this database when it was last asked, this one among them.
    pub fn nodes(&self) -> u16 {
        self.0.nodes.load(Ordering::Relaxed).max(1)
    }

    /// What this node's leases of jobs are held as. Another one after a number was lost.
    pub fn holder(&self) -> String {
        let lease = self.lease();
        format!("node-{}-{}", lease.node, lease.term)
    }

    /// The lease as it is.
    pub fn lease(&self) -> NodeLease {
        *self.0.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a lease that was asked for at `asked`.
    fn note(&self, lease: NodeLease, asked: Instant, time: Duration) {
        *self.0.lease.lock().unwrap_or_else(PoisonError::into_inner) = lease;
        self.0.nodes.store(lease.nodes, Ordering::Relaxed);
        let until = asked.saturating_duration_since(self.0.start) + time;
        let until = i64::try_from(until.as_micros()).unwrap_or(i64::MAX);
        self.0.ours_until.store(until, Ordering::Release);
        metrics::gauge!("hexiao_node_number").set(f64::from(lease.node));
        metrics::gauge!("hexiao_nodes").set(f64::from(lease.nodes));
    }
}

/// A node.
pub struct Node {
    store: Arc<dyn Store>,
    ids: Arc<IdSource>,
    clock: Arc<DatabaseClock>,
    membership: Membership,
    renewing: JoinHandle<()>,
}

impl Node {
    /// Leases a number and begins to renew it.
    pub async fn join(store: Arc<dyn Store>, config: NodeConfig) -> Result<Self, NodeError> {
        describe();
        let asked = Instant::now();
        let nothing = domain::Timestamp::from_micros(0);
        let lease = store.lease_node(&config.name, nothing, config.lease).await?;
        let lease = lease.ok_or(NodeError::NoNumber)?;
        let clock = Arc::new(DatabaseClock::new(lease.now));
        if lease.ids_from > clock.now() {
            tracing::warn!(
                until = %lease.ids_from,
                "the database's clock is behind ids that were given; time stands still until it has caught up"
            );
            clock.not_before(lease.ids_from);
        }
        let membership = Membership::new(lease);
        membership.note(lease, asked, config.lease);
        let ids = Arc::new(IdSource::leased(&lease, config.on_cut_off));
        let renewal = Renewal {
            store: Arc::clone(&store),
            ids: Arc::clone(&ids),
            clock: Arc::clone(&clock),
            membership: membership.clone(),
            name: config.name,
            lease: config.lease,
            every: config.renew_every,
        };
        let renewing = tokio::spawn(renewal.run());
        tracing::info!(node = lease.node, term = lease.term, nodes = lease.nodes, "joined");
        Ok(Self { store, ids, clock, membership, renewing })
    }

    /// Its ids, for [`crate::EngineConfig`].
    pub fn ids(&self) -> Arc<IdSource> {
        Arc::clone(&self.ids)
    }

    /// The database's clock, for the engine.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    /// What others may know of it.
    pub fn membership(&self) -> Membership {
        self.membership.clone()
    }

    /// Gives the number back at once. To be called when nobody asks for ids any more.
    pub async fn leave(self) -> storage::Result<()> {
        self.membership.0.left.send_replace(true);
        // A renewal in progress must not come after the release.
        let _ = self.renewing.await;
        let until = self.ids.close();
        self.store.release_node(&self.membership.lease(), until).await
    }
}

/// What keeps a lease.
struct Renewal {
    store: Arc<dyn Store>,
    ids: Arc<IdSource>,
    clock: Arc<DatabaseClock>,
    membership: Membership,
    name: String,
    lease: Duration,
    every: Duration,
}

impl Renewal {
    async fn run(self) {
        let mut left = self.membership.0.left.subscribe();
        let mut pause = self.every;
        while tokio::time::timeout(pause, left.wait_for(|left| *left)).await.is_err() {
            let asked = Instant::now();
            pause = match timeout(self.lease / 3, self.renew(asked)).await {
                Ok(Ok(())) => self.every,
                Ok(Err(error)) => self.failed(&error.to_string()),
                Err(_) => self.failed("the database does not answer"),
            };
        }
    }

    async fn renew(&self, asked: Instant) -> Result<(), NodeError> {
        let held = self.membership.lease();
        let at = self.ids.latest();
        let lease = if let Some(lease) = self.store.renew_node(&held, at, self.lease).await? {
            self.ids.renew(&lease, true);
            lease
        } else {
            // Nobody takes a number whose lease still runs: this process was frozen or cut off.
            let lease = self.store.lease_node(&self.name, at, self.lease).await?;
            let lease = lease.ok_or(NodeError::NoNumber)?;
            tracing::warn!(lost = held.node, node = lease.node, "another node took the number; joined again");
            self.ids.renew(&lease, false);
            lease
        };
        self.clock.align(lease.now, asked);
        self.membership.note(lease, asked, self.lease);
        Ok(())
    }

    /// Returns when to try again.
    fn failed(&self, why: &str) -> Duration {
        metrics::counter!("hexiao_node_renewal_failures_total").increment(1);
        let current = self.membership.is_current();
        tracing::warn!(why, current, "the node's lease could not be renewed; trying again");
        self.every.min(Duration::from_millis(500))
    }
}

fn describe() {
    metrics::describe_gauge!("hexiao_node_number", "This node's number");
    metrics::describe_gauge!("hexiao_nodes", "Nodes on the database");
    metrics::describe_gauge!("hexiao_catalog_revision", "Revision of the catalog that decisions go by");
    metrics::describe_counter!(
        "hexiao_node_renewal_failures_total",
        "Renewals of the node's lease that failed"
    );
    metrics::counter!("hexiao_node_renewal_failures_total").absolute(0);
}
