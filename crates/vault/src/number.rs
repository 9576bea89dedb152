//! Card numbers: issuer prefix, unpredictable body, Luhn digit (the layout of ISO/IEC 7812-1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::luhn;
use crate::randomness::Randomness;
use crate::secret_digits::{DigitsError, SecretDigits, deserialize_secret, write_decimal};

const MIN_DIGITS: usize = 16;
const MAX_DIGITS: usize = 19;
const PREFIX_MIN_DIGITS: usize = 2;
const PREFIX_MAX_DIGITS: usize = 8;

/// A card number of 16 to 19 digits with a right Luhn digit. Prints as asterisks and its last four.
#[derive(Clone, PartialEq, Eq)]
pub struct CardNumber(SecretDigits<MAX_DIGITS>);

/// Why something is not a card number, or why none can be made. Never quotes the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Too short or too long.
    #[error(
        "a card number has {MIN_DIGITS} to {MAX_DIGITS} digits, this one has {found}; check what was typed or scanned"
    )]
    Length {
        /// Digits given.
        found: usize,
    },
    /// Something other than 0–9.
    #[error(
        "a card number has only the digits 0 to 9; character {position} is something else; leave out spaces and dashes"
    )]
    NotADigit {
        /// Where, counted from 1.
        position: usize,
    },
    /// A digit is wrong or two are swapped.
    #[error("the check digit of the card number does not fit; check what was typed or scanned")]
    CheckDigit,
    /// The issuer prefix is not 2–8 digits.
    #[error(
        "an issuer prefix has {PREFIX_MIN_DIGITS} to {PREFIX_MAX_DIGITS} digits and nothing else; for example 9588"
    )]
    Prefix,
    /// Cards of this length are not made.
    #[error("a card number can be made {MIN_DIGITS} to {MAX_DIGITS} digits long, not {length}")]
    UnsupportedLength {
        /// Length asked for.
        length: u8,
    },
}

impl CardNumber {
    /// Reads a number as it stands on a card: digits only.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let digits = SecretDigits::parse(text, MIN_DIGITS).map_err(|error| match error {
            DigitsError::Length { found } => NumberError::Length { found },
            DigitsError::NotADigit { position } => NumberError::NotADigit { position },
        })?;
        if luhn::is_valid(digits.as_bytes()) { Ok(Self(digits)) } else { Err(NumberError::CheckDigit) }
    }

    /// A new number of `length` digits (16–19): the prefix, a body drawn uniformly, the Luhn digit.
    ///
    /// Numbers are drawn independently, so a twin is possible: the caller makes them unique through the
    /// stored index. [`IssuerPrefix::possible_numbers`] says how many there are to draw from.
    pub fn generate(
        prefix: &IssuerPrefix,
        length: u8,
        random: &mut (impl Randomness + ?Sized),
    ) -> Result<Self, NumberError> {
        let possible = prefix.possible_numbers(length)?;
        let length = usize::from(length);
        let (body_start, check_at) = (prefix.length, length - 1);
        let mut digits = Zeroizing::new([0; MAX_DIGITS]);
        digits[..body_start].copy_from_slice(prefix.as_str().as_bytes());
        write_decimal(&mut digits[body_start..check_at], random.below(possible));
        digits[check_at] = luhn::check_digit(&digits[..check_at]);
        Ok(Self(SecretDigits::from_generated(*digits, length)))
    }

    /// The last four digits, which may be stored and shown.
    pub fn last4(&self) -> &str {
        let digits = self.0.as_str();
        &digits[digits.len() - 4..]
    }

    /// The whole number in plain digits. For sealing, indexing, printing a card: never for a log, URL,
    /// error or metric.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for CardNumber {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for CardNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_secret(deserializer, "a card number as a string of digits")
    }
}

impl fmt::Display for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for _ in 4..self.0.as_bytes().len() {
            f.write_str("*")?;
        }
        f.write_str(self.last4())
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardNumber({self})")
    }
}

/// The 2 to 8 digits that every number of an issuer begins with. Not secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IssuerPrefix {
    digits: [u8; PREFIX_MAX_DIGITS],
    length: usize,
}

impl IssuerPrefix {
    /// Reads a prefix of 2 to 8 digits.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let length = text.len();
        if !(PREFIX_MIN_DIGITS..=PREFIX_MAX_DIGITS).contains(&length)
            || !text.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(NumberError::Prefix);
        }
        let mut digits = [0; PREFIX_MAX_DIGITS];
        digits[..length].copy_from_slice(text.as_bytes());
        Ok(Self { digits, length })
    }

    /// The digits of the prefix.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits[..self.length]).expect("only ASCII digits get in")
    }

    /// How many different numbers of this length begin with this prefix.
    ///
    /// Keep it far above the cards in use: with 10^7 live cards among 10^12 numbers, one guess in
    /// 100,000 finds a card.
    pub fn possible_numbers(&self, length: u8) -> Result<u64, NumberError> {
        if !(MIN_DIGITS..=MAX_DIGITS).contains(&usize::from(length)) {
            return Err(NumberError::UnsupportedLength { length });
        }
        let body_digits = usize::from(length) - self.length - 1;
        // At most 19 - 2 - 1 = 16 digits, which a u64 holds.
        Ok(10_u64.pow(u32::try_from(body_digits).expect("at most 16")))
    }
}

impl FromStr for IssuerPrefix {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        Self::parse(text)
    }
}

impl fmt::Display for IssuerPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for IssuerPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuerPrefix({self})")
    }
}
