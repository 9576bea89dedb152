//! Reconciliation: a file of a merchant, a channel or a bank is read, compared with our books, and kept with
//! what disagrees; what is done about a difference is proposed by one client and approved by another.
//!
//! Memory is bounded by the limits on lines and own records; one file at a time is worked on.

mod error;
mod import;
mod resolution;

use std::sync::Arc;

use engine::Engine;
use tokio::sync::Semaphore;

pub use error::ReconcileError;
pub use import::{FileRequest, Imported, MAX_DIFFERENCES, MAX_OWN_RECORDS};
pub use resolution::Proposed;

/// Reconciles. Clones share one turn.
#[derive(Clone)]
pub struct Reconciler {
    engine: Engine,
    turn: Arc<Semaphore>,
}

impl Reconciler {
    /// Reconciles the books of this engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine, turn: Arc::new(Semaphore::new(1)) }
    }
}
