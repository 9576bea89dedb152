//! The age of the liability: what is on cards now, by the time since they were activated.

use domain::{ProgramId, Timestamp, lot::LotSource};
use jiff::{Span, civil::Date};
use storage::AGE_BOUNDS;

use super::{
    Accounting, AccountingError, Result, date_of,
    table::{self, Table},
};

/// Months that part the ages, the youngest first.
const MONTHS: [i32; AGE_BOUNDS] = [3, 6, 12, 24, 36, 60];

/// The names of the ages, the youngest first. A card of exactly so many months belongs to the older one.
pub const AGES: [&str; AGE_BOUNDS + 1] = [
    "under_3_months",
    "3_to_6_months",
    "6_to_12_months",
    "1_to_2_years",
    "2_to_3_years",
    "3_to_5_years",
    "over_5_years",
];

/// What cards of one program, age and source of value hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aged {
    /// The program.
    pub program: ProgramId,
    /// The currency.
    pub currency: domain::Currency,
    /// Where the value came from.
    pub source: LotSource,
    /// The name of the age.
    pub age: &'static str,
    /// Cards with such value.
    pub cards: i64,
    /// On the cards, in minor units.
    pub remaining: i64,
    /// Expired, and still to be claimed, in minor units.
    pub claimable: i64,
}

/// The moments before which cards of the next age were activated: the end of the day so many months ago.
fn bounds(today: Date, end_of: impl Fn(Date) -> Timestamp) -> Result<[Timestamp; AGE_BOUNDS]> {
    let mut found = [Timestamp::MAX; AGE_BOUNDS];
    for (bound, months) in found.iter_mut().zip(MONTHS) {
        let day = today.checked_sub(Span::new().months(months));
        let day = day.map_err(|_| AccountingError::Days("there is no such day"))?;
        *bound = Timestamp::from_micros(end_of(day).micros().saturating_add(1));
    }
    Ok(found)
}

impl Accounting {
    /// The age of what is on cards now.
    pub async fn ageing(&self) -> Result<Vec<Aged>> {
        let today = date_of(self.today())?;
        let bounds = bounds(today, |day| Timestamp::end_of(day, &self.issuer.zone))?;
        let mut found = Vec::new();
        for value in self.store.ageing(self.issuer.id, bounds).await? {
            let (Some(program), Some(age)) =
                (self.catalog.programs.get(&value.program), AGES.get(value.age).copied())
            else {
                let why = format!("cards of {}, which is not in the catalog", value.program);
                return Err(storage::StorageError::Corrupt(why).into());
            };
            found.push(Aged {
                program: value.program,
                currency: program.currency,
                source: value.source,
                age,
                cards: value.cards,
                remaining: value.remaining,
                claimable: value.claimable,
            });
        }
        Ok(found)
    }

    /// The ages as a table.
    pub fn ageing_table(&self, lines: &[Aged]) -> Table {
        let columns = ["program", "name", "currency", "source", "age", "cards", "remaining", "claimable"];
        let mut table = Table::new("ageing", columns);
        for line in lines {
            table.rows.push(vec![
                line.program.to_string(),
                table::safe(&self.program_name(line.program)),
                line.currency.code().to_owned(),
                line.source.name().to_owned(),
                line.age.to_owned(),
                line.cards.to_string(),
                table::money(line.remaining, line.currency),
                table::money(line.claimable, line.currency),
            ]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn ages_end_with_days_of_the_calendar() {
        let zone = TimeZone::get("Asia/Shanghai").expect("bundled");
        let today: Date = "2026-05-31".parse().expect("a date");
        let bounds = bounds(today, |day| Timestamp::end_of(day, &zone)).expect("in range");
        let shown: Vec<String> = bounds.iter().map(ToString::to_string).collect();
        // Three months before the 31st of May is the last of February; a day ends at 16:00 UTC.
        assert_eq!(shown[0], "2026-02-28T16:00:00Z");
        assert_eq!(shown[2], "2025-05-31T16:00:00Z");
        assert_eq!(shown[5], "2021-05-31T16:00:00Z");
        assert!(bounds.is_sorted_by(|a, b| a > b), "the newest first");
    }
}
