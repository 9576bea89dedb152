//! Card numbers and PINs in requests. They print masked; they serialise for the canonical request only,
//! which is digested under a key and never stored.

use domain::command::PinAttempt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use vault::{CardNumber, NumberError, Pin};

/// A card number as typed. With a wrong check digit it is no card's number: answered as unknown, like
/// any other number that nobody has.
#[derive(Clone, Debug)]
pub(crate) enum Number {
    /// It can be a card's.
    Possible(CardNumber),
    /// It cannot.
    Impossible,
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = DigitsText::deserialize(deserializer)?;
        match CardNumber::parse(&text.0) {
            Ok(number) => Ok(Self::Possible(number)),
            Err(NumberError::CheckDigit) => Ok(Self::Impossible),
            Err(error) => Err(D::Error::custom(error)),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Possible(number) => serializer.serialize_str(number.expose()),
            Self::Impossible => serializer.serialize_str("impossible"),
        }
    }
}

/// A PIN as typed.
#[derive(Clone, Debug)]
pub(crate) struct TypedPin(pub Pin);

impl TypedPin {
    /// For the domain.
    pub(crate) fn attempt(&self) -> PinAttempt {
        PinAttempt(self.0.expose().into())
    }
}

impl<'de> Deserialize<'de> for TypedPin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Pin::deserialize(deserializer).map(Self)
    }
}

impl Serialize for TypedPin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

/// A text that the JSON reader cannot quote in a message.
struct DigitsText(String);

impl<'de> Deserialize<'de> for DigitsText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl serde::de::Visitor<'_> for Digits {
            type Value = DigitsText;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a card number as a string of digits")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<DigitsText, E> {
                Ok(DigitsText(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Digits)
    }
}
