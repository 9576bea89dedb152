//! Backup beside a serving process, and restore.
//!
//! A backup is one consistent snapshot, copied page by page through a reading connection: it never holds
//! the write lock. The log cannot begin again while it lasts, so it grows for that time.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};
use storage::{Result, StorageError};

use crate::{SqliteStore, connect::APPLICATION_ID, error::IntoStorage, migrate, readers::blocking};

impl SqliteStore {
    /// Writes a copy of the database as it is now to a file that does not exist yet.
    pub async fn backup(&self, to: &Path) -> Result<()> {
        refuse_existing(to)?;
        let to = to.to_owned();
        let reader = self.inner.readers.long().await?;
        let view = self.inner.checkpoints.long_view();
        let work = move || {
            let _view = view;
            copy(&reader, &to)
        };
        let result = blocking(work).await;
        self.inner.health.note(result)
    }
}

/// Makes a database from a backup, after checking that it is one and that it is whole.
pub fn restore(from: &Path, to: &Path) -> Result<()> {
    refuse_existing(to)?;
    if !from.exists() {
        return Err(setup(format!("there is no backup {}", from.display())));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags)
        .map_err(|error| setup(format!("cannot open {}: {error}", from.display())))?;
    check_whole(&source, from)?;
    copy(&source, to)
}

fn setup(text: String) -> StorageError {
    StorageError::Setup(text)
}

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A log that lies beside the target would be applied to the copy, so it is in the way as well.
pub(crate) fn refuse_existing(to: &Path) -> Result<()> {
    for suffix in ["", "-wal", "-journal"] {
        let name = beside(to, suffix);
        if name.exists() {
            return Err(setup(format!(
                "{} exists and is never overwritten; move it away or name another file",
                name.display()
            )));
        }
    }
    Ok(())
}

pub(crate) fn check_whole(source: &Connection, from: &Path) -> Result<()> {
    let damaged = |why: String| setup(format!("{} cannot be restored: {why}", from.display()));
    let id: i32 = source
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(|error| damaged(format!("it is no database ({error})")))?;
    if id != APPLICATION_ID {
        return Err(damaged("it is not a Hexiao database".to_owned()));
    }
    migrate::check_not_newer(migrate::current(source)?)?;
    let verdict: String = source
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if verdict == "ok" { Ok(()) } else { Err(damaged(format!("it is damaged ({verdict})"))) }
}

/// Copies to a name of its own first, so that a half copy never bears the name of a whole one.
fn copy(source: &Connection, to: &Path) -> Result<()> {
    let partial = beside(to, ".partial");
    remove(&partial)?;
    let written = copy_pages(source, &partial).and_then(|()| publish(&partial, to));
    if written.is_err() {
        // The error says what went wrong; what is left over is only in the way.
        drop(fs::remove_file(&partial));
    }
    written
}

fn copy_pages(source: &Connection, partial: &Path) -> Result<()> {
    let mut target = Connection::open(partial)
        .map_err(|error| setup(format!("cannot create {}: {error}", partial.display())))?;
    target.pragma_update(None, "synchronous", "FULL").stored()?;
    {
        let failed = |error: rusqlite::Error| setup(format!("cannot write {}: {error}", partial.display()));
        let backup = Backup::new(source, &mut target).stored()?;
        // All in one step: between steps, a commit would make it begin again, for ever under load.
        match backup.step(-1).map_err(failed)? {
            StepResult::Done => {}
            _ => return Err(StorageError::Busy("the database is busy; try again".to_owned())),
        }
    }
    target.close().map_err(|(_, error)| setup(format!("cannot write {}: {error}", partial.display())))
}

pub(crate) fn publish(partial: &Path, to: &Path) -> Result<()> {
    let failed = |error: std::io::Error| setup(format!("cannot write {}: {error}", to.display()));
    File::open(partial).and_then(|file| file.sync_all()).map_err(failed)?;
    // A link, unlike a rename, never replaces what came into being meanwhile.
    fs::hard_link(partial, to).map_err(failed)?;
    fs::remove_file(partial).map_err(failed)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

pub(crate) fn remove(partial: &Path) -> Result<()> {
    match fs::remove_file(partial) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(setup(format!("cannot remove {}: {error}", partial.display()))),
    }
}
