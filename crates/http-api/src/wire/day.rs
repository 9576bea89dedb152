//! Dates in requests and answers: `2026-11-22`, in the issuer's time zone.

use domain::BusinessDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(pub BusinessDate);

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let date = BusinessDate::parse(&text);
        date.map(Self).ok_or_else(|| D::Error::custom("a date is a day of the calendar, such as 2026-11-22"))
    }
}
