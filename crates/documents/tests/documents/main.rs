//! Every document is read back by a reader that is not ours, and its figures are added up again.

#![expect(clippy::panic, reason = "a test may stop at once")]

mod journal;
mod payouts;
mod reports;
mod samples;
mod statement_csv;
mod statement_pdf;
mod statement_xlsx;
