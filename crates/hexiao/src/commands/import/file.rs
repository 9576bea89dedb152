//! Reading the file: bounded, digested on the way, with line numbers.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use csv::StringRecord;
use sha2::{Digest, Sha256};

use crate::failure::{Failure, Result};

/// The most rows of a file: 16 bytes of each are kept in memory.
pub(super) const MAX_ROWS: u64 = 5_000_000;
/// The longest line. Without this bound, a file of a single line would be read whole.
const MAX_LINE_BYTES: usize = 64 << 10;
const BUFFER_BYTES: usize = 1 << 20;

/// The columns, by position in the file.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    positions: [Option<usize>; NAMES.len()],
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    Number,
    Balance,
    Currency,
    ExpiresAt,
    State,
    Pin,
    Reference,
}

const NAMES: [&str; 7] = ["number", "balance", "currency", "expires_at", "state", "pin", "reference"];
const REQUIRED: usize = 2;

impl Columns {
    fn of(header: &StringRecord) -> Result<Self> {
        let mut positions = [None; NAMES.len()];
        for (position, name) in header.iter().enumerate() {
            let name = name.trim();
            let Some(column) = NAMES.iter().position(|known| *known == name) else {
                return Err(Failure::new(format!(
                    "line 1: column {} is called {:?}; the columns are {}",
                    position + 1,
                    shortened(name),
                    NAMES.join(", ")
                )));
            };
            if positions[column].replace(position).is_some() {
                return Err(Failure::new(format!("line 1: there are two columns {name}")));
            }
        }
        match positions.iter().take(REQUIRED).position(Option::is_none) {
            None => Ok(Self { positions }),
            Some(missing) => Err(Failure::new(format!("line 1: the column {} is missing", NAMES[missing]))),
        }
    }

    /// A field of a row, empty where the file has no such column.
    pub(super) fn field<'r>(&self, record: &'r StringRecord, column: Column) -> &'r str {
        let position = self.positions[column as usize];
        position.and_then(|position| record.get(position)).unwrap_or_default().trim()
    }
}

/// A header that may be anything, such as a number where the header is missing: never quoted at length.
fn shortened(name: &str) -> String {
    if name.chars().any(|c| c.is_ascii_digit()) { "…".to_owned() } else { name.chars().take(20).collect() }
}

/// A file that is being read row by row.
pub(super) struct Rows {
    reader: csv::Reader<Digested<Bounded<BufReader<File>>>>,
    columns: Columns,
    record: StringRecord,
    count: u64,
}

impl Rows {
    /// Opens the file and reads its line of names.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Failure::from(e).while_doing(&path.display().to_string()))?;
        let bounded = Bounded { inner: BufReader::with_capacity(BUFFER_BYTES, file), since_line: 0 };
        let digested = Digested { inner: bounded, digest: Sha256::new() };
        let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(digested);
        let header = reader.headers().map_err(|error| unreadable(&error))?;
        let columns = Columns::of(&without_mark(header))?;
        Ok(Self { reader, columns, record: StringRecord::new(), count: 0 })
    }

    /// The next row with its line; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &Columns, &StringRecord)>> {
        let more = self.reader.read_record(&mut self.record).map_err(|error| unreadable(&error))?;
        if !more {
            return Ok(None);
        }
        self.count += 1;
        if self.count > MAX_ROWS {
            return Err(Failure::new(format!("the file has more than {MAX_ROWS} rows; split it")));
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        Ok(Some((line, &self.columns, &self.record)))
    }

    /// The digest of what was read: of all of it, after the last row.
    pub(super) fn digest(self) -> [u8; 32] {
        self.reader.into_inner().digest.finalize().into()
    }
}

/// Excel begins UTF-8 files with a byte order mark.
fn without_mark(header: &StringRecord) -> StringRecord {
    header.iter().map(|name| name.trim_start_matches('\u{feff}')).collect()
}

/// Never quotes the line: it may hold a card number.
fn unreadable(error: &csv::Error) -> Failure {
    let line = error.position().map_or(0, csv::Position::line);
    Failure::new(match error.kind() {
        csv::ErrorKind::Io(error) => format!("cannot read the file: {error}"),
        csv::ErrorKind::Utf8 { .. } => format!("line {line}: not UTF-8; save the file as CSV in UTF-8"),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("line {line}: has {len} fields, but line 1 names {expected_len} columns")
        }
        _ => format!("line {line}: not CSV"),
    })
}

/// Refuses lines that are too long.
struct Bounded<R> {
    inner: R,
    since_line: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        for line in buffer[..read].split_inclusive(|byte| *byte == b'\n') {
            self.since_line += line.len();
            if self.since_line > MAX_LINE_BYTES {
                return Err(io::Error::other(format!("a line is longer than {MAX_LINE_BYTES} bytes")));
            }
            if line.ends_with(b"\n") {
                self.since_line = 0;
            }
        }
        Ok(read)
    }
}

/// Digests what goes by.
struct Digested<R> {
    inner: R,
    digest: Sha256,
}

impl<R: Read> Read for Digested<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}
