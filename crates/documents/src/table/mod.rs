//! A table of typed cells, and its two shapes: CSV and XLSX. Statements' lines, the journal and every report are
//! such tables, so that what is said here (formulas neutralised, numbers as numbers) holds for all of them.

mod csv_rows;
mod xlsx_rows;

pub(crate) use csv_rows::CsvRows;
pub(crate) use xlsx_rows::{Styles, XlsxRows, sheet_name, text_cell};

use std::io::{Seek, Write};

use domain::Currency;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use crate::error::DocumentError;

/// The most rows that an XLSX sheet is given: Excel's own limit is 1,048,576, header and total included.
pub const MAX_ROWS_XLSX: usize = 1_000_000;

/// What a column holds; decides alignment, width and number format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Text.
    Text,
    /// Signed minor units of the table's currency.
    Amount,
    /// A whole number.
    Count,
    /// A rate in basis points, written as a percentage.
    Rate,
    /// A day.
    Date,
    /// A local date and time.
    Moment,
}

/// A column: its title and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The title, in the document's language.
    pub title: String,
    /// What its cells hold. A cell of another kind is written as what it is.
    pub kind: ColumnKind,
}

impl Column {
    /// A column.
    pub fn new(title: impl Into<String>, kind: ColumnKind) -> Self {
        Self { title: title.into(), kind }
    }
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Text, taken literally: never a formula.
    Text(String),
    /// Signed minor units.
    Amount(i64),
    /// A whole number.
    Count(i64),
    /// Basis points.
    Rate(i64),
    /// A day.
    Date(Date),
    /// A local date and time.
    Moment(DateTime),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A finished table in memory, for reports of bounded size. Long ones are written row by row by their own writers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Names the sheet of an XLSX.
    pub title: String,
    /// The currency of the amounts.
    pub currency: Currency,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
    /// A last row set apart from the others.
    pub total: Option<Vec<Cell>>,
}

impl Table {
    /// Writes the table as CSV (RFC 4180, UTF-8). `bom` puts the byte order mark first, without which Excel takes
    /// the file for the machine's old code page.
    pub fn write_csv(&self, out: impl Write, bom: bool) -> Result<(), DocumentError> {
        let mut rows = CsvRows::begin(out, &self.columns, self.currency.exponent(), bom)?;
        for row in self.rows.iter().chain(&self.total) {
            rows.row(row)?;
        }
        rows.finish()
    }

    /// Writes the table as an XLSX workbook of one sheet.
    pub fn write_xlsx(&self, out: impl Write + Seek + Send) -> Result<(), DocumentError> {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let styles = Styles::new(self.currency.exponent());
        let mut rows = XlsxRows::begin(&mut workbook, &self.title, &self.columns, styles)?;
        for row in &self.rows {
            rows.row(row)?;
        }
        if let Some(total) = &self.total {
            rows.total(total)?;
        }
        rows.finish(&mut workbook);
        Ok(workbook.save_to_writer(out)?)
    }
}
