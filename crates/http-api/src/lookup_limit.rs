//! Limits on failing look-ups by number, because guessers live on them.
//!
//! Counted in windows of a minute: for each client, for each number, for each issuer and over all. What
//! succeeds is not counted, so that a busy till never meets these limits. A client that meets its own
//! limit cannot use up the one over all by itself.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{ClientId, IssuerId, Timestamp, command::NumberIndex};
use storage::{Usage, UsageKey};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    error::{Code, Problem},
    usage_kinds::{all_lookups, lookups_by, lookups_in, lookups_of},
    window_counts::{WindowCounts, seconds_left, window_of},
};

/// Failing look-ups per minute.
#[derive(Clone, Copy, Debug)]
pub struct LookupLimits {
    /// Of one client.
    pub per_client: u32,
    /// Of one number.
    pub per_number: u32,
    /// Of one issuer.
    pub per_issuer: u32,
    /// Of all together.
    pub overall: u32,
}

impl Default for LookupLimits {
    fn default() -> Self {
        Self { per_client: 30, per_number: 10, per_issuer: 300, overall: 1_000 }
    }
}

impl LookupLimits {
    /// Limits that nothing meets, for tests and load measurements.
    pub const UNLIMITED: Self =
        Self { per_client: u32::MAX, per_number: u32::MAX, per_issuer: u32::MAX, overall: u32::MAX };
}

/// Who looks what up.
#[derive(Clone, Copy)]
pub(crate) struct Lookup {
    /// The client.
    pub client: ClientId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// The index of the number; none if it cannot be a number of ours.
    pub number: Option<NumberIndex>,
}

/// Look-ups that are under way at once; more wait for their turn. Each counts as failed until it succeeds,
/// so this stays below what one client may fail: honest ones that come together are not turned away.
const AT_ONCE: usize = 24;

/// Counts failures.
pub(crate) struct LookupLimiter {
    limits: LookupLimits,
    turns: Semaphore,
    counts: Mutex<WindowCounts>,
}

impl LookupLimiter {
    /// A limiter.
    pub(crate) fn new(limits: LookupLimits) -> Self {
        Self { limits, turns: Semaphore::new(AT_ONCE), counts: Mutex::default() }
    }

    /// Waits for a turn, which lasts until what this returns is dropped.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so there is always a permit.
        self.turns.acquire().await.ok()
    }

    /// The same for several look-ups, at most as many as there are turns.
    pub(crate) async fn turns(&self, count: usize) -> Option<SemaphorePermit<'_>> {
        let count = u32::try_from(count.min(AT_ONCE)).unwrap_or(1);
        self.turns.acquire_many(count).await.ok()
    }

    /// Counts a look-up as failed until [`Self::forgive`] says otherwise: counting first keeps parallel
    /// guesses from all passing before the first has failed. On one of `nodes` nodes.
    pub(crate) fn count(&self, lookup: Lookup, now: Timestamp, nodes: u16) -> Result<(), Problem> {
        let mut counts = self.counts(now);
        if !self.keys(lookup, now).all(|(key, limit)| counts.admits(key, limit, nodes)) {
            metrics::counter!("hexiao_lookups_limited_total").increment(1);
            let why = "too many look-ups that found nothing; wait before the next one";
            return Err(Problem::new(Code::RateLimited, why).retry_after(seconds_left(now)));
        }
        self.keys(lookup, now).for_each(|(key, _)| counts.add(key));
        Ok(())
    }

    /// Takes a look-up that succeeded out of the count.
    pub(crate) fn forgive(&self, lookup: Lookup, now: Timestamp) {
        let mut counts = self.counts(now);
        self.keys(lookup, now).for_each(|(key, _)| counts.take(key));
    }

    /// What a look-up counts for, with its limits.
    fn keys(&self, lookup: Lookup, now: Timestamp) -> impl Iterator<Item = (UsageKey, u32)> {
        let (limits, window) = (self.limits, window_of(now));
        let number = lookup.number.map(|number| (lookups_of(number, window), limits.per_number));
        [
            (lookups_by(lookup.client, window), limits.per_client),
            (lookups_in(lookup.issuer, window), limits.per_issuer),
            (all_lookups(window), limits.overall),
        ]
        .into_iter()
        .chain(number)
    }

    fn counts(&self, now: Timestamp) -> MutexGuard<'_, WindowCounts> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.turn_to(window_of(now));
        counts
    }

    /// What other nodes do not know yet.
    pub(crate) fn untold(&self, now: Timestamp, most: usize) -> Vec<Usage> {
        self.counts(now).untold(most)
    }

    /// Takes note of what was told, and of the total of all nodes.
    pub(crate) fn settle(&self, now: Timestamp, told: &Usage, total: i64) {
        self.counts(now).settle(told, total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(client: i64, number: u8) -> Lookup {
        let number = Some(NumberIndex([number; 16]));
        Lookup { client: ClientId::new(client), issuer: IssuerId::new(1), number }
    }

    #[test]
    fn failures_count_and_successes_do_not() {
        let limits = LookupLimits { per_client: 3, per_number: 2, per_issuer: 5, overall: 6 };
        let limiter = LookupLimiter::new(limits);
        let now = Timestamp::from_micros(0);
        for _ in 0..10 {
            limiter.count(lookup(1, 1), now, 1).expect("forgiven each time");
            limiter.forgive(lookup(1, 1), now);
        }
        limiter.count(lookup(1, 1), now, 1).expect("first");
        limiter.count(lookup(1, 1), now, 1).expect("second");
        assert!(limiter.count(lookup(1, 1), now, 1).is_err(), "per number");
        limiter.count(lookup(1, 2), now, 1).expect("another number");
        assert!(limiter.count(lookup(1, 3), now, 1).is_err(), "per client");
        limiter.count(lookup(2, 3), now, 1).expect("another client");
        limiter.count(lookup(2, 4), now, 1).expect("another client");
        assert!(limiter.count(lookup(3, 5), now, 1).is_err(), "per issuer");
        limiter.count(lookup(1, 1), now.plus_seconds(60), 1).expect("the next minute");
    }
}
