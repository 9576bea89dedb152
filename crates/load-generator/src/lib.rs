//! A cheap HTTP/1.1 load generator over loopback.
//!
//! It shares the machine with the server it measures, so its own cost per request is the
//! figure that matters: one thread (or one per source), an edge-triggered poll, one `read` and
//! one `write` per request, reused buffers, no allocation per request.
//!
//! - [`closed_loop`]: every connection keeps one request outstanding; measures throughput.
//! - [`open_loop`]: requests are due at a fixed rate whether or not the server keeps up;
//!   latency runs from the time a request was due, so a stall of the server is charged to every
//!   request that had to wait for it (no coordinated omission).
//!
//! Both calls block; from async code run them on a blocking thread. Answers to `HEAD` requests
//! are not supported: they announce a body that never comes.

mod config;
mod connection;
mod report;
mod request;
mod response;
mod schedule;
mod source;
mod worker;

pub use config::{Config, Error};
pub use report::{Fault, Faults, Report};
pub use request::{write_get, write_post};
pub use source::Source;

use schedule::{Lane, Pace, Schedule};
use std::time::{Duration, Instant};
use worker::Worker;

/// Keeps one request outstanding on each connection until the time or the count is used up.
pub fn closed_loop<S: Source>(config: &Config, source: &mut S) -> Result<Report, Error> {
    closed_loop_threads(config, std::slice::from_mut(source))
}

/// [`closed_loop`] on one thread per source; the connections are divided among them.
pub fn closed_loop_threads<S: Source>(config: &Config, sources: &mut [S]) -> Result<Report, Error> {
    run(config, Pace::Closed, sources)
}

/// Sends `rate_per_s` requests a second, spread over the connections. A request that is due
/// while all connections are busy waits for one, and its latency includes that wait.
pub fn open_loop<S: Source>(config: &Config, rate_per_s: f64, source: &mut S) -> Result<Report, Error> {
    open_loop_threads(config, rate_per_s, std::slice::from_mut(source))
}

/// [`open_loop`] on one thread per source; rate and connections are divided among them.
pub fn open_loop_threads<S: Source>(
    config: &Config,
    rate_per_s: f64,
    sources: &mut [S],
) -> Result<Report, Error> {
    config::check_rate(rate_per_s)?;
    run(config, Pace::Open { rate_per_s }, sources)
}

/// Connects everything first, so that the clock measures requests and not set-up.
fn run<S: Source>(config: &Config, pace: Pace, sources: &mut [S]) -> Result<Report, Error> {
    config.check(sources.len())?;
    let threads = sources.len();
    let mut workers = Vec::with_capacity(threads);
    for (thread, source) in sources.iter_mut().enumerate() {
        let schedule = Schedule::new(config, pace, Lane { thread, threads });
        workers.push(Worker::connect(config, schedule, source)?);
    }
    let start = Instant::now();
    let report = std::thread::scope(|scope| {
        let mut running = Vec::with_capacity(threads);
        for (thread, worker) in workers.into_iter().enumerate() {
            let named = std::thread::Builder::new().name(format!("load-{thread}"));
            running.push(named.spawn_scoped(scope, move || worker.run(start)).map_err(Error::Thread)?);
        }
        let mut report = Report::new();
        for thread in running {
            match thread.join() {
                Ok(part) => report.add(&part?),
                // The source panicked: that is the caller's bug and must stay visible.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok::<Report, Error>(report)
    })?;
    Ok(report.finish(config, start.elapsed()))
}

/// Longest run and longest patience for one request: a forgotten run must end by itself.
pub(crate) const LONGEST_RUN: Duration = Duration::from_hours(1);
