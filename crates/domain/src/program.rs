//! A program (卡种): the rules of a kind of card, as data.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::{
    Amount, Channel, Currency, IssuerId, MerchantId, ProgramId, StoreId, Timestamp, lot::LotOrder,
    policy::NamedPack,
};

/// What a card may be sold for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Denominations {
    /// Only these amounts.
    Fixed {
        /// The amounts, in minor units.
        amounts: Vec<Amount>,
    },
    /// Any amount within bounds, both included.
    Free {
        /// The smallest, in minor units.
        min: Amount,
        /// The largest, in minor units.
        max: Amount,
    },
}

impl Denominations {
    /// Whether a card may be sold for `amount`.
    pub fn allow(&self, amount: Amount) -> bool {
        match self {
            Self::Fixed { amounts } => amounts.contains(&amount),
            Self::Free { min, max } => *min <= amount && amount <= *max,
        }
    }
}

/// How long a card is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Validity {
    /// It never expires.
    Unlimited,
    /// Until a moment.
    Until {
        /// The first moment at which it is no longer valid, UTC microseconds.
        at: Timestamp,
    },
    /// Through the end of the day that many days after activation, in the issuer's time zone.
    Days {
        /// How many days.
        days: u16,
    },
    /// Through the end of the day that many months after activation, in the issuer's time zone.
    Months {
        /// How many months.
        months: u16,
    },
}

impl Validity {
    /// When a card activated at `from` expires.
    pub fn end(self, from: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let span = match self {
            Self::Unlimited => return None,
            Self::Until { at } => return Some(at),
            Self::Days { days } => jiff::Span::new().try_days(days),
            Self::Months { months } => jiff::Span::new().try_months(months),
        };
        let last = span.and_then(|span| from.date_in(zone).checked_add(span)).ok();
        Some(last.map_or(Timestamp::MAX, |date| Timestamp::end_of(date, zone)))
    }
}

/// Where a card is accepted. An absent list accepts all of the issuer's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// Merchants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchants: Option<BTreeSet<MerchantId>>,
    /// Stores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stores: Option<BTreeSet<StoreId>>,
    /// Sales channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<BTreeSet<Channel>>,
}

/// When a PIN must be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PinRule {
    /// Never; a PIN that is given all the same is checked.
    #[default]
    Never,
    /// For every redemption and hold.
    Always,
    /// Where no terminal of a store reads the card.
    CardNotPresent,
    /// Above an amount.
    Above {
        /// The largest amount without a PIN, in minor units.
        amount: Amount,
    },
}

/// What becomes of value that expires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResidualPolicy {
    /// It stays a liability that the holder can claim, by reactivation or exchange. The law of mainland
    /// China asks for this.
    #[default]
    KeepClaimable,
    /// The same; it is claimed by exchange into a new card only.
    Exchange,
    /// The same; it is claimed by reactivating the card only.
    Reactivate,
    /// It becomes income, and is taken back out of income when claimed. Finance must have decided so.
    Breakage,
}

/// The class of prepaid card in law, which says who may accept it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalClass {
    /// Accepted by its issuer only.
    #[default]
    SingleEnterprise,
    /// Accepted within one group of companies.
    Group,
    /// Accepted by the franchise of one brand.
    Brand,
    /// Accepted within one venue, such as a shopping centre.
    Venue,
    /// Accepted anywhere, by a licensed payment institution.
    MultiLicensed,
    /// A voucher for goods or a service.
    VoucherForGoods,
}

/// Whether new business is done with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In use.
    #[default]
    Active,
    /// No longer.
    Closed,
}

/// The changeable rules of a program.
#[expect(clippy::struct_excessive_bools, reason = "each is a question that a program answers on its own")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// What its cards may be sold for.
    pub denominations: Denominations,
    /// How long its cards are valid.
    pub validity: Validity,
    /// Where its cards are accepted.
    #[serde(default)]
    pub acceptance: Acceptance,
    /// The smallest redemption, in minor units.
    #[serde(default)]
    pub redemption_min: Option<Amount>,
    /// The largest redemption, in minor units.
    #[serde(default)]
    pub redemption_max: Option<Amount>,
    /// The most redemptions of a card per business date.
    #[serde(default)]
    pub daily_count: Option<u32>,
    /// The largest sum of redemptions of a card per business date, in minor units.
    #[serde(default)]
    pub daily_amount: Option<Amount>,
    /// The largest balance of a card, in minor units.
    #[serde(default)]
    pub balance_cap: Option<Amount>,
    /// Whether cards can be loaded after activation.
    pub reloadable: bool,
    /// Whether cards are sold to a known holder (记名卡).
    pub registered: bool,
    /// When a PIN must be given.
    #[serde(default)]
    pub pin: PinRule,
    /// Whether cards are made with a PIN.
    #[serde(default)]
    pub pin_issued: bool,
    /// Whether only cards bound to a member can be redeemed.
    #[serde(default)]
    pub member_required: bool,
    /// The order in which lots are consumed.
    #[serde(default)]
    pub lot_order: LotOrder,
    /// What becomes of expired value.
    #[serde(default)]
    pub residual: ResidualPolicy,
    /// The class in law.
    #[serde(default)]
    pub legal_class: LegalClass,
    /// Whether value can be moved to another card.
    #[serde(default)]
    pub transferable: bool,
    /// Whether value can be paid out.
    #[serde(default)]
    pub cash_out: bool,
    /// How long a hold lasts if its request does not say, in seconds.
    #[serde(default = "default_hold_seconds")]
    pub hold_seconds: u32,
    /// How long after a redemption it can be refunded, in days; without it, always.
    #[serde(default)]
    pub refund_days: Option<u16>,
    /// How long after an operation it can be reversed, in seconds.
    #[serde(default = "default_reversal_seconds")]
    pub reversal_seconds: u32,
    /// For how many months a card is reactivated if the request does not say; without it, as long as a new
    /// card is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reactivation_months: Option<u16>,
    /// The pack of the law that its cards are under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_pack: Option<NamedPack>,
}

const fn default_hold_seconds() -> u32 {
    900
}

const fn default_reversal_seconds() -> u32 {
    86_400
}

/// The longest hold, in seconds: 30 days.
pub const MAX_HOLD_SECONDS: u32 = 2_592_000;
/// The longest time for a reversal, in seconds: 365 days.
pub const MAX_REVERSAL_SECONDS: u32 = 31_536_000;
/// The most amounts that cards of a program may be sold for.
pub const MAX_DENOMINATIONS: usize = 100;
/// The most entries of each list of an acceptance.
pub const MAX_ACCEPTANCE: usize = 10_000;

/// A program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its id.
    pub id: ProgramId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// Its name.
    pub name: String,
    /// Its currency, fixed for ever.
    pub currency: Currency,
    /// What its card numbers start with: 2 to 8 digits.
    pub number_prefix: String,
    /// The length of its card numbers: 16 to 19 digits.
    pub number_length: u8,
    /// Whether cards are still made and sold.
    pub status: Status,
    /// Its rules.
    pub rules: Rules,
    /// When it was created.
    pub created_at: Timestamp,
    /// How often it was changed; a change names the version it is based on.
    pub version: u32,
}

/// A rule that contradicts another or leaves its bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// Which rule, as a JSON pointer below the rules.
    pub pointer: &'static str,
    /// What is wrong and how to mend it.
    pub message: &'static str,
}

fn bad<T>(pointer: &'static str, message: &'static str) -> Result<T, RuleError> {
    Err(RuleError { pointer, message })
}

impl Rules {
    /// Finds the first of the rules that contradict each other or leave their bounds.
    pub fn check(&self) -> Result<(), RuleError> {
        self.contradictions().into_iter().next().map_or(Ok(()), Err)
    }

    /// Finds what contradicts itself or leaves its bounds: one of each group of rules.
    pub fn contradictions(&self) -> Vec<RuleError> {
        let groups = [
            self.check_denominations(),
            self.check_acceptance(),
            self.check_amounts(),
            self.check_times(),
            self.check_pin(),
        ];
        groups.into_iter().filter_map(Result::err).collect()
    }

    fn check_pin(&self) -> Result<(), RuleError> {
        if self.pin != PinRule::Never && !self.pin_issued {
            return bad("/pin_issued", "a program that asks for a PIN must issue one");
        }
        Ok(())
    }

    fn check_denominations(&self) -> Result<(), RuleError> {
        let smallest = match &self.denominations {
            Denominations::Fixed { amounts } => {
                if amounts.is_empty() || amounts.len() > MAX_DENOMINATIONS {
                    return bad("/denominations/amounts", "give 1 to 100 amounts");
                }
                if amounts.iter().any(|amount| amount.is_zero()) {
                    return bad("/denominations/amounts", "each amount is at least one minor unit");
                }
                if amounts.iter().collect::<BTreeSet<_>>().len() != amounts.len() {
                    return bad("/denominations/amounts", "give each amount once");
                }
                amounts.iter().min().copied().unwrap_or(Amount::ZERO)
            }
            Denominations::Free { min, max } => {
                if max.is_zero() {
                    return bad("/denominations/max", "the largest amount is at least one minor unit");
                }
                if min > max {
                    return bad("/denominations/min", "the smallest amount must not exceed the largest");
                }
                *min
            }
        };
        if self.balance_cap.is_some_and(|cap| cap < smallest) {
            return bad("/balance_cap", "cards could not be sold: raise the cap or lower the denominations");
        }
        Ok(())
    }

    fn check_acceptance(&self) -> Result<(), RuleError> {
        let Acceptance { merchants, stores, channels } = &self.acceptance;
        let sizes = [
            ("/acceptance/merchants", merchants.as_ref().map(BTreeSet::len)),
            ("/acceptance/stores", stores.as_ref().map(BTreeSet::len)),
            ("/acceptance/channels", channels.as_ref().map(BTreeSet::len)),
        ];
        for (pointer, size) in sizes {
            if size.is_some_and(|size| size == 0 || size > MAX_ACCEPTANCE) {
                return bad(pointer, "give 1 to 10000 entries, or leave the list out to accept all");
            }
        }
        Ok(())
    }

    fn check_amounts(&self) -> Result<(), RuleError> {
        // A smallest redemption above one of these would make every redemption fail.
        let bounds = [
            ("/redemption_max", self.redemption_max),
            ("/daily_amount", self.daily_amount),
            ("/balance_cap", self.balance_cap),
        ];
        let min = self.redemption_min.unwrap_or(Amount::ZERO);
        for (pointer, bound) in bounds {
            if bound.is_some_and(Amount::is_zero) {
                return bad(pointer, "give at least one minor unit, or leave it out for no limit");
            }
            if bound.is_some_and(|bound| bound < min) {
                return bad(pointer, "must not be below the smallest redemption (redemption_min)");
            }
        }
        if self.daily_count == Some(0) {
            return bad("/daily_count", "give at least 1, or leave it out for no limit");
        }
        Ok(())
    }

    fn check_times(&self) -> Result<(), RuleError> {
        if matches!(self.validity, Validity::Days { days: 0 } | Validity::Months { months: 0 }) {
            return bad("/validity", "a card must be valid for at least a day");
        }
        if matches!(self.validity, Validity::Until { at } if at.micros() <= 0 || at > Timestamp::MAX) {
            return bad("/validity/at", "give a moment from 1970 to 9999");
        }
        if self.hold_seconds == 0 || self.hold_seconds > MAX_HOLD_SECONDS {
            return bad("/hold_seconds", "a hold lasts 1 second to 30 days");
        }
        if self.reversal_seconds == 0 || self.reversal_seconds > MAX_REVERSAL_SECONDS {
            return bad("/reversal_seconds", "a reversal is possible for 1 second to 365 days");
        }
        if self.refund_days == Some(0) {
            return bad("/refund_days", "give at least 1 day, or leave it out for no limit");
        }
        if self.reactivation_months == Some(0) {
            return bad(
                "/reactivation_months",
                "give at least 1 month, or leave it out for a new card's validity",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validity_runs_to_the_end_of_a_day() {
        let zone = TimeZone::get("Asia/Shanghai").expect("bundled");
        let from = Timestamp::parse_rfc3339("2026-01-31T08:00:00+08:00").expect("a moment");
        let check = |validity: Validity, expect: Option<&str>| {
            assert_eq!(validity.end(from, &zone).map(|t| t.to_string()).as_deref(), expect);
        };
        check(Validity::Unlimited, None);
        check(Validity::Days { days: 1 }, Some("2026-02-01T15:59:59.999999Z"));
        check(Validity::Months { months: 1 }, Some("2026-02-28T15:59:59.999999Z"));
        check(Validity::Until { at: from }, Some("2026-01-31T00:00:00Z"));
        check(Validity::Months { months: u16::MAX }, Some("7487-04-30T15:59:59.999999Z"));
    }

    fn rules() -> Rules {
        serde_json::from_str(
            r#"{"denominations":{"kind":"free","min":0,"max":100000},"validity":{"kind":"unlimited"},
                "reloadable":true,"registered":false}"#,
        )
        .expect("the shortest rules")
    }

    #[test]
    fn rules_are_bounded_and_do_not_contradict_each_other() {
        let amount = |n| Amount::new(n).expect("an amount");
        let fixed =
            |amounts: &[i64]| Denominations::Fixed { amounts: amounts.iter().copied().map(amount).collect() };
        let check = |change: &dyn Fn(&mut Rules), expect: Option<&str>| {
            let mut rules = rules();
            change(&mut rules);
            assert_eq!(rules.check().err().map(|e| e.pointer), expect, "{rules:?}");
        };
        check(&|_| (), None);
        check(&|r| r.denominations = fixed(&[]), Some("/denominations/amounts"));
        check(&|r| r.denominations = fixed(&[100, 0]), Some("/denominations/amounts"));
        check(&|r| r.denominations = fixed(&[100, 100]), Some("/denominations/amounts"));
        check(&|r| r.denominations = fixed(&(1..=101).collect::<Vec<_>>()), Some("/denominations/amounts"));
        check(&|r| r.denominations = fixed(&[100, 200]), None);
        let free = |min, max| Denominations::Free { min: amount(min), max: amount(max) };
        check(&|r| r.denominations = free(2, 1), Some("/denominations/min"));
        check(&|r| r.denominations = free(0, 0), Some("/denominations/max"));
        check(&|r| r.acceptance.stores = Some(BTreeSet::new()), Some("/acceptance/stores"));
        check(&|r| r.redemption_max = Some(Amount::ZERO), Some("/redemption_max"));
        check(
            &|r| (r.redemption_min, r.redemption_max) = (Some(amount(2)), Some(amount(1))),
            Some("/redemption_max"),
        );
        check(
            &|r| (r.redemption_min, r.daily_amount) = (Some(amount(2)), Some(amount(1))),
            Some("/daily_amount"),
        );
        check(&|r| r.daily_amount = Some(Amount::ZERO), Some("/daily_amount"));
        check(&|r| r.daily_count = Some(0), Some("/daily_count"));
        check(&|r| r.balance_cap = Some(Amount::ZERO), Some("/balance_cap"));
        check(
            &|r| (r.denominations, r.balance_cap) = (fixed(&[500]), Some(amount(499))),
            Some("/balance_cap"),
        );
        check(&|r| r.validity = Validity::Days { days: 0 }, Some("/validity"));
        check(&|r| r.validity = Validity::Months { months: 0 }, Some("/validity"));
        check(
            &|r| r.validity = Validity::Until { at: Timestamp::from_micros(i64::MAX) },
            Some("/validity/at"),
        );
        check(&|r| r.hold_seconds = 0, Some("/hold_seconds"));
        check(&|r| r.hold_seconds = MAX_HOLD_SECONDS + 1, Some("/hold_seconds"));
        check(&|r| r.reversal_seconds = 0, Some("/reversal_seconds"));
        check(&|r| r.reversal_seconds = MAX_REVERSAL_SECONDS + 1, Some("/reversal_seconds"));
        check(&|r| r.refund_days = Some(0), Some("/refund_days"));
        check(&|r| r.pin = PinRule::Always, Some("/pin_issued"));
        check(&|r| (r.pin, r.pin_issued) = (PinRule::Always, true), None);
        let unknown = r#"{"denominations":{"kind":"free","min":0,"max":1},"validity":{"kind":"unlimited"},
            "reloadable":true,"registered":false,"reloadible":true}"#;
        assert!(serde_json::from_str::<Rules>(unknown).is_err());
    }
}
