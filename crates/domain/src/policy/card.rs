//! What the law asks of a card: its value and its validity.

use jiff::tz::TimeZone;

use super::{
    breach::{Breach, unless_broken},
    pack::InForce,
    rule::RuleName,
};
use crate::{Amount, Timestamp, program::Validity};

const fn cap(registered: bool) -> RuleName {
    if registered { RuleName::BalanceCapRegistered } else { RuleName::BalanceCapAnonymous }
}

fn within_cap(
    policy: &InForce,
    registered: bool,
    value: Amount,
    pointer: &'static str,
) -> Result<(), Breach> {
    let limit = policy.amount(cap(registered));
    unless_broken(policy, limit.is_some_and(|limit| value > limit), cap(registered), pointer)
}

/// A card is made to be sold for so much.
pub fn check_face_value(policy: &InForce, registered: bool, face_value: Amount) -> Result<(), Breach> {
    within_cap(policy, registered, face_value, "/face_value")
}

/// A card holds so much after value came.
pub fn check_holds(policy: &InForce, registered: bool, balance: Amount) -> Result<(), Breach> {
    within_cap(policy, registered, balance, "/amount")
}

/// A card sold at `from` is valid until `end`.
pub fn check_validity(
    policy: &InForce,
    registered: bool,
    from: Timestamp,
    end: Option<Timestamp>,
    zone: &TimeZone,
) -> Result<(), Breach> {
    let Some(end) = end else { return Ok(()) };
    if registered {
        return unless_broken(policy, true, RuleName::RegisteredNeverExpires, "/card");
    }
    let Some(rule) = policy.rule(RuleName::AnonymousValidity) else { return Ok(()) };
    let months = u16::try_from(rule.number).unwrap_or(u16::MAX);
    let least = Validity::Months { months }.end(from, zone);
    unless_broken(policy, Some(end) < least, RuleName::AnonymousValidity, "/card")
}
