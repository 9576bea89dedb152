//! Moments in requests and answers: RFC 3339.

use domain::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map(Self).ok_or_else(|| {
            D::Error::custom("a moment is RFC 3339 with an offset, such as 2026-11-22T08:15:30Z")
        })
    }
}

/// Reads RFC 3339. Moments that are well-formed but beyond what can be stored become the nearest that
/// can.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 20
        && bytes.iter().take(19).enumerate().all(|(position, byte)| match position {
            4 | 7 => *byte == b'-',
            10 => matches!(byte, b'T' | b't'),
            13 | 16 => *byte == b':',
            _ => byte.is_ascii_digit(),
        })
        && ends_in_offset(text.get(19..)?);
    if !shaped {
        return None;
    }
    if let Some(moment) = Timestamp::parse_rfc3339(text) {
        return Some(moment.min(Timestamp::MAX));
    }
    let date: jiff::civil::Date = text.get(..10)?.parse().ok()?;
    let in_clock = text.get(11..13)? < "24" && text.get(14..16)? < "60" && text.get(17..19)? <= "60";
    let beyond = if date.year() > 5000 { Timestamp::MAX } else { Timestamp::from_micros(i64::MIN / 4) };
    (in_clock && (date.year() == 9999 || date.year() == 0)).then_some(beyond)
}

fn ends_in_offset(rest: &str) -> bool {
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return false;
            }
            fraction.get(digits..).unwrap_or_default()
        }
        None => rest,
    };
    match rest.as_bytes() {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', a, b, b':', c, d] => [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(parse(text).map(|t| t.to_string()).as_deref(), expect, "{text}");
        };
        check("2026-11-22T08:15:30Z", Some("2026-11-22T08:15:30Z"));
        check("2026-11-22t08:15:30.5+08:00", Some("2026-11-22T00:15:30.5Z"));
        check("9999-12-31T23:59:59-23:59", Some("9999-12-31T23:59:59Z"));
        for bad in ["", "2026-11-22", "2026-11-22T08:15:30", "2026-02-30T00:00:00Z", "2026-11-22T25:00:00Z"] {
            check(bad, None);
        }
    }
}
