//! Writes a statement line by line, so that a caller can read a long statement in pages and never hold it whole.
//! At the end the lines are held against the figures: a document that does not add up is not delivered.

use std::io::{Seek, Write};

use super::{
    Section, Statement, StatementLine, csv_form::CsvForm, pdf_form::PdfForm, sums::LineSums,
    xlsx_form::XlsxForm,
};
use crate::{error::DocumentError, pdf::MissingCharacters, table::MAX_ROWS_XLSX};

/// The most lines of a statement as XLSX.
pub const MAX_LINES_XLSX: usize = MAX_ROWS_XLSX;

/// The format of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CSV in UTF-8.
    Csv {
        /// Whether a byte order mark comes first, for Excel.
        bom: bool,
    },
    /// An XLSX workbook.
    Xlsx,
    /// A PDF/A-2u document.
    Pdf,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Lines of the statement.
    pub lines: u64,
    /// Pages, of a PDF.
    pub pages: Option<u32>,
    /// Characters that a PDF's font lacks: shown as 〓 and listed on its last page.
    pub missing: MissingCharacters,
}

enum Form<W: Write + Seek + Send> {
    Csv(Box<CsvForm<W>>),
    Xlsx(Box<XlsxForm<W>>),
    Pdf(Box<PdfForm<W>>),
}

/// A statement that is being written.
pub struct StatementWriter<W: Write + Seek + Send> {
    statement: Statement,
    sums: LineSums,
    form: Form<W>,
}

impl<W: Write + Seek + Send> StatementWriter<W> {
    /// Begins a statement. Refused if its figures do not follow from each other.
    pub fn begin(format: Format, statement: Statement, out: W) -> Result<Self, DocumentError> {
        statement.totals.check()?;
        let form = match format {
            Format::Csv { bom } => Form::Csv(Box::new(CsvForm::begin(&statement, out, bom)?)),
            Format::Xlsx => Form::Xlsx(Box::new(XlsxForm::begin(&statement, out)?)),
            Format::Pdf => Form::Pdf(Box::new(PdfForm::begin(&statement, out)?)),
        };
        Ok(Self { statement, sums: LineSums::default(), form })
    }

    /// Puts a heading over the lines that follow. CSV and XLSX have no headings: what they would say is in columns.
    pub fn section(&mut self, section: Section) {
        if let Form::Pdf(form) = &mut self.form {
            form.section(section);
        }
    }

    /// Adds a line.
    pub fn line(&mut self, line: &StatementLine) -> Result<(), DocumentError> {
        self.sums.add(line)?;
        match &mut self.form {
            Form::Csv(form) => form.line(&self.statement, line),
            Form::Xlsx(form) => {
                if self.sums.all.lines > MAX_LINES_XLSX as u64 {
                    let (most, cure) = (MAX_LINES_XLSX, "export the statement as CSV");
                    return Err(DocumentError::TooManyLines { most, format: "XLSX", cure });
                }
                form.line(&self.statement, line)
            }
            Form::Pdf(form) => form.line(line),
        }
    }

    /// Ends the statement. If the lines do not give the figures this is an error, and what was written so far is
    /// to be thrown away.
    pub fn finish(self) -> Result<Written, DocumentError> {
        self.sums.check(&self.statement.totals)?;
        let mut written = Written { lines: self.sums.all.lines, ..Written::default() };
        match self.form {
            Form::Csv(form) => form.finish(&self.statement, &self.sums.all)?,
            Form::Xlsx(form) => form.finish(&self.statement, &self.sums.all)?,
            Form::Pdf(form) => {
                (written.pages, written.missing) = form.finish(&self.statement, &self.sums.all)?;
            }
        }
        Ok(written)
    }
}
