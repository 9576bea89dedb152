//! The mapping: what the columns of a table mean. Every merchant's export is different, so the file's owner
//! says once which column is what; nothing is guessed, and a row that does not fit is an error.

use std::collections::HashSet;

use domain::{Currency, Timestamp};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::{
    Limits, Line, LineStatus, Statement,
    dates::Moments,
    decimal::{self, Notation},
    error::{FileError, Result},
    table::{SPOILT, Table},
};

/// How the text of a file is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// GB18030, and with it GBK and GB2312.
    Gb18030,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Column {
    /// By its number, 1 for the first.
    Number(u16),
    /// By its name in the header.
    Name(String),
}

/// Which column is what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// What the line is called by.
    pub reference: Option<Column>,
    /// How much. Either this, or `credit` and `debit`.
    pub amount: Option<Column>,
    /// How much came in.
    pub credit: Option<Column>,
    /// How much went out.
    pub debit: Option<Column>,
    /// When, or on which day.
    pub at: Option<Column>,
    /// The time of day, where it has a column of its own.
    pub time: Option<Column>,
    /// What kind of thing it is, by which its sign is known.
    pub kind: Option<Column>,
    /// What became of it.
    pub status: Option<Column>,
    /// Its currency.
    pub currency: Option<Column>,
}

/// The unit of the amounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AmountUnit {
    /// Yuan and fen: `12.50`.
    #[default]
    Decimal,
    /// Fen: `1250`.
    Minor,
}

/// The values of the column `kind`, and which way their money goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kinds {
    /// Sales: the amount counts as it stands.
    pub plus: Vec<String>,
    /// Refunds: the amount counts against, whether or not it is written with a minus.
    pub minus: Vec<String>,
}

/// The values of the column `status`, and what they mean.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Statuses {
    /// It is done.
    pub succeeded: Vec<String>,
    /// It did not happen.
    pub failed: Vec<String>,
    /// It is not yet known.
    pub pending: Vec<String>,
}

/// What a table's columns mean.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// How the text is encoded; sheets need none.
    pub encoding: Encoding,
    /// What separates values: `,` unless given. One character.
    pub delimiter: Option<char>,
    /// The name of the sheet; the first one unless given.
    pub sheet: Option<String>,
    /// Lines before the header, or before the data where there is no header.
    pub skip_lines: u32,
    /// Whether there is no header, so that columns go by number.
    pub no_header: bool,
    /// What lines begin with that say nothing about money: comments, totals.
    pub passed_over: Vec<String>,
    /// Which column is what.
    pub columns: Columns,
    /// The unit of the amounts.
    pub unit: AmountUnit,
    /// What stands before the decimals: `.` unless given.
    pub decimal_point: Option<char>,
    /// What stands between groups of three digits, where anything does.
    pub group_separator: Option<char>,
    /// Which kinds count against. Without it the sign of the amount decides.
    pub kinds: Option<Kinds>,
    /// Which statuses there are. Without it every line succeeded.
    pub statuses: Option<Statuses>,
    /// How moments are written, in the notation of strftime, or `rfc3339`. The first that fits counts.
    pub date_formats: Vec<String>,
    /// The time zone of moments without an offset, such as `Asia/Shanghai`; the issuer's unless given.
    pub time_zone: Option<String>,
}

/// Formats of dates at most; each costs an attempt on every line.
const DATE_FORMATS: usize = 8;

impl Mapping {
    /// What is wrong with the mapping itself, before any file is read.
    pub fn check(&self) -> Result<()> {
        let columns = &self.columns;
        let wrong = |text: &str| Err(FileError::settings(text));
        match (&columns.amount, &columns.credit, &columns.debit) {
            (Some(_), None, None) | (None, Some(_), Some(_)) => {}
            _ => return wrong("the mapping needs columns.amount, or columns.credit and columns.debit"),
        }
        if columns.at.is_none() {
            return wrong("the mapping needs columns.at: the column that says when");
        }
        if columns.kind.is_some() != self.kinds.is_some() {
            return wrong("columns.kind and kinds go together: the column, and what its values mean");
        }
        if columns.status.is_some() != self.statuses.is_some() {
            return wrong("columns.status and statuses go together: the column, and what its values mean");
        }
        if columns.credit.is_some() && columns.kind.is_some() {
            return wrong("credit and debit columns say the sign already; leave out columns.kind");
        }
        if self.date_formats.len() > DATE_FORMATS {
            return wrong("there are more than 8 date formats");
        }
        if self.passed_over.iter().any(String::is_empty) {
            return wrong("an empty text in passed_over would pass over every line");
        }
        if self.decimal_point.unwrap_or('.') == self.group_separator.unwrap_or('\0') {
            return wrong("decimal_point and group_separator are the same");
        }
        self.separator().map(|_| ())
    }

    pub(crate) fn separator(&self) -> Result<char> {
        match self.delimiter.unwrap_or(',') {
            '"' | '\n' | '\r' => Err(FileError::settings("the delimiter cannot be a quote or a line break")),
            c => Ok(c),
        }
    }

    fn notation(&self) -> Notation {
        Notation { point: self.decimal_point.unwrap_or('.'), group: self.group_separator }
    }

    fn moments(&self, zone: &TimeZone, also: &[&str]) -> Result<Moments> {
        let zone = match &self.time_zone {
            None => zone.clone(),
            Some(name) => TimeZone::get(name).map_err(|_| {
                FileError::settings("time_zone is not a zone of the IANA database, such as Asia/Shanghai")
            })?,
        };
        let mut formats = self.date_formats.clone();
        if formats.is_empty() {
            formats = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d", crate::dates::RFC_3339].map(str::to_owned).to_vec();
        }
        formats.extend(also.iter().map(|&format| format.to_owned()));
        Ok(Moments::new(formats, zone))
    }
}

/// Formats in which dates come out of a sheet's own date cells.
pub(crate) const SHEET_DATES: &[&str] = &["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d"];

/// A column that was found in the header.
#[derive(Clone)]
struct Found {
    index: usize,
    name: String,
}

struct Places {
    reference: Option<Found>,
    amount: Option<Found>,
    credit: Option<Found>,
    debit: Option<Found>,
    at: Found,
    time: Option<Found>,
    kind: Option<Found>,
    status: Option<Found>,
    currency: Option<Found>,
}

/// Reads a table's rows as lines.
pub(crate) fn lines(
    table: &mut dyn Table,
    mapping: &Mapping,
    (currency, zone): (Currency, &TimeZone),
    also_dates: &[&str],
    limits: &Limits,
) -> Result<Statement> {
    mapping.check()?;
    let mut statement = Statement::new(currency);
    let mut row = Vec::new();
    for _ in 0..mapping.skip_lines {
        if table.next(&mut row)?.is_none() {
            return Err(FileError::malformed("the file ends within skip_lines; it has no header"));
        }
    }
    statement.passed_over = mapping.skip_lines;
    let places = header(table, mapping, &mut row, &mut statement)?;
    let reading = Reading {
        mapping,
        places: &places,
        currency,
        moments: mapping.moments(zone, also_dates)?,
        kinds: mapping.kinds.as_ref().map(signs),
        statuses: mapping.statuses.as_ref().map(meanings),
        width: if mapping.no_header { None } else { Some(row.len()) },
    };
    while let Some(place) = table.next(&mut row)? {
        if passes_over(mapping, &row) {
            statement.passed_over = statement.passed_over.saturating_add(1);
            continue;
        }
        let line = reading.line(place, &row).map_err(|error| error.at(place))?;
        statement.push(limits, line)?;
    }
    Ok(statement)
}

fn passes_over(mapping: &Mapping, row: &[String]) -> bool {
    let empty = row.iter().all(|value| value.trim().is_empty());
    let first = row.first().map_or("", |value| value.trim_start());
    empty || mapping.passed_over.iter().any(|begin| first.starts_with(begin.as_str()))
}

fn header(
    table: &mut dyn Table,
    mapping: &Mapping,
    row: &mut Vec<String>,
    statement: &mut Statement,
) -> Result<Places> {
    let mut names: Option<(u32, Vec<String>)> = None;
    while !mapping.no_header && names.is_none() {
        let Some(place) = table.next(row)? else {
            return Err(FileError::malformed(
                "the file has no header; set no_header and give columns by number",
            ));
        };
        statement.passed_over = statement.passed_over.saturating_add(1);
        if !passes_over(mapping, row) {
            names = Some((place, row.iter().map(|name| name.trim().to_owned()).collect()));
        }
    }
    let find =
        |column: &Option<Column>| column.as_ref().map(|column| find(column, names.as_ref())).transpose();
    let columns = &mapping.columns;
    Ok(Places {
        reference: find(&columns.reference)?,
        amount: find(&columns.amount)?,
        credit: find(&columns.credit)?,
        debit: find(&columns.debit)?,
        at: find(&columns.at)?.ok_or_else(|| FileError::settings("the mapping needs columns.at"))?,
        time: find(&columns.time)?,
        kind: find(&columns.kind)?,
        status: find(&columns.status)?,
        currency: find(&columns.currency)?,
    })
}

fn find(column: &Column, names: Option<&(u32, Vec<String>)>) -> Result<Found> {
    match (column, names) {
        (Column::Number(0), _) => Err(FileError::settings("columns are numbered from 1")),
        (Column::Number(number), None) => {
            Ok(Found { index: usize::from(number - 1), name: number.to_string() })
        }
        (Column::Number(number), Some((place, names))) => {
            let index = usize::from(number - 1);
            let name = names.get(index).ok_or_else(|| {
                let text = format!(
                    "the mapping names a column that the header does not have: it has {}",
                    names.len()
                );
                FileError::settings(text).at(*place).column(number.to_string())
            })?;
            Ok(Found { index, name: if name.is_empty() { number.to_string() } else { name.clone() } })
        }
        (Column::Name(name), None) => {
            Err(FileError::settings("without a header, columns go by number").column(name.clone()))
        }
        (Column::Name(name), Some((place, names))) => {
            let mut found = names.iter().enumerate().filter(|(_, have)| *have == name.trim());
            let wrong = |text: &str| Err(FileError::settings(text).at(*place).column(name.clone()));
            match (found.next(), found.next()) {
                (Some((index, _)), None) => Ok(Found { index, name: name.clone() }),
                (Some(_), Some(_)) => wrong("the header has this name twice; give the column's number"),
                (None, _) => {
                    wrong("the header has no such column; check the name, skip_lines and the delimiter")
                }
            }
        }
    }
}

/// What the rows are read by.
struct Reading<'a> {
    mapping: &'a Mapping,
    places: &'a Places,
    currency: Currency,
    moments: Moments,
    kinds: Option<HashSet<(&'a str, bool)>>,
    statuses: Option<Vec<(&'a str, LineStatus)>>,
    width: Option<usize>,
}

fn signs(kinds: &Kinds) -> HashSet<(&str, bool)> {
    let plus = kinds.plus.iter().map(|kind| (kind.as_str(), false));
    plus.chain(kinds.minus.iter().map(|kind| (kind.as_str(), true))).collect()
}

fn meanings(statuses: &Statuses) -> Vec<(&str, LineStatus)> {
    let mut all: Vec<(&str, LineStatus)> = Vec::new();
    all.extend(statuses.succeeded.iter().map(|s| (s.as_str(), LineStatus::Succeeded)));
    all.extend(statuses.failed.iter().map(|s| (s.as_str(), LineStatus::Failed)));
    all.extend(statuses.pending.iter().map(|s| (s.as_str(), LineStatus::Pending)));
    all
}

impl Reading<'_> {
    fn line(&self, place: u32, row: &[String]) -> Result<Line> {
        self.fits(row)?;
        let places = self.places;
        let (from, to) = self.moment(row)?;
        let reference = places.reference.as_ref().map_or(Ok(""), |column| text(row, column))?;
        self.same_currency(row)?;
        Ok(Line {
            number: 0,
            place,
            reference: unwrapped(reference).into(),
            amount: self.amount(row)?,
            from,
            to,
            status: self.status(row)?,
        })
    }

    /// A row that is shorter or longer than the header has lost a separator, or has one too many. Empty
    /// values at the end are common and mean nothing.
    fn fits(&self, row: &[String]) -> Result<()> {
        let Some(width) = self.width else { return Ok(()) };
        let extra = row.get(width..).unwrap_or_default().iter().any(|value| !value.trim().is_empty());
        if extra || row.len() < width {
            let text = format!(
                "the line has {} values and the header {width}; a separator within a value needs quotes, and the \
                 beginnings of lines that are totals go into passed_over",
                row.len()
            );
            return Err(FileError::malformed(text));
        }
        Ok(())
    }

    fn moment(&self, row: &[String]) -> Result<(Timestamp, Timestamp)> {
        let at = &self.places.at;
        let date = text(row, at)?;
        let parsed = match &self.places.time {
            None => self.moments.parse(date),
            Some(time) => self.moments.parse(&format!("{date} {}", text(row, time)?)),
        };
        parsed.map_err(|says| FileError::value(says).column(at.name.clone()))
    }

    fn amount(&self, row: &[String]) -> Result<i64> {
        let places = self.places;
        let Some(column) = &places.amount else { return self.either_side(row) };
        let amount = self.number(row, column)?;
        let (Some(kinds), Some(kind)) = (&self.kinds, &places.kind) else { return Ok(amount) };
        let value = text(row, kind)?;
        match (kinds.contains(&(value, false)), kinds.contains(&(value, true))) {
            (true, false) => Ok(amount),
            (false, true) => Ok(-amount.abs()),
            (false, false) => {
                Err(FileError::value("the kind is neither in kinds.plus nor in kinds.minus; add it")
                    .column(kind.name.clone()))
            }
            (true, true) => Err(FileError::settings("a kind is in kinds.plus and in kinds.minus")),
        }
    }

    /// Bank statements: one column for what came in, another for what went out. One of them has a value.
    fn either_side(&self, row: &[String]) -> Result<i64> {
        let (Some(credit), Some(debit)) = (&self.places.credit, &self.places.debit) else { return Ok(0) };
        let side = |column: &Found| match text(row, column)? {
            "" | "-" => Ok(0),
            _ => self.number(row, column),
        };
        match (side(credit)?, side(debit)?) {
            (0, 0) => {
                let text = "neither the credit nor the debit column has an amount; pass the line over if it is no booking";
                Err(FileError::value(text).column(credit.name.clone()))
            }
            (credit, 0) => Ok(credit),
            (0, debit) => Ok(-debit.abs()),
            _ => Err(FileError::value("both the credit and the debit column have an amount")
                .column(debit.name.clone())),
        }
    }

    fn number(&self, row: &[String], column: &Found) -> Result<i64> {
        let places = match self.mapping.unit {
            AmountUnit::Decimal => u32::from(self.currency.exponent()),
            AmountUnit::Minor => 0,
        };
        let parsed = decimal::parse(unwrapped(text(row, column)?), places, self.mapping.notation());
        parsed.map_err(|says| FileError::value(says).column(column.name.clone()))
    }

    fn status(&self, row: &[String]) -> Result<LineStatus> {
        let (Some(statuses), Some(column)) = (&self.statuses, &self.places.status) else {
            return Ok(LineStatus::Succeeded);
        };
        let value = text(row, column)?;
        statuses.iter().find(|(name, _)| *name == value).map(|(_, status)| *status).ok_or_else(|| {
            FileError::value("the status is in none of the lists of statuses; add it to one")
                .column(column.name.clone())
        })
    }

    fn same_currency(&self, row: &[String]) -> Result<()> {
        let Some(column) = &self.places.currency else { return Ok(()) };
        if text(row, column)? == self.currency.code() {
            return Ok(());
        }
        let text =
            format!("the line is not in {}; reconcile each currency in a file of its own", self.currency);
        Err(FileError::value(text).column(column.name.clone()))
    }
}

fn text<'a>(row: &'a [String], column: &Found) -> Result<&'a str> {
    let missing = || FileError::malformed("the line has no such column").column(column.name.clone());
    let value = row.get(column.index).ok_or_else(missing)?.trim();
    match value.strip_prefix(SPOILT) {
        None => Ok(value),
        Some(says) => Err(FileError::value(says).column(column.name.clone())),
    }
}

/// Chinese exports write `="00123"` so that a spreadsheet leaves the digits alone. It is not evaluated.
fn unwrapped(value: &str) -> &str {
    value.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}
