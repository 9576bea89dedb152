//! Activation (激活): a stocked card is sold and gets its first value.

use super::{Step, draft::Draft, load::grant};
use crate::{Account, Decline, Refusal, command::Activate, lot::LotSource};

pub(crate) fn decide(draft: &mut Draft<'_>, command: &Activate) -> Step {
    draft.open(&command.card)?;
    let amount = command.amount.or(draft.card_ref()?.face_value).ok_or(Refusal::AmountRequired)?;
    draft.ask(amount, Some(command.currency))?;
    draft.locate(&command.place)?;
    draft.check_tombstone()?;

    let now = draft.now();
    let program = draft.program()?;
    let card = draft.card()?;
    card.state = card.state.clone().activate()?;
    draft.check_program_open()?;
    if !program.rules.denominations.allow(amount) {
        return Err(Decline::DenominationNotAllowed.into());
    }
    let expires_at = program.rules.validity.end(now, &draft.issuer.zone);
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Decline::ExpiryInThePast.into());
    }
    let card = draft.card()?;
    card.activated_at = Some(now);
    card.expires_at = expires_at;
    let channel = Account::Channel(draft.channel()?);
    grant(draft, channel, LotSource::Paid, amount, None)?;
    if let Some(bonus) = command.bonus {
        let promotion = Account::Promotion(draft.issuer.id);
        grant(draft, promotion, LotSource::Bonus, bonus.amount, bonus.expires_at)?;
    }
    draft.check_balance_cap(draft.card_ref()?)?;
    draft.check_duplicate_trace()?;
    draft.approved = amount;
    draft.detail.expires_at = expires_at;
    Ok(())
}
