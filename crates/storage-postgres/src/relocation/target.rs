//! A database on a server that everything is moved to, by the owner of its tables. While the table of
//! progress is there, no server starts on it.

use std::{collections::HashMap, io::Cursor, sync::OnceLock};

use async_trait::async_trait;
use futures_util::SinkExt;
use storage::{
    RelocationTarget, Result, StorageError,
    relocation::{self, Key, PROGRESS_HEADER, PROGRESS_TABLE, Rows, Sum, TABLES, Table, TableProgress},
};
use tokio_postgres::{Client, error::SqlState, types::Type};

use crate::{
    Options,
    address::Address,
    error::{IntoStorage, corrupt},
    migrate,
};

use super::{Line, Lines, MARK, copy::encode, patient, quoted, refuse_nodes, sums};

const WRITERS: usize = 2;
/// "HEXIAO" in the keys of advisory locks, with what is locked: the move itself, and its writing sessions.
const MOVE_LOCK: i64 = 0x4845_5849_414F_0002;
const WRITERS_LOCK: i64 = 0x4845_5849_414F_0003;

/// A database on a server that everything is put into.
pub struct PostgresRelocationTarget {
    guard: Line,
    lines: Lines,
    shown: String,
    types: OnceLock<HashMap<&'static str, Vec<Type>>>,
}

impl std::fmt::Debug for PostgresRelocationTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresRelocationTarget").field("database", &self.shown).finish_non_exhaustive()
    }
}

impl PostgresRelocationTarget {
    /// Opens an empty database, and makes its schema where that is missing; or opens an unfinished target.
    /// `url` is what servers will run with, `owner_url` who owns the tables where that is somebody else.
    pub async fn open(url: &str, owner_url: Option<String>) -> Result<Self> {
        let options = patient(Options { owner_url, ..Options::default() });
        let address = Address::parse(url, &options)?;
        migrate::run_for_move(&address, &options).await?;
        let owner = match &options.owner_url {
            Some(url) => Address::parse(url, &options)?,
            None => address,
        };
        let guard = Line::open(&owner, &options).await?;
        alone(&guard.client, owner.shown()).await?;
        let lines = Lines::open(WRITERS, &owner, &options).await?;
        for line in &lines.lines {
            // What is not yet on the disk is written again after a crash: the last commit waits for all.
            let settings =
                format!("SET synchronous_commit = off; SELECT pg_advisory_lock_shared({WRITERS_LOCK})");
            line.lock().await.client.batch_execute(&settings).await.stored()?;
        }
        let shown = owner.shown().to_owned();
        Ok(Self { guard, lines, shown, types: OnceLock::new() })
    }

    fn types_of(&self, table: &Table) -> Result<&[Type]> {
        let types = self.types.get().and_then(|all| all.get(table.name));
        types.map(Vec::as_slice).ok_or_else(|| corrupt(format!("there is no table {}", table.name)))
    }
}

/// Only one move at a time. The sessions of one that was killed a moment ago end by themselves, those that
/// write after what they are committing: waits for them, as long as a session waits for a lock.
async fn alone(client: &Client, shown: &str) -> Result<()> {
    let taken = client.execute("SELECT pg_advisory_lock($1)", &[&MOVE_LOCK]).await;
    if taken.as_ref().is_err_and(|error| error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)) {
        return Err(StorageError::Setup(format!("another move to {shown} is running")));
    }
    taken.stored()?;
    let wait = format!("SELECT pg_advisory_lock({WRITERS_LOCK}); SELECT pg_advisory_unlock({WRITERS_LOCK})");
    client.batch_execute(&wait).await.stored()
}

#[async_trait]
impl RelocationTarget for PostgresRelocationTarget {
    fn lanes(&self) -> usize {
        WRITERS
    }

    async fn begin(&self, mark: &str) -> Result<Option<Vec<(String, TableProgress)>>> {
        let client = &self.guard.client;
        let mut types = HashMap::new();
        for table in TABLES {
            types.insert(table.name, column_types(client, table).await?);
        }
        // Set once: a target is begun once.
        drop(self.types.set(types));
        if migrate::is_unfinished(client).await? {
            return resume(client, mark, &self.shown).await.map(Some);
        }
        refuse_nodes(client, &self.shown).await?;
        if let Some(table) = table_with_rows(client).await? {
            let found: String = client.query_one(MARK, &[]).await.stored()?.get(0);
            let finished = found == mark;
            return if finished {
                Ok(Some(relocation::all_done()))
            } else {
                Err(relocation::not_empty(&self.shown, table))
            };
        }
        let emptied = TABLES.iter().filter(|table| table.prefilled);
        let emptied: Vec<String> = emptied.map(|table| format!("DELETE FROM \"{}\"", table.name)).collect();
        let begin = format!(
            "BEGIN; CREATE TABLE {PROGRESS_TABLE} (name text PRIMARY KEY, position text, rows bigint NOT NULL, \
             done boolean NOT NULL); ALTER TABLE job_cursor ALTER COLUMN xid SET DEFAULT '0'; \
             ALTER TABLE settlement_cursor ALTER COLUMN xid SET DEFAULT '0'; {}",
            emptied.join("; ")
        );
        client.batch_execute(&begin).await.stored()?;
        let header = format!("INSERT INTO {PROGRESS_TABLE} VALUES ($1, $2, 0, false)");
        client.execute(&header, &[&PROGRESS_HEADER, &mark]).await.stored()?;
        client.batch_execute("COMMIT").await.stored()?;
        Ok(None)
    }

    async fn write(&self, table: &'static Table, rows: Rows, progress: &TableProgress) -> Result<()> {
        let line = self.lines.get().await?;
        let written = write(&line.client, table, &rows, self.types_of(table)?, progress).await;
        if written.is_err() {
            // The session is of no further use if this fails as well, and the first error says why.
            drop(line.client.batch_execute("ROLLBACK").await);
        }
        written
    }

    async fn sums(&self, table: &'static Table) -> Result<Vec<Sum>> {
        sums(&self.lines.get().await?.client, table).await
    }

    async fn finish(&self) -> Result<()> {
        if !migrate::is_unfinished(&self.guard.client).await? {
            return Ok(());
        }
        let analyze: Vec<String> = TABLES.iter().map(|table| format!("ANALYZE \"{}\"", table.name)).collect();
        self.guard.client.batch_execute(&analyze.join("; ")).await.stored()?;
        // This commit is synced, and with it everything before it.
        let finish = format!(
            "BEGIN; SET LOCAL synchronous_commit = on; {CURSORS}; ALTER TABLE job_cursor ALTER COLUMN xid DROP DEFAULT; \
             ALTER TABLE settlement_cursor ALTER COLUMN xid DROP DEFAULT; \
             DROP TABLE {PROGRESS_TABLE}; COMMIT"
        );
        self.guard.client.batch_execute(&finish).await.stored()
    }
}

/// Rows were written in the order of ids, so transactions follow each other as ids do: a cursor that was past
/// an id is past its transaction.
const CURSORS: &str = "UPDATE job_cursor SET xid = coalesce((SELECT o.xid FROM operation o \
     WHERE o.id <= job_cursor.position ORDER BY o.id DESC LIMIT 1), '0'); \
     UPDATE settlement_cursor SET xid = coalesce((SELECT o.xid FROM operation o \
     WHERE o.id <= settlement_cursor.position ORDER BY o.id DESC LIMIT 1), '0')";

async fn table_with_rows(client: &Client) -> Result<Option<&'static str>> {
    for table in TABLES.iter().filter(|table| !table.prefilled) {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM \"{}\")", table.name);
        if client.query_one(&sql, &[]).await.stored()?.get::<_, bool>(0) {
            return Ok(Some(table.name));
        }
    }
    Ok(None)
}

async fn resume(client: &Client, mark: &str, shown: &str) -> Result<Vec<(String, TableProgress)>> {
    let sql = format!("SELECT name, position, rows, done FROM {PROGRESS_TABLE}");
    let (mut found, mut same) = (Vec::new(), false);
    for row in client.query(&sql, &[]).await.stored()? {
        let (name, position): (String, Option<&str>) = (row.get(0), row.get(1));
        if name == PROGRESS_HEADER {
            same = position == Some(mark);
            continue;
        }
        let after = position.map(Key::from_text).transpose()?;
        let rows = u64::try_from(row.get::<_, i64>(2)).unwrap_or(0);
        found.push((name, TableProgress { after, rows, done: row.get(3) }));
    }
    if same { Ok(found) } else { Err(relocation::another_move(shown)) }
}

/// The types of the columns, in the order of the description.
async fn column_types(client: &Client, table: &Table) -> Result<Vec<Type>> {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let sql = format!("SELECT {} FROM \"{}\" LIMIT 0", quoted(&names, ""), table.name);
    let statement = client.prepare(&sql).await.stored()?;
    Ok(statement.columns().iter().map(|column| column.type_().clone()).collect())
}

async fn write(
    client: &Client,
    table: &'static Table,
    rows: &Rows,
    types: &[Type],
    progress: &TableProgress,
) -> Result<()> {
    client.batch_execute("BEGIN").await.stored()?;
    if !rows.is_empty() {
        copy_in(client, table, rows, types).await?;
    }
    let note = format!(
        "INSERT INTO {PROGRESS_TABLE} (name, position, rows, done) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (name) DO UPDATE SET position = $2, rows = $3, done = $4"
    );
    let after = progress.after.as_ref().map(Key::to_text);
    let count = i64::try_from(progress.rows).unwrap_or(i64::MAX);
    client.execute(&note, &[&table.name, &after, &count, &progress.done]).await.stored()?;
    client.batch_execute("COMMIT").await.stored()
}

async fn copy_in(client: &Client, table: &'static Table, rows: &Rows, types: &[Type]) -> Result<()> {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let sql = format!("COPY \"{}\" ({}) FROM STDIN (FORMAT binary)", table.name, quoted(&names, ""));
    let sink = client.copy_in(&sql).await.stored()?;
    let mut sink = std::pin::pin!(sink);
    sink.send(Cursor::new(encode(table, rows, types)?)).await.stored()?;
    let copied = sink.finish().await.stored()?;
    if usize::try_from(copied) == Ok(rows.len()) {
        return Ok(());
    }
    Err(corrupt(format!("{copied} of {} rows of {} were copied", rows.len(), table.name)))
}
