//! What can go wrong.

use domain::{PayoutId, Refusal};
use engine::SubmitError;
use settlement::{PayoutStatus, TermError, fold::FoldError};
use storage::StorageError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum FinanceError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The engine did not take a posting.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The engine refused a posting.
    #[error("a posting was refused: {0:?}")]
    Refused(Refusal),
    /// What is stored cannot be settled.
    #[error("cannot be settled: {0}")]
    Damaged(String),
    /// A field of what was given is wrong.
    #[error("{}: {}", .0.pointer, .0.message)]
    Field(TermError),
    /// It is not there, or not within reach.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// Who proposed a payout cannot decide on it.
    #[error("payout {0} must be approved or rejected by another client than the one that proposed it")]
    SameClient(PayoutId),
    /// The payout is not at the step before this one.
    #[error("payout {payout} is {}; {needed}", .status.name())]
    Status {
        /// The payout.
        payout: PayoutId,
        /// How far it is.
        status: PayoutStatus,
        /// What it would have to be.
        needed: &'static str,
    },
    /// The merchant has no bank account.
    #[error("merchant {merchant} has no bank account in force for {currency}: give it a payee first")]
    NoPayee {
        /// The merchant.
        merchant: domain::MerchantId,
        /// The currency of the payout.
        currency: domain::Currency,
    },
    /// A document could not be written.
    #[error("the document could not be written: {0}")]
    Document(String),
    /// The work is too much for one request.
    #[error("{0}")]
    TooMuch(String),
}

impl From<FoldError> for FinanceError {
    fn from(error: FoldError) -> Self {
        Self::Damaged(error.to_string())
    }
}

pub(crate) fn field<T>(pointer: &str, message: &'static str) -> Result<T, FinanceError> {
    Err(FinanceError::Field(TermError { pointer: pointer.to_owned(), message }))
}

pub(crate) fn overflow() -> FinanceError {
    FinanceError::Damaged("a sum leaves the range of amounts".to_owned())
}
