//! Running statements: what every store of this crate does with one, once its text is known.

use rusqlite::{Connection, Params};
use storage::{Page, Result, StorageError};

use crate::{error::IntoStorage, fields::Fields};

/// Reads all rows of a statement.
pub(crate) fn list<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: fn(&mut Fields<'_, '_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql).stored()?;
    let mut rows = statement.query(params).stored()?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().stored()? {
        found.push(read(&mut Fields::new(row))?);
    }
    Ok(found)
}

/// Runs a statement that changes rows, and says how many.
pub(crate) fn run(connection: &Connection, sql: &str, params: impl Params) -> Result<usize> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).stored()
}

/// `INSERT INTO table (…) VALUES (?1, …)`
pub(crate) fn insert(table: &str, columns: &str) -> String {
    let places: Vec<String> = (1..=columns.split(',').count()).map(|n| format!("?{n}")).collect();
    format!("INSERT INTO {table} ({columns}) VALUES ({})", places.join(", "))
}

/// One more than asked for, to see whether more follows.
pub(crate) fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

/// A page of what was read with [`one_more`].
pub(crate) fn page<T>(mut items: Vec<T>, limit: usize, id: impl Fn(&T) -> i64) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(id) } else { None };
    Page { items, next }
}

pub(crate) fn conflict<T>(what: &'static str) -> Result<T> {
    Err(StorageError::Conflict { what })
}
