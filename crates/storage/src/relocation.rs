//! Moving everything from one database to another, of the same kind or another.
//!
//! There is one description of the tables ([`TABLES`]), and both kinds of database read and write rows by it;
//! a test of each store holds its schema against it, so that a column of a later migration cannot be
//! forgotten. A source is read in the order of each table's key, a portion at a time, and nothing of it is
//! changed. A target stores, in the transaction of each portion, how far it is, so that a move that was
//! interrupted goes on from there.

mod rows;
mod schema;

use async_trait::async_trait;

use crate::{Result, StorageError};

pub use rows::{Cell, Key, KeyPart, Rows};
pub use schema::{Column, CurrencyOf, Kind, LEFT_BEHIND, Place, TABLES, Table};

/// The name of the table in which a target notes its progress. Gone when the move is finished.
pub const PROGRESS_TABLE: &str = "relocation";

/// The row of that table that says what is being moved.
pub const PROGRESS_HEADER: &str = "";

/// What the rows of one currency, or of a table without one, add up to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sum {
    /// The currency's code; empty where the rows have none.
    pub currency: String,
    /// How many rows.
    pub rows: i64,
    /// The sums of [`Table::amounts`], in their order.
    pub amounts: Vec<i128>,
}

/// How far a table is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableProgress {
    /// The key of the last row that was written.
    pub after: Option<Key>,
    /// How many rows were written.
    pub rows: u64,
    /// Whether that is all of them.
    pub done: bool,
}

/// Where data is taken from. Nobody may write to it meanwhile: opening refuses a database that is served, and
/// keeps servers away as far as the database lets it.
#[async_trait]
pub trait RelocationSource: Send + Sync {
    /// What tells this database in this state from others: it changes with every operation, card, change of
    /// the catalog and server that was started.
    async fn mark(&self) -> Result<String>;

    /// Tables that have to be made anew from others, because what this kind of database keeps in them means
    /// nothing elsewhere as they stand.
    async fn omitted(&self) -> Result<Vec<&'static str>>;

    /// The next rows of a table in the order of its key, at most `limit`.
    async fn read(&self, table: &'static Table, after: Option<&Key>, limit: usize) -> Result<Rows>;

    /// What the table's rows add up to, by currency.
    async fn sums(&self, table: &'static Table) -> Result<Vec<Sum>>;

    /// Fails if somebody could have written meanwhile.
    async fn check_undisturbed(&self) -> Result<()>;
}

/// Where data is put. Until [`Self::finish`], no server can be started on it.
#[async_trait]
pub trait RelocationTarget: Send + Sync {
    /// How many tables can usefully be written at once.
    fn lanes(&self) -> usize;

    /// Begins the move of the source with this mark, or goes on with it: then the progress of each table that
    /// was begun, by name. Refuses a database that is neither empty nor the target of this move: unfinished, or
    /// finished and not yet used.
    async fn begin(&self, mark: &str) -> Result<Option<Vec<(String, TableProgress)>>>;

    /// Writes rows, and how far the table is with them, in one transaction, with or without later ones, and
    /// commits at the end of the table at the latest. Rows of one table come in the order of its key.
    async fn write(&self, table: &'static Table, rows: Rows, progress: &TableProgress) -> Result<()>;

    /// What the table's rows add up to, by currency.
    async fn sums(&self, table: &'static Table) -> Result<Vec<Sum>>;

    /// Makes everything durable, and the database one that can be served from. Nothing where that is done.
    async fn finish(&self) -> Result<()>;
}

/// The progress of a move that is finished: it was killed after its end, before it could say so.
pub fn all_done() -> Vec<(String, TableProgress)> {
    TABLES
        .iter()
        .map(|table| (table.name.to_owned(), TableProgress { done: true, ..TableProgress::default() }))
        .collect()
}

/// Refuses a target that has data of its own.
pub fn not_empty(place: &str, table: &str) -> StorageError {
    StorageError::Setup(format!(
        "{place} is not empty (there are rows in {table}): move to a database that is new, or does not exist yet"
    ))
}

/// Refuses the unfinished target of another move, or of this one when its source has changed.
pub fn another_move(place: &str) -> StorageError {
    StorageError::Setup(format!(
        "{place} is the unfinished target of another move, or the source has changed since that began: delete \
         the target and begin again"
    ))
}

/// Refuses to serve from an unfinished target.
pub fn unfinished(place: &str) -> StorageError {
    StorageError::Setup(format!(
        "{place} is the unfinished target of a move: run the same hexiao move again to finish it, or delete it"
    ))
}
