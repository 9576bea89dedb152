//! A whole file as it was read.

use domain::Currency;

use crate::{
    Limits, Line, LineStatus,
    error::{FileError, Result},
};

/// A file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The currency of all amounts.
    pub currency: Currency,
    /// The lines in the file's order.
    pub lines: Vec<Line>,
    /// Lines of the file that say nothing about money by its format or mapping: headings, comments, totals.
    pub passed_over: u32,
    /// Whether the file has totals of its own, and they agree.
    pub totals_checked: bool,
}

impl Statement {
    pub(crate) fn new(currency: Currency) -> Self {
        Self { currency, lines: Vec::new(), passed_over: 0, totals_checked: false }
    }

    /// The sum of the lines that succeeded, in minor units; `None` beyond 64 bits.
    pub fn sum(&self) -> Option<i64> {
        let done = self.lines.iter().filter(|line| line.status == LineStatus::Succeeded);
        done.map(|line| line.amount).try_fold(0_i64, i64::checked_add)
    }

    pub(crate) fn push(&mut self, limits: &Limits, line: Line) -> Result<()> {
        let count = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        if count >= limits.lines {
            let text = format!("there are more than {} lines; split the file by day", limits.lines);
            return Err(FileError::too_large(text).at(line.place));
        }
        if line.reference.len() > limits.reference_bytes {
            let text = format!(
                "the reference is longer than {} bytes; map the column that has the order number",
                limits.reference_bytes
            );
            return Err(FileError::value(text).at(line.place));
        }
        self.lines.push(Line { number: count.saturating_add(1), ..line });
        Ok(())
    }
}
