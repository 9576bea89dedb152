//! What a holder gets back of a prepaid card (返还预付款), line by line.
//!
//! | cause | principal |
//! |---|---|
//! | the operator's | paid − used × paid / (paid + bonus): what was used counts at the discounted price |
//! | the holder's wish | paid − used, never below zero: what was used counts at the full price |
//! | cooling off | all that was paid, of an unused card within so many days of payment; less reasonable cost where a longer period allows it |
//!
//! Rounded half-even to a minor unit. Interest is simple: principal × rate × days / days of a year, from the
//! day of rescission to the day of the refund. What is not paid back is forfeited to who had given it.

use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{
    breach::Breach,
    pack::InForce,
    rule::{Rule, RuleName},
};
use crate::{Amount, BusinessDate, Lot, Timestamp, lot::LotSource};

/// The highest yearly rate that a request may name, in basis points.
pub const MAX_RATE: u32 = 10_000;
/// The most days for which interest is counted.
pub const MAX_DAYS: i64 = 36_600;

/// Why a card is refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The operator's: it closed, moved, or does not perform.
    Operator,
    /// The holder's own wish.
    Holder,
    /// Within the days after payment in which an unused card can be given back.
    CoolingOff,
}

impl Cause {
    /// All causes.
    pub const ALL: [Self; 3] = [Self::Operator, Self::Holder, Self::CoolingOff];

    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Holder => "holder",
            Self::CoolingOff => "cooling_off",
        }
    }

    /// The rule that it stands on.
    pub const fn rule(self) -> RuleName {
        match self {
            Self::Operator => RuleName::RefundOperatorCause,
            Self::Holder => RuleName::RefundHolderWish,
            Self::CoolingOff => RuleName::CoolingOff,
        }
    }
}

/// What a request says about a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Why.
    pub cause: Cause,
    /// The day on which the contract was rescinded, from which interest runs.
    pub rescinded_on: Option<BusinessDate>,
    /// The yearly rate in basis points, instead of the pack's.
    pub rate: Option<u32>,
    /// Reasonable cost that is kept, where the law lets it be.
    pub cost: Option<Amount>,
}

/// What a card is about to give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// All that was paid for it, by its buyer or an employer.
    pub paid: Amount,
    /// All that was given on top.
    pub bonus: Amount,
    /// What was used of both.
    pub used: Amount,
    /// What is left of both, expired or not.
    pub left: Amount,
}

impl Value {
    /// What a card's lots say. `None` if they overflow.
    pub fn of(lots: &[Lot]) -> Option<Self> {
        let mut value =
            Self { paid: Amount::ZERO, bonus: Amount::ZERO, used: Amount::ZERO, left: Amount::ZERO };
        for lot in lots {
            let left = lot.remaining.checked_add(lot.expired)?;
            // What came back to a lot beyond what was ever in it counts as given.
            let granted = lot.granted.max(left);
            let given = if is_paid(lot.source) { &mut value.paid } else { &mut value.bonus };
            *given = given.checked_add(granted)?;
            value.used = value.used.checked_add(granted.checked_sub(left)?)?;
            value.left = value.left.checked_add(left)?;
        }
        Some(value)
    }
}

/// Whether value of this source was paid for; what was not is not paid back.
pub const fn is_paid(source: LotSource) -> bool {
    matches!(source, LotSource::Paid | LotSource::EmployerFunded)
}

/// A line of a calculation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// What was paid.
    Paid,
    /// What was given on top.
    Bonus,
    /// What was used, as it was taken off the card.
    Used,
    /// What the use counts.
    UsedCounted,
    /// Cost that is kept.
    Cost,
    /// The principal that is paid back.
    Principal,
    /// Interest on it.
    Interest,
    /// What is paid in all.
    Refund,
    /// What is left on the card and not paid back.
    Forfeited,
}

impl Item {
    /// All items, in their order.
    pub const ALL: [Self; 9] = [
        Self::Paid,
        Self::Bonus,
        Self::Used,
        Self::UsedCounted,
        Self::Cost,
        Self::Principal,
        Self::Interest,
        Self::Refund,
        Self::Forfeited,
    ];

    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Bonus => "bonus",
            Self::Used => "used",
            Self::UsedCounted => "used_counted",
            Self::Cost => "cost",
            Self::Principal => "principal",
            Self::Interest => "interest",
            Self::Refund => "refund",
            Self::Forfeited => "forfeited",
        }
    }

    /// The label, in Chinese and English.
    pub const fn label(self, cause: Cause) -> (&'static str, &'static str) {
        match (self, cause) {
            (Self::Paid, _) => ("实付金额", "paid"),
            (Self::Bonus, _) => ("赠送金额", "bonus"),
            (Self::Used, _) => ("已消费金额", "used"),
            (Self::UsedCounted, Cause::Operator) => {
                ("已消费部分（按折扣价）", "used, at the discounted price")
            }
            (Self::UsedCounted, _) => ("已消费部分（按原价）", "used, at the full price"),
            (Self::Cost, _) => ("合理成本", "reasonable cost"),
            (Self::Principal, _) => ("返还本金", "principal paid back"),
            (Self::Interest, _) => ("利息", "interest"),
            (Self::Refund, _) => ("返还合计", "refund in all"),
            (Self::Forfeited, _) => ("卡内剩余不返还金额", "left on the card, not paid back"),
        }
    }
}

/// An amount of a calculation, and where it is written that it is so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What it is.
    pub item: Item,
    /// How much.
    pub amount: Amount,
    /// The article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<String>,
    /// Where it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// A refund as it was calculated. Kept with its operation, complete in itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calculation {
    /// Why.
    pub cause: Cause,
    /// The pack of the program.
    pub pack: String,
    /// The version of the pack that the cause's rule stands in.
    pub version: String,
    /// The day from which interest runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescinded_on: Option<BusinessDate>,
    /// Days of interest: from the day of rescission to the day of the refund.
    pub days: i64,
    /// The yearly rate, in basis points.
    pub rate: u32,
    /// The days of a year in the calculation of interest.
    pub day_count: u32,
    /// By when it is to be paid, where the pack says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_by: Option<BusinessDate>,
    /// The lines.
    pub lines: Vec<Line>,
}

impl Calculation {
    /// The amount of a line.
    pub fn amount(&self, item: Item) -> Amount {
        self.lines.iter().find(|line| line.item == item).map_or(Amount::ZERO, |line| line.amount)
    }
}

/// Why there is no refund.
#[derive(Clone, Copy, Debug)]
pub enum Failure {
    /// The pack does not provide for this cause on this day.
    NotProvided,
    /// It does, and this is against it.
    Broken(Breach),
    /// The day of rescission has not come.
    RescindedInTheFuture,
    /// Cost is kept where the law does not let it be, or more than was paid.
    CostNotAllowed,
    /// The lots or the sums overflow.
    Overflow,
}

/// The moment and the place of a calculation.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Now.
    pub now: Timestamp,
    /// When the card was paid for.
    pub paid_at: Option<Timestamp>,
    /// The issuer's time zone.
    pub zone: &'a TimeZone,
}

/// What a card gives back.
pub fn calculate(
    policy: &InForce,
    value: &Value,
    claim: &Claim,
    moment: &Moment<'_>,
) -> Result<Calculation, Failure> {
    let (basis, may_keep_cost) = basis(policy, value, claim.cause, moment)?;
    let counted = counted(value, claim.cause).ok_or(Failure::Overflow)?;
    let before_cost = value.paid.saturating_sub(counted);
    let cost = claim.cost.unwrap_or(Amount::ZERO);
    if cost > before_cost || (!cost.is_zero() && !may_keep_cost) {
        return Err(Failure::CostNotAllowed);
    }
    let principal = before_cost.saturating_sub(cost);
    let today = moment.now.date_in(moment.zone);
    let days = days_of_interest(claim.rescinded_on, today)?;
    let rate = claim.rate.unwrap_or_else(|| rate(policy, claim.cause));
    let day_count = number(policy, RuleName::InterestDayCount).unwrap_or(365);
    let interest = interest(principal, rate, days, day_count).ok_or(Failure::Overflow)?;
    let refund = principal.checked_add(interest).ok_or(Failure::Overflow)?;
    let forfeited = value.left.checked_sub(principal).ok_or(Failure::Overflow)?;
    let line = |item, amount, rule: Option<&Rule>| Line {
        item,
        amount,
        article: rule.and_then(|rule| rule.article.clone()),
        source: rule.map(|rule| rule.source.clone()),
    };
    let (_, version, rule) = basis;
    let on_interest = policy.rule(RuleName::RefundInterest);
    let lines = vec![
        line(Item::Paid, value.paid, None),
        line(Item::Bonus, value.bonus, None),
        line(Item::Used, value.used, None),
        line(Item::UsedCounted, counted, Some(rule)),
        line(Item::Cost, cost, Some(rule).filter(|_| may_keep_cost)),
        line(Item::Principal, principal, Some(rule)),
        line(Item::Interest, interest, on_interest),
        line(Item::Refund, refund, None),
        line(Item::Forfeited, forfeited, None),
    ];
    Ok(Calculation {
        cause: claim.cause,
        pack: policy.pack().id.as_str().to_owned(),
        version: version.version.clone(),
        rescinded_on: claim.rescinded_on,
        days,
        rate,
        day_count,
        pay_by: pay_by(policy, claim.cause, today),
        lines,
    })
}

type Basis = (&'static super::Pack, &'static super::Version, &'static Rule);

/// The rule that the refund stands on, and whether cost may be kept.
fn basis(
    policy: &InForce,
    value: &Value,
    cause: Cause,
    moment: &Moment<'_>,
) -> Result<(Basis, bool), Failure> {
    if cause != Cause::CoolingOff {
        return policy.find(cause.rule()).map(|found| (found, false)).ok_or(Failure::NotProvided);
    }
    let provided = [RuleName::CoolingOff, RuleName::CoolingOffAtCost].map(|name| policy.find(name));
    let [free, at_cost] = provided;
    let broken = |found: Option<Basis>| match found {
        Some((pack, version, rule)) => Failure::Broken(Breach { pointer: "/cause", pack, version, rule }),
        None => Failure::NotProvided,
    };
    let open = |found: &Basis| value.used.is_zero() && is_within(found.2.number, moment);
    match (free.filter(open), at_cost.filter(open)) {
        (Some(found), _) => Ok((found, false)),
        (None, Some(found)) => Ok((found, true)),
        (None, None) => Err(broken(at_cost.or(free))),
    }
}

/// Whether today is within so many days of the day of payment, which does not count itself.
fn is_within(days: i64, moment: &Moment<'_>) -> bool {
    let paid = moment.paid_at.map(|at| at.date_in(moment.zone));
    let last = paid.and_then(|date| plus_days(date, days));
    last.is_some_and(|last| moment.now.date_in(moment.zone) <= last)
}

fn plus_days(date: Date, days: i64) -> Option<Date> {
    date.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// What the use counts against what was paid.
fn counted(value: &Value, cause: Cause) -> Option<Amount> {
    match cause {
        Cause::CoolingOff => Some(Amount::ZERO),
        Cause::Holder => Some(value.used.min(value.paid)),
        Cause::Operator => {
            let whole = value.paid.checked_add(value.bonus)?;
            // Rounded up or down, the rest never exceeds what is left on the card: the shares of what was
            // used and of what is left round towards each other.
            share(value.used, value.paid, whole)
        }
    }
}

/// `amount × part / whole`, half-even. Nothing of nothing.
fn share(amount: Amount, part: Amount, whole: Amount) -> Option<Amount> {
    if whole.is_zero() {
        return Some(Amount::ZERO);
    }
    let product = i128::from(amount.get()).checked_mul(i128::from(part.get()))?;
    half_even(product, i128::from(whole.get()))
}

fn interest(principal: Amount, rate: u32, days: i64, day_count: u32) -> Option<Amount> {
    let product = i128::from(principal.get()).checked_mul(i128::from(rate))?.checked_mul(i128::from(days))?;
    half_even(product, i128::from(day_count).checked_mul(10_000)?)
}

fn half_even(product: i128, by: i128) -> Option<Amount> {
    let (quotient, rest) = (product.checked_div_euclid(by)?, product.checked_rem_euclid(by)?);
    let twice = rest.checked_mul(2)?;
    let odd = quotient.checked_rem_euclid(2)? == 1;
    let up = twice > by || (twice == by && odd);
    let rounded = quotient.checked_add(i128::from(up))?;
    Amount::new(i64::try_from(rounded).ok()?).ok()
}

fn number(policy: &InForce, name: RuleName) -> Option<u32> {
    u32::try_from(policy.rule(name)?.number).ok()
}

fn rate(policy: &InForce, cause: Cause) -> u32 {
    let name = match cause {
        Cause::Operator => RuleName::InterestRateOperator,
        Cause::Holder | Cause::CoolingOff => RuleName::InterestRateHolder,
    };
    number(policy, name).unwrap_or(0)
}

fn days_of_interest(from: Option<BusinessDate>, today: Date) -> Result<i64, Failure> {
    let Some(from) = from else { return Ok(0) };
    let from = from.to_date().ok_or(Failure::RescindedInTheFuture)?;
    if from > today {
        return Err(Failure::RescindedInTheFuture);
    }
    let days = from.until(today).map_or(0, |span| i64::from(span.get_days()));
    Ok(days.min(MAX_DAYS))
}

fn pay_by(policy: &InForce, cause: Cause, today: Date) -> Option<BusinessDate> {
    let unused = policy.rule(RuleName::RefundWithinUnused).filter(|_| cause == Cause::CoolingOff);
    let rule = unused.or_else(|| policy.rule(RuleName::RefundWithin))?;
    plus_days(today, rule.number).map(BusinessDate::from_date)
}

#[cfg(test)]
mod tests;
