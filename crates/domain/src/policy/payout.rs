//! Value that leaves a card as money, and what the law asks of it.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{
    breach::{Breach, unless_broken},
    funding::BankAccount,
    pack::InForce,
    rule::RuleName,
};
use crate::{Amount, Timestamp};

/// How a holder is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutMeans {
    /// Bank transfer.
    BankTransfer,
    /// Cash.
    Cash,
}

/// How a holder is paid, and who it is. Kept with the operation as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payout {
    /// How.
    pub means: PayoutMeans,
    /// Whether the holder's identity was verified and registered.
    pub identity_verified: bool,
    /// Whether the account bears the holder's name.
    pub same_name: bool,
    /// The account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<BankAccount>,
}

/// What is paid out.
#[derive(Clone, Copy, Debug)]
pub struct PaidFrom {
    /// How much.
    pub amount: Amount,
    /// Whether the card is registered.
    pub registered: bool,
    /// When it was sold.
    pub sold_at: Option<Timestamp>,
    /// Whether the holder could have chosen another time: a pay-out by contract, not a refund by law.
    pub by_contract: bool,
}

const PAYOUT: &str = "/payout";

/// A holder is paid.
pub fn check_payout(
    policy: &InForce,
    from: &PaidFrom,
    payout: Option<&Payout>,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<(), Breach> {
    if from.by_contract {
        check_redeemable(policy, from, now, zone)?;
    }
    let at = |field| if payout.is_some() { field } else { PAYOUT };
    let known = payout.is_some_and(|payout| payout.identity_verified);
    unless_broken(policy, !known, RuleName::PayoutIdentity, at("/payout/identity_verified"))?;
    let cash = payout.is_none_or(|payout| payout.means == PayoutMeans::Cash);
    let little = policy.amount(RuleName::PayoutCashUpTo).is_some_and(|limit| from.amount <= limit);
    if cash {
        return unless_broken(policy, !little, RuleName::PayoutCashUpTo, at("/payout/payment"));
    }
    let same = payout.is_some_and(|payout| payout.same_name && payout.account.is_some());
    unless_broken(policy, !same, RuleName::PayoutSameName, at("/payout/account"))
}

fn check_redeemable(
    policy: &InForce,
    from: &PaidFrom,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<(), Breach> {
    if !from.registered {
        return unless_broken(policy, true, RuleName::AnonymousNotRedeemable, "/card");
    }
    let Some(rule) = policy.rule(RuleName::RedeemableAfter) else { return Ok(()) };
    let months = jiff::Span::new().try_months(rule.number).ok();
    let sold = from.sold_at.map(|at| at.date_in(zone));
    let first = sold.zip(months).and_then(|(date, months)| date.checked_add(months).ok());
    let early = first.is_none_or(|first| now.date_in(zone) < first);
    unless_broken(policy, early, RuleName::RedeemableAfter, "/card")
}
