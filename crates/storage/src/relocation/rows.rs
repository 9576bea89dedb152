//! Rows between two databases: typed values that belong to neither. One buffer holds the texts and bytes of
//! many rows, so that a value costs no allocation.

use crate::{Result, StorageError};

/// A value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// None.
    Null,
    /// A number, or a yes (1) or no (0).
    Int(i64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    Null,
    Int(i64),
    Text { from: u32, length: u32 },
    Bytes { from: u32, length: u32 },
}

/// Rows of one table, each with all its columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    columns: usize,
    cells: Vec<Stored>,
    texts: String,
    bytes: Vec<u8>,
}

impl Rows {
    /// None yet, of a table with so many columns.
    pub fn new(columns: usize, expected: usize) -> Self {
        Self { columns, cells: Vec::with_capacity(columns * expected), ..Self::default() }
    }

    /// Adds the next value: column after column, row after row.
    pub fn push(&mut self, cell: Cell<'_>) -> Result<()> {
        let stored = match cell {
            Cell::Null => Stored::Null,
            Cell::Int(number) => Stored::Int(number),
            Cell::Text(text) => {
                let (from, length) = span(self.texts.len(), text.len())?;
                self.texts.push_str(text);
                Stored::Text { from, length }
            }
            Cell::Bytes(bytes) => {
                let (from, length) = span(self.bytes.len(), bytes.len())?;
                self.bytes.extend_from_slice(bytes);
                Stored::Bytes { from, length }
            }
        };
        self.cells.push(stored);
        Ok(())
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.cells.len().checked_div(self.columns).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Row after row, its values.
    pub fn iter(&self) -> impl Iterator<Item = impl Iterator<Item = Cell<'_>>> {
        self.cells.chunks_exact(self.columns.max(1)).map(|row| row.iter().map(|stored| self.cell(*stored)))
    }

    /// One value of one row.
    pub fn get(&self, row: usize, column: usize) -> Option<Cell<'_>> {
        let stored = (column < self.columns).then(|| self.cells.get(row * self.columns + column))?;
        stored.map(|stored| self.cell(*stored))
    }

    fn cell(&self, stored: Stored) -> Cell<'_> {
        match stored {
            Stored::Null => Cell::Null,
            Stored::Int(number) => Cell::Int(number),
            Stored::Text { from, length } => {
                let from = from as usize;
                Cell::Text(self.texts.get(from..from + length as usize).unwrap_or_default())
            }
            Stored::Bytes { from, length } => {
                let from = from as usize;
                Cell::Bytes(self.bytes.get(from..from + length as usize).unwrap_or_default())
            }
        }
    }

    /// The key of the last row, from these columns.
    pub fn last_key(&self, columns: &[usize]) -> Result<Option<Key>> {
        let Some(last) = self.len().checked_sub(1) else { return Ok(None) };
        let part = |column: &usize| match self.get(last, *column) {
            Some(Cell::Int(number)) => Ok(KeyPart::Int(number)),
            Some(Cell::Text(text)) => Ok(KeyPart::Text(text.to_owned())),
            Some(Cell::Bytes(bytes)) => Ok(KeyPart::Bytes(bytes.to_vec())),
            Some(Cell::Null) | None => Err(StorageError::Corrupt("a row has no key".to_owned())),
        };
        columns.iter().map(part).collect::<Result<_>>().map(|parts| Some(Key(parts)))
    }
}

fn span(from: usize, length: usize) -> Result<(u32, u32)> {
    let too_long = |_| StorageError::Corrupt("a portion of rows is longer than 4 GiB".to_owned());
    let end = u32::try_from(from + length).map_err(too_long)?;
    let from = u32::try_from(from).map_err(too_long)?;
    Ok((from, end - from))
}

/// The key of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(pub Vec<KeyPart>);

/// A column of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPart {
    /// A number.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Key {
    /// As a target notes it.
    pub fn to_text(&self) -> String {
        let part = |part: &KeyPart| match part {
            KeyPart::Int(number) => format!("i{number}"),
            KeyPart::Text(text) => format!("t{}", hexadecimal(text.as_bytes())),
            KeyPart::Bytes(bytes) => format!("b{}", hexadecimal(bytes)),
        };
        self.0.iter().map(part).collect::<Vec<_>>().join(" ")
    }

    /// What [`Self::to_text`] wrote.
    pub fn from_text(text: &str) -> Result<Self> {
        let damaged = || StorageError::Corrupt("the progress of the move cannot be read".to_owned());
        let part = |text: &str| {
            let (kind, rest) = text.split_at_checked(1)?;
            Some(match kind {
                "i" => KeyPart::Int(rest.parse().ok()?),
                "t" => KeyPart::Text(String::from_utf8(from_hexadecimal(rest)?).ok()?),
                "b" => KeyPart::Bytes(from_hexadecimal(rest)?),
                _ => return None,
            })
        };
        text.split(' ').map(part).collect::<Option<_>>().map(Self).ok_or_else(damaged)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|p| p.len() == 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_out_as_they_went_in() {
        let mut rows = Rows::new(2, 2);
        let cells = [Cell::Int(-7), Cell::Text("核销"), Cell::Null, Cell::Bytes(&[0, 255])];
        for cell in cells {
            rows.push(cell).unwrap();
        }
        assert_eq!(rows.len(), 2);
        assert_eq!(rows.iter().flatten().collect::<Vec<_>>(), cells);
        assert_eq!(rows.get(1, 1), Some(Cell::Bytes(&[0, 255])));
        assert_eq!((rows.get(1, 2), rows.get(2, 0)), (None, None));
    }

    #[test]
    fn keys_survive_being_noted() {
        let key = Key(vec![
            KeyPart::Int(i64::MIN),
            KeyPart::Text("a b\u{0}核".to_owned()),
            KeyPart::Text(String::new()),
            KeyPart::Bytes(vec![0, 32, 255]),
        ]);
        assert_eq!(Key::from_text(&key.to_text()).unwrap(), key);
        for damaged in ["", "x1", "i", "b0", "bzz", "iabc"] {
            assert!(Key::from_text(damaged).is_err(), "{damaged:?}");
        }
    }
}
