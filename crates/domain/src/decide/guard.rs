//! Checks that several commands share, so that a rule holds on every path or on none.

use super::{Step, draft::Draft};
use crate::{
    Amount, Decline,
    command::{Payment, PinAttempt},
    program::{PinRule, Status},
};

impl Draft<'_> {
    /// The card is active and valid, in time as well as by its state.
    pub(crate) fn check_active(&self) -> Step {
        let card = self.card_ref()?;
        if let Some(decline) = card.state.refusal_to_serve() {
            return Err(decline.into());
        }
        if card.is_past_validity(self.now()) {
            return Err(Decline::CardExpired.into());
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
        self.check_pin(payment.pin.as_ref(), self.pin_asked(payment.amount)?)?;
        let rules = &self.program()?.rules;
        if rules.member_required && self.card_ref()?.member.is_none() {
            return Err(Decline::MemberRequired.into());
        }
        self.check_acceptance()?;
        if rules.redemption_min.is_some_and(|min| payment.amount < min) {
            return Err(Decline::AmountBelowMinimum.into());
        }
        if rules.redemption_max.is_some_and(|max| payment.amount > max) {
            return Err(Decline::AmountAboveMaximum.into());
        }
        let approved = self.affordable(payment)?;
        self.count_use(approved)?;
        self.check_duplicate_trace()?;
        Ok(approved)
    }

    /// All that was asked for, or what is available where a part is taken.
    fn affordable(&self, payment: &Payment) -> Step<Amount> {
        let card = self.card_ref()?;
        let available = card.available(self.now());
        if payment.amount <= available {
            return Ok(payment.amount);
        }
        let least = self.program()?.rules.redemption_min.unwrap_or(Amount::ZERO);
        if payment.partial && !available.is_zero() && available >= least {
            return Ok(available);
        }
        Err(self.shortage(payment.amount)?.into())
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
        day.amount = day.amount.checked_add(amount).ok_or(Decline::DailyAmountExceeded)?;
        if daily_count.is_some_and(|limit| day.count > limit) {
            return Err(Decline::DailyCountExceeded.into());
        }
        if daily_amount.is_some_and(|limit| day.amount > limit) {
            return Err(Decline::DailyAmountExceeded.into());
        }
        card.day = day;
        Ok(())
    }

    /// The balance stays within the program's cap after value came onto the draft's card.
    pub(crate) fn check_balance_cap(&self, card: &crate::Card) -> Step {
        let posted = Amount::checked_sum(card.lots.iter().map(|lot| lot.remaining));
        let posted = posted.ok_or(Decline::BalanceCapExceeded)?;
        let cap = self.program()?.rules.balance_cap.unwrap_or(Amount::MAX);
        if posted > cap { Err(Decline::BalanceCapExceeded.into()) } else { Ok(()) }
    }
}
