//! Whole numbers in requests. JSON does not tell 5 from 5.0, and neither does JSON Schema: both are the
//! integer five.

use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, de::Error, de::Visitor};

/// A whole number that fits its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Integer<T>(pub(crate) T);

struct Whole<T>(PhantomData<T>);

impl<T: TryFrom<i64>> Visitor<'_> for Whole<T> {
    type Value = Integer<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a whole number within bounds")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Integer<T>, E> {
        T::try_from(value).map(Integer).map_err(|_| E::custom("must be a whole number within bounds"))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Integer<T>, E> {
        self.visit_i64(i64::try_from(value).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Integer<T>, E> {
        match exact(value) {
            Some(value) => self.visit_i64(value),
            None => Err(E::custom("must be a whole number within bounds")),
        }
    }
}

impl<'de, T: TryFrom<i64>> Deserialize<'de> for Integer<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Inside a tagged enum the value is buffered, and only `any` hands a number with a point over.
        deserializer.deserialize_any(Whole(PhantomData))
    }
}

/// The integer that a number with a decimal point is, as long as that is exact: up to 2^53 − 1.
pub(crate) fn exact(value: f64) -> Option<i64> {
    const LARGEST: f64 = 9_007_199_254_740_991.0;
    #[expect(clippy::float_cmp, reason = "truncating a whole number changes nothing, to the bit")]
    let whole = value.trunc() == value && value.abs() <= LARGEST;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
    whole.then_some(value as i64)
}

/// For a field whose type is a number of the language.
pub(crate) fn whole<'de, D: Deserializer<'de>, T: TryFrom<i64>>(deserializer: D) -> Result<T, D::Error> {
    Integer::deserialize(deserializer).map(|number| number.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_only() {
        let read = |text: &str| serde_json::from_str::<Integer<u16>>(text).ok().map(|n| n.0);
        assert_eq!(read("5"), Some(5));
        assert_eq!(read("5.0"), Some(5));
        assert_eq!(read("5e2"), Some(500));
        for bad in ["5.5", "-1", "65536", "1e300", "\"5\"", "null", "true"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(exact(0.1), None);
        assert_eq!(exact(1e-300), None);
        assert_eq!(exact(f64::NAN), None);
        assert_eq!(exact(9_007_199_254_740_992.0), None);
    }
}
