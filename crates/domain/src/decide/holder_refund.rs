//! Holder refund (返还预付款): what the law gives back to a holder is paid, the rest is forfeited to who had
//! given it, and the card is closed. Calculated from the card's lots here and nowhere else, so that a quote,
//! which is this decision without its being written, says the same.

use super::{
    Step,
    draft::{Draft, Side, card_lot},
    expire::claim_account,
    moves::check_unheld,
    refund::in_use,
};
use crate::{
    Account, Amount, Decline, LotNo, Refusal,
    card::{CloseReason, StateCode},
    command::HolderRefund,
    lot::LotSource,
    policy::refund::{Calculation, Failure, Item, Moment, Value, calculate, is_paid},
};

pub(crate) fn decide(draft: &mut Draft<'_>, command: &HolderRefund) -> Step {
    open(draft, command)?;
    draft.detail.payout.clone_from(&command.payout);
    draft.check_tombstone()?;
    let card = draft.card_ref()?;
    if !matches!(card.state.code(), StateCode::Active | StateCode::Expired) {
        return Err(card.state.refusal_to_serve().unwrap_or(Decline::CardClosed).into());
    }
    draft.check_pin(command.pin.as_ref(), false)?;
    let calculated = calculation(draft, command)?;
    if matches!(calculated, Err(Failure::NotProvided)) {
        return Err(Decline::HolderRefundNotProvided.into());
    }
    check_unheld(draft)?;
    let calculation = match calculated {
        Ok(calculation) => calculation,
        Err(Failure::NotProvided) => return Err(Decline::HolderRefundNotProvided.into()),
        Err(Failure::Broken(breach)) => return Err(draft.broken(breach)),
        Err(Failure::RescindedInTheFuture) => return Err(Refusal::RescissionInTheFuture.into()),
        Err(Failure::CostNotAllowed) => return Err(Refusal::CostNotAllowed.into()),
        Err(Failure::Overflow) => return Err(Refusal::Inconsistent.into()),
    };
    draft.check_payout_by_law(calculation.amount(Item::Refund), false, command.payout.as_deref())?;
    pay(draft, &calculation)?;
    let card = draft.card()?;
    card.state = card.state.clone().close(CloseReason::Refunded)?;
    let refund = calculation.amount(Item::Refund);
    draft.requested = refund;
    draft.approved = refund;
    draft.detail.forfeited = Some(calculation.amount(Item::Forfeited));
    draft.detail.refund = Some(Box::new(calculation));
    Ok(())
}

/// The card, or the one that took its place: a holder may still name the card that was lost.
fn open(draft: &mut Draft<'_>, command: &HolderRefund) -> Step {
    draft.open(&command.card)?;
    let named = draft.card_ref()?.id;
    let id = in_use(draft, named)?;
    if id == named { Ok(()) } else { draft.open_id(id) }
}

fn calculation(draft: &Draft<'_>, command: &HolderRefund) -> Step<Result<Calculation, Failure>> {
    let Some(policy) = draft.policy_now()? else { return Ok(Err(Failure::NotProvided)) };
    let card = draft.card_ref()?;
    let value = Value::of(&card.lots).ok_or(Refusal::Inconsistent)?;
    let moment = Moment { now: draft.now(), paid_at: card.activated_at, zone: &draft.issuer.zone };
    Ok(calculate(&policy, &value, &command.claim, &moment))
}

/// Empties every lot: what was paid for goes back first.
fn pay(draft: &mut Draft<'_>, calculation: &Calculation) -> Step {
    let mut lots: Vec<(bool, LotNo)> =
        draft.card_ref()?.lots.iter().map(|lot| (!is_paid(lot.source), lot.no)).collect();
    lots.sort_unstable();
    let mut principal = calculation.amount(Item::Principal);
    for (_, no) in lots {
        principal = empty_lot(draft, no, principal)?;
    }
    if !principal.is_zero() {
        return Err(Refusal::Inconsistent.into());
    }
    let issuer = draft.issuer.id;
    draft.transfer(Account::Promotion(issuer), Account::Bank(issuer), calculation.amount(Item::Interest))
}

/// Pays as much of `principal` as a lot and its claim have, and returns what is still to be paid.
fn empty_lot(draft: &mut Draft<'_>, no: LotNo, principal: Amount) -> Step<Amount> {
    let issuer = draft.issuer.id;
    let claim = claim_account(draft, no)?;
    let card = draft.card()?;
    let from = card_lot(card.id, no);
    let lot = card.lot_mut(no).ok_or(Refusal::Inconsistent)?;
    let (remaining, expired) = (lot.remaining, lot.expired);
    lot.remaining = Amount::ZERO;
    lot.expired = Amount::ZERO;
    let giver = match (lot.source, lot.funder) {
        (LotSource::MerchantFunded, Some(merchant)) => Account::Merchant(merchant),
        _ => Account::Promotion(issuer),
    };
    let left = split(draft, from, remaining, principal, giver)?;
    split(draft, claim, expired, left, giver)
}

fn split(
    draft: &mut Draft<'_>,
    from: Side,
    value: Amount,
    principal: Amount,
    giver: Account,
) -> Step<Amount> {
    let back = value.min(principal);
    draft.transfer(from, Account::Bank(draft.issuer.id), back)?;
    draft.transfer(from, giver, value.saturating_sub(back))?;
    Ok(principal.saturating_sub(back))
}
