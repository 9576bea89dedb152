//! The lock file beside a database: one process serves from it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use storage::{Result, StorageError};

/// Held as long as this lives. Advisory, and free again when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct ServingLock(File);

impl ServingLock {
    pub(crate) fn take(database: &Path) -> Result<Self> {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let name = PathBuf::from(name);
        let setup =
            |error: std::io::Error| StorageError::Setup(format!("cannot lock {}: {error}", name.display()));
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&name).map_err(setup)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StorageError::Setup(format!(
                "another process serves from {} (it holds {}); stop it first, or use another database",
                database.display(),
                name.display()
            ))),
            Err(TryLockError::Error(error)) => Err(setup(error)),
        }
    }
}

/// Closing the file would not do: a child that another thread is just starting has inherited the descriptor
/// until it becomes its program, and the lock lives as long as any descriptor of it.
impl Drop for ServingLock {
    fn drop(&mut self) {
        // Where it fails, closing the file remains.
        drop(self.0.unlock());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_is_being_started_does_not_keep_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("test.db");
        let lock = ServingLock::take(&database).expect("free");
        ServingLock::take(&database).expect_err("taken");
        let inherited = lock.0.try_clone().expect("a descriptor");
        drop(lock);
        ServingLock::take(&database).expect("free again");
        drop(inherited);
    }
}
