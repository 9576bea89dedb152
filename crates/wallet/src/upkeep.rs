//! What has to be done in time: gifts that nobody accepted end, those that a crash interrupted are finished, and
//! what nobody needs any more is forgotten.

use storage::{GiftState, HolderPurge};

use crate::{GiftError, Result, Wallet};

/// A gift that somebody began to accept this long ago was interrupted.
const STUCK_SECONDS: i64 = 60;
/// Sessions, messages and sign-in codes go this long after their end.
const KEEP_ENDED_SECONDS: i64 = 60;
/// Counts of sign-in codes go after their day.
const KEEP_COUNTS_SECONDS: i64 = 2 * 86_400;
/// Used codes stay far longer than a code could be accepted, so that a till that was cut off still learns what
/// became of its request.
const KEEP_USED_SECONDS: i64 = 7 * 86_400;

/// What a round of upkeep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Gifts that ended or were finished.
    pub gifts: u64,
    /// Rows that were forgotten.
    pub forgotten: u64,
}

impl Wallet {
    /// Does what is due, at most `limit` of each kind.
    pub async fn keep_up(&self, limit: usize) -> Result<Upkeep> {
        let (store, now) = (self.engine.store(), self.engine.now());
        let mut gifts = 0;
        for gift in store.due_gifts(now, now.plus_seconds(-STUCK_SECONDS), limit).await? {
            let done = match gift.state {
                GiftState::Accepting => self.complete(gift).await,
                _ => self.step(gift, GiftState::Expired).await,
            };
            match done {
                Ok(_) => gifts += 1,
                Err(GiftError::Fault(error)) => return Err(error),
                // Its receiver was quicker.
                Err(_) => {}
            }
        }
        let purge = HolderPurge {
            ended_before: now.plus_seconds(-KEEP_ENDED_SECONDS),
            counted_before: now.plus_seconds(-KEEP_COUNTS_SECONDS),
            used_before: now.plus_seconds(-KEEP_USED_SECONDS),
            limit,
        };
        Ok(Upkeep { gifts, forgotten: store.purge_holders(&purge).await? })
    }
}
