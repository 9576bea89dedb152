//! Checks the books against the log all the time: adds the transfers of an hour up again and holds them against
//! the roll-up that balances are read from. The newest hours in every round, and one hour of the past after
//! the other, from the first to the last and again from the first.
//!
//! Holds merchants' accounts against their statements, too, and takes up corrections whose approval was written and
//! whose posting was interrupted.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use domain::{
    Timestamp,
    ids::{EPOCH_MS, SHIFT, floor_of},
};
use engine::Engine;
use finance::reconciliation::Reconciler;
use tokio::time::Instant;

use crate::{
    check_settlement::Settled,
    runner::{JobError, Round},
};

const MILLIS_PER_HOUR: i64 = 3_600_000;
const MILLIS_PER_SECOND: i64 = 1_000;
/// Hours of the past that are checked in one round.
const SWEPT: i64 = 4;
/// An hour of a busy chain holds millions of transfers, and adding them up again takes the database a while. It
/// rests for so many times as long, so that not one sale in a hundred feels it, …
const REST: u32 = 99;
/// … but never longer than this: whoever watches is told when books were not checked for a quarter of an hour.
const LONGEST_REST: Duration = Duration::from_mins(10);
/// What takes less needs no rest beside the job's own.
const SHORT: Duration = Duration::from_millis(300);
const MISMATCHES: &str = "hexiao_books_mismatches_total";
const CHECKED: &str = "hexiao_books_checked_timestamp_seconds";
const SWEPT_TO: &str = "hexiao_books_swept_timestamp_seconds";

/// How far the past was checked, between rounds.
#[derive(Clone, Default)]
pub(crate) struct Checking {
    /// The hour after the last one that was checked; 0 before the first round.
    next: Arc<AtomicI64>,
    /// Until when it rests.
    rests: Arc<Mutex<Option<Instant>>>,
    settled: Settled,
}

impl Checking {
    /// Makes the metrics known, so that an alert sees a counter before it grows.
    pub(crate) fn new() -> Self {
        metrics::describe_counter!(
            MISMATCHES,
            "Accounts whose hourly total is not what their transfers add up to"
        );
        metrics::describe_gauge!(
            CHECKED,
            "When the newest hours of the books were last checked against the log"
        );
        metrics::describe_gauge!(
            SWEPT_TO,
            "The moment up to which the past was checked in the present sweep"
        );
        metrics::counter!(MISMATCHES).absolute(0);
        Self { settled: Settled::new(), ..Self::default() }
    }

    /// Checks the newest hours and some of the past, where it is time to.
    pub(crate) async fn round(self, engine: Engine) -> Result<Round, JobError> {
        let mut done = 0;
        let began = Instant::now();
        if self.resting().is_none_or(|until| until <= began) {
            done += self.hours(&engine).await?;
            *self.rests.lock().unwrap_or_else(PoisonError::into_inner) =
                rest(began.elapsed()).map(|rest| Instant::now() + rest);
        }
        done += self.settled.round(&engine).await?;
        done += Reconciler::new(engine).resume().await?;
        Ok(Round { done, more: false })
    }

    fn resting(&self) -> Option<Instant> {
        *self.rests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn hours(&self, engine: &Engine) -> Result<u64, JobError> {
        let now = engine.now();
        let (first, newest) = (first_hour(engine, now), hour_of(now));
        let mut done = 0;
        for hour in [newest - 1, newest] {
            done += check(engine, hour).await?;
        }
        seconds_of(CHECKED, now.millis());
        let begin = self.next.load(Ordering::Relaxed);
        let begin = if (first..newest).contains(&begin) { begin } else { first };
        let end = newest.min(begin.saturating_add(SWEPT));
        for hour in begin..end {
            done += check(engine, hour).await?;
        }
        self.next.store(end, Ordering::Relaxed);
        seconds_of(SWEPT_TO, end.saturating_mul(MILLIS_PER_HOUR).saturating_add(EPOCH_MS));
        Ok(done)
    }
}

/// How long it rests after what took so long.
fn rest(took: Duration) -> Option<Duration> {
    (took >= SHORT).then(|| took.saturating_mul(REST).min(LONGEST_REST))
}

fn hour_of(at: Timestamp) -> i64 {
    (floor_of(at) >> SHIFT) / MILLIS_PER_HOUR
}

/// Nothing was written before there was an issuer.
fn first_hour(engine: &Engine, now: Timestamp) -> i64 {
    let begun = engine.catalog().issuers.values().map(|issuer| issuer.created_at).min();
    hour_of(begun.unwrap_or(now))
}

/// Checks an hour; says how many accounts.
async fn check(engine: &Engine, hour: i64) -> Result<u64, JobError> {
    let found = engine.store().check_hour(hour).await?;
    for wrong in &found.mismatches {
        metrics::counter!(MISMATCHES).increment(1);
        tracing::error!(
            issuer = %wrong.issuer, account = %wrong.account, currency = %wrong.currency, hour,
            transfers = wrong.transfers, rolled_up = wrong.rolled_up,
            "the roll-up of an account is not what its transfers add up to; run hexiao verify"
        );
    }
    Ok(found.accounts)
}

fn seconds_of(gauge: &'static str, millis: i64) {
    #[expect(clippy::cast_precision_loss, reason = "a metric")]
    let seconds = (millis / MILLIS_PER_SECOND) as f64;
    metrics::gauge!(gauge).set(seconds);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checking_takes_a_hundredth_of_the_time_and_is_never_put_off_for_long() {
        let cases = [(0.0, None), (0.25, None), (0.5, Some(49.5)), (4.0, Some(396.0)), (400.0, Some(600.0))];
        for (took, expected) in cases {
            let found = rest(Duration::from_secs_f64(took)).map(|rest| rest.as_secs_f64());
            assert_eq!(found, expected, "{took} s");
        }
    }
}
