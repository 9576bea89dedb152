//! Holds what the ledger owes merchants against their statements: what was carried forward, the lines of what is
//! open, payouts that were not sent, less invoices that were not paid.
//!
//! Between posting a payout and noting that it is sent there is a moment in which the two differ. So an account
//! counts as wrong only if the next round, half a minute later, finds the same difference again.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{Currency, IssuerId, MerchantId, Timestamp};
use engine::Engine;
use storage::SettledBalance;

use crate::runner::JobError;

/// How often all accounts are compared, where nothing is suspected. It reads the lines of all open statements.
const EVERY: Duration = Duration::from_mins(10);
const MILLIS_PER_SECOND: i64 = 1_000;
const MISMATCHES: &str = "hexiao_settlement_mismatches_total";
const CHECKED: &str = "hexiao_settlement_checked_timestamp_seconds";

/// What is known between rounds.
#[derive(Clone, Default)]
pub(crate) struct Settled {
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    checked_at: Option<Timestamp>,
    accounts: BTreeMap<(IssuerId, MerchantId, Currency), Suspicion>,
}

/// A difference that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Suspicion {
    difference: i64,
    /// Whether it was seen twice, and counted.
    confirmed: bool,
}

impl Settled {
    /// Makes the metrics known, so that an alert sees a counter before it grows.
    pub(crate) fn new() -> Self {
        metrics::describe_counter!(
            MISMATCHES,
            "Merchants whose account in the ledger is not what their statements make of it"
        );
        metrics::describe_gauge!(CHECKED, "When merchants' accounts were last held against their statements");
        metrics::counter!(MISMATCHES).absolute(0);
        Self::default()
    }

    /// Compares where it is time to. Returns how many accounts.
    pub(crate) async fn round(&self, engine: &Engine) -> Result<u64, JobError> {
        let catalog = engine.catalog();
        let now = engine.now();
        if !self.is_due(now) {
            return Ok(0);
        }
        let mut done = 0;
        for issuer in catalog.issuers.keys() {
            let found = engine.store().settled_balances(*issuer).await?;
            done += found.accounts;
            self.note(*issuer, &found.differences);
        }
        self.held().checked_at = Some(now);
        seconds(CHECKED, now.millis());
        Ok(done)
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let known = self.held();
        let every = i64::try_from(EVERY.as_secs()).unwrap_or(i64::MAX);
        let suspected = known.accounts.values().any(|suspicion| !suspicion.confirmed);
        suspected || known.checked_at.is_none_or(|at| at.plus_seconds(every) <= now)
    }

    fn note(&self, issuer: IssuerId, differences: &[SettledBalance]) {
        for wrong in self.held().note(issuer, differences) {
            metrics::counter!(MISMATCHES).increment(1);
            tracing::error!(
                %issuer, merchant = %wrong.merchant, currency = %wrong.currency, ledger = wrong.ledger,
                statements = wrong.statements,
                "a merchant's account in the ledger is not what its statements make of it; run hexiao verify"
            );
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Takes the differences of an issuer in. Returns those that were seen for the second time.
    fn note(&mut self, issuer: IssuerId, differences: &[SettledBalance]) -> Vec<SettledBalance> {
        let mut before: BTreeMap<_, _> = BTreeMap::new();
        self.accounts.retain(|key, suspicion| {
            let other = key.0 != issuer;
            if !other {
                before.insert(*key, *suspicion);
            }
            other
        });
        let mut confirmed = Vec::new();
        for wrong in differences {
            let key = (issuer, wrong.merchant, wrong.currency);
            let difference = wrong.ledger.wrapping_sub(wrong.statements);
            let seen = before.get(&key).filter(|suspicion| suspicion.difference == difference);
            if seen.is_some_and(|suspicion| !suspicion.confirmed) {
                confirmed.push(*wrong);
            }
            self.accounts.insert(key, Suspicion { difference, confirmed: seen.is_some() });
        }
        confirmed
    }
}

fn seconds(gauge: &'static str, millis: i64) {
    #[expect(clippy::cast_precision_loss, reason = "a metric")]
    let seconds = (millis / MILLIS_PER_SECOND) as f64;
    metrics::gauge!(gauge).set(seconds);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_counts_when_it_stays() {
        let one = IssuerId::new(1);
        let wrong = |ledger| SettledBalance {
            merchant: MerchantId::new(7),
            currency: Currency::CNY,
            ledger,
            statements: 100,
        };
        let mut known = Known::default();
        assert_eq!(known.note(one, &[wrong(90)]), [], "it may be a payout that is being sent");
        assert_eq!(known.note(IssuerId::new(2), &[]), [], "another issuer's round changes nothing");
        assert_eq!(known.note(one, &[wrong(90)]), [wrong(90)]);
        assert_eq!(known.note(one, &[wrong(90)]), [], "counted once");
        assert_eq!(known.note(one, &[wrong(80)]), [], "another difference begins anew");
        assert_eq!(known.note(one, &[wrong(80)]), [wrong(80)]);
        assert_eq!(known.note(one, &[]), []);
        assert!(known.accounts.is_empty(), "what was put right is forgotten");
        assert_eq!(known.note(one, &[wrong(80)]), []);
    }
}
