//! The time of day at which a settlement day ends.

use domain::{BusinessDate, Timestamp};
use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// A wall-clock time in the issuer's time zone, `00:01` to `24:00`: what happens at it or later belongs to the
/// next settlement day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CutOff {
    minutes: u16,
}

/// The text is not a cut-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cut-off is a time HH:MM from 00:01 to 24:00")]
pub struct CutOffError;

const A_DAY: u16 = 1440;

impl Default for CutOff {
    fn default() -> Self {
        Self::MIDNIGHT
    }
}

impl CutOff {
    /// The end of the calendar day.
    pub const MIDNIGHT: Self = Self { minutes: A_DAY };

    /// Reads `HH:MM`.
    pub fn parse(text: &str) -> Result<Self, CutOffError> {
        let (hours, minutes) = text.split_once(':').ok_or(CutOffError)?;
        let two = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse::<u16>().ok()).flatten().ok_or(CutOffError)
        };
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        let total = hours.checked_mul(60).and_then(|h| h.checked_add(minutes)).ok_or(CutOffError)?;
        if minutes > 59 || total == 0 || total > A_DAY {
            return Err(CutOffError);
        }
        Ok(Self { minutes: total })
    }

    /// The settlement day of a moment.
    pub fn day_of(self, at: Timestamp, zone: &TimeZone) -> Date {
        let Ok(moment) = jiff::Timestamp::from_microsecond(at.micros()) else { return Date::MAX };
        let local = zone.to_datetime(moment);
        let hour = u16::try_from(local.hour()).unwrap_or(0);
        let minute = u16::try_from(local.minute()).unwrap_or(0);
        if hour.saturating_mul(60).saturating_add(minute) >= self.minutes {
            local.date().tomorrow().unwrap_or(Date::MAX)
        } else {
            local.date()
        }
    }

    /// The first moment after a settlement day.
    pub fn end_of(self, day: BusinessDate, zone: &TimeZone) -> Timestamp {
        let Some(date) = day.to_date() else { return Timestamp::MAX };
        let local = if self.minutes == A_DAY {
            date.tomorrow().map(|next| next.at(0, 0, 0, 0)).ok()
        } else {
            let hour = i8::try_from(self.minutes.div_euclid(60)).unwrap_or(0);
            let minute = i8::try_from(self.minutes.rem_euclid(60)).unwrap_or(0);
            Some(date.at(hour, minute, 0, 0))
        };
        let zoned = local.and_then(|local| zone.to_ambiguous_zoned(local).compatible().ok());
        zoned.map_or(Timestamp::MAX, |z| Timestamp::from_micros(z.timestamp().as_microsecond()))
    }
}

impl std::fmt::Display for CutOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes.div_euclid(60), self.minutes.rem_euclid(60))
    }
}

impl TryFrom<String> for CutOff {
    type Error = CutOffError;
    fn try_from(text: String) -> Result<Self, CutOffError> {
        Self::parse(&text)
    }
}

impl From<CutOff> for String {
    fn from(cut_off: CutOff) -> Self {
        cut_off.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sale_at_the_cut_off_is_of_the_next_day() {
        let zone = TimeZone::get("Asia/Shanghai").expect("bundled");
        let check = |cut_off: &str, at: &str, expect: &str| {
            let cut_off = CutOff::parse(cut_off).expect("a cut-off");
            let at = Timestamp::parse_rfc3339(at).expect("a moment");
            let day = BusinessDate::from_date(cut_off.day_of(at, &zone));
            assert_eq!(day.to_string(), expect, "{cut_off} {at}");
            assert!(at < cut_off.end_of(day, &zone), "the day has not ended");
        };
        check("24:00", "2026-11-22T23:59:59.999999+08:00", "2026-11-22");
        check("24:00", "2026-11-23T00:00:00+08:00", "2026-11-23");
        check("18:30", "2026-11-22T18:29:59+08:00", "2026-11-22");
        check("18:30", "2026-11-22T18:30:00+08:00", "2026-11-23");
        check("00:01", "2026-11-22T00:00:59+08:00", "2026-11-22");
        let end =
            CutOff::parse("18:30").expect("a cut-off").end_of(BusinessDate::from_stored(20_261_122), &zone);
        assert_eq!(end.to_string(), "2026-11-22T10:30:00Z");
        for bad in ["", "24:01", "00:00", "7:00", "12:60", "12-30", "+1:00", "25:00"] {
            assert_eq!(CutOff::parse(bad), Err(CutOffError), "{bad}");
        }
    }
}
