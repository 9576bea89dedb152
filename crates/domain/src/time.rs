//! Time as data: UTC microseconds, and business dates in the issuer's time zone.

use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 9999-12-31T23:59:59Z, the latest moment accepted: it prints and parses as RFC 3339.
    pub const MAX: Self = Self(253_402_300_799_000_000);

    /// The moment that many microseconds after the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the Unix epoch.
    pub fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment and `seconds` more, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000))).min(Self::MAX)
    }

    /// Reads RFC 3339, with any offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let moment: jiff::Timestamp = text.parse().ok()?;
        Some(Self(moment.as_microsecond()))
    }

    /// The date of this moment in a time zone.
    pub fn date_in(self, zone: &TimeZone) -> Date {
        jiff::Timestamp::from_microsecond(self.0).map_or(Date::MAX, |t| zone.to_datetime(t).date())
    }

    /// The last microsecond of `date` in a time zone.
    pub fn end_of(date: Date, zone: &TimeZone) -> Self {
        let next = date.tomorrow().ok().and_then(|d| {
            zone.to_ambiguous_zoned(d.to_datetime(jiff::civil::Time::midnight())).compatible().ok()
        });
        next.map_or(Self::MAX, |z| Self(z.timestamp().as_microsecond().saturating_sub(1)).min(Self::MAX))
    }
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => moment.fmt(f),
            Err(_) => f.write_str("9999-12-31T23:59:59Z"),
        }
    }
}

/// A business date as the integer `YYYYMMDD`, in the issuer's time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BusinessDate(i32);

impl BusinessDate {
    /// The business date of a moment.
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        Self::from_date(at.date_in(zone))
    }

    /// The business date of a calendar date.
    pub fn from_date(date: Date) -> Self {
        let year = i32::from(date.year()).saturating_mul(10_000);
        let month = i32::from(date.month()).saturating_mul(100);
        Self(year.saturating_add(month).saturating_add(i32::from(date.day())))
    }

    /// Its calendar date; `None` if what was stored is none.
    pub fn to_date(self) -> Option<Date> {
        let (year, rest) = (self.0.div_euclid(10_000), self.0.rem_euclid(10_000));
        let month = i8::try_from(rest.div_euclid(100)).ok()?;
        let day = i8::try_from(rest.rem_euclid(100)).ok()?;
        Date::new(i16::try_from(year).ok()?, month, day).ok()
    }

    /// Reads `2026-11-22`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits =
            |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
        let shaped = text.len() == 10 && text.bytes().enumerate().all(digits);
        shaped.then(|| text.parse().ok().map(Self::from_date)).flatten()
    }

    /// The year.
    pub const fn year(self) -> i32 {
        self.0.div_euclid(10_000)
    }

    /// The month as the integer `YYYYMM`.
    pub const fn month(self) -> i32 {
        self.0.div_euclid(100)
    }

    /// From the stored `YYYYMMDD`.
    pub const fn from_stored(yyyymmdd: i32) -> Self {
        Self(yyyymmdd)
    }

    /// The integer `YYYYMMDD`.
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl std::fmt::Display for BusinessDate {
    /// ISO 8601, `2026-11-22`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, rest) = (self.0.div_euclid(10_000), self.0.rem_euclid(10_000));
        write!(f, "{year:04}-{:02}-{:02}", rest.div_euclid(100), rest.rem_euclid(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_business_date_follows_the_zone() {
        let at = Timestamp::parse_rfc3339("2026-11-21T16:00:00Z").expect("a moment");
        let shanghai = TimeZone::get("Asia/Shanghai").expect("bundled");
        assert_eq!(BusinessDate::of(at, &shanghai).get(), 20_261_122);
        assert_eq!(BusinessDate::of(at, &TimeZone::UTC).to_string(), "2026-11-21");
        let end = Timestamp::end_of(at.date_in(&shanghai), &shanghai);
        assert_eq!(end.to_string(), "2026-11-22T15:59:59.999999Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn business_dates_are_read_and_are_calendar_dates() {
        let date = BusinessDate::parse("2026-11-22").expect("a date");
        assert_eq!((date.get(), date.year(), date.month()), (20_261_122, 2026, 202_611));
        assert_eq!(date.to_date().map(BusinessDate::from_date), Some(date));
        assert_eq!(BusinessDate::from_stored(20_261_301).to_date(), None);
        for bad in ["", "2026-11-31", "2026-1-01", "20261122", "2026-11-22T00", "-026-11-22"] {
            assert_eq!(BusinessDate::parse(bad), None, "{bad}");
        }
    }
}
