//! Agreements and bank accounts: checked, added, and read for settlement.

use domain::{AgreementId, BusinessDate, ClientId, Currency, IssuerId, MerchantId, PayeeId};
use engine::Engine;
use settlement::{Agreement, Books, Calendar, Payee, Terms};
use storage::{Page, StatementFilter, Store};

use super::{
    accounts,
    error::{FinanceError, field},
};

const PAGE: usize = 1000;
/// The years whose notices are read.
const YEARS: (i16, i16) = (1970, 9999);

/// The terms that are to be agreed.
#[derive(Clone, Debug)]
pub struct NewAgreement {
    /// The merchant; without one, for all that have no agreement of their own.
    pub merchant: Option<MerchantId>,
    /// The currency.
    pub currency: Currency,
    /// The first settlement day on which they apply.
    pub effective_from: BusinessDate,
    /// The terms.
    pub terms: Terms,
}

/// A bank account to be added.
#[derive(Clone)]
pub struct NewPayee {
    /// The merchant.
    pub merchant: MerchantId,
    /// The currency.
    pub currency: Currency,
    /// The first day on which payouts go there.
    pub effective_from: BusinessDate,
    /// Who holds the account.
    pub holder_name: String,
    /// Its number.
    pub account_number: String,
    /// The bank.
    pub bank_name: String,
    /// The bank's BIC.
    pub bic: Option<String>,
    /// The bank's number in the national clearing system.
    pub clearing_code: Option<String>,
}

/// Adds a version of an agreement.
///
/// It begins on a day of which no statement was made yet, so that no sale that is on a statement would have
/// been settled otherwise.
pub async fn add_agreement(
    engine: &Engine,
    issuer: IssuerId,
    client: ClientId,
    new: NewAgreement,
) -> Result<Agreement, FinanceError> {
    new.terms.check().map_err(|error| {
        FinanceError::Field(settlement::TermError { pointer: format!("/terms{}", error.pointer), ..error })
    })?;
    if new.effective_from.to_date().is_none() {
        return field("/effective_from", "give a date");
    }
    check_merchants(engine, issuer, &new)?;
    check_begin(engine, issuer, &new).await?;
    let agreement = Agreement {
        id: AgreementId::new(engine.next_id()),
        issuer,
        merchant: new.merchant,
        currency: new.currency,
        effective_from: new.effective_from,
        terms: new.terms,
        created_by: client,
        created_at: engine.now(),
    };
    engine.store().append_agreement(&agreement).await?;
    Ok(agreement)
}

fn check_merchants(engine: &Engine, issuer: IssuerId, new: &NewAgreement) -> Result<(), FinanceError> {
    let catalog = engine.catalog();
    let known =
        |merchant: MerchantId| catalog.merchants.get(&merchant).is_some_and(|found| found.issuer == issuer);
    if new.merchant.is_some_and(|merchant| !known(merchant)) {
        return Err(FinanceError::Unknown("merchant"));
    }
    let Some(splits) = &new.terms.splits else { return Ok(()) };
    if let Some(position) = splits.receivers.iter().position(|receiver| !known(receiver.merchant)) {
        let pointer = format!("/terms/splits/receivers/{position}/merchant");
        return field(&pointer, "give a merchant of this issuer");
    }
    if splits.rest.is_some_and(|rest| !known(rest)) {
        return field("/terms/splits/rest", "give a merchant of this issuer");
    }
    Ok(())
}

async fn check_begin(engine: &Engine, issuer: IssuerId, new: &NewAgreement) -> Result<(), FinanceError> {
    let zone = zone(engine, issuer)?;
    if BusinessDate::of(engine.now(), &zone) < new.effective_from {
        return Ok(());
    }
    let filter = StatementFilter {
        merchant: new.merchant,
        from: Some(new.effective_from),
        ..StatementFilter::all(issuer)
    };
    let mut before = None;
    loop {
        let page = engine.store().statements(&filter, before, PAGE).await?;
        if page.items.iter().any(|statement| statement.currency == new.currency) {
            return field(
                "/effective_from",
                "statements of that day or later exist already: give a day after today",
            );
        }
        let Some(next) = page.next else { return Ok(()) };
        before = Some(domain::StatementId::new(next));
    }
}

/// Adds a bank account.
pub async fn add_payee(
    engine: &Engine,
    issuer: IssuerId,
    client: ClientId,
    new: NewPayee,
) -> Result<Payee, FinanceError> {
    let catalog = engine.catalog();
    if catalog.merchants.get(&new.merchant).is_none_or(|found| found.issuer != issuer) {
        return Err(FinanceError::Unknown("merchant"));
    }
    let payee = Payee {
        id: PayeeId::new(engine.next_id()),
        issuer,
        merchant: new.merchant,
        currency: new.currency,
        effective_from: new.effective_from,
        holder_name: new.holder_name,
        account_number: new.account_number,
        bank_name: new.bank_name,
        bic: new.bic,
        clearing_code: new.clearing_code,
        created_by: client,
        created_at: engine.now(),
        sealed: None,
    };
    payee.check().map_err(FinanceError::Field)?;
    let payee = accounts::seal(engine.vault(), payee)?;
    engine.store().append_payee(&payee).await?;
    Ok(payee)
}

pub(crate) fn zone(engine: &Engine, issuer: IssuerId) -> Result<jiff::tz::TimeZone, FinanceError> {
    let catalog = engine.catalog();
    let found = catalog.issuers.get(&issuer).ok_or(FinanceError::Unknown("issuer"))?;
    Ok(found.zone.clone())
}

/// Everything that an issuer's movements are folded by.
pub async fn books(engine: &Engine, issuer: IssuerId) -> Result<Books, FinanceError> {
    let store = engine.store();
    let calendar = calendar(engine, issuer).await?;
    let mut agreements = Vec::new();
    let mut before = None;
    loop {
        let page: Page<Agreement> = store.agreements(issuer, None, before, PAGE).await?;
        agreements.extend(page.items);
        let Some(next) = page.next else { break };
        before = Some(AgreementId::new(next));
    }
    Ok(Books::new(issuer, zone(engine, issuer)?, calendar, agreements))
}

/// What is built in, with what the issuer imported.
pub(crate) async fn calendar(engine: &Engine, issuer: IssuerId) -> Result<Calendar, FinanceError> {
    let days = engine.store().calendar_days(issuer, YEARS.0, YEARS.1).await?;
    Ok(Calendar::mainland_china().with(&days))
}

/// The newest agreement, which tells whether there are new ones.
pub(crate) async fn newest_agreement(
    store: &dyn Store,
    issuer: IssuerId,
) -> Result<Option<AgreementId>, FinanceError> {
    Ok(store.agreements(issuer, None, None, 1).await?.items.first().map(|agreement| agreement.id))
}
