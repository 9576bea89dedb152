//! The write path: what a batch needs is read by point look-ups, what it decided is written row by row,
//! and one commit makes it durable.
//!
//! Cost of one redemption: a look-up of its key and of its card; an UPDATE of the card that touches no
//! index, an INSERT of the operation with its unique key, an INSERT per transfer. Statements are taken
//! from the cache once per batch.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use async_trait::async_trait;
use domain::{
    Card, CardId, ClientId, Hold, HoldId, IdempotencyKey, Operation, OperationId, Transfer,
    command::NumberIndex,
    operation::{Compensation, Recorded},
    working::{Changes, KeyState, Need, Tombstone, TraceKey, Working},
};
use rusqlite::{CachedStatement, Connection, Params, Row, params};
use storage::{Durable, Result, StorageError, Transaction, Transactions};
use tokio::sync::OwnedMutexGuard;

use crate::{
    SqliteStore,
    error::IntoStorage,
    fields::Fields,
    rows::{card, hold, operation, transfer},
    store::Inner,
    writer::Writer,
};

const COMPENSATION: &str = "SELECT refunded, reversed_by FROM compensation WHERE operation_id = ?1";
const TOMBSTONE: &str = "SELECT reversal_id FROM tombstone WHERE client_id = ?1 AND key = ?2";
const UPSERT_COMPENSATION: &str = "INSERT INTO compensation (operation_id, refunded, reversed_by) \
     VALUES (?1, ?2, ?3) ON CONFLICT (operation_id) DO UPDATE SET refunded = excluded.refunded, \
     reversed_by = excluded.reversed_by";
const INSERT_TOMBSTONE: &str =
    "INSERT INTO tombstone (client_id, key, key_text, reversal_id) VALUES (?1, ?2, ?3, ?4)";

/// A transaction of the engine.
struct SqliteTransaction {
    // Before the store, so that the writer is free before the store can close.
    writer: OwnedMutexGuard<Writer>,
    store: Arc<Inner>,
    /// The cards that were read, as far as a sale leaves them alone.
    settled: HashMap<CardId, card::Settled>,
}

#[async_trait]
impl Transactions for SqliteStore {
    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        self.inner.health.check()?;
        let writer = Arc::clone(&self.inner.writer).lock_owned().await;
        self.inner.health.check()?;
        self.inner.health.note(writer.begin())?;
        Ok(Box::new(SqliteTransaction { writer, store: Arc::clone(&self.inner), settled: HashMap::new() }))
    }
}

#[async_trait]
impl Transaction for SqliteTransaction {
    async fn load(&mut self, needs: &[Need], working: &mut Working) -> Result<()> {
        let store = Arc::clone(&self.store);
        store.health.note(self.load_all(needs, working))
    }

    async fn commit(mut self: Box<Self>, changes: &Changes) -> Result<Durable> {
        let store = Arc::clone(&self.store);
        let frames = store.health.note(self.write_all(changes).and_then(|()| self.writer.commit()))?;
        store.checkpoints.report(frames);
        Ok(store.log.durable())
    }
}

impl Drop for SqliteTransaction {
    fn drop(&mut self) {
        self.writer.roll_back();
    }
}

impl SqliteTransaction {
    fn load_all(&mut self, needs: &[Need], working: &mut Working) -> Result<()> {
        let asks_for_keys = needs.iter().any(|need| matches!(need, Need::Key(..)));
        let skip_tombstones = asks_for_keys && self.writer.has_no_tombstones()?;
        let settled = &mut self.settled;
        let mut loader = Loader::new(&self.writer.connection, skip_tombstones);
        for need in needs {
            match need {
                Need::Key(client, key) => loader.key(*client, key, working)?,
                Need::Trace(key) => {
                    let found = loader.trace(key)?;
                    working.traces.insert(*key, found);
                }
                Need::Card(id) => {
                    if let Entry::Vacant(entry) = working.cards.entry(*id) {
                        let found = loader.card(*id)?;
                        if let Some(card) = &found {
                            settled.insert(*id, card::Settled::of(card));
                        }
                        entry.insert(found);
                    }
                }
                Need::Number(indexes) => {
                    let found = loader.number(indexes)?;
                    enter_number(indexes, found, settled, working);
                }
                Need::Operation(id) => {
                    let found = loader.recorded(*id)?;
                    working.operations.insert(*id, found);
                }
                Need::Hold(id) => {
                    let found = loader.hold(*id)?;
                    working.holds.insert(*id, found);
                }
            }
        }
        Ok(())
    }

    fn write_all(&mut self, changes: &Changes) -> Result<()> {
        if !changes.tombstones.is_empty() {
            self.writer.expect_tombstones();
        }
        let connection = &self.writer.connection;
        write_cards(connection, &changes.cards, &self.settled)?;
        write_operations(connection, &changes.operations)?;
        write_transfers(connection, &changes.transfers)?;
        write_holds(connection, &changes.holds)?;
        write_compensations(connection, &changes.compensations)?;
        write_tombstones(connection, &changes.tombstones)
    }
}

fn enter_number(
    indexes: &[NumberIndex],
    found: Option<Card>,
    settled: &mut HashMap<CardId, card::Settled>,
    working: &mut Working,
) {
    if let Some(first) = indexes.first() {
        working.numbers.insert(*first, found.as_ref().map(|card| card.id));
    }
    // What is there already may have been changed by this batch, and counts.
    if let Some(card) = found
        && let Entry::Vacant(entry) = working.cards.entry(card.id)
    {
        settled.insert(card.id, card::Settled::of(&card));
        entry.insert(Some(card));
    }
}

/// A statement that is taken from the cache when it is needed for the first time.
struct Lazy<'c> {
    sql: &'static str,
    statement: Option<CachedStatement<'c>>,
}

impl<'c> Lazy<'c> {
    const fn new(sql: &'static str) -> Self {
        Self { sql, statement: None }
    }

    fn get(&mut self, connection: &'c Connection) -> Result<&mut CachedStatement<'c>> {
        if self.statement.is_none() {
            self.statement = Some(connection.prepare_cached(self.sql).stored()?);
        }
        self.statement.as_mut().ok_or_else(|| StorageError::Fatal("a statement vanished".to_owned()))
    }

    /// The first row, if there is one.
    fn first<T>(
        &mut self,
        connection: &'c Connection,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut rows = self.get(connection)?.query(params).stored()?;
        rows.next().stored()?.map(read).transpose()
    }
}

/// Point look-ups.
struct Loader<'c> {
    connection: &'c Connection,
    skip_tombstones: bool,
    by_key: Lazy<'c>,
    tombstone: Lazy<'c>,
    by_trace: Lazy<'c>,
    card: Lazy<'c>,
    number: Lazy<'c>,
    operation: Lazy<'c>,
    transfers: Lazy<'c>,
    compensation: Lazy<'c>,
    hold: Lazy<'c>,
}

impl<'c> Loader<'c> {
    fn new(connection: &'c Connection, skip_tombstones: bool) -> Self {
        Self {
            connection,
            skip_tombstones,
            by_key: Lazy::new(operation::BY_KEY),
            tombstone: Lazy::new(TOMBSTONE),
            by_trace: Lazy::new(operation::BY_TRACE),
            card: Lazy::new(card::BY_ID),
            number: Lazy::new(card::BY_NUMBER),
            operation: Lazy::new(operation::BY_ID),
            transfers: Lazy::new(transfer::OF_OPERATION),
            compensation: Lazy::new(COMPENSATION),
            hold: Lazy::new(hold::BY_ID),
        }
    }

    fn key(&mut self, client: ClientId, key: &IdempotencyKey, working: &mut Working) -> Result<()> {
        let params = params![client.get(), &key.bytes()[..]];
        let taken = self.by_key.first(self.connection, params, operation::read)?;
        let state = match taken {
            Some(operation) => KeyState::Taken(Arc::new(operation)),
            None if self.skip_tombstones => KeyState::Free,
            None => {
                let read = |row: &Row<'_>| Fields::new(row).int();
                match self.tombstone.first(self.connection, params, read)? {
                    Some(reversal) => KeyState::Tombstone(OperationId::new(reversal)),
                    None => KeyState::Free,
                }
            }
        };
        working.keys.insert((client, key.clone()), state);
        Ok(())
    }

    fn trace(&mut self, key: &TraceKey) -> Result<Option<Arc<Operation>>> {
        let params = params![key.terminal.get(), key.date.get(), key.trace];
        Ok(self.by_trace.first(self.connection, params, operation::read)?.map(Arc::new))
    }

    fn card(&mut self, id: CardId) -> Result<Option<Card>> {
        self.card.first(self.connection, [id.get()], card::read)
    }

    fn number(&mut self, indexes: &[NumberIndex]) -> Result<Option<Card>> {
        for index in indexes {
            let found = self.number.first(self.connection, [&index.0[..]], card::read)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn recorded(&mut self, id: OperationId) -> Result<Option<Recorded>> {
        let found = self.operation.first(self.connection, [id.get()], operation::read)?;
        let Some(found) = found else { return Ok(None) };
        let transfers = read_transfers(self.transfers.get(self.connection)?, id)?;
        let compensation = self.compensation.first(self.connection, [id.get()], read_compensation)?;
        Ok(Some(Recorded {
            operation: Arc::new(found),
            transfers,
            compensation: compensation.unwrap_or_default(),
        }))
    }

    fn hold(&mut self, id: HoldId) -> Result<Option<Hold>> {
        self.hold.first(self.connection, [id.get()], hold::read)
    }
}

/// The transfers of an operation, by [`transfer::OF_OPERATION`].
pub(crate) fn read_transfers(
    statement: &mut CachedStatement<'_>,
    operation: OperationId,
) -> Result<Vec<Transfer>> {
    let mut rows = statement.query([operation.get()]).stored()?;
    let mut transfers = Vec::new();
    while let Some(row) = rows.next().stored()? {
        transfers.push(transfer::read_row(row)?);
    }
    Ok(transfers)
}

fn read_compensation(row: &Row<'_>) -> Result<Compensation> {
    let mut fields = Fields::new(row);
    Ok(Compensation { refunded: fields.amount()?, reversed_by: fields.opt_int()?.map(OperationId::new) })
}

fn write_cards(
    connection: &Connection,
    cards: &[Card],
    settled: &HashMap<CardId, card::Settled>,
) -> Result<()> {
    let (mut usual, mut whole) = (Lazy::new(card::UPDATE_USE), Lazy::new(card::UPDATE_ALL));
    let mut text = String::new();
    for card in cards {
        let unchanged = settled.get(&card.id).is_some_and(|before| before.holds_for(card));
        let updated = if unchanged {
            card::update_use(usual.get(connection)?, card, &mut text)?
        } else {
            card::update_all(whole.get(connection)?, card, &mut text)?
        };
        if updated != 1 {
            return Err(StorageError::Conflict { what: "card" });
        }
    }
    Ok(())
}

fn write_operations(connection: &Connection, operations: &[Arc<Operation>]) -> Result<()> {
    let (mut usual, mut rare) = (Lazy::new(operation::INSERT_USUAL), Lazy::new(operation::INSERT_RARE));
    for operation in operations {
        let statement = if operation::is_rare(operation) { &mut rare } else { &mut usual };
        operation::insert(statement.get(connection)?, operation)?;
    }
    Ok(())
}

fn write_transfers(connection: &Connection, transfers: &[Transfer]) -> Result<()> {
    let mut statement = Lazy::new(transfer::INSERT);
    for one in transfers {
        transfer::insert(statement.get(connection)?, one)?;
    }
    Ok(())
}

fn write_holds(connection: &Connection, holds: &[Hold]) -> Result<()> {
    let mut statement = Lazy::new(hold::UPSERT);
    for one in holds {
        hold::upsert(statement.get(connection)?, one)?;
    }
    Ok(())
}

fn write_compensations(connection: &Connection, given: &[(OperationId, Compensation)]) -> Result<()> {
    let mut statement = Lazy::new(UPSERT_COMPENSATION);
    for (id, compensation) in given {
        let reversed_by = compensation.reversed_by.map(OperationId::get);
        let params = params![id.get(), compensation.refunded.get(), reversed_by];
        statement.get(connection)?.execute(params).stored()?;
    }
    Ok(())
}

fn write_tombstones(connection: &Connection, tombstones: &[Tombstone]) -> Result<()> {
    let mut statement = Lazy::new(INSERT_TOMBSTONE);
    for t in tombstones {
        let params = params![t.client.get(), &t.key.bytes()[..], t.key.stored_text(), t.reversal.get()];
        statement.get(connection)?.execute(params).unique("key")?;
    }
    Ok(())
}
