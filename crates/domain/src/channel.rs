//! Sales channels: where value is sold and who holds its cash.

use serde::{Deserialize, Serialize};

/// A sales channel's name: 1 to 12 characters of `a–z 0–9 _`.
///
/// The length is bounded so that a name packs into 63 bits: an account reference is then one integer
/// for every kind of account, and a transfer needs no look-up table to be written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Channel(i64);

/// The text is not a channel name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a channel is 1 to 12 characters of a-z, 0-9 and _")]
pub struct ChannelError;

const ALPHABET: &[u8; 37] = b"_0123456789abcdefghijklmnopqrstuvwxyz";

impl Channel {
    /// The channel with this name.
    pub fn parse(name: &str) -> Result<Self, ChannelError> {
        if name.is_empty() || name.len() > 12 {
            return Err(ChannelError);
        }
        let mut packed: i64 = 0;
        for byte in name.bytes() {
            let digit = ALPHABET.iter().position(|c| *c == byte).ok_or(ChannelError)?;
            // Digits 1..=37 in base 38, so that names of different length differ.
            let digit = i64::try_from(digit).ok().and_then(|d| d.checked_add(1)).ok_or(ChannelError)?;
            packed = packed.checked_mul(38).and_then(|p| p.checked_add(digit)).ok_or(ChannelError)?;
        }
        Ok(Self(packed))
    }

    /// The packed name, as stored in an account reference.
    pub const fn packed(self) -> i64 {
        self.0
    }

    /// The channel with this packed name.
    pub fn from_packed(packed: i64) -> Result<Self, ChannelError> {
        let channel = Self(packed);
        match Self::parse(&channel.name()) {
            Ok(same) if same == channel => Ok(channel),
            _ => Err(ChannelError),
        }
    }

    /// The name.
    pub fn name(self) -> String {
        let mut rest = self.0;
        let mut bytes = Vec::new();
        while rest > 0 {
            let digit = rest.checked_rem(38).and_then(|d| usize::try_from(d).ok()).unwrap_or(0);
            let letter = digit.checked_sub(1).and_then(|d| ALPHABET.get(d)).copied().unwrap_or(b'?');
            bytes.push(letter);
            rest = rest.checked_div(38).unwrap_or(0);
        }
        bytes.reverse();
        String::from_utf8(bytes).unwrap_or_default()
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

impl std::fmt::Display for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

impl TryFrom<String> for Channel {
    type Error = ChannelError;
    fn try_from(name: String) -> Result<Self, ChannelError> {
        Self::parse(&name)
    }
}

impl From<Channel> for String {
    fn from(channel: Channel) -> Self {
        channel.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bad_names() {
        for bad in ["", "thirteenchars", "POS", "a-b", "线上", "a b"] {
            assert_eq!(Channel::parse(bad), Err(ChannelError), "{bad}");
        }
        assert!(Channel::from_packed(-1).is_err());
        assert!(Channel::from_packed(0).is_err());
        assert!(Channel::from_packed(38).is_err(), "a digit zero is no letter");
    }

    proptest! {
        #[test]
        fn packing_round_trips(name in "[a-z0-9_]{1,12}") {
            let channel = Channel::parse(&name).expect("a valid name");
            prop_assert_eq!(channel.name(), name);
            prop_assert_eq!(Channel::from_packed(channel.packed()), Ok(channel));
        }
    }
}
