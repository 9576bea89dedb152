//! The clock: the only place that reads the time.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use domain::Timestamp;
use tokio::time::Instant;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock. Never goes back: a step of the system's clock stands still here until caught up.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicI64,
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        let latest = self.latest.fetch_max(micros, Ordering::Relaxed);
        Timestamp::from_micros(latest.max(micros))
    }
}

/// A clock that is set by hand, for tests and simulations.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at this moment.
    pub fn new(at: Timestamp) -> Self {
        Self { micros: AtomicI64::new(at.micros()) }
    }

    /// Moves it forward.
    pub fn advance_seconds(&self, seconds: i64) {
        self.micros.fetch_add(seconds.saturating_mul(1_000_000), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::Relaxed))
    }
}

/// The database's clock as a node knows it: asked at times, and counted on in between. So all nodes of a
/// database go by one clock, however wrong their own are. Never goes back.
#[derive(Debug)]
pub struct DatabaseClock {
    start: Instant,
    /// What the database's clock showed at `start`, as far as is known, in microseconds.
    shown: AtomicI64,
    latest: AtomicI64,
}

/// Smaller differences are more likely the answer's way than the clock's.
const NOT_WORTH_IT: Duration = Duration::from_millis(5);

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

impl DatabaseClock {
    /// A clock that was answered with `now` just now.
    pub fn new(now: Timestamp) -> Self {
        Self {
            start: Instant::now(),
            shown: AtomicI64::new(now.micros()),
            latest: AtomicI64::new(now.micros()),
        }
    }

    /// Takes note of an answer to a question that was asked at `asked` and has just been answered.
    pub(crate) fn align(&self, now: Timestamp, asked: Instant) {
        let way = asked.elapsed();
        let read_at = asked.saturating_duration_since(self.start) + way / 2;
        let shown = now.micros().saturating_sub(micros(read_at));
        let off = shown.saturating_sub(self.shown.load(Ordering::Relaxed)).unsigned_abs();
        if off > u64::try_from(micros(way.max(NOT_WORTH_IT))).unwrap_or(0) {
            self.shown.store(shown, Ordering::Relaxed);
        }
    }

    /// Stands still at this moment until it has come: times must not lie before ids that were given.
    pub fn not_before(&self, at: Timestamp) {
        self.latest.fetch_max(at.micros(), Ordering::Relaxed);
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        let micros = self.shown.load(Ordering::Relaxed).saturating_add(micros(self.start.elapsed()));
        let latest = self.latest.fetch_max(micros, Ordering::Relaxed);
        Timestamp::from_micros(latest.max(micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_databases_clock_is_followed_and_never_goes_back() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let clock = DatabaseClock::new(at(1000));
        assert!((at(1000)..at(1001)).contains(&clock.now()));
        clock.align(at(2000), Instant::now());
        assert!((at(2000)..at(2001)).contains(&clock.now()), "forward at once");
        let before = clock.now();
        clock.align(at(1500), Instant::now());
        assert_eq!(clock.now(), before, "stands still where it was set back");
        clock.not_before(at(3000));
        assert_eq!(clock.now(), at(3000));
    }
}
