//! The store: its options, how it is opened, and what its parts share.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::Connection;
use storage::{Result, StorageError};
use tokio::sync::{Mutex, watch};

use crate::{
    checkpoint::{CheckpointStats, Checkpointer, Parts},
    connect::{self, Role},
    health::Health,
    log_sync::LogSync,
    migrate,
    readers::{Readers, blocking},
    serving_lock::ServingLock,
    writer::Writer,
};

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether this is the one process that serves from the database: it holds the lock file, migrates
    /// the schema and runs checkpoints. Other openings (backup, verify, a command beside a server) are
    /// not exclusive and find the database as it is.
    pub exclusive: bool,
    /// Connections that read, 3 to 64.
    pub readers: usize,
    /// The page cache of the writer, in KiB.
    pub writer_cache_kib: u32,
    /// The page cache of each reader, in KiB.
    pub reader_cache_kib: u32,
    /// The length of the write-ahead log, in pages, at which it is carried into the database. Longer means
    /// fewer rewrites of the same page, but more of the log to search at each read.
    pub wal_pages: u32,
    /// The page size of a new database.
    pub page_size: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            exclusive: true,
            readers: 6,
            writer_cache_kib: 64 * 1024,
            reader_cache_kib: 8 * 1024,
            wal_pages: 65_536,
            // A sale rewrites one page of cards: half the page is half the log. At a million cards 2 KiB did a
            // sixth to a fifth more sales than 4 KiB in runs side by side.
            page_size: 2048,
        }
    }
}

impl Options {
    /// What the log's file shrinks to when a long read had made it longer.
    pub(crate) fn wal_file_limit(&self) -> i64 {
        i64::from(self.wal_pages).saturating_mul(2).saturating_mul(i64::from(self.page_size))
    }
}

/// A database in one SQLite file. Cloning shares it.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) inner: Arc<Inner>,
}

/// What all parts of the store share. Fields drop in this order: threads stop first, the lock goes last.
pub(crate) struct Inner {
    pub(crate) checkpoints: Checkpointer,
    pub(crate) log: LogSync,
    pub(crate) readers: Readers,
    pub(crate) writer: Arc<Mutex<Writer>>,
    pub(crate) health: Arc<Health>,
    pub(crate) path: PathBuf,
    /// The catalog's revision, for those who wait for it to change.
    pub(crate) revised: watch::Sender<i64>,
    /// Closing any descriptor of the database gives up the locks that this process's connections have on it: so
    /// it is closed after them.
    _data: Option<Arc<File>>,
    _lock: Option<ServingLock>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

/// The path in `sqlite:hexiao.db`, `sqlite:/var/lib/hexiao.db`, or a bare path.
pub(crate) fn path_of(url: &str) -> Result<PathBuf> {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.starts_with(':') || path.contains(['?', '\0']) {
        return Err(StorageError::Setup(format!(
            "{url:?} names no file; write sqlite:hexiao.db or sqlite:/absolute/path.db"
        )));
    }
    Ok(PathBuf::from(path))
}

impl SqliteStore {
    /// Opens a database, and makes or migrates it where the opening is exclusive.
    pub fn open(url: &str, options: Options) -> Result<Self> {
        let path = path_of(url)?;
        check(&options)?;
        let lock = if options.exclusive { Some(ServingLock::take(&path)?) } else { None };
        if !options.exclusive && !path.exists() {
            return Err(StorageError::Setup(format!("there is no database {}", path.display())));
        }
        let writer = open_writer(&path, &options)?;
        let readers = (0..options.readers).map(|_| connect::open(&path, &options, Role::Read));
        let readers = Readers::new(readers.collect::<Result<_>>()?);
        let health = Arc::new(Health::default());
        let writer = Arc::new(Mutex::new(Writer::new(writer)));
        let (checkpoints, log, data) = if options.exclusive {
            let connection = connect::open(&path, &options, Role::Checkpoint)?;
            let keeper = connect::open(&path, &options, Role::Checkpoint)?;
            let log = LogSync::start(&path, Arc::clone(&health))?;
            let (writer, health) = (Arc::clone(&writer), Arc::clone(&health));
            let data =
                Arc::new(File::open(&path).map_err(|error| {
                    StorageError::Setup(format!("cannot open {}: {error}", path.display()))
                })?);
            let parts = Parts { connection, keeper, data: Arc::clone(&data), writer, health };
            (Checkpointer::start(parts, options.wal_pages)?, log, Some(data))
        } else {
            (Checkpointer::absent(), LogSync::absent(), None)
        };
        let revised = watch::Sender::new(0);
        let inner =
            Inner { checkpoints, log, readers, writer, health, path, revised, _data: data, _lock: lock };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What checkpoints did, for metrics.
    pub fn checkpoint_stats(&self) -> CheckpointStats {
        self.inner.checkpoints.stats()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// A short read, where it is called.
    pub(crate) async fn point<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let reader = self.inner.readers.point().await?;
        self.inner.health.note(read(&reader))
    }

    /// A long read on one consistent snapshot, on a blocking thread.
    pub(crate) async fn long<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let reader = self.inner.readers.long().await?;
        let result = blocking(move || snapshot(&reader, read)).await;
        self.inner.health.note(result)
    }

    /// A write transaction on a blocking thread.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_or_not(|connection| work(connection).map(Outcome::Commit)).await
    }

    /// The same, where the work may find that nothing is to be written after all.
    pub(crate) async fn write_or_not<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<Outcome<T>> + Send + 'static,
    ) -> Result<T> {
        self.inner.health.check()?;
        let writer = Arc::clone(&self.inner.writer).lock_owned().await;
        self.inner.health.check()?;
        let inner = Arc::clone(&self.inner);
        let result = blocking(move || {
            let (value, frames) = transact(&writer, work)?;
            if let Some(frames) = frames {
                inner.checkpoints.report(frames);
            }
            Ok((value, frames.is_some()))
        });
        let (value, committed) = self.inner.health.note(result.await)?;
        if committed {
            self.inner.log.durable().await?;
        }
        Ok(value)
    }
}

fn check(options: &Options) -> Result<()> {
    if !(3..=64).contains(&options.readers) {
        return Err(StorageError::Setup("the number of reading connections must be 3 to 64".to_owned()));
    }
    if !options.page_size.is_power_of_two() || !(512..=65_536).contains(&options.page_size) {
        return Err(StorageError::Setup("the page size must be a power of two, 512 to 65536".to_owned()));
    }
    Ok(())
}

fn open_writer(path: &Path, options: &Options) -> Result<Connection> {
    let mut connection = connect::open(path, options, Role::Write)?;
    connect::claim(&connection, path, options)?;
    if options.exclusive {
        migrate::run(&mut connection)?;
    } else {
        migrate::check_current(&connection)?;
    }
    Ok(connection)
}

/// All reads of `read` see one state of the database.
fn snapshot<T>(connection: &Connection, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    use crate::error::IntoStorage;
    let transaction = connection.unchecked_transaction().stored()?;
    let result = read(&transaction)?;
    transaction.finish().stored()?;
    Ok(result)
}

/// What becomes of the work of a transaction.
pub(crate) enum Outcome<T> {
    Commit(T),
    RollBack(T),
}

/// Returns the length of the log where something was committed.
fn transact<T>(
    writer: &Writer,
    work: impl FnOnce(&Connection) -> Result<Outcome<T>>,
) -> Result<(T, Option<u32>)> {
    writer.begin()?;
    match work(&writer.connection) {
        Ok(Outcome::Commit(value)) => match writer.commit() {
            Ok(frames) => Ok((value, Some(frames))),
            Err(error) => {
                writer.roll_back();
                Err(error)
            }
        },
        Ok(Outcome::RollBack(value)) => {
            writer.roll_back();
            Ok((value, None))
        }
        Err(error) => {
            writer.roll_back();
            Err(error)
        }
    }
}
