//! The clock: the only place that reads the time.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::Timestamp;

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
