//! What can go wrong in a store.

/// A store's result.
pub type Result<T> = std::result::Result<T, StorageError>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The outcome of a write is unknown, or the disk refuses: the process must stop without answering,
    /// because after a failed fsync nobody knows what is on the disk.
    #[error("the database cannot be trusted any more: {0}")]
    Fatal(String),
    /// Another writer came first; the same again may succeed.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The connection ended while a commit was on its way: it may or may not have happened. The database
    /// can be trusted, only this outcome is unknown: ask again by idempotency key.
    #[error("it is not known whether the database committed: {0}")]
    InDoubt(String),
    /// The database cannot be reached now, or cannot write now. Nothing happened, and the same again may
    /// succeed once it is back.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// What is written contradicts what is there.
    #[error("conflict on {what}")]
    Conflict {
        /// Which unique value or version.
        what: &'static str,
    },
    /// What is stored cannot be read as what it should be.
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
    /// Opening or migrating failed; says why and how to mend it.
    #[error("{0}")]
    Setup(String),
}

impl StorageError {
    /// Whether the same again may succeed, without anybody mending anything in the process.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::InDoubt(_) | Self::Unavailable(_))
    }
}
