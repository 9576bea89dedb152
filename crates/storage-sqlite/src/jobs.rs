//! What jobs look for.

use async_trait::async_trait;
use domain::{CardId, HoldId, IssuerId, Timestamp};
use rusqlite::{Connection, params};
use storage::{DueHold, JobsStore, Result, RollUp};

use crate::{SqliteStore, error::IntoStorage, fields::Fields, ledger::roll_up};

const DUE_HOLDS: &str =
    "SELECT id, issuer_id FROM hold WHERE status = 1 AND expires_at <= ?1 ORDER BY expires_at, id LIMIT ?2";

/// Each half walks one partial index and keeps the `limit` lowest ids; states 2 and 3 are active and
/// frozen. Only those lists are merged, however many cards are due.
const DUE_CARDS: &str = "SELECT id, issuer_id FROM (
        SELECT * FROM (
            SELECT id, issuer_id FROM card INDEXED BY card_by_expiry
            WHERE expires_at IS NOT NULL AND state IN (2, 3) AND expires_at <= ?1 AND held = 0 AND id > ?2
            ORDER BY id LIMIT ?3)
        UNION
        SELECT * FROM (
            SELECT id, issuer_id FROM card INDEXED BY card_by_lot_expiry
            WHERE next_lot_expiry IS NOT NULL AND state IN (2, 3) AND next_lot_expiry <= ?1 AND id > ?2
            ORDER BY id LIMIT ?3)
    ) ORDER BY id LIMIT ?3";

#[async_trait]
impl JobsStore for SqliteStore {
    async fn due_holds(&self, now: Timestamp, limit: usize) -> Result<Vec<DueHold>> {
        self.long(move |connection| {
            let found = pairs(connection, DUE_HOLDS, params![now.micros(), clamp(limit)])?;
            let due = |(hold, issuer)| DueHold { hold: HoldId::new(hold), issuer: IssuerId::new(issuer) };
            Ok(found.into_iter().map(due).collect())
        })
        .await
    }

    async fn due_cards(
        &self,
        now: Timestamp,
        after: Option<CardId>,
        limit: usize,
    ) -> Result<Vec<(CardId, IssuerId)>> {
        let after = after.map_or(i64::MIN, CardId::get);
        self.long(move |connection| {
            let found = pairs(connection, DUE_CARDS, params![now.micros(), after, clamp(limit)])?;
            Ok(found.into_iter().map(|(card, issuer)| (CardId::new(card), IssuerId::new(issuer))).collect())
        })
        .await
    }

    async fn roll_up(&self, limit: usize) -> Result<RollUp> {
        roll_up(self, limit).await
    }
}

pub(crate) fn clamp(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn pairs(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<Vec<(i64, i64)>> {
    let mut statement = connection.prepare_cached(sql).stored()?;
    let mut rows = statement.query(params).stored()?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().stored()? {
        let mut fields = Fields::new(row);
        found.push((fields.int()?, fields.int()?));
    }
    Ok(found)
}
