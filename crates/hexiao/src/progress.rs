//! Progress of long commands on standard error: one line that is rewritten on a terminal, now and then a
//! line of its own elsewhere.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::output::count;

const ON_TERMINAL: Duration = Duration::from_millis(200);
const ELSEWHERE: Duration = Duration::from_secs(10);

/// Counts up to a total.
pub(crate) struct Progress {
    what: &'static str,
    total: Option<u64>,
    done: AtomicU64,
    terminal: bool,
    started: Instant,
    shown: Mutex<Instant>,
}

impl Progress {
    /// Nothing done yet of `total`, where that is known.
    pub(crate) fn new(what: &'static str, total: Option<u64>) -> Self {
        let (now, terminal) = (Instant::now(), io::stderr().is_terminal());
        Self { what, total, done: AtomicU64::new(0), terminal, started: now, shown: Mutex::new(now) }
    }

    /// So many more are done.
    pub(crate) fn add(&self, more: u64) {
        let done = self.done.fetch_add(more, Ordering::Relaxed) + more;
        let every = if self.terminal { ON_TERMINAL } else { ELSEWHERE };
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.elapsed() >= every {
            *shown = Instant::now();
            self.show(done, false);
        }
    }

    /// All is done, or given up.
    pub(crate) fn finish(&self) {
        self.show(self.done.load(Ordering::Relaxed), true);
    }

    fn show(&self, done: u64, last: bool) {
        let of = self.total.map(|total| format!(" of {}", count(total))).unwrap_or_default();
        let seconds = self.started.elapsed().as_secs_f32();
        let text = format!("{}: {}{of}, {seconds:.1} s", self.what, count(done));
        let mut err = io::stderr().lock();
        // Progress that cannot be shown is no reason to stop.
        let _ = match (self.terminal, last) {
            (true, false) => write!(err, "\r\x1b[K{text}"),
            (true, true) => writeln!(err, "\r\x1b[K{text}"),
            (false, _) => writeln!(err, "{text}"),
        };
        let _ = err.flush();
    }
}
