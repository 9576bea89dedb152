//! The log as movements, in the order in which transactions became visible: by (transaction, id), below the
//! oldest transaction that is still running, as the roll-up follows it.

use std::{collections::BTreeMap, time::Duration};

use domain::{IssuerId, MerchantId, OperationId, OperationKind, account::AccountKind};
use settlement::Movement;
use storage::{LogPosition, MovementPage, Result, settlement_store::originals_first};
use tokio::time::{Instant, sleep};
use tokio_postgres::Row;

use super::rows;
use crate::{
    PostgresStore,
    error::corrupt,
    fields::Fields,
    jobs::clamp,
    store::{Reading, SET_SCOPE, Scope},
};

/// Where a part of the log ends that begins after (`$1`, `$2`), of at most `$3` operations, and how many those
/// are. Reads an index alone.
const STRETCH: &str = "SELECT count(*) OVER (), step.xid::text, step.id FROM ( \
         SELECT o.xid, o.id FROM operation o \
         WHERE (o.xid, o.id) > ($1::text::xid8, $2::bigint) AND o.xid < pg_snapshot_xmin(pg_current_snapshot()) \
         ORDER BY o.xid, o.id LIMIT $3) AS step \
     ORDER BY step.xid DESC, step.id DESC LIMIT 1";

/// 2 is a merchant.
const MOVED: &str = "SELECT o.id, o.kind, o.at, o.merchant_id, o.currency, o.original_id, t.debit_kind, t.debit_ref, \
         t.credit_kind, t.credit_ref, t.amount \
     FROM operation o JOIN transfer t ON t.operation_id = o.id AND t.card_id = o.card_id \
     WHERE (o.xid, o.id) > ($1::text::xid8, $2::bigint) AND (o.xid, o.id) <= ($3::text::xid8, $4::bigint) \
         AND (t.debit_kind = 2 OR t.credit_kind = 2) AND o.issuer_id = $5 \
     ORDER BY o.xid, o.id";

/// The last of these operations that is after a place. What gives an operation back saw it, so that it is
/// visible, and its transaction has ended: it lies below the oldest that is running.
const LATER: &str = "SELECT o.xid::text, o.id FROM operation o \
     WHERE o.id = ANY ($1::bigint[]) AND (o.xid, o.id) > ($2::text::xid8, $3::bigint) \
     ORDER BY o.xid DESC, o.id DESC LIMIT 1";

/// Whether there is anything after a place, of a transaction that has ended or not.
const BEHIND: &str =
    "SELECT EXISTS (SELECT 1 FROM operation o WHERE (o.xid, o.id) > ($1::text::xid8, $2::bigint))";

/// What follows the log here.
pub(crate) const FOLLOWING: [&str; 4] = [STRETCH, MOVED, LATER, BEHIND];

/// How long a call waits for a transaction that is still running to end, where there is nothing else to do.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads a part. Where what is left may still have something before it, waits a while rather than have its
/// caller ask again and again.
pub(super) async fn read(
    store: &PostgresStore,
    issuer: IssuerId,
    after: LogPosition,
    limit: usize,
) -> Result<MovementPage> {
    let began = Instant::now();
    loop {
        let page = read_once(store, issuer, after, limit).await?;
        if page.operations > 0 || page.caught_up || began.elapsed() >= PATIENCE {
            return Ok(page);
        }
        sleep(Duration::from_millis(10)).await;
    }
}

async fn read_once(
    store: &PostgresStore,
    issuer: IssuerId,
    after: LogPosition,
    limit: usize,
) -> Result<MovementPage> {
    // Ids of other issuers are looked at, to bound the work, and nothing else of them.
    let reading = store.reading(Scope::All).await?;
    reading.steady().await?;
    let from = after.transaction.to_string();
    let found = reading.query(STRETCH, &[&from, &after.operation.get(), &clamp(limit)]).await?;
    let (mut operations, mut position) = (0, after);
    if let Some(row) = found.first() {
        let mut f = Fields::new(row);
        operations = f.narrow()?;
        position = read_position(&mut f)?;
    }
    let caught_up =
        operations < u64::try_from(limit).unwrap_or(u64::MAX) && !behind(&reading, position).await?;
    reading.query(SET_SCOPE, &[&Scope::One(issuer).setting()]).await?;
    let mut items = Vec::new();
    let mut begin = after;
    while begin != position {
        between(&reading, issuer, begin, position, &mut items).await?;
        begin = position;
        position = last_original(&reading, &items, position).await?;
    }
    reading.finish().await?;
    originals_first(&mut items);
    Ok(MovementPage { items, position, operations, caught_up })
}

async fn behind(reading: &Reading, position: LogPosition) -> Result<bool> {
    let transaction = position.transaction.to_string();
    let found = reading.query(BEHIND, &[&transaction, &position.operation.get()]).await?;
    found.first().map_or(Ok(false), |row| Fields::new(row).boolean())
}

pub(super) fn read_position(f: &mut Fields<'_>) -> Result<LogPosition> {
    let transaction = f.named(|text| text.parse().ok())?;
    Ok(LogPosition { transaction, operation: OperationId::new(f.int()?) })
}

/// Where the last operation is that something of this part gives back: mostly before the part's end.
async fn last_original(reading: &Reading, items: &[Movement], end: LogPosition) -> Result<LogPosition> {
    let originals: Vec<i64> = items.iter().filter_map(|m| m.original).map(OperationId::get).collect();
    if originals.is_empty() {
        return Ok(end);
    }
    let transaction = end.transaction.to_string();
    let found = reading.query(LATER, &[&originals, &transaction, &end.operation.get()]).await?;
    found.first().map_or(Ok(end), |row| read_position(&mut Fields::new(row)))
}

async fn between(
    reading: &Reading,
    issuer: IssuerId,
    after: LogPosition,
    to: LogPosition,
    items: &mut Vec<Movement>,
) -> Result<()> {
    let (from, until) = (after.transaction.to_string(), to.transaction.to_string());
    let (first, last) = (after.operation.get(), to.operation.get());
    let found = reading.query(MOVED, &[&from, &first, &until, &last, &issuer.get()]).await?;
    let mut rows = found.iter().peekable();
    let mut changed: BTreeMap<i64, i64> = BTreeMap::new();
    while let Some(row) = rows.next() {
        let mut f = Fields::new(row);
        let id = f.int()?;
        f.skip(5);
        take(&mut f, &mut changed)?;
        let goes_on = rows.peek().is_some_and(|next| Fields::new(next).int().is_ok_and(|next| next == id));
        if !goes_on {
            push(items, row, issuer, &mut changed)?;
        }
    }
    Ok(())
}

/// Adds a transfer to what its operation changed, by merchant.
fn take(f: &mut Fields<'_>, changed: &mut BTreeMap<i64, i64>) -> Result<()> {
    let mut merchant = || -> Result<Option<i64>> {
        let (kind, reference) = (f.int()?, f.int()?);
        Ok((kind == AccountKind::Merchant.number()).then_some(reference))
    };
    let (debit, credit) = (merchant()?, merchant()?);
    let amount = f.int()?;
    for (merchant, amount) in [(credit, amount), (debit, -amount)] {
        let Some(merchant) = merchant else { continue };
        let sum = changed.entry(merchant).or_default();
        *sum = sum.checked_add(amount).ok_or_else(|| corrupt("a total exceeds 64 bits"))?;
    }
    Ok(())
}

/// Adds the movements of the operation of this row.
fn push(
    items: &mut Vec<Movement>,
    row: &Row,
    issuer: IssuerId,
    changed: &mut BTreeMap<i64, i64>,
) -> Result<()> {
    let mut f = Fields::new(row);
    let operation = OperationId::new(f.int()?);
    let kind = f.coded(OperationKind::from_number)?;
    let at = f.time()?;
    let named = f.opt_int()?.map(MerchantId::new);
    let currency = rows::currency(&mut f)?;
    let original = f.opt_int()?.map(OperationId::new);
    while let Some((merchant, delta)) = changed.pop_first() {
        let merchant = MerchantId::new(merchant);
        if delta != 0 {
            items.push(Movement { operation, kind, at, issuer, merchant, named, currency, delta, original });
        }
    }
    Ok(())
}
