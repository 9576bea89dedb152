//! A template of payout files as data: a bank's format is described, not programmed. Everything that could go
//! wrong with a template is refused when it is read, so that a payout run does not find out.

use encoding_rs::{Encoding, GB18030, GBK, UTF_8};
use serde::{Deserialize, Serialize};

use crate::error::DocumentError;

const MAX_CELLS: usize = 64;
const MAX_LINES: usize = 8;
const MAX_WIDTH: u16 = 1_024;
const MAX_TEXT: usize = 200;

/// How a bank wants its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayoutTemplate {
    /// Its short name.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// How characters become bytes.
    pub encoding: TemplateEncoding,
    /// What ends a line.
    pub line_ending: LineEnding,
    /// What stands between cells; empty for a fixed-width file, whose cells all have `width` and `pad`.
    pub separator: String,
    /// What happens to a cell with a separator in it.
    pub quoting: Quoting,
    /// Lines before the payments.
    #[serde(default)]
    pub header: Vec<Vec<TemplateCell>>,
    /// Whether the titles of the columns are a line of their own after the header.
    #[serde(default)]
    pub titles: bool,
    /// The cells of a payment.
    pub columns: Vec<TemplateCell>,
    /// Lines after the payments.
    #[serde(default)]
    pub footer: Vec<Vec<TemplateCell>>,
}

/// How characters become bytes. A character that an encoding lacks is an error that names the payee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TemplateEncoding {
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-8 with a byte order mark.
    #[serde(rename = "utf-8-bom")]
    Utf8Bom,
    /// GBK: two bytes per Chinese character, 21,003 of them.
    #[serde(rename = "gbk")]
    Gbk,
    /// GB 18030: all of Unicode.
    #[serde(rename = "gb18030")]
    Gb18030,
}

impl TemplateEncoding {
    pub(crate) fn encoding(self) -> &'static Encoding {
        match self {
            Self::Utf8 | Self::Utf8Bom => UTF_8,
            Self::Gbk => GBK,
            Self::Gb18030 => GB18030,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Utf8 | Self::Utf8Bom => "UTF-8",
            Self::Gbk => "GBK",
            Self::Gb18030 => "GB 18030",
        }
    }
}

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineEnding {
    /// Carriage return and line feed.
    Crlf,
    /// Line feed.
    Lf,
}

/// What happens to a cell with a separator in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quoting {
    /// It is put in quotes, as RFC 4180 says.
    Csv,
    /// It is refused: this bank's reader knows no quotes.
    None,
}

/// A cell: a field or a literal, and its form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateCell {
    /// The column's title, where titles are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What is written; or `literal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<CellField>,
    /// A text that is always the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub literal: Option<String>,
    /// How amounts are written; decimal if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<AmountForm>,
    /// How days are written; `2026-10-08` if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<DateForm>,
    /// The most bytes it may have; more is an error, never cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u16>,
    /// Fills it up to `width`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pad: Option<Pad>,
    /// Whether an empty value is an error.
    #[serde(default)]
    pub required: bool,
}

/// What a cell can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellField {
    /// 1, 2, 3 …
    Sequence,
    /// The payment's number.
    EndToEndId,
    /// What is paid.
    Amount,
    /// The payee's account's name.
    PayeeName,
    /// The payee's account's number.
    PayeeAccount,
    /// The payee's bank.
    PayeeBankName,
    /// The payee's bank's number in CNAPS.
    PayeeCnaps,
    /// The payee's bank's BIC.
    PayeeBic,
    /// What the payee reads.
    Remittance,
    /// The file's number.
    MessageId,
    /// The day the file was made.
    CreatedDate,
    /// The day the bank is to pay.
    ExecutionDate,
    /// The currency's code.
    Currency,
    /// The paying account's name.
    PayerName,
    /// The paying account's number.
    PayerAccount,
    /// The paying account's bank.
    PayerBankName,
    /// The paying account's bank's number in CNAPS.
    PayerCnaps,
    /// How many payments the file has.
    Count,
    /// What they come to.
    Total,
}

impl CellField {
    /// Whether it differs between payments, so cannot stand in a header or footer.
    fn of_payment(self) -> bool {
        matches!(
            self,
            Self::Sequence
                | Self::EndToEndId
                | Self::Amount
                | Self::PayeeName
                | Self::PayeeAccount
                | Self::PayeeBankName
                | Self::PayeeCnaps
                | Self::PayeeBic
                | Self::Remittance
        )
    }
}

/// How amounts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountForm {
    /// `1234.50`.
    Decimal,
    /// `123450`.
    MinorUnits,
}

/// How days are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateForm {
    /// `2026-10-08`.
    Dashed,
    /// `20261008`.
    Compact,
}

/// How a cell is filled up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pad {
    /// Spaces after.
    SpacesAfter,
    /// Spaces before.
    SpacesBefore,
    /// Zeros before.
    ZerosBefore,
}

impl PayoutTemplate {
    /// A sample: text with bars between the cells, in GB 18030, amounts in whole units of the currency.
    pub const DELIMITED: &'static str = include_str!("../../templates/payout-delimited.json");
    /// A sample: CSV with titles, in GBK, amounts in minor units.
    pub const SPREADSHEET: &'static str = include_str!("../../templates/payout-spreadsheet.json");

    /// Reads a template from JSON and checks it.
    pub fn parse(json: &str) -> Result<Self, DocumentError> {
        let template: Self = serde_json::from_str(json).map_err(|error| broken("JSON", error.to_string()))?;
        template.check()?;
        Ok(template)
    }

    /// Whether the template can be used.
    pub fn check(&self) -> Result<(), DocumentError> {
        let separators = self.separator.chars().count() <= 2
            && self
                .separator
                .chars()
                .all(|c| c == '\t' || (c.is_ascii_graphic() && c != '"' && !c.is_ascii_alphanumeric()));
        if !separators {
            return Err(broken(
                "separator",
                "is at most two ASCII signs or tabs, no quotes, letters or digits",
            ));
        }
        if self.separator.is_empty() && self.quoting == Quoting::Csv {
            return Err(broken("quoting", "a fixed-width file has no quotes; say \"none\""));
        }
        for (place, text) in [("id", &self.id), ("name", &self.name)] {
            literal(text, 100).map_err(|problem| broken(place, problem))?;
        }
        for (place, lines) in [("header", &self.header), ("footer", &self.footer)] {
            if lines.len() > MAX_LINES {
                return Err(broken(place, format!("has more than {MAX_LINES} lines")));
            }
            for (index, line) in lines.iter().enumerate() {
                self.check_line(&format!("{place}[{index}]"), line, false)?;
            }
        }
        self.check_line("columns", &self.columns, true)?;
        let has = |field| self.columns.iter().any(|cell| cell.field == Some(field));
        for field in [CellField::PayeeAccount, CellField::PayeeName, CellField::Amount] {
            if !has(field) {
                return Err(broken(
                    "columns",
                    format!("no column has the field {field:?}: nobody could be paid"),
                ));
            }
        }
        Ok(())
    }

    fn check_line(&self, place: &str, cells: &[TemplateCell], payment: bool) -> Result<(), DocumentError> {
        if cells.is_empty() || cells.len() > MAX_CELLS {
            return Err(broken(place, format!("has {} cells; 1 to {MAX_CELLS} are possible", cells.len())));
        }
        for (index, cell) in cells.iter().enumerate() {
            let place = format!("{place}[{index}]");
            cell.check(payment).map_err(|problem| broken(&place, problem))?;
            if self.separator.is_empty() && (cell.width.is_none() || cell.pad.is_none()) {
                return Err(broken(&place, "without a separator every cell needs width and pad"));
            }
            if payment && self.titles && cell.title.is_none() {
                return Err(broken(&place, "titles are written, and this column has none"));
            }
        }
        Ok(())
    }
}

impl TemplateCell {
    fn check(&self, payment: bool) -> Result<(), String> {
        match (&self.field, &self.literal) {
            (Some(field), None) if !payment && field.of_payment() => {
                return Err(format!("{field:?} differs between payments and stands in columns only"));
            }
            (Some(_), None) => {}
            (None, Some(text)) => literal(text, MAX_TEXT)?,
            _ => return Err("has either field or literal".to_owned()),
        }
        if let Some(title) = &self.title {
            literal(title, MAX_TEXT)?;
        }
        if self.width.is_some_and(|width| width == 0 || width > MAX_WIDTH) {
            return Err(format!("width is 1 to {MAX_WIDTH} bytes"));
        }
        if self.pad.is_some() && self.width.is_none() {
            return Err("pad needs width".to_owned());
        }
        Ok(())
    }
}

fn literal(text: &str, most: usize) -> Result<(), String> {
    if text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(format!("a text has at most {most} characters and no control characters"));
    }
    Ok(())
}

fn broken(place: &str, problem: impl Into<String>) -> DocumentError {
    DocumentError::Template { place: place.to_owned(), problem: problem.into() }
}
