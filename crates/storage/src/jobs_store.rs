//! What jobs look for, and where they keep how far they are.

use async_trait::async_trait;
use domain::{CardId, HoldId, IssuerId, Timestamp};

use crate::Result;

/// A hold whose time has run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueHold {
    /// The hold.
    pub hold: HoldId,
    /// Its issuer.
    pub issuer: IssuerId,
}

/// One step of the roll-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RollUp {
    /// Operations taken in.
    pub operations: u64,
    /// Operations still behind: zero when it has caught up. At most about as many are counted as the step was
    /// allowed to take in: to count them all, again and again, would cost more than the steps do.
    pub behind: u64,
}

/// What jobs need.
#[async_trait]
pub trait JobsStore: Send + Sync {
    /// Open holds that ended by `now`, earliest first.
    async fn due_holds(&self, now: Timestamp, limit: usize) -> Result<Vec<DueHold>>;

    /// Cards with something that expired by `now`: a card past its validity that is active or frozen and
    /// has no holds, or a lot with value past its own. Ordered by card, after `after`.
    async fn due_cards(
        &self,
        now: Timestamp,
        after: Option<CardId>,
        limit: usize,
    ) -> Result<Vec<(CardId, IssuerId)>>;

    /// Takes the next operations, at most `limit`, into the hourly roll-up of account totals, and moves
    /// its cursor, in one transaction.
    async fn roll_up(&self, limit: usize) -> Result<RollUp>;
}
