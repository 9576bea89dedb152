//! Idempotency keys and request fingerprints.

use sha2::{Digest, Sha256};

/// What a caller names an operation by, for ever, within its client.
///
/// A key that is a UUID (lower case, hyphenated) or a ULID (upper case) is kept as its 16 bytes, which
/// keep the text's order: time-ordered keys then append to the unique index instead of touching a
/// random page each. Any other key is kept as a hash, with its text beside it.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    bytes: [u8; 17],
    text: Option<Box<str>>,
}

/// The text is not a usable key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 128 printable ASCII characters without spaces; a UUIDv7 or ULID is best")]
pub struct KeyError;

const HASHED: u8 = 0;
const UUID: u8 = 1;
const ULID: u8 = 2;
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl IdempotencyKey {
    /// The longest key, in characters.
    pub const MAX_LEN: usize = 128;

    /// Reads a key as the caller wrote it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.is_empty() || text.len() > Self::MAX_LEN || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(KeyError);
        }
        if let Some(body) = uuid_bytes(text) {
            return Ok(Self { bytes: tagged(UUID, body), text: None });
        }
        if let Some(body) = ulid_bytes(text) {
            return Ok(Self { bytes: tagged(ULID, body), text: None });
        }
        let digest = Sha256::digest(text.as_bytes());
        let mut body = [0; 16];
        for (to, from) in body.iter_mut().zip(digest) {
            *to = from;
        }
        Ok(Self { bytes: tagged(HASHED, body), text: Some(text.into()) })
    }

    /// The 17 bytes of the unique index: a tag and the body.
    pub const fn bytes(&self) -> &[u8; 17] {
        &self.bytes
    }

    /// The text, where the bytes do not hold it.
    pub fn stored_text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The key from its stored form.
    pub fn from_stored(bytes: [u8; 17], text: Option<Box<str>>) -> Self {
        Self { bytes, text }
    }

    /// The key as the caller wrote it.
    pub fn to_text(&self) -> String {
        if let Some(text) = &self.text {
            return text.to_string();
        }
        let mut value: u128 = 0;
        for byte in self.bytes.iter().skip(1) {
            value = (value << 8) | u128::from(*byte);
        }
        if self.bytes.first() == Some(&UUID) {
            let hex = format!("{value:032x}");
            let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
            return [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
        }
        let mut letters = [b'0'; 26];
        for letter in letters.iter_mut().rev() {
            let digit = usize::try_from(value & 31).unwrap_or(0);
            *letter = CROCKFORD.get(digit).copied().unwrap_or(b'0');
            value >>= 5;
        }
        String::from_utf8_lossy(&letters).into_owned()
    }
}

impl std::hash::Hash for IdempotencyKey {
    /// The bytes stand for the text as well: it is a digest of it.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write(&self.bytes);
    }
}

impl std::fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_text())
    }
}

fn tagged(tag: u8, body: [u8; 16]) -> [u8; 17] {
    let mut bytes = [tag; 17];
    for (to, from) in bytes.iter_mut().skip(1).zip(body) {
        *to = from;
    }
    bytes
}

/// Only the exact canonical spelling counts, so that two different texts never share one form.
fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    let mut value: u128 = 0;
    for (position, byte) in text.bytes().enumerate() {
        if matches!(position, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte.checked_sub(b'0')?,
            b'a'..=b'f' => byte.checked_sub(b'a')?.checked_add(10)?,
            _ => return None,
        };
        value = (value << 4) | u128::from(digit);
    }
    Some(value.to_be_bytes())
}

fn ulid_bytes(text: &str) -> Option<[u8; 16]> {
    // 26 letters of 5 bits are 130 bits: the first letter may only be 0 to 7.
    if text.len() != 26 || !text.starts_with(|c: char| ('0'..='7').contains(&c)) {
        return None;
    }
    let mut value: u128 = 0;
    for byte in text.bytes() {
        let digit = CROCKFORD.iter().position(|c| *c == byte)?;
        value = (value << 5) | u128::try_from(digit).ok()?;
    }
    Some(value.to_be_bytes())
}

/// A keyed digest of the canonical request: tells "the same again" from "something else under the same
/// key" without revealing the number or PIN that the request contained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// The key-ring key it was made with.
    pub key_id: u8,
    /// The first 16 bytes of the keyed digest.
    pub bytes: [u8; 16],
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms() {
        let check = |text: &str, tag: u8| {
            let key = IdempotencyKey::parse(text).expect("a key");
            assert_eq!(key.bytes()[0], tag, "{text}");
            assert_eq!(key.to_text(), text);
        };
        check("0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f506", UUID);
        check("01ARZ3NDEKTSV4RRFFQ69G5FAV", ULID);
        check("536365", HASHED);
        check("0192F3A4-5B6C-7D8E-9FA0-B1C2D3E4F506", HASHED);
        check("81ARZ3NDEKTSV4RRFFQ69G5FAV", HASHED);
        for bad in ["", " ", "a b", "a\n", "钥匙", &"x".repeat(129)] {
            assert_eq!(IdempotencyKey::parse(bad), Err(KeyError), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn uuids_keep_their_order(a: u128, b: u128) {
            let text = |v: u128| {
                let h = format!("{v:032x}");
                format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
            };
            let (x, y) = (IdempotencyKey::parse(&text(a)).expect("a key"), IdempotencyKey::parse(&text(b)).expect("a key"));
            prop_assert_eq!(x.bytes().cmp(y.bytes()), a.cmp(&b));
        }

        #[test]
        fn any_text_round_trips_or_is_refused(text in ".{0,140}") {
            if let Ok(key) = IdempotencyKey::parse(&text) {
                prop_assert_eq!(key.to_text(), text);
            }
        }
    }
}
