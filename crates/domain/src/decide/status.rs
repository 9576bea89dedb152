//! Commands that change a card without moving value: freeze, unfreeze, report lost, close, bind.

use super::{Step, draft::Draft};
use crate::{
    CardState, Decline,
    card::CloseReason,
    command::{BindMember, CardRef, Inquire, WithReason},
};

pub(crate) fn decide_freeze(draft: &mut Draft<'_>, command: &WithReason) -> Step {
    draft.open(&command.card)?;
    draft.detail.reason = Some(command.reason.clone());
    draft.check_tombstone()?;
    let card = draft.card()?;
    card.state = card.state.clone().freeze(command.reason.clone())?;
    Ok(())
}

/// Also ends a lock after wrong PINs in a row; a lock for life stays.
pub(crate) fn decide_unfreeze(draft: &mut Draft<'_>, card: &CardRef) -> Step {
    draft.open(card)?;
    draft.check_tombstone()?;
    let card = draft.card()?;
    if card.pin.failures > 0 && card.state.refusal_to_serve().is_none() {
        card.pin.failures = 0;
        return Ok(());
    }
    card.state = card.state.clone().unfreeze()?;
    card.pin.failures = 0;
    Ok(())
}

pub(crate) fn decide_report_lost(draft: &mut Draft<'_>, card: &CardRef) -> Step {
    draft.open(card)?;
    draft.check_tombstone()?;
    let registered = draft.program()?.rules.registered;
    let card = draft.card()?;
    let lost = card.state.clone().lose()?;
    if !registered {
        return Err(Decline::CardNotRegistered.into());
    }
    card.state = lost;
    Ok(())
}

pub(crate) fn decide_close(draft: &mut Draft<'_>, command: &WithReason) -> Step {
    draft.open(&command.card)?;
    draft.detail.reason = Some(command.reason.clone());
    draft.check_tombstone()?;
    let card = draft.card()?;
    let closed = card.state.clone().close(CloseReason::Destroyed)?;
    if !(card.posted().is_zero() && card.held.is_zero() && card.claimable().is_zero()) {
        return Err(Decline::BalanceRemaining.into());
    }
    card.state = closed;
    Ok(())
}

pub(crate) fn decide_bind_member(draft: &mut Draft<'_>, command: &BindMember) -> Step {
    draft.open(&command.card)?;
    draft.detail.member = Some(command.member.clone());
    draft.check_tombstone()?;
    draft.check_active()?;
    // Binding takes possession of a card from afar, so it asks for the PIN wherever there is a rule. Who holds
    // the card has possession, and may hand it over.
    let handed_over = command.card.is_held();
    let asked = !handed_over && draft.pin_asked_remotely()?;
    draft.check_pin(command.pin.as_ref(), asked)?;
    let card = draft.card()?;
    if !handed_over && card.member.as_ref().is_some_and(|member| *member != command.member) {
        return Err(Decline::MemberAlreadyBound.into());
    }
    card.member = Some(command.member.clone());
    Ok(())
}

/// Only an unsold card is declined for its state: its holder may see what a frozen card holds.
pub(crate) fn decide_inquire(draft: &mut Draft<'_>, command: &Inquire) -> Step {
    draft.open(&command.card)?;
    draft.check_tombstone()?;
    if draft.card_ref()?.state == CardState::Stocked {
        return Err(Decline::CardNotActivated.into());
    }
    let asked = !command.card.is_held() && draft.pin_asked_remotely()?;
    draft.check_pin(command.pin.as_ref(), asked)
}
