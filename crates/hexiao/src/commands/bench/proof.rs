//! Proof that nothing was lost or made: every answer that callers counted is held against the books.

use domain::Account;
use storage::{AuditReport, Store};

use super::{shop::Shop, tally::Tally};
use crate::{
    cli::Global,
    failure::{Failure, Result},
    installation::open_to_write,
};

/// The books before the load.
pub(super) struct Before {
    operations: u64,
    owed: i64,
}

impl Before {
    /// Reads them.
    pub(super) async fn take(global: &Global, shop: &Shop) -> Result<Self> {
        let store = open_to_write(global).await?.store();
        let report = audited(&*store).await?;
        Ok(Self { operations: report.operations, owed: owed(&*store, shop).await? })
    }

    /// Compares them with the books now. The outer error says that they could not be read, the inner one
    /// that something is missing.
    pub(super) async fn compare(&self, global: &Global, shop: &Shop, tally: &Tally) -> Result<Result> {
        let store = open_to_write(global).await?.store();
        let report = store.audit().await?;
        let (operations, owed) = (report.operations, owed(&*store, shop).await?);
        Ok(violations(&report)
            .and_then(|()| same("operations", operations - self.operations, tally.approved + tally.declined))
            .and_then(|()| same("minor units owed to merchants", owed - self.owed, tally.approved_minor)))
    }
}

async fn audited(store: &dyn Store) -> Result<AuditReport> {
    let report = store.audit().await?;
    violations(&report).map(|()| report)
}

fn violations(report: &AuditReport) -> Result {
    match report.violations.first() {
        None => Ok(()),
        Some(v) => {
            Err(Failure::new(format!("the books are wrong: {}: {}: {}", v.invariant, v.subject, v.detail)))
        }
    }
}

async fn owed(store: &dyn Store, shop: &Shop) -> Result<i64> {
    let mut sum = 0_i64;
    for merchant in shop.merchants.iter() {
        // The bench's issuer sells in one currency only, so that these add up.
        for totals in store.account_totals(shop.issuer, Account::Merchant(*merchant), None).await? {
            sum = sum.saturating_add(totals.credits.saturating_sub(totals.debits));
        }
    }
    Ok(sum)
}

fn same<T: PartialEq + std::fmt::Display + Copy>(what: &str, stored: T, answered: T) -> Result {
    if stored == answered {
        return Ok(());
    }
    Err(Failure::new(format!("{what}: {stored} are stored, but {answered} were answered")))
}
