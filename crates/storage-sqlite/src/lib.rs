//! The store on embedded SQLite.
//!
//! One connection writes, under a fair mutex; a bounded pool of connections reads snapshots beside it;
//! a thread of its own carries the write-ahead log into the database, so that no sale waits for that.
//! See `docs/decisions/0001`, `0002` and `0003` for why the tables look as they do.

mod accounting;
mod activity;
mod approvals;
mod archive;
mod audit;
mod backup;
mod catalog;
mod checkpoint;
mod connect;
mod error;
mod fields;
mod health;
mod holders;
mod identity;
mod issue;
mod jobs;
mod keys;
mod ledger;
mod log_sync;
mod lots;
mod migrate;
mod nodes;
mod passkeys;
mod queries;
mod readers;
mod reconciliation;
mod recover;
mod relocation;
mod rows;
mod serving_lock;
mod settlement;
mod statements;
mod store;
mod transaction;
mod usage;
mod wal;
mod writer;

pub use backup::restore;
pub use checkpoint::CheckpointStats;
pub use recover::{Recovered, recover};
pub use relocation::{SqliteRelocationSource, SqliteRelocationTarget};
pub use store::{Options, SqliteStore};
