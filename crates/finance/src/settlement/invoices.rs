//! A merchant pays what its statement asked for: a balance below zero that its agreement has invoiced.
//!
//! Each statement is paid once, in full: the key of the posting follows from the statement. So the statements stay
//! the merchant's account to the cent, whoever reports the payment, and however often.

use domain::{
    Account, Amount, IssuerId, StatementId,
    posting::{PostedTransfer, Posting, PostingKind},
};
use engine::{Answer, Engine, Intent, issue::job_key};
use settlement::{Statement, StatementStatus};

use super::{
    error::{FinanceError, field, overflow},
    settler::system,
};

/// Tells the key of an invoice's payment from other keys with the same id.
const INVOICE_TAG: u64 = 0x1a01_0000;

/// Posts the payment of a statement's invoice, bank → merchant. Asked again, the answer is the first one's.
pub async fn pay_invoice(
    engine: &Engine,
    issuer: IssuerId,
    statement: StatementId,
    amount: Amount,
    reference: Option<String>,
) -> Result<Answer, FinanceError> {
    let found = engine.store().statement(statement).await?;
    let own = found.filter(|found| found.issuer == issuer);
    let statement = own.ok_or(FinanceError::Unknown("statement"))?;
    check(&statement, amount)?;
    let outcome = engine.submit(payment(&statement, reference)?).await?;
    outcome.map_err(FinanceError::Refused)
}

fn check(statement: &Statement, amount: Amount) -> Result<(), FinanceError> {
    if statement.status != StatementStatus::Closed {
        return field("/statement", "the statement is not closed yet: give one that is");
    }
    if statement.figures.invoiced.is_zero() {
        return field(
            "/statement",
            "the statement asks for nothing: give one whose figure invoiced is not zero",
        );
    }
    if statement.figures.invoiced != amount {
        return field("/amount", "give exactly what the statement asks for: its figure invoiced");
    }
    Ok(())
}

fn payment(statement: &Statement, reference: Option<String>) -> Result<Intent, FinanceError> {
    let (bank, merchant) = (Account::Bank(statement.issuer), Account::Merchant(statement.merchant));
    let amount = statement.figures.invoiced;
    let posting = Posting {
        kind: PostingKind::MerchantPayment,
        currency: statement.currency,
        merchant: Some(statement.merchant),
        transfers: vec![PostedTransfer { debit: bank, credit: merchant, amount }],
        reason: None,
    };
    let key = job_key(statement.id.get(), INVOICE_TAG).ok_or_else(overflow)?;
    let reference = reference.unwrap_or_else(|| statement.id.to_string());
    Ok(Intent::post(system(statement.issuer), key, posting, Some(reference)))
}
