//! Posting: value between accounts of the ledger, without a card.
//!
//! A merchant or channel that is closed is still settled: what it is owed does not end with its business.

use super::{Step, draft::Draft};
use crate::{
    MerchantId, Refusal,
    posting::{MAX_TRANSFERS, Posting, merchant_of},
};

pub(crate) fn decide(draft: &mut Draft<'_>, posting: &Posting) -> Step {
    if draft.request.actor.merchant.is_some() {
        return Err(Refusal::NotForMerchants.into());
    }
    let total = check(draft, posting)?;
    draft.located.merchant = posting.merchant;
    draft.located.channel = posting.channel();
    draft.currency = Some(posting.currency);
    draft.requested = total;
    draft.detail.reason.clone_from(&posting.reason);
    draft.check_tombstone()?;
    for transfer in &posting.transfers {
        draft.transfer(transfer.debit, transfer.credit, transfer.amount)?;
    }
    draft.approved = total;
    Ok(())
}

/// What contradicts the table of its kind, or the catalog. Returns the sum of all that moves.
fn check(draft: &Draft<'_>, posting: &Posting) -> Step<crate::Amount> {
    if posting.transfers.is_empty() || posting.transfers.len() > MAX_TRANSFERS {
        return Err(Refusal::PostingSize.into());
    }
    check_currency(draft, posting)?;
    if let Some(merchant) = posting.merchant {
        check_merchant(draft, merchant)?;
    }
    let mut is_touched = posting.merchant.is_none();
    for transfer in &posting.transfers {
        if transfer.amount.is_zero() {
            return Err(Refusal::AmountZero.into());
        }
        let (debit, credit) = (transfer.debit, transfer.credit);
        posting.kind.check(debit, credit, draft.issuer.id, posting.merchant)?;
        for merchant in [debit, credit].into_iter().filter_map(merchant_of) {
            is_touched |= Some(merchant) == posting.merchant;
            check_merchant(draft, merchant)?;
        }
    }
    if !is_touched {
        return Err(Refusal::PostingMerchant.into());
    }
    Ok(posting.total().ok_or(Refusal::AmountTooLarge)?)
}

fn check_merchant(draft: &Draft<'_>, merchant: MerchantId) -> Step {
    let found = draft.context.catalog.merchants.get(&merchant);
    found.filter(|found| found.issuer == draft.issuer.id).ok_or(Refusal::MerchantUnknown)?;
    Ok(())
}

/// Value only ever exists in the currency of a program.
fn check_currency(draft: &Draft<'_>, posting: &Posting) -> Step {
    let mut programs = draft.context.catalog.programs.values();
    let is_issued = |p: &crate::Program| p.issuer == draft.issuer.id && p.currency == posting.currency;
    if programs.any(|program| is_issued(program)) { Ok(()) } else { Err(Refusal::CurrencyUnknown.into()) }
}
