//! Ids: 41 bits of milliseconds, 10 bits of node, 12 bits of sequence.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::{Timestamp, ids};

const SEQUENCE_BITS: u32 = 12;
const NODE_BITS: u32 = 10;
const SEQUENCE_MASK: i64 = (1 << SEQUENCE_BITS) - 1;

/// Gives ids that only grow, even if the clock stands still or a restart finds it set back.
#[derive(Debug)]
pub struct IdSource {
    node: i64,
    /// Milliseconds and sequence of the latest id.
    tick: AtomicI64,
}

impl IdSource {
    /// Ids of a node (0 to 1023) that are greater than `after`.
    pub fn new(node: u16, after: i64) -> Self {
        let millis = after >> ids::SHIFT;
        // The sequence of another node's id says nothing here: go on with the next millisecond.
        let tick = if after > 0 { (millis + 1) << SEQUENCE_BITS } else { 0 };
        Self { node: i64::from(node & ((1 << NODE_BITS) - 1)), tick: AtomicI64::new(tick) }
    }

    /// The next id. More than 4,096 in one millisecond borrow from the next.
    pub fn next(&self, now: Timestamp) -> i64 {
        let start = now.millis().saturating_sub(ids::EPOCH_MS).max(0) << SEQUENCE_BITS;
        let mut latest = self.tick.load(Ordering::Relaxed);
        let tick = loop {
            let tick = start.max(latest + 1);
            match self.tick.compare_exchange_weak(latest, tick, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => break tick,
                Err(seen) => latest = seen,
            }
        };
        ((tick >> SEQUENCE_BITS) << ids::SHIFT) | (self.node << SEQUENCE_BITS) | (tick & SEQUENCE_MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_only_grow_and_carry_the_node() {
        let now = Timestamp::parse_rfc3339("2026-11-22T00:00:00Z").expect("a moment");
        let source = IdSource::new(5, 0);
        let mut last = 0;
        for _ in 0..10_000 {
            let id = source.next(now);
            assert!(id > last);
            assert_eq!((id >> SEQUENCE_BITS) & 1023, 5);
            last = id;
        }
        assert!(ids::floor_of(now) <= last);
        let earlier = Timestamp::parse_rfc3339("2026-11-21T00:00:00Z").expect("a moment");
        assert!(IdSource::new(5, last).next(earlier) > last, "a clock set back does not repeat ids");
    }
}
