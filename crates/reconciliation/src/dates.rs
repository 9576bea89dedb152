//! Moments as files write them: by formats that are named, in a time zone that is named.

use domain::Timestamp;
use jiff::{
    civil::{Date, DateTime},
    fmt::strtime::BrokenDownTime,
    tz::TimeZone,
};

/// How moments are written.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    formats: Vec<String>,
    zone: TimeZone,
}

impl Moments {
    pub(crate) fn new(formats: Vec<String>, zone: TimeZone) -> Self {
        Self { formats, zone }
    }

    /// The first and the last moment that a text may mean: the same, or a whole day where it has no time.
    pub(crate) fn parse(&self, text: &str) -> Result<(Timestamp, Timestamp), String> {
        let text = text.trim();
        self.formats.iter().find_map(|format| self.by(format, text)).ok_or_else(|| {
            format!(
                "the value is not a moment that exists, written as {}; check the date format of the mapping",
                self.formats.join(" or ")
            )
        })
    }

    fn by(&self, format: &str, text: &str) -> Option<(Timestamp, Timestamp)> {
        if format == RFC_3339 {
            let moment = within(Timestamp::parse_rfc3339(text)?)?;
            return Some((moment, moment));
        }
        let parsed = BrokenDownTime::parse(format, text).ok()?;
        if parsed.offset().is_some() {
            let moment = within(Timestamp::from_micros(parsed.to_timestamp().ok()?.as_microsecond()))?;
            return Some((moment, moment));
        }
        match parsed.to_datetime() {
            Ok(local) if parsed.hour().is_some() => {
                let moment = moment_of(local, &self.zone)?;
                Some((moment, moment))
            }
            _ => day_of(parsed.to_date().ok()?, &self.zone),
        }
    }
}

/// The name of the one format that is not a pattern.
pub(crate) const RFC_3339: &str = "rfc3339";

pub(crate) fn moment_of(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let zoned = zone.to_ambiguous_zoned(local).compatible().ok()?;
    within(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
}

pub(crate) fn day_of(date: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let from = moment_of(date.at(0, 0, 0, 0), zone)?;
    Some((from, Timestamp::end_of(date, zone)))
}

/// Before 1970 there was no money that we could owe, and beyond the last moment nothing can be stored.
fn within(moment: Timestamp) -> Option<Timestamp> {
    (moment.micros() >= 0 && moment <= Timestamp::MAX).then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(formats: &[&str]) -> Moments {
        let formats = formats.iter().map(|&format| format.to_owned()).collect();
        Moments::new(formats, TimeZone::get("Asia/Shanghai").expect("bundled"))
    }

    #[test]
    fn moments_days_and_what_is_neither() {
        let check = |format: &str, text: &str, from: &str, to: &str| {
            let (a, b) = moments(&[format]).parse(text).expect(text);
            assert_eq!((a.to_string().as_str(), b.to_string().as_str()), (from, to), "{text}");
        };
        check("%Y-%m-%d %H:%M:%S", "2026-09-30 08:00:00", "2026-09-30T00:00:00Z", "2026-09-30T00:00:00Z");
        check("%Y年%m月%d日", "2026年09月30日", "2026-09-29T16:00:00Z", "2026-09-30T15:59:59.999999Z");
        check("%Y%m%d%H%M%S", "20260930080001", "2026-09-30T00:00:01Z", "2026-09-30T00:00:01Z");
        check("rfc3339", "2026-09-30T01:00:00+01:00", "2026-09-30T00:00:00Z", "2026-09-30T00:00:00Z");
        check(
            "%d.%m.%Y %H:%M:%S %z",
            "30.09.2026 02:00:00 +0200",
            "2026-09-30T00:00:00Z",
            "2026-09-30T00:00:00Z",
        );
        let plain = moments(&["%Y-%m-%d %H:%M:%S", "%Y-%m-%d"]);
        for bad in [
            "",
            "2026-02-30",
            "2026-13-01 00:00:00",
            "2026-09-30 25:00:00",
            "1969-12-31",
            "30/09/2026",
            "2026-09-30x",
        ] {
            assert!(plain.parse(bad).is_err(), "{bad}");
        }
        assert!(plain.parse("2026-09-30").is_ok());
    }
}
