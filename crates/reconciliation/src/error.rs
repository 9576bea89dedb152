//! What is wrong with a file, where, and what to do about it. Values are never quoted: a column that was
//! mapped wrongly may hold card numbers.

use std::io;

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// More of something than is taken in.
    TooLarge,
    /// The file is not of the format that was named, or it is cut off.
    Malformed,
    /// A value cannot be read as what it should be.
    Value,
    /// The file's own totals do not agree with its lines.
    Totals,
    /// The settings do not fit the file, or each other.
    Settings,
    /// The file could not be read.
    Unreadable,
}

/// A file was refused. Nothing of it is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{text}", self.place())]
pub struct FileError {
    /// What kind of thing is wrong.
    pub problem: Problem,
    /// The line, 1 for the first; the row in a sheet.
    pub line: Option<u32>,
    /// The column's name, or its number.
    pub column: Option<String>,
    /// What is wrong, and the cure.
    pub text: String,
}

impl FileError {
    pub(crate) fn new(problem: Problem, text: impl Into<String>) -> Self {
        Self { problem, line: None, column: None, text: text.into() }
    }

    pub(crate) fn at(self, line: u32) -> Self {
        Self { line: self.line.or(Some(line)), ..self }
    }

    pub(crate) fn column(self, column: impl Into<String>) -> Self {
        Self { column: self.column.or_else(|| Some(column.into())), ..self }
    }

    pub(crate) fn malformed(text: impl Into<String>) -> Self {
        Self::new(Problem::Malformed, text)
    }

    pub(crate) fn value(text: impl Into<String>) -> Self {
        Self::new(Problem::Value, text)
    }

    pub(crate) fn too_large(text: impl Into<String>) -> Self {
        Self::new(Problem::TooLarge, text)
    }

    pub(crate) fn settings(text: impl Into<String>) -> Self {
        Self::new(Problem::Settings, text)
    }

    /// What reading failed with; bounds that a reader noticed come through as themselves.
    pub(crate) fn io(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>());
        inner.cloned().unwrap_or_else(|| {
            Self::new(
                Problem::Unreadable,
                format!("the file cannot be read: {}; send it again", error.kind()),
            )
        })
    }

    fn place(&self) -> String {
        match (self.line, &self.column) {
            (Some(line), Some(column)) => format!("line {line}, column {column}: "),
            (Some(line), None) => format!("line {line}: "),
            (None, Some(column)) => format!("column {column}: "),
            (None, None) => String::new(),
        }
    }
}

pub(crate) type Result<T> = std::result::Result<T, FileError>;
