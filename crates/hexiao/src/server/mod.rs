//! A running server: engine, jobs and connections together, and how they end.

mod connections;
mod descriptors;

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::Router;
use http_api::AppState;
use jobs::{JobsConfig, JobsHandle};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    cli::ServerLimits,
    failure::{Failure, Result},
    installation::RunningEngine,
};

pub(crate) use connections::ConnectionLimits;
pub(crate) use descriptors::make_room;

/// Seconds, from far below one commit to far above what a till waits for.
const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
/// How often it is looked whether the engine still runs.
const WATCH: Duration = Duration::from_millis(500);
/// How often the recorder tidies up.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

impl From<ServerLimits> for ConnectionLimits {
    fn from(limits: ServerLimits) -> Self {
        Self {
            connections: limits.max_connections,
            header_timeout: Duration::from_secs(limits.header_timeout),
            shutdown_timeout: Duration::from_secs(limits.shutdown_timeout),
        }
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(20),
        }
    }
}

/// Takes the address, so that a taken one is reported before anything else is done.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(format!("cannot listen on {address}: {error}; choose another with --listen"))
    })
}

/// Starts to record metrics. To be called before the engine starts, which describes its own.
pub(crate) fn metrics() -> Result<PrometheusHandle> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;
    Ok(RECORDER.get_or_init(|| handle).clone())
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: watch::Sender<bool>,
    connections: JoinHandle<()>,
    upkeep: JoinHandle<()>,
    jobs: JobsHandle,
    running: RunningEngine,
}

impl Server {
    /// Begins to answer.
    pub(crate) fn start(
        listener: TcpListener,
        running: RunningEngine,
        limits: ConnectionLimits,
        protect_metrics: bool,
    ) -> Result<Self> {
        let address = listener.local_addr()?;
        let metrics = metrics()?;
        let jobs = jobs::spawn(&running.engine, JobsConfig::default());
        let wake = jobs.wake_issuing();
        let options = http_api::Options {
            metrics: Some(metrics.clone()),
            metrics_protected: protect_metrics,
            wake_issuing: Some(Arc::new(move || wake.notify_one())),
            ..http_api::Options::default()
        };
        let router = http_api::router(AppState::new(running.engine.clone(), options));
        let (stop, stopped) = watch::channel(false);
        let connections = tokio::spawn(connections::serve(listener, router, limits, stopped));
        let upkeep = tokio::spawn(async move {
            loop {
                tokio::time::sleep(METRICS_UPKEEP).await;
                metrics.run_upkeep();
            }
        });
        Ok(Self { address, stop, connections, upkeep, jobs, running })
    }

    /// Waits until the engine has ended by itself, which it never does in good order: a failed write ends
    /// the process before, so this is a bug of ours.
    pub(crate) async fn engine_ended(&self) {
        while self.running.engine.is_running() {
            tokio::time::sleep(WATCH).await;
        }
    }

    /// Takes no new connections, answers what has arrived, ends the jobs, then the engine.
    pub(crate) async fn stop(self) -> Result {
        let _ = self.stop.send(true);
        let served = self.connections.await;
        self.upkeep.abort();
        self.jobs.stop().await;
        self.running.stop().await?;
        Ok(served?)
    }
}

/// Serves any router with the same connections, such as a route that does nothing.
pub(crate) fn serve_bare(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    stopped: watch::Receiver<bool>,
) -> JoinHandle<()> {
    tokio::spawn(connections::serve(listener, router, limits, stopped))
}
