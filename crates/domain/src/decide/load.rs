//! Load (充值): more value onto an active card.

use super::{
    Step,
    draft::{Draft, card_lot},
};
use crate::{
    Account, Amount, Decline, Refusal, Timestamp,
    card::Grant,
    command::{Bonus, Load},
    lot::LotSource,
};

pub(crate) fn decide(draft: &mut Draft<'_>, command: &Load) -> Step {
    if command.amount.is_zero() {
        return Err(Refusal::AmountZero.into());
    }
    draft.open(&command.card)?;
    draft.ask(command.amount, Some(command.currency))?;
    draft.locate(&command.place)?;
    draft.detail.funding.clone_from(&command.funding);
    let from = match command.source {
        LotSource::Paid | LotSource::EmployerFunded => Account::Channel(draft.channel()?),
        LotSource::MerchantFunded => Account::Merchant(draft.merchant()?),
        LotSource::Bonus => Account::Promotion(draft.issuer.id),
    };
    check_moment(draft, command.expires_at)?;
    check_bonus(draft, command.bonus)?;
    draft.check_tombstone()?;
    draft.check_active()?;
    draft.check_program_open()?;
    if !draft.program()?.rules.reloadable {
        return Err(Decline::NotReloadable.into());
    }
    check_room(draft, command.amount, command.bonus)?;
    if matches!(command.source, LotSource::Paid | LotSource::EmployerFunded) {
        draft.check_load_by_law(command.amount, command.funding.as_deref())?;
    }
    grant(draft, from, command.source, command.amount, command.expires_at)?;
    grant_bonus(draft, command.bonus)?;
    draft.check_duplicate_trace()?;
    draft.approved = command.amount;
    Ok(())
}

fn check_moment(draft: &Draft<'_>, expires_at: Option<Timestamp>) -> Step {
    if expires_at.is_some_and(|end| end <= draft.now()) {
        return Err(Refusal::MomentInThePast.into());
    }
    Ok(())
}

/// What is wrong with a bonus whatever the card is like.
pub(crate) fn check_bonus(draft: &Draft<'_>, bonus: Option<Bonus>) -> Step {
    check_moment(draft, bonus.and_then(|bonus| bonus.expires_at))
}

/// The draft's card has room for an amount and its bonus.
pub(crate) fn check_room(draft: &mut Draft<'_>, amount: Amount, bonus: Option<Bonus>) -> Step {
    let bonus = bonus.map_or(Amount::ZERO, |bonus| bonus.amount);
    let coming = amount.checked_add(bonus).ok_or(Decline::BalanceCapExceeded)?;
    draft.check_room(draft.card_ref()?.id, coming)
}

/// Grants a bonus at the issuer's expense. A bonus of nothing is none.
pub(crate) fn grant_bonus(draft: &mut Draft<'_>, bonus: Option<Bonus>) -> Step {
    let Some(bonus) = bonus else { return Ok(()) };
    let promotion = Account::Promotion(draft.issuer.id);
    grant(draft, promotion, LotSource::Bonus, bonus.amount, bonus.expires_at)
}

/// Moves value from an account into the card's lot of that source.
pub(crate) fn grant(
    draft: &mut Draft<'_>,
    from: Account,
    source: LotSource,
    amount: Amount,
    expires_at: Option<Timestamp>,
) -> Step {
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
