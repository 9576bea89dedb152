//! How long sales take at the moment, on this node: counts by duration over the last minutes, without a lock.
//!
//! Buckets grow by a quarter of an octave, so that a percentile is told as the upper end of its bucket, at most a fifth
//! above the truth. What `/metrics` offers is exact enough for graphs; this is for a figure on a screen.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// From a microsecond to more than a minute, in quarters of octaves.
const BUCKETS: usize = 4 * 27;
/// Minutes that are kept, and one that is being written.
const MINUTES: usize = 6;

struct Minute {
    /// Which minute, from 1 on. 0: none yet.
    number: AtomicU64,
    counts: [AtomicU32; BUCKETS],
}

/// Durations of the last minutes.
pub(crate) struct Latency {
    began: Instant,
    minutes: [Minute; MINUTES],
}

/// What the last minutes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Percentiles {
    pub(crate) count: u64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

impl Default for Latency {
    fn default() -> Self {
        let minute =
            |_| Minute { number: AtomicU64::new(0), counts: std::array::from_fn(|_| AtomicU32::new(0)) };
        Self { began: Instant::now(), minutes: std::array::from_fn(minute) }
    }
}

fn bucket(micros: u64) -> usize {
    let micros = micros.max(1);
    let octave = u64::from(micros.ilog2());
    // The two bits below the highest say which quarter.
    let quarter = if octave >= 2 { (micros >> (octave - 2)) & 3 } else { 0 };
    usize::try_from(octave * 4 + quarter).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The end of a bucket, in microseconds.
fn end_of(bucket: usize) -> u64 {
    let (octave, quarter) = (u32::try_from(bucket / 4).unwrap_or(0), (bucket % 4) as u64);
    if octave < 2 { 2 << octave } else { (5 + quarter) << (octave - 2) }
}

impl Latency {
    fn minute(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.began).as_secs() / 60 + 1
    }

    /// Counts one that took so long and ended at a moment.
    pub(crate) fn record(&self, took: Duration, at: Instant) {
        let number = self.minute(at);
        let minute = &self.minutes[usize::try_from(number).unwrap_or(0) % MINUTES];
        // Whoever comes first in a minute clears what was there six minutes before. What others count in that
        // moment may be lost: a few of thousands.
        if minute.number.swap(number, Ordering::Relaxed) != number {
            minute.counts.iter().for_each(|count| count.store(0, Ordering::Relaxed));
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        minute.counts[bucket(micros)].fetch_add(1, Ordering::Relaxed);
    }

    /// What the last five minutes say, if there was anything.
    pub(crate) fn percentiles(&self, at: Instant) -> Option<Percentiles> {
        let now = self.minute(at);
        let recent = |minute: &&Minute| {
            let number = minute.number.load(Ordering::Relaxed);
            number > 0 && number + MINUTES as u64 > now
        };
        let mut counts = [0_u64; BUCKETS];
        for minute in self.minutes.iter().filter(recent) {
            for (sum, count) in counts.iter_mut().zip(&minute.counts) {
                *sum += u64::from(count.load(Ordering::Relaxed));
            }
        }
        let count: u64 = counts.iter().sum();
        let at = |percent: u64| {
            let rank = (count * percent).div_ceil(100);
            let mut seen = 0;
            let found = counts.iter().position(|count| {
                seen += count;
                seen >= rank
            });
            Duration::from_micros(end_of(found.unwrap_or(BUCKETS - 1)))
        };
        (count > 0).then(|| Percentiles { count, p50: at(50), p99: at(99) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_at_most_a_fifth_above_the_truth() {
        let latency = Latency::default();
        let now = Instant::now();
        assert_eq!(latency.percentiles(now), None);
        for micros in 1..=10_000_u64 {
            latency.record(Duration::from_micros(micros), now);
        }
        let said = latency.percentiles(now).expect("something");
        assert_eq!(said.count, 10_000);
        for (said, truth) in [(said.p50, 5_000_u128), (said.p99, 9_900)] {
            let said = said.as_micros();
            assert!(said >= truth && said * 4 <= truth * 5, "{said} for {truth}");
        }
    }

    #[test]
    fn every_duration_is_below_the_end_of_its_bucket() {
        for micros in (0..200).chain((1..60).map(|bit| (1_u64 << bit) - 1)) {
            let found = bucket(micros);
            assert!(micros < end_of(found) || found == BUCKETS - 1, "{micros}");
            assert!(
                found == 0 || found == BUCKETS - 1 || end_of(found - 1) <= micros.max(1) || micros < 4,
                "{micros}"
            );
        }
    }

    #[test]
    fn what_is_older_than_the_last_minutes_is_forgotten() {
        let latency = Latency::default();
        let now = Instant::now();
        latency.record(Duration::from_secs(5), now);
        assert!(latency.percentiles(now + Duration::from_mins(4)).is_some());
        assert_eq!(latency.percentiles(now + Duration::from_mins(7)), None);
        latency.record(Duration::from_millis(1), now + Duration::from_mins(6));
        let said = latency.percentiles(now + Duration::from_mins(6)).expect("something");
        assert_eq!(said.count, 1, "its place was cleared");
    }
}
