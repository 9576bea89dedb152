//! A file that is moved away. The lock that a server would take is held meanwhile, and nothing is written.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use rusqlite::{Connection, ToSql, types::ValueRef};
use storage::{
    RelocationSource, Result, StorageError,
    relocation::{Cell, Key, KeyPart, Place, Rows, Sum, Table},
};
use tokio::sync::Mutex;

use crate::{
    Options,
    connect::{self, APPLICATION_ID, Role},
    error::{IntoStorage, corrupt},
    migrate,
    readers::blocking,
    serving_lock::ServingLock,
    store::path_of,
};

use super::{is_here, mark, quoted, sums};

/// Tables that are read at once, at most.
const READERS: usize = 3;

/// A database in a file from which everything is taken.
pub struct SqliteRelocationSource {
    readers: Vec<Arc<Mutex<Connection>>>,
    _lock: ServingLock,
}

impl std::fmt::Debug for SqliteRelocationSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteRelocationSource").finish_non_exhaustive()
    }
}

impl SqliteRelocationSource {
    /// Opens an existing database of the current schema that no server serves from.
    pub fn open(url: &str) -> Result<Self> {
        let path = path_of(url)?;
        if !path.exists() {
            return Err(StorageError::Setup(format!("there is no database {}", path.display())));
        }
        let lock = ServingLock::take(&path)?;
        let reader = |_| open_reader(&path).map(|connection| Arc::new(Mutex::new(connection)));
        Ok(Self { readers: (0..READERS).map(reader).collect::<Result<_>>()?, _lock: lock })
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let free = self.readers.iter().find_map(|reader| Arc::clone(reader).try_lock_owned().ok());
        let reader = match (free, self.readers.first()) {
            (Some(free), _) => free,
            (None, Some(first)) => Arc::clone(first).lock_owned().await,
            (None, None) => return Err(corrupt("no connection")),
        };
        blocking(move || work(&reader)).await
    }
}

fn open_reader(path: &Path) -> Result<Connection> {
    let connection = connect::open(path, &Options::default(), Role::Read)?;
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).stored()?;
    if id == connect::UNFINISHED_ID {
        return Err(storage::relocation::unfinished(&path.display().to_string()));
    }
    if id != APPLICATION_ID {
        return Err(StorageError::Setup(format!("{} is not a Hexiao database", path.display())));
    }
    migrate::check_current(&connection)?;
    Ok(connection)
}

#[async_trait]
impl RelocationSource for SqliteRelocationSource {
    async fn mark(&self) -> Result<String> {
        self.with(mark).await
    }

    async fn omitted(&self) -> Result<Vec<&'static str>> {
        Ok(Vec::new())
    }

    async fn read(&self, table: &'static Table, after: Option<&Key>, limit: usize) -> Result<Rows> {
        let after = after.cloned();
        self.with(move |connection| read(connection, table, after.as_ref(), limit)).await
    }

    async fn sums(&self, table: &'static Table) -> Result<Vec<Sum>> {
        self.with(move |connection| sums(connection, table)).await
    }

    async fn check_undisturbed(&self) -> Result<()> {
        // The lock was held all the time.
        Ok(())
    }
}

/// What only a distributed database has is joined from the operation. `CROSS JOIN` keeps the order of the
/// loops, and with it the order of the key without sorting.
fn select(table: &Table, from_start: bool) -> String {
    let expression = |column: &storage::relocation::Column| match column.place {
        Place::Both | Place::BothOrZero => format!("t.\"{}\"", column.name),
        Place::OfOperation => format!("o.\"{}\"", column.name),
    };
    let columns = table.columns.iter().map(expression).collect::<Vec<_>>().join(", ");
    let joined = table.columns.iter().any(|column| !is_here(column));
    let join = if joined { " CROSS JOIN operation o ON o.id = t.operation_id" } else { "" };
    let key = quoted(table.key, "t.");
    let after = if from_start {
        String::new()
    } else {
        let places: Vec<String> = (2..table.key.len() + 2).map(|n| format!("?{n}")).collect();
        format!(" WHERE ({key}) > ({})", places.join(", "))
    };
    format!("SELECT {columns} FROM \"{}\" t{join}{after} ORDER BY {key} LIMIT ?1", table.name)
}

fn read(connection: &Connection, table: &Table, after: Option<&Key>, limit: usize) -> Result<Rows> {
    let mut statement = connection.prepare_cached(&select(table, after.is_none())).stored()?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut values: Vec<&dyn ToSql> = vec![&limit];
    for part in after.map(|key| key.0.as_slice()).unwrap_or_default() {
        values.push(match part {
            KeyPart::Int(number) => number,
            KeyPart::Text(text) => text,
            KeyPart::Bytes(bytes) => bytes,
        });
    }
    let mut found = statement.query(values.as_slice()).stored()?;
    let mut rows = Rows::new(table.columns.len(), usize::try_from(limit).unwrap_or(0).min(16_384));
    while let Some(row) = found.next().stored()? {
        for (at, column) in table.columns.iter().enumerate() {
            let cell = match row.get_ref(at).stored()? {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(0) if column.place != Place::Both => Cell::Null,
                ValueRef::Integer(number) => Cell::Int(number),
                ValueRef::Text(text) => Cell::Text(utf8(text)?),
                ValueRef::Blob(bytes) => Cell::Bytes(bytes),
                ValueRef::Real(_) => return Err(corrupt("a number with a fraction")),
            };
            rows.push(cell)?;
        }
    }
    Ok(rows)
}

fn utf8(text: &[u8]) -> Result<&str> {
    std::str::from_utf8(text).map_err(|_| corrupt("a text is not UTF-8"))
}
