//! The little of CBOR (RFC 8949) that authenticators write: whole numbers, byte and text strings, arrays, maps and
//! the simple values, of definite length. Whatever else it is, is refused.
//!
//! Invariant: reads what is there and nothing beyond; depth and numbers of entries are bounded; nothing is copied.

/// How deep maps and arrays may lie in each other. Attestations of our time need four.
const MAX_DEPTH: u8 = 8;
/// Entries of one map or array.
const MAX_ENTRIES: u64 = 64;

/// What is not such CBOR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the CBOR of an authenticator")]
pub struct NotCbor;

/// A value that is of interest; of others only that they are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A whole number.
    Int(i64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A text.
    Text(&'a str),
    /// An array, a map or a simple value, read over.
    Other,
}

/// Reads values one after the other.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next value.
    pub fn value(&mut self) -> Result<Value<'a>, NotCbor> {
        self.nested(0)
    }

    /// Begins a map, and says how many entries it has: so many times a key and a value.
    pub fn map(&mut self) -> Result<u64, NotCbor> {
        match self.head()? {
            (5, entries) if entries <= MAX_ENTRIES => Ok(entries),
            _ => Err(NotCbor),
        }
    }

    fn nested(&mut self, depth: u8) -> Result<Value<'a>, NotCbor> {
        if depth > MAX_DEPTH {
            return Err(NotCbor);
        }
        let (major, argument) = self.head()?;
        match major {
            0 => i64::try_from(argument).map(Value::Int).map_err(|_| NotCbor),
            1 => i64::try_from(argument).map(|number| Value::Int(-1 - number)).map_err(|_| NotCbor),
            2 => self.take(argument).map(Value::Bytes),
            3 => self
                .take(argument)
                .and_then(|text| std::str::from_utf8(text).map(Value::Text).map_err(|_| NotCbor)),
            4 | 5 if argument <= MAX_ENTRIES => {
                for _ in 0..argument * u64::from(major - 3) {
                    self.nested(depth + 1)?;
                }
                Ok(Value::Other)
            }
            7 => Ok(Value::Other),
            _ => Err(NotCbor),
        }
    }

    /// The major type of the next item, and its argument.
    fn head(&mut self) -> Result<(u8, u64), NotCbor> {
        let first = self.take(1)?.first().copied().ok_or(NotCbor)?;
        let argument = match first & 31 {
            small @ 0..=23 => u64::from(small),
            24 => self.number(1)?,
            25 => self.number(2)?,
            26 => self.number(4)?,
            27 => self.number(8)?,
            _ => return Err(NotCbor),
        };
        Ok((first >> 5, argument))
    }

    fn number(&mut self, bytes: u64) -> Result<u64, NotCbor> {
        Ok(self.take(bytes)?.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    fn take(&mut self, bytes: u64) -> Result<&'a [u8], NotCbor> {
        let bytes = usize::try_from(bytes).map_err(|_| NotCbor)?;
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or(NotCbor)?;
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 8949, appendix A.
    #[test]
    fn known_answers() {
        for (bytes, expect) in [
            (&[0x00][..], Ok(Value::Int(0))),
            (&[0x17], Ok(Value::Int(23))),
            (&[0x18, 0x18], Ok(Value::Int(24))),
            (&[0x19, 0x03, 0xe8], Ok(Value::Int(1000))),
            (&[0x1b, 0, 0, 0, 0xe8, 0xd4, 0xa5, 0x10, 0], Ok(Value::Int(1_000_000_000_000))),
            (&[0x20], Ok(Value::Int(-1))),
            (&[0x38, 0x63], Ok(Value::Int(-100))),
            (&[0x39, 0x01, 0x00], Ok(Value::Int(-257))),
            (&[0x44, 1, 2, 3, 4], Ok(Value::Bytes(&[1, 2, 3, 4]))),
            (&[0x64, 0x49, 0x45, 0x54, 0x46], Ok(Value::Text("IETF"))),
            (&[0x83, 1, 2, 3], Ok(Value::Other)),
            (&[0xa2, 1, 2, 3, 4], Ok(Value::Other)),
            (&[0xf5], Ok(Value::Other)),
            (&[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Err(NotCbor)),
            (&[0x5f, 0x42, 1, 2, 0xff], Err(NotCbor)),
            (&[0x9f, 0xff], Err(NotCbor)),
            (&[0x61, 0xff], Err(NotCbor)),
            (&[0x44, 1, 2], Err(NotCbor)),
            (&[], Err(NotCbor)),
            (&[0x98, 0xff], Err(NotCbor)),
            (&[0xc0, 0x00], Err(NotCbor)),
        ] {
            assert_eq!(Reader::new(bytes).value(), expect, "{bytes:02x?}");
        }
        assert_eq!(Reader::new(&[0x81; 64]).value(), Err(NotCbor), "deeper than anybody needs");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::new(&bytes);
            while reader.value().is_ok() && !reader.rest().is_empty() {}
            prop_assert!(bytes.ends_with(reader.rest()));
        }
    }
}
