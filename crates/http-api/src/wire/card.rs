//! How a request names a card: by number or by id, and exactly one of them.

use domain::{
    CardId, Refusal,
    command::{CardRef, NumberIndex},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use vault::Vault;

use super::{object::object, secret::Number};
use crate::error::Problem;

/// A card by number or id.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CardName {
    /// By number.
    Number(Number),
    /// By id.
    Id(CardId),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default, deserialize_with = "given")]
    number: Option<Number>,
    #[serde(default, deserialize_with = "given")]
    id: Option<CardId>,
}

/// A field that may be absent, but not null.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for CardName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object::<D, Fields>(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

impl TryFrom<Fields> for CardName {
    type Error = &'static str;

    fn try_from(fields: Fields) -> Result<Self, &'static str> {
        match (fields.number, fields.id) {
            (Some(number), None) => Ok(Self::Number(number)),
            (None, Some(id)) => Ok(Self::Id(id)),
            _ => Err("name the card by its number or by its id, and by one of them only"),
        }
    }
}

impl CardName {
    /// For the domain. `at` is where the body names it.
    pub(crate) fn find_by(&self, vault: &Vault, at: &'static str) -> Result<CardRef, Problem> {
        match self {
            Self::Id(id) => Ok(CardRef::Id(*id)),
            Self::Number(Number::Possible(number)) => {
                Ok(CardRef::Number(vault.indexes(number).map(|(_, index)| NumberIndex(index)).collect()))
            }
            Self::Number(Number::Impossible) => Err(Problem::from(Refusal::CardUnknown).card_at(at)),
        }
    }
}
