//! What a run found: counts that add up, and the distribution of latencies.

use crate::Config;
use hdrhistogram::Histogram;
use std::time::Duration;

/// Why a request has no complete answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The server closed or reset the connection first.
    Closed,
    /// No complete answer within `request_timeout`, counted from the write or, at the end of a
    /// run, from the end of its duration.
    TimedOut,
    /// The answer is not valid HTTP/1.1, or asks for something a plain client does not do.
    Malformed,
    /// The answer's head or body is longer than allowed.
    TooLong,
    /// The operating system refused to read or write.
    Io,
}

/// Errors by cause. Each unanswered request is counted once; `surplus` and `connect` concern
/// connections, not requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    pub closed: u64,
    pub timed_out: u64,
    pub malformed: u64,
    pub too_long: u64,
    pub io: u64,
    /// Bytes beyond an answer, or without a request; the connection was replaced.
    pub surplus: u64,
    /// Attempts to reconnect that failed; they are repeated until the run ends.
    pub connect: u64,
}

impl Faults {
    pub(crate) fn count(&mut self, fault: Fault) {
        let counter = match fault {
            Fault::Closed => &mut self.closed,
            Fault::TimedOut => &mut self.timed_out,
            Fault::Malformed => &mut self.malformed,
            Fault::TooLong => &mut self.too_long,
            Fault::Io => &mut self.io,
        };
        *counter += 1;
    }

    fn unanswered(&self) -> u64 {
        self.closed + self.timed_out + self.malformed + self.too_long + self.io
    }

    fn add(&mut self, other: &Self) {
        self.closed += other.closed;
        self.timed_out += other.timed_out;
        self.malformed += other.malformed;
        self.too_long += other.too_long;
        self.io += other.io;
        self.surplus += other.surplus;
        self.connect += other.connect;
    }
}

/// The result of a run. `requests == answered + unanswered()` always holds.
#[derive(Debug, Clone)]
pub struct Report {
    /// Requests started.
    pub requests: u64,
    /// Complete answers, of any status.
    pub answered: u64,
    /// Answers by first digit of the status: `by_class[2]` are the 2xx.
    pub by_class: [u64; 10],
    /// Open loop: requests that were due but never sent. The latencies of a run with any of
    /// these are too good: the server did not keep up.
    pub unsent: u64,
    pub faults: Faults,
    /// Connections replaced, for whatever reason.
    pub reconnects: u64,
    /// From the first request until the last answer or the end of patience.
    pub elapsed: Duration,
    /// Answers within the measured time, per second.
    pub per_second: f64,
    /// Microseconds, three significant digits, answered requests only. The closed loop measures
    /// from just before the source writes the request; the open loop from when it was due, and
    /// notices answers up to about 0.2 ms late, because it naps between due times rather than
    /// spin on a core that the server needs.
    pub latency: Histogram<u64>,
    pub(crate) answered_in_time: u64,
    pub(crate) last_answer: Duration,
    pub(crate) ended_by_count: bool,
}

impl Report {
    pub(crate) fn new() -> Self {
        let most = u64::try_from(2 * crate::LONGEST_RUN.as_micros()).expect("hours fit");
        let latency = Histogram::new_with_bounds(1, most, 3).expect("constant bounds are valid");
        Self {
            requests: 0,
            answered: 0,
            by_class: [0; 10],
            unsent: 0,
            faults: Faults::default(),
            reconnects: 0,
            elapsed: Duration::ZERO,
            per_second: 0.0,
            latency,
            answered_in_time: 0,
            last_answer: Duration::ZERO,
            ended_by_count: true,
        }
    }

    /// Requests without a complete answer; each was named to the source.
    pub fn unanswered(&self) -> u64 {
        self.faults.unanswered()
    }

    /// Everything that went wrong on the way; statuses are not errors here.
    pub fn errors(&self) -> u64 {
        self.faults.unanswered() + self.faults.surplus + self.faults.connect
    }

    pub fn p50_ms(&self) -> f64 {
        self.quantile_ms(0.5)
    }

    pub fn p99_ms(&self) -> f64 {
        self.quantile_ms(0.99)
    }

    pub fn p999_ms(&self) -> f64 {
        self.quantile_ms(0.999)
    }

    pub fn max_ms(&self) -> f64 {
        milliseconds(self.latency.max())
    }

    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        milliseconds(self.latency.value_at_quantile(quantile))
    }

    pub(crate) fn record(&mut self, status: u16, latency: Duration) {
        self.answered += 1;
        self.by_class[usize::from(status / 100).min(9)] += 1;
        self.latency.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn add(&mut self, part: &Self) {
        self.requests += part.requests;
        self.answered += part.answered;
        for (sum, count) in self.by_class.iter_mut().zip(part.by_class) {
            *sum += count;
        }
        self.unsent += part.unsent;
        self.faults.add(&part.faults);
        self.reconnects += part.reconnects;
        self.latency += &part.latency;
        self.answered_in_time += part.answered_in_time;
        self.last_answer = self.last_answer.max(part.last_answer);
        self.ended_by_count &= part.ended_by_count;
    }

    /// A run that ended by its count is as long as its answers took; one that ended by the clock
    /// is as long as it was meant to be, so that neither a straggler nor an early stall shifts
    /// the rate.
    pub(crate) fn finish(mut self, config: &Config, elapsed: Duration) -> Self {
        let by_count = self.ended_by_count && !self.last_answer.is_zero();
        let window = if by_count { self.last_answer.min(config.duration) } else { config.duration };
        self.elapsed = elapsed;
        self.per_second = real(self.answered_in_time) / window.as_secs_f64();
        self
    }
}

fn milliseconds(microseconds: u64) -> f64 {
    real(microseconds) / 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "for display; counts stay far below 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}
