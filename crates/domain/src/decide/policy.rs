//! What the policy pack of a program says to what is decided. Programs without a pack pass.

use super::{Step, Stop, draft::Draft};
use crate::{
    Amount, Card, CardId, Decline, Refusal, Timestamp,
    policy::{
        Breach, BrokenRule, Funding, InForce, PaidFrom, Payout, Purchase, check_holds, check_load,
        check_payout, check_sale, check_validity,
    },
};

impl Draft<'_> {
    /// One of the two cards of the draft.
    pub(crate) fn opened(&self, id: CardId) -> Step<&Card> {
        let both = [self.card.as_ref(), self.counterpart.as_ref()];
        let found = both.into_iter().flatten().find(|card| card.id == id);
        found.ok_or(Stop::Refuse(Refusal::Inconsistent))
    }

    /// What holds for a card, by the moment it was made.
    fn policy(&self, made: Timestamp) -> Step<Option<InForce>> {
        let Some(named) = &self.program()?.rules.policy_pack else { return Ok(None) };
        Ok(named.for_card(made, &self.issuer.zone).ok_or(Refusal::PolicyPackUnknown)?)
    }

    /// What holds now, whenever a card was made.
    pub(crate) fn policy_now(&self) -> Step<Option<InForce>> {
        let Some(named) = &self.program()?.rules.policy_pack else { return Ok(None) };
        Ok(Some(named.at(self.now(), &self.issuer.zone).ok_or(Refusal::PolicyPackUnknown)?))
    }

    /// Declines for a broken rule, which the operation keeps.
    pub(crate) fn broken(&mut self, breach: Breach) -> Stop {
        self.detail.broken_rule = Some(Box::new(BrokenRule::from(breach)));
        Decline::PolicyRuleBroken.into()
    }

    fn lawful(&mut self, checked: Result<(), Breach>) -> Step {
        checked.map_err(|breach| self.broken(breach))
    }

    /// A card holds no more than it may.
    pub(crate) fn check_cap_by_law(&mut self, card: CardId, after: Amount) -> Step {
        let Some(policy) = self.policy(self.opened(card)?.created_at)? else { return Ok(()) };
        let registered = self.program()?.rules.registered;
        self.lawful(check_holds(&policy, registered, after))
    }

    /// The draft's card is sold.
    pub(crate) fn check_sale_by_law(
        &mut self,
        amount: Amount,
        expires_at: Option<Timestamp>,
        funding: Option<&Funding>,
    ) -> Step {
        let Some(policy) = self.policy(self.card_ref()?.created_at)? else { return Ok(()) };
        let registered = self.program()?.rules.registered;
        let (now, zone) = (self.now(), &self.issuer.zone);
        self.lawful(check_validity(&policy, registered, now, expires_at, zone))?;
        let purchase = self.purchase(amount, registered, funding);
        self.lawful(check_sale(&policy, &purchase))
    }

    /// The draft's card is loaded.
    pub(crate) fn check_load_by_law(&mut self, amount: Amount, funding: Option<&Funding>) -> Step {
        let Some(policy) = self.policy(self.card_ref()?.created_at)? else { return Ok(()) };
        let purchase = self.purchase(amount, self.program()?.rules.registered, funding);
        self.lawful(check_load(&policy, &purchase))
    }

    fn purchase<'f>(&self, amount: Amount, registered: bool, funding: Option<&'f Funding>) -> Purchase<'f> {
        let in_store = self.located.store.is_some() || self.located.terminal.is_some();
        Purchase { amount, registered, in_store, funding }
    }

    /// The holder of the draft's card is paid out.
    pub(crate) fn check_payout_by_law(
        &mut self,
        amount: Amount,
        by_contract: bool,
        payout: Option<&Payout>,
    ) -> Step {
        if amount.is_zero() {
            return Ok(());
        }
        let card = self.card_ref()?;
        let (made, sold_at) = (card.created_at, card.activated_at);
        // A refund by law is under what holds now, like the refund itself.
        let policy = if by_contract { self.policy(made)? } else { self.policy_now()? };
        let Some(policy) = policy else { return Ok(()) };
        let registered = self.program()?.rules.registered;
        let from = PaidFrom { amount, registered, sold_at, by_contract };
        let (now, zone) = (self.now(), &self.issuer.zone);
        self.lawful(check_payout(&policy, &from, payout, now, zone))
    }
}
