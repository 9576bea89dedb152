//! Running statements: what every store of this crate does around one, once its text is known.

use storage::{Page, Result, StorageError};
use tokio_postgres::Row;

use crate::{fields::Fields, jobs::clamp, store::Writing};

/// Reads all rows that were found.
pub(crate) fn each<T>(found: &[Row], read: fn(&mut Fields<'_>) -> Result<T>) -> Result<Vec<T>> {
    found.iter().map(|row| read(&mut Fields::new(row))).collect()
}

/// One more than asked for, to see whether more follows.
pub(crate) fn one_more(limit: usize) -> i64 {
    clamp(limit).saturating_add(1)
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

/// Commits what was done, or leaves no trace of it.
pub(crate) async fn ended<T>(writing: Writing, done: Result<T>) -> Result<T> {
    match done {
        Ok(value) => {
            writing.commit().await?;
            Ok(value)
        }
        Err(error) => {
            writing.roll_back().await?;
            Err(error)
        }
    }
}
