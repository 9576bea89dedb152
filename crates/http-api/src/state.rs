//! What every request needs: the engine, the limits, and how this server runs.

use std::{ops::Deref, sync::Arc, time::Duration};

use engine::Engine;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    gate::RequestIds,
    lookup_limit::{LookupLimiter, LookupLimits},
    rate_limit::ClientLimiter,
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
            wake_issuing: None,
        }
    }
}

/// The state of the routes. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

/// What [`AppState`] holds.
pub struct Inner {
    pub(crate) engine: Engine,
    pub(crate) options: Options,
    pub(crate) clients: ClientLimiter,
    pub(crate) lookups: LookupLimiter,
    pub(crate) request_ids: RequestIds,
}

impl AppState {
    /// The state of an interface to this engine.
    pub fn new(engine: Engine, options: Options) -> Self {
        let lookups = LookupLimiter::new(options.lookups);
        let request_ids = RequestIds::starting_at(engine.next_id());
        Self(Arc::new(Inner { engine, options, clients: ClientLimiter::default(), lookups, request_ids }))
    }
}

impl Deref for AppState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
