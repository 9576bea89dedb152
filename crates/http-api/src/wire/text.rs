//! Texts of callers, bounded: names, reasons, references, members.

use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// A text of 1 to `MAX` characters without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Text<const MAX: usize>(pub String);

/// The name of a thing of the catalog.
pub(crate) type Name = Text<100>;
/// Why something is done.
pub(crate) type Reason = Text<200>;
/// The caller's own reference.
pub(crate) type Reference = Text<128>;
/// A member, in the issuer's own words.
pub(crate) type Member = Text<64>;

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let characters = text.chars().count();
        if characters == 0 || characters > MAX || text.chars().any(is_control) {
            return Err(D::Error::custom(format_args!(
                "must be 1 to {MAX} characters without control characters"
            )));
        }
        Ok(Self(text))
    }
}

/// C0 and DEL. What the schema's pattern excludes, no more and no less.
fn is_control(c: char) -> bool {
    c < ' ' || c == '\u{7f}'
}
