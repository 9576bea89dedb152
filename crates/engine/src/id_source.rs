//! Ids: 41 bits of milliseconds, 10 bits of node, 12 bits of sequence.
//!
//! Several nodes give ids at once, so a node's number is on lease, and with it a span of moments that only
//! its ids may carry. The span, not a clock, is what keeps ids apart: a process that was frozen while
//! another one took over its number still cannot give an id of the other's span, because ids of its own
//! span are all it has. When they are used up it waits for its lease to be renewed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use domain::{Timestamp, ids};
use storage::NodeLease;

const SEQUENCE_BITS: u32 = 12;
const NODE_BITS: u32 = 10;
const SEQUENCE_MASK: i64 = (1 << SEQUENCE_BITS) - 1;
/// The tick of a span that gives no more ids.
const CLOSED: i64 = i64::MAX;
/// Between looks whether the lease was renewed.
const LOOK: Duration = Duration::from_millis(2);
/// How long a renewal is waited for before the process counts as cut off.
const PATIENCE: Duration = Duration::from_secs(10);

/// Gives ids that only grow, even if the clock stands still or a restart finds it set back.
pub struct IdSource {
    span: ArcSwap<Span>,
    on_cut_off: Option<Box<dyn Fn() + Send + Sync>>,
}

/// The ids of one node number between two moments.
struct Span {
    node: i64,
    /// The first tick that is not ours. Only grows.
    until: AtomicI64,
    /// Milliseconds and sequence of the latest id.
    tick: AtomicI64,
}

/// The first tick of the first whole millisecond that is not before a moment.
fn first_tick(at: Timestamp) -> i64 {
    let millis = at.micros().saturating_add(999).div_euclid(1000);
    millis.saturating_sub(ids::EPOCH_MS).max(0) << SEQUENCE_BITS
}

/// The first tick of the millisecond of a moment.
fn tick_of(at: Timestamp) -> i64 {
    at.millis().saturating_sub(ids::EPOCH_MS).max(0) << SEQUENCE_BITS
}

impl Span {
    fn new(node: u16, first: i64, until: i64) -> Self {
        let node = i64::from(node & ((1 << NODE_BITS) - 1));
        // Tick zero is nobody's, so that the latest tick is always less than the next.
        Self { node, until: AtomicI64::new(until), tick: AtomicI64::new(first.max(1) - 1) }
    }

    fn leased(lease: &NodeLease) -> Self {
        Self::new(lease.node, first_tick(lease.ids_from), tick_of(lease.ids_until))
    }

    /// The next id. `None` where its moment is not ours.
    fn next(&self, start: i64) -> Option<i64> {
        let until = self.until.load(Ordering::Acquire);
        let mut latest = self.tick.load(Ordering::Relaxed);
        loop {
            let tick = start.max(latest.saturating_add(1));
            if tick >= until {
                return None;
            }
            match self.tick.compare_exchange_weak(latest, tick, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(self.id(tick)),
                Err(seen) => latest = seen,
            }
        }
    }

    fn id(&self, tick: i64) -> i64 {
        ((tick >> SEQUENCE_BITS) << ids::SHIFT) | (self.node << SEQUENCE_BITS) | (tick & SEQUENCE_MASK)
    }
}

impl IdSource {
    /// Ids of a node (0 to 1023) that are greater than `after`, where one process has the database for itself.
    pub fn new(node: u16, after: i64) -> Self {
        let source = Self { span: ArcSwap::from_pointee(Span::new(node, 0, CLOSED)), on_cut_off: None };
        source.go_on_after(after);
        source
    }

    /// Ids of a lease. `on_cut_off` is called when the lease is over and was not renewed for ten seconds while
    /// somebody waited for an id; it should end the process.
    pub fn leased(lease: &NodeLease, on_cut_off: Box<dyn Fn() + Send + Sync>) -> Self {
        Self { span: ArcSwap::from_pointee(Span::leased(lease)), on_cut_off: Some(on_cut_off) }
    }

    /// Has all further ids be greater than this one, whoever gave it.
    pub fn go_on_after(&self, id: i64) {
        if id > 0 {
            // The sequence of another node's id says nothing here: go on with the next millisecond.
            let millis = (id >> ids::SHIFT).saturating_add(1);
            self.span.load().tick.fetch_max((millis << SEQUENCE_BITS) - 1, Ordering::Relaxed);
        }
    }

    /// Takes note of a lease: the same one with a later end, or another.
    pub(crate) fn renew(&self, lease: &NodeLease, same: bool) {
        let current = self.span.load();
        if same {
            current.until.fetch_max(tick_of(lease.ids_until), Ordering::AcqRel);
        } else {
            let next = Span::leased(lease);
            // What was given under the old number stays ours alone, and what comes is later.
            next.tick.fetch_max(current.tick.load(Ordering::Relaxed), Ordering::Relaxed);
            self.span.store(Arc::new(next));
        }
    }

    /// Gives no more ids. Returns the first moment that none of them carries.
    pub(crate) fn close(&self) -> Timestamp {
        let latest = self.span.load().tick.swap(CLOSED, Ordering::AcqRel);
        let millis = (latest >> SEQUENCE_BITS).saturating_add(1).saturating_add(ids::EPOCH_MS);
        Timestamp::from_micros(millis.saturating_mul(1000))
    }

    /// The moment of the latest id.
    pub(crate) fn latest(&self) -> Timestamp {
        let millis = self.span.load().tick.load(Ordering::Relaxed) >> SEQUENCE_BITS;
        Timestamp::from_micros(millis.saturating_add(ids::EPOCH_MS).saturating_mul(1000))
    }

    /// The next id. More than 4,096 in one millisecond borrow from the next. Waits where the lease is over:
    /// that only happens when the database could not be reached for longer than a lease lasts, or to a
    /// process that was frozen for so long and whose renewal is on its way.
    pub fn next(&self, now: Timestamp) -> i64 {
        let start = tick_of(now);
        let mut waited = Duration::ZERO;
        loop {
            if let Some(id) = self.span.load().next(start) {
                return id;
            }
            if waited >= PATIENCE {
                waited = Duration::ZERO;
                if let Some(on_cut_off) = &self.on_cut_off {
                    on_cut_off();
                }
            }
            pause();
            waited += LOOK;
        }
    }
}

/// Waits without keeping the runtime's other tasks, such as the renewal, from running.
fn pause() {
    use tokio::runtime::{Handle, RuntimeFlavor};
    let shared = Handle::try_current().is_ok_and(|own| own.runtime_flavor() == RuntimeFlavor::MultiThread);
    if shared {
        tokio::task::block_in_place(|| std::thread::sleep(LOOK));
    } else {
        std::thread::sleep(LOOK);
    }
}

impl std::fmt::Debug for IdSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let span = self.span.load();
        f.debug_struct("IdSource").field("node", &span.node).field("tick", &span.tick).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::atomic::AtomicBool};

    use super::*;

    fn moment(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a moment")
    }

    fn lease(node: u16, from: i64, until: i64) -> NodeLease {
        let start = moment("2026-11-22T00:00:00Z");
        let at = |millis: i64| Timestamp::from_micros(start.micros() + millis * 1000);
        NodeLease { node, term: 1, ids_from: at(from), ids_until: at(until), now: at(from), nodes: 1 }
    }

    #[test]
    fn ids_only_grow_and_carry_the_node() {
        let now = moment("2026-11-22T00:00:00Z");
        let source = IdSource::new(5, 0);
        let mut last = 0;
        for _ in 0..10_000 {
            let id = source.next(now);
            assert!(id > last);
            assert_eq!((id >> SEQUENCE_BITS) & 1023, 5);
            last = id;
        }
        assert!(ids::floor_of(now) <= last);
        let earlier = moment("2026-11-21T00:00:00Z");
        assert!(IdSource::new(5, last).next(earlier) > last, "a clock set back does not repeat ids");
    }

    #[test]
    fn two_holders_of_a_number_never_give_the_same_id() {
        let (first, second) = (lease(7, 0, 3), lease(7, 3, 6));
        let (a, b) = (Span::leased(&first), Span::leased(&second));
        // Both believe it is theirs, whatever their clocks say.
        for start in [first.ids_from, second.ids_from, first.ids_until, second.ids_until, first.ids_from] {
            let mut given = HashSet::new();
            let mut of_a = 0;
            while let Some(id) = a.next(tick_of(start)).inspect(|_| of_a += 1) {
                assert!(given.insert(id) && id < ids::floor_of(first.ids_until));
            }
            while let Some(id) = b.next(tick_of(start)) {
                assert!(given.insert(id) && id >= ids::floor_of(second.ids_from));
            }
            assert!(start != first.ids_from || of_a == 3 << SEQUENCE_BITS || of_a == 0);
        }
    }

    #[test]
    fn an_id_waits_for_the_renewal() {
        let held = lease(1, 0, 10);
        let source = Arc::new(IdSource::leased(&held, Box::new(|| panic!("renewed in time"))));
        let now = Timestamp::from_micros(held.ids_until.micros() + 5_000);
        let done = Arc::new(AtomicBool::new(false));
        let waiting = std::thread::spawn({
            let (source, done) = (Arc::clone(&source), Arc::clone(&done));
            move || {
                let id = source.next(now);
                assert!(done.load(Ordering::SeqCst), "not before the renewal");
                id
            }
        });
        std::thread::sleep(Duration::from_millis(50));
        done.store(true, Ordering::SeqCst);
        source.renew(&lease(1, 0, 1000), true);
        assert!(waiting.join().expect("an id") >= ids::floor_of(now));
    }

    #[test]
    fn another_lease_goes_on_later_and_a_closed_source_says_where_it_ended() {
        let source = IdSource::leased(&lease(1, 0, 10), Box::new(|| ()));
        let at = lease(1, 4, 10).ids_from;
        let before = source.next(at);
        source.renew(&lease(2, 0, 10), false);
        let after = source.next(lease(1, 0, 0).ids_from);
        assert!(after > before, "also where the new span began earlier");
        assert_eq!((after >> SEQUENCE_BITS) & 1023, 2);
        assert_eq!(source.close(), lease(1, 5, 10).ids_from);
        assert_eq!(source.span.load().next(0), None);
    }
}
