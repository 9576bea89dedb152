//! Working days: published holidays where there are any, else Monday to Friday.

use std::collections::BTreeMap;

use domain::BusinessDate;
use jiff::civil::{Date, Weekday};
use serde::Deserialize;

/// A day that a yearly notice lists: a holiday, or a working day that makes up for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarDay {
    /// The year of the notice. It may list days at the end of the year before.
    pub year: i16,
    /// The day.
    pub date: BusinessDate,
    /// Whether it is a working day.
    pub working: bool,
    /// The name of the holiday it belongs to.
    pub name: String,
}

/// The most days that one year's notice may list.
pub const MAX_DAYS_A_YEAR: usize = 400;
/// The furthest that a day is looked for, in days: thirty working days and every holiday lie within it.
const HORIZON: u16 = 400;

/// The working days of an issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// By year of the notice.
    years: BTreeMap<i16, BTreeMap<Date, bool>>,
}

/// A day that was counted to, and whether all days on the way are certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The day.
    pub date: Date,
    /// Whether a day on the way is of a year for which no notice is known.
    pub estimated: bool,
}

#[derive(Deserialize)]
struct File {
    year: i16,
    days: Vec<FileDay>,
}

#[derive(Deserialize)]
struct FileDay {
    name: String,
    date: String,
    #[serde(rename = "isOffDay")]
    is_off_day: bool,
}

const MAINLAND_CHINA: [&str; 3] = [
    include_str!("../data/holidays-cn-2024.json"),
    include_str!("../data/holidays-cn-2025.json"),
    include_str!("../data/holidays-cn-2026.json"),
];

/// The days of mainland China that this version knows, from the notices of the State Council.
pub fn mainland_china_days() -> Vec<CalendarDay> {
    let files = MAINLAND_CHINA.iter().filter_map(|text| serde_json::from_str::<File>(text).ok());
    let days = files.flat_map(|file| {
        file.days.into_iter().filter_map(move |day| {
            let date = BusinessDate::parse(&day.date)?;
            Some(CalendarDay { year: file.year, date, working: !day.is_off_day, name: day.name })
        })
    });
    days.collect()
}

impl Calendar {
    /// Monday to Friday, nothing published.
    pub fn new() -> Self {
        Self::default()
    }

    /// Mainland China, as far as this version knows its holidays.
    pub fn mainland_china() -> Self {
        Self::new().with(&mainland_china_days())
    }

    /// This calendar with these days. A year that they name is replaced whole.
    #[must_use]
    pub fn with(mut self, days: &[CalendarDay]) -> Self {
        for day in days {
            self.years.insert(day.year, BTreeMap::new());
        }
        for day in days {
            if let (Some(date), Some(year)) = (day.date.to_date(), self.years.get_mut(&day.year)) {
                year.insert(date, day.working);
            }
        }
        self
    }

    /// Whether this is a working day. A listed day decides; the next year's notice, which comes later, before
    /// the year's own.
    pub fn is_working(&self, date: Date) -> bool {
        let listed = |year: i16| self.years.get(&year).and_then(|days| days.get(&date)).copied();
        listed(date.year().saturating_add(1))
            .or_else(|| listed(date.year()))
            .unwrap_or_else(|| !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday))
    }

    /// Whether the notices that decide on this day are known. The last week of a year is also up to the next
    /// year's notice, which may begin its holiday there.
    pub fn is_published(&self, date: Date) -> bool {
        let known = |year: i16| self.years.contains_key(&year);
        let last_week = date.month() == 12 && date.day() >= 25;
        known(date.year()) && (!last_week || known(date.year().saturating_add(1)))
    }

    /// The `count`-th working day after `from`. With zero, `from` itself if it is a working day, else the next.
    pub fn after(&self, from: Date, count: u8) -> Counted {
        let mut counted = Counted { date: from, estimated: !self.is_published(from) };
        if count == 0 && self.is_working(from) {
            return counted;
        }
        let mut left = count.max(1);
        for _ in 0..HORIZON {
            let Ok(next) = counted.date.tomorrow() else { return counted };
            counted = Counted { date: next, estimated: counted.estimated || !self.is_published(next) };
            if self.is_working(next) {
                left = left.saturating_sub(1);
            }
            if left == 0 {
                return counted;
            }
        }
        counted
    }

    /// The last working day on or before `from`; `from` itself if none is found.
    pub(crate) fn working_on_or_before(&self, from: Date) -> Date {
        let mut date = from;
        for _ in 0..HORIZON {
            if self.is_working(date) {
                return date;
            }
            let Ok(before) = date.yesterday() else { return from };
            date = before;
        }
        from
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn a_listed_day_decides() {
        let calendar = Calendar::mainland_china();
        // Make-up working days of 2026, all on weekends; holidays; an ordinary weekend and week day.
        for day in ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"] {
            assert!(calendar.is_working(date(day)), "{day}");
        }
        for day in ["2026-01-01", "2026-02-17", "2026-10-01", "2026-10-07", "2026-11-21"] {
            assert!(!calendar.is_working(date(day)), "{day}");
        }
        assert!(calendar.is_working(date("2026-11-20")));
    }

    #[test]
    fn working_days_are_counted() {
        let calendar = Calendar::mainland_china();
        let check = |from: &str, count: u8, expect: &str, estimated: bool| {
            let expect = Counted { date: date(expect), estimated };
            assert_eq!(calendar.after(date(from), count), expect, "{from} + {count}");
        };
        check("2026-09-30", 1, "2026-10-08", false);
        check("2026-02-13", 1, "2026-02-14", false);
        check("2026-09-30", 0, "2026-09-30", false);
        check("2026-10-03", 0, "2026-10-08", false);
        check("2026-11-20", 1, "2026-11-23", false);
        check("2026-11-20", 30, "2027-01-01", true);
        check("2027-03-05", 1, "2027-03-08", true);
    }

    #[test]
    fn an_imported_year_replaces_the_seeded_one_and_reaches_into_the_year_before() {
        let day = |year, date: &str, working| CalendarDay {
            year,
            date: BusinessDate::parse(date).expect("a date"),
            working,
            name: String::new(),
        };
        let calendar = Calendar::mainland_china();
        assert!(!calendar.is_published(date("2026-12-31")), "the notice for 2027 may still claim it");
        let calendar = calendar.with(&[day(2027, "2026-12-31", false), day(2027, "2027-01-03", true)]);
        assert!(!calendar.is_working(date("2026-12-31")) && calendar.is_working(date("2027-01-03")));
        assert!(calendar.is_published(date("2026-12-31")) && calendar.is_published(date("2027-03-01")));
        let other = calendar.with(&[day(2026, "2026-03-02", false)]);
        assert!(other.is_working(date("2026-10-01")), "the year's list is replaced whole");
    }
}
