//! Makes commits durable beside the writer.
//!
//! The writer's connection does not sync the write-ahead log itself (`synchronous=NORMAL`); a thread of
//! its own does, as often as the disk allows, and whoever waits for a commit is told when a sync that
//! began after it has returned. So the next batch is decided while the disk works on the last one, and
//! commits that come together share a sync. What SQLite itself syncs stays as it is: the log's header when
//! the log begins again, the log before a checkpoint, the database after it.

use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use storage::{Durable, Result, StorageError, durable_already};
use tokio::sync::oneshot;

use crate::health::Health;

/// The thread that syncs. Without one, commits are durable when they return.
pub(crate) struct LogSync {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<oneshot::Sender<()>>,
    stop: bool,
}

impl Shared {
    fn locked(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogSync {
    /// For a connection whose commits are durable when they return.
    pub(crate) fn absent() -> Self {
        Self { shared: Arc::default(), thread: None }
    }

    /// Starts the thread for the log of the database at `path`.
    pub(crate) fn start(path: &Path, health: Arc<Health>) -> Result<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = PathBuf::from(log);
        sync_what_is_left(&log)?;
        let shared = Arc::new(Shared::default());
        let worker = Worker { path: log, health, shared: Arc::clone(&shared) };
        let thread = std::thread::Builder::new()
            .name("log-sync".to_owned())
            .spawn(move || worker.run())
            .map_err(|error| StorageError::Setup(format!("cannot start the sync thread: {error}")))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Done when everything committed before this call is durable.
    pub(crate) fn durable(&self) -> Durable {
        if self.thread.is_none() {
            return durable_already();
        }
        let (done, answer) = oneshot::channel();
        let mut queue = self.shared.locked();
        if !queue.stop {
            queue.waiting.push(done);
        }
        drop(queue);
        self.shared.wake.notify_one();
        Box::pin(async move {
            // Dropped without an answer: the sync failed, or the thread is gone.
            let failed = |_| StorageError::Fatal("a sync of the log failed".to_owned());
            answer.await.map_err(failed)
        })
    }
}

/// An earlier process may have ended between writing the log and syncing it. What it left is visible from
/// now on, and is answered as stored to whoever asks again under the same key: so it must be.
fn sync_what_is_left(log: &Path) -> Result<()> {
    let synced = match File::open(log) {
        Ok(log) => log.sync_data(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    synced.map_err(|error| StorageError::Setup(format!("cannot sync {}: {error}", log.display())))
}

impl Drop for LogSync {
    fn drop(&mut self) {
        self.shared.locked().stop = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the sync thread panicked");
        }
    }
}

struct Worker {
    path: PathBuf,
    health: Arc<Health>,
    shared: Arc<Shared>,
}

impl Worker {
    fn run(self) {
        // Kept open: a write that fails in the background is reported to descriptors that were open then.
        let mut log: Option<File> = None;
        while let Some(waiting) = self.next() {
            if let Err(error) = self.sync(&mut log) {
                let error = StorageError::Fatal(format!("the log cannot be synced: {error}"));
                let _ = self.health.note(Err::<(), _>(error));
                self.shared.locked().stop = true;
                // Nobody who waits, or comes later, is told that anything is durable.
                self.shared.locked().waiting.clear();
                return;
            }
            for one in waiting {
                // A caller that has gone away does not mind.
                let _ = one.send(());
            }
        }
    }

    /// Those whose commits the next sync covers. `None` at the end.
    fn next(&self) -> Option<Vec<oneshot::Sender<()>>> {
        let idle = |queue: &mut Queue| queue.waiting.is_empty() && !queue.stop;
        let waiting = self.shared.wake.wait_while(self.shared.locked(), idle);
        let mut queue = waiting.unwrap_or_else(PoisonError::into_inner);
        let waiting = std::mem::take(&mut queue.waiting);
        (!waiting.is_empty()).then_some(waiting)
    }

    fn sync(&self, log: &mut Option<File>) -> std::io::Result<()> {
        if log.is_none() {
            *log = Some(OpenOptions::new().write(true).open(&self.path)?);
        }
        log.as_ref().map_or(Ok(()), File::sync_data)
    }
}
