//! The write path: requests that arrive together are decided together, in one database transaction, and
//! answered after its commit.
//!
//! A writer takes requests from a bounded queue, plans what to read, loads it, decides each request in
//! turn on the same working state, commits, and answers. A store that decides several batches beside one
//! another has as many writers. A rejected request never disturbs its neighbours. Nothing is answered that
//! is not known to be stored: a commit in doubt is asked for again, and a failed one stops everything.

mod batch;
mod catalog_cache;
mod clock;
mod handle;
mod id_source;
pub mod issue;
mod meter;
mod node;
#[cfg(feature = "planted")]
pub mod planted;
mod secrets;
mod writer;

pub use catalog_cache::CatalogError;
pub use clock::{Clock, DatabaseClock, ManualClock, SystemClock};
pub use handle::{Answer, Engine, EngineConfig, Intent, Outcome, SetupError, SubmitError, Writers};
pub use id_source::IdSource;
pub use node::{Membership, Node, NodeConfig, NodeError};
pub use secrets::VaultSecrets;
pub use writer::Writer;
