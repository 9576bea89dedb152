//! The clock of the past: shows what it was last set to, and goes a little on with each look, so that what is done
//! one after the other is not all of the same moment.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::Timestamp;
use engine::Clock;

/// How far each look moves it, in microseconds.
const LOOK: i64 = 37_411;

#[derive(Debug, Default)]
pub(super) struct PastClock(AtomicI64);

impl PastClock {
    /// Sets it forward. It never goes back.
    pub(super) fn set(&self, at: Timestamp) {
        self.0.fetch_max(at.micros(), Ordering::Relaxed);
    }
}

impl Clock for PastClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(LOOK, Ordering::Relaxed))
    }
}
