//! Load (充值): more value onto an active card.

use super::{
    Step,
    draft::{Draft, card_lot},
};
use crate::{Account, Amount, Decline, Refusal, Timestamp, card::Grant, command::Load, lot::LotSource};

pub(crate) fn decide(draft: &mut Draft<'_>, command: &Load) -> Step {
    if command.amount.is_zero() {
        return Err(Refusal::AmountZero.into());
    }
    draft.open(&command.card)?;
    draft.ask(command.amount, Some(command.currency))?;
    draft.locate(&command.place)?;
    draft.check_tombstone()?;
    draft.check_active()?;
    draft.check_program_open()?;
    if !draft.program()?.rules.reloadable {
        return Err(Decline::NotReloadable.into());
    }
    let from = match command.source {
        LotSource::Paid | LotSource::EmployerFunded => Account::Channel(draft.channel()?),
        LotSource::MerchantFunded => Account::Merchant(draft.merchant()?),
        LotSource::Bonus => Account::Promotion(draft.issuer.id),
    };
    grant(draft, from, command.source, command.amount, command.expires_at)?;
    if let Some(bonus) = command.bonus {
        let promotion = Account::Promotion(draft.issuer.id);
        grant(draft, promotion, LotSource::Bonus, bonus.amount, bonus.expires_at)?;
    }
    draft.check_balance_cap(draft.card_ref()?)?;
    draft.check_duplicate_trace()?;
    draft.approved = command.amount;
    Ok(())
}

/// Moves value from an account into the card's lot of that source.
pub(crate) fn grant(
    draft: &mut Draft<'_>,
    from: Account,
    source: LotSource,
    amount: Amount,
    expires_at: Option<Timestamp>,
) -> Step {
    if expires_at.is_some_and(|end| end <= draft.now()) {
        return Err(Refusal::MomentInThePast.into());
    }
    if amount.is_zero() {
        return Ok(());
    }
    let funder = match (source, from) {
        (LotSource::MerchantFunded, Account::Merchant(merchant)) => Some(merchant),
        _ => None,
    };
    let card = draft.card()?;
    let id = card.id;
    let lot = card.grant(Grant { source, funder, amount, expires_at })?;
    draft.transfer(from, card_lot(id, lot), amount)
}
