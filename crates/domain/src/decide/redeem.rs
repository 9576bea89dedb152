//! Redemption (核销): value of a card pays a merchant.

use super::{
    Step,
    draft::{Draft, card_lot},
};
use crate::{
    Account, Amount, Decline, MerchantId, Refusal, Timestamp,
    command::Payment,
    lot::{self, LotOrder},
};

pub(crate) fn decide(draft: &mut Draft<'_>, payment: &Payment) -> Step {
    open_payment(draft, payment)?;
    let merchant = draft.merchant()?;
    let approved = draft.check_payment(payment)?;
    let (order, now) = (draft.program()?.rules.lot_order, draft.now());
    pay(draft, merchant, approved, order, now)?;
    draft.approved = approved;
    Ok(())
}

/// What a redemption and a hold refuse before the card's rules are asked.
pub(crate) fn open_payment(draft: &mut Draft<'_>, payment: &Payment) -> Step {
    if payment.amount.is_zero() {
        return Err(Refusal::AmountZero.into());
    }
    draft.open(&payment.card)?;
    draft.ask(payment.amount, Some(payment.currency))?;
    draft.locate(&payment.place)
}

/// Moves value from the card's lots to a merchant. Lots usable at `usable_at` count.
pub(crate) fn pay(
    draft: &mut Draft<'_>,
    merchant: MerchantId,
    amount: Amount,
    order: LotOrder,
    usable_at: Timestamp,
) -> Step {
    let card = draft.card()?;
    let id = card.id;
    let parts = lot::consumption(&card.lots, order, amount, usable_at).ok_or(Decline::InsufficientFunds)?;
    card.take(&parts).ok_or(Refusal::Inconsistent)?;
    for part in parts {
        draft.transfer(card_lot(id, part.lot), Account::Merchant(merchant), part.amount)?;
    }
    Ok(())
}
