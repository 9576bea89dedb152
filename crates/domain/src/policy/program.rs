//! What the law asks of a program, and which pack a program has.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{
    breach::{Breach, unless_broken},
    pack::{InForce, PackId, find},
    rule::RuleName,
};
use crate::{
    Amount, BusinessDate, Timestamp,
    program::{Denominations, LegalClass, ResidualPolicy, Rules, Validity},
};

/// Enough days to be that many months, whichever they are.
const LONGEST_YEAR: i64 = 366;

/// The pack of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedPack {
    /// Its name.
    pub id: PackId,
    /// Cards made from this moment on are under it.
    pub since: Timestamp,
}

impl NamedPack {
    /// What holds for a card made at `made`. `None` if the pack is not one that this program has embedded.
    pub fn for_card(&self, made: Timestamp, zone: &TimeZone) -> Option<Option<InForce>> {
        let pack = find(&self.id)?;
        Some((made >= self.since).then(|| InForce::on(pack, BusinessDate::of(made, zone))))
    }

    /// What holds at a moment. `None` as above.
    pub fn at(&self, now: Timestamp, zone: &TimeZone) -> Option<InForce> {
        find(&self.id).map(|pack| InForce::on(pack, BusinessDate::of(now, zone)))
    }
}

/// Why a program does not get the pack that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackChangeError {
    /// There is no such pack.
    Unknown,
    /// The program has another one, by which its cards are judged.
    Fixed,
}

/// The pack of a program after a change. A program that had none gets it from now on; one that has a pack
/// keeps it, so that the pack of a card follows from the card's program and the moment it was made.
pub fn adopt(
    before: Option<Option<&NamedPack>>,
    wanted: Option<&PackId>,
    now: Timestamp,
) -> Result<Option<NamedPack>, PackChangeError> {
    if wanted.is_some_and(|id| find(id).is_none()) {
        return Err(PackChangeError::Unknown);
    }
    let since = |id: &PackId, since| Some(NamedPack { id: id.clone(), since });
    match (before, wanted) {
        (Some(Some(named)), Some(id)) if named.id == *id => Ok(Some(named.clone())),
        (Some(Some(_)), _) => Err(PackChangeError::Fixed),
        // A new program has no card that is older.
        (None, Some(id)) => Ok(since(id, Timestamp::from_micros(0))),
        (Some(None), Some(id)) => Ok(since(id, now)),
        (_, None) => Ok(None),
    }
}

/// A program has these rules: the first rule of law that they break. Pointers are below them. `breakage` says
/// whether finance has decided that the issuer's expired value may become income.
pub fn check_program(policy: &InForce, rules: &Rules, breakage: bool, now: Timestamp) -> Result<(), Breach> {
    breaches(policy, rules, breakage, now).into_iter().next().map_or(Ok(()), Err)
}

/// Every rule of law that rules of a program break, so that whoever writes them can mend all at once.
pub fn breaches(policy: &InForce, rules: &Rules, breakage: bool, now: Timestamp) -> Vec<Breach> {
    let allowed = breakage && policy.rule(RuleName::BreakageAllowed).is_some();
    let income = rules.residual == ResidualPolicy::Breakage;
    let [largest, cap] = check_caps(policy, rules);
    let found = [
        check_class(policy, rules),
        largest,
        cap,
        check_rules_validity(policy, rules, now),
        unless_broken(policy, income && !allowed, RuleName::ResidualClaimable, "/residual"),
    ];
    found.into_iter().filter_map(Result::err).collect()
}

/// Who accepts a card must fit its class: one enterprise is one merchant with its stores; the members of a
/// group, brand or venue are listed, so that nobody else accepts it by being added to the issuer.
fn check_class(policy: &InForce, rules: &Rules) -> Result<(), Breach> {
    let listed = rules.acceptance.merchants.as_ref().map(std::collections::BTreeSet::len);
    let pointer = "/acceptance/merchants";
    let broken = match rules.legal_class {
        LegalClass::SingleEnterprise => listed != Some(1),
        LegalClass::Group | LegalClass::Brand | LegalClass::Venue => listed.is_none(),
        LegalClass::MultiLicensed | LegalClass::VoucherForGoods => false,
    };
    unless_broken(policy, broken, RuleName::LicensedAcceptance, pointer)
}

/// What a card may be sold for, and what it may hold.
fn check_caps(policy: &InForce, rules: &Rules) -> [Result<(), Breach>; 2] {
    let cap = if rules.registered { RuleName::BalanceCapRegistered } else { RuleName::BalanceCapAnonymous };
    let Some(limit) = policy.amount(cap) else { return [Ok(()), Ok(())] };
    let above = |amount: &Amount| *amount > limit;
    let (largest, pointer) = match &rules.denominations {
        Denominations::Fixed { amounts } => (amounts.iter().max().copied(), "/denominations/amounts"),
        Denominations::Free { max, .. } => (Some(*max), "/denominations/max"),
    };
    [
        unless_broken(policy, largest.as_ref().is_some_and(above), cap, pointer),
        unless_broken(policy, rules.balance_cap.as_ref().is_some_and(above), cap, "/balance_cap"),
    ]
}

fn check_rules_validity(policy: &InForce, rules: &Rules, now: Timestamp) -> Result<(), Breach> {
    if rules.registered {
        let expires = rules.validity != Validity::Unlimited;
        return unless_broken(policy, expires, RuleName::RegisteredNeverExpires, "/validity");
    }
    let Some(rule) = policy.rule(RuleName::AnonymousValidity) else { return Ok(()) };
    let days = rule.number.saturating_add(11).div_euclid(12).saturating_mul(LONGEST_YEAR);
    // Three years have one leap day at most.
    let days = days.saturating_sub(rule.number.div_euclid(12).saturating_sub(1).max(0));
    let short = match rules.validity {
        Validity::Unlimited => false,
        Validity::Months { months } => i64::from(months) < rule.number,
        Validity::Days { days: given } => i64::from(given) < days,
        Validity::Until { at } => at < now.plus_seconds(days.saturating_mul(86_400)),
    };
    unless_broken(policy, short, RuleName::AnonymousValidity, "/validity")
}
