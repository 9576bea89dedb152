//! What was answered, to be held against what is stored.

use crate::failure::{Failure, Result};

/// Answers, counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Redemptions approved.
    pub(super) approved: u64,
    /// Their sum, in minor units.
    pub(super) approved_minor: i64,
    /// Redemptions declined: stored, without effect.
    pub(super) declined: u64,
    /// Requests refused: not stored.
    pub(super) refused: u64,
    /// The first refusal or decline, to be shown.
    pub(super) first: Option<String>,
}

impl Tally {
    pub(super) fn approve(&mut self, minor: i64) {
        self.approved += 1;
        self.approved_minor += minor;
    }

    pub(super) fn decline(&mut self, why: impl FnOnce() -> String) {
        self.declined += 1;
        self.first.get_or_insert_with(why);
    }

    pub(super) fn refuse(&mut self, why: impl FnOnce() -> String) {
        self.refused += 1;
        self.first.get_or_insert_with(why);
    }

    /// Takes another count in. A refusal spoils the measurement: it costs less than a sale.
    pub(super) fn add(&mut self, other: &Self) -> Result {
        self.approved += other.approved;
        self.approved_minor += other.approved_minor;
        self.declined += other.declined;
        if other.refused + other.declined > 0 {
            return Err(Failure::new(format!(
                "{} redemptions were declined and {} requests refused, so nothing was measured: {}",
                other.declined,
                other.refused,
                other.first.as_deref().unwrap_or_default()
            )));
        }
        Ok(())
    }
}
