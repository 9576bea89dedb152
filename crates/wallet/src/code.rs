//! Payment codes (付款码): what a holder's device shows instead of a card number, and a till reads.
//!
//! ```text
//! 28 tttttttt ooooooooo c      20 digits
//! │  │        │         └ Luhn digit over the 19 before it
//! │  │        └ one-time part: HMAC-SHA256(secret of the device, time step), 9 digits
//! │  └ tag of the device, 8 digits: finds the secret, and is none itself
//! └ says that this is a payment code and not a card number
//! ```
//!
//! A time step lasts [`PERIOD_SECONDS`]. A code is accepted in its own step and in the ones before and after,
//! which is one minute by the server's clock, wherever in that the device's clock stands. Pure: the time is an
//! argument.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use domain::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

/// What every code begins with.
pub const PREFIX: &str = "28";
/// Digits of a code.
pub const LENGTH: usize = 20;
/// How long a time step lasts.
pub const PERIOD_SECONDS: i64 = 20;
/// Tags that there are.
pub const TAGS: u32 = 100_000_000;
/// Steps on either side of the present one whose codes are accepted.
pub const TOLERANCE: i64 = 1;
/// Steps before those for which a code is still known to be genuine, and answered as expired.
const REMEMBERED: i64 = 15;

const TAG_DIGITS: usize = 8;
const ONE_TIME_DIGITS: usize = 9;
const ONE_TIME_PARTS: u64 = 1_000_000_000;
const MICROS: i64 = 1_000_000;

/// What a device makes its codes with.
#[derive(Clone)]
pub struct DeviceSecret(Zeroizing<[u8; 32]>);

impl DeviceSecret {
    /// The secret with these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, to seal them or hand them to the device this once.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The bytes in base64url without padding, as the device is given them.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(Base64UrlUnpadded::encode_string(&*self.0))
    }

    /// The one-time part of a step: the first 64 bits of the HMAC over the step as eight bytes, high byte first,
    /// modulo 10^9. 64 bits make the remainder even to one part in 10^10.
    pub fn one_time(&self, step: i64) -> u32 {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0).expect("HMAC takes keys of any length");
        mac.update(&step.to_be_bytes());
        let full = Zeroizing::new(<[u8; 32]>::from(mac.finalize().into_bytes()));
        let mut head = [0; 8];
        head.copy_from_slice(&full[..8]);
        u32::try_from(u64::from_be_bytes(head) % ONE_TIME_PARTS).unwrap_or(0)
    }
}

impl fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceSecret(…)")
    }
}

/// The time step of a moment.
pub fn step_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(PERIOD_SECONDS * MICROS)
}

/// A code as read at a till. Does not print.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PaymentCode {
    tag: u32,
    one_time: u32,
}

/// The text is not a payment code. Never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// It has another form.
    #[error("a payment code has {LENGTH} digits and begins with {PREFIX}")]
    Form,
    /// A digit was misread.
    #[error("the check digit of the payment code is wrong; read it again")]
    CheckDigit,
}

impl PaymentCode {
    /// The code that a device shows in a step.
    pub fn of(tag: u32, secret: &DeviceSecret, step: i64) -> Self {
        Self { tag, one_time: secret.one_time(step) }
    }

    /// Reads 20 digits.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let sound =
            text.len() == LENGTH && text.bytes().all(|b| b.is_ascii_digit()) && text.starts_with(PREFIX);
        if !sound {
            return Err(CodeError::Form);
        }
        if luhn(&text.as_bytes()[..LENGTH - 1]) != text.as_bytes()[LENGTH - 1] - b'0' {
            return Err(CodeError::CheckDigit);
        }
        let (tag, one_time) = text[PREFIX.len()..LENGTH - 1].split_at(TAG_DIGITS);
        let number = |digits: &str| digits.parse().map_err(|_| CodeError::Form);
        Ok(Self { tag: number(tag)?, one_time: number(one_time)? })
    }

    /// The device that it names.
    pub fn tag(&self) -> u32 {
        self.tag
    }

    /// The 20 digits.
    pub fn digits(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.push_str(PREFIX);
        push_digits(&mut text, self.tag, TAG_DIGITS);
        push_digits(&mut text, self.one_time, ONE_TIME_DIGITS);
        let check = char::from(b'0' + luhn(text.as_bytes()));
        text.push(check);
        text
    }

    /// For which step around `now` this device made the code. Computes all steps that come into question
    /// whatever it finds, so that the time it takes says nothing.
    pub fn check(&self, secret: &DeviceSecret, now: Timestamp) -> Checked {
        let present = step_of(now);
        let (mut found, mut step) = (Choice::from(0), 0_i64);
        for candidate in present - TOLERANCE - REMEMBERED..=present + TOLERANCE {
            let same = secret.one_time(candidate).ct_eq(&self.one_time);
            step = i64::conditional_select(&step, &candidate, same);
            found |= same;
        }
        match bool::from(found) {
            false => Checked::Wrong,
            true if step >= present - TOLERANCE => Checked::Good { step },
            true => Checked::Expired,
        }
    }

    /// Whether this device made the code for this step.
    pub fn is_of(&self, secret: &DeviceSecret, step: i64) -> bool {
        secret.one_time(step).ct_eq(&self.one_time).into()
    }
}

impl fmt::Debug for PaymentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaymentCode(…)")
    }
}

impl Zeroize for PaymentCode {
    fn zeroize(&mut self) {
        self.tag.zeroize();
        self.one_time.zeroize();
    }
}

/// What a code is found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Made for this step, which is accepted now.
    Good {
        /// The step.
        step: i64,
    },
    /// Made by the device, minutes ago.
    Expired,
    /// Not made by the device, or long ago.
    Wrong,
}

fn push_digits(text: &mut String, value: u32, digits: usize) {
    let mut divisor = 10_u32.pow(u32::try_from(digits).unwrap_or(1) - 1);
    for _ in 0..digits {
        let digit = u8::try_from(value / divisor % 10).unwrap_or(0);
        text.push(char::from(b'0' + digit));
        divisor = (divisor / 10).max(1);
    }
}

/// The Luhn digit that follows these digits.
fn luhn(digits: &[u8]) -> u8 {
    let doubled = |digit: u8| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| (place, digit - b'0'))
        .map(|(place, digit)| u32::from(if place % 2 == 0 { doubled(digit) } else { digit }))
        .sum();
    u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * MICROS)
    }

    fn secret(byte: u8) -> DeviceSecret {
        DeviceSecret::new([byte; 32])
    }

    /// The same values are in docs/wallet.md, for those who write a page that makes codes.
    #[test]
    fn known_codes() {
        let bytes: [u8; 32] = std::array::from_fn(|n| u8::try_from(n).expect("small"));
        let secret = DeviceSecret::new(bytes);
        let code = |tag, step| PaymentCode::of(tag, &secret, step).digits().to_string();
        assert_eq!([code(0, 0), code(12_345_678, 89_670_000), code(99_999_999, 1)], KNOWN);
    }

    const KNOWN: [&str; 3] = ["28000000004269497053", "28123456785756031756", "28999999994056020397"];

    #[test]
    fn a_code_lives_one_minute_wherever_the_clock_of_its_device_stands() {
        let secret = secret(7);
        for skew in -1..=1_i64 {
            let step = 1_000 + skew;
            let code = PaymentCode::of(5, &secret, step);
            let accepted: Vec<i64> = (-200..200_i64)
                .map(|seconds| 1_000 * PERIOD_SECONDS + seconds)
                .filter(|seconds| matches!(code.check(&secret, at(*seconds)), Checked::Good { .. }))
                .collect();
            assert_eq!(accepted.len(), 60, "a minute");
            assert_eq!(accepted.first(), Some(&((step - 1) * PERIOD_SECONDS)));
            assert!(accepted.contains(&(1_000 * PERIOD_SECONDS)), "accepted with a skew of {skew} steps");
        }
        let code = PaymentCode::of(5, &secret, 1_000);
        assert_eq!(code.check(&secret, at(1_002 * PERIOD_SECONDS)), Checked::Expired);
        assert_eq!(code.check(&secret, at(1_500 * PERIOD_SECONDS)), Checked::Wrong);
        assert_eq!(code.check(&secret, at(998 * PERIOD_SECONDS)), Checked::Wrong, "from the future");
    }

    #[test]
    fn a_code_of_another_device_is_wrong() {
        let code = PaymentCode::of(5, &secret(1), 1_000);
        assert_eq!(code.check(&secret(2), at(1_000 * PERIOD_SECONDS)), Checked::Wrong);
    }

    #[test]
    fn a_misread_digit_is_noticed() {
        let text = PaymentCode::of(42, &secret(3), 77).digits();
        for place in 2..LENGTH {
            let mut bytes = text.as_bytes().to_vec();
            bytes[place] = b'0' + (bytes[place] - b'0' + 1) % 10;
            let other = String::from_utf8(bytes).expect("digits");
            assert_eq!(PaymentCode::parse(&other), Err(CodeError::CheckDigit));
        }
        for bad in ["", "28", "29000000000000000000", "2800000000000000000x", "280000000000000000000"] {
            assert_eq!(PaymentCode::parse(bad), Err(CodeError::Form), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn digits_are_read_back(tag in 0..TAGS, step in any::<i64>(), key in any::<[u8; 32]>()) {
            let code = PaymentCode::of(tag, &DeviceSecret::new(key), step);
            let digits = code.digits();
            prop_assert_eq!(digits.len(), LENGTH);
            prop_assert_eq!(PaymentCode::parse(&digits), Ok(code));
            prop_assert_eq!(code.tag(), tag);
        }

        #[test]
        fn random_codes_are_not_accepted(tag in 0..TAGS, one_time in 0..1_000_000_000_u32, key in any::<[u8; 32]>()) {
            let guess = PaymentCode { tag, one_time };
            let now = at(1_800_000_000);
            // Three in 10^9: never within the cases of this test.
            let good = matches!(guess.check(&DeviceSecret::new(key), now), Checked::Good { .. });
            prop_assert!(!good);
        }
    }
}
