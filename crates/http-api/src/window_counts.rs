//! Counts in windows of a minute, shared between nodes.
//!
//! What other nodes count is learned several times a second. In between, a node lets through no more than its
//! share of what was left when it last asked: left ÷ nodes, rounded up. So nodes that count at once exceed
//! a limit by rounding only, one node alone uses all of it, and a node that has not met a subject before
//! lets through at most its share of the limit until it has asked.

use std::collections::HashMap;

use domain::Timestamp;
use storage::{Usage, UsageKey};

const WINDOW_SECONDS: i64 = 60;
const MICROS: i64 = 1_000_000;
/// The most subjects that are watched at once.
const MAX_WATCHED: usize = 100_000;

/// The window of a moment.
pub(crate) fn window_of(now: Timestamp) -> i64 {
    now.micros().div_euclid(WINDOW_SECONDS * MICROS)
}

/// Seconds until the next window.
pub(crate) fn seconds_left(now: Timestamp) -> u64 {
    let passed = now.micros().div_euclid(MICROS).rem_euclid(WINDOW_SECONDS);
    u64::try_from(WINDOW_SECONDS - passed).unwrap_or(1)
}

/// What was counted of one subject.
#[derive(Clone, Copy, Default)]
struct Count {
    /// Here.
    own: i64,
    /// Of that, what the other nodes can know of.
    told: i64,
    /// On other nodes, as far as is known.
    others: i64,
}

/// The counts of one window.
#[derive(Default)]
pub(crate) struct WindowCounts {
    window: i64,
    counts: HashMap<UsageKey, Count>,
}

impl WindowCounts {
    /// Begins anew where a window has ended.
    pub(crate) fn turn_to(&mut self, window: i64) {
        if self.window != window {
            self.window = window;
            self.counts.clear();
        }
    }

    /// Whether one more is within the limit.
    pub(crate) fn admits(&self, key: UsageKey, limit: u32, nodes: u16) -> bool {
        let count = self.counts.get(&key).copied().unwrap_or_default();
        let left = i64::from(limit) - count.told - count.others;
        let nodes = i64::from(nodes.max(1));
        left > 0 && count.own - count.told < (left + nodes - 1) / nodes
    }

    /// Counts one.
    pub(crate) fn add(&mut self, key: UsageKey) {
        if self.counts.len() < MAX_WATCHED || self.counts.contains_key(&key) {
            self.counts.entry(key).or_default().own += 1;
        }
    }

    /// Takes one back.
    pub(crate) fn take(&mut self, key: UsageKey) {
        if let Some(count) = self.counts.get_mut(&key) {
            count.own -= 1;
            if count.own <= 0 && count.told == 0 && count.others == 0 {
                self.counts.remove(&key);
            }
        }
    }

    /// What other nodes do not know yet, at most `most`.
    pub(crate) fn untold(&self, most: usize) -> Vec<Usage> {
        let untold = self.counts.iter().filter(|(_, count)| count.own != count.told);
        untold.take(most).map(|(key, count)| Usage { key: *key, used: count.own - count.told }).collect()
    }

    /// Takes note of what was told, and of the total of all nodes.
    pub(crate) fn settle(&mut self, told: &Usage, total: i64) {
        if let Some(count) = self.counts.get_mut(&told.key) {
            count.told += told.used;
            count.others = (total - count.told).max(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(subject: u8) -> UsageKey {
        UsageKey { kind: 2, subject: [subject; 16], window: 0 }
    }

    /// Counts as many as are admitted.
    fn use_up(counts: &mut WindowCounts, limit: u32, nodes: u16) -> i64 {
        let mut admitted = 0;
        while counts.admits(key(1), limit, nodes) {
            counts.add(key(1));
            admitted += 1;
        }
        admitted
    }

    /// Tells and learns, as if the database added up.
    fn exchange(nodes: &mut [WindowCounts], total: &mut i64) {
        for node in nodes {
            for usage in node.untold(100) {
                *total += usage.used;
                node.settle(&usage, *total);
            }
        }
    }

    #[test]
    fn one_node_uses_all_of_a_limit() {
        let mut counts = WindowCounts::default();
        assert_eq!(use_up(&mut counts, 10, 1), 10);
        counts.take(key(1));
        assert_eq!(use_up(&mut counts, 10, 1), 1);
        counts.turn_to(1);
        assert_eq!(use_up(&mut counts, 10, 1), 10);
    }

    #[test]
    fn nodes_that_count_at_once_exceed_a_limit_by_rounding_only() {
        for (nodes, limit) in [(2_u16, 10_u32), (3, 10), (5, 1), (7, 30), (64, 1000)] {
            let mut all: Vec<_> = (0..nodes).map(|_| WindowCounts::default()).collect();
            let (mut admitted, mut total) = (0, 0);
            for _ in 0..20 {
                admitted += all.iter_mut().map(|node| use_up(node, limit, nodes)).sum::<i64>();
                exchange(&mut all, &mut total);
                // Each hears of what the others told after it.
                exchange(&mut all, &mut total);
                for node in &mut all {
                    node.settle(&Usage { key: key(1), used: 0 }, total);
                }
            }
            let most = i64::from(limit) + i64::from(nodes);
            assert!((i64::from(limit)..=most).contains(&admitted), "{admitted} of {limit} on {nodes}");
        }
    }

    #[test]
    fn the_table_is_bounded() {
        let mut counts = WindowCounts::default();
        for n in 0..2 * MAX_WATCHED as u128 {
            counts.add(UsageKey { kind: 3, subject: n.to_be_bytes(), window: 0 });
        }
        assert_eq!(counts.counts.len(), MAX_WATCHED);
        assert_eq!(counts.untold(7).len(), 7);
    }
}
