//! Limits on failing look-ups by number, because guessers live on them.
//!
//! Counted in windows of a minute: for each client, for each number, for each issuer and over all. What
//! succeeds is not counted, so that a busy till never meets these limits. A client that meets its own
//! limit cannot use up the one over all by itself.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use domain::{ClientId, IssuerId, Timestamp, command::NumberIndex};

use crate::error::{Code, Problem};

const WINDOW_SECONDS: i64 = 60;
const MICROS: i64 = 1_000_000;
/// The most numbers that are watched at once. More than the limit over all can ever bring in a window.
const MAX_WATCHED: usize = 100_000;

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

#[derive(Default)]
struct Window {
    number: i64,
    clients: HashMap<ClientId, u32>,
    issuers: HashMap<IssuerId, u32>,
    numbers: HashMap<NumberIndex, u32>,
    overall: u32,
}

/// Counts failures.
pub(crate) struct LookupLimiter {
    limits: LookupLimits,
    window: Mutex<Window>,
}

impl LookupLimiter {
    /// A limiter.
    pub(crate) fn new(limits: LookupLimits) -> Self {
        Self { limits, window: Mutex::default() }
    }

    /// Counts a look-up as failed until [`Self::forgive`] says otherwise: counting first keeps parallel
    /// guesses from all passing before the first has failed.
    pub(crate) fn count(&self, lookup: Lookup, now: Timestamp) -> Result<(), Problem> {
        let mut window = self.window(now);
        let limits = self.limits;
        let over = |count: Option<&u32>, limit| count.copied().unwrap_or(0) >= limit;
        let number_over =
            lookup.number.is_some_and(|number| over(window.numbers.get(&number), limits.per_number));
        if over(window.clients.get(&lookup.client), limits.per_client)
            || over(window.issuers.get(&lookup.issuer), limits.per_issuer)
            || window.overall >= limits.overall
            || number_over
        {
            metrics::counter!("hexiao_lookups_limited_total").increment(1);
            return Err(too_many(now));
        }
        window.overall += 1;
        add(&mut window.clients, lookup.client);
        add(&mut window.issuers, lookup.issuer);
        if let Some(number) = lookup.number {
            add(&mut window.numbers, number);
        }
        Ok(())
    }

    /// Takes a look-up that succeeded out of the count.
    pub(crate) fn forgive(&self, lookup: Lookup, now: Timestamp) {
        let mut window = self.window(now);
        window.overall = window.overall.saturating_sub(1);
        take(&mut window.clients, &lookup.client);
        take(&mut window.issuers, &lookup.issuer);
        if let Some(number) = lookup.number {
            take(&mut window.numbers, &number);
        }
    }

    fn window(&self, now: Timestamp) -> std::sync::MutexGuard<'_, Window> {
        let number = now.micros().div_euclid(WINDOW_SECONDS * MICROS);
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.number != number {
            *window = Window { number, ..Window::default() };
        }
        window
    }
}

fn add<K: Eq + Hash>(counts: &mut HashMap<K, u32>, key: K) {
    if counts.len() < MAX_WATCHED || counts.contains_key(&key) {
        *counts.entry(key).or_default() += 1;
    }
}

fn take<K: Eq + Hash>(counts: &mut HashMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

fn too_many(now: Timestamp) -> Problem {
    let passed = now.micros().div_euclid(MICROS).rem_euclid(WINDOW_SECONDS);
    let left = u64::try_from(WINDOW_SECONDS - passed).unwrap_or(1);
    Problem::new(Code::RateLimited, "too many look-ups that found nothing; wait before the next one")
        .retry_after(left)
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
            limiter.count(lookup(1, 1), now).expect("forgiven each time");
            limiter.forgive(lookup(1, 1), now);
        }
        limiter.count(lookup(1, 1), now).expect("first");
        limiter.count(lookup(1, 1), now).expect("second");
        assert!(limiter.count(lookup(1, 1), now).is_err(), "per number");
        limiter.count(lookup(1, 2), now).expect("another number");
        assert!(limiter.count(lookup(1, 3), now).is_err(), "per client");
        limiter.count(lookup(2, 3), now).expect("another client");
        limiter.count(lookup(2, 4), now).expect("another client");
        assert!(limiter.count(lookup(3, 5), now).is_err(), "per issuer");
        limiter.count(lookup(1, 1), now.plus_seconds(60)).expect("the next minute");
    }
}
