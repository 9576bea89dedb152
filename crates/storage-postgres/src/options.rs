//! How a store is opened.

use std::time::Duration;

use storage::{Result, StorageError};

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// The address with which the schema is made and migrated. Without it, the run-time address does so
    /// if it may.
    pub owner_url: Option<String>,
    /// Whether this opening may migrate the schema. Others find it as it is.
    pub migrate: bool,
    /// Batches that are decided at once, 1 to 16, each on a connection of its own.
    pub writers: usize,
    /// Connections for everything else, 2 to 64.
    pub readers: usize,
    /// How long one host may take until a session on it is ready.
    pub connect_timeout: Duration,
    /// How long the writer waits for an answer of the database before it gives up on the connection: a
    /// machine that hangs closes none.
    pub write_timeout: Duration,
    /// The same for reading. The database is told to give up by itself as well.
    pub read_timeout: Duration,
    /// How long a batch waits for cards that another one has locked.
    pub lock_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            owner_url: None,
            migrate: true,
            writers: 2,
            readers: 8,
            // An attempt that began before there was a new leader waits this long for the frozen one.
            connect_timeout: Duration::from_secs(1),
            // What is left of the time that a failover from a frozen leader may take: the next one leads after
            // two seconds.
            write_timeout: Duration::from_millis(2500),
            read_timeout: Duration::from_mins(1),
            // Below PostgreSQL's deadlock_timeout of one second, so that nobody waits for that.
            lock_timeout: Duration::from_millis(800),
        }
    }
}

impl std::fmt::Debug for Options {
    /// Addresses may hold passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("owner_url", &self.owner_url.as_ref().map(|_| "…"))
            .field("migrate", &self.migrate)
            .field("writers", &self.writers)
            .field("readers", &self.readers)
            .finish_non_exhaustive()
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |why: &str| Err(StorageError::Setup(why.to_owned()));
        if !(1..=16).contains(&self.writers) {
            return refuse("the number of writers must be 1 to 16");
        }
        if !(2..=64).contains(&self.readers) {
            return refuse("the number of reading connections must be 2 to 64");
        }
        let times = [self.connect_timeout, self.write_timeout, self.read_timeout, self.lock_timeout];
        if times.iter().any(|time| *time < Duration::from_millis(50) || *time > Duration::from_hours(1)) {
            return refuse("timeouts must be 50 milliseconds to an hour");
        }
        Ok(())
    }
}
