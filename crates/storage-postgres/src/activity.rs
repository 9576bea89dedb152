//! Following the log for figures of the day: by (transaction, id), below the oldest transaction that is still
//! running, as the roll-up follows it. An id of another node that becomes visible late still comes after.

use async_trait::async_trait;
use domain::{Currency, Decline, IssuerId, MerchantId, OperationId, OperationKind, Timestamp, ids::floor_of};
use storage::{
    Activity, ActivityPage, ActivityStore, LogPosition, Result,
    activity_store::{ACTIVITY_SLACK_SECONDS, is_followed},
};
use tokio_postgres::Row;

use crate::{PostgresStore, fields::Fields, jobs::clamp, settlement::by_index, store::Scope};

/// The last operation that is older than all that is wanted. Its transaction is older than theirs.
const BEFORE: &str = "SELECT xid::text FROM operation WHERE id < $1 ORDER BY id DESC LIMIT 1";

/// 7 is a reversal: what it turned round is looked up, and of nothing else.
const PART: &str = "SELECT o.xid::text, o.id, o.issuer_id, o.kind, \
         CASE WHEN o.kind = 7 THEN (SELECT r.kind FROM operation r WHERE r.id = o.original_id LIMIT 1) END, \
         o.merchant_id, o.currency, o.approved, o.decline, o.at \
     FROM operation o \
     WHERE (o.xid, o.id) > ($1::text::xid8, $2::bigint) AND o.xid < pg_snapshot_xmin(pg_current_snapshot()) \
     ORDER BY o.xid, o.id LIMIT $3";

#[async_trait]
impl ActivityStore for PostgresStore {
    async fn activity_start(&self, from: Timestamp) -> Result<LogPosition> {
        let first = floor_of(from.plus_seconds(-ACTIVITY_SLACK_SECONDS));
        let found = self.one(Scope::All, BEFORE, &[&first]).await?;
        let Some(row) = found.first() else { return Ok(LogPosition::START) };
        let transaction = Fields::new(row).named(|text| text.parse().ok())?;
        // All of that transaction comes again; it is too old to be counted.
        Ok(LogPosition { transaction, operation: OperationId::new(-1) })
    }

    async fn activity(&self, after: LogPosition, limit: usize) -> Result<ActivityPage> {
        let reading = self.reading(Scope::All).await?;
        by_index(&reading).await?;
        let transaction = after.transaction.to_string();
        let rows = reading.query(PART, &[&transaction, &after.operation.get(), &clamp(limit)]).await?;
        reading.finish().await?;
        let (mut items, mut position) = (Vec::new(), after);
        for row in &rows {
            let (at, item) = read(row)?;
            position = at;
            if is_followed(item.kind) {
                items.push(item);
            }
        }
        Ok(ActivityPage { items, position, caught_up: rows.len() < limit })
    }
}

fn read(row: &Row) -> Result<(LogPosition, Activity)> {
    let mut f = Fields::new(row);
    let transaction = f.named(|text| text.parse().ok())?;
    let (operation, issuer) = (OperationId::new(f.int()?), IssuerId::new(f.int()?));
    let kind = f.coded(OperationKind::from_number)?;
    let reversed = f.opt_int()?.and_then(OperationKind::from_number);
    let merchant = f.opt_int()?.map(MerchantId::new);
    let currency = f.opt_text()?.and_then(|code| Currency::parse(code).ok());
    let approved = f.int()?;
    let decline = f.opt_int()?.and_then(Decline::from_number);
    let at = f.time()?;
    let item = Activity { operation, issuer, kind, reversed, merchant, currency, approved, decline, at };
    Ok((LogPosition { transaction, operation }, item))
}
