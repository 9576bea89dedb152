//! Runs the jobs: each in a task of its own, in rounds, until told to stop.

use std::{sync::Arc, time::Duration};

use engine::{Engine, SubmitError};
use storage::StorageError;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::{expire_cards, issue_cards, release_holds, roll_up};

/// Why a round of a job failed. It is tried again in the next round.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The engine did not take the commands.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

/// How often jobs look for work.
#[derive(Clone, Copy, Debug)]
pub struct JobsConfig {
    /// Between rounds of releasing holds whose time ran out.
    pub release_holds: Duration,
    /// Between rounds of expiring cards and lots.
    pub expire_cards: Duration,
    /// Between rounds of rolling account totals up.
    pub roll_up: Duration,
    /// Between looks for unfinished batches, besides being woken.
    pub issue_cards: Duration,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self {
            release_holds: Duration::from_secs(1),
            expire_cards: Duration::from_mins(1),
            roll_up: Duration::from_secs(2),
            issue_cards: Duration::from_secs(30),
        }
    }
}

/// The running jobs.
pub struct JobsHandle {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    wake_issuing: Arc<Notify>,
}

impl JobsHandle {
    /// What wakes the job that makes cards, when a batch was asked for.
    pub fn wake_issuing(&self) -> Arc<Notify> {
        Arc::clone(&self.wake_issuing)
    }

    /// Stops the jobs after their current round, and waits for that.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

/// What a round of a job did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Round {
    /// Subjects dealt with.
    pub(crate) done: u64,
    /// Whether there is certainly more to do at once.
    pub(crate) more: bool,
}

/// Starts all jobs.
pub fn spawn(engine: &Engine, config: JobsConfig) -> JobsHandle {
    let (stop, stopped) = watch::channel(false);
    let wake_issuing = Arc::new(Notify::new());
    let never = Arc::new(Notify::new());
    let tasks = vec![
        run("release_holds", config.release_holds, &never, &stopped, engine, release_holds::round),
        run("expire_cards", config.expire_cards, &never, &stopped, engine, expire_cards::round),
        run("roll_up", config.roll_up, &never, &stopped, engine, roll_up::round),
        run("issue_cards", config.issue_cards, &wake_issuing, &stopped, engine, issue_cards::round),
    ];
    JobsHandle { stop, tasks, wake_issuing }
}

fn run<F>(
    name: &'static str,
    every: Duration,
    wake: &Arc<Notify>,
    stopped: &watch::Receiver<bool>,
    engine: &Engine,
    round: impl Fn(Engine) -> F + Send + 'static,
) -> JoinHandle<()>
where
    F: Future<Output = Result<Round, JobError>> + Send,
{
    let (wake, mut stopped, engine) = (Arc::clone(wake), stopped.clone(), engine.clone());
    metrics::counter!("hexiao_job_failures_total", "job" => name).absolute(0);
    tokio::spawn(async move {
        while !*stopped.borrow() && engine.is_running() {
            let more = report(name, &engine, round(engine.clone()).await);
            if more {
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = wake.notified() => {}
                _ = stopped.changed() => {}
            }
        }
    })
}

/// Counts a round. Returns whether to go on at once.
fn report(name: &'static str, engine: &Engine, round: Result<Round, JobError>) -> bool {
    match round {
        Ok(Round { done, more }) => {
            metrics::counter!("hexiao_job_items_total", "job" => name).increment(done);
            #[expect(clippy::cast_precision_loss, reason = "seconds since the epoch fit")]
            let now = (engine.now().millis() / 1000) as f64;
            metrics::gauge!("hexiao_job_last_success_timestamp_seconds", "job" => name).set(now);
            more && done > 0
        }
        Err(error) => {
            metrics::counter!("hexiao_job_failures_total", "job" => name).increment(1);
            tracing::warn!(job = name, %error, "a round failed; it will be tried again");
            false
        }
    }
}
