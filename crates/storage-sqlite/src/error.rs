//! From SQLite's errors to the store's: by code, never by message.

use rusqlite::{Error, ErrorCode, ffi};
use storage::{Result, StorageError};

/// Turns SQLite results into the store's.
pub(crate) trait IntoStorage<T> {
    /// The same result with the store's error.
    fn stored(self) -> Result<T>;

    /// The same, where a unique value that is taken has a name.
    fn unique(self, what: &'static str) -> Result<T>;
}

impl<T> IntoStorage<T> for rusqlite::Result<T> {
    fn stored(self) -> Result<T> {
        self.map_err(|error| from_sqlite(&error))
    }

    fn unique(self, what: &'static str) -> Result<T> {
        self.map_err(
            |error| if is_unique(&error) { StorageError::Conflict { what } } else { from_sqlite(&error) },
        )
    }
}

fn is_unique(error: &Error) -> bool {
    matches!(error, Error::SqliteFailure(cause, _) if matches!(
        cause.extended_code,
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID
    ))
}

/// Anything that is not understood is fatal: a store that guesses is worse than one that stops.
pub(crate) fn from_sqlite(error: &Error) -> StorageError {
    match error {
        Error::SqliteFailure(cause, _) => match cause.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StorageError::Busy(error.to_string()),
            ErrorCode::ConstraintViolation => {
                StorageError::Conflict { what: constraint(cause.extended_code) }
            }
            _ => StorageError::Fatal(format!("{error} (SQLite code {})", cause.extended_code)),
        },
        Error::FromSqlConversionFailure(..)
        | Error::InvalidColumnType(..)
        | Error::IntegralValueOutOfRange(..) => StorageError::Corrupt(error.to_string()),
        _ => StorageError::Fatal(error.to_string()),
    }
}

const fn constraint(extended: i32) -> &'static str {
    match extended {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            "id"
        }
        ffi::SQLITE_CONSTRAINT_CHECK => "check",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "append_only",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "reference",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "not_null",
        _ => "constraint",
    }
}

/// What is stored cannot be read as `what`.
pub(crate) fn corrupt(what: impl Into<String>) -> StorageError {
    StorageError::Corrupt(what.into())
}
