//! Settlement cycles: which days make one statement, and when it is due.

use domain::BusinessDate;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Calendar, agreement::TermError};

/// The most working days between a day and its payout.
pub const MAX_DAYS: u8 = 30;

/// How often a merchant is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Cycle {
    /// Each day, due that many working days later (T+N).
    TPlus {
        /// 0 to 30. With 0, the day itself, or the next working day.
        days: u8,
    },
    /// Each week.
    Weekly {
        /// The last day of the period.
        weekday: Weekday,
        /// Due that many working days after it, 0 to 30.
        #[serde(default)]
        plus: u8,
    },
    /// Each month.
    Monthly {
        /// The last day of the period: 1 to 28, or `last`.
        day: MonthDay,
        /// Due that many working days after it, 0 to 30.
        #[serde(default)]
        plus: u8,
    },
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    const fn civil(self) -> jiff::civil::Weekday {
        match self {
            Self::Monday => jiff::civil::Weekday::Monday,
            Self::Tuesday => jiff::civil::Weekday::Tuesday,
            Self::Wednesday => jiff::civil::Weekday::Wednesday,
            Self::Thursday => jiff::civil::Weekday::Thursday,
            Self::Friday => jiff::civil::Weekday::Friday,
            Self::Saturday => jiff::civil::Weekday::Saturday,
            Self::Sunday => jiff::civil::Weekday::Sunday,
        }
    }
}

/// A day that every month has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MonthDay {
    /// 1 to 28.
    Day(u8),
    /// The last of the month.
    Last(LastDay),
}

/// The word for the last day of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastDay {
    /// The last day of the month.
    Last,
}

impl MonthDay {
    /// The last day of the month.
    pub const LAST: Self = Self::Last(LastDay::Last);

    fn within(self, month: Date) -> Date {
        let last = month.last_of_month();
        match self {
            Self::Last(_) => last,
            Self::Day(day) => {
                let day = i8::try_from(day).unwrap_or(28);
                Date::new(month.year(), month.month(), day).unwrap_or(last)
            }
        }
    }
}

/// The days of one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period {
    /// The first day.
    pub from: BusinessDate,
    /// The last day.
    pub to: BusinessDate,
    /// When its payout is due.
    pub due_on: BusinessDate,
    /// Whether the due date rests on a year whose holidays are not known yet.
    pub due_estimated: bool,
}

impl Cycle {
    /// Finds values out of bounds.
    pub fn check(&self) -> Result<(), TermError> {
        let days = match self {
            Self::TPlus { days } => ("/cycle/days", *days),
            Self::Weekly { plus, .. } | Self::Monthly { plus, .. } => ("/cycle/plus", *plus),
        };
        if days.1 > MAX_DAYS {
            return TermError::new(days.0, "give 0 to 30 working days");
        }
        match self {
            Self::Monthly { day: MonthDay::Day(day), .. } if !(1..=28).contains(day) => {
                TermError::new("/cycle/day", "give a day from 1 to 28, or \"last\"")
            }
            _ => Ok(()),
        }
    }

    /// The period that a day belongs to. All days that are due together make one statement.
    pub fn period_of(&self, day: Date, calendar: &Calendar) -> Period {
        let (from, to) = match self {
            Self::TPlus { days: 0 } => through_next_working(day, calendar),
            Self::TPlus { .. } => from_last_working(day, calendar),
            Self::Weekly { weekday, .. } => week(day, *weekday),
            Self::Monthly { day: last, .. } => month(day, *last),
        };
        self.period(from, to, calendar)
    }

    /// A period of these days, which may be cut short where the cycle changes.
    pub fn period(&self, from: Date, to: Date, calendar: &Calendar) -> Period {
        let plus = match self {
            Self::TPlus { days } => *days,
            Self::Weekly { plus, .. } | Self::Monthly { plus, .. } => *plus,
        };
        let due = calendar.after(to, plus);
        Period {
            from: BusinessDate::from_date(from),
            to: BusinessDate::from_date(to),
            due_on: BusinessDate::from_date(due.date),
            due_estimated: due.estimated,
        }
    }
}

/// T+0: the days after the last working day, through the next one.
fn through_next_working(day: Date, calendar: &Calendar) -> (Date, Date) {
    let to = calendar.after(day, 0).date;
    let before = to.yesterday().unwrap_or(to);
    let from = calendar.working_on_or_before(before).tomorrow().unwrap_or(to);
    (from.min(day), to)
}

/// T+N: a working day and the days off that follow it.
fn from_last_working(day: Date, calendar: &Calendar) -> (Date, Date) {
    let from = calendar.working_on_or_before(day);
    let to = calendar.after(day, 1).date.yesterday().unwrap_or(day);
    (from, to.max(day))
}

fn week(day: Date, last: Weekday) -> (Date, Date) {
    let last = last.civil();
    let to = if day.weekday() == last { day } else { day.nth_weekday(1, last).unwrap_or(day) };
    let from = to.checked_sub(jiff::Span::new().days(6)).unwrap_or(day);
    (from, to)
}

fn month(day: Date, last: MonthDay) -> (Date, Date) {
    let this = last.within(day);
    let next_month = |date: Date| date.last_of_month().tomorrow().unwrap_or(date);
    let month_before = |date: Date| date.first_of_month().yesterday().unwrap_or(date);
    let to = if day <= this { this } else { last.within(next_month(day)) };
    let from = last.within(month_before(to)).tomorrow().unwrap_or(day);
    (from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn days_that_are_due_together_make_one_period() {
        let calendar = Calendar::mainland_china();
        let check = |cycle: &str, day: &str, expect: [&str; 3]| {
            let cycle: Cycle = serde_json::from_str(cycle).expect("a cycle");
            assert_eq!(cycle.check(), Ok(()));
            let period = cycle.period_of(date(day), &calendar);
            let got = [period.from, period.to, period.due_on].map(|d| d.to_string());
            assert_eq!(got, expect, "{cycle:?} {day}");
        };
        // National Day 2026: 1 to 7 October off, 10 October (a Saturday) is worked.
        let t0 = r#"{"kind":"t_plus","days":0}"#;
        check(t0, "2026-09-30", ["2026-09-30", "2026-09-30", "2026-09-30"]);
        check(t0, "2026-10-01", ["2026-10-01", "2026-10-08", "2026-10-08"]);
        check(t0, "2026-10-08", ["2026-10-01", "2026-10-08", "2026-10-08"]);
        let t1 = r#"{"kind":"t_plus","days":1}"#;
        check(t1, "2026-09-30", ["2026-09-30", "2026-10-07", "2026-10-08"]);
        check(t1, "2026-10-05", ["2026-09-30", "2026-10-07", "2026-10-08"]);
        check(t1, "2026-10-09", ["2026-10-09", "2026-10-09", "2026-10-10"]);
        // Before Spring Festival 2026: Saturday 14 February is worked, 15 to 23 are off.
        check(t1, "2026-02-13", ["2026-02-13", "2026-02-13", "2026-02-14"]);
        check(t1, "2026-02-14", ["2026-02-14", "2026-02-23", "2026-02-24"]);
        check(r#"{"kind":"t_plus","days":3}"#, "2026-09-30", ["2026-09-30", "2026-10-07", "2026-10-10"]);
        check(r#"{"kind":"t_plus","days":30}"#, "2026-03-02", ["2026-03-02", "2026-03-02", "2026-04-14"]);
        let weekly = r#"{"kind":"weekly","weekday":"sunday","plus":1}"#;
        check(weekly, "2026-11-16", ["2026-11-16", "2026-11-22", "2026-11-23"]);
        check(weekly, "2026-11-22", ["2026-11-16", "2026-11-22", "2026-11-23"]);
        check(
            r#"{"kind":"weekly","weekday":"friday"}"#,
            "2026-10-03",
            ["2026-10-03", "2026-10-09", "2026-10-09"],
        );
        let last = r#"{"kind":"monthly","day":"last","plus":5}"#;
        check(last, "2026-02-01", ["2026-02-01", "2026-02-28", "2026-03-06"]);
        check(last, "2026-09-30", ["2026-09-01", "2026-09-30", "2026-10-13"]);
        let tenth = r#"{"kind":"monthly","day":10,"plus":0}"#;
        check(tenth, "2026-10-10", ["2026-09-11", "2026-10-10", "2026-10-10"]);
        check(tenth, "2026-10-11", ["2026-10-11", "2026-11-10", "2026-11-10"]);
        check(tenth, "2025-12-31", ["2025-12-11", "2026-01-10", "2026-01-12"]);
    }

    #[test]
    fn every_day_is_in_exactly_one_period() {
        let calendar = Calendar::mainland_china();
        let weekly = Cycle::Weekly { weekday: Weekday::Wednesday, plus: 2 };
        let monthly = [MonthDay::Day(28), MonthDay::LAST].map(|day| Cycle::Monthly { day, plus: 1 });
        let daily = [0, 1, 2, 30].map(|days| Cycle::TPlus { days });
        for cycle in daily.into_iter().chain(monthly).chain([weekly]) {
            let mut day = date("2024-01-01");
            while day < date("2027-02-01") {
                let period = cycle.period_of(day, &calendar);
                let (from, to) =
                    (period.from.to_date().expect("a date"), period.to.to_date().expect("a date"));
                assert!(
                    from <= day && day <= to && period.to <= period.due_on,
                    "{cycle:?} {day}: {period:?}"
                );
                let next = to.tomorrow().expect("a date");
                let following = cycle.period_of(next, &calendar);
                assert_eq!(following.from, BusinessDate::from_date(next), "{cycle:?} {day}");
                assert!(following.due_on > period.due_on || !matches!(cycle, Cycle::TPlus { .. }));
                assert_eq!(cycle.period_of(from, &calendar), period, "{cycle:?} {day}");
                day = day.tomorrow().expect("a date");
            }
        }
    }

    #[test]
    fn bounds() {
        let check = |cycle: &str, expect: &str| {
            let cycle: Cycle = serde_json::from_str(cycle).expect("a cycle");
            assert_eq!(cycle.check().expect_err("out of bounds").pointer, expect);
        };
        check(r#"{"kind":"t_plus","days":31}"#, "/cycle/days");
        check(r#"{"kind":"weekly","weekday":"monday","plus":31}"#, "/cycle/plus");
        check(r#"{"kind":"monthly","day":29}"#, "/cycle/day");
        check(r#"{"kind":"monthly","day":0}"#, "/cycle/day");
        for bad in [r#"{"kind":"t_plus","days":1,"extra":1}"#, r#"{"kind":"daily"}"#, r#"{"kind":"t_plus"}"#]
        {
            assert!(serde_json::from_str::<Cycle>(bad).is_err(), "{bad}");
        }
    }
}
