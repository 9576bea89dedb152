//! Settlement runs that were asked for: one at a time for each issuer, each in a task that goes on when whoever
//! asked waits no longer. A run that dies with the process is gone on with by the next run or the job.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::IssuerId;
use engine::Engine;
use finance::settlement::{FinanceError, RunReport, RunScope, run_watched};
use tokio::time::{Instant, timeout_at};

/// What is known of a run when the time to answer has come.
#[derive(Debug)]
pub(crate) struct Waited {
    /// What was done so far.
    pub(crate) report: RunReport,
    /// Whether it goes on.
    pub(crate) more: bool,
}

/// The runs of this process.
#[derive(Default)]
pub(crate) struct SettlementRuns {
    issuers: Mutex<HashMap<IssuerId, Arc<tokio::sync::Mutex<()>>>>,
}

impl SettlementRuns {
    /// Runs, and waits for it at most so long. Where another run is in progress, begins after it; where that
    /// takes too long, does not begin.
    pub(crate) async fn run(
        &self,
        engine: &Engine,
        issuer: IssuerId,
        scope: RunScope,
        patience: Duration,
    ) -> Result<Waited, FinanceError> {
        let deadline = Instant::now() + patience;
        let turn = self.turn(issuer).lock_owned();
        let Ok(turn) = timeout_at(deadline, turn).await else {
            return Ok(Waited { report: RunReport::default(), more: true });
        };
        let so_far = Arc::new(Mutex::new(RunReport::default()));
        let (engine, shared) = (engine.clone(), Arc::clone(&so_far));
        let task = tokio::spawn(async move {
            let note = |report: &RunReport| report.clone_into(&mut held(&shared));
            let done = run_watched(&engine, issuer, scope, &note).await;
            drop(turn);
            if let Err(error) = &done {
                tracing::warn!(%issuer, %error, "a settlement run that was asked for did not come to its end");
            }
            done
        });
        match timeout_at(deadline, task).await {
            Ok(Ok(done)) => Ok(Waited { report: done?, more: false }),
            Ok(Err(_)) => Err(FinanceError::Damaged("the settlement run was broken off".to_owned())),
            Err(_) => Ok(Waited { report: held(&so_far).clone(), more: true }),
        }
    }

    fn turn(&self, issuer: IssuerId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(held(&self.issuers).entry(issuer).or_default())
    }
}

/// What is under these locks is whole also where its last holder panicked.
fn held<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
