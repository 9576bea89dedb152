//! What shared limits have counted, in a table that is not logged: adding costs no write to the disk.

use std::{sync::LazyLock, time::Duration};

use async_trait::async_trait;
use storage::{Result, Usage, UsageStore};

use crate::{
    PostgresStore,
    error::corrupt,
    fields::Fields,
    nodes::micros,
    rows::arrays::{arrays, parameters},
    session::Param,
    store::Scope,
};

arrays! {
    /// What was used.
    Used<'a> {
        kind: i16 => "smallint",
        subject: &'a [u8] => "bytea",
        period: i64 => "bigint",
        total: i64 => "bigint",
    }
}

/// Forgets a portion of what nobody asked for.
const FORGET: &str = "DELETE FROM shared_usage WHERE (kind, subject, period) IN ( \
         SELECT kind, subject, period FROM shared_usage \
         WHERE expires_at <= (extract(epoch FROM clock_timestamp()) * 1000000)::bigint \
         ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED)";

/// Keys in one order, so that nodes that tell of the same ones do not wait for each other in a ring. What
/// has run out but is not yet forgotten begins again.
static ADD: LazyLock<String> = LazyLock::new(|| {
    let values = parameters(Used::COLUMNS);
    format!(
        "WITH clock AS MATERIALIZED ( \
         SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now) \
     INSERT INTO shared_usage (kind, subject, period, total, expires_at) \
     SELECT used.kind, used.subject, used.period, used.total, clock.now + $5 \
     FROM unnest({values}) AS used (kind, subject, period, total), \
         clock ORDER BY used.kind, used.subject, used.period \
     ON CONFLICT (kind, subject, period) DO UPDATE SET expires_at = excluded.expires_at, \
         total = excluded.total + CASE WHEN shared_usage.expires_at <= excluded.expires_at - $5 THEN 0 \
             ELSE shared_usage.total END \
     RETURNING kind, subject, period, total"
    )
});

#[async_trait]
impl UsageStore for PostgresStore {
    async fn share_usage(&self, used: &[Usage], keep: Duration) -> Result<Vec<i64>> {
        if used.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows = Used::with_capacity(used.len());
        for usage in used {
            rows.kind.push(usage.key.kind.into());
            rows.subject.push(&usage.key.subject[..]);
            rows.period.push(usage.key.window);
            rows.total.push(usage.used);
        }
        let keep = micros(keep);
        let mut params = rows.params();
        params.push(&keep as Param<'_>);
        let writing = self.writing(Scope::All).await?;
        writing.query(FORGET, &[]).await?;
        let totals = writing.query(&ADD, &params).await?;
        writing.commit().await?;
        let mut found = std::collections::HashMap::with_capacity(totals.len());
        for row in &totals {
            let mut f = Fields::new(row);
            let (kind, subject, window): (u8, [u8; 16], i64) = (f.narrow()?, f.bytes()?, f.int()?);
            found.insert((kind, subject, window), f.int()?);
        }
        let total =
            |usage: &Usage| found.get(&(usage.key.kind, usage.key.subject, usage.key.window)).copied();
        used.iter().map(|usage| total(usage).ok_or_else(|| corrupt("a shared total is missing"))).collect()
    }
}
