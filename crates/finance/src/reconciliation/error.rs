//! What can go wrong.

use domain::Refusal;
use engine::SubmitError;
use reconciliation::FileError;
use storage::StorageError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The engine did not take a correction. It is approved, and posted later.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The file was refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// A field of what was given is wrong.
    #[error("{pointer}: {message}")]
    Field {
        /// Which.
        pointer: &'static str,
        /// What is wrong, and the cure.
        message: String,
    },
    /// It is not there, or not within reach.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// Who proposed cannot approve.
    #[error("another client than the one that proposed must approve")]
    SameClient,
    /// The difference is not at the step before this one.
    #[error("the difference is {status}; {needed}")]
    Status {
        /// Where it stands.
        status: &'static str,
        /// What it would have to be.
        needed: &'static str,
    },
    /// Somebody changed it at the same time.
    #[error("somebody changed the difference at the same time; read it again")]
    Changed,
    /// The engine refused the correction; the difference is open again.
    #[error("the correction was refused ({0:?}); the difference is open again")]
    Refused(Refusal),
    /// Another file is being worked on.
    #[error("another file is being reconciled; send this one again in a minute")]
    Busy,
    /// More than is worked on at once.
    #[error("{0}")]
    TooMuch(String),
}

pub(super) fn field<T>(pointer: &'static str, message: impl Into<String>) -> Result<T, ReconcileError> {
    Err(ReconcileError::Field { pointer, message: message.into() })
}
