//! Amounts in requests: whole minor units within bounds.

use super::integer::exact;
use domain::Amount;
use serde::{Deserialize, Deserializer, Serialize, de::Error, de::Visitor};

/// How every message about an amount begins.
pub(crate) const EXPECTED: &str = "a whole number of minor units from";

/// An amount of at least one minor unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct Positive(pub Amount);

/// An amount that may be nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct AnyAmount(pub Amount);

struct Whole {
    least: i64,
}

impl Visitor<'_> for Whole {
    type Value = Amount;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{EXPECTED} {} to {}", self.least, Amount::MAX)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Amount, E> {
        let wrong = || E::custom(format_args!("must be {EXPECTED} {} to {}", self.least, Amount::MAX));
        if value < self.least { Err(wrong()) } else { Amount::new(value).map_err(|_| wrong()) }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Amount, E> {
        self.visit_i64(exact(value).unwrap_or(-1))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Amount, E> {
        self.visit_i64(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl<'de> Deserialize<'de> for Positive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole { least: 1 }).map(Self)
    }
}

impl<'de> Deserialize<'de> for AnyAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole { least: 0 }).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read with an error of one unit in the last place, it would be no whole number.
    #[test]
    fn large_numbers_with_a_point_are_read_exactly() {
        for text in ["2251799813685247.0", "9007199254740991.0", "4503599627370497.0"] {
            let amount: AnyAmount = serde_json::from_str(text).expect(text);
            assert_eq!(format!("{}.0", amount.0.get()), text);
        }
    }
}
