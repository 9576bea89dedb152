//! Settlement of merchants: follows the log, closes statements, pays out.
//!
//! What is decided is decided by the crate `settlement`, on what is in memory; this reads and writes for it. Each
//! step is one transaction that is written only if nobody else wrote one since, and value moves only through
//! the engine, under keys that follow from the statement or payout. So a run can be killed at any point and
//! started again, here or on another node, and ends with the same statements.

mod accounts;
mod agreements;
mod comparison;
mod error;
mod invoices;
mod payout_file;
mod payouts;
mod settler;
mod statement_document;

pub use accounts::seal_accounts;
pub use agreements::{NewAgreement, NewPayee, add_agreement, add_payee, books};
pub use comparison::{Comparison, compare};
pub use error::FinanceError;
pub use invoices::pay_invoice;
pub use payout_file::{Payer, PayoutFormat, PayoutTemplate, SentFile, read_template, send_payouts};
pub use payouts::{Decision, MAX_PAYOUTS, approve_payouts, confirm_payouts, reject_payouts, return_payouts};
pub use settler::{EarlyClose, RunReport, RunScope, Settler, Step, run, run_watched};
pub use statement_document::{DocumentFormat, DocumentLanguage, export_statement};
