//! Sends approved payouts: posts them, and writes the file for the bank.

use std::collections::HashMap;

pub use documents::PayoutTemplate;
use documents::{BankAccount, PayeePayment, PayoutFile, write_pain001, write_payout_csv};
use domain::{BusinessDate, Currency, MerchantId, PayoutId, posting::PostingKind};
use engine::Engine;
use settlement::{Payee, Payout, PayoutStatus};

use super::{
    accounts,
    agreements::zone,
    error::{FinanceError, field},
    payouts::{Decision, post, posting, read, step, today, update},
};

/// The account that pays.
#[derive(Clone)]
pub struct Payer {
    /// Who holds it.
    pub holder_name: String,
    /// Its number.
    pub account_number: String,
    /// The bank.
    pub bank_name: Option<String>,
    /// The bank's BIC.
    pub bic: Option<String>,
    /// The bank's number in the national clearing system.
    pub clearing_code: Option<String>,
}

/// What the file looks like.
pub enum PayoutFormat {
    /// ISO 20022 pain.001.001.09.
    Pain001,
    /// Text by a template.
    Template(Box<PayoutTemplate>),
}

/// Reads a template from JSON, such as [`PayoutTemplate::DELIMITED`].
pub fn read_template(json: &str) -> Result<PayoutTemplate, FinanceError> {
    PayoutTemplate::parse(json).map_err(|error| FinanceError::Document(error.to_string()))
}

/// A file for the bank.
pub struct SentFile {
    /// The file.
    pub bytes: Vec<u8>,
    /// The payouts in it.
    pub payouts: Vec<Payout>,
}

/// Sends approved payouts of one currency. Payouts that were sent already are in the file again, as they were:
/// a file that was lost can be made again, and the bank knows the payments by their numbers.
pub async fn send_payouts(
    engine: &Engine,
    by: Decision,
    ids: &[PayoutId],
    debtor: Payer,
    execution: BusinessDate,
    format: PayoutFormat,
) -> Result<SentFile, FinanceError> {
    let mut payouts = read(engine, by.issuer, ids).await?;
    let Some(currency) = payouts.first().map(|payout| payout.currency) else {
        return field("/payouts", "give at least one payout");
    };
    if payouts.iter().any(|payout| payout.currency != currency) {
        return field("/payouts", "give payouts of one currency");
    }
    let payees = payees(engine, by, &payouts, currency).await?;
    // Written before anything is posted: what cannot be written is not sent.
    let bytes = write(engine, by, &payouts, &payees, debtor, execution, &format)?;
    send(engine, &mut payouts, &payees).await?;
    Ok(SentFile { bytes, payouts })
}

/// The accounts that are paid to, with their numbers in plain: for the file, and not to be kept.
async fn payees(
    engine: &Engine,
    by: Decision,
    payouts: &[Payout],
    currency: Currency,
) -> Result<HashMap<PayoutId, Payee>, FinanceError> {
    let store = engine.store();
    let merchants: Vec<MerchantId> = payouts.iter().map(|payout| payout.merchant).collect();
    let in_force = store.payees_in_force(by.issuer, &merchants, today(engine, by.issuer)?).await?;
    let mut payees = HashMap::new();
    for payout in payouts {
        let found = match payout.payee {
            Some(used) => store.payee(used).await?,
            None => {
                in_force.iter().find(|p| p.merchant == payout.merchant && p.currency == currency).cloned()
            }
        };
        let missing = FinanceError::NoPayee { merchant: payout.merchant, currency };
        let found = found.ok_or(missing)?;
        let account_number = accounts::open(engine.vault(), &found)?;
        payees.insert(payout.id, Payee { account_number, sealed: None, ..found });
    }
    Ok(payees)
}

async fn send(
    engine: &Engine,
    payouts: &mut [Payout],
    payees: &HashMap<PayoutId, Payee>,
) -> Result<(), FinanceError> {
    let mut changed = Vec::new();
    for payout in payouts.iter_mut().filter(|payout| payout.status != PayoutStatus::Sent) {
        step(payout, PayoutStatus::Sent, "only one that is approved can be sent")?;
        payout.payee = payees.get(&payout.id).map(|payee| payee.id);
        payout.sent_at = Some(engine.now());
        changed.push(payout);
    }
    let intents: Result<Vec<_>, _> =
        changed.iter().map(|payout| posting(payout, PostingKind::Payout)).collect();
    let operations = post(engine, intents?).await?;
    for (payout, operation) in changed.iter_mut().zip(operations) {
        payout.operation = Some(operation);
    }
    let changed: Vec<Payout> = changed.into_iter().map(|payout| payout.clone()).collect();
    update(engine, &changed).await
}

fn write(
    engine: &Engine,
    by: Decision,
    payouts: &[Payout],
    payees: &HashMap<PayoutId, Payee>,
    debtor: Payer,
    execution: BusinessDate,
    format: &PayoutFormat,
) -> Result<Vec<u8>, FinanceError> {
    let zone = zone(engine, by.issuer)?;
    let now = jiff::Timestamp::from_microsecond(engine.now().micros());
    let now = now.map_err(|error| FinanceError::Document(error.to_string()))?;
    let Some(execution) = execution.to_date() else { return field("/execution", "give a date") };
    let Some(first) = payouts.first() else { return field("/payouts", "give at least one payout") };
    let payment = |payout: &Payout| {
        let payee = payees.get(&payout.id)?;
        Some(PayeePayment {
            end_to_end_id: payout.id.to_string(),
            amount: payout.amount,
            payee: account(payee),
            remittance: payout.statement.to_string(),
        })
    };
    let file = PayoutFile {
        message_id: format!("{}-{}", first.id, payouts.len()),
        created: now.to_zoned(zone),
        execution,
        currency: first.currency,
        payer: BankAccount {
            holder: debtor.holder_name,
            number: debtor.account_number,
            bank_name: debtor.bank_name,
            bic: debtor.bic,
            cnaps: debtor.clearing_code,
        },
        payments: payouts.iter().filter_map(payment).collect(),
    };
    let mut bytes = Vec::new();
    let written = match format {
        PayoutFormat::Pain001 => write_pain001(&file, &mut bytes),
        PayoutFormat::Template(template) => write_payout_csv(&file, template, &mut bytes),
    };
    written.map_err(|error| FinanceError::Document(error.to_string()))?;
    Ok(bytes)
}

fn account(payee: &Payee) -> BankAccount {
    BankAccount {
        holder: payee.holder_name.clone(),
        number: payee.account_number.clone(),
        bank_name: Some(payee.bank_name.clone()),
        bic: payee.bic.clone(),
        cnaps: payee.clearing_code.clone(),
    }
}
