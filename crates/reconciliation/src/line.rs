//! What a file says, line by line, whatever its format.

use domain::Timestamp;

/// What became of what a line speaks of, by the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LineStatus {
    /// It is done.
    Succeeded,
    /// It did not happen.
    Failed,
    /// It is not yet known.
    Pending,
}

impl LineStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Succeeded, Self::Failed, Self::Pending];

    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Pending => "pending",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// One line. A million of them are held at once, so there is nothing in it that matching does not need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its position among the lines: 1, 2, 3 …
    pub number: u32,
    /// The line of the file, or the row of the sheet, that it came from.
    pub place: u32,
    /// What the file calls it by; empty where it has no name.
    pub reference: Box<str>,
    /// Minor units; below zero where money went back.
    pub amount: i64,
    /// The earliest moment at which it may have happened.
    pub from: Timestamp,
    /// The latest such moment: the same, or the end of the day where the file gives dates only.
    pub to: Timestamp,
    /// What became of it.
    pub status: LineStatus,
}
