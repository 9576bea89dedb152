//! What screens that show today follow: the sales, refunds and declines of the log, of all issuers, in the order in
//! which they became visible.
//!
//! Figures of a day are not kept in a table: that would be one more row that all sales write. Whoever shows them
//! reads each operation once and counts in memory.

use async_trait::async_trait;
use domain::{Currency, Decline, IssuerId, MerchantId, OperationId, OperationKind, Timestamp};

use crate::{LogPosition, Result};

/// Before the moment from which on everything is wanted, so much more is read. A transaction that is older by its
/// number has no operations that are newer by so much.
pub const ACTIVITY_SLACK_SECONDS: i64 = 3600;

/// An operation in a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// The operation.
    pub operation: OperationId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// What it did.
    pub kind: OperationKind,
    /// Of a reversal: what the operation did that it turned round.
    pub reversed: Option<OperationKind>,
    /// The merchant.
    pub merchant: Option<MerchantId>,
    /// The currency of the amount. None: the card was not found.
    pub currency: Option<Currency>,
    /// What was approved, in minor units.
    pub approved: i64,
    /// Why it was declined, if it was.
    pub decline: Option<Decline>,
    /// When it was decided.
    pub at: Timestamp,
}

/// Whether operations of this kind are followed: sales, what gives them back, and what asks for them.
pub const fn is_followed(kind: OperationKind) -> bool {
    matches!(
        kind,
        OperationKind::Redemption
            | OperationKind::Hold
            | OperationKind::Capture
            | OperationKind::Reversal
            | OperationKind::Refund
            | OperationKind::UnlinkedRefund
    )
}

/// A part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityPage {
    /// The operations of kinds that [`is_followed`], in the order of the log.
    pub items: Vec<Activity>,
    /// Where the part ends: where the next begins.
    pub position: LogPosition,
    /// Whether nothing more could be read at the moment. What becomes visible later comes after it, whatever its
    /// id.
    pub caught_up: bool,
}

/// Following the log.
#[async_trait]
pub trait ActivityStore: Send + Sync {
    /// A place in the log after which everything comes that was decided at `from` or later, and not much else.
    async fn activity_start(&self, from: Timestamp) -> Result<LogPosition>;

    /// The next part, of at most `limit` operations of any kind.
    async fn activity(&self, after: LogPosition, limit: usize) -> Result<ActivityPage>;
}
