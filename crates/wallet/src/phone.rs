//! Phone numbers: the name a card holder has. They are kept like card numbers: a keyed index to look up by, a
//! sealed value, and the last four digits.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use zeroize::Zeroizing;

/// A phone number in international form (ITU-T E.164). Does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone(Zeroizing<String>);

/// The text is not a phone number. Never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a phone number is a mainland mobile number of 11 digits, or + with country code and 7 to 15 digits")]
pub struct PhoneError;

/// The least digits with the country code.
const MIN_DIGITS: usize = 7;
/// The most digits of E.164.
const MAX_DIGITS: usize = 15;

impl Phone {
    /// Reads `13800000001` as a mainland mobile number, and `+8613800000001` as it stands.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PhoneError);
        }
        let international = text.starts_with('+');
        let bytes = digits.as_bytes();
        if international {
            let sound = (MIN_DIGITS..=MAX_DIGITS).contains(&bytes.len()) && bytes[0] != b'0';
            return if sound { Ok(Self(Zeroizing::new(text.to_owned()))) } else { Err(PhoneError) };
        }
        let mainland = bytes.len() == 11 && bytes[0] == b'1' && (b'3'..=b'9').contains(&bytes[1]);
        if mainland { Ok(Self(Zeroizing::new(format!("+86{digits}")))) } else { Err(PhoneError) }
    }

    /// The number in plain, to seal it, index it or send to it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its last four digits, to show.
    pub fn last4(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(…{})", self.last4())
    }
}

impl<'de> Deserialize<'de> for Phone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Phone;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a phone number as a text")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Phone, E> {
                Phone::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_number_are_one() {
        let check = |text: &str, expect: Option<&str>| {
            let found = Phone::parse(text).ok();
            assert_eq!(found.as_ref().map(Phone::expose), expect, "{text}");
        };
        check("13800000001", Some("+8613800000001"));
        check("+8613800000001", Some("+8613800000001"));
        check("+14155550123", Some("+14155550123"));
        for bad in
            ["", "+", "12800000001", "1380000000", "138000000011", "+0123456789", "+123456", "138 0000 0001"]
        {
            check(bad, None);
        }
        check("+1234567890123456", None);
        check("１３８００００００００１", None);
    }

    #[test]
    fn it_does_not_print() {
        let phone = Phone::parse("13800000001").expect("a number");
        assert_eq!(format!("{phone:?}"), "Phone(…0001)");
    }
}
