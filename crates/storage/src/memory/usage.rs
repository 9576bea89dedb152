//! Shared use in memory.

use std::time::Duration;

use async_trait::async_trait;

use super::{
    MemoryStore,
    nodes::{after, database_now},
    state::Used,
};
use crate::{Result, Usage, UsageStore};

#[async_trait]
impl UsageStore for MemoryStore {
    async fn share_usage(&self, used: &[Usage], keep: Duration) -> Result<Vec<i64>> {
        let now = database_now();
        let expires_at = after(now, keep);
        let mut state = self.write();
        state.usage.retain(|_, used| used.expires_at > now);
        let mut add = |usage: &Usage| {
            let entry = state.usage.entry(usage.key).or_insert(Used { total: 0, expires_at });
            entry.total = entry.total.saturating_add(usage.used);
            entry.expires_at = expires_at;
            entry.total
        };
        Ok(used.iter().map(&mut add).collect())
    }
}
