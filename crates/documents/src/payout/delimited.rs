//! Payouts as delimited or fixed-width text by a template. Nothing is ever cut, replaced or altered to fit: an
//! account or a name that is not exactly what it was is money sent astray, so it is an error that names the payee.

use std::io::{BufWriter, Write};

use jiff::civil::Date;

use super::{
    PayeePayment, PayoutFile,
    template::{
        AmountForm, CellField, DateForm, LineEnding, Pad, PayoutTemplate, Quoting, TemplateCell,
        TemplateEncoding,
    },
};
use crate::{error::DocumentError, money};

/// Writes the file by the template. Nothing is written if the template or the file breaks a rule; a value that
/// does not fit the template ends the writing with an error, and what was written so far is to be thrown away.
pub fn write_payout_csv(
    file: &PayoutFile,
    template: &PayoutTemplate,
    out: impl Write,
) -> Result<(), DocumentError> {
    template.check()?;
    let total = file.check()?.get();
    let mut lines = Lines { file, template, total, out: BufWriter::new(out) };
    if template.encoding == TemplateEncoding::Utf8Bom {
        lines.out.write_all("\u{feff}".as_bytes())?;
    }
    for line in &template.header {
        lines.line(line, None)?;
    }
    if template.titles {
        lines.titles()?;
    }
    for (index, payment) in file.payments.iter().enumerate() {
        lines.line(&template.columns, Some((index + 1, payment)))?;
    }
    for line in &template.footer {
        lines.line(line, None)?;
    }
    Ok(lines.out.flush()?)
}

/// A payment and its place in the file.
type Numbered<'a> = Option<(usize, &'a PayeePayment)>;

struct Lines<'a, W: Write> {
    file: &'a PayoutFile,
    template: &'a PayoutTemplate,
    total: i64,
    out: W,
}

impl<W: Write> Lines<'_, W> {
    fn titles(&mut self) -> Result<(), DocumentError> {
        let titles: Vec<TemplateCell> = self.template.columns.iter().map(title_cell).collect();
        self.line(&titles, None)
    }

    fn line(&mut self, cells: &[TemplateCell], payment: Numbered<'_>) -> Result<(), DocumentError> {
        let mut line = Vec::new();
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                line.extend_from_slice(self.template.separator.as_bytes());
            }
            let bytes = self.cell(cell, payment).map_err(|problem| located(cell, payment, problem))?;
            line.extend_from_slice(&bytes);
        }
        line.extend_from_slice(match self.template.line_ending {
            LineEnding::Crlf => b"\r\n",
            LineEnding::Lf => b"\n",
        });
        Ok(self.out.write_all(&line)?)
    }

    fn cell(&self, cell: &TemplateCell, payment: Numbered<'_>) -> Result<Vec<u8>, String> {
        let value = match (&cell.literal, cell.field) {
            (Some(text), _) => text.clone(),
            (None, Some(field)) => self.value(field, cell, payment),
            (None, None) => String::new(),
        };
        if cell.required && value.is_empty() {
            return Err("is empty, and the template requires it".to_owned());
        }
        let bytes = encode(self.template.encoding, &self.quoted(value)?)?;
        fitted(bytes, cell)
    }

    fn value(&self, field: CellField, cell: &TemplateCell, payment: Numbered<'_>) -> String {
        let file = self.file;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        match field {
            CellField::MessageId => file.message_id.clone(),
            CellField::CreatedDate => day(file.created.date(), cell),
            CellField::ExecutionDate => day(file.execution, cell),
            CellField::Currency => file.currency.code().to_owned(),
            CellField::PayerName => file.payer.holder.clone(),
            CellField::PayerAccount => file.payer.number.clone(),
            CellField::PayerBankName => text(&file.payer.bank_name),
            CellField::PayerCnaps => text(&file.payer.cnaps),
            CellField::Count => file.payments.len().to_string(),
            CellField::Total => self.amount(self.total, cell),
            of_payment => payment.map_or_else(String::new, |(number, payment)| {
                self.payment_value(of_payment, cell, number, payment)
            }),
        }
    }

    fn payment_value(
        &self,
        field: CellField,
        cell: &TemplateCell,
        number: usize,
        payment: &PayeePayment,
    ) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        match field {
            CellField::Sequence => number.to_string(),
            CellField::EndToEndId => payment.end_to_end_id.clone(),
            CellField::Amount => self.amount(payment.amount.get(), cell),
            CellField::PayeeName => payment.payee.holder.clone(),
            CellField::PayeeAccount => payment.payee.number.clone(),
            CellField::PayeeBankName => text(&payment.payee.bank_name),
            CellField::PayeeCnaps => text(&payment.payee.cnaps),
            CellField::PayeeBic => text(&payment.payee.bic),
            CellField::Remittance => payment.remittance.clone(),
            _ => String::new(),
        }
    }

    fn amount(&self, minor: i64, cell: &TemplateCell) -> String {
        match cell.amount.unwrap_or(AmountForm::Decimal) {
            AmountForm::Decimal => money::plain(minor, self.file.currency.exponent()),
            AmountForm::MinorUnits => minor.to_string(),
        }
    }

    fn quoted(&self, value: String) -> Result<String, String> {
        let separator = &self.template.separator;
        let inside = !separator.is_empty() && value.contains(separator.as_str());
        match self.template.quoting {
            Quoting::Csv if inside || value.contains('"') => {
                Ok(format!("\"{}\"", value.replace('"', "\"\"")))
            }
            // With two signs, the first of them at the end of a value would run into the separator.
            Quoting::None if inside || separator.chars().next().is_some_and(|sign| value.ends_with(sign)) => {
                Err(format!("contains {separator:?}, which separates cells in this template; remove it"))
            }
            _ => Ok(value),
        }
    }
}

fn title_cell(column: &TemplateCell) -> TemplateCell {
    TemplateCell {
        literal: Some(column.title.clone().unwrap_or_default()),
        field: None,
        required: false,
        pad: column.pad.map(|_| Pad::SpacesAfter),
        ..column.clone()
    }
}

fn day(date: Date, cell: &TemplateCell) -> String {
    match cell.date.unwrap_or(DateForm::Dashed) {
        DateForm::Dashed => date.to_string(),
        DateForm::Compact => date.strftime("%Y%m%d").to_string(),
    }
}

/// The value's bytes, or which character the encoding lacks.
fn encode(encoding: TemplateEncoding, value: &str) -> Result<Vec<u8>, String> {
    let coder = encoding.encoding();
    let lacking = |character: &char| coder.encode(character.encode_utf8(&mut [0; 4])).2;
    let (bytes, _, failed) = coder.encode(value);
    if !failed {
        return Ok(bytes.into_owned());
    }
    let character = value.chars().find(lacking).unwrap_or_default();
    Err(format!(
        "the character {character:?} (U+{:04X}) does not exist in {}; write it otherwise, or use a template in GB 18030",
        u32::from(character),
        encoding.name()
    ))
}

fn fitted(bytes: Vec<u8>, cell: &TemplateCell) -> Result<Vec<u8>, String> {
    let Some(width) = cell.width.map(usize::from) else { return Ok(bytes) };
    if bytes.len() > width {
        return Err(format!("is {} bytes long, the template has room for {width}", bytes.len()));
    }
    let fill = width - bytes.len();
    Ok(match cell.pad {
        None => bytes,
        Some(Pad::SpacesAfter) => [bytes, vec![b' '; fill]].concat(),
        Some(Pad::SpacesBefore) => [vec![b' '; fill], bytes].concat(),
        Some(Pad::ZerosBefore) => [vec![b'0'; fill], bytes].concat(),
    })
}

fn located(cell: &TemplateCell, payment: Numbered<'_>, problem: String) -> DocumentError {
    match payment {
        Some((_, payment)) => payment.error(cell.field.map_or("literal", field_name), problem),
        None => DocumentError::Field { field: cell.field.map_or("literal", field_name), problem },
    }
}

/// The field as a template spells it.
fn field_name(field: CellField) -> &'static str {
    match field {
        CellField::Sequence => "sequence",
        CellField::EndToEndId => "end_to_end_id",
        CellField::Amount => "amount",
        CellField::PayeeName => "payee_name",
        CellField::PayeeAccount => "payee_account",
        CellField::PayeeBankName => "payee_bank_name",
        CellField::PayeeCnaps => "payee_cnaps",
        CellField::PayeeBic => "payee_bic",
        CellField::Remittance => "remittance",
        CellField::MessageId => "message_id",
        CellField::CreatedDate => "created_date",
        CellField::ExecutionDate => "execution_date",
        CellField::Currency => "currency",
        CellField::PayerName => "payer_name",
        CellField::PayerAccount => "payer_account",
        CellField::PayerBankName => "payer_bank_name",
        CellField::PayerCnaps => "payer_cnaps",
        CellField::Count => "count",
        CellField::Total => "total",
    }
}
