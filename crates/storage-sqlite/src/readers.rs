//! The pool of reading connections.
//!
//! Point reads take microseconds and run where they are called. Long reads (lists, balances, audits) run
//! on blocking threads, and may take all connections but two, so that they never starve point reads.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use storage::{Result, StorageError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections that are not in use, and permits for all of them.
pub(crate) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    all: Arc<Semaphore>,
    long: Arc<Semaphore>,
}

/// A connection on loan.
pub(crate) struct Reader {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
    // Given back after the connection, because fields drop after `drop`.
    _permits: [Option<OwnedSemaphorePermit>; 2],
}

fn closed<E>(_: E) -> StorageError {
    StorageError::Fatal("the store is closed".to_owned())
}

impl Readers {
    /// A pool of at least three connections.
    pub(crate) fn new(connections: Vec<Connection>) -> Self {
        let count = connections.len();
        Self {
            idle: Arc::new(Mutex::new(connections)),
            all: Arc::new(Semaphore::new(count)),
            long: Arc::new(Semaphore::new(count.saturating_sub(2).max(1))),
        }
    }

    /// A connection for a point read.
    pub(crate) async fn point(&self) -> Result<Reader> {
        let permit = Arc::clone(&self.all).acquire_owned().await.map_err(closed)?;
        self.lend([Some(permit), None])
    }

    /// A connection for a long read.
    pub(crate) async fn long(&self) -> Result<Reader> {
        let long = Arc::clone(&self.long).acquire_owned().await.map_err(closed)?;
        let permit = Arc::clone(&self.all).acquire_owned().await.map_err(closed)?;
        self.lend([Some(permit), Some(long)])
    }

    fn lend(&self, permits: [Option<OwnedSemaphorePermit>; 2]) -> Result<Reader> {
        let connection = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if connection.is_none() {
            return Err(closed(()));
        }
        Ok(Reader { connection, idle: Arc::clone(&self.idle), _permits: permits })
    }
}

impl Deref for Reader {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("a reader has its connection until it is dropped")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

/// Runs blocking work beside the caller's runtime, or in place where there is none.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => match runtime.spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(closed(())),
        },
        Err(_) => work(),
    }
}
