//! What every request needs: the engine, the limits, and how this server runs.

use std::{
    ops::Deref,
    sync::{Arc, Weak, atomic::AtomicBool},
    time::Duration,
};

use engine::{Engine, Membership};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    address_limit::{AddressLimiter, AddressLimits, Proxies},
    gate::RequestIds,
    lookup_limit::{LookupLimiter, LookupLimits},
    rate_limit::ClientLimiter,
    shared_limits,
};

/// How the interface runs.
#[derive(Clone)]
pub struct Options {
    /// The largest body, in bytes.
    pub max_body: usize,
    /// The largest body of `/v1/redemptions/batch`, in bytes.
    pub max_batch_body: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long an answer of the engine is waited for.
    pub answer_timeout: Duration,
    /// Where `/metrics` takes its text from; without it, the route answers 404.
    pub metrics: Option<PrometheusHandle>,
    /// Whether `/metrics` asks for a client with the scope `ledger_read` or `platform`. It shows rates
    /// and counts, never numbers, names or secrets.
    pub metrics_protected: bool,
    /// Limits on looking cards up by number.
    pub lookups: LookupLimits,
    /// Limits on strangers, by address.
    pub addresses: AddressLimits,
    /// Proxies whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<Proxies>,
    /// This process's part among several nodes on one database. Limits are shared with the others, and
    /// nothing is taken in while the membership is not certain. None: this process is alone.
    pub membership: Option<Membership>,
    /// Set when the process is about to stop: `/readyz` says so, so that no new requests are sent here, and
    /// those that come are still answered.
    pub leaving: Arc<AtomicBool>,
    /// Called when a batch was asked for, so that the job that makes cards need not wait for its turn.
    pub wake_issuing: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_body: 256 * 1024,
            max_batch_body: 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            metrics: None,
            metrics_protected: false,
            lookups: LookupLimits::default(),
            addresses: AddressLimits::default(),
            trusted_proxies: Vec::new(),
            membership: None,
            leaving: Arc::default(),
            wake_issuing: None,
        }
    }
}

/// Files that are taken in at once.
const UPLOADS: usize = 2;

/// The state of the routes. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

/// What [`AppState`] holds.
pub struct Inner {
    pub(crate) engine: Engine,
    pub(crate) options: Options,
    pub(crate) clients: ClientLimiter,
    pub(crate) lookups: LookupLimiter,
    pub(crate) addresses: AddressLimiter,
    pub(crate) request_ids: RequestIds,
    pub(crate) reconciler: finance::reconciliation::Reconciler,
    /// Files that are being sent: each is on disk as it arrives.
    pub(crate) uploads: Arc<tokio::sync::Semaphore>,
}

impl AppState {
    /// The state of an interface to this engine. With a membership, begins to share limits.
    pub fn new(engine: Engine, options: Options) -> Self {
        let lookups = LookupLimiter::new(options.lookups);
        let addresses = AddressLimiter::new(options.addresses);
        let request_ids = RequestIds::starting_at(engine.next_id());
        let clients = ClientLimiter::default();
        let reconciler = finance::reconciliation::Reconciler::new(engine.clone());
        let uploads = Arc::new(tokio::sync::Semaphore::new(UPLOADS));
        let state = Self(Arc::new(Inner {
            engine,
            options,
            clients,
            lookups,
            addresses,
            request_ids,
            reconciler,
            uploads,
        }));
        shared_limits::start(&state);
        state
    }

    /// The state without keeping it.
    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }
}

impl Inner {
    /// Nodes among which limits are shared.
    pub(crate) fn nodes(&self) -> u16 {
        self.options.membership.as_ref().map_or(1, Membership::nodes)
    }

    /// Whether this node may take requests in.
    pub(crate) fn is_member(&self) -> bool {
        self.options.membership.as_ref().is_none_or(Membership::is_current)
    }
}

impl Deref for AppState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
