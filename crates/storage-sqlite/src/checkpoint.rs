//! Carrying the write-ahead log into the database, beside the writer.
//!
//! A passive checkpoint never disturbs anybody, but as long as commits keep coming it never catches up
//! with the very last one, and only a log that was carried over whole begins again at its start. So once
//! the log has its working length, most of it is carried over beside the writer, and the little that came
//! in meanwhile while the writer waits: a few milliseconds, and the log stays bounded.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use storage::{Result, StorageError};

use crate::{error::IntoStorage, health::Health, writer::Writer};

/// A remainder this short is carried over while the writer waits.
const SHORT: u32 = 1024;
/// Passes beside the writer before it has to wait whatever the remainder.
const PASSES: usize = 4;
/// How long the writer waits for readers to leave the log, at most.
const PATIENCE: Duration = Duration::from_millis(20);
/// The longest time a log lies about after the last commit.
const IDLE: Duration = Duration::from_secs(5);
/// How long a log that readers keep busy is left alone.
const PAUSE: Duration = Duration::from_millis(250);

/// What checkpoints did, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckpointStats {
    /// The length of the log at the last commit or checkpoint, in pages.
    pub wal_frames: u64,
    /// Rounds of checkpoints.
    pub rounds: u64,
    /// Rounds after which the log began again at its start.
    pub restarts: u64,
    /// How long the last round took, in microseconds.
    pub last_micros: u64,
    /// How long the writer waited in it, in microseconds.
    pub last_pause_micros: u64,
    /// The longest that it ever waited.
    pub longest_pause_micros: u64,
}

#[derive(Default)]
struct Counters {
    frames: AtomicU64,
    rounds: AtomicU64,
    restarts: AtomicU64,
    last: AtomicU64,
    last_pause: AtomicU64,
    longest_pause: AtomicU64,
}

#[derive(Default)]
struct Signal {
    wanted: bool,
    stop: bool,
}

struct Shared {
    counters: Counters,
    signal: Mutex<Signal>,
    wake: Condvar,
    at: u32,
}

/// The thread that does it. Without one, commits only report.
pub(crate) struct Checkpointer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

type SharedWriter = Arc<tokio::sync::Mutex<Writer>>;

impl Checkpointer {
    /// For an opening that leaves checkpoints to the server.
    pub(crate) fn absent() -> Self {
        Self { shared: Arc::new(Shared::new(u32::MAX)), thread: None }
    }

    /// Starts the thread. It acts when the log has `at` pages.
    pub(crate) fn start(
        connection: Connection,
        writer: SharedWriter,
        health: Arc<Health>,
        at: u32,
    ) -> Result<Self> {
        connection.busy_timeout(PATIENCE).stored()?;
        let shared = Arc::new(Shared::new(at));
        let worker = Worker { connection, writer, health, shared: Arc::clone(&shared) };
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || worker.run())
            .map_err(|error| StorageError::Setup(format!("cannot start the checkpoint thread: {error}")))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Tells the length of the log after a commit.
    pub(crate) fn report(&self, frames: u32) {
        self.shared.counters.frames.store(u64::from(frames), Ordering::Relaxed);
        if frames >= self.shared.at {
            self.shared.locked().wanted = true;
            self.shared.wake.notify_one();
        }
    }

    pub(crate) fn stats(&self) -> CheckpointStats {
        let c = &self.shared.counters;
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CheckpointStats {
            wal_frames: get(&c.frames),
            rounds: get(&c.rounds),
            restarts: get(&c.restarts),
            last_micros: get(&c.last),
            last_pause_micros: get(&c.last_pause),
            longest_pause_micros: get(&c.longest_pause),
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.shared.locked().stop = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpoint thread panicked");
        }
    }
}

impl Shared {
    fn new(at: u32) -> Self {
        Self { counters: Counters::default(), signal: Mutex::default(), wake: Condvar::new(), at }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Signal> {
        self.signal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a checkpoint left.
struct Progress {
    /// Whether somebody was in the way.
    busy: bool,
    frames: u32,
    left: u32,
}

struct Worker {
    connection: Connection,
    writer: SharedWriter,
    health: Arc<Health>,
    shared: Arc<Shared>,
}

impl Worker {
    fn run(self) {
        let mut idle = false;
        while let Some(wanted) = self.wait() {
            // Nothing was written since the log was carried over whole: leave the disk alone.
            if !wanted && idle {
                idle = self.shared.counters.frames.load(Ordering::Relaxed) == 0;
                if idle {
                    continue;
                }
            }
            let round = if wanted { self.round() } else { self.tidy() };
            match self.health.note(round) {
                Ok(whole) => idle = whole,
                Err(StorageError::Fatal(_)) => return,
                Err(error) => tracing::warn!(%error, "a checkpoint did not succeed"),
            }
            if wanted && !idle {
                self.pause();
            }
        }
    }

    /// Waits for a long log or for idle time. `None` at the end.
    fn wait(&self) -> Option<bool> {
        let signal = self.shared.locked();
        let waiting = |signal: &mut Signal| !signal.wanted && !signal.stop;
        let (mut signal, _) = self
            .shared
            .wake
            .wait_timeout_while(signal, IDLE, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        if signal.stop {
            return None;
        }
        Some(std::mem::take(&mut signal.wanted))
    }

    /// Leaves a log alone that cannot begin again yet, unless the store is closed.
    fn pause(&self) {
        let signal = self.shared.locked();
        let running = |signal: &mut Signal| !signal.stop;
        drop(self.shared.wake.wait_timeout_while(signal, PAUSE, running));
    }

    /// Carries a long log over and lets it begin again. `true` if it does.
    fn round(&self) -> Result<bool> {
        let began = Instant::now();
        for _ in 0..PASSES {
            if self.checkpoint("PASSIVE")?.left <= SHORT {
                break;
            }
        }
        let restarted = self.finish()?;
        let counters = &self.shared.counters;
        counters.rounds.fetch_add(1, Ordering::Relaxed);
        counters.restarts.fetch_add(u64::from(restarted), Ordering::Relaxed);
        counters.last.store(micros(began), Ordering::Relaxed);
        Ok(restarted)
    }

    /// The rest, while the writer waits.
    fn finish(&self) -> Result<bool> {
        let writer = self.writer.blocking_lock();
        let began = Instant::now();
        let progress = self.checkpoint("RESTART")?;
        let pause = micros(began);
        drop(writer);
        let counters = &self.shared.counters;
        counters.last_pause.store(pause, Ordering::Relaxed);
        counters.longest_pause.fetch_max(pause, Ordering::Relaxed);
        let restarted = !progress.busy && progress.left == 0;
        counters.frames.store(if restarted { 0 } else { u64::from(progress.frames) }, Ordering::Relaxed);
        Ok(restarted)
    }

    /// Carries over what lies about when little happens. `true` if nothing is left.
    fn tidy(&self) -> Result<bool> {
        let progress = self.checkpoint("PASSIVE")?;
        let whole = !progress.busy && progress.left == 0;
        if whole {
            self.shared.counters.frames.store(0, Ordering::Relaxed);
        }
        Ok(whole)
    }

    fn checkpoint(&self, mode: &str) -> Result<Progress> {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        let mut statement = self.connection.prepare_cached(&sql).stored()?;
        let row = statement
            .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)));
        let (busy, frames, done) = row.stored()?;
        let count = |number: i64| u32::try_from(number).unwrap_or(0);
        Ok(Progress { busy: busy != 0, frames: count(frames), left: count(frames.saturating_sub(done)) })
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
