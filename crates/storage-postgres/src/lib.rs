//! The store on PostgreSQL.
//!
//! A batch takes two round trips, whatever its size: one that locks its cards and reads what it needs, one
//! that writes and commits. Each is a pipeline of statements over arrays. Cards are locked in the order of
//! their ids before anything that depends on them is read, so several batches can be decided at once, here
//! and on other nodes. See `docs/decisions/0011` for keys, isolation and grants.

mod accounting;
mod activity;
mod address;
mod approvals;
mod audit;
mod catalog;
mod connect;
mod error;
mod fields;
mod holders;
mod identity;
mod issue;
mod jobs;
mod keys;
mod ledger;
mod lots;
mod migrate;
mod nodes;
mod options;
mod passkeys;
mod pool;
mod queries;
mod reconciliation;
mod relocation;
mod rows;
mod session;
mod settlement;
mod statements;
mod store;
mod tls;
mod transaction;
mod usage;

pub use connect::STEADY_PLANS;
pub use jobs::following_statements;
pub use options::Options;
pub use relocation::{PostgresRelocationSource, PostgresRelocationTarget};
pub use store::PostgresStore;
pub use transaction::statements;
