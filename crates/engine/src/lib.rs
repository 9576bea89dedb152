//! The write path: requests that arrive together are decided together, in one database transaction, and
//! answered after its commit.
//!
//! One thread takes requests from a bounded queue, plans what to read, loads it, decides each request in
//! turn on the same working state, commits, and answers. A rejected request never disturbs its
//! neighbours. A failed commit stops everything: nothing is answered that is not known to be stored.

mod batch;
mod catalog_cache;
mod clock;
mod handle;
mod id_source;
pub mod issue;
mod meter;
mod secrets;
mod writer;

pub use catalog_cache::CatalogError;
pub use clock::{Clock, ManualClock, SystemClock};
pub use handle::{Answer, Engine, EngineConfig, Intent, Outcome, SetupError, SubmitError};
pub use id_source::IdSource;
pub use secrets::VaultSecrets;
