//! Following the log for figures of the day, on connections of their own. One writer commits in the order of ids, so
//! that order is the log's.

use async_trait::async_trait;
use domain::{Currency, Decline, IssuerId, MerchantId, OperationId, OperationKind, Timestamp, ids::floor_of};
use rusqlite::{Connection, params};
use storage::{
    Activity, ActivityPage, ActivityStore, LogPosition, Result,
    activity_store::{ACTIVITY_SLACK_SECONDS, is_followed},
};

use crate::{SqliteStore, error::IntoStorage, fields::Fields, jobs::clamp};

/// 7 is a reversal: what it turned round is looked up, and of nothing else.
const PART: &str = "SELECT o.id, o.issuer_id, o.kind, \
         CASE WHEN o.kind = 7 THEN (SELECT r.kind FROM operation r WHERE r.id = o.original_id) END, \
         o.merchant_id, o.currency, o.approved, o.decline, o.at \
     FROM operation o WHERE o.id > ?1 ORDER BY o.id LIMIT ?2";

#[async_trait]
impl ActivityStore for SqliteStore {
    async fn activity_start(&self, from: Timestamp) -> Result<LogPosition> {
        let first = floor_of(from.plus_seconds(-ACTIVITY_SLACK_SECONDS));
        Ok(LogPosition { transaction: 0, operation: OperationId::new(first.saturating_sub(1)) })
    }

    async fn activity(&self, after: LogPosition, limit: usize) -> Result<ActivityPage> {
        self.long(move |connection| part(connection, after, limit)).await
    }
}

fn part(connection: &Connection, after: LogPosition, limit: usize) -> Result<ActivityPage> {
    let mut statement = connection.prepare_cached(PART).stored()?;
    let mut rows = statement.query(params![after.operation.get(), clamp(limit)]).stored()?;
    let (mut items, mut last, mut count) = (Vec::new(), after.operation, 0);
    while let Some(row) = rows.next().stored()? {
        let item = read(&mut Fields::new(row))?;
        (last, count) = (item.operation, count + 1);
        if is_followed(item.kind) {
            items.push(item);
        }
    }
    let position = LogPosition { transaction: 0, operation: last };
    Ok(ActivityPage { items, position, caught_up: count < limit })
}

fn read(f: &mut Fields<'_, '_>) -> Result<Activity> {
    let (operation, issuer) = (OperationId::new(f.int()?), IssuerId::new(f.int()?));
    let kind = f.coded(OperationKind::from_number)?;
    let reversed = f.opt_int()?.and_then(OperationKind::from_number);
    let merchant = f.opt_int()?.map(MerchantId::new);
    let currency = f.opt_text()?.and_then(|code| Currency::parse(code).ok());
    let approved = f.int()?;
    let decline = f.opt_int()?.and_then(Decline::from_number);
    let at = f.time()?;
    Ok(Activity { operation, issuer, kind, reversed, merchant, currency, approved, decline, at })
}
