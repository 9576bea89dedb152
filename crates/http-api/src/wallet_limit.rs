//! Limits on what card holders and strangers do at the wallet: asking for sign-in codes, failing to sign in, and
//! changing things. Counted in windows of a minute and shared between nodes, like look-ups.
//!
//! Over all, a hundred failures a minute at codes of one in a million are one wrong sign-in in a week of attack
//! without pause, whoever's it is; limits of a number, of which the store is certain, bound what can be tried at
//! one holder.

use std::{
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{HolderId, Timestamp};
use storage::{Usage, UsageKey};

use crate::{
    error::{Code, Problem},
    usage_kinds::{all_sends, all_sign_in_failures, changes_by, sends_to, sign_in_failures_from},
    window_counts::{WindowCounts, seconds_left, window_of},
};

/// What is allowed in a minute.
#[derive(Clone, Copy, Debug)]
pub struct WalletLimits {
    /// Sign-in codes that one address asks for. Phones share the addresses of their network.
    pub sends_per_address: u32,
    /// Sign-in codes over all.
    pub sends_overall: u32,
    /// Failures to sign in from one address.
    pub failures_per_address: u32,
    /// Failures to sign in over all.
    pub failures_overall: u32,
    /// Changes by one holder.
    pub changes_per_holder: u32,
}

impl Default for WalletLimits {
    fn default() -> Self {
        Self {
            sends_per_address: 30,
            sends_overall: 600,
            failures_per_address: 20,
            failures_overall: 100,
            changes_per_holder: 60,
        }
    }
}

impl WalletLimits {
    /// Limits that nothing meets, for tests and load measurements.
    pub const UNLIMITED: Self = Self {
        sends_per_address: u32::MAX,
        sends_overall: u32::MAX,
        failures_per_address: u32::MAX,
        failures_overall: u32::MAX,
        changes_per_holder: u32::MAX,
    };
}

/// Counts.
pub(crate) struct WalletLimiter {
    limits: WalletLimits,
    counts: Mutex<WindowCounts>,
}

/// A sign-in that counts as failed until it has succeeded, so that attempts at once do not all pass.
pub(crate) struct Attempt {
    keys: Vec<UsageKey>,
}

impl WalletLimiter {
    /// A limiter.
    pub(crate) fn new(limits: WalletLimits) -> Self {
        Self { limits, counts: Mutex::default() }
    }

    /// Counts a request for a code.
    pub(crate) fn send(&self, from: Option<IpAddr>, now: Timestamp, nodes: u16) -> Result<(), Problem> {
        let window = window_of(now);
        let address = from.map(|from| (sends_to(from, window), self.limits.sends_per_address));
        let keys = [(all_sends(window), self.limits.sends_overall)].into_iter().chain(address);
        self.count(keys, "sign-in codes", now, nodes).map(|_| ())
    }

    /// Counts an attempt to sign in as failed.
    pub(crate) fn attempt(
        &self,
        from: Option<IpAddr>,
        now: Timestamp,
        nodes: u16,
    ) -> Result<Attempt, Problem> {
        let window = window_of(now);
        let address =
            from.map(|from| (sign_in_failures_from(from, window), self.limits.failures_per_address));
        let keys = [(all_sign_in_failures(window), self.limits.failures_overall)].into_iter().chain(address);
        self.count(keys, "failed sign-ins", now, nodes).map(|keys| Attempt { keys })
    }

    /// Takes an attempt that succeeded out of the count.
    pub(crate) fn forgive(&self, attempt: Attempt, now: Timestamp) {
        let mut counts = self.counts(now);
        attempt.keys.into_iter().for_each(|key| counts.take(key));
    }

    /// Counts a change by a holder.
    pub(crate) fn change(&self, holder: HolderId, now: Timestamp, nodes: u16) -> Result<(), Problem> {
        let key = (changes_by(holder, window_of(now)), self.limits.changes_per_holder);
        self.count(std::iter::once(key), "changes", now, nodes).map(|_| ())
    }

    fn count(
        &self,
        keys: impl Iterator<Item = (UsageKey, u32)>,
        what: &str,
        now: Timestamp,
        nodes: u16,
    ) -> Result<Vec<UsageKey>, Problem> {
        let keys: Vec<(UsageKey, u32)> = keys.collect();
        let mut counts = self.counts(now);
        if !keys.iter().all(|(key, limit)| counts.admits(*key, *limit, nodes)) {
            metrics::counter!("hexiao_wallet_limited_total").increment(1);
            let why = format!("too many {what} within a minute; wait before the next one");
            return Err(Problem::new(Code::RateLimited, why).retry_after(seconds_left(now)));
        }
        for (key, _) in &keys {
            counts.add(*key);
        }
        Ok(keys.into_iter().map(|(key, _)| key).collect())
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
