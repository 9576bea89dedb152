//! Accounting and reports to authorities, computed from the journal and the ledger.
//!
//! Every figure is defined in `docs/accounting.md`. What is computed here is pure arithmetic in integers of
//! minor units; [`Accounting`] reads what it needs and hands it over.

pub mod ageing;
pub mod breakage;
pub mod chart;
pub mod custody;
pub mod invoices;
pub mod liability;
pub mod quarter;
pub mod settings;
pub mod table;

use std::sync::Arc;

use domain::{BusinessDate, Catalog, IssuerId, ProgramId, Timestamp, catalog::Issuer};
use jiff::civil::Date;
use storage::{Days, StorageError, Store};

pub use settings::{BreakageSettings, Profile};
pub use table::Table;

/// The most days that a report may be about: ten years and a little.
pub const MAX_DAYS: i32 = 3_700;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum AccountingError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// No such issuer.
    #[error("there is no issuer {0}")]
    NoIssuer(IssuerId),
    /// The days are wrong; says which and how to mend it.
    #[error("{0}")]
    Days(&'static str),
    /// A setting does not say what it should; says how to mend it.
    #[error("the setting {name} is wrong: {why}")]
    Setting {
        /// Which.
        name: &'static str,
        /// Why.
        why: String,
    },
    /// A sum does not fit 64 bits.
    #[error("a sum exceeds 64 bits")]
    TooLarge,
}

/// The result of a report.
pub type Result<T> = std::result::Result<T, AccountingError>;

/// The books of one issuer, as reports read them.
#[derive(Clone)]
pub struct Accounting {
    store: Arc<dyn Store>,
    catalog: Arc<Catalog>,
    issuer: Arc<Issuer>,
    now: Timestamp,
}

impl Accounting {
    /// The books of this issuer at this moment.
    pub fn of(
        store: Arc<dyn Store>,
        catalog: Arc<Catalog>,
        issuer: IssuerId,
        now: Timestamp,
    ) -> Result<Self> {
        let found = catalog.issuers.get(&issuer).cloned();
        let issuer = found.ok_or(AccountingError::NoIssuer(issuer))?;
        Ok(Self { store, catalog, issuer, now })
    }

    /// The issuer's current business day.
    pub fn today(&self) -> BusinessDate {
        BusinessDate::of(self.now, &self.issuer.zone)
    }

    /// The moment at which a business day begins.
    fn start_of(&self, day: BusinessDate) -> Result<Timestamp> {
        let date = date_of(day)?.yesterday().map_err(|_| AccountingError::Days(BAD_DAY))?;
        let end = Timestamp::end_of(date, &self.issuer.zone);
        Ok(Timestamp::from_micros(end.micros().saturating_add(1)))
    }

    /// The moment at which a business day has ended.
    fn end_of(&self, day: BusinessDate) -> Result<Timestamp> {
        let end = Timestamp::end_of(date_of(day)?, &self.issuer.zone);
        Ok(Timestamp::from_micros(end.micros().saturating_add(1)))
    }

    /// A program's name, for people.
    fn program_name(&self, program: ProgramId) -> String {
        self.catalog.programs.get(&program).map_or_else(String::new, |program| program.name.clone())
    }
}

const BAD_DAY: &str = "there is no such day; write it as YYYY-MM-DD";

/// The calendar date of a business day.
pub(crate) fn date_of(day: BusinessDate) -> Result<Date> {
    day.to_date().ok_or(AccountingError::Days(BAD_DAY))
}

/// Checks a range of days.
pub fn days(from: BusinessDate, to: BusinessDate) -> Result<Days> {
    let (first, last) = (date_of(from)?, date_of(to)?);
    if last < first {
        return Err(AccountingError::Days("the last day is before the first; exchange from and to"));
    }
    let span = first.until(last).map_err(|_| AccountingError::Days(BAD_DAY))?.get_days();
    if span >= MAX_DAYS {
        return Err(AccountingError::Days("a report is about ten years at most; ask for fewer days"));
    }
    Ok(Days { from, to })
}

/// Adds, or says that the sum is too large.
pub(crate) fn sum(a: i64, b: i64) -> Result<i64> {
    a.checked_add(b).ok_or(AccountingError::TooLarge)
}

/// `a * b / c`, half to even. `c` is positive.
pub(crate) fn share(a: i64, b: i64, c: i64) -> Result<i64> {
    let product = i128::from(a).checked_mul(i128::from(b)).ok_or(AccountingError::TooLarge)?;
    let c = i128::from(c);
    let (whole, rest) = (product.div_euclid(c), product.rem_euclid(c));
    let up = match (rest * 2).cmp(&c) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Greater => 1,
        std::cmp::Ordering::Equal => whole.rem_euclid(2),
    };
    i64::try_from(whole + up).map_err(|_| AccountingError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_half_to_even() {
        let check = |a, b, c, expect| assert_eq!(share(a, b, c).expect("in range"), expect, "{a}*{b}/{c}");
        check(5, 1, 2, 2);
        check(7, 1, 2, 4);
        check(-5, 1, 2, -2);
        check(1, 1, 3, 0);
        check(2, 1, 3, 1);
        check(i64::MAX, 10_000, 10_000, i64::MAX);
        share(i64::MAX, 2, 1).expect_err("too large");
    }

    #[test]
    fn ranges_of_days_are_checked() {
        let day = BusinessDate::from_stored;
        days(day(20_260_101), day(20_260_101)).expect("one day");
        days(day(20_260_102), day(20_260_101)).expect_err("backwards");
        days(day(20_260_230), day(20_260_301)).expect_err("no such day");
        days(day(20_100_101), day(20_260_301)).expect_err("too long");
    }
}
