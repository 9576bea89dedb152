//! Exchange (换卡): what is left of an expired card goes onto a new one, from each lot in proportion.

use super::{
    Step,
    draft::{Draft, card_lot},
    expire::claim_account,
    moves::{carry_use, check_same_program, check_unheld},
};
use crate::{
    Amount, CardState, Decline, Lot, LotNo, Refusal,
    allocate::largest_remainder,
    card::{CloseReason, Grant, StateCode},
    command::Exchange,
    lot::LotPart,
    program::ResidualPolicy,
};

pub(crate) fn decide(draft: &mut Draft<'_>, command: &Exchange) -> Step {
    if command.amount.is_some_and(Amount::is_zero) {
        return Err(Refusal::AmountZero.into());
    }
    draft.open(&command.from)?;
    draft.open_counterpart(&command.to)?;
    draft.requested = command.amount.unwrap_or(Amount::ZERO);
    draft.check_tombstone()?;
    let card = draft.card_ref()?;
    let past = card.is_past_validity(draft.now());
    if card.state.code() != StateCode::Expired
        && let Some(decline) = card.state.refusal_to_serve()
    {
        return Err(decline.into());
    }
    let expired = past || card.state.code() == StateCode::Expired;
    check_same_program(draft)?;
    if draft.counterpart()?.state != CardState::Stocked {
        return Err(Decline::ReplacementNotStocked.into());
    }
    draft.check_pin(command.pin.as_ref(), false)?;
    if draft.program()?.rules.residual == ResidualPolicy::Reactivate {
        return Err(Decline::ResidualClaimedOtherwise.into());
    }
    check_unheld(draft)?;
    let mut lots: Vec<&Lot> = draft.card_ref()?.lots.iter().collect();
    lots.sort_by_key(|lot| (lot.source, lot.no));
    let weights: Vec<(LotNo, Amount)> = lots.into_iter().map(|lot| (lot.no, left(lot))).collect();
    let total = Amount::checked_sum(weights.iter().map(|(_, amount)| *amount));
    let total = total.ok_or(Refusal::Inconsistent)?;
    let amount = command.amount.unwrap_or(total);
    draft.requested = amount;
    if amount > total {
        return Err(Decline::InsufficientFunds.into());
    }
    if !expired || total.is_zero() {
        return Err(Decline::NothingToClaim.into());
    }
    activate(draft)?;
    move_shares(draft, &weights, amount)?;
    if amount == total {
        give_way(draft)?;
    }
    draft.approved = amount;
    draft.check_countable()
}

fn left(lot: &Lot) -> Amount {
    lot.remaining.checked_add(lot.expired).unwrap_or(Amount::MAX)
}

/// The new card is sold for nothing: it is valid as long as any new card, and belongs to the same member.
fn activate(draft: &mut Draft<'_>) -> Step {
    let (now, validity) = (draft.now(), draft.program()?.rules.validity);
    let card = draft.card_ref()?;
    let (member, day) = (card.member.clone(), card.day);
    let brought = draft.counterpart()?.expires_at;
    let expires_at = brought.or_else(|| validity.end(now, &draft.issuer.zone));
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Decline::ExpiryInThePast.into());
    }
    let new = draft.counterpart()?;
    new.state = new.state.clone().activate()?;
    new.activated_at = Some(now);
    new.expires_at = expires_at;
    new.member = member;
    // Today's use goes along, or an exchange would reset the daily limits.
    new.day = day;
    draft.detail.expires_at = expires_at;
    Ok(())
}

fn move_shares(draft: &mut Draft<'_>, weights: &[(LotNo, Amount)], amount: Amount) -> Step {
    let amounts: Vec<Amount> = weights.iter().map(|(_, weight)| *weight).collect();
    let shares = largest_remainder(amount, &amounts).ok_or(Refusal::Inconsistent)?;
    for ((no, _), share) in weights.iter().zip(shares) {
        move_share(draft, *no, share)?;
    }
    Ok(())
}

/// Claims go first; what the expiry job has not yet taken off the card follows.
fn move_share(draft: &mut Draft<'_>, no: LotNo, share: Amount) -> Step {
    if share.is_zero() {
        return Ok(());
    }
    let claim = claim_account(draft, no)?;
    let card = draft.card()?;
    let from = card_lot(card.id, no);
    let lot = card.lot_mut(no).ok_or(Refusal::Inconsistent)?;
    let claimed = share.min(lot.expired);
    let rest = share.saturating_sub(claimed);
    lot.expired = lot.expired.saturating_sub(claimed);
    lot.remaining = lot.remaining.checked_sub(rest).ok_or(Refusal::Inconsistent)?;
    // The new card's validity governs; the lot's own may have passed.
    let grant = Grant { source: lot.source, funder: lot.funder, amount: share, expires_at: None };
    card.ungrant(&[LotPart { lot: no, amount: share }]);
    let new = draft.counterpart()?;
    let id = new.id;
    let to = card_lot(id, new.grant(grant)?);
    draft.transfer(claim, to, claimed)?;
    draft.transfer(from, to, rest)
}

/// The new card takes the old one's place, with what was used of it.
fn give_way(draft: &mut Draft<'_>) -> Step {
    carry_use(draft)?;
    let id = draft.counterpart()?.id;
    let card = draft.card()?;
    card.state = card.state.clone().close(CloseReason::Replaced(id))?;
    Ok(())
}
