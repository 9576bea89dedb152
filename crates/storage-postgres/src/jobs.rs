//! What jobs look for.

use async_trait::async_trait;
use domain::{CardId, HoldId, IssuerId, Timestamp};
use storage::{DueHold, JobsStore, Result, RollUp};
use tokio_postgres::Row;

use crate::{PostgresStore, accounting, fields::Fields, ledger, settlement, store::Scope};

const DUE_HOLDS: &str =
    "SELECT id, issuer_id FROM hold WHERE status = 1 AND expires_at <= $1 ORDER BY expires_at, id LIMIT $2";

/// Each half walks one partial index and keeps the `limit` lowest ids; states 2 and 3 are active and
/// frozen. Only those lists are merged, however many cards are due.
const DUE_CARDS: &str = "SELECT id, issuer_id FROM (
        (SELECT id, issuer_id FROM card
            WHERE expires_at IS NOT NULL AND state IN (2, 3) AND expires_at <= $1 AND held = 0 AND id > $2
            ORDER BY id LIMIT $3)
        UNION
        (SELECT id, issuer_id FROM card
            WHERE next_lot_expiry IS NOT NULL AND state IN (2, 3) AND next_lot_expiry <= $1 AND id > $2
            ORDER BY id LIMIT $3)
    ) AS due ORDER BY id LIMIT $3";

/// Every statement with which jobs follow the log all day, on the plans of the write path.
pub fn following_statements() -> Vec<&'static str> {
    [&ledger::FOLLOWING[..], &accounting::FOLLOWING, &settlement::FOLLOWING].concat()
}

#[async_trait]
impl JobsStore for PostgresStore {
    async fn due_holds(&self, now: Timestamp, limit: usize) -> Result<Vec<DueHold>> {
        let rows = self.one(Scope::All, DUE_HOLDS, &[&now.micros(), &clamp(limit)]).await?;
        let due = |row| {
            let (hold, issuer) = pair(row)?;
            Ok(DueHold { hold: HoldId::new(hold), issuer: IssuerId::new(issuer) })
        };
        rows.iter().map(due).collect()
    }

    async fn due_cards(
        &self,
        now: Timestamp,
        after: Option<CardId>,
        limit: usize,
    ) -> Result<Vec<(CardId, IssuerId)>> {
        let after = after.map_or(i64::MIN, CardId::get);
        let rows = self.one(Scope::All, DUE_CARDS, &[&now.micros(), &after, &clamp(limit)]).await?;
        let due = |row| pair(row).map(|(card, issuer)| (CardId::new(card), IssuerId::new(issuer)));
        rows.iter().map(due).collect()
    }

    async fn roll_up(&self, limit: usize) -> Result<RollUp> {
        ledger::roll_up(self, limit).await
    }
}

pub(crate) fn clamp(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn pair(row: &Row) -> Result<(i64, i64)> {
    let mut fields = Fields::new(row);
    Ok((fields.int()?, fields.int()?))
}
