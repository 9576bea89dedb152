//! Rows as an XLSX sheet: numbers as numbers, a frozen header, memory that does not grow with the rows (they go
//! to a temporary file until the workbook is saved).

use jiff::civil::{Date, DateTime};
use rust_xlsxwriter::{ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::{Cell, Column, ColumnKind, MAX_ROWS_XLSX};
use crate::{error::DocumentError, money};

/// Excel's limit for a cell, in UTF-16 units.
const MAX_CELL_UNITS: usize = 32_767;

/// The number formats of a sheet, once plain and once for the total.
#[derive(Clone)]
pub(crate) struct Styles {
    pub(crate) exponent: u16,
    pub(crate) header: Format,
    body: Formats,
    total: Formats,
}

#[derive(Clone)]
struct Formats {
    text: Format,
    amount: Format,
    count: Format,
    rate: Format,
    date: Format,
    moment: Format,
}

impl Styles {
    pub(crate) fn new(exponent: u16) -> Self {
        let header = Format::new()
            .set_bold()
            .set_text_wrap()
            .set_align(FormatAlign::VerticalCenter)
            .set_border_bottom(FormatBorder::Thin);
        let total = Format::new().set_bold().set_border_top(FormatBorder::Thin);
        Self {
            exponent,
            header,
            body: Formats::on(&Format::new(), exponent),
            total: Formats::on(&total, exponent),
        }
    }
}

impl Formats {
    fn on(base: &Format, exponent: u16) -> Self {
        let places = usize::from(exponent);
        let point = if places == 0 { String::new() } else { format!(".{}", "0".repeat(places)) };
        let with = |format: &str| base.clone().set_num_format(format);
        Self {
            text: with("@"),
            amount: with(&format!("#,##0{point}")),
            count: with("#,##0"),
            rate: with("0.00%"),
            date: with("yyyy-mm-dd"),
            moment: with("yyyy-mm-dd hh:mm:ss"),
        }
    }
}

/// A sheet that is being written.
pub(crate) struct XlsxRows {
    sheet: Worksheet,
    styles: Styles,
    columns: usize,
    next: u32,
}

impl XlsxRows {
    pub(crate) fn begin(
        workbook: &mut Workbook,
        title: &str,
        columns: &[Column],
        styles: Styles,
    ) -> Result<Self, DocumentError> {
        let mut sheet = workbook.new_worksheet_with_constant_memory()?;
        sheet.set_name(sheet_name(title))?;
        sheet.set_freeze_panes(1, 0)?;
        sheet.set_repeat_rows(0, 0)?;
        sheet.set_paper_size(9).set_landscape().set_print_fit_to_pages(1, 0);
        for (index, column) in (0u16..).zip(columns) {
            sheet.set_column_width(index, width_of(column))?;
            sheet.write_string_with_format(0, index, &column.title, &styles.header)?;
        }
        Ok(Self { sheet, styles, columns: columns.len(), next: 1 })
    }

    pub(crate) fn row(&mut self, cells: &[Cell]) -> Result<(), DocumentError> {
        let formats = self.styles.body.clone();
        self.write(cells, &formats)
    }

    pub(crate) fn total(&mut self, cells: &[Cell]) -> Result<(), DocumentError> {
        let formats = self.styles.total.clone();
        self.write(cells, &formats)
    }

    /// Adds the sheet to the workbook's others.
    pub(crate) fn finish(self, workbook: &mut Workbook) {
        workbook.push_worksheet(self.sheet);
    }

    fn write(&mut self, cells: &[Cell], formats: &Formats) -> Result<(), DocumentError> {
        if cells.len() != self.columns {
            return Err(DocumentError::RowShape { expected: self.columns, found: cells.len() });
        }
        // Room for totals below the rows.
        if self.next as usize > MAX_ROWS_XLSX + 32 {
            let cure = "choose a shorter period, or CSV";
            return Err(DocumentError::TooManyLines { most: MAX_ROWS_XLSX, format: "XLSX", cure });
        }
        for (column, cell) in (0u16..).zip(cells) {
            self.cell(column, cell, formats)?;
        }
        self.next += 1;
        Ok(())
    }

    fn cell(&mut self, column: u16, cell: &Cell, formats: &Formats) -> Result<(), XlsxError> {
        let (sheet, row) = (&mut self.sheet, self.next);
        match cell {
            Cell::Empty => sheet.write_blank(row, column, &formats.text)?,
            Cell::Text(text) => text_cell(sheet, row, column, text, &formats.text)?,
            Cell::Amount(minor) => sheet.write_number_with_format(
                row,
                column,
                double(&money::plain(*minor, self.styles.exponent)),
                &formats.amount,
            )?,
            Cell::Count(number) => {
                sheet.write_number_with_format(row, column, double(&number.to_string()), &formats.count)?
            }
            Cell::Rate(points) => sheet.write_number_with_format(
                row,
                column,
                double(&money::plain(*points, 4)),
                &formats.rate,
            )?,
            Cell::Date(date) => sheet.write_datetime_with_format(row, column, day(*date)?, &formats.date)?,
            Cell::Moment(at) => {
                sheet.write_datetime_with_format(row, column, moment(*at)?, &formats.moment)?
            }
        };
        Ok(())
    }
}

/// A text cell, cut where Excel would refuse it.
pub(crate) fn text_cell<'a>(
    sheet: &'a mut Worksheet,
    row: u32,
    column: u16,
    text: &str,
    format: &Format,
) -> Result<&'a mut Worksheet, XlsxError> {
    let mut units = 0;
    let fits = |character: &char| {
        units += character.len_utf16();
        units <= MAX_CELL_UNITS
    };
    let text: String = text.chars().take_while(fits).collect();
    sheet.write_string_with_format(row, column, text, format)
}

/// Excel has no decimals, only doubles: the nearest one is what it would make of the same digits typed in.
fn double(digits: &str) -> f64 {
    digits.parse().unwrap_or(f64::NAN)
}

fn day(date: Date) -> Result<ExcelDateTime, XlsxError> {
    ExcelDateTime::from_ymd(year(date), part(date.month()), part(date.day()))
}

fn moment(at: DateTime) -> Result<ExcelDateTime, XlsxError> {
    let time = at.time();
    day(at.date())?.and_hms(u16::from(part(time.hour())), part(time.minute()), part(time.second()))
}

/// Excel has no years before 1900; the library refuses them by name.
fn year(date: Date) -> u16 {
    u16::try_from(date.year()).unwrap_or_default()
}

fn part(number: i8) -> u8 {
    u8::try_from(number).unwrap_or_default()
}

fn width_of(column: &Column) -> f64 {
    match column.kind {
        ColumnKind::Text => 24.0,
        ColumnKind::Amount => 16.0,
        ColumnKind::Count | ColumnKind::Date => 12.0,
        ColumnKind::Rate => 10.0,
        ColumnKind::Moment => 20.0,
    }
}

/// A sheet's name holds at most 31 characters and none of `[]:*?/\`, and neither begins nor ends with `'`.
pub(crate) fn sheet_name(title: &str) -> String {
    let clean: String = title
        .chars()
        .map(
            |character| {
                if "[]:*?/\\'".contains(character) || character.is_control() { ' ' } else { character }
            },
        )
        .collect();
    let mut units = 0;
    let short: String = clean
        .trim()
        .chars()
        .take_while(|character| {
            units += character.len_utf16();
            units <= 31
        })
        .collect();
    if short.is_empty() { "Sheet1".to_owned() } else { short }
}
