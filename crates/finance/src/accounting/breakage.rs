//! Breakage (残值): value that holders are not expected to redeem, estimated against what was recognised.
//!
//! CAS 14 (art. 39) and IFRS 15 (B46): an issuer that expects to keep such value recognises it as income in
//! proportion to what holders redeem. An issuer that has to give it back on request does not; therefore a
//! program has no estimate until finance has stated its expectation.

use domain::{Currency, ProgramId};

use super::{
    Accounting, BreakageSettings, Result,
    liability::{Change, Liability, RollForward},
    share, sum,
    table::{self, Table},
};

/// The estimate of one program, since its first card. Amounts are minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breakage {
    /// The program.
    pub program: ProgramId,
    /// The currency.
    pub currency: Currency,
    /// What was put on cards, less what was paid out, forfeited, or taken back by corrections.
    pub granted: i64,
    /// What was redeemed, less what was refunded.
    pub redeemed: i64,
    /// What expired into income: actual breakage.
    pub recognised: i64,
    /// The estimate, where finance has stated an expectation.
    pub estimate: Option<Estimate>,
}

/// What an expectation comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The share of what was granted that is expected to be redeemed, in basis points.
    pub expected_redemption_bp: u16,
    /// What is expected never to be redeemed.
    pub expected: i64,
    /// Of this, what redemptions so far have earned.
    pub earned: i64,
    /// What is still to be recognised, beyond what was; negative if too much was.
    pub difference: i64,
}

/// The estimate: expected breakage in proportion to the redemptions so far, never more than all of it.
///
/// `expected = granted × (1 − rate)`; `earned = expected × redeemed ÷ (granted × rate)`.
pub fn estimate(granted: i64, redeemed: i64, recognised: i64, rate: u16) -> Result<Estimate> {
    let to_be_redeemed = share(granted, i64::from(rate), 10_000)?;
    let expected = sum(granted, -to_be_redeemed)?;
    let so_far = redeemed.clamp(0, to_be_redeemed.max(0));
    let earned = if to_be_redeemed > 0 { share(expected, so_far, to_be_redeemed)? } else { 0 };
    Ok(Estimate { expected_redemption_bp: rate, expected, earned, difference: sum(earned, -recognised)? })
}

fn of_line(line: &RollForward, settings: &BreakageSettings) -> Result<Option<Breakage>> {
    let Liability::Cards(program) = line.liability else { return Ok(None) };
    let add = |changes: &[Change]| changes.iter().try_fold(0, |all, change| sum(all, line.change(*change)));
    let granted = add(&[
        Change::Issued,
        Change::Loaded,
        Change::PaidOut,
        Change::Forfeited,
        Change::Adjusted,
        Change::Transferred,
    ])?;
    let redeemed = sum(0, -add(&[Change::Redeemed, Change::Refunded])?)?;
    let recognised = line.into_income;
    let rate = settings.expected_redemption_bp.get(&program).copied();
    let estimate = rate.map(|rate| estimate(granted, redeemed, recognised, rate)).transpose()?;
    Ok(Some(Breakage { program, currency: line.currency, granted, redeemed, recognised, estimate }))
}

impl Accounting {
    /// The estimate of each program, by everything until the end of a business day.
    pub async fn breakage(&self, until: domain::BusinessDate) -> Result<Vec<Breakage>> {
        let (settings, _) = self.setting::<BreakageSettings>().await?;
        let days = storage::Days { from: domain::BusinessDate::from_stored(0), to: until };
        let journal = self.store.journal_totals(self.issuer.id, days).await?;
        let lines = super::liability::roll_forward(&[], &journal, &[])?;
        lines.iter().filter_map(|line| of_line(line, &settings).transpose()).collect()
    }

    /// The estimates as a table.
    pub fn breakage_table(&self, lines: &[Breakage]) -> Table {
        let columns = [
            "program",
            "name",
            "currency",
            "granted",
            "redeemed",
            "recognised",
            "expected_redemption_percent",
            "expected",
            "earned",
            "difference",
        ];
        let mut table = Table::new("breakage", columns);
        for line in lines {
            let money = |minor| table::money(minor, line.currency);
            let estimated =
                |pick: fn(&Estimate) -> i64| line.estimate.as_ref().map(pick).map_or_else(String::new, money);
            let rate = line.estimate.map(|estimate| i64::from(estimate.expected_redemption_bp));
            table.rows.push(vec![
                line.program.to_string(),
                table::safe(&self.program_name(line.program)),
                line.currency.code().to_owned(),
                money(line.granted),
                money(line.redeemed),
                money(line.recognised),
                rate.map_or_else(String::new, table::percent),
                estimated(|estimate| estimate.expected),
                estimated(|estimate| estimate.earned),
                estimated(|estimate| estimate.difference),
            ]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sold 1,000.00, of which 90 % are expected to be redeemed: 100.00 will stay. After 450.00 were redeemed
    /// half of that is earned; after 900.00 all of it, and never more.
    #[test]
    fn earned_in_proportion_to_redemptions() {
        let check = |redeemed, recognised, earned, difference| {
            let found = estimate(100_000, redeemed, recognised, 9_000).expect("in range");
            assert_eq!((found.expected, found.earned, found.difference), (10_000, earned, difference));
        };
        check(0, 0, 0, 0);
        check(45_000, 0, 5_000, 5_000);
        check(45_000, 2_000, 5_000, 3_000);
        check(90_000, 0, 10_000, 10_000);
        check(95_000, 12_000, 10_000, -2_000);
        check(-5, 0, 0, 0);
        let nothing_kept = estimate(100_000, 45_000, 0, 10_000).expect("in range");
        assert_eq!((nothing_kept.expected, nothing_kept.earned), (0, 0));
        assert_eq!(estimate(0, 0, 0, 9_000).expect("in range").earned, 0);
    }
}
