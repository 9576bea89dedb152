//! Making cards: batches, their progress, and the one export of their secrets.

use async_trait::async_trait;
use domain::{BatchId, CardId, ClientId, IssuerId, ProgramId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use storage::{Batch, BatchStatus, ExportRow, IssueStore, NewCard, Page, Result, Sealed, StorageError};

use crate::{
    SqliteStore,
    error::IntoStorage,
    fields::{Binder, Fields},
    rows::card,
    store::Outcome,
};

macro_rules! columns {
    () => {
        "id, issuer_id, program_id, client_id, key, fingerprint_key_id, fingerprint, count, face_value, \
         activate, issued, activated, status, failure, created_at, completed_at, exported_at"
    };
}
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM batch ", $rest)
    };
}

const INSERT_SECRET: &str = "INSERT INTO card_secret (card_id, number_key_id, number, pin_key_id, pin) \
     VALUES (?1, ?2, ?3, ?4, ?5)";

fn read_batch(row: &Row<'_>) -> Result<Batch> {
    let mut fields = Fields::new(row);
    let f = &mut fields;
    Ok(Batch {
        id: BatchId::new(f.int()?),
        issuer: IssuerId::new(f.int()?),
        program: ProgramId::new(f.int()?),
        client: ClientId::new(f.int()?),
        key: f.text()?.to_owned(),
        fingerprint: (f.narrow()?, f.bytes()?),
        count: f.narrow()?,
        face_value: f.opt_amount()?,
        activate: f.int()? == 1,
        issued: f.narrow()?,
        activated: f.narrow()?,
        status: f.named(BatchStatus::from_name)?,
        failure: f.opt_text()?.map(str::to_owned),
        created_at: f.time()?,
        completed_at: f.opt_time()?,
        exported_at: f.opt_time()?,
    })
}

fn list_batches(connection: &Connection, sql: &str, params: impl Params) -> Result<Vec<Batch>> {
    let mut statement = connection.prepare_cached(sql).stored()?;
    let mut rows = statement.query(params).stored()?;
    let mut batches = Vec::new();
    while let Some(row) = rows.next().stored()? {
        batches.push(read_batch(row)?);
    }
    Ok(batches)
}

#[async_trait]
impl IssueStore for SqliteStore {
    async fn create_batch(&self, batch: &Batch) -> Result<()> {
        let batch = batch.clone();
        self.write(move |connection| insert_batch(connection, &batch)).await
    }

    async fn batch(&self, id: BatchId) -> Result<Option<Batch>> {
        self.point(|connection| Ok(list_batches(connection, select!("WHERE id = ?1"), [id.get()])?.pop()))
            .await
    }

    async fn batch_by_key(&self, client: ClientId, key: &str) -> Result<Option<Batch>> {
        let sql = select!("WHERE client_id = ?1 AND key = ?2");
        self.point(|connection| Ok(list_batches(connection, sql, params![client.get(), key])?.pop())).await
    }

    async fn batches(&self, issuer: IssuerId, before: Option<BatchId>, limit: usize) -> Result<Page<Batch>> {
        let sql = select!("WHERE issuer_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3");
        let before = before.map_or(i64::MAX, BatchId::get);
        let read = move |connection: &Connection| {
            let one_more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
            let mut items = list_batches(connection, sql, params![issuer.get(), before, one_more])?;
            let more = items.len() > limit;
            items.truncate(limit);
            let next = if more { items.last().map(|batch| batch.id.get()) } else { None };
            Ok(Page { items, next })
        };
        self.long(read).await
    }

    async fn running_batches(&self) -> Result<Vec<Batch>> {
        let sql = select!("WHERE status = 'running' ORDER BY id");
        self.long(move |connection| list_batches(connection, sql, [])).await
    }

    async fn insert_cards(&self, cards: &[NewCard], progress: Option<&Batch>) -> Result<Vec<usize>> {
        let (cards, progress) = (cards.to_vec(), progress.cloned());
        self.write_or_not(move |connection| {
            let taken = insert_all(connection, &cards)?;
            if !taken.is_empty() {
                return Ok(Outcome::RollBack(taken));
            }
            if let Some(batch) = progress {
                update_progress(connection, &batch)?;
            }
            Ok(Outcome::Commit(taken))
        })
        .await
    }

    async fn batch_cards(&self, id: BatchId, after: Option<CardId>, limit: usize) -> Result<Vec<ExportRow>> {
        let after = after.map_or(i64::MIN, CardId::get);
        self.long(move |connection| export_rows(connection, id, after, limit)).await
    }

    async fn claim_export(&self, id: BatchId, at: Timestamp, lapsed: Timestamp) -> Result<bool> {
        let sql = "UPDATE batch SET export_claimed_at = ?2 WHERE id = ?1 AND exported_at IS NULL \
                   AND (export_claimed_at IS NULL OR export_claimed_at <= ?3)";
        change_batch(self, sql, [id.get(), at.micros(), lapsed.micros()]).await
    }

    async fn release_export(&self, id: BatchId, claimed_at: Timestamp) -> Result<()> {
        let sql = "UPDATE batch SET export_claimed_at = NULL WHERE id = ?1 AND export_claimed_at = ?2";
        change_batch(self, sql, [id.get(), claimed_at.micros()]).await.map(|_| ())
    }

    async fn finish_export(&self, id: BatchId, claimed_at: Timestamp, at: Timestamp) -> Result<bool> {
        let sql = "UPDATE batch SET exported_at = ?3, export_claimed_at = NULL \
                   WHERE id = ?1 AND export_claimed_at = ?2";
        change_batch(self, sql, [id.get(), claimed_at.micros(), at.micros()]).await
    }

    async fn erase_pins(&self, id: BatchId) -> Result<()> {
        erase(self, id).await
    }
}

/// Whether there was a batch to change.
async fn change_batch(
    store: &SqliteStore,
    sql: &'static str,
    values: impl Params + Send + 'static,
) -> Result<bool> {
    store.write(move |connection| Ok(connection.execute(sql, values).stored()? == 1)).await
}

async fn erase(store: &SqliteStore, id: BatchId) -> Result<()> {
    // In steps, so that sales get their turn between them.
    const STEP: i64 = 20_000;
    let mut after = i64::MIN;
    loop {
        let last = store.write(move |connection| erase_step(connection, id, after, STEP)).await?;
        match last {
            Some(last) => after = last,
            None => return Ok(()),
        }
    }
}

fn erase_step(connection: &Connection, id: BatchId, after: i64, step: i64) -> Result<Option<i64>> {
    let cards =
        "SELECT max(id) FROM (SELECT id FROM card WHERE batch_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3)";
    let last: Option<i64> =
        connection.query_row(cards, [id.get(), after, step], |row| row.get(0)).stored()?;
    let Some(last) = last else { return Ok(None) };
    let erase = "UPDATE card_secret SET pin_key_id = NULL, pin = NULL WHERE pin IS NOT NULL AND card_id IN \
                 (SELECT id FROM card WHERE batch_id = ?1 AND id > ?2 AND id <= ?3) \
                 AND EXISTS (SELECT 1 FROM batch WHERE id = ?1 AND exported_at IS NOT NULL)";
    connection.execute(erase, [id.get(), after, last]).stored()?;
    Ok(Some(last))
}

fn insert_batch(connection: &Connection, batch: &Batch) -> Result<()> {
    let taken = "SELECT 1 FROM batch WHERE id = ?1";
    let taken: Option<i64> =
        connection.query_row(taken, [batch.id.get()], |row| row.get(0)).optional().stored()?;
    if taken.is_some() {
        return Err(StorageError::Conflict { what: "id" });
    }
    let sql = concat!(
        "INSERT INTO batch (",
        columns!(),
        ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
    );
    let values = params![
        batch.id.get(),
        batch.issuer.get(),
        batch.program.get(),
        batch.client.get(),
        batch.key,
        batch.fingerprint.0,
        &batch.fingerprint.1[..],
        batch.count,
        batch.face_value.map(i64::from),
        batch.activate,
        batch.issued,
        batch.activated,
        batch.status.name(),
        batch.failure,
        batch.created_at.micros(),
        batch.completed_at.map(Timestamp::micros),
        batch.exported_at.map(Timestamp::micros),
    ];
    connection.execute(sql, values).unique("key")?;
    Ok(())
}

fn update_progress(connection: &Connection, batch: &Batch) -> Result<()> {
    let sql = "UPDATE batch SET issued = ?2, activated = ?3, status = ?4, failure = ?5, completed_at = ?6 \
               WHERE id = ?1";
    let values = params![
        batch.id.get(),
        batch.issued,
        batch.activated,
        batch.status.name(),
        batch.failure,
        batch.completed_at.map(Timestamp::micros),
    ];
    match connection.execute(sql, values).stored()? {
        1 => Ok(()),
        _ => Err(StorageError::Conflict { what: "batch" }),
    }
}

/// Writes all cards. Returns the positions of those whose number is taken.
fn insert_all(connection: &Connection, cards: &[NewCard]) -> Result<Vec<usize>> {
    let mut insert = connection.prepare_cached(card::INSERT).stored()?;
    let mut secret = connection.prepare_cached(INSERT_SECRET).stored()?;
    let (mut text, mut taken) = (String::new(), Vec::new());
    for (position, new) in cards.iter().enumerate() {
        if !card::insert(&mut insert, new, &mut text)? {
            taken.push(position);
            continue;
        }
        let mut binder = Binder::new(&mut secret);
        binder.put(new.card.id.get())?.put(new.number.key_id)?.put(&new.number.bytes[..])?;
        binder
            .put(new.pin.as_ref().map(|pin| pin.key_id))?
            .put(new.pin.as_ref().map(|pin| &pin.bytes[..]))?;
        binder.run().unique("card")?;
    }
    Ok(taken)
}

fn export_rows(connection: &Connection, id: BatchId, after: i64, limit: usize) -> Result<Vec<ExportRow>> {
    let sql = "SELECT c.id, c.face_value, s.number_key_id, s.number, s.pin_key_id, s.pin FROM card c \
               JOIN card_secret s ON s.card_id = c.id \
               WHERE c.batch_id = ?1 AND c.id > ?2 ORDER BY c.id LIMIT ?3";
    let mut statement = connection.prepare_cached(sql).stored()?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query([id.get(), after, limit]).stored()?;
    let mut cards = Vec::new();
    while let Some(row) = rows.next().stored()? {
        let mut f = Fields::new(row);
        let (card, face_value) = (CardId::new(f.int()?), f.opt_amount()?);
        cards.push(ExportRow { card, number: sealed(&mut f)?, pin: opt_sealed(&mut f)?, face_value });
    }
    Ok(cards)
}

pub(crate) fn sealed(f: &mut Fields<'_, '_>) -> Result<Sealed> {
    opt_sealed(f)?.ok_or_else(|| crate::error::corrupt("a card has no sealed number"))
}

pub(crate) fn opt_sealed(f: &mut Fields<'_, '_>) -> Result<Option<Sealed>> {
    match (f.opt_narrow()?, f.opt_blob()?) {
        (Some(key_id), Some(bytes)) => Ok(Some(Sealed { key_id, bytes: bytes.to_vec() })),
        (None, None) => Ok(None),
        _ => Err(crate::error::corrupt("a sealed value has lost its key id")),
    }
}
