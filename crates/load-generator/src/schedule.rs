//! Decides which request is due when: at once for the closed loop, at a fixed rate for the open
//! one. Pure arithmetic over the time it is given.

use crate::Config;
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    Closed,
    Open { rate_per_s: f64 },
}

/// One thread among several. Thread t of n owns the sequences t, t+n, t+2n, …, and in the open
/// loop their due times as well, so that threads share nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lane {
    pub(crate) thread: usize,
    pub(crate) threads: usize,
}

/// Permission to send one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ticket {
    pub(crate) sequence: u64,
    /// Latency is measured from here: now in the closed loop, the due time in the open one.
    pub(crate) intended: Instant,
}

#[derive(Debug)]
pub(crate) struct Schedule {
    pace: Pace,
    pub(crate) lane: Lane,
    duration: Duration,
    start: Instant,
    issued: u64,
    /// Tickets of this lane; `u64::MAX` where only time is the limit.
    total: u64,
    stopped: bool,
}

impl Schedule {
    pub(crate) fn new(config: &Config, pace: Pace, lane: Lane) -> Self {
        let by_rate = match pace {
            Pace::Closed => u64::MAX,
            Pace::Open { rate_per_s } => whole(rate_per_s * config.duration.as_secs_f64()),
        };
        let all = by_rate.min(config.requests.unwrap_or(u64::MAX));
        let total = if all == u64::MAX { all } else { share(all, lane) };
        let (duration, start) = (config.duration, Instant::now());
        Self { pace, lane, duration, start, issued: 0, total, stopped: false }
    }

    pub(crate) fn begin(&mut self, start: Instant) {
        self.start = start;
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.start + self.duration
    }

    /// The next request if it is due.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Ticket> {
        if self.exhausted(now) {
            return None;
        }
        let intended = self.next_due().unwrap_or(now);
        if intended > now {
            return None;
        }
        let ticket = Ticket { sequence: self.next_sequence(), intended };
        self.issued += 1;
        Some(ticket)
    }

    /// The source had nothing for the ticket just taken: the run ends here.
    pub(crate) fn stop(&mut self) {
        self.issued -= 1;
        self.stopped = true;
    }

    /// When the open loop wants to send next.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let Pace::Open { rate_per_s } = self.pace else { return None };
        Some(self.start + Duration::from_secs_f64(real(self.next_sequence()) / rate_per_s))
    }

    /// Whether no further ticket will ever be given. The open loop still sends, after the
    /// deadline, what was due before it: leaving that out would flatter the latencies.
    pub(crate) fn exhausted(&self, now: Instant) -> bool {
        let too_late = matches!(self.pace, Pace::Closed) && now >= self.deadline();
        self.stopped || self.issued >= self.total || too_late
    }

    /// Whether the run ended by its count or its source rather than by the clock.
    pub(crate) fn ended_by_count(&self) -> bool {
        self.stopped || (matches!(self.pace, Pace::Closed) && self.issued >= self.total)
    }

    /// Requests that were due and never sent, because no connection became free in time.
    pub(crate) fn unsent(&self) -> u64 {
        match self.pace {
            Pace::Open { .. } if !self.stopped => self.total - self.issued,
            _ => 0,
        }
    }

    fn next_sequence(&self) -> u64 {
        self.issued * self.lane.threads as u64 + self.lane.thread as u64
    }
}

/// How many of the sequences 0..all belong to the lane.
fn share(all: u64, lane: Lane) -> u64 {
    all.saturating_sub(lane.thread as u64).div_ceil(lane.threads as u64)
}

#[expect(clippy::cast_precision_loss, reason = "rate and duration bound it at 3.6e10, far below 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rate and duration are positive and bound it at 3.6e10"
)]
fn whole(count: f64) -> u64 {
    count.ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn config(requests: Option<u64>) -> Config {
        let mut config = Config::new(([127, 0, 0, 1], 1).into(), 8, Duration::from_secs(2));
        config.requests = requests;
        config
    }

    /// All tickets that `threads` lanes give when asked every 100 µs for four seconds.
    fn tickets(pace: Pace, requests: Option<u64>, threads: usize) -> Vec<(u64, Duration)> {
        let start = Instant::now();
        let mut all = Vec::new();
        for thread in 0..threads {
            let mut schedule = Schedule::new(&config(requests), pace, Lane { thread, threads });
            schedule.begin(start);
            for step in 0..40_000 {
                let now = start + Duration::from_micros(step * 100);
                while let Some(ticket) = schedule.take(now) {
                    all.push((ticket.sequence, ticket.intended - start));
                    if matches!(pace, Pace::Closed) {
                        break;
                    }
                }
            }
            assert_eq!(schedule.unsent(), 0);
        }
        all
    }

    fn check_sequences(given: &[(u64, Duration)], count: usize) {
        let sequences: BTreeSet<u64> = given.iter().map(|(sequence, _)| *sequence).collect();
        assert_eq!(given.len(), count);
        assert_eq!(sequences, (0..count as u64).collect(), "unique and without gaps");
    }

    #[test]
    fn open_tickets_follow_the_rate_on_any_number_of_threads() {
        for threads in [1, 2, 3, 7] {
            let given = tickets(Pace::Open { rate_per_s: 333.0 }, None, threads);
            check_sequences(&given, 666);
            for (sequence, due) in given {
                let expect = real(sequence) / 333.0;
                assert!((due.as_secs_f64() - expect).abs() < 1e-6, "{sequence} due at {due:?}");
            }
        }
    }

    #[test]
    fn the_count_is_divided_without_remainder() {
        for (requests, threads) in [(1, 1), (1, 3), (10, 3), (100, 7), (3, 3)] {
            let count = usize::try_from(requests).unwrap();
            check_sequences(&tickets(Pace::Closed, Some(requests), threads), count);
            check_sequences(&tickets(Pace::Open { rate_per_s: 1_000.0 }, Some(requests), threads), count);
        }
    }

    #[test]
    fn the_closed_loop_stops_at_the_deadline() {
        check_sequences(&tickets(Pace::Closed, None, 1), 20_000);
    }

    #[test]
    fn what_the_open_loop_could_not_send_is_unsent() {
        let pace = Pace::Open { rate_per_s: 10.0 };
        let mut schedule = Schedule::new(&config(None), pace, Lane { thread: 0, threads: 1 });
        let late = schedule.start + Duration::from_mins(1);
        assert_eq!(schedule.take(late).map(|ticket| ticket.sequence), Some(0));
        assert_eq!(schedule.unsent(), 19);
        schedule.take(late);
        schedule.stop();
        assert_eq!((schedule.unsent(), schedule.take(late)), (0, None));
    }
}
