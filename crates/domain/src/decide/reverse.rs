//! Reversal (冲正): undoing an operation by the key of its original.
//!
//! For a caller that did not get an answer: it names the key it had used. An unknown original leaves a
//! tombstone, so that it is declined if it arrives late; a second reversal returns the first one's answer.

use std::sync::Arc;

use super::{
    Step,
    draft::{Draft, Side},
    hold::end_hold,
    refund::{give_back, open_refundable},
};
use crate::{
    Account, Amount, CardState, Decline, Operation, OperationKind, Refusal, Transfer,
    card::StateCode,
    command::Reverse,
    hold::HoldStatus,
    operation::{Compensation, Recorded},
    working::{KeyState, Tombstone},
};

pub(crate) fn decide(draft: &mut Draft<'_>, command: &Reverse) -> Step {
    draft.detail.original_key = Some(command.original.to_text());
    let key = (draft.request.actor.client, command.original.clone());
    let state = draft.working.keys.get(&key).ok_or(Refusal::Inconsistent)?;
    match state {
        KeyState::Free => {
            draft.tombstone = Some(Tombstone { client: key.0, key: key.1, reversal: draft.context.id });
            Ok(())
        }
        KeyState::Tombstone(_) => Ok(()),
        KeyState::Taken(original) => reverse_known(draft, original),
    }
}

fn reverse_known(draft: &mut Draft<'_>, original: &Operation) -> Step {
    let recorded = draft.recorded(original.id).ok_or(Refusal::OperationUnknown)?;
    if let Some(first) = recorded.compensation.reversed_by {
        let first = draft.working.operations.get(&first).and_then(Option::as_ref);
        let answer = Arc::clone(&first.ok_or(Refusal::Inconsistent)?.operation);
        return Err(draft.replay(answer));
    }
    draft.original = Some(original.id);
    draft.located.merchant = original.merchant;
    draft.located.store = original.store;
    draft.located.channel = original.channel;
    let Some(card) = original.card else {
        // A reversal that found nothing to reverse.
        return Err(Decline::NotReversible.into());
    };
    if original.kind.is_redemption() {
        open_refundable(draft, card.id)?;
    } else {
        draft.open_id(card.id)?;
    }
    draft.requested = original.approved;
    draft.check_tombstone()?;
    if !original.is_approved() {
        // Nothing moved, so there is nothing to undo: the caller's doubt is settled all the same.
        return note_reversal(draft, recorded);
    }
    let window = i64::from(draft.program()?.rules.reversal_seconds);
    if draft.now() > original.at.plus_seconds(window) {
        return Err(Decline::ReversalWindowPassed.into());
    }
    undo(draft, recorded)?;
    draft.approved = original.approved;
    note_reversal(draft, recorded)
}

fn note_reversal(draft: &mut Draft<'_>, recorded: &Recorded) -> Step {
    let compensation = Compensation { reversed_by: Some(draft.context.id), ..recorded.compensation };
    draft.compensations.push((recorded.operation.id, compensation));
    Ok(())
}

fn undo(draft: &mut Draft<'_>, recorded: &Recorded) -> Step {
    let original = &recorded.operation;
    match original.kind {
        OperationKind::Redemption | OperationKind::Capture => undo_payment(draft, recorded),
        OperationKind::Activation => {
            turn_round(draft, &recorded.transfers)?;
            let card = draft.card()?;
            if !card.posted().is_zero() {
                return Err(Decline::BalanceRemaining.into());
            }
            card.state = card.state.clone().deactivate()?;
            card.activated_at = None;
            card.expires_at = None;
            Ok(())
        }
        OperationKind::Load | OperationKind::UnlinkedRefund | OperationKind::Adjustment => {
            turn_round(draft, &recorded.transfers)
        }
        OperationKind::Transfer => {
            let other = original.counterpart.ok_or(Refusal::Inconsistent)?.id;
            let other = draft.loaded(other).ok_or(Refusal::Inconsistent)?.clone();
            draft.counterpart = Some(other);
            turn_round(draft, &recorded.transfers)
        }
        OperationKind::Refund => undo_refund(draft, recorded),
        OperationKind::Hold => undo_hold(draft, original),
        OperationKind::Release
        | OperationKind::Reversal
        | OperationKind::Freeze
        | OperationKind::Unfreeze
        | OperationKind::LossReport
        | OperationKind::Replacement
        | OperationKind::Merge
        | OperationKind::Expiry
        | OperationKind::Reactivation
        | OperationKind::CashOut
        | OperationKind::Closure
        | OperationKind::MemberBinding
        | OperationKind::Inquiry => Err(Decline::NotReversible.into()),
    }
}

fn undo_payment(draft: &mut Draft<'_>, recorded: &Recorded) -> Step {
    if !recorded.compensation.refunded.is_zero() {
        return Err(Decline::AlreadyRefunded.into());
    }
    let original = &recorded.operation;
    give_back(draft, recorded, original.approved)?;
    // What did not happen does not count against today's limits.
    let date = draft.date;
    let card = draft.card()?;
    if original.kind == OperationKind::Redemption && original.business_date == date && card.day.date == date {
        card.day.count = card.day.count.saturating_sub(1);
        card.day.amount = card.day.amount.saturating_sub(original.approved);
    }
    Ok(())
}

fn undo_refund(draft: &mut Draft<'_>, recorded: &Recorded) -> Step {
    let redemption = recorded.operation.original.ok_or(Refusal::Inconsistent)?;
    let redemption = draft.working.operations.get(&redemption).and_then(Option::as_ref);
    let redemption = redemption.ok_or(Refusal::Inconsistent)?;
    turn_round(draft, &recorded.transfers)?;
    let mut compensation = redemption.compensation;
    let refunded = compensation.refunded.checked_sub(recorded.operation.approved);
    compensation.refunded = refunded.ok_or(Refusal::Inconsistent)?;
    draft.compensations.push((redemption.operation.id, compensation));
    Ok(())
}

fn undo_hold(draft: &mut Draft<'_>, original: &Operation) -> Step {
    let id = original.hold.ok_or(Refusal::Inconsistent)?;
    let hold = draft.working.holds.get(&id).and_then(Option::as_ref).ok_or(Refusal::Inconsistent)?.clone();
    if hold.status != HoldStatus::Open || !hold.captured.is_zero() {
        return Err(Decline::HoldClosed.into());
    }
    let (date, amount) = (draft.date, original.approved);
    let card = draft.card()?;
    if original.business_date == date && card.day.date == date {
        card.day.count = card.day.count.saturating_sub(1);
        card.day.amount = card.day.amount.saturating_sub(amount);
    }
    end_hold(draft, hold, HoldStatus::Released)
}

/// Each transfer of the original, turned round. What it brought must still be there and not be held.
fn turn_round(draft: &mut Draft<'_>, transfers: &[Transfer]) -> Step {
    let mut taken = Amount::ZERO;
    for transfer in transfers {
        let debit = Side { account: transfer.credit, lot: transfer.credit_lot };
        let credit = Side { account: transfer.debit, lot: transfer.debit_lot };
        if matches!(debit.account, Account::Card(_)) {
            taken = taken.checked_add(transfer.amount).ok_or(Refusal::Inconsistent)?;
        }
        apply_side(draft, debit, transfer.amount, Way::Out)?;
        apply_side(draft, credit, transfer.amount, Way::In)?;
        draft.transfer(debit, credit, transfer.amount)?;
    }
    for card in [draft.card.as_ref(), draft.counterpart.as_ref()].into_iter().flatten() {
        if card.posted() < card.held {
            return Err(Decline::HeldElsewhere.into());
        }
        if !taken.is_zero() {
            check_serves(&card.state)?;
        }
    }
    Ok(())
}

/// Value is only taken from or given to cards that are in use.
fn check_serves(state: &CardState) -> Step {
    match state.code() {
        StateCode::Active | StateCode::Frozen | StateCode::Lost => Ok(()),
        _ => Err(state.refusal_to_serve().unwrap_or(Decline::CardClosed).into()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Out,
    In,
}

/// Changes the lot that a side of a transfer is about: its balance, or its claim where the account is
/// residual or breakage.
fn apply_side(draft: &mut Draft<'_>, side: Side, amount: Amount, way: Way) -> Step {
    let Some(no) = side.lot else { return Ok(()) };
    let is_claim = matches!(side.account, Account::Residual(_) | Account::Breakage(_));
    let card = match side.account {
        Account::Card(id) if draft.card_ref()?.id != id => draft.counterpart()?,
        _ => draft.card()?,
    };
    let lot = card.lot_mut(no).ok_or(Refusal::Inconsistent)?;
    let value = if is_claim { &mut lot.expired } else { &mut lot.remaining };
    *value = match way {
        Way::Out => value.checked_sub(amount).ok_or(Decline::InsufficientFunds)?,
        Way::In => value.checked_add(amount).ok_or(Refusal::Inconsistent)?,
    };
    Ok(())
}
