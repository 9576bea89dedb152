//! Bringing the schema to the version this program knows, and refusing one it does not know.

use rusqlite::{Connection, OptionalExtension};
use storage::{Result, StorageError};

use crate::error::IntoStorage;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The newest version this program knows.
pub(crate) fn known() -> i64 {
    let runner = embedded::migrations::runner();
    runner.get_migrations().iter().map(|migration| i64::from(migration.version())).max().unwrap_or(0)
}

/// The version of a database; zero for a new one.
pub(crate) fn current(connection: &Connection) -> Result<i64> {
    let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'refinery_schema_history'";
    let there: Option<i64> = connection.query_row(table, [], |row| row.get(0)).optional().stored()?;
    if there.is_none() {
        return Ok(0);
    }
    let newest = "SELECT coalesce(max(version), 0) FROM refinery_schema_history";
    connection.query_row(newest, [], |row| row.get(0)).stored()
}

/// Refuses a database that a newer program has migrated.
pub(crate) fn check_not_newer(current: i64) -> Result<()> {
    let known = known();
    if current > known {
        return Err(StorageError::Setup(format!(
            "the database has schema version {current}, this program knows versions up to {known}; \
             use the newer program that wrote it"
        )));
    }
    Ok(())
}

/// Applies what is missing.
pub(crate) fn run(connection: &mut Connection) -> Result<()> {
    check_not_newer(current(connection)?)?;
    embedded::migrations::runner()
        .run(connection)
        .map_err(|error| StorageError::Setup(format!("migrating the database failed: {error}")))?;
    Ok(())
}

/// Refuses a database that still has to be migrated, where this opening may not do it.
pub(crate) fn check_current(connection: &Connection) -> Result<()> {
    let current = current(connection)?;
    check_not_newer(current)?;
    if current < known() {
        return Err(StorageError::Setup(format!(
            "the database has schema version {current} and this program needs {}; start the server once to \
             migrate it",
            known()
        )));
    }
    Ok(())
}
