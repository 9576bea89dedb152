//! Rows as CSV: RFC 4180 with CRLF. A text that a spreadsheet would run as a formula is made harmless here, in
//! the one place that every CSV for people goes through.

use std::io::Write;

use super::{Cell, Column};
use crate::{error::DocumentError, money};

/// A CSV that is being written.
pub(crate) struct CsvRows<W: Write> {
    writer: csv::Writer<W>,
    columns: usize,
    exponent: u16,
}

impl<W: Write> CsvRows<W> {
    pub(crate) fn begin(
        mut out: W,
        columns: &[Column],
        exponent: u16,
        bom: bool,
    ) -> Result<Self, DocumentError> {
        if bom {
            out.write_all("\u{feff}".as_bytes())?;
        }
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        writer.write_record(columns.iter().map(|column| harmless(&column.title)))?;
        Ok(Self { writer, columns: columns.len(), exponent })
    }

    pub(crate) fn row(&mut self, cells: &[Cell]) -> Result<(), DocumentError> {
        if cells.len() != self.columns {
            return Err(DocumentError::RowShape { expected: self.columns, found: cells.len() });
        }
        for cell in cells {
            self.writer.write_field(text_of(cell, self.exponent))?;
        }
        // Ends the record.
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    pub(crate) fn finish(mut self) -> Result<(), DocumentError> {
        Ok(self.writer.flush()?)
    }
}

fn text_of(cell: &Cell, exponent: u16) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => harmless(text),
        Cell::Amount(minor) => money::plain(*minor, exponent),
        Cell::Count(number) => number.to_string(),
        Cell::Rate(points) => money::percent(*points),
        Cell::Date(date) => date.to_string(),
        Cell::Moment(at) => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    }
}

/// The text with an apostrophe before it if a spreadsheet would take it for a formula. The full-width signs count:
/// Excel reads them as the narrow ones where the system's language is Chinese or Japanese.
fn harmless(text: &str) -> String {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if risky { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text_and_numbers_stay_numbers() {
        for risky in ["=1+1", "+86", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", "=cmd|'/c calc'!A0"] {
            assert_eq!(harmless(risky), format!("'{risky}"));
        }
        for plain in ["", "张三", "a=b", "1-2"] {
            assert_eq!(harmless(plain), plain);
        }
        assert_eq!(text_of(&Cell::Amount(-150), 2), "-1.50");
        assert_eq!(text_of(&Cell::Count(-3), 2), "-3");
    }
}
