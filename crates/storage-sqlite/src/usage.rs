//! What shared limits have counted.

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, params};
use storage::{Result, Usage, UsageStore};

use crate::{
    SqliteStore,
    error::IntoStorage,
    nodes::{micros, now},
};

const FORGET: &str = "DELETE FROM shared_usage WHERE expires_at <= ?1";

const ADD: &str = "INSERT INTO shared_usage (kind, subject, period, total, expires_at) \
     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (kind, subject, period) \
     DO UPDATE SET total = total + ?4, expires_at = ?5 RETURNING total";

#[async_trait]
impl UsageStore for SqliteStore {
    async fn share_usage(&self, used: &[Usage], keep: Duration) -> Result<Vec<i64>> {
        if used.is_empty() {
            return Ok(Vec::new());
        }
        let used = used.to_vec();
        self.write(move |connection| add(connection, &used, keep)).await
    }
}

fn add(connection: &Connection, used: &[Usage], keep: Duration) -> Result<Vec<i64>> {
    let now = now(connection)?;
    connection.prepare_cached(FORGET).and_then(|mut forget| forget.execute([now])).stored()?;
    let mut statement = connection.prepare_cached(ADD).stored()?;
    let expires_at = now.saturating_add(micros(keep));
    let mut add = |usage: &Usage| {
        let key = usage.key;
        let values = params![key.kind, &key.subject[..], key.window, usage.used, expires_at];
        statement.query_row(values, |row| row.get(0)).stored()
    };
    used.iter().map(&mut add).collect()
}
