//! Lines of text out of bytes: decoded, counted and bounded. In UTF-8 and GB18030 alike no byte of a longer
//! character looks like a line break, so lines are cut first and decoded one by one.

use std::io::{BufRead, BufReader, Read};

use crate::{
    Encoding, Limits,
    error::{FileError, Result},
};

/// A file's lines.
pub(crate) struct TextLines<R> {
    bytes: BufReader<R>,
    encoding: Encoding,
    line_bytes: usize,
    line: u32,
    buffer: Vec<u8>,
}

impl<R: Read> TextLines<R> {
    pub(crate) fn new(bytes: R, encoding: Encoding, limits: &Limits) -> Self {
        let bytes = BufReader::with_capacity(64 << 10, bytes);
        Self { bytes, encoding, line_bytes: limits.line_bytes, line: 0, buffer: Vec::new() }
    }

    /// The number of the line that was read last.
    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    /// Reads the next line, without its end, into `text`. `false` at the end of the file.
    pub(crate) fn next(&mut self, text: &mut String) -> Result<bool> {
        self.buffer.clear();
        text.clear();
        let bound = u64::try_from(self.line_bytes).unwrap_or(u64::MAX);
        let read = (&mut self.bytes).take(bound.saturating_add(1)).read_until(b'\n', &mut self.buffer);
        if read.map_err(|error| FileError::io(&error))? == 0 {
            return Ok(false);
        }
        self.line = self.line.saturating_add(1);
        if self.buffer.len() > self.line_bytes {
            let text = format!("the line is longer than {} bytes; is this a text file?", self.line_bytes);
            return Err(FileError::too_large(text).at(self.line));
        }
        let mut line = self.buffer.as_slice();
        line = line.strip_suffix(b"\n").unwrap_or(line);
        line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.line == 1 {
            line = without_mark(line, self.encoding)?;
        }
        decode(line, self.encoding, text).map_err(|error| error.at(self.line))?;
        Ok(true)
    }
}

/// Takes a byte order mark off the first line.
fn without_mark(line: &[u8], encoding: Encoding) -> Result<&[u8]> {
    if line.starts_with(b"\xFF\xFE") || line.starts_with(b"\xFE\xFF") {
        return Err(FileError::malformed("the file is UTF-16; save it as CSV UTF-8").at(1));
    }
    if let Some(rest) = line.strip_prefix(b"\xEF\xBB\xBF") {
        return match encoding {
            Encoding::Utf8 => Ok(rest),
            Encoding::Gb18030 => {
                Err(FileError::settings("the file begins with the mark of UTF-8; set encoding to utf-8")
                    .at(1))
            }
        };
    }
    Ok(line.strip_prefix(b"\x84\x31\x95\x33").unwrap_or(line))
}

fn decode(line: &[u8], encoding: Encoding, text: &mut String) -> Result<()> {
    match encoding {
        Encoding::Utf8 => {
            let valid = std::str::from_utf8(line).map_err(|_| {
                FileError::malformed("the line is not UTF-8; set encoding to gb18030 if the file is GBK")
            })?;
            text.push_str(valid);
        }
        Encoding::Gb18030 => {
            let decoded = encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(line);
            let decoded = decoded.ok_or_else(|| {
                FileError::malformed("the line is not GB18030; set encoding to utf-8 if the file is UTF-8")
            })?;
            text.push_str(&decoded);
        }
    }
    // A tab is a separator; every other control character means that this is not text.
    if text.chars().any(|c| c.is_control() && c != '\t') {
        return Err(FileError::malformed("the line has control characters; is this a text file?"));
    }
    Ok(())
}

/// Fails once more bytes than `left` have been read.
pub(crate) struct Bounded<R> {
    inner: R,
    left: u64,
    what: &'static str,
}

impl<R> Bounded<R> {
    pub(crate) fn new(inner: R, bytes: u64, what: &'static str) -> Self {
        Self { inner, left: bytes, what }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let size = u64::try_from(read).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(size).ok_or_else(|| {
            std::io::Error::other(FileError::too_large(format!("{}; split the file by day", self.what)))
        })?;
        Ok(read)
    }
}
