//! Sheets. A workbook is an archive, so what it unpacks to is measured first; then its cells are read row by
//! row. Numbers are taken as a spreadsheet shows them, to 15 digits: it has no more.

use std::io::{Read, Seek, SeekFrom};

use calamine::{Data, DataRef, Reader, Xlsx, XlsxCellReader};
use domain::Currency;
use jiff::tz::TimeZone;
use zip::ZipArchive;

use crate::{
    Limits, Mapping, Statement,
    error::{FileError, Result},
    mapping::{self, SHEET_DATES},
    table::{SPOILT, Table},
    text::Bounded,
};

/// Entries of a workbook, at most.
const ENTRIES: usize = 1_000;

/// Reads a sheet.
pub(crate) fn read<R: Read + Seek>(
    mut file: R,
    mapping: &Mapping,
    context: (Currency, &TimeZone),
    limits: &Limits,
) -> Result<Statement> {
    mapping.check()?;
    measure(&mut file, limits)?;
    let mut book: Xlsx<R> = Xlsx::new(file).map_err(|_| damaged())?;
    let names = book.sheet_names();
    let name = match &mapping.sheet {
        None => names.first().cloned().ok_or_else(damaged)?,
        Some(name) if names.contains(name) => name.clone(),
        Some(name) => {
            return Err(FileError::settings("the workbook has no sheet of this name").column(name.clone()));
        }
    };
    let cells = book.worksheet_cells_reader(&name).map_err(|_| damaged())?;
    let mut sheet = Sheet { cells, waiting: None, ended: false, limits: *limits };
    mapping::lines(&mut sheet, mapping, context, SHEET_DATES, limits)
}

fn damaged() -> FileError {
    FileError::malformed("the workbook is damaged, encrypted or not XLSX; save it again as XLSX or CSV UTF-8")
}

/// Unpacks everything once without keeping it: sizes that an archive states need not be true.
fn measure<R: Read + Seek>(file: &mut R, limits: &Limits) -> Result<()> {
    let size = file.seek(SeekFrom::End(0)).map_err(|error| FileError::io(&error))?;
    if size > limits.file_bytes {
        return Err(FileError::too_large("the file is too large; split it by day"));
    }
    file.rewind().map_err(|error| FileError::io(&error))?;
    let mut archive = ZipArchive::new(&mut *file).map_err(|_| damaged())?;
    if archive.len() > ENTRIES {
        return Err(FileError::too_large("the workbook has more than 1000 parts"));
    }
    // Cells and shared texts take several times their size in memory.
    let mut left = limits.unzipped_bytes / 4;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|_| damaged())?;
        let mut entry = Bounded::new(entry, left, "the workbook unpacks to too much; save it as CSV UTF-8");
        let unpacked =
            std::io::copy(&mut entry, &mut std::io::sink()).map_err(|error| match FileError::io(&error) {
                error if error.problem == crate::Problem::Unreadable => damaged(),
                error => error,
            })?;
        left = left.saturating_sub(unpacked);
    }
    drop(archive);
    file.rewind().map_err(|error| FileError::io(&error))
}

struct Sheet<'a, RS: Read + Seek> {
    cells: XlsxCellReader<'a, RS>,
    /// The first cell of the row after the one that was read.
    waiting: Option<(u32, usize, String)>,
    /// Past the last cell its reader takes the rest of the part for damaged.
    ended: bool,
    limits: Limits,
}

impl<RS: Read + Seek> Sheet<'_, RS> {
    fn cell(&mut self) -> Result<Option<(u32, usize, String)>> {
        if let Some(cell) = self.waiting.take() {
            return Ok(Some(cell));
        }
        if self.ended {
            return Ok(None);
        }
        let Some(cell) = self.cells.next_cell().map_err(|_| damaged())? else {
            self.ended = true;
            return Ok(None);
        };
        let (row, column) = cell.get_position();
        let place = row.saturating_add(1);
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if column >= self.limits.fields {
            let text = format!("there are more than {} columns", self.limits.fields);
            return Err(FileError::too_large(text).at(place));
        }
        let value = shown(cell.get_value());
        if value.len() > self.limits.field_bytes {
            let text = format!("a value is longer than {} bytes", self.limits.field_bytes);
            return Err(FileError::too_large(text).at(place).column((column + 1).to_string()));
        }
        Ok(Some((place, column, value)))
    }
}

impl<RS: Read + Seek> Table for Sheet<'_, RS> {
    fn next(&mut self, row: &mut Vec<String>) -> Result<Option<u32>> {
        row.clear();
        let mut place = None;
        while let Some((at, column, value)) = self.cell()? {
            if place.is_some_and(|place| place != at) {
                self.waiting = Some((at, column, value));
                break;
            }
            place = Some(at);
            if row.len() <= column {
                row.resize(column + 1, String::new());
            }
            row[column] = value;
        }
        Ok(place)
    }
}

/// A cell as text, or why it cannot be one.
fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => cleaned(text),
        DataRef::SharedString(text) => cleaned(text),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => decimal(*number),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
            let time = format!("{hour:02}:{minute:02}:{second:02}.{milli:03}");
            // A cell with a time only counts from day 0; one with a date only stands at midnight.
            if year < 1900 {
                return time;
            }
            let date = format!("{year:04}-{month:02}-{day:02}");
            if (hour, minute, second, milli) == (0, 0, 0, 0) { date } else { format!("{date} {time}") }
        }
        DataRef::DateTimeIso(text) => cleaned(&text.replace('T', " ")),
        other => match Data::from(other.clone()) {
            Data::Error(_) => spoilt("the cell holds an error of the spreadsheet; mend the sheet"),
            _ => spoilt("the cell holds a duration, not a text, number or date"),
        },
    }
}

fn spoilt(says: &str) -> String {
    format!("{SPOILT}{says}")
}

fn cleaned(text: &str) -> String {
    if text.chars().any(|c| c == SPOILT) {
        spoilt("the cell has control characters")
    } else {
        text.to_owned()
    }
}

/// A number as a spreadsheet shows it. Beyond 15 digits it has already lost some.
fn decimal(number: f64) -> String {
    let written = format!("{number:.14e}");
    let Some((mantissa, exponent)) = written.split_once('e') else {
        return spoilt("the cell's number is not finite");
    };
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = digits.chars().filter(|c| *c != '.').collect();
    match exponent.parse::<i32>() {
        Ok(power @ 0..=14) => {
            let (whole, fraction) = digits.split_at(usize::try_from(power + 1).unwrap_or(0));
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
        }
        Ok(power @ -14..=-1) => {
            let zeros = "0".repeat(usize::try_from(-power - 1).unwrap_or(0));
            format!("{sign}0.{zeros}{}", digits.trim_end_matches('0'))
        }
        _ => spoilt(
            "the cell's number has more than 15 digits, and the spreadsheet has rounded it; format the \
                     column as text before entering it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_they_are_shown() {
        let check = |number: f64, text: &str| assert_eq!(decimal(number), text);
        check(0.0, "0");
        check(19.9, "19.9");
        check(0.1 + 0.2, "0.3");
        check(-0.01, "-0.01");
        check(100_000_000_000_000.0, "100000000000000");
        check(20_260_101.0, "20260101");
        assert!(decimal(1e15).starts_with(SPOILT));
        assert!(decimal(f64::NAN).starts_with(SPOILT));
        assert!(decimal(1e300).starts_with(SPOILT));
    }
}
