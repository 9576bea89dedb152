//! Settles: takes the log into the statements of merchants all the time, and closes what is over.
//!
//! Keeps the open statements of each issuer in memory between rounds. Whatever goes wrong, they are made again
//! from the store. Others may settle beside it: whoever is second finds that something was changed.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    IssuerId, Timestamp,
    command::SYSTEM_CLIENT,
    ids::{EPOCH_MS, SHIFT},
    program::Status,
};
use engine::Engine;
use finance::settlement::{FinanceError, RunReport, Settler, Step, seal_accounts};
use storage::StorageError;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use crate::runner::{JobError, Round};

/// Operations that one round takes in for an issuer, before others have their turn and it is looked whether to stop.
const ROUND: u64 = 20_000;
/// It rests for so many times as long as a step took, because sales feel steps that follow each other, …
const REST: u32 = 3;
/// … but no longer than this, …
const LONGEST_REST: Duration = Duration::from_millis(200);
/// … and not at all where it is more than so many seconds behind them.
const FAR_BEHIND: i64 = 60;
/// How often it is looked for periods that are over.
const CLOSE_EVERY: Duration = Duration::from_secs(30);

/// How far behind the log statements are.
const LAG: &str = "hexiao_settlement_lag_seconds";

/// What is kept between rounds.
#[derive(Clone, Default)]
pub(crate) struct Settling {
    issuers: Arc<Mutex<HashMap<IssuerId, Kept>>>,
    /// Whether account numbers from before they were sealed have been looked for.
    sealed: Arc<AtomicBool>,
}

struct Kept {
    settler: Settler,
    closed_at: Option<Timestamp>,
}

impl Kept {
    async fn resume(engine: &Engine, issuer: IssuerId) -> Result<Self, FinanceError> {
        Ok(Self { settler: Settler::resume(engine, issuer, Step::Small).await?, closed_at: None })
    }
}

impl Settling {
    /// Makes the metrics known, so that an alert sees them from the start.
    pub(crate) fn new() -> Self {
        metrics::describe_gauge!(
            LAG,
            "Age of what is taken into statements next, where there is more to take in"
        );
        metrics::gauge!(LAG).set(0.0);
        Self::default()
    }

    /// A round for every issuer.
    pub(crate) async fn round(self, engine: Engine) -> Result<Round, JobError> {
        if !self.sealed.load(Ordering::Relaxed) {
            let sealed = seal_accounts(engine.store().as_ref(), engine.vault()).await?;
            if sealed > 0 {
                tracing::info!(
                    sealed,
                    "numbers of merchants' bank accounts were sealed under the current key"
                );
            }
            self.sealed.store(true, Ordering::Relaxed);
        }
        let mut kept = self.issuers.lock().await;
        let catalog = engine.catalog();
        let (mut round, mut lag) = (Round::default(), 0);
        for issuer in catalog.issuers.values().filter(|issuer| issuer.status == Status::Active) {
            match step(&engine, issuer.id, &mut kept).await {
                Ok((report, more)) => {
                    round.done += report.operations + report.statements;
                    round.more |= more;
                    lag =
                        lag.max(kept.get(&issuer.id).filter(|_| more).map_or(0, |own| behind(&engine, own)));
                    count(&report);
                }
                Err(error) => {
                    kept.remove(&issuer.id);
                    if !is_contention(&error) {
                        return Err(error.into());
                    }
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a metric")]
        metrics::gauge!(LAG).set(lag as f64);
        Ok(round)
    }
}

/// How old the last operation is that was taken in, in seconds.
fn behind(engine: &Engine, own: &Kept) -> i64 {
    let at = (own.settler.reached().get() >> SHIFT).saturating_add(EPOCH_MS);
    // Before the first there is nothing that could be old.
    if own.settler.reached().get() <= 0 {
        0
    } else {
        (engine.now().millis().saturating_sub(at) / 1000).max(0)
    }
}

/// Another node or a person settles at the same time: no failure.
fn is_contention(error: &FinanceError) -> bool {
    matches!(error, FinanceError::Storage(StorageError::Conflict { .. }))
}

async fn step(
    engine: &Engine,
    issuer: IssuerId,
    kept: &mut HashMap<IssuerId, Kept>,
) -> Result<(RunReport, bool), FinanceError> {
    let mut report = RunReport::default();
    // Taken out, so that what an error interrupts is not used again.
    let mut own = match kept.remove(&issuer) {
        Some(own) => own,
        None => Kept::resume(engine, issuer).await?,
    };
    own.settler.refresh().await?;
    let before = engine.now();
    let mut more = true;
    while more && report.operations < ROUND {
        let began = Instant::now();
        more = own.settler.accrue(&mut report).await?;
        if more && behind(engine, &own) < FAR_BEHIND {
            sleep(began.elapsed().saturating_mul(REST).min(LONGEST_REST)).await;
        }
    }
    let every = i64::try_from(CLOSE_EVERY.as_secs()).unwrap_or(i64::MAX);
    if !more && own.closed_at.is_none_or(|at| at.plus_seconds(every) <= before) {
        own.settler.close(before, None, SYSTEM_CLIENT, &mut report).await?;
        own.closed_at = Some(before);
    }
    kept.insert(issuer, own);
    Ok((report, more))
}

fn count(report: &RunReport) {
    metrics::counter!("hexiao_settlement_lines_total").increment(report.lines);
    metrics::counter!("hexiao_settlement_statements_total").increment(report.statements);
    metrics::counter!("hexiao_settlement_payouts_total").increment(report.payouts);
}
