//! What a run needs to know, its bounds, and the errors that stop it before it starts.

use crate::LONGEST_RUN;
use std::net::SocketAddr;
use std::time::Duration;

/// Bounds that keep a mistyped figure from exhausting descriptors, threads or memory.
const MOST_CONNECTIONS: usize = 8_192;
const MOST_THREADS: usize = 64;
const MOST_BODY_BYTES: usize = 256 << 20;
const MOST_PER_SECOND: f64 = 10_000_000.0;

/// One run. Build it with [`Config::new`] and change the fields that differ.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server; loopback only (127.0.0.0/8 or `::1`).
    pub address: SocketAddr,
    /// Connections over all threads.
    pub connections: usize,
    /// No request is started after this time, even if `requests` is not reached.
    pub duration: Duration,
    /// Stop after this many requests; `None`: only the time counts.
    pub requests: Option<u64>,
    /// A request without an answer after this time is reported as unanswered. Also how long the
    /// run waits, after `duration`, for answers that are still due.
    pub request_timeout: Duration,
    /// A longer answer body is an error and its connection is closed.
    pub max_body_bytes: usize,
}

impl Config {
    /// Time-bounded, 10 s patience per request, bodies up to 4 MiB.
    pub fn new(address: SocketAddr, connections: usize, duration: Duration) -> Self {
        Self {
            address,
            connections,
            duration,
            requests: None,
            request_timeout: Duration::from_secs(10),
            max_body_bytes: 4 << 20,
        }
    }

    pub(crate) fn check(&self, threads: usize) -> Result<(), Error> {
        if !self.address.ip().is_loopback() {
            return Err(Error::NotLoopback { address: self.address });
        }
        let whole = |field, value, least, most| in_range(field, &value, &(least..=most));
        whole("threads (one per source)", threads, 1, MOST_THREADS)?;
        whole("connections (at least one per thread)", self.connections, threads, MOST_CONNECTIONS)?;
        whole("max_body_bytes", self.max_body_bytes, 0, MOST_BODY_BYTES)?;
        let least = Duration::from_millis(1);
        in_range("duration", &self.duration, &(least..=LONGEST_RUN))?;
        in_range("request_timeout", &self.request_timeout, &(least..=LONGEST_RUN))?;
        in_range("requests", &self.requests.unwrap_or(1), &(1..=1_000_000_000_000))
    }
}

pub(crate) fn check_rate(rate_per_s: f64) -> Result<(), Error> {
    // NaN is in no range and so is refused here as well.
    in_range("rate_per_s", &rate_per_s, &(0.001..=MOST_PER_SECOND))
}

fn in_range<T: PartialOrd + std::fmt::Debug>(
    field: &'static str,
    value: &T,
    range: &std::ops::RangeInclusive<T>,
) -> Result<(), Error> {
    if range.contains(value) {
        return Ok(());
    }
    Err(Error::OutOfRange { field, value: format!("{value:?}"), range: format!("{range:?}") })
}

/// Why a run could not start or had to stop. Trouble with single requests is counted in the
/// [`Report`](crate::Report) instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "address {address} is not loopback: load is only ever sent to this machine; \
         use an address in 127.0.0.0/8 or [::1]"
    )]
    NotLoopback { address: SocketAddr },
    #[error("{field} is {value}, outside {range}: choose a value within the range")]
    OutOfRange { field: &'static str, value: String, range: String },
    #[error(
        "cannot open connection {number} to {address}: {cause}; check that the server listens there \
         and that `ulimit -n` allows that many descriptors"
    )]
    Connect { number: usize, address: SocketAddr, cause: std::io::Error },
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    #[error("cannot poll the connections: {0}")]
    Poll(std::io::Error),
}
