//! Rows in the order of a key, to be merged with other streams of the same order.

use rusqlite::{Row, Rows};
use storage::Result;

use crate::{error::IntoStorage, fields::Fields};

/// Reads a row that is one sum.
pub(crate) fn read_sum(fields: &mut Fields<'_, '_>) -> Result<i64> {
    fields.int()
}

/// A stream with its next row at hand.
pub(crate) struct Stream<'s, T> {
    rows: Rows<'s>,
    read: fn(&mut Fields<'_, '_>) -> Result<T>,
    head: Option<(i64, T)>,
}

impl<'s, T> Stream<'s, T> {
    /// The first column of each row is the key; `read` reads the rest.
    pub(crate) fn new(rows: Rows<'s>, read: fn(&mut Fields<'_, '_>) -> Result<T>) -> Result<Self> {
        let mut stream = Self { rows, read, head: None };
        stream.advance()?;
        Ok(stream)
    }

    fn advance(&mut self) -> Result<Option<(i64, T)>> {
        let next = match self.rows.next().stored()? {
            Some(row) => {
                let row: &Row<'_> = row;
                let mut fields = Fields::new(row);
                Some((fields.int()?, (self.read)(&mut fields)?))
            }
            None => None,
        };
        Ok(std::mem::replace(&mut self.head, next))
    }

    /// The next row if its key is below `key`: one that nothing belongs to.
    pub(crate) fn stray(&mut self, key: i64) -> Result<Option<(i64, T)>> {
        match &self.head {
            Some((head, _)) if *head < key => self.advance(),
            _ => Ok(None),
        }
    }

    /// The next row if it has this key.
    pub(crate) fn at(&mut self, key: i64) -> Result<Option<T>> {
        match &self.head {
            Some((head, _)) if *head == key => Ok(self.advance()?.map(|(_, row)| row)),
            _ => Ok(None),
        }
    }

    /// The next row, whatever its key.
    pub(crate) fn any(&mut self) -> Result<Option<(i64, T)>> {
        self.advance()
    }
}
