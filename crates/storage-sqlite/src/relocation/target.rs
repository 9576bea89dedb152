//! A file that everything is moved to.
//!
//! Its application id says that it is unfinished until it is finished, so that no server takes it for a
//! database with little in it. Commits are not synced one by one: a checkpoint syncs the log and then the
//! file, so that after a loss of power it is at one of the commits, and the move goes on from there.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Statement};
use storage::{
    RelocationTarget, Result, StorageError,
    relocation::{self, Cell, Key, PROGRESS_HEADER, PROGRESS_TABLE, Rows, Sum, TABLES, Table, TableProgress},
};
use tokio::sync::Mutex;

use crate::{
    Options,
    connect::{self, APPLICATION_ID, Role, UNFINISHED_ID},
    error::IntoStorage,
    migrate,
    readers::blocking,
    serving_lock::ServingLock,
    store::path_of,
};

use super::{is_here, quoted, sums};

/// The log is carried over into the file when it is this long.
const LOG_PAGES: u32 = 32_768;
/// Rows of one transaction. Each commit writes whole pages: where keys are random, it writes most of their
/// index, so the fewer the better.
const COMMIT_AFTER: usize = 200_000;
/// Indexes that are written to at random stay in memory up to this size.
const CACHE_KIB: u32 = 256 * 1024;

/// A database in a file that everything is put into.
pub struct SqliteRelocationTarget {
    connection: Arc<Mutex<Connection>>,
    /// Rows that are written and not yet committed.
    pending: Arc<AtomicUsize>,
    place: String,
    _lock: ServingLock,
}

impl std::fmt::Debug for SqliteRelocationTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteRelocationTarget").field("place", &self.place).finish_non_exhaustive()
    }
}

impl SqliteRelocationTarget {
    /// Makes a new database, or opens one that is empty or an unfinished target.
    pub fn open(url: &str) -> Result<Self> {
        let path = path_of(url)?;
        let lock = ServingLock::take(&path)?;
        let options = Options { writer_cache_kib: CACHE_KIB, wal_pages: LOG_PAGES, ..Options::default() };
        let mut connection = connect::open(&path, &options, Role::Write)?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES).stored()?;
        if application_id(&connection)? != UNFINISHED_ID {
            connect::claim(&connection, &path, &options)?;
        }
        migrate::run(&mut connection)?;
        // Rows come in an order that satisfies references, and were checked where they come from.
        connection.pragma_update(None, "foreign_keys", false).stored()?;
        let place = path.display().to_string();
        let pending = Arc::default();
        Ok(Self { connection: Arc::new(Mutex::new(connection)), pending, place, _lock: lock })
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let connection = Arc::clone(&self.connection).lock_owned().await;
        blocking(move || work(&connection)).await
    }
}

fn application_id(connection: &Connection) -> Result<i32> {
    connection.pragma_query_value(None, "application_id", |row| row.get(0)).stored()
}

#[async_trait]
impl RelocationTarget for SqliteRelocationTarget {
    fn lanes(&self) -> usize {
        1
    }

    async fn begin(&self, mark: &str) -> Result<Option<Vec<(String, TableProgress)>>> {
        let (mark, place) = (mark.to_owned(), self.place.clone());
        self.with(move |connection| begin(connection, &mark, &place)).await
    }

    async fn write(&self, table: &'static Table, rows: Rows, progress: &TableProgress) -> Result<()> {
        let progress = progress.clone();
        let pending = Arc::clone(&self.pending);
        self.with(move |connection| {
            let written = write(connection, table, &rows, &progress, &pending);
            if written.is_err() && !connection.is_autocommit() {
                pending.store(0, Ordering::Relaxed);
                // The first error says why.
                drop(connection.execute_batch("ROLLBACK"));
            }
            written
        })
        .await
    }

    async fn sums(&self, table: &'static Table) -> Result<Vec<Sum>> {
        self.with(move |connection| sums(connection, table)).await
    }

    async fn finish(&self) -> Result<()> {
        self.with(finish).await
    }
}

fn begin(connection: &Connection, mark: &str, place: &str) -> Result<Option<Vec<(String, TableProgress)>>> {
    if application_id(connection)? == UNFINISHED_ID {
        return resume(connection, mark, place).map(Some);
    }
    for table in TABLES.iter().filter(|table| !table.prefilled) {
        let sql = format!("SELECT 1 FROM \"{}\" LIMIT 1", table.name);
        if connection.query_row(&sql, [], |_| Ok(())).optional().stored()?.is_some() {
            if super::mark(connection)? == mark {
                return Ok(Some(relocation::all_done()));
            }
            return Err(relocation::not_empty(place, table.name));
        }
    }
    let transaction = connection.unchecked_transaction().stored()?;
    transaction.pragma_update(None, "application_id", UNFINISHED_ID).stored()?;
    let make = format!(
        "CREATE TABLE {PROGRESS_TABLE} (name TEXT PRIMARY KEY, position TEXT, rows INTEGER NOT NULL, \
         done INTEGER NOT NULL) STRICT"
    );
    transaction.execute(&make, []).stored()?;
    let insert = format!("INSERT INTO {PROGRESS_TABLE} (name, position, rows, done) VALUES (?1, ?2, 0, 0)");
    transaction.execute(&insert, [PROGRESS_HEADER, mark]).stored()?;
    for table in TABLES.iter().filter(|table| table.prefilled) {
        transaction.execute(&format!("DELETE FROM \"{}\"", table.name), []).stored()?;
    }
    transaction.commit().stored()?;
    Ok(None)
}

fn resume(connection: &Connection, mark: &str, place: &str) -> Result<Vec<(String, TableProgress)>> {
    let sql = format!("SELECT name, position, rows, done FROM {PROGRESS_TABLE}");
    let mut statement = connection.prepare(&sql).stored()?;
    let mut rows = statement.query([]).stored()?;
    let (mut found, mut same) = (Vec::new(), false);
    while let Some(row) = rows.next().stored()? {
        let name: String = row.get(0).stored()?;
        let position: Option<String> = row.get(1).stored()?;
        if name == PROGRESS_HEADER {
            same = position.as_deref() == Some(mark);
            continue;
        }
        let after = position.as_deref().map(Key::from_text).transpose()?;
        let written: i64 = row.get(2).stored()?;
        let rows = u64::try_from(written).unwrap_or(0);
        found.push((name, TableProgress { after, rows, done: row.get(3).stored()? }));
    }
    if same { Ok(found) } else { Err(relocation::another_move(place)) }
}

/// Commits at the end of a table, and now and then before.
fn write(
    connection: &Connection,
    table: &Table,
    rows: &Rows,
    progress: &TableProgress,
    pending: &AtomicUsize,
) -> Result<()> {
    if connection.is_autocommit() {
        connection.execute_batch("BEGIN IMMEDIATE").stored()?;
    }
    insert(connection, table, rows)?;
    note(connection, table, progress)?;
    let rows = pending.fetch_add(rows.len(), Ordering::Relaxed) + rows.len();
    if rows >= COMMIT_AFTER || progress.done {
        connection.execute_batch("COMMIT").stored()?;
        pending.store(0, Ordering::Relaxed);
    }
    Ok(())
}

fn insert(connection: &Connection, table: &Table, rows: &Rows) -> Result<()> {
    let here: Vec<usize> =
        (0..table.columns.len()).filter(|at| table.columns.get(*at).is_some_and(is_here)).collect();
    let names: Vec<&str> = table.columns.iter().filter(|column| is_here(column)).map(|c| c.name).collect();
    let places = vec!["?"; names.len()].join(", ");
    let sql = format!("INSERT INTO \"{}\" ({}) VALUES ({places})", table.name, quoted(&names, ""));
    let mut statement = connection.prepare_cached(&sql).stored()?;
    for row in 0..rows.len() {
        for (place, at) in here.iter().enumerate() {
            bind(&mut statement, place + 1, rows.get(row, *at).unwrap_or(Cell::Null))?;
        }
        statement.raw_execute().stored()?;
    }
    Ok(())
}

fn bind(statement: &mut Statement<'_>, place: usize, cell: Cell<'_>) -> Result<()> {
    match cell {
        Cell::Null => statement.raw_bind_parameter(place, rusqlite::types::Null),
        Cell::Int(number) => statement.raw_bind_parameter(place, number),
        Cell::Text(text) => statement.raw_bind_parameter(place, text),
        Cell::Bytes(bytes) => statement.raw_bind_parameter(place, bytes),
    }
    .stored()
}

fn note(connection: &Connection, table: &Table, progress: &TableProgress) -> Result<()> {
    let sql = format!(
        "INSERT INTO {PROGRESS_TABLE} (name, position, rows, done) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (name) DO UPDATE SET position = ?2, rows = ?3, done = ?4"
    );
    let after = progress.after.as_ref().map(Key::to_text);
    let rows = i64::try_from(progress.rows).unwrap_or(i64::MAX);
    let values = rusqlite::params![table.name, after, rows, progress.done];
    connection.prepare_cached(&sql).stored()?.execute(values).stored()?;
    Ok(())
}

/// The log is carried over whole first, so that the file holds everything before it is called a database.
fn finish(connection: &Connection) -> Result<()> {
    if application_id(connection)? != UNFINISHED_ID {
        return Ok(());
    }
    carry_over(connection)?;
    let transaction = connection.unchecked_transaction().stored()?;
    transaction.execute(&format!("DROP TABLE {PROGRESS_TABLE}"), []).stored()?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID).stored()?;
    transaction.commit().stored()?;
    carry_over(connection)
}

fn carry_over(connection: &Connection) -> Result<()> {
    let mut statement = connection.prepare("PRAGMA wal_checkpoint(TRUNCATE)").stored()?;
    let busy: i64 = statement.query_row([], |row| row.get(0)).stored()?;
    if busy == 0 {
        return Ok(());
    }
    Err(StorageError::Busy(
        "another program reads the target; let it end, then run the move again".to_owned(),
    ))
}
