//! A short string of digits that must not be printed: the common inside of card numbers and PINs.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserializer, Error, Visitor};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Up to `N` ASCII digits, kept inline (no heap copy to forget) and wiped when dropped.
#[derive(Clone)]
pub(crate) struct SecretDigits<const N: usize> {
    /// Zero behind `length`.
    bytes: [u8; N],
    length: usize,
}

/// Why a text is not a string of digits. Says where, never what.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DigitsError {
    /// Fewer than the minimum or more than `N`.
    Length { found: usize },
    /// The character at this position, counted from 1, is not an ASCII digit.
    NotADigit { position: usize },
}

impl<const N: usize> SecretDigits<N> {
    /// Reads `minimum` to `N` digits. Looks at no more than `N + 1` characters, however long the text.
    pub(crate) fn parse(text: &str, minimum: usize) -> Result<Self, DigitsError> {
        if let Some(index) = text.chars().take(N + 1).position(|c| !c.is_ascii_digit()) {
            return Err(DigitsError::NotADigit { position: index + 1 });
        }
        let found = text.len();
        if found < minimum || found > N {
            return Err(DigitsError::Length { found });
        }
        let mut bytes = [0; N];
        bytes[..found].copy_from_slice(text.as_bytes());
        Ok(Self { bytes, length: found })
    }

    /// Digits that the caller has just made. `length` is at most `N` and everything behind it zero.
    pub(crate) fn from_generated(bytes: [u8; N], length: usize) -> Self {
        debug_assert!(bytes[..length].iter().all(u8::is_ascii_digit));
        debug_assert!(bytes[length..].iter().all(|&byte| byte == 0));
        Self { bytes, length }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("only ASCII digits get in")
    }
}

impl<const N: usize> PartialEq for SecretDigits<N> {
    /// Takes the same time wherever the first difference is. The zeros behind a shorter string make
    /// lengths count.
    fn eq(&self, other: &Self) -> bool {
        self.bytes.ct_eq(&other.bytes).into()
    }
}

impl<const N: usize> Eq for SecretDigits<N> {}

impl<const N: usize> Drop for SecretDigits<N> {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// Writes `value` right-aligned into `field`, with leading zeros.
pub(crate) fn write_decimal(field: &mut [u8], mut value: u64) {
    for digit in field.iter_mut().rev() {
        let [.., low] = (value % 10).to_be_bytes();
        *digit = b'0' + low;
        value /= 10;
    }
    debug_assert_eq!(value, 0, "the field is wide enough");
}

/// Reads a secret out of JSON without quoting it in the error.
///
/// The stock visitor answers a bare number with "invalid type: integer `9588…`", which would put a card
/// number into a log. It is never reached, because `deserialize_any` hands numbers to this visitor.
pub(crate) fn deserialize_secret<'de, D, T>(deserializer: D, expected: &'static str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: fmt::Display,
{
    deserializer.deserialize_any(SecretVisitor { expected, secret: PhantomData })
}

struct SecretVisitor<T> {
    expected: &'static str,
    secret: PhantomData<T>,
}

impl<T> SecretVisitor<T> {
    fn not_a_string<E: Error>(&self) -> E {
        E::custom(format_args!("must be {}, not a JSON number", self.expected))
    }
}

impl<T> Visitor<'_> for SecretVisitor<T>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<T, E> {
        Err(self.not_a_string())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<T, E> {
        Err(self.not_a_string())
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<T, E> {
        Err(self.not_a_string())
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<T, E> {
        Err(self.not_a_string())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<T, E> {
        Err(self.not_a_string())
    }
}
