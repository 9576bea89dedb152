//! Opening connections with the settings that durability and bounded memory depend on.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use storage::{Result, StorageError};

use crate::{Options, error::IntoStorage};

/// "HEXI": marks a file as ours.
pub(crate) const APPLICATION_ID: i32 = 0x4845_5849;
/// "HEXM": marks the unfinished target of a move.
pub(crate) const UNFINISHED_ID: i32 = 0x4845_584D;
/// How long a writer waits for another process, such as a command line beside a server.
const BUSY: Duration = Duration::from_secs(5);
/// Above the number of different statements, so that none is ever prepared twice.
const STATEMENTS: usize = 128;

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Write,
    Read,
    Checkpoint,
}

/// Opens a connection to an existing or new file.
pub(crate) fn open(path: &Path, options: &Options, role: Role) -> Result<Connection> {
    configured(path, options, role).map_err(|error| {
        let why = match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => "it cannot be read as a database".to_owned(),
            _ => error.to_string(),
        };
        StorageError::Setup(format!("cannot open {}: {why}", path.display()))
    })
}

fn configured(path: &Path, options: &Options, role: Role) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let flags = if role == Role::Write { flags | OpenFlags::SQLITE_OPEN_CREATE } else { flags };
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // FULL syncs the log at each commit. The server's writer leaves that to a thread beside it, and nobody
    // is answered before that thread is done: see `log_sync`.
    let beside = role == Role::Write && options.exclusive;
    connection.pragma_update(None, "synchronous", if beside { "NORMAL" } else { "FULL" })?;
    // Checkpoints have a thread of their own; a commit must never do one.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", options.wal_file_limit())?;
    // Mapped pages would count as resident memory of the process.
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    let cache = match role {
        Role::Write => options.writer_cache_kib,
        Role::Read => options.reader_cache_kib,
        Role::Checkpoint => 256,
    };
    connection.pragma_update(None, "cache_size", -i64::from(cache))?;
    if role == Role::Read {
        connection.pragma_update(None, "query_only", true)?;
    }
    Ok(connection)
}

/// Makes a new file ours, or checks that an existing one is. Refuses anything else before touching it.
pub(crate) fn claim(connection: &Connection, path: &Path, options: &Options) -> Result<()> {
    let foreign = |why: &str| {
        StorageError::Setup(format!(
            "{} {why}; give the path of a Hexiao database, or of a file that does not exist yet",
            path.display()
        ))
    };
    let id: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(|error| foreign(&format!("cannot be read as a database ({error})")))?;
    if id == UNFINISHED_ID {
        return Err(storage::relocation::unfinished(&path.display().to_string()));
    }
    if id != APPLICATION_ID {
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).stored()?;
        if id != 0 || tables != 0 {
            return Err(foreign("belongs to another program"));
        }
        connection.pragma_update(None, "page_size", options.page_size).stored()?;
        connection.pragma_update(None, "application_id", APPLICATION_ID).stored()?;
    }
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(|error| StorageError::Setup(format!("cannot switch {} to WAL: {error}", path.display())))?;
    if mode != "wal" {
        return Err(StorageError::Setup(format!(
            "{} does not support write-ahead logging (mode {mode}); use a local file system",
            path.display()
        )));
    }
    Ok(())
}
