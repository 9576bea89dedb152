//! Payout files for banks: what goes in, and the rules that hold for every format. Two formats come out: ISO 20022
//! pain.001, and delimited or fixed-width text by a template, because Chinese banks have no common format.

mod delimited;
mod pain001;
mod template;

pub use delimited::write_payout_csv;
pub use pain001::write_pain001;
pub use template::{CellField, PayoutTemplate, TemplateCell, TemplateEncoding};

use std::collections::HashSet;

use domain::{Amount, Currency};
use jiff::{Zoned, civil::Date};

use crate::error::DocumentError;

/// The most payments of one file.
pub const MAX_PAYMENTS: usize = 50_000;

/// Payments that one account makes on one day.
#[derive(Clone, Debug)]
pub struct PayoutFile {
    /// The file's own number: at most 35 letters, digits and `-_.:/+`, never used again.
    pub message_id: String,
    /// When it was made.
    pub created: Zoned,
    /// The day the bank is to pay.
    pub execution: Date,
    /// The currency of all payments.
    pub currency: Currency,
    /// The account that pays.
    pub payer: BankAccount,
    /// The payments, at least one.
    pub payments: Vec<PayeePayment>,
}

/// A bank account.
#[derive(Clone, PartialEq, Eq)]
pub struct BankAccount {
    /// The account's name, as the bank has it; at most 140 characters.
    pub holder: String,
    /// The account's number: at most 34 letters, digits and hyphens.
    pub number: String,
    /// The bank's name with its branch (开户行); at most 140 characters.
    pub bank_name: Option<String>,
    /// The bank's SWIFT code: 8 or 11 characters.
    pub bic: Option<String>,
    /// The branch's number in CNAPS (联行号): 12 digits.
    pub cnaps: Option<String>,
}

/// The number is personal data: logs see its last four characters.
impl std::fmt::Debug for BankAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tail: String = self.number.chars().skip(self.number.chars().count().saturating_sub(4)).collect();
        f.debug_struct("BankAccount")
            .field("number", &format_args!("…{tail}"))
            .field("bic", &self.bic)
            .field("cnaps", &self.cnaps)
            .finish_non_exhaustive()
    }
}

/// One payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayeePayment {
    /// Its number, which comes back on the bank statement: as `message_id`, and unique in the file.
    pub end_to_end_id: String,
    /// What is paid, more than nothing.
    pub amount: Amount,
    /// Who is paid.
    pub payee: BankAccount,
    /// What the payee reads; at most 140 characters.
    pub remittance: String,
}

impl PayoutFile {
    /// How many payments there are and what they come to in minor units.
    pub(crate) fn check(&self) -> Result<Amount, DocumentError> {
        identifier(&self.message_id).map_err(|problem| DocumentError::field("message_id", problem))?;
        if self.payments.is_empty() || self.payments.len() > MAX_PAYMENTS {
            let problem = format!("has {} payments; a file takes 1 to {MAX_PAYMENTS}", self.payments.len());
            return Err(DocumentError::field("payments", problem));
        }
        self.payer.check().map_err(|(field, problem)| DocumentError::Field { field, problem })?;
        let mut ids = HashSet::with_capacity(self.payments.len());
        for payment in &self.payments {
            payment.check()?;
            if !ids.insert(payment.end_to_end_id.as_str()) {
                return Err(payment.error("end_to_end_id", "stands twice in this file; each is used once"));
            }
        }
        let total = Amount::checked_sum(self.payments.iter().map(|payment| payment.amount));
        total.ok_or(DocumentError::OutOfRange("payments"))
    }
}

impl PayeePayment {
    fn check(&self) -> Result<(), DocumentError> {
        identifier(&self.end_to_end_id).map_err(|problem| self.error("end_to_end_id", problem))?;
        if self.amount.is_zero() {
            return Err(self.error("amount", "is nothing; leave the payment out"));
        }
        self.payee.check().map_err(|(field, problem)| self.error(field, problem))?;
        words(&self.remittance, 140).map_err(|problem| self.error("remittance", problem))
    }

    pub(crate) fn error(&self, field: &'static str, problem: impl Into<String>) -> DocumentError {
        DocumentError::Payment {
            id: self.end_to_end_id.clone(),
            payee: self.payee.holder.clone(),
            field,
            problem: problem.into(),
        }
    }
}

impl BankAccount {
    fn check(&self) -> Result<(), (&'static str, String)> {
        words(&self.holder, 140).map_err(|problem| ("holder", problem))?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if self.number.is_empty() || self.number.len() > 34 || !self.number.bytes().all(plain) {
            let problem = "is 1 to 34 letters, digits and hyphens, without spaces";
            return Err(("number", problem.to_owned()));
        }
        if let Some(name) = &self.bank_name {
            words(name, 140).map_err(|problem| ("bank_name", problem))?;
        }
        if self.bic.as_deref().is_some_and(|bic| !is_bic(bic)) {
            return Err(("bic", "is 8 or 11 capital letters and digits, such as ICBKCNBJ".to_owned()));
        }
        let cnaps = |code: &str| code.len() == 12 && code.bytes().all(|byte| byte.is_ascii_digit());
        if self.cnaps.as_deref().is_some_and(|code| !cnaps(code)) {
            return Err(("cnaps", "is 12 digits".to_owned()));
        }
        if self.bank_name.is_none() && self.bic.is_none() && self.cnaps.is_none() {
            return Err((
                "bank_name",
                "the bank is not known; give its name, its CNAPS number or its BIC".to_owned(),
            ));
        }
        Ok(())
    }
}

/// What the schema says of a BIC: `[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?`.
fn is_bic(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes.len(), 8 | 11)
        && bytes.iter().enumerate().all(|(index, byte)| {
            byte.is_ascii_uppercase() || (byte.is_ascii_digit() && !(4..6).contains(&index))
        })
}

fn identifier(text: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+".contains(&byte);
    let slashes = text.starts_with('/') || text.ends_with('/') || text.contains("//");
    if text.is_empty() || text.len() > 35 || slashes || !text.bytes().all(plain) {
        return Err("is 1 to 35 letters, digits and -_.:/+, with single slashes inside only".to_owned());
    }
    Ok(())
}

/// Text that people wrote. People open these files in spreadsheets before they send them, and here nothing may be
/// altered to make it harmless: what would run as a formula is refused.
fn words(text: &str, most: usize) -> Result<(), String> {
    if text.trim() != text || text.is_empty() || text.chars().count() > most {
        return Err(format!("is 1 to {most} characters without spaces around them"));
    }
    let odd = |character: char| {
        character.is_control()
            || matches!(character, '\u{FFFE}' | '\u{FFFF}' | '\u{FEFF}' | '\u{2028}' | '\u{2029}')
    };
    if let Some(character) = text.chars().find(|character| odd(*character)) {
        return Err(format!("has the control character U+{:04X}; remove it", u32::from(character)));
    }
    if text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
        return Err("begins with a sign that a spreadsheet takes for a formula; remove it".to_owned());
    }
    Ok(())
}
