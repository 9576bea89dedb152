//! Refund (退款): value of a redemption goes back, to where its holder can still use it.
//!
//! | the card is now | the value goes |
//! |---|---|
//! | active, frozen or lost | into the lots it came from |
//! | replaced or merged | onto the successor, into lots of the same source and expiry |
//! | expired or closed | to the residual account, to be claimed by reactivation or cash-out |
//!
//! A lot past its own expiry passes what it gets on to the residual account.

use super::{
    Step,
    draft::{Draft, Side, card_lot},
    expire::claim_account,
    load::grant,
};
use crate::{
    Account, Amount, Card, CardId, Decline, Refusal, Transfer,
    card::{Grant, StateCode},
    command::{Refund, UnlinkedRefund},
    lot::{LotPart, LotSource, restoration},
    operation::{Destination, Recorded},
    plan::MAX_SUCCESSORS,
};

const DAY_SECONDS: i64 = 86_400;

pub(crate) fn decide(draft: &mut Draft<'_>, command: &Refund) -> Step {
    let recorded = draft.recorded(command.original).ok_or(Refusal::OperationUnknown)?;
    let original = &recorded.operation;
    if !original.kind.is_redemption() {
        return Err(Refusal::NotARedemption.into());
    }
    if command.amount.is_some_and(Amount::is_zero) {
        return Err(Refusal::AmountZero.into());
    }
    let paid_by = original.card.ok_or(Refusal::Inconsistent)?.id;
    open_refundable(draft, paid_by)?;
    draft.original = Some(original.id);
    draft.located.merchant = original.merchant;
    draft.located.store = original.store;
    draft.located.channel = original.channel;
    let refundable = original.approved.saturating_sub(recorded.compensation.refunded);
    let amount = command.amount.unwrap_or(refundable);
    draft.ask(amount, command.currency)?;
    draft.check_tombstone()?;
    check_refundable(draft, recorded, amount)?;
    give_back(draft, recorded, amount)?;
    let mut compensation = recorded.compensation;
    compensation.refunded = compensation.refunded.checked_add(amount).ok_or(Refusal::Inconsistent)?;
    draft.compensations.push((original.id, compensation));
    draft.approved = amount;
    Ok(())
}

fn check_refundable(draft: &Draft<'_>, recorded: &Recorded, amount: Amount) -> Step {
    let original = &recorded.operation;
    if !original.is_approved() {
        return Err(Decline::OriginalDeclined.into());
    }
    if recorded.compensation.reversed_by.is_some() {
        return Err(Decline::AlreadyReversed.into());
    }
    if let Some(days) = draft.program()?.rules.refund_days {
        let last = original.at.plus_seconds(i64::from(days).saturating_mul(DAY_SECONDS));
        if draft.now() > last {
            return Err(Decline::RefundWindowPassed.into());
        }
    }
    let refundable = original.approved.saturating_sub(recorded.compensation.refunded);
    if amount.is_zero() || amount > refundable {
        return Err(Decline::RefundExceedsRedemption.into());
    }
    Ok(())
}

/// Opens the card that paid, or the card that took its place.
pub(crate) fn open_refundable(draft: &mut Draft<'_>, paid_by: CardId) -> Step {
    let id = in_use(draft, paid_by)?;
    draft.open_id(id)
}

/// The card that took a card's place, over all replacements and merges; the card itself if none did.
pub(crate) fn in_use(draft: &Draft<'_>, card: CardId) -> Step<CardId> {
    let mut id = card;
    for _ in 0..MAX_SUCCESSORS {
        let card = draft.loaded(id).ok_or(Refusal::CardUnknown)?;
        let Some(next) = card.state.successor() else { break };
        id = next;
    }
    Ok(id)
}

/// Turns `amount` of a redemption's transfers round, newest consumption first, after what was refunded
/// before.
pub(crate) fn give_back(draft: &mut Draft<'_>, recorded: &Recorded, amount: Amount) -> Step {
    let consumed = consumed(&recorded.transfers);
    let parts = restoration(&consumed, recorded.compensation.refunded, amount);
    let parts = parts.ok_or(Decline::RefundExceedsRedemption)?;
    let merchant = recorded.operation.merchant.ok_or(Refusal::Inconsistent)?;
    let paid_by = recorded.operation.card.ok_or(Refusal::Inconsistent)?.id;
    let mut destination = Destination::Card;
    for part in parts {
        let went = give_back_part(draft, paid_by, Account::Merchant(merchant), part)?;
        if destination != Destination::Residual {
            destination = went;
        }
    }
    draft.detail.destination = Some(destination);
    draft.check_countable()
}

/// The parts of lots that a redemption's transfers took.
pub(crate) fn consumed(transfers: &[Transfer]) -> Vec<LotPart> {
    let parts = transfers.iter().filter_map(|t| Some(LotPart { lot: t.debit_lot?, amount: t.amount }));
    parts.collect()
}

fn give_back_part(draft: &mut Draft<'_>, paid_by: CardId, from: Account, part: LotPart) -> Step<Destination> {
    let now = draft.now();
    let card = draft.card_ref()?;
    let (id, successor) = (card.id, card.id != paid_by);
    let ended = matches!(card.state.code(), StateCode::Expired | StateCode::Closed | StateCode::Stocked);
    let no = if successor { same_lot(draft, paid_by, part)? } else { part.lot };
    let lot = draft.card_ref()?.lot(no).ok_or(Refusal::Inconsistent)?;
    if ended || !lot.usable_at(now) {
        let to: Side = claim_account(draft, no)?;
        let lot = draft.card()?.lot_mut(no).ok_or(Refusal::Inconsistent)?;
        lot.expired = lot.expired.checked_add(part.amount).ok_or(Decline::BalanceCapExceeded)?;
        draft.transfer(from, to, part.amount)?;
        return Ok(Destination::Residual);
    }
    let lot = draft.card()?.lot_mut(no).ok_or(Refusal::Inconsistent)?;
    lot.remaining = lot.remaining.checked_add(part.amount).ok_or(Decline::BalanceCapExceeded)?;
    draft.transfer(from, card_lot(id, no), part.amount)?;
    Ok(if successor { Destination::Successor } else { Destination::Card })
}

/// The lot of the successor that corresponds to a lot of the card that paid.
fn same_lot(draft: &mut Draft<'_>, paid_by: CardId, part: LotPart) -> Step<crate::LotNo> {
    let old: &Card = draft.loaded(paid_by).ok_or(Refusal::Inconsistent)?;
    let lot = old.lot(part.lot).ok_or(Refusal::Inconsistent)?;
    let grant =
        Grant { source: lot.source, funder: lot.funder, amount: Amount::ZERO, expires_at: lot.expires_at };
    Ok(draft.card()?.grant(grant)?)
}

pub(crate) fn decide_unlinked(draft: &mut Draft<'_>, command: &UnlinkedRefund) -> Step {
    if command.amount.is_zero() {
        return Err(Refusal::AmountZero.into());
    }
    draft.open(&command.card)?;
    draft.ask(command.amount, Some(command.currency))?;
    draft.locate(&command.place)?;
    let merchant = Account::Merchant(draft.merchant()?);
    draft.check_tombstone()?;
    draft.check_active()?;
    draft.check_acceptance()?;
    draft.check_room(draft.card_ref()?.id, command.amount)?;
    grant(draft, merchant, LotSource::Paid, command.amount, None)?;
    draft.check_duplicate_trace()?;
    draft.approved = command.amount;
    draft.detail.destination = Some(Destination::Card);
    Ok(())
}
