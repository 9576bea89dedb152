//! A running server: engine, jobs and connections together, and how they end.

mod connections;
mod descriptors;
mod slow_readers;

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::Router;
use http_api::AppState;
use jobs::{Delivering, JobsConfig, JobsHandle};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
    task::JoinHandle,
};
use wallet::{CodeSender, Deliveries, Gateway, Queue};

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
            drain_delay: Duration::from_secs(limits.drain_delay),
            shutdown_timeout: Duration::from_secs(limits.shutdown_timeout),
        }
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header_timeout: Duration::from_secs(30),
            // For servers that a command starts for itself: nobody else is told that they end.
            drain_delay: Duration::ZERO,
            shutdown_timeout: Duration::from_secs(10),
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
    leaving: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    connections: JoinHandle<()>,
    upkeep: JoinHandle<()>,
    jobs: JobsHandle,
    running: RunningEngine,
}

impl Server {
    /// Begins to answer. What the options leave open is filled in.
    pub(crate) fn start(
        listener: TcpListener,
        running: RunningEngine,
        limits: ConnectionLimits,
        options: http_api::Options,
        gateway: Option<Arc<dyn Gateway>>,
    ) -> Result<Self> {
        let address = listener.local_addr()?;
        let metrics = metrics()?;
        let (sender, delivering) = deliveries(&running, gateway);
        let jobs = jobs::spawn(&running.engine, running.membership(), JobsConfig::default(), delivering);
        let wake = jobs.wake_issuing();
        let leaving = Arc::clone(&options.leaving);
        let board = jobs.board();
        let options = http_api::Options {
            metrics: Some(metrics.clone()),
            wake_issuing: Some(Arc::new(move || wake.notify_one())),
            membership: running.membership(),
            jobs: Some(Arc::new(move || board.states().into_iter().map(told).collect())),
            follow_log: true,
            code_sender: sender,
            ..options
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
        Ok(Self { address, leaving, stop, connections, upkeep, jobs, running })
    }

    /// Waits until the engine has ended by itself, which it never does in good order: a failed write ends
    /// the process before, so this is a bug of ours.
    pub(crate) async fn engine_ended(&self) {
        while self.running.engine.is_running() {
            tokio::time::sleep(WATCH).await;
        }
    }

    /// Says that it is not ready any more, answers what still comes for a while and what has arrived, and ends
    /// the jobs meanwhile, so that other nodes have them at once; then ends the engine and leaves.
    pub(crate) async fn stop(self) -> Result {
        self.leaving.store(true, Ordering::Relaxed);
        let _ = self.stop.send(true);
        let (served, ()) = tokio::join!(self.connections, self.jobs.stop());
        self.upkeep.abort();
        self.running.stop().await?;
        Ok(served?)
    }
}

/// What takes codes in and what delivers them, where there is a gateway.
fn deliveries(
    running: &RunningEngine,
    gateway: Option<Arc<dyn Gateway>>,
) -> (Option<Arc<dyn CodeSender>>, Option<Delivering>) {
    let Some(gateway) = gateway else { return (None, None) };
    let wake = Arc::new(Notify::new());
    let queue = Queue::new(running.engine.clone(), Arc::clone(&wake));
    (Some(Arc::new(queue)), Some((Deliveries::new(running.engine.clone(), gateway), wake)))
}

/// A job as the interface shows it.
fn told(job: jobs::JobState) -> http_api::JobReport {
    http_api::JobReport {
        name: job.name,
        is_here: job.is_here,
        every_seconds: job.every_seconds,
        last_run: job.last_run,
        last_success: job.last_success,
        caught_up: job.caught_up,
        last_error: job.last_error,
        failures: job.failures,
        done: job.done,
        took_ms: job.took_ms,
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
