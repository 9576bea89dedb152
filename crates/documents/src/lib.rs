//! Documents that leave the house: merchant statements, payout files for banks, journals for accounting and
//! reports. Plain structs in, bytes out; nothing here reads a store or a clock. It is a crate of its own because
//! what it needs (fonts, PDF, XLSX) is heavy and nothing else needs it.
//!
//! | document | written by | as |
//! |---|---|---|
//! | statement | [`StatementWriter`] | CSV, XLSX, PDF; Chinese or English |
//! | payouts | [`write_pain001`], [`write_payout_csv`] | ISO 20022 pain.001.001.09, CSV or fixed width by template |
//! | journal | [`JournalDocument::to_table`] with an [`AccountChart`] | a [`Table`] |
//! | any report | [`Table::write_csv`], [`Table::write_xlsx`] | CSV, XLSX |
//!
//! Amounts are signed minor units throughout. A document whose figures do not add up is not written.

mod error;
mod journal;
mod language;
mod money;
mod payout;
mod pdf;
mod statement;
mod table;

pub use error::DocumentError;
pub use journal::{
    AccountChart, AccountRule, JournalDocument, JournalEntry, LedgerAccount, MAX_ACCOUNT_RULES,
};
pub use language::Language;
pub use payout::{
    BankAccount, CellField, MAX_PAYMENTS, PayeePayment, PayoutFile, PayoutTemplate, TemplateCell,
    TemplateEncoding, write_pain001, write_payout_csv,
};
pub use pdf::MissingCharacters;
pub use statement::{
    AgreementSummary, CycleSummary, FeeRounding, FeeSummary, FeeTier, Format, LineKind, MAX_LINES_PDF,
    MAX_LINES_XLSX, NegativeBalance, Party, Section, SplitBase, SplitShare, SplitSummary, Statement,
    StatementLine, StatementWriter, Totals, Written,
};
pub use table::{Cell, Column, ColumnKind, MAX_ROWS_XLSX, Table};
