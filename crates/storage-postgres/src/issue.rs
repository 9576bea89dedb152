//! Making cards: batches, their progress, and the one export of their secrets.

use async_trait::async_trait;
use domain::{BatchId, CardId, ClientId, IssuerId, ProgramId, Timestamp};
use storage::{Batch, BatchStatus, ExportRow, IssueStore, NewCard, Page, Result, Sealed, StorageError};
use tokio_postgres::Row;

use crate::{
    PostgresStore,
    error::corrupt,
    fields::Fields,
    jobs::clamp,
    rows::{arrays, arrays::arrays, card},
    session::Param,
    store::{Scope, Writing},
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

arrays! {
    /// Secrets of new cards.
    Secrets<'a> {
        card_id: i64 => "bigint",
        number_key_id: i16 => "smallint",
        number: &'a [u8] => "bytea",
        pin_key_id: Option<i16> => "smallint",
        pin: Option<&'a [u8]> => "bytea",
    }
}

fn read_batch(row: &Row) -> Result<Batch> {
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
        activate: f.boolean()?,
        issued: f.narrow()?,
        activated: f.narrow()?,
        status: f.named(BatchStatus::from_name)?,
        failure: f.opt_text()?.map(str::to_owned),
        created_at: f.time()?,
        completed_at: f.opt_time()?,
        exported_at: f.opt_time()?,
    })
}

impl PostgresStore {
    async fn list_batches(&self, scope: Scope, sql: &str, params: &[Param<'_>]) -> Result<Vec<Batch>> {
        self.one(scope, sql, params).await?.iter().map(read_batch).collect()
    }
}

#[async_trait]
impl IssueStore for PostgresStore {
    async fn create_batch(&self, batch: &Batch) -> Result<()> {
        let writing = self.writing(Scope::One(batch.issuer)).await?;
        match insert_batch(&writing, batch).await {
            Ok(()) => writing.commit().await,
            Err(error) => {
                writing.roll_back().await?;
                Err(error)
            }
        }
    }

    async fn batch(&self, id: BatchId) -> Result<Option<Batch>> {
        Ok(self.list_batches(Scope::All, select!("WHERE id = $1"), &[&id.get()]).await?.pop())
    }

    async fn batch_by_key(&self, client: ClientId, key: &str) -> Result<Option<Batch>> {
        let sql = select!("WHERE client_id = $1 AND key = $2");
        Ok(self.list_batches(Scope::All, sql, &[&client.get(), &key]).await?.pop())
    }

    async fn batches(&self, issuer: IssuerId, before: Option<BatchId>, limit: usize) -> Result<Page<Batch>> {
        let sql = select!("WHERE issuer_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
        let before = before.map_or(i64::MAX, BatchId::get);
        let one_more = clamp(limit).saturating_add(1);
        let params: [Param<'_>; 3] = [&issuer.get(), &before, &one_more];
        let mut items = self.list_batches(Scope::One(issuer), sql, &params).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(|batch| batch.id.get()) } else { None };
        Ok(Page { items, next })
    }

    async fn running_batches(&self) -> Result<Vec<Batch>> {
        self.list_batches(Scope::All, select!("WHERE status = 'running' ORDER BY id"), &[]).await
    }

    async fn insert_cards(&self, cards: &[NewCard], progress: Option<&Batch>) -> Result<Vec<usize>> {
        let writing = self.writing(Scope::All).await?;
        match insert_all(&writing, cards, progress).await {
            Ok(taken) if taken.is_empty() => {
                writing.commit().await?;
                Ok(taken)
            }
            refused => {
                writing.roll_back().await?;
                refused
            }
        }
    }

    async fn batch_cards(&self, id: BatchId, after: Option<CardId>, limit: usize) -> Result<Vec<ExportRow>> {
        let sql = "SELECT c.id, c.face_value, s.number_key_id, s.number, s.pin_key_id, s.pin FROM card c \
                   JOIN card_secret s ON s.card_id = c.id \
                   WHERE c.batch_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3";
        let after = after.map_or(i64::MIN, CardId::get);
        let rows = self.one(Scope::All, sql, &[&id.get(), &after, &clamp(limit)]).await?;
        rows.iter().map(read_export).collect()
    }

    async fn claim_export(&self, id: BatchId, at: Timestamp, lapsed: Timestamp) -> Result<bool> {
        let sql = "UPDATE batch SET export_claimed_at = $2 WHERE id = $1 AND exported_at IS NULL \
                   AND (export_claimed_at IS NULL OR export_claimed_at <= $3)";
        self.change_batch(sql, &[&id.get(), &at.micros(), &lapsed.micros()]).await
    }

    async fn release_export(&self, id: BatchId, claimed_at: Timestamp) -> Result<()> {
        let sql = "UPDATE batch SET export_claimed_at = NULL WHERE id = $1 AND export_claimed_at = $2";
        self.change_batch(sql, &[&id.get(), &claimed_at.micros()]).await.map(|_| ())
    }

    async fn finish_export(&self, id: BatchId, claimed_at: Timestamp, at: Timestamp) -> Result<bool> {
        let sql = "UPDATE batch SET exported_at = $3, export_claimed_at = NULL \
                   WHERE id = $1 AND export_claimed_at = $2";
        self.change_batch(sql, &[&id.get(), &claimed_at.micros(), &at.micros()]).await
    }

    async fn erase_pins(&self, id: BatchId) -> Result<()> {
        // In steps, so that no transaction is long.
        const STEP: i64 = 20_000;
        let mut after = i64::MIN;
        while let Some(last) = self.erase_step(id, after, STEP).await? {
            after = last;
        }
        Ok(())
    }
}

impl PostgresStore {
    /// Whether there was a batch to change.
    async fn change_batch(&self, sql: &str, params: &[Param<'_>]) -> Result<bool> {
        let writing = self.writing(Scope::All).await?;
        let changed = writing.execute(sql, params).await?;
        writing.commit().await?;
        Ok(changed == 1)
    }

    async fn erase_step(&self, id: BatchId, after: i64, step: i64) -> Result<Option<i64>> {
        let cards = "SELECT max(id) FROM (SELECT id FROM card WHERE batch_id = $1 AND id > $2 ORDER BY id LIMIT $3) AS step";
        let rows = self.one(Scope::All, cards, &[&id.get(), &after, &step]).await?;
        let last = rows.first().map(|row| Fields::new(row).opt_int()).transpose()?.flatten();
        let Some(last) = last else { return Ok(None) };
        let erase = "UPDATE card_secret SET pin_key_id = NULL, pin = NULL WHERE pin IS NOT NULL AND card_id IN \
                     (SELECT id FROM card WHERE batch_id = $1 AND id > $2 AND id <= $3) \
                     AND EXISTS (SELECT 1 FROM batch WHERE id = $1 AND exported_at IS NOT NULL)";
        let writing = self.writing(Scope::All).await?;
        writing.execute(erase, &[&id.get(), &after, &last]).await?;
        writing.commit().await?;
        Ok(Some(last))
    }
}

async fn insert_batch(writing: &Writing, batch: &Batch) -> Result<()> {
    let sql = concat!(
        "INSERT INTO batch (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
    );
    let (key_id, fingerprint) = (i16::from(batch.fingerprint.0), &batch.fingerprint.1[..]);
    let counts = [batch.count, batch.issued, batch.activated].map(i64::from);
    let values: [Param<'_>; 17] = [
        &batch.id.get(),
        &batch.issuer.get(),
        &batch.program.get(),
        &batch.client.get(),
        &batch.key,
        &key_id,
        &fingerprint,
        &counts[0],
        &batch.face_value.map(i64::from),
        &batch.activate,
        &counts[1],
        &counts[2],
        &batch.status.name(),
        &batch.failure,
        &batch.created_at.micros(),
        &batch.completed_at.map(Timestamp::micros),
        &batch.exported_at.map(Timestamp::micros),
    ];
    let inserted = writing.try_query(sql, &values).await;
    inserted.map(|_| ()).map_err(|failed| {
        let by_key = failed.position.and_then(|at| at.constraint).is_some_and(|name| name == "batch_key");
        if by_key { StorageError::Conflict { what: "key" } } else { failed.error }
    })
}

async fn update_progress(writing: &Writing, batch: &Batch) -> Result<()> {
    let sql = "UPDATE batch SET issued = $2, activated = $3, status = $4, failure = $5, completed_at = $6 \
               WHERE id = $1";
    let values: [Param<'_>; 6] = [
        &batch.id.get(),
        &i64::from(batch.issued),
        &i64::from(batch.activated),
        &batch.status.name(),
        &batch.failure,
        &batch.completed_at.map(Timestamp::micros),
    ];
    match writing.execute(sql, &values).await? {
        1 => Ok(()),
        _ => Err(StorageError::Conflict { what: "batch" }),
    }
}

/// Writes all cards and the progress. Returns the positions of those whose number is taken.
async fn insert_all(writing: &Writing, cards: &[NewCard], progress: Option<&Batch>) -> Result<Vec<usize>> {
    let (mut made, mut secrets) =
        (card::Made::with_capacity(cards.len()), Secrets::with_capacity(cards.len()));
    for new in cards {
        made.push(new);
        secrets.card_id.push(new.card.id.get());
        secrets.number_key_id.push(new.number.key_id.into());
        secrets.number.push(&new.number.bytes[..]);
        secrets.pin_key_id.push(new.pin.as_ref().map(|pin| pin.key_id.into()));
        secrets.pin.push(new.pin.as_ref().map(|pin| &pin.bytes[..]));
    }
    let named = |failed: crate::session::Failed| match failed.position.and_then(|at| at.constraint) {
        Some(name) if name.ends_with("_pkey") => StorageError::Conflict { what: "card" },
        _ => failed.error,
    };
    // A taken number is not an error of the statement: all of them are reported at once.
    let insert = arrays::insert("card", card::Made::COLUMNS)
        + " ON CONFLICT ON CONSTRAINT card_number DO NOTHING RETURNING id";
    let written = writing.try_query(&insert, &made.params()).await.map_err(named)?;
    if written.len() < cards.len() {
        let mut written: Vec<i64> =
            written.iter().map(|row| Fields::new(row).int()).collect::<Result<_>>()?;
        written.sort_unstable();
        let taken =
            |(n, new): (usize, &NewCard)| written.binary_search(&new.card.id.get()).is_err().then_some(n);
        return Ok(cards.iter().enumerate().filter_map(taken).collect());
    }
    let insert = arrays::insert("card_secret", Secrets::COLUMNS);
    writing.try_query(&insert, &secrets.params()).await.map_err(named)?;
    if let Some(batch) = progress {
        update_progress(writing, batch).await?;
    }
    Ok(Vec::new())
}

fn read_export(row: &Row) -> Result<ExportRow> {
    let mut f = Fields::new(row);
    let (card, face_value) = (CardId::new(f.int()?), f.opt_amount()?);
    Ok(ExportRow { card, number: sealed(&mut f)?, pin: opt_sealed(&mut f)?, face_value })
}

pub(crate) fn sealed(f: &mut Fields<'_>) -> Result<Sealed> {
    opt_sealed(f)?.ok_or_else(|| corrupt("a card has no sealed number"))
}

pub(crate) fn opt_sealed(f: &mut Fields<'_>) -> Result<Option<Sealed>> {
    match (f.opt_narrow()?, f.opt_blob()?) {
        (Some(key_id), Some(bytes)) => Ok(Some(Sealed { key_id, bytes: bytes.to_vec() })),
        (None, None) => Ok(None),
        _ => Err(corrupt("a sealed value has lost its key id")),
    }
}
