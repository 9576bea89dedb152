//! The write path: read what a batch needs, then write all that it decided, in one transaction.

use std::pin::Pin;

use async_trait::async_trait;
use domain::working::{Changes, Need, Working};

use crate::Result;

/// Where batches are decided.
#[async_trait]
pub trait Transactions: Send + Sync {
    /// Begins a transaction that may write. Waits for its turn where there is one writer.
    async fn begin(&self) -> Result<Box<dyn Transaction>>;

    /// How many batches may be decided at once: how many transactions can be open beside one another.
    fn writers(&self) -> usize {
        1
    }
}

/// One transaction. Dropped without a commit, it leaves no trace.
#[async_trait]
pub trait Transaction: Send {
    /// Reads everything in `needs` (which may repeat itself) into `working`, and locks the cards among it
    /// until the end. Afterwards each need has an entry in `working`, `None` (or
    /// [`domain::working::KeyState::Free`]) where nothing is there. A card found by number is entered under
    /// its id as well; a taken key's operation need not be entered among the operations.
    ///
    /// Where several transactions run beside one another, the lock of a card stands for all that is its:
    /// its holds, and what was given back of its operations. These must be read after the card is locked.
    /// What was read before it (a hold may be, to learn its card) can be of another state than the card,
    /// and must be read again: otherwise two captures take from one hold, and two refunds give back one
    /// sale. So it is for keys and trace numbers: one that was free before its card was locked may be
    /// taken afterwards. A posting locks nothing: it depends on its own key alone, and there
    /// the unique index decides.
    async fn load(&mut self, needs: &[Need], working: &mut Working) -> Result<()>;

    /// Writes everything and commits: later transactions see it. It is durable, so that no crash can undo
    /// it, when what this returns is done; only then may anybody be answered. Meanwhile the next
    /// transaction can be decided. What commits later is never durable earlier.
    async fn commit(self: Box<Self>, changes: &Changes) -> Result<Durable>;
}

/// Done when a commit is durable. An error means that nobody knows whether it is.
pub type Durable = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// For stores whose commits are durable at once.
pub fn durable_already() -> Durable {
    Box::pin(std::future::ready(Ok(())))
}
