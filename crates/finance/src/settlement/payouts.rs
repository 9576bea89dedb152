//! Payouts from proposal to bank: a second client decides, the file is sent, the bank confirms or returns.

use domain::{
    Account, BusinessDate, ClientId, IssuerId, PayoutId,
    posting::{PostedTransfer, Posting, PostingKind},
};
use engine::{Engine, Intent, issue::job_key};
use settlement::{Payout, PayoutStatus};

use super::{
    error::{FinanceError, overflow},
    settler::system,
};

/// The most payouts that one request decides on.
pub const MAX_PAYOUTS: usize = 1000;
/// Tells the keys of a payout's postings apart.
pub(crate) const SENT_TAG: u64 = 0x9a10_0000;
const RETURNED_TAG: u64 = 0x9a10_0001;

/// Who decides on payouts.
#[derive(Clone, Copy, Debug)]
pub struct Decision {
    /// The issuer.
    pub issuer: IssuerId,
    /// The client.
    pub client: ClientId,
}

/// Reads payouts of an issuer, all or an error.
pub(crate) async fn read(
    engine: &Engine,
    issuer: IssuerId,
    ids: &[PayoutId],
) -> Result<Vec<Payout>, FinanceError> {
    if ids.is_empty() || ids.len() > MAX_PAYOUTS {
        return Err(FinanceError::TooMuch(format!("give 1 to {MAX_PAYOUTS} payouts")));
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut payouts = Vec::with_capacity(ids.len());
    for id in ids.iter().filter(|id| seen.insert(**id)) {
        let found = engine.store().payout(*id).await?;
        payouts.push(found.filter(|found| found.issuer == issuer).ok_or(FinanceError::Unknown("payout"))?);
    }
    Ok(payouts)
}

/// Approves. What was approved by the same client already stays as it is.
pub async fn approve_payouts(
    engine: &Engine,
    by: Decision,
    ids: &[PayoutId],
) -> Result<Vec<Payout>, FinanceError> {
    let mut payouts = read(engine, by.issuer, ids).await?;
    decide(engine, by, &mut payouts, PayoutStatus::Approved, None).await?;
    Ok(payouts)
}

/// Rejects: the amount is payable again with the next statement.
pub async fn reject_payouts(
    engine: &Engine,
    by: Decision,
    ids: &[PayoutId],
    reason: &str,
) -> Result<Vec<Payout>, FinanceError> {
    let mut payouts = read(engine, by.issuer, ids).await?;
    decide(engine, by, &mut payouts, PayoutStatus::Rejected, Some(reason)).await?;
    Ok(payouts)
}

async fn decide(
    engine: &Engine,
    by: Decision,
    payouts: &mut [Payout],
    to: PayoutStatus,
    reason: Option<&str>,
) -> Result<(), FinanceError> {
    let now = engine.now();
    let mut changed = Vec::new();
    for payout in payouts.iter_mut() {
        if payout.status == to && payout.decided_by == Some(by.client) {
            continue;
        }
        step(payout, to, "only one that is proposed can be decided on, or an approved one rejected")?;
        if payout.proposed_by == by.client {
            return Err(FinanceError::SameClient(payout.id));
        }
        payout.decided_by = Some(by.client);
        payout.decided_at = Some(now);
        payout.reason = reason.map(str::to_owned);
        changed.push(payout.clone());
    }
    update(engine, &changed).await
}

/// The bank has paid.
pub async fn confirm_payouts(
    engine: &Engine,
    by: Decision,
    ids: &[PayoutId],
) -> Result<Vec<Payout>, FinanceError> {
    let mut payouts = read(engine, by.issuer, ids).await?;
    let now = engine.now();
    let mut changed = Vec::new();
    for payout in payouts.iter_mut().filter(|payout| payout.status != PayoutStatus::Confirmed) {
        step(payout, PayoutStatus::Confirmed, "only one that was sent can be confirmed")?;
        payout.finished_at = Some(now);
        changed.push(payout.clone());
    }
    update(engine, &changed).await?;
    Ok(payouts)
}

/// The bank has not paid, or has taken back: the amount is posted back and payable again.
pub async fn return_payouts(
    engine: &Engine,
    by: Decision,
    ids: &[PayoutId],
    reason: &str,
) -> Result<Vec<Payout>, FinanceError> {
    let mut payouts = read(engine, by.issuer, ids).await?;
    let mut changed = Vec::new();
    for payout in payouts.iter_mut().filter(|payout| payout.status != PayoutStatus::Returned) {
        step(payout, PayoutStatus::Returned, "only one that was sent can come back")?;
        changed.push(payout);
    }
    let intents = changed.iter().map(|payout| posting(payout, PostingKind::PayoutReturn));
    let intents: Result<Vec<Intent>, FinanceError> = intents.collect();
    let operations = post(engine, intents?).await?;
    let now = engine.now();
    for (payout, operation) in changed.iter_mut().zip(operations) {
        payout.return_operation = Some(operation);
        payout.finished_at = Some(now);
        payout.reason = Some(reason.to_owned());
    }
    let changed: Vec<Payout> = changed.into_iter().map(|payout| payout.clone()).collect();
    update(engine, &changed).await?;
    Ok(payouts)
}

/// Takes a payout a step on.
pub(crate) fn step(payout: &mut Payout, to: PayoutStatus, needed: &'static str) -> Result<(), FinanceError> {
    if !payout.status.may_become(to) {
        return Err(FinanceError::Status { payout: payout.id, status: payout.status, needed });
    }
    payout.status = to;
    payout.version = payout.version.saturating_add(1);
    Ok(())
}

/// The posting of a payout, or of its return. Its key follows from the payout.
pub(crate) fn posting(payout: &Payout, kind: PostingKind) -> Result<Intent, FinanceError> {
    let (merchant, bank) = (Account::Merchant(payout.merchant), Account::Bank(payout.issuer));
    let (debit, credit, tag) = match kind {
        PostingKind::PayoutReturn => (bank, merchant, RETURNED_TAG),
        _ => (merchant, bank, SENT_TAG),
    };
    let posting = Posting {
        kind,
        currency: payout.currency,
        merchant: Some(payout.merchant),
        transfers: vec![PostedTransfer { debit, credit, amount: payout.amount }],
        reason: None,
    };
    let key = job_key(payout.id.get(), tag).ok_or_else(overflow)?;
    Ok(Intent::post(system(payout.issuer), key, posting, Some(payout.id.to_string())))
}

/// Posts all, at most [`MAX_PAYOUTS`].
pub(crate) async fn post(
    engine: &Engine,
    intents: Vec<Intent>,
) -> Result<Vec<domain::OperationId>, FinanceError> {
    if intents.is_empty() {
        return Ok(Vec::new());
    }
    let outcomes = engine.submit_many(intents).await?;
    outcomes.into_iter().map(|outcome| Ok(outcome.map_err(FinanceError::Refused)?.operation.id)).collect()
}

pub(crate) async fn update(engine: &Engine, changed: &[Payout]) -> Result<(), FinanceError> {
    if changed.is_empty() {
        return Ok(());
    }
    Ok(engine.store().update_payouts(changed).await?)
}

/// Today, as the issuer counts.
pub(crate) fn today(engine: &Engine, issuer: IssuerId) -> Result<BusinessDate, FinanceError> {
    Ok(BusinessDate::of(engine.now(), &super::agreements::zone(engine, issuer)?))
}
