//! Reversal (冲正): undoing an operation by the key of its original.
//!
//! For a caller that did not get an answer: it names the key it had used. An unknown original leaves a
//! tombstone, so that it is declined if it arrives late; a second reversal returns the first one's answer.

use std::sync::Arc;

use super::{
    Step, Stop,
    draft::{Draft, Side},
    hold::end_hold,
    refund::{consumed, give_back, open_refundable},
};
use crate::{
    Account, Amount, BusinessDate, Card, CardId, CardState, Decline, Operation, OperationId, OperationKind,
    PostingKind, Refusal, Transfer,
    card::{CloseReason, StateCode},
    command::Reverse,
    hold::HoldStatus,
    lot::{self, LotPart, restoration},
    operation::{Compensation, Recorded, Status},
    working::{KeyState, Tombstone},
};

pub(crate) fn decide(draft: &mut Draft<'_>, command: &Reverse) -> Step {
    draft.detail.original_key = Some(command.original.to_text());
    draft.check_tombstone()?;
    if command.original == draft.request.key {
        // It names itself; a tombstone would lie beside an operation of the same key.
        return Err(Decline::NotReversible.into());
    }
    let key = (draft.request.actor.client, command.original.clone());
    let state = draft.working.keys.get(&key).ok_or(Refusal::Inconsistent)?;
    match state {
        KeyState::Free => {
            draft.tombstone = Some(Tombstone { client: key.0, key: key.1, reversal: draft.context.id });
            Ok(())
        }
        KeyState::Tombstone(first) => Err(first_answer(draft, *first)?),
        KeyState::Taken(original) => reverse_known(draft, original),
    }
}

/// The answer of the reversal that came first.
fn first_answer(draft: &mut Draft<'_>, first: OperationId) -> Step<Stop> {
    let first = draft.working.operations.get(&first).and_then(Option::as_ref);
    let answer = Arc::clone(&first.ok_or(Refusal::Inconsistent)?.operation);
    Ok(draft.replay(answer))
}

fn reverse_known(draft: &mut Draft<'_>, original: &Operation) -> Step {
    let recorded = draft.recorded(original.id).ok_or(Refusal::OperationUnknown)?;
    if let Some(first) = recorded.compensation.reversed_by {
        return Err(first_answer(draft, first)?);
    }
    if original.status == Status::Declined(Decline::ReversedBeforeArrival) {
        let first = original.original.ok_or(Refusal::Inconsistent)?;
        return Err(first_answer(draft, first)?);
    }
    if PostingKind::of(original.kind).is_some() {
        return Err(Refusal::PostingNotReversible.into());
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
    if !original.is_approved() {
        // Nothing moved, so there is nothing to undo: the caller's doubt is settled all the same.
        note_reversal(draft, recorded);
        return Ok(());
    }
    undo(draft, recorded)?;
    draft.check_countable()?;
    // After the reasons that come before it; a declined draft is thrown away.
    let window = i64::from(draft.program()?.rules.reversal_seconds);
    if draft.now() > original.at.plus_seconds(window) {
        return Err(Decline::ReversalWindowPassed.into());
    }
    if original.kind == OperationKind::Activation {
        let card = draft.card_ref()?;
        if !(card.posted().is_zero() && card.claimable().is_zero()) {
            return Err(Decline::BalanceRemaining.into());
        }
    }
    draft.requested = original.approved;
    draft.approved = original.approved;
    note_reversal(draft, recorded);
    Ok(())
}

fn note_reversal(draft: &mut Draft<'_>, recorded: &Recorded) {
    let compensation = Compensation { reversed_by: Some(draft.context.id), ..recorded.compensation };
    draft.compensations.push((recorded.operation.id, compensation));
}

fn undo(draft: &mut Draft<'_>, recorded: &Recorded) -> Step {
    let original = &recorded.operation;
    match original.kind {
        OperationKind::Redemption | OperationKind::Capture => undo_payment(draft, recorded),
        OperationKind::Activation => {
            let state = draft.card_ref()?.state.clone().deactivate()?;
            turn_round(draft, &recorded.transfers, Was::Grant)?;
            let card = draft.card()?;
            card.state = state;
            card.activated_at = None;
            card.expires_at = None;
            // The next buyer is another person, and has used nothing.
            card.member = None;
            for lot in &mut card.lots {
                lot.granted = lot.remaining.checked_add(lot.expired).ok_or(Refusal::Inconsistent)?;
            }
            Ok(())
        }
        OperationKind::Load | OperationKind::UnlinkedRefund | OperationKind::Adjustment => {
            turn_round(draft, &recorded.transfers, Was::Grant)
        }
        OperationKind::Transfer => {
            let other = original.counterpart.ok_or(Refusal::Inconsistent)?.id;
            let other = draft.loaded(other).ok_or(Refusal::Inconsistent)?.clone();
            draft.counterpart = Some(other);
            turn_round(draft, &recorded.transfers, Was::Grant)
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
        | OperationKind::Inquiry
        | OperationKind::HolderRefund
        | OperationKind::Exchange
        // Refused before: see `reverse_known`.
        | OperationKind::Settlement
        | OperationKind::Payout
        | OperationKind::PayoutReturn
        | OperationKind::MerchantPayment
        | OperationKind::ChannelPayment
        | OperationKind::Correction
        | OperationKind::Breakage => Err(Decline::NotReversible.into()),
    }
}

fn undo_payment(draft: &mut Draft<'_>, recorded: &Recorded) -> Step {
    if !recorded.compensation.refunded.is_zero() {
        return Err(Decline::AlreadyRefunded.into());
    }
    let original = &recorded.operation;
    give_back(draft, recorded, original.approved)?;
    if !counts_uses_of(draft, original.card.ok_or(Refusal::Inconsistent)?.id)? {
        return Ok(());
    }
    if original.kind == OperationKind::Redemption {
        return draft.uncount_use(original.business_date, 1, original.approved);
    }
    // A capture was counted on the day of its hold; the use itself stays counted with the hold.
    let hold = original.hold.and_then(|id| draft.working.holds.get(&id)).and_then(Option::as_ref);
    let made_at = hold.ok_or(Refusal::Inconsistent)?.created_at;
    let made_on = BusinessDate::of(made_at, &draft.issuer.zone);
    draft.uncount_use(made_on, 0, original.approved)
}

/// Whether the draft's card counts what was done with `card`: it is that card, or its replacement, which
/// took its counters over. A card that it was merged into has its own.
fn counts_uses_of(draft: &Draft<'_>, card: CardId) -> Step<bool> {
    let in_use = draft.card_ref()?.id;
    let replaced = CardState::Closed { reason: CloseReason::Replaced(in_use) };
    Ok(card == in_use || draft.loaded(card).is_some_and(|card| card.state == replaced))
}

fn undo_refund(draft: &mut Draft<'_>, recorded: &Recorded) -> Step {
    let redemption = recorded.operation.original.ok_or(Refusal::Inconsistent)?;
    let redemption = draft.working.operations.get(&redemption).and_then(Option::as_ref);
    let redemption = redemption.ok_or(Refusal::Inconsistent)?;
    turn_round(draft, &recorded.transfers, Was::Use)?;
    check_newest(recorded, redemption)?;
    let mut compensation = redemption.compensation;
    let refunded = compensation.refunded.checked_sub(recorded.operation.approved);
    compensation.refunded = refunded.ok_or(Refusal::Inconsistent)?;
    draft.compensations.push((redemption.operation.id, compensation));
    Ok(())
}

/// Refunds give back lot by lot, newest consumption first, and count by a sum alone. Only the newest one
/// can therefore be turned round, unless all came from one lot: otherwise the next refund would give back
/// to one lot what another is still owed.
fn check_newest(refund: &Recorded, redemption: &Recorded) -> Step {
    let consumed = consumed(&redemption.transfers);
    let (amount, refunded) = (refund.operation.approved, redemption.compensation.refunded);
    if consumed.len() == 1 || refunded == amount {
        return Ok(());
    }
    let before = refunded.checked_sub(amount).ok_or(Refusal::Inconsistent)?;
    let newest = restoration(&consumed, before, amount).ok_or(Refusal::Inconsistent)?;
    let given = refund.transfers.iter();
    let given: Vec<LotPart> =
        given.filter_map(|t| Some(LotPart { lot: t.credit_lot?, amount: t.amount })).collect();
    // On another card the lots have other numbers, and nothing can be said.
    let same_card = refund.operation.card.map(|c| c.id) == redemption.operation.card.map(|c| c.id);
    if same_card && given == newest { Ok(()) } else { Err(Decline::AlreadyRefunded.into()) }
}

fn undo_hold(draft: &mut Draft<'_>, original: &Operation) -> Step {
    let id = original.hold.ok_or(Refusal::Inconsistent)?;
    let hold = draft.working.holds.get(&id).and_then(Option::as_ref).ok_or(Refusal::Inconsistent)?.clone();
    if hold.status != HoldStatus::Open || !hold.captured.is_zero() {
        return Err(Decline::HoldClosed.into());
    }
    end_hold(draft, hold, HoldStatus::Released)
}

/// Each transfer of the original, turned round. What it brought must still be there and not be held.
fn turn_round(draft: &mut Draft<'_>, transfers: &[Transfer], was: Was) -> Step {
    check_serve(draft, transfers)?;
    check_unheld(draft, transfers)?;
    for transfer in transfers {
        let debit = Side { account: transfer.credit, lot: transfer.credit_lot };
        let credit = Side { account: transfer.debit, lot: transfer.debit_lot };
        apply_side(draft, debit, transfer.amount, (Way::Out, was))?;
        apply_side(draft, credit, transfer.amount, (Way::In, was))?;
        draft.transfer(debit, credit, transfer.amount)?;
    }
    Ok(())
}

fn both_cards<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = &'a Card> {
    [draft.card.as_ref(), draft.counterpart.as_ref()].into_iter().flatten()
}

/// Value is only taken from or given to cards that are in use: on a closed one it would be lost, whichever
/// way it goes. Claims on expired value are another matter.
fn check_serve(draft: &Draft<'_>, transfers: &[Transfer]) -> Step {
    let moves = |card: &&Card| {
        let account = Account::Card(card.id);
        transfers.iter().any(|t| t.debit == account || t.credit == account)
    };
    let refusal = |card: &Card| match card.state.code() {
        StateCode::Active | StateCode::Frozen | StateCode::Lost => None,
        _ => card.state.refusal_to_serve(),
    };
    match both_cards(draft).filter(moves).filter_map(refusal).min() {
        Some(decline) => Err(decline.into()),
        None => Ok(()),
    }
}

/// What open holds set aside stays covered by what can be spent, or their captures would fail.
fn check_unheld(draft: &Draft<'_>, transfers: &[Transfer]) -> Step {
    for card in both_cards(draft).filter(|card| !card.held.is_zero()) {
        let account = Account::Card(card.id);
        let leaving = transfers.iter().filter(|t| t.credit == account).map(|t| t.amount);
        let leaving = Amount::checked_sum(leaving).ok_or(Refusal::Inconsistent)?;
        let usable = lot::usable(&card.lots, draft.now());
        if !leaving.is_zero() && leaving <= card.posted() && usable.saturating_sub(leaving) < card.held {
            return Err(Decline::HeldElsewhere.into());
        }
    }
    Ok(())
}

/// What is undone: value that was granted or taken back, or the use of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Was {
    Grant,
    Use,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Out,
    In,
}

/// Changes the lot that a side of a transfer is about: its balance, or its claim where the account is
/// residual or breakage.
fn apply_side(draft: &mut Draft<'_>, side: Side, amount: Amount, (way, was): (Way, Was)) -> Step {
    let Some(no) = side.lot else { return Ok(()) };
    let is_claim = matches!(side.account, Account::Residual(_) | Account::Breakage(_));
    let card = match side.account {
        Account::Card(id) if draft.card_ref()?.id != id => draft.counterpart()?,
        _ => draft.card()?,
    };
    let lot = card.lot_mut(no).ok_or(Refusal::Inconsistent)?;
    if was == Was::Grant && !is_claim {
        lot.granted = match way {
            Way::Out => lot.granted.saturating_sub(amount),
            Way::In => lot.granted.checked_add(amount).ok_or(Decline::BalanceCapExceeded)?,
        };
    }
    let value = if is_claim { &mut lot.expired } else { &mut lot.remaining };
    *value = match way {
        Way::Out => value.checked_sub(amount).ok_or(Decline::InsufficientFunds)?,
        Way::In => value.checked_add(amount).ok_or(Decline::BalanceCapExceeded)?,
    };
    Ok(())
}
