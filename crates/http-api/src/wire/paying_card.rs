//! How a payment names its card: by number or id as everywhere, or by the payment code of its holder's device.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use wallet::{PaymentCode, code::CodeError};

use super::{
    card::{CardName, given},
    object::object,
    secret::Number,
};

/// A card that pays.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum PayingCard {
    /// By number or id.
    Named(CardName),
    /// By its holder's payment code.
    #[serde(serialize_with = "as_object")]
    Code(TypedCode),
}

/// A payment code as read. With a wrong check digit it is nobody's, like any other that no device shows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TypedCode {
    /// It can be a device's.
    Possible(PaymentCode),
    /// It cannot.
    Impossible,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default, deserialize_with = "given")]
    number: Option<Number>,
    #[serde(default, deserialize_with = "given")]
    id: Option<domain::CardId>,
    #[serde(default, deserialize_with = "given")]
    code: Option<TypedCode>,
}

impl<'de> Deserialize<'de> for PayingCard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = object::<D, Fields>(deserializer)?;
        match (fields.number, fields.id, fields.code) {
            (Some(number), None, None) => Ok(Self::Named(CardName::Number(number))),
            (None, Some(id), None) => Ok(Self::Named(CardName::Id(id))),
            (None, None, Some(code)) => Ok(Self::Code(code)),
            _ => Err(D::Error::custom(
                "name the card by its number, by its id or by a payment code, and by one of them only",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for TypedCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl serde::de::Visitor<'_> for Digits {
            type Value = TypedCode;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a payment code as a string of digits")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<TypedCode, E> {
                match PaymentCode::parse(text) {
                    Ok(code) => Ok(TypedCode::Possible(code)),
                    Err(CodeError::CheckDigit) => Ok(TypedCode::Impossible),
                    Err(error) => Err(E::custom(error)),
                }
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

/// For the canonical request only, which is digested under a key and never stored.
fn as_object<S: Serializer>(code: &TypedCode, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Object<'a> {
        code: &'a str,
    }
    match code {
        TypedCode::Possible(code) => Object { code: &code.digits() }.serialize(serializer),
        TypedCode::Impossible => Object { code: "impossible" }.serialize(serializer),
    }
}
