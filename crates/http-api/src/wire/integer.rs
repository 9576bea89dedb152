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

/// JSON text with every exact whole number written without point and exponent; nothing if there is none
/// to rewrite. Types that know integers only read the result as JSON Schema reads the original.
pub(crate) fn without_points(json: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let (mut at, mut copied) = (0, 0);
    while let Some(&byte) = json.get(at) {
        let start = at;
        match byte {
            b'"' => at = end_of_string(json, at),
            b'-' | b'0'..=b'9' => {
                at += json[at..].iter().take_while(|&&byte| is_of_number(byte)).count();
                if let Some(whole) = rewritten(&json[start..at]) {
                    text.extend_from_slice(&json[copied..start]);
                    text.extend_from_slice(whole.to_string().as_bytes());
                    copied = at;
                }
            }
            _ => at += 1,
        }
    }
    (copied > 0).then(|| {
        text.extend_from_slice(&json[copied..]);
        text
    })
}

/// The place after the string that begins at `start`.
fn end_of_string(json: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = json.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

const fn is_of_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
}

/// The integer that a number with a point or an exponent is.
fn rewritten(number: &[u8]) -> Option<i64> {
    if !number.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return None;
    }
    serde_json::from_slice(number).ok().and_then(exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_taken_off_whole_numbers_only() {
        let check = |text: &str, expected: Option<&str>| {
            let found = without_points(text.as_bytes()).map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check(
            r#"{"year": 2901.0, "rates": [5e2, -1.0, 0.5]}"#,
            Some(r#"{"year": 2901, "rates": [500, -1, 0.5]}"#),
        );
        check(r#"{"note": "1.0 and \" 2.0", "a\\": 3.0}"#, Some(r#"{"note": "1.0 and \" 2.0", "a\\": 3}"#));
        check("1.0", Some("1"));
        for same in [
            r#"{"a": 7, "b": 1.5, "c": "2.0"}"#,
            "1e300",
            "1.0.0",
            "9007199254740992.0",
            "\"1.0",
            "\"\\",
            "-",
            "",
        ] {
            check(same, None);
        }
    }

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
