//! Activation (激活): a stocked card is sold and gets its first value.

use super::{
    Step,
    draft::Draft,
    load::{check_bonus, check_room, grant, grant_bonus},
};
use crate::{Account, Decline, Refusal, command::Activate, lot::LotSource};

pub(crate) fn decide(draft: &mut Draft<'_>, command: &Activate) -> Step {
    draft.open(&command.card)?;
    let amount = command.amount.or(draft.card_ref()?.face_value).ok_or(Refusal::AmountRequired)?;
    draft.ask(amount, Some(command.currency))?;
    draft.locate(&command.place)?;
    draft.detail.funding.clone_from(&command.funding);
    let channel = Account::Channel(draft.channel()?);
    check_bonus(draft, command.bonus)?;
    draft.check_tombstone()?;

    let now = draft.now();
    let program = draft.program()?;
    let card = draft.card()?;
    card.state = card.state.clone().activate()?;
    // A card that was made for an amount is sold for that amount.
    let as_made = card.face_value.is_none_or(|face| face == amount);
    draft.check_program_open()?;
    if !as_made || !program.rules.denominations.allow(amount) {
        return Err(Decline::DenominationNotAllowed.into());
    }
    check_room(draft, amount, command.bonus)?;
    // A card that moved in from another system brings its end of validity with it.
    let brought = draft.card_ref()?.expires_at;
    let expires_at = brought.or_else(|| program.rules.validity.end(now, &draft.issuer.zone));
    draft.check_sale_by_law(amount, expires_at, command.funding.as_deref())?;
    grant(draft, channel, LotSource::Paid, amount, None)?;
    grant_bonus(draft, command.bonus)?;
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Decline::ExpiryInThePast.into());
    }
    let card = draft.card()?;
    card.activated_at = Some(now);
    card.expires_at = expires_at;
    draft.check_duplicate_trace()?;
    draft.approved = amount;
    draft.detail.expires_at = expires_at;
    Ok(())
}
