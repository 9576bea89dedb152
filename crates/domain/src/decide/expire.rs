//! Expiry and its undoing: value past its validity leaves the balance, and comes back when claimed.

use super::{
    Step,
    draft::{Draft, Side, card_lot},
    moves::move_parts,
    refund::in_use,
};
use crate::{
    Account, Amount, CardId, Decline, Lot, LotNo, Refusal, Timestamp,
    card::StateCode,
    command::{CardRef, Reactivate},
    lot::LotPart,
    program::{ResidualPolicy, Validity},
};

/// Expires a whole card past its validity, or single lots past theirs. Held value stays until its holds
/// end: it was promised to a merchant.
pub(crate) fn decide(draft: &mut Draft<'_>, id: CardId) -> Step {
    draft.open_id(id)?;
    let now = draft.now();
    let card = draft.card_ref()?;
    let live = matches!(card.state.code(), StateCode::Active | StateCode::Frozen);
    let whole = card.is_past_validity(now);
    if !live || (whole && !card.held.is_zero()) {
        return Err(Refusal::NothingToExpire.into());
    }
    let past = |lot: &&Lot| (whole || !lot.usable_at(now)) && !lot.remaining.is_zero();
    let mut due: Vec<&Lot> = card.lots.iter().filter(past).collect();
    // What expired last stays longest: an open hold was made while that could still be spent.
    due.sort_by_key(|lot| lot.expires_at.unwrap_or(Timestamp::MAX));
    let due: Vec<(LotNo, Amount)> = due.into_iter().map(|lot| (lot.no, lot.remaining)).collect();
    if due.is_empty() && !whole {
        return Err(Refusal::NothingToExpire.into());
    }
    if whole {
        let card = draft.card()?;
        card.state = card.state.clone().expire()?;
    }
    let mut free = draft.card_ref()?.posted().saturating_sub(draft.card_ref()?.held);
    let mut total = Amount::ZERO;
    for (lot, remaining) in due {
        let amount = remaining.min(free);
        free = free.saturating_sub(amount);
        total = total.checked_add(amount).ok_or(Refusal::Inconsistent)?;
        expire_lot(draft, lot, amount)?;
    }
    if total.is_zero() && !whole {
        return Err(Refusal::NothingToExpire.into());
    }
    draft.requested = total;
    draft.approved = total;
    Ok(())
}

fn expire_lot(draft: &mut Draft<'_>, no: LotNo, amount: Amount) -> Step {
    if amount.is_zero() {
        return Ok(());
    }
    let to = claim_account(draft, no)?;
    let card = draft.card()?;
    let id = card.id;
    let lot = card.lot_mut(no).ok_or(Refusal::Inconsistent)?;
    lot.remaining = lot.remaining.checked_sub(amount).ok_or(Refusal::Inconsistent)?;
    lot.expired = lot.expired.checked_add(amount).ok_or(Refusal::Inconsistent)?;
    draft.transfer(card_lot(id, no), to, amount)
}

/// The account that keeps what expires from a lot. What a lot already has in one account decides, so that
/// a lot's claim is always in one place.
pub(crate) fn claim_account(draft: &mut Draft<'_>, no: LotNo) -> Step<Side> {
    let issuer = draft.issuer.id;
    let policy = draft.program()?.rules.residual;
    let lot = draft.card()?.lot_mut(no).ok_or(Refusal::Inconsistent)?;
    if lot.expired.is_zero() {
        lot.expired_to_breakage = policy == ResidualPolicy::Breakage;
    }
    let account = if lot.expired_to_breakage { Account::Breakage(issuer) } else { Account::Residual(issuer) };
    Ok(Side { account, lot: Some(no) })
}

pub(crate) fn decide_reactivate(draft: &mut Draft<'_>, command: &Reactivate) -> Step {
    draft.open(&command.card)?;
    draft.check_tombstone()?;
    let now = draft.now();
    let rules = &draft.program()?.rules;
    let again = rules.reactivation_months.map(|months| Validity::Months { months });
    let validity = again.unwrap_or(rules.validity);
    let card = draft.card_ref()?;
    if card.state.successor().is_some() {
        return claim_onto_successor(draft);
    }
    let claimable = card.claimable();
    let was_expired = card.state.code() == StateCode::Expired || card.is_past_validity(now);
    let state = card.state.clone().reactivate()?;
    if was_expired && rules.residual == ResidualPolicy::Exchange {
        return Err(Decline::ResidualClaimedOtherwise.into());
    }
    if !was_expired && claimable.is_zero() {
        return Err(Decline::NothingToClaim.into());
    }
    let default = if was_expired { validity.end(now, &draft.issuer.zone) } else { card.expires_at };
    let expires_at = command.expires_at.or(default);
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Decline::ExpiryInThePast.into());
    }
    let card = draft.card()?;
    card.state = state;
    card.expires_at = expires_at;
    claim_all(draft)?;
    draft.requested = claimable;
    draft.approved = claimable;
    draft.detail.expires_at = expires_at;
    draft.check_countable()
}

/// What had expired when a card was replaced or merged stayed with that card. Claimed, it goes to the card
/// that took its place, whose validity governs it from now on.
fn claim_onto_successor(draft: &mut Draft<'_>) -> Step {
    let card = draft.card_ref()?;
    let (id, claimable) = (card.id, card.claimable());
    if claimable.is_zero() {
        return Err(Decline::CardClosed.into());
    }
    let successor = in_use(draft, id)?;
    draft.open_counterpart(&CardRef::Id(successor))?;
    let receiver = draft.counterpart()?;
    if let Some(decline) = receiver.state.refusal_to_serve() {
        return Err(decline.into());
    }
    let parts = claim_all(draft)?;
    move_parts(draft, &parts)?;
    draft.requested = claimable;
    draft.approved = claimable;
    draft.check_countable()
}

/// Puts all that expired back into its lots.
fn claim_all(draft: &mut Draft<'_>) -> Step<Vec<LotPart>> {
    let card = draft.card_ref()?;
    let id = card.id;
    let claims = card.lots.iter().filter(|lot| !lot.expired.is_zero());
    let parts: Vec<LotPart> = claims.map(|lot| LotPart { lot: lot.no, amount: lot.expired }).collect();
    for part in &parts {
        let from = claim_account(draft, part.lot)?;
        let lot = draft.card()?.lot_mut(part.lot).ok_or(Refusal::Inconsistent)?;
        lot.remaining = lot.remaining.checked_add(part.amount).ok_or(Decline::BalanceCapExceeded)?;
        lot.expired = Amount::ZERO;
        // The card's new validity governs; the lot's own has passed.
        lot.expires_at = None;
        draft.transfer(from, card_lot(id, part.lot), part.amount)?;
    }
    Ok(parts)
}
