//! The one connection that writes.

use std::cell::Cell;

use rusqlite::Connection;
use storage::{Result, StorageError};

use crate::error::IntoStorage;

thread_local! {
    /// How long the log was after the latest commit on this thread. SQLite reports it to a plain function
    /// that runs inside the commit, so it cannot be handed over in any other way.
    static LOG_FRAMES: Cell<i32> = const { Cell::new(0) };
}

/// The writing connection with what it knows of the database.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    /// What SQLite counts when another connection commits; our knowledge is worth nothing then.
    seen_version: Option<i64>,
    no_tombstones: bool,
}

impl Writer {
    pub(crate) fn new(connection: Connection) -> Self {
        connection.wal_hook(Some(|_, frames| {
            LOG_FRAMES.set(frames);
            Ok(())
        }));
        Self { connection, seen_version: None, no_tombstones: false }
    }

    /// Begins a transaction that holds SQLite's write lock from the start, so that nothing it reads can
    /// change before it commits.
    pub(crate) fn begin(&self) -> Result<()> {
        self.execute("BEGIN IMMEDIATE")
    }

    /// Commits and returns the length of the log in frames. Any failure is fatal: whether the commit happened
    /// is unknown. It is durable once the log is synced.
    pub(crate) fn commit(&self) -> Result<u32> {
        LOG_FRAMES.set(0);
        self.execute("COMMIT").map_err(|error| match error {
            StorageError::Fatal(_) => error,
            other => StorageError::Fatal(format!("a commit failed: {other}")),
        })?;
        Ok(u32::try_from(LOG_FRAMES.get()).unwrap_or(0))
    }

    /// Gives up what was not committed. Nothing to do where SQLite has done so already.
    pub(crate) fn roll_back(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::error!(%error, "a rollback failed");
        }
    }

    fn execute(&self, sql: &str) -> Result<()> {
        self.connection.prepare_cached(sql).and_then(|mut statement| statement.raw_execute()).stored()?;
        Ok(())
    }

    /// Whether there is not a single tombstone, so that keys need not be looked up among them. To be asked
    /// inside a transaction.
    pub(crate) fn has_no_tombstones(&mut self) -> Result<bool> {
        let query = |sql: &str| -> Result<i64> {
            let mut statement = self.connection.prepare_cached(sql).stored()?;
            statement.query_row([], |row| row.get(0)).stored()
        };
        let version = query("PRAGMA data_version")?;
        if self.seen_version != Some(version) {
            self.no_tombstones = query("SELECT NOT EXISTS (SELECT 1 FROM tombstone)")? == 1;
            self.seen_version = Some(version);
        }
        Ok(self.no_tombstones)
    }

    /// Forgets that there are none, because one is being written.
    pub(crate) fn expect_tombstones(&mut self) {
        self.no_tombstones = false;
    }
}
