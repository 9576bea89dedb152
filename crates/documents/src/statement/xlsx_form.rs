//! A statement as a workbook: a sheet with its head and figures, a sheet with its lines.

use std::io::{Seek, Write};

use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Workbook, Worksheet};

use super::{
    Statement, StatementLine, line_table,
    sums::Sums,
    words::{Weight, Word},
};
use crate::{
    error::DocumentError,
    money,
    table::{Styles, XlsxRows, sheet_name, text_cell},
};

pub(crate) struct XlsxForm<W> {
    workbook: Workbook,
    lines: XlsxRows,
    out: W,
}

impl<W: Write + Seek + Send> XlsxForm<W> {
    pub(crate) fn begin(statement: &Statement, out: W) -> Result<Self, DocumentError> {
        let mut workbook = Workbook::new();
        summary(statement, workbook.add_worksheet())?;
        let title = Word::Lines.say(statement.language);
        let columns = line_table::columns(statement.language);
        let styles = Styles::new(statement.currency.exponent());
        let lines = XlsxRows::begin(&mut workbook, title, &columns, styles)?;
        Ok(Self { workbook, lines, out })
    }

    pub(crate) fn line(&mut self, statement: &Statement, line: &StatementLine) -> Result<(), DocumentError> {
        self.lines.row(&line_table::row(line, statement.language, statement.currency)?)
    }

    pub(crate) fn finish(mut self, statement: &Statement, sums: &Sums) -> Result<(), DocumentError> {
        self.lines.total(&line_table::total(sums, statement.language, statement.currency))?;
        self.lines.finish(&mut self.workbook);
        Ok(self.workbook.save_to_writer(self.out)?)
    }
}

/// Label, text, and figures as numbers.
fn summary(statement: &Statement, sheet: &mut Worksheet) -> Result<(), DocumentError> {
    let language = statement.language;
    let bold = Format::new().set_bold();
    let text = Format::new().set_text_wrap().set_align(FormatAlign::Left).set_align(FormatAlign::Top);
    sheet.set_name(sheet_name(Word::Summary.say(language)))?;
    sheet.set_paper_size(9).set_print_fit_to_pages(1, 0);
    sheet.set_column_width(0, 26)?;
    sheet.set_column_width(1, 60)?;
    sheet.write_string_with_format(0, 0, Word::Title.say(language), &bold.clone().set_font_size(14))?;
    let mut row = 2;
    for (label, value) in statement.details() {
        text_cell(sheet, row, 0, &label, &bold)?;
        text_cell(sheet, row, 1, &value, &text)?;
        row += 1;
    }
    row = figures(statement, sheet, row + 1)?;
    row += 1;
    text_cell(sheet, row, 0, Word::Agreement.say(language), &bold)?;
    for (label, value) in statement.agreement.terms(language, statement.currency.exponent()) {
        row += 1;
        text_cell(sheet, row, 0, &label, &Format::new())?;
        text_cell(sheet, row, 1, &value, &text)?;
    }
    Ok(())
}

fn figures(statement: &Statement, sheet: &mut Worksheet, mut row: u32) -> Result<u32, DocumentError> {
    let exponent = statement.currency.exponent();
    let places = usize::from(exponent);
    let point = if places == 0 { String::new() } else { format!(".{}", "0".repeat(places)) };
    let plain = Format::new().set_num_format(format!("#,##0{point}")).set_align(FormatAlign::Left);
    let sum = plain.clone().set_bold().set_border_top(FormatBorder::Thin);
    let heading = Format::new().set_bold();
    text_cell(sheet, row, 0, Word::Figures.say(statement.language), &heading)?;
    text_cell(sheet, row, 1, statement.currency.code(), &heading)?;
    for figure in statement.totals.figures(statement.language) {
        row += 1;
        let (label, number) = match figure.weight {
            Weight::Plain => (Format::new(), &plain),
            Weight::Sum => (heading.clone().set_border_top(FormatBorder::Thin), &sum),
        };
        text_cell(sheet, row, 0, figure.label, &label)?;
        let value: f64 = money::plain(figure.minor, exponent).parse().unwrap_or(f64::NAN);
        sheet.write_number_with_format(row, 1, value, number)?;
    }
    Ok(row + 1)
}

impl Statement {
    /// The head as label and text.
    pub(crate) fn details(&self) -> Vec<(String, String)> {
        let say = |word: Word| word.say(self.language).to_owned();
        let mut details = vec![
            (say(Word::Number), self.number.clone()),
            (say(Word::Issuer), self.issuer.name.clone()),
            (say(Word::Merchant), self.merchant.name.clone()),
        ];
        details.extend(self.merchant.number.clone().map(|number| (say(Word::MerchantNumber), number)));
        details.extend(self.merchant.registration.clone().map(|number| (say(Word::Registration), number)));
        details.push((say(Word::Period), self.period()));
        details.push((say(Word::Due), self.due_wording()));
        details.push((say(Word::Currency), self.currency.code().to_owned()));
        details.push((say(Word::Generated), self.generated_wording()));
        details.push((say(Word::Digest), self.digest.clone().unwrap_or_else(|| say(Word::Open))));
        details
    }

    pub(crate) fn period(&self) -> String {
        if self.from == self.to {
            return self.from.to_string();
        }
        format!("{}{}{}", self.from, Word::To.say(self.language), self.to)
    }

    pub(crate) fn due_wording(&self) -> String {
        let estimated = if self.due_estimated { Word::Estimated.say(self.language) } else { "" };
        format!("{}{estimated}", self.due)
    }

    pub(crate) fn generated_wording(&self) -> String {
        self.generated.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
    }
}
