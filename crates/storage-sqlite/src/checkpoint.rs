//! Carrying the write-ahead log into the database, beside the writer.
//!
//! A passive checkpoint never disturbs anybody, but as long as commits keep coming it never catches up
//! with the very last one, and only a log that was carried over whole begins again at its start. So once
//! the log has its working length, most of it is carried over beside the writer, and the little that came
//! in meanwhile while the writer waits: a few milliseconds, and the log stays bounded.
//!
//! SQLite syncs the database only at the end of a checkpoint that caught up, so the last one would wait for
//! all that the ones before it wrote, and the writer with it: 25 to 55 ms were seen. It is synced before. And
//! while a lot is synced, syncs of the log take as long: so the log is carried over in parts while it grows.

use std::{
    fs::File,
    sync::{
        Arc, Condvar, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use storage::{Result, StorageError};

use crate::{archive::Archive, error::IntoStorage, health::Health, writer::Writer};

/// A remainder this short is carried over while the writer waits.
const SHORT: u64 = 256;
/// Of the log's working length, so much is carried over at a time while it grows.
const PART: u32 = 4;
/// Passes beside the writer before it has to wait whatever the remainder.
const PASSES: usize = 8;
/// Attempts to let the log begin again at a moment when nobody reads it, without waiting for one.
const ATTEMPTS: u32 = 40;
/// The time between two such attempts, which the writer goes on in.
const BETWEEN: Duration = Duration::from_millis(5);
/// How long the writer waits for readers to leave the log, if none of the attempts met such a moment.
/// Twice as long after each time in vain, so that reads in unbroken sequence cannot let the log grow
/// without end.
const PATIENCE: Duration = Duration::from_millis(20);
/// The most doublings of it.
const DOUBLINGS: u32 = 4;
/// The longest time a log lies about after the last commit.
const IDLE: Duration = Duration::from_secs(5);
/// How long a log that readers keep busy is left alone.
const PAUSE: Duration = Duration::from_millis(250);

/// What checkpoints did, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckpointStats {
    /// The length of the log at the last commit or checkpoint, in pages.
    pub wal_frames: u64,
    /// Times that a part of a log was carried over while it grew.
    pub parts: u64,
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
    parts: AtomicU64,
    rounds: AtomicU64,
    restarts: AtomicU64,
    last: AtomicU64,
    last_pause: AtomicU64,
    longest_pause: AtomicU64,
}

#[derive(Default)]
struct Signal {
    wanted: Option<Wanted>,
    stop: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    /// What lies about since little happens.
    Rest,
    /// What came to a log that may still grow.
    Part,
    /// All of a long log, so that it begins again.
    Whole,
}

struct Shared {
    counters: Counters,
    signal: Mutex<Signal>,
    wake: Condvar,
    at: u32,
    /// How long the log was when it was last carried over, in whole or in part.
    looked_at: AtomicU64,
    /// Backups and audits under way: they read one state for seconds or minutes.
    long_views: AtomicUsize,
    /// Where the log is copied to before it may begin again.
    archive: OnceLock<Arc<Archive>>,
}

/// While it lives, the log is left to grow: a backup or an audit is reading, and waiting for that would
/// only hold up the writer.
pub(crate) struct LongView {
    shared: Arc<Shared>,
}

impl Drop for LongView {
    fn drop(&mut self) {
        self.shared.long_views.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The thread that does it. Without one, commits only report.
pub(crate) struct Checkpointer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

type SharedWriter = Arc<tokio::sync::Mutex<Writer>>;

/// What the thread works with.
pub(crate) struct Parts {
    pub(crate) connection: Connection,
    /// Reads, so that the log is kept, while it is archived and carried over beside the writer.
    pub(crate) keeper: Connection,
    /// The database itself, to be synced.
    pub(crate) data: Arc<File>,
    pub(crate) writer: SharedWriter,
    pub(crate) health: Arc<Health>,
}

impl Checkpointer {
    /// For an opening that leaves checkpoints to the server.
    pub(crate) fn absent() -> Self {
        Self { shared: Arc::new(Shared::new(u32::MAX)), thread: None }
    }

    /// Starts the thread. It acts when the log has `at` pages.
    pub(crate) fn start(parts: Parts, at: u32) -> Result<Self> {
        let shared = Arc::new(Shared::new(at));
        let worker = Worker { parts, shared: Arc::clone(&shared) };
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || worker.run())
            .map_err(|error| StorageError::Setup(format!("cannot start the checkpoint thread: {error}")))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Copies the log there from now on, before it may begin again. Once.
    pub(crate) fn archive_to(&self, archive: Arc<Archive>) -> Result<()> {
        let again = |_| StorageError::Setup("this database is being archived already".to_owned());
        if self.thread.is_none() {
            return Err(StorageError::Setup(
                "only the process that serves a database archives it".to_owned(),
            ));
        }
        self.shared.archive.set(archive).map_err(again)
    }

    /// Tells the length of the log after a commit.
    pub(crate) fn report(&self, frames: u32) {
        self.shared.counters.frames.store(u64::from(frames), Ordering::Relaxed);
        if let Some(wanted) = self.shared.wanted() {
            let mut signal = self.shared.locked();
            signal.wanted = signal.wanted.max(Some(wanted));
            drop(signal);
            self.shared.wake.notify_one();
        }
    }

    /// Announces a backup or an audit.
    pub(crate) fn long_view(&self) -> LongView {
        self.shared.long_views.fetch_add(1, Ordering::AcqRel);
        LongView { shared: Arc::clone(&self.shared) }
    }

    pub(crate) fn stats(&self) -> CheckpointStats {
        let c = &self.shared.counters;
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CheckpointStats {
            wal_frames: get(&c.frames),
            parts: get(&c.parts),
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
        Self {
            counters: Counters::default(),
            signal: Mutex::default(),
            wake: Condvar::new(),
            at,
            looked_at: AtomicU64::new(0),
            long_views: AtomicUsize::new(0),
            archive: OnceLock::new(),
        }
    }

    /// What the length of the log asks for.
    fn wanted(&self) -> Option<Wanted> {
        let frames = self.counters.frames.load(Ordering::Relaxed);
        if frames >= u64::from(self.at) {
            return Some(Wanted::Whole);
        }
        // A shorter log has begun again since.
        let more = frames.checked_sub(self.looked_at.load(Ordering::Relaxed)).unwrap_or(frames);
        (more >= u64::from((self.at / PART).max(1))).then_some(Wanted::Part)
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Signal> {
        self.signal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a checkpoint left.
struct Progress {
    /// Whether somebody was in the way.
    busy: bool,
    /// The length of the log when it began.
    frames: u64,
    /// How much of it was carried over.
    done: u64,
}

impl Progress {
    fn is_whole(&self) -> bool {
        !self.busy && self.done == self.frames
    }
}

struct Worker {
    parts: Parts,
    shared: Arc<Shared>,
}

impl Worker {
    fn run(self) {
        self.rounds();
        // Closing the database carries the log over and deletes it.
        if let Some(archive) = self.shared.archive.get()
            && let Err(error) = archive.ship()
        {
            tracing::error!(%error, "the end of the log is not archived; the next start makes a new copy");
        }
    }

    fn rounds(&self) {
        let (mut idle, mut in_vain) = (false, 0);
        while let Some(wanted) = self.wait() {
            // Nothing was written since the log was carried over whole: leave the disk alone.
            if wanted == Wanted::Rest && idle {
                idle = self.shared.counters.frames.load(Ordering::Relaxed) == 0;
                if idle {
                    continue;
                }
            }
            let round = match wanted {
                Wanted::Rest => self.tidy(),
                // Asked for again while the last one was at work.
                Wanted::Part if self.shared.wanted().is_none() => continue,
                Wanted::Part => self.part(),
                Wanted::Whole => self.round(in_vain),
            };
            match self.parts.health.note(round) {
                Ok(whole) => idle = whole,
                Err(StorageError::Fatal(_)) => return,
                Err(error) => tracing::warn!(%error, "a checkpoint did not succeed"),
            }
            if wanted == Wanted::Whole {
                in_vain = if idle { 0 } else { DOUBLINGS.min(in_vain + 1) };
                if !idle {
                    self.pause();
                }
            }
        }
    }

    /// Waits for a log to be carried over or for idle time. `None` at the end.
    fn wait(&self) -> Option<Wanted> {
        let signal = self.shared.locked();
        let waiting = |signal: &mut Signal| signal.wanted.is_none() && !signal.stop;
        let (mut signal, _) = self
            .shared
            .wake
            .wait_timeout_while(signal, IDLE, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        if signal.stop {
            return None;
        }
        Some(signal.wanted.take().unwrap_or(Wanted::Rest))
    }

    /// Leaves a log alone that cannot begin again yet, unless the store is closed.
    fn pause(&self) {
        let signal = self.shared.locked();
        let running = |signal: &mut Signal| !signal.stop;
        drop(self.shared.wake.wait_timeout_while(signal, PAUSE, running));
    }

    /// Carries a long log over and lets it begin again. `true` if it does.
    fn round(&self, in_vain: u32) -> Result<bool> {
        let began = Instant::now();
        let mut restarted = false;
        for attempt in 0..=ATTEMPTS {
            self.catch_up()?;
            if self.shared.long_views.load(Ordering::Acquire) > 0 || self.shared.locked().stop {
                break;
            }
            let last = attempt == ATTEMPTS;
            restarted =
                self.finish(if last { PATIENCE.saturating_mul(1 << in_vain) } else { Duration::ZERO })?;
            if restarted || last {
                break;
            }
            std::thread::sleep(BETWEEN);
        }
        let counters = &self.shared.counters;
        counters.rounds.fetch_add(1, Ordering::Relaxed);
        counters.restarts.fetch_add(u64::from(restarted), Ordering::Relaxed);
        counters.last.store(micros(began), Ordering::Relaxed);
        Ok(restarted)
    }

    /// Carries over what came to a log that may still grow. Never lets it begin again.
    fn part(&self) -> Result<bool> {
        self.pass()?;
        self.shared.counters.parts.fetch_add(1, Ordering::Relaxed);
        Ok(false)
    }

    /// Carries over beside the writer. What was carried over is synced.
    fn pass(&self) -> Result<Progress> {
        let progress = self.checkpoint("PASSIVE")?;
        let failed = |error| StorageError::Fatal(format!("the database cannot be synced: {error}"));
        self.parts.data.sync_data().map_err(failed)?;
        self.shared.looked_at.store(progress.frames, Ordering::Relaxed);
        Ok(progress)
    }

    /// Carries over beside the writer until little is left, neither to be carried over nor to be synced.
    fn catch_up(&self) -> Result<()> {
        for _ in 0..PASSES {
            let done = self.pass()?.done;
            // The writer went on meanwhile: what counts is where it is now.
            if self.shared.counters.frames.load(Ordering::Relaxed).saturating_sub(done) <= SHORT {
                break;
            }
        }
        Ok(())
    }

    /// The rest, while the writer waits.
    fn finish(&self, patience: Duration) -> Result<bool> {
        self.parts.connection.busy_timeout(patience).stored()?;
        let writer = self.parts.writer.blocking_lock();
        let began = Instant::now();
        let progress = self.checkpoint("RESTART")?;
        let pause = micros(began);
        drop(writer);
        let counters = &self.shared.counters;
        counters.last_pause.store(pause, Ordering::Relaxed);
        counters.longest_pause.fetch_max(pause, Ordering::Relaxed);
        let restarted = progress.is_whole();
        let length = if restarted { 0 } else { progress.frames };
        counters.frames.store(length, Ordering::Relaxed);
        self.shared.looked_at.store(length, Ordering::Relaxed);
        Ok(restarted)
    }

    /// Carries over what lies about when little happens. `true` if nothing is left.
    fn tidy(&self) -> Result<bool> {
        let whole = self.checkpoint("PASSIVE")?.is_whole();
        if whole {
            self.shared.counters.frames.store(0, Ordering::Relaxed);
            self.shared.looked_at.store(0, Ordering::Relaxed);
        }
        Ok(whole)
    }

    /// What is carried over was archived before. Beside the writer, a reader that began before the archiving
    /// keeps later commits from being carried over, and so the log from beginning again; in a restart, the
    /// writer waits.
    fn checkpoint(&self, mode: &str) -> Result<Progress> {
        let Some(archive) = self.shared.archive.get() else { return self.carry_over(mode) };
        if mode != "PASSIVE" {
            archive.ship()?;
            return self.carry_over(mode);
        }
        let kept = self.parts.keeper.unchecked_transaction().stored()?;
        kept.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).stored()?;
        archive.ship()?;
        let progress = self.carry_over(mode);
        kept.finish().stored()?;
        progress
    }

    fn carry_over(&self, mode: &str) -> Result<Progress> {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        let mut statement = self.parts.connection.prepare_cached(&sql).stored()?;
        let row = statement
            .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)));
        let (busy, frames, done) = row.stored()?;
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        Ok(Progress { busy: busy != 0, frames: count(frames), done: count(done) })
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
