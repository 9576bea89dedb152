//! Value between cards, lot by lot (transfer, merge, replacement), and out of a card (cash-out).

use super::{
    Step,
    draft::{Draft, card_lot},
    expire::claim_account,
};
use crate::{
    Account, Amount, CardState, Decline, LotNo, Refusal,
    card::{CloseReason, Grant, StateCode},
    command::{CashOut, Move, MoveAll, PinAttempt},
    lot::{self, LotPart, LotSource},
};

pub(crate) fn decide_transfer(draft: &mut Draft<'_>, command: &Move) -> Step {
    if command.amount.is_zero() {
        return Err(Refusal::AmountZero.into());
    }
    draft.open(&command.from)?;
    draft.open_counterpart(&command.to)?;
    draft.ask(command.amount, Some(command.currency))?;
    draft.check_tombstone()?;
    check_movable(draft, command.pin.as_ref())?;
    let (now, rules) = (draft.now(), &draft.program()?.rules);
    if draft.card_ref()?.available(now) < command.amount {
        return Err(draft.shortage(command.amount)?.into());
    }
    let parts = lot::consumption(&draft.card_ref()?.lots, rules.lot_order, command.amount, now);
    check_receiver_room(draft, command.amount)?;
    move_parts(draft, &parts.ok_or(Decline::InsufficientFunds)?)?;
    draft.approved = command.amount;
    Ok(())
}

pub(crate) fn decide_merge(draft: &mut Draft<'_>, command: &MoveAll) -> Step {
    draft.open(&command.from)?;
    draft.open_counterpart(&command.to)?;
    draft.check_tombstone()?;
    check_movable(draft, command.pin.as_ref())?;
    check_unheld(draft)?;
    let into = draft.counterpart()?.id;
    let coming = draft.card_ref()?.posted();
    check_receiver_room(draft, coming)?;
    move_everything(draft)?;
    close(draft, CloseReason::Merged(into))
}

pub(crate) fn decide_replace(draft: &mut Draft<'_>, command: &MoveAll) -> Step {
    draft.open(&command.from)?;
    draft.open_counterpart(&command.to)?;
    draft.check_tombstone()?;
    let card = draft.card_ref()?;
    match card.state.code() {
        StateCode::Lost | StateCode::Active | StateCode::Frozen => {}
        _ => return Err(card.state.refusal_to_serve().unwrap_or(Decline::CardClosed).into()),
    }
    if card.is_past_validity(draft.now()) {
        return Err(Decline::CardExpired.into());
    }
    check_same_program(draft)?;
    if draft.counterpart()?.state != CardState::Stocked {
        return Err(Decline::ReplacementNotStocked.into());
    }
    draft.check_pin(command.pin.as_ref(), false)?;
    check_unheld(draft)?;
    let now = draft.now();
    let (expires_at, member, day) = {
        let card = draft.card_ref()?;
        (card.expires_at, card.member.clone(), card.day)
    };
    let new = draft.counterpart()?;
    new.state = new.state.clone().activate()?;
    new.activated_at = Some(now);
    new.expires_at = expires_at;
    new.member = member;
    // Today's use goes along, or a replacement would reset the daily limits.
    new.day = day;
    let id = new.id;
    move_everything(draft)?;
    close(draft, CloseReason::Replaced(id))
}

pub(crate) fn check_same_program(draft: &Draft<'_>) -> Step {
    let (from, to) = (draft.card_ref()?.program, draft.counterpart.as_ref().map(|c| c.program));
    if Some(from) == to { Ok(()) } else { Err(Decline::ProgramMismatch.into()) }
}

/// Both cards are in use, their program lets value move, and whoever asks is the holder.
fn check_movable(draft: &mut Draft<'_>, pin: Option<&PinAttempt>) -> Step {
    draft.check_both_active()?;
    check_same_program(draft)?;
    let asked = draft.pin_asked_remotely()?;
    draft.check_pin(pin, asked)?;
    draft.check_member()?;
    if !draft.program()?.rules.transferable {
        return Err(Decline::NotTransferable.into());
    }
    Ok(())
}

fn check_receiver_room(draft: &mut Draft<'_>, coming: Amount) -> Step {
    let to = draft.counterpart()?.id;
    draft.check_room(to, coming)
}

pub(crate) fn check_unheld(draft: &Draft<'_>) -> Step {
    if draft.card_ref()?.held.is_zero() { Ok(()) } else { Err(Decline::HeldElsewhere.into()) }
}

fn close(draft: &mut Draft<'_>, reason: CloseReason) -> Step {
    let card = draft.card()?;
    card.state = card.state.clone().close(reason)?;
    Ok(())
}

/// Moves all that is left of all lots, expired or not: each keeps its source and expiry.
fn move_everything(draft: &mut Draft<'_>) -> Step {
    let lots = &draft.card_ref()?.lots;
    let parts: Vec<LotPart> = lots
        .iter()
        .filter(|lot| !lot.remaining.is_zero())
        .map(|lot| LotPart { lot: lot.no, amount: lot.remaining })
        .collect();
    let total = draft.card_ref()?.posted();
    move_parts(draft, &parts)?;
    carry_use(draft)?;
    draft.requested = total;
    draft.approved = total;
    Ok(())
}

/// Lets the second card know what was used of the first, lot by lot: it goes on where the first one ends, and
/// what a holder gets back depends on it.
pub(crate) fn carry_use(draft: &mut Draft<'_>) -> Step {
    let lots = draft.card_ref()?.lots.clone();
    for lot in lots {
        let left = lot.remaining.checked_add(lot.expired).ok_or(Refusal::Inconsistent)?;
        let used = lot.granted.saturating_sub(left);
        if used.is_zero() {
            continue;
        }
        let grant = Grant {
            source: lot.source,
            funder: lot.funder,
            amount: Amount::ZERO,
            expires_at: lot.expires_at,
        };
        let receiver = draft.counterpart()?;
        // A card that is full of lots has one of the same source, or the use stays known of the first card.
        let same = receiver.lots.iter().find(|other| other.source == lot.source).map(|other| other.no);
        let Some(to) = receiver.grant(grant).ok().or(same) else { continue };
        let to = receiver.lot_mut(to).ok_or(Refusal::Inconsistent)?;
        to.granted = to.granted.checked_add(used).ok_or(Decline::BalanceCapExceeded)?;
        draft.card()?.ungrant(&[LotPart { lot: lot.no, amount: used }]);
    }
    Ok(())
}

/// Moves parts of lots to the second card.
pub(crate) fn move_parts(draft: &mut Draft<'_>, parts: &[LotPart]) -> Step {
    for part in parts {
        let card = draft.card()?;
        card.take(std::slice::from_ref(part)).ok_or(Refusal::Inconsistent)?;
        card.ungrant(std::slice::from_ref(part));
        let from = card.id;
        let lot = card.lot(part.lot).ok_or(Refusal::Inconsistent)?;
        let grant =
            Grant { source: lot.source, funder: lot.funder, amount: part.amount, expires_at: lot.expires_at };
        let receiver = draft.counterpart()?;
        let to = receiver.id;
        let lot = receiver.grant(grant)?;
        draft.transfer(card_lot(from, part.lot), card_lot(to, lot), part.amount)?;
    }
    Ok(())
}

/// Pays out what was paid for, with what expired of it; bonus value is forfeited to who gave it.
pub(crate) fn decide_cash_out(draft: &mut Draft<'_>, command: &CashOut) -> Step {
    draft.open(&command.card)?;
    draft.detail.payout.clone_from(&command.payout);
    draft.check_tombstone()?;
    let card = draft.card_ref()?;
    let ended = matches!(card.state.code(), StateCode::Expired | StateCode::Closed);
    if !ended && let Some(decline) = card.state.refusal_to_serve() {
        return Err(decline.into());
    }
    if ended && card.claimable().is_zero() && card.posted().is_zero() {
        return Err(card.state.refusal_to_serve().unwrap_or(Decline::CardClosed).into());
    }
    let asked = draft.pin_asked_remotely()?;
    draft.check_pin(command.pin.as_ref(), asked)?;
    // What was refunded to a closed card has no other way out, whatever the program says.
    if draft.card_ref()?.state.code() != StateCode::Closed {
        draft.check_member()?;
        if !draft.program()?.rules.cash_out {
            return Err(Decline::CashOutNotAllowed.into());
        }
    }
    check_unheld(draft)?;
    let by_contract = draft.card_ref()?.state.code() != StateCode::Closed;
    let numbers: Vec<LotNo> = draft.card_ref()?.lots.iter().map(|lot| lot.no).collect();
    let (mut paid, mut forfeited) = (Amount::ZERO, Amount::ZERO);
    for no in numbers {
        let (amount, is_paid) = empty_lot(draft, no)?;
        let sum = if is_paid { &mut paid } else { &mut forfeited };
        *sum = sum.checked_add(amount).ok_or(Refusal::Inconsistent)?;
    }
    draft.check_payout_by_law(paid, by_contract, command.payout.as_deref())?;
    let card = draft.card()?;
    if card.state.code() != StateCode::Closed {
        card.state = card.state.clone().close(CloseReason::CashedOut)?;
    }
    draft.requested = paid;
    draft.approved = paid;
    draft.detail.forfeited = Some(forfeited);
    Ok(())
}

/// Empties a lot and its claim. Returns how much, and whether it is paid out.
fn empty_lot(draft: &mut Draft<'_>, no: LotNo) -> Step<(Amount, bool)> {
    let issuer = draft.issuer.id;
    let claim = claim_account(draft, no)?;
    let card = draft.card()?;
    let id = card.id;
    let lot = card.lot_mut(no).ok_or(Refusal::Inconsistent)?;
    let (to, is_paid) = match (lot.source, lot.funder) {
        (LotSource::Bonus, _) => (Account::Promotion(issuer), false),
        (LotSource::MerchantFunded, Some(merchant)) => (Account::Merchant(merchant), false),
        _ => (Account::Bank(issuer), true),
    };
    let (remaining, expired) = (lot.remaining, lot.expired);
    lot.remaining = Amount::ZERO;
    lot.expired = Amount::ZERO;
    draft.transfer(card_lot(id, no), to, remaining)?;
    draft.transfer(claim, to, expired)?;
    Ok((remaining.checked_add(expired).ok_or(Refusal::Inconsistent)?, is_paid))
}
