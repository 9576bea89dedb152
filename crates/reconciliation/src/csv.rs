//! Records of separated values (RFC 4180), with the bounds and line numbers that files from outside need.
//! A quote that is never closed would swallow the rest of a file into one value, so it is an error.

use std::io::Read;

use crate::{
    Encoding, Limits,
    error::{FileError, Result},
    table::Table,
    text::TextLines,
};

/// A file of separated values.
pub(crate) struct Csv<R> {
    lines: TextLines<R>,
    delimiter: char,
    limits: Limits,
    text: String,
}

impl<R: Read> Csv<R> {
    pub(crate) fn new(bytes: R, encoding: Encoding, delimiter: char, limits: &Limits) -> Self {
        let lines = TextLines::new(bytes, encoding, limits);
        Self { lines, delimiter, limits: *limits, text: String::new() }
    }

    /// Splits the text on hand, reading on where a quoted value has line breaks.
    fn split(&mut self, row: &mut Vec<String>) -> Result<()> {
        let mut fields = Fields::new(row, &self.limits);
        let start = self.lines.line();
        let mut quoted = false;
        loop {
            quoted = fields.take(&self.text, self.delimiter, quoted).map_err(|error| error.at(start))?;
            if !quoted {
                fields.finish();
                return Ok(());
            }
            if !self.lines.next(&mut self.text)? {
                let text = "a quote is opened and never closed: the file is cut off, or a value has a quote \
                            that is not doubled";
                return Err(FileError::malformed(text).at(start));
            }
            fields.push_char('\n').map_err(|error| error.at(start))?;
        }
    }
}

impl<R: Read> Table for Csv<R> {
    fn next(&mut self, row: &mut Vec<String>) -> Result<Option<u32>> {
        if !self.lines.next(&mut self.text)? {
            return Ok(None);
        }
        let line = self.lines.line();
        self.split(row)?;
        Ok(Some(line))
    }
}

/// The values of one record, in the memory of the last one.
struct Fields<'a> {
    row: &'a mut Vec<String>,
    /// Values that are complete; the one after them is being filled.
    done: usize,
    limits: &'a Limits,
    /// Whether the value on hand was quoted, so that what follows its quote can be judged.
    closed: bool,
}

impl<'a> Fields<'a> {
    fn new(row: &'a mut Vec<String>, limits: &'a Limits) -> Self {
        let mut fields = Self { row, done: 0, limits, closed: false };
        fields.open();
        fields
    }

    fn open(&mut self) {
        if self.row.len() == self.done {
            self.row.push(String::new());
        }
        self.row[self.done].clear();
        self.closed = false;
    }

    fn push_char(&mut self, c: char) -> Result<()> {
        let value = &mut self.row[self.done];
        value.push(c);
        if value.len() > self.limits.field_bytes {
            let text =
                format!("a value is longer than {} bytes; is a quote missing?", self.limits.field_bytes);
            return Err(FileError::too_large(text).column((self.done + 1).to_string()));
        }
        Ok(())
    }

    fn end_value(&mut self) -> Result<()> {
        self.done += 1;
        if self.done >= self.limits.fields {
            let text = format!("there are more than {} values in one line", self.limits.fields);
            return Err(FileError::too_large(text));
        }
        self.open();
        Ok(())
    }

    /// Takes one line of text in. Returns whether it ends within quotes.
    fn take(&mut self, text: &str, delimiter: char, mut quoted: bool) -> Result<bool> {
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '"' if quoted && rest.peek() == Some(&'"') => {
                    rest.next();
                    self.push_char('"')?;
                }
                '"' if quoted => (quoted, self.closed) = (false, true),
                _ if quoted => self.push_char(c)?,
                '"' if !self.closed && self.row[self.done].is_empty() => quoted = true,
                _ if c == delimiter => self.end_value()?,
                _ if self.closed && !c.is_whitespace() => {
                    let text = "a value goes on after its closing quote; double the quotes within a value";
                    return Err(FileError::malformed(text).column((self.done + 1).to_string()));
                }
                _ => self.push_char(c)?,
            }
        }
        Ok(quoted)
    }

    fn finish(self) {
        self.row.truncate(self.done + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> std::result::Result<Vec<(u32, Vec<String>)>, String> {
        let limits = Limits { line_bytes: 40, field_bytes: 12, fields: 4, ..Limits::default() };
        let mut csv = Csv::new(text.as_bytes(), Encoding::Utf8, ',', &limits);
        let (mut row, mut all) = (Vec::new(), Vec::new());
        while let Some(line) = csv.next(&mut row).map_err(|error| error.to_string())? {
            all.push((line, row.clone()));
        }
        Ok(all)
    }

    #[test]
    fn values_quotes_and_line_breaks() {
        let read = rows("\u{feff}a,b\r\n\"x,\"\"y\"\"\",\"1\n2\"\n,\n=\"1\",b\"c").expect("good");
        let expect: [(u32, &[&str]); 4] =
            [(1, &["a", "b"]), (2, &["x,\"y\"", "1\n2"]), (4, &["", ""]), (5, &["=\"1\"", "b\"c"])];
        let read: Vec<(u32, Vec<&str>)> =
            read.iter().map(|(n, row)| (*n, row.iter().map(String::as_str).collect())).collect();
        assert_eq!(read, expect.map(|(n, row)| (n, row.to_vec())));
    }

    #[test]
    fn what_is_refused_names_its_line() {
        let check = |text: &str, says: &str| {
            let error = rows(text).expect_err(text);
            assert!(error.starts_with(says), "{error}");
        };
        check("a,b\nc,\"d\ne,f\n", "line 2: a quote is opened and never closed");
        check("a\n\"b\"c\n", "line 2, column 1: a value goes on");
        check("1,2,3,4,5\n", "line 1: there are more than 4 values");
        check("a\n1234567890123\n", "line 2, column 1: a value is longer than 12 bytes");
        check(&"x".repeat(41), "line 1: the line is longer than 40 bytes");
        check("a\0b", "line 1: the line has control characters");
        let bytes: &[u8] = b"a\n\xff\xff\n";
        let mut csv = Csv::new(bytes, Encoding::Utf8, ',', &Limits::default());
        let mut row = Vec::new();
        assert!(csv.next(&mut row).is_ok());
        assert!(
            csv.next(&mut row)
                .expect_err("not UTF-8")
                .to_string()
                .starts_with("line 2: the line is not UTF-8")
        );
    }
}
