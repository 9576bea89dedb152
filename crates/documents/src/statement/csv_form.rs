//! A statement as CSV: one row per line, then the total of the lines, then the statement's figures. All rows have
//! the same columns, so a reader that only wants operations skips rows without an operation.

use std::io::Write;

use super::{Statement, StatementLine, line_table, sums::Sums};
use crate::{error::DocumentError, table::CsvRows};

pub(crate) struct CsvForm<W: Write> {
    rows: CsvRows<W>,
}

impl<W: Write> CsvForm<W> {
    pub(crate) fn begin(statement: &Statement, out: W, bom: bool) -> Result<Self, DocumentError> {
        let columns = line_table::columns(statement.language);
        Ok(Self { rows: CsvRows::begin(out, &columns, statement.currency.exponent(), bom)? })
    }

    pub(crate) fn line(&mut self, statement: &Statement, line: &StatementLine) -> Result<(), DocumentError> {
        self.rows.row(&line_table::row(line, statement.language, statement.currency)?)
    }

    pub(crate) fn finish(mut self, statement: &Statement, sums: &Sums) -> Result<(), DocumentError> {
        let (language, currency) = (statement.language, statement.currency);
        self.rows.row(&line_table::total(sums, language, currency))?;
        for figure in statement.totals.figures(language) {
            self.rows.row(&line_table::figure(figure.label, figure.minor, currency))?;
        }
        self.rows.finish()
    }
}
