//! Whether the store may still be believed. After a failed write nobody knows what is on the disk, so one
//! fatal error ends all writing through this store (decision 0008).

use std::sync::atomic::{AtomicBool, Ordering};

use storage::{Result, StorageError};

/// Remembers a fatal error.
#[derive(Debug, Default)]
pub(crate) struct Health {
    poisoned: AtomicBool,
}

impl Health {
    /// Refuses once something fatal happened.
    pub(crate) fn check(&self) -> Result<()> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(StorageError::Fatal("an earlier write failed; restart the program".to_owned()));
        }
        Ok(())
    }

    /// Passes a result on and remembers if it is fatal.
    pub(crate) fn note<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(StorageError::Fatal(why)) = &result
            && !self.poisoned.swap(true, Ordering::AcqRel)
        {
            tracing::error!(%why, "the database cannot be trusted any more");
        }
        result
    }
}
