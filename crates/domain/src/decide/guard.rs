//! Checks that several commands share, so that a rule holds on every path or on none.

use super::{Step, draft::Draft};
use crate::{
    Amount, BusinessDate, Card, CardId, Decline, Refusal, Timestamp,
    command::{Payment, PinAttempt},
    program::{PinRule, Status},
};

impl Draft<'_> {
    /// The card is active and valid, in time as well as by its state.
    pub(crate) fn check_active(&self) -> Step {
        match unusable(self.card_ref()?, self.now()) {
            Some(decline) => Err(decline.into()),
            None => Ok(()),
        }
    }

    /// The same for a card that gives and one that receives; the decline with precedence is given.
    pub(crate) fn check_both_active(&self) -> Step {
        let receiver = self.counterpart.as_ref().ok_or(Refusal::Inconsistent)?;
        let both = [self.card_ref()?, receiver];
        match both.into_iter().filter_map(|card| unusable(card, self.now())).min() {
            Some(decline) => Err(decline.into()),
            None => Ok(()),
        }
    }

    /// Who must be known to redeem must be known to move value away as well.
    pub(crate) fn check_member(&self) -> Step {
        if self.program()?.rules.member_required && self.card_ref()?.member.is_none() {
            return Err(Decline::MemberRequired.into());
        }
        Ok(())
    }

    /// The program still sells.
    pub(crate) fn check_program_open(&self) -> Step {
        match self.program()?.status {
            Status::Active => Ok(()),
            Status::Closed => Err(Decline::ProgramClosed.into()),
        }
    }

    /// The program accepts this merchant, store and channel.
    pub(crate) fn check_acceptance(&self) -> Step {
        let accepts = &self.program()?.rules.acceptance;
        if let (Some(list), Some(merchant)) = (&accepts.merchants, self.located.merchant)
            && !list.contains(&merchant)
        {
            return Err(Decline::MerchantNotAccepted.into());
        }
        if let Some(list) = &accepts.stores
            && !self.located.store.is_some_and(|store| list.contains(&store))
        {
            return Err(Decline::StoreNotAccepted.into());
        }
        if let Some(list) = &accepts.channels
            && !self.located.channel.is_some_and(|channel| list.contains(&channel))
        {
            return Err(Decline::ChannelNotAccepted.into());
        }
        Ok(())
    }

    /// The PIN is right where one is asked for, or given. A wrong one counts, whatever happens next;
    /// once locked, no attempt is evaluated any more.
    pub(crate) fn check_pin(&mut self, attempt: Option<&PinAttempt>, asked: bool) -> Step {
        let (id, mut pin) = {
            let card = self.card_ref()?;
            (card.id, card.pin)
        };
        if !asked && attempt.is_none() {
            return Ok(());
        }
        if pin.is_locked() {
            return Err(Decline::PinLocked.into());
        }
        let Some(attempt) = attempt else { return Err(Decline::PinRequired.into()) };
        let Some(digest) = pin.digest else { return Err(Decline::PinNotSet.into()) };
        if self.context.secrets.pin_matches(id, &digest, attempt) {
            pin.failures = 0;
            self.card()?.pin = pin;
            return Ok(());
        }
        pin.failures = pin.failures.saturating_add(1);
        pin.lifetime_failures = pin.lifetime_failures.saturating_add(1);
        self.pin_after = Some(pin);
        Err(Decline::PinWrong.into())
    }

    /// Whether the program asks for a PIN when the holder is not at a till.
    pub(crate) fn pin_asked_remotely(&self) -> Step<bool> {
        Ok(self.program()?.rules.pin != PinRule::Never)
    }

    fn pin_asked(&self, amount: Amount) -> Step<bool> {
        Ok(match self.program()?.rules.pin {
            PinRule::Never => false,
            PinRule::Always => true,
            PinRule::CardNotPresent => self.located.terminal.is_none(),
            PinRule::Above { amount: limit } => amount > limit,
        })
    }

    /// Everything that a redemption and a hold have to pass, in the order of precedence. Returns how
    /// much is approved: all, or less where the caller takes a part.
    pub(crate) fn check_payment(&mut self, payment: &Payment) -> Step<Amount> {
        self.check_tombstone()?;
        self.check_active()?;
        let asked = !payment.card.is_held() && self.pin_asked(payment.amount)?;
        self.check_pin(payment.pin.as_ref(), asked)?;
        self.check_member()?;
        self.check_acceptance()?;
        let rules = &self.program()?.rules;
        if rules.redemption_min.is_some_and(|min| payment.amount < min) {
            return Err(Decline::AmountBelowMinimum.into());
        }
        if rules.redemption_max.is_some_and(|max| payment.amount > max) {
            return Err(Decline::AmountAboveMaximum.into());
        }
        let affordable = self.affordable(payment)?;
        // The limits of the day come before the balance.
        self.count_use(affordable.unwrap_or(payment.amount))?;
        let Some(approved) = affordable else { return Err(self.shortage(payment.amount)?.into()) };
        self.check_duplicate_trace()?;
        Ok(approved)
    }

    /// All that was asked for, or what is available where a part is taken; `None` if that is too little.
    fn affordable(&self, payment: &Payment) -> Step<Option<Amount>> {
        let card = self.card_ref()?;
        let available = card.available(self.now());
        if payment.amount <= available {
            return Ok(Some(payment.amount));
        }
        let least = self.program()?.rules.redemption_min.unwrap_or(Amount::ZERO);
        let part = payment.partial && !available.is_zero() && available >= least;
        Ok(part.then_some(available))
    }

    /// Whether value is missing, or only set aside by holds.
    pub(crate) fn shortage(&self, amount: Amount) -> Step<Decline> {
        let card = self.card_ref()?;
        let without_holds = crate::lot::usable(&card.lots, self.now());
        Ok(if without_holds >= amount { Decline::HeldElsewhere } else { Decline::InsufficientFunds })
    }

    /// Counts a redemption or hold of today against the daily limits.
    fn count_use(&mut self, amount: Amount) -> Step {
        let (daily_count, daily_amount) = {
            let rules = &self.program()?.rules;
            (rules.daily_count, rules.daily_amount)
        };
        let date = self.date;
        let card = self.card()?;
        let mut day = card.day.on(date);
        day.count = day.count.saturating_add(1);
        // Beyond the largest amount there is nothing left to count, and a program's limit is below it.
        day.amount = day.amount.checked_add(amount).unwrap_or(Amount::MAX);
        if daily_count.is_some_and(|limit| day.count > limit) {
            return Err(Decline::DailyCountExceeded.into());
        }
        if daily_amount.is_some_and(|limit| day.amount > limit) {
            return Err(Decline::DailyAmountExceeded.into());
        }
        card.day = day;
        Ok(())
    }

    /// Takes back what a use on `date` counted, if the card's counters are still about that date: what did
    /// not happen, or was given up, does not count against the limits of the day.
    pub(crate) fn uncount_use(&mut self, date: BusinessDate, count: u32, amount: Amount) -> Step {
        let day = &mut self.card()?.day;
        if day.date == date {
            day.count = day.count.saturating_sub(count);
            day.amount = day.amount.saturating_sub(amount);
        }
        Ok(())
    }

    /// The card would stay within its program's cap with so much more on it. Asked before value comes, so
    /// that this decline keeps its precedence.
    pub(crate) fn check_room(&mut self, card: CardId, coming: Amount) -> Step {
        let posted = self.opened(card)?.posted();
        let after = posted.checked_add(coming).ok_or(Decline::BalanceCapExceeded)?;
        let cap = self.program()?.rules.balance_cap.unwrap_or(Amount::MAX);
        if after > cap {
            return Err(Decline::BalanceCapExceeded.into());
        }
        self.check_cap_by_law(card, after)
    }

    /// Value that comes back is not held to the program's cap, only to what can be counted.
    pub(crate) fn check_countable(&self) -> Step {
        for card in [self.card.as_ref(), self.counterpart.as_ref()].into_iter().flatten() {
            let posted = Amount::checked_sum(card.lots.iter().map(|lot| lot.remaining));
            let claims = Amount::checked_sum(card.lots.iter().map(|lot| lot.expired));
            if posted.is_none() || claims.is_none() {
                return Err(Decline::BalanceCapExceeded.into());
            }
        }
        Ok(())
    }
}

/// Why a card cannot be used at a moment, by its state or its validity.
fn unusable(card: &Card, now: Timestamp) -> Option<Decline> {
    let past = || card.is_past_validity(now).then_some(Decline::CardExpired);
    card.state.refusal_to_serve().or_else(past)
}
