//! The caller's own data: a small map of texts.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// The most entries.
pub(crate) const MAX_ENTRIES: usize = 10;
/// The longest name of an entry, in characters.
pub(crate) const MAX_NAME: usize = 40;
/// The longest value, in characters. With these limits the JSON text always fits into 4 KiB.
pub(crate) const MAX_VALUE: usize = 80;

/// Names and values. Sorted, so that the order in the request does not count.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// As JSON text.
    pub(crate) fn into_text(self) -> String {
        serde_json::to_string(&self.0).unwrap_or_else(|_| "{}".to_owned())
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = BTreeMap::<String, String>::deserialize(deserializer)?;
        if map.len() > MAX_ENTRIES {
            return Err(D::Error::custom("metadata has at most 10 entries"));
        }
        let name_fits = |name: &str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
            (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain)
        };
        if !map.keys().all(|name| name_fits(name)) {
            return Err(D::Error::custom(
                "names in metadata have 1 to 40 letters, digits, underscores, dots or dashes",
            ));
        }
        let value_fits = |value: &str| {
            value.chars().count() <= MAX_VALUE && !value.chars().any(|c| c < ' ' || c == '\u{7f}')
        };
        if !map.values().all(|value| value_fits(value)) {
            return Err(D::Error::custom(
                "values in metadata are texts of at most 80 characters without control characters",
            ));
        }
        Ok(Self(map))
    }
}
