//! PINs of 4 to 12 digits (ISO 9564-1). They cannot be printed at all.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::randomness::Randomness;
use crate::secret_digits::{DigitsError, SecretDigits, deserialize_secret, write_decimal};

const MIN_DIGITS: usize = 4;
const MAX_DIGITS: usize = 12;
const GENERATED_DIGITS: usize = 6;
const GENERATED_PINS: u64 = 1_000_000;

/// A PIN. Store [`crate::Vault::pin_digest`] of it, never the PIN.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(SecretDigits<MAX_DIGITS>);

/// Why something is not a PIN. Never quotes the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// Too short or too long.
    #[error("a PIN has {MIN_DIGITS} to {MAX_DIGITS} digits")]
    Length,
    /// Something other than 0–9.
    #[error("a PIN has only the digits 0 to 9")]
    NotADigit,
}

impl Pin {
    /// Reads 4 to 12 digits.
    pub fn parse(text: &str) -> Result<Self, PinError> {
        SecretDigits::parse(text, MIN_DIGITS).map(Self).map_err(|error| match error {
            DigitsError::Length { .. } => PinError::Length,
            DigitsError::NotADigit { .. } => PinError::NotADigit,
        })
    }

    /// A new PIN of six digits, each of the 10^6 equally likely.
    pub fn generate(random: &mut (impl Randomness + ?Sized)) -> Self {
        let mut digits = Zeroizing::new([0; MAX_DIGITS]);
        write_decimal(&mut digits[..GENERATED_DIGITS], random.below(GENERATED_PINS));
        Self(SecretDigits::from_generated(*digits, GENERATED_DIGITS))
    }

    /// The PIN in plain digits, for the one export that hands it out.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for Pin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_secret(deserializer, "a PIN as a string of digits")
    }
}

impl fmt::Debug for Pin {
    /// Not even its length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(***)")
    }
}
