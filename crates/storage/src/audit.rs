//! Checking stored data against the invariants.

use async_trait::async_trait;

use crate::{AccountTotals, Result};

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's name.
    pub invariant: &'static str,
    /// What it is about, such as an id.
    pub subject: String,
    /// What was found.
    pub detail: String,
}

/// What a check looked at and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// Cards looked at.
    pub cards: u64,
    /// Operations looked at.
    pub operations: u64,
    /// Transfers looked at.
    pub transfers: u64,
    /// The sums of all debits and of all credits, one pair for each currency, by currency code.
    pub totals: Vec<AccountTotals>,
    /// Invariants checked, by name.
    pub checked: Vec<&'static str>,
    /// The first violations found of each, in the order of the checks.
    pub violations: Vec<Violation>,
}

/// Checking.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Checks every invariant on a consistent view of the data.
    async fn audit(&self) -> Result<AuditReport>;
}
