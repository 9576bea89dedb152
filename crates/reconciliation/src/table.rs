//! Rows of values, whatever they are kept in.

use crate::error::Result;

/// What begins a value that a sheet cannot give back as it was entered. No text has this character.
pub(crate) const SPOILT: char = '\0';

/// Something that has rows.
pub(crate) trait Table {
    /// Reads the next row's values into `row`, and returns the number of its line; `None` at the end.
    fn next(&mut self, row: &mut Vec<String>) -> Result<Option<u32>>;
}
