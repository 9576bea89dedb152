//! Adjustment (调账): a correction against the suspense account, with a reason.

use super::{
    Step,
    draft::{Draft, card_lot},
    load::grant,
};
use crate::{
    Account, Decline, Refusal,
    card::StateCode,
    command::{Adjust, Direction},
    lot::{self, LotSource},
};

pub(crate) fn decide(draft: &mut Draft<'_>, command: &Adjust) -> Step {
    if command.amount.is_zero() {
        return Err(Refusal::AmountZero.into());
    }
    draft.open(&command.card)?;
    draft.ask(command.amount, Some(command.currency))?;
    draft.detail.reason = Some(command.reason.clone());
    draft.detail.direction = Some(command.direction);
    draft.check_tombstone()?;
    // A frozen card can be put right; that is often why it was frozen.
    let card = draft.card_ref()?;
    if card.state.code() != StateCode::Frozen {
        draft.check_active()?;
    } else if card.is_past_validity(draft.now()) {
        return Err(Decline::CardExpired.into());
    }
    let suspense = Account::Suspense(draft.issuer.id);
    match command.direction {
        Direction::Credit => {
            draft.check_room(draft.card_ref()?.id, command.amount)?;
            grant(draft, suspense, LotSource::Paid, command.amount, None)?;
        }
        Direction::Debit => {
            let (now, order) = (draft.now(), draft.program()?.rules.lot_order);
            if draft.card_ref()?.available(now) < command.amount {
                return Err(draft.shortage(command.amount)?.into());
            }
            let card = draft.card()?;
            let id = card.id;
            let parts = lot::consumption(&card.lots, order, command.amount, now);
            let parts = parts.ok_or(Decline::InsufficientFunds)?;
            card.take(&parts).ok_or(Refusal::Inconsistent)?;
            // It is put right, not used.
            card.ungrant(&parts);
            for part in parts {
                draft.transfer(card_lot(id, part.lot), suspense, part.amount)?;
            }
        }
    }
    draft.approved = command.amount;
    Ok(())
}
