//! Limits that several nodes share: what each has used is added up in the database, beside the requests.

use std::time::Duration;

use async_trait::async_trait;

use crate::Result;

/// What a limit counts: for example the requests of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageKey {
    /// Which limit. Numbers are the caller's, and stay what they are.
    pub kind: u8,
    /// Whose use: an id, a keyed hash, an address. Never a secret.
    pub subject: [u8; 16],
    /// Which stretch of time, where the limit has such; else zero.
    pub window: i64,
}

/// What one node used since it last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of what.
    pub key: UsageKey,
    /// How much. Negative takes back what was told too much.
    pub used: i64,
}

/// Where use is added up.
#[async_trait]
pub trait UsageStore: Send + Sync {
    /// Adds to the totals, one entry for a key, and returns each total, in order. A total that nobody
    /// added to or asked for during `keep` is forgotten, and begins again at zero. Keys must not repeat.
    ///
    /// Need not survive a crash of the database: after one, limits begin anew.
    async fn share_usage(&self, used: &[Usage], keep: Duration) -> Result<Vec<i64>>;
}
