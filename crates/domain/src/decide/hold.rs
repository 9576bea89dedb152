//! Hold, capture and release (预授权, 预授权完成, 解冻).

use super::{
    Step,
    draft::Draft,
    redeem::{open_payment, pay},
};
use crate::{
    Amount, BusinessDate, Decline, Hold, HoldId, Refusal,
    card::StateCode,
    command::{Capture, PlaceHold, Release},
    hold::HoldStatus,
    program::MAX_HOLD_SECONDS,
};

pub(crate) fn decide_hold(draft: &mut Draft<'_>, command: &PlaceHold) -> Step {
    open_payment(draft, &command.payment)?;
    let merchant = draft.merchant()?;
    let seconds = command.seconds.unwrap_or(draft.program()?.rules.hold_seconds);
    if seconds == 0 || seconds > MAX_HOLD_SECONDS {
        return Err(Refusal::HoldTooLong.into());
    }
    let approved = draft.check_payment(&command.payment)?;
    let expires_at = draft.now().plus_seconds(i64::from(seconds));
    let card = draft.card()?;
    card.held = card.held.checked_add(approved).ok_or(Refusal::Inconsistent)?;
    let (card, issuer) = (card.id, card.issuer);
    draft.hold = Some(Hold {
        id: HoldId::new(draft.context.id.get()),
        issuer,
        card,
        merchant,
        store: draft.located.store,
        terminal: draft.located.terminal,
        amount: approved,
        captured: Amount::ZERO,
        status: HoldStatus::Open,
        created_at: draft.now(),
        expires_at,
    });
    draft.approved = approved;
    draft.detail.expires_at = Some(expires_at);
    Ok(())
}

/// Takes the hold that the request names, with its card and place.
fn open_hold(draft: &mut Draft<'_>, id: HoldId) -> Step<Hold> {
    let found = draft.working.holds.get(&id).and_then(Option::as_ref);
    let own = found.filter(|h| h.issuer == draft.request.actor.issuer && draft.may_act_for(Some(h.merchant)));
    let hold = own.ok_or(Refusal::HoldUnknown)?.clone();
    draft.open_id(hold.card)?;
    draft.located.merchant = Some(hold.merchant);
    draft.located.store = hold.store;
    draft.located.terminal = hold.terminal;
    draft.hold = Some(hold.clone());
    draft.original = Some(crate::OperationId::new(id.get()));
    Ok(hold)
}

pub(crate) fn decide_capture(draft: &mut Draft<'_>, command: &Capture) -> Step {
    let mut hold = open_hold(draft, command.hold)?;
    let remaining = hold.remaining();
    let amount = command.amount.unwrap_or(remaining);
    if command.amount.is_some_and(Amount::is_zero) {
        return Err(Refusal::AmountZero.into());
    }
    draft.ask(amount, command.currency)?;
    draft.check_tombstone()?;
    // The merchant was promised this value: a card frozen, lost or expired since then still pays.
    if draft.card_ref()?.state.code() == StateCode::Closed {
        return Err(Decline::CardClosed.into());
    }
    match hold.status {
        HoldStatus::Open if hold.expires_at <= draft.now() => return Err(Decline::HoldExpired.into()),
        HoldStatus::Open => {}
        HoldStatus::Expired => return Err(Decline::HoldExpired.into()),
        HoldStatus::Captured | HoldStatus::Released => return Err(Decline::HoldClosed.into()),
    }
    if amount > remaining {
        return Err(Decline::CaptureExceedsHold.into());
    }
    let order = draft.program()?.rules.lot_order;
    pay(draft, hold.merchant, amount, order, hold.created_at)?;
    hold.captured = hold.captured.checked_add(amount).ok_or(Refusal::Inconsistent)?;
    let freed = if command.is_final || hold.remaining().is_zero() {
        uncount(draft, &hold, 0, hold.remaining())?;
        hold.status = HoldStatus::Captured;
        remaining
    } else {
        amount
    };
    let card = draft.card()?;
    card.held = card.held.checked_sub(freed).ok_or(Refusal::Inconsistent)?;
    draft.hold = Some(hold);
    draft.approved = amount;
    Ok(())
}

pub(crate) fn decide_release(draft: &mut Draft<'_>, command: &Release) -> Step {
    let hold = open_hold(draft, command.hold)?;
    draft.check_tombstone()?;
    let open = hold.status == HoldStatus::Open;
    if command.expired && (!open || hold.expires_at > draft.now()) {
        // The job was late or early: nobody waits for an answer, so nothing is recorded.
        return Err(Refusal::NothingToExpire.into());
    }
    if !open {
        return Err(Decline::HoldClosed.into());
    }
    let status = if command.expired { HoldStatus::Expired } else { HoldStatus::Released };
    end_hold(draft, hold, status)
}

/// Takes what a hold did not use back out of the limits of the day it was made on.
fn uncount(draft: &mut Draft<'_>, hold: &Hold, count: u32, amount: Amount) -> Step {
    let made_on = BusinessDate::of(hold.created_at, &draft.issuer.zone);
    draft.uncount_use(made_on, count, amount)
}

/// Gives back what a hold still sets aside.
pub(crate) fn end_hold(draft: &mut Draft<'_>, mut hold: Hold, status: HoldStatus) -> Step {
    let remaining = hold.remaining();
    let unused = u32::from(hold.captured.is_zero());
    uncount(draft, &hold, unused, remaining)?;
    let card = draft.card()?;
    card.held = card.held.checked_sub(remaining).ok_or(Refusal::Inconsistent)?;
    hold.status = status;
    draft.hold = Some(hold);
    draft.requested = remaining;
    draft.approved = remaining;
    Ok(())
}
