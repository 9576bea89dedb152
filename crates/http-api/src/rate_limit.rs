//! Requests per second of each client, averaged, with bursts of as many.
//!
//! Each node holds a client to its whole rate by itself, and is told several times a second what the client
//! used elsewhere; that counts as if it had been used here. So over any longer time a client gets its rate
//! from all nodes together, and never less than its rate from one of them; only a burst that reaches
//! several nodes within a quarter of a second is let through by each, and is paid back after.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{ClientId, catalog::Client};
use storage::Usage;

use crate::{
    error::{Code, Problem},
    usage_kinds::requests_of,
};

const SECOND: i64 = 1_000_000_000;
/// The most that a client has to wait for what it used on other nodes.
const MAX_DEBT: i64 = 10 * SECOND;

/// A limiter for each client of the catalog.
pub(crate) struct ClientLimiter {
    start: Instant,
    limiters: RwLock<HashMap<ClientId, Arc<Limited>>>,
}

/// The generic cell rate algorithm: each request is due `interval` after the one before, and may come up to
/// a second early.
struct Limited {
    rate: u32,
    interval: i64,
    /// When the next request is due, in nanoseconds.
    due: AtomicI64,
    /// Requests let through here.
    own: AtomicI64,
    shared: Mutex<Shared>,
}

/// What is known of other nodes.
#[derive(Clone, Copy, Default)]
struct Shared {
    /// Of our own, what the database was told.
    told: i64,
    /// The part of that which the database has forgotten since.
    forgotten: i64,
    /// The others', our own and what was due, at `asked`. None: never asked.
    others: Option<i64>,
    own: i64,
    due: i64,
    asked: i64,
}

impl Limited {
    fn new(rate: u32) -> Self {
        let interval = SECOND / i64::from(rate.max(1));
        let (due, own) = (AtomicI64::new(0), AtomicI64::new(0));
        Self { rate, interval, due, own, shared: Mutex::default() }
    }

    /// Lets a request through, or says for how long not, in nanoseconds.
    fn admit(&self, now: i64) -> Result<(), i64> {
        let mut due = self.due.load(Ordering::Relaxed);
        loop {
            let next = due.max(now).saturating_add(self.interval);
            let early = next.saturating_sub(now).saturating_sub(SECOND.max(self.interval));
            if early > 0 {
                return Err(early);
            }
            match self.due.compare_exchange_weak(due, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => break,
                Err(seen) => due = seen,
            }
        }
        self.own.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn untold(&self) -> i64 {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        self.own.load(Ordering::Relaxed).saturating_sub(shared.told)
    }

    /// Takes note of what was told, and counts what others used since as used here.
    fn settle(&self, told: i64, total: i64, now: i64) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.told = shared.told.saturating_add(told);
        if total < shared.told - shared.forgotten {
            // Nobody used it for long, and the database began anew with what was just told.
            shared.forgotten = shared.told - told;
        }
        let others = (total - (shared.told - shared.forgotten)).max(0);
        let more = shared.others.map_or(0, |before| others.saturating_sub(before).max(0));
        let own = self.own.load(Ordering::Relaxed);
        // All that was used since the last time, here and elsewhere, as if from then on: what has become due
        // meanwhile is not held against anybody.
        let used = own.saturating_sub(shared.own).saturating_add(more).saturating_mul(self.interval);
        let due = shared.due.max(shared.asked).saturating_add(used).min(now.saturating_add(MAX_DEBT));
        let due = self.due.fetch_max(due, Ordering::Relaxed).max(due);
        *shared = Shared { others: Some(others), asked: now, own, due, ..*shared };
    }
}

impl Default for ClientLimiter {
    fn default() -> Self {
        Self { start: Instant::now(), limiters: RwLock::default() }
    }
}

impl ClientLimiter {
    fn now(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_nanos()).unwrap_or(i64::MAX)
    }

    /// Counts a request.
    pub(crate) fn check(&self, client: &Client) -> Result<(), Problem> {
        let own = self.limiter_of(client);
        own.admit(self.now()).map_err(|wait| {
            let wait = Duration::from_nanos(u64::try_from(wait).unwrap_or(0));
            let detail = format!(
                "this client may send {} requests a second; wait, then send the same request again",
                own.rate
            );
            Problem::new(Code::RateLimited, detail).retry_after(wait.as_secs() + 1)
        })
    }

    fn limiter_of(&self, client: &Client) -> Arc<Limited> {
        let known = self.limiters.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(limited) = known.get(&client.id).filter(|l| l.rate == client.rate_per_second) {
            return Arc::clone(limited);
        }
        drop(known);
        let limited = Arc::new(Limited::new(client.rate_per_second));
        let mut known = self.limiters.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(client.id, Arc::clone(&limited));
        limited
    }

    /// What other nodes do not know yet.
    pub(crate) fn untold(&self, most: usize) -> Vec<(ClientId, Usage)> {
        let known = self.limiters.read().unwrap_or_else(PoisonError::into_inner);
        let untold = known.iter().map(|(client, limited)| (*client, limited.untold()));
        let untold = untold.filter(|(_, used)| *used != 0).take(most);
        untold.map(|(client, used)| (client, Usage { key: requests_of(client), used })).collect()
    }

    /// Takes note of what was told, and of the total of all nodes.
    pub(crate) fn settle(&self, client: ClientId, told: i64, total: i64) {
        let known = self.limiters.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(limited) = known.get(&client) {
            limited.settle(told, total, self.now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Admits what it can at a moment, at most so many.
    fn burst(limited: &Limited, at: i64, most: u32) -> u32 {
        (0..most).map_while(|_| limited.admit(at).ok()).map(|()| 1).sum()
    }

    #[test]
    fn a_rate_is_kept_with_bursts_of_a_second() {
        let limited = Limited::new(10);
        assert_eq!(burst(&limited, 5 * SECOND, 100), 10);
        assert!(limited.admit(5 * SECOND).is_err_and(|wait| wait == SECOND / 10));
        assert_eq!(burst(&limited, 5 * SECOND + SECOND / 2, 100), 5);
        assert_eq!(burst(&limited, 100 * SECOND, 100), 10, "what was not used does not add up");
        assert_eq!(burst(&Limited::new(1), 0, 5), 1);
    }

    /// Nodes that tell each other every quarter of a second, under a client that asks for all it can get.
    fn shared(nodes: usize, rate: u32, seconds: i64) -> u32 {
        let all: Vec<_> = (0..nodes).map(|_| Limited::new(rate)).collect();
        let (mut admitted, mut total) = (0, 0);
        for quarter in 0..seconds * 4 {
            let now = quarter * SECOND / 4;
            admitted += all.iter().map(|node| burst(node, now, u32::MAX)).sum::<u32>();
            for node in &all {
                let told = node.untold();
                total += told;
                node.settle(told, total, now);
            }
        }
        admitted
    }

    #[test]
    fn several_nodes_give_one_rate_in_the_long_run() {
        for nodes in [1, 2, 5] {
            let admitted = shared(nodes, 100, 60);
            let most = 100 * (60 + 2 * u32::try_from(nodes).expect("few"));
            assert!((5_800..=most).contains(&admitted), "{admitted} from {nodes} nodes");
        }
    }

    #[test]
    fn what_others_used_while_this_node_was_idle_is_not_held_against_a_client() {
        let limited = Limited::new(10);
        assert!(limited.admit(0).is_ok());
        limited.settle(1, 1, 0);
        // Ten a second elsewhere, for an hour.
        assert!(limited.admit(3600 * SECOND).is_ok());
        limited.settle(1, 36_002, 3600 * SECOND);
        assert_eq!(burst(&limited, 3600 * SECOND, 100), 8);
        // Forgotten meanwhile: counting goes on.
        limited.settle(8, 8, 3601 * SECOND);
        limited.settle(0, 14, 3602 * SECOND);
        assert_eq!(burst(&limited, 3602 * SECOND, 100), 10);
    }
}
