//! The packs that are embedded, and which rules of one hold on a date.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::rule::{Rule, RuleName};
use crate::{BusinessDate, Currency, program::LegalClass};

/// The longest name of a pack.
const MAX_ID: usize = 40;
/// The most packs above one.
const MAX_DEPTH: usize = 4;

/// The name of a pack, such as `cn-beijing`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackId(String);

impl PackId {
    /// Reads a name: 1 to 40 lower-case letters, digits and dashes.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=MAX_ID).contains(&text.len()) && text.bytes().all(plain);
        fits.then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PackId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
            .ok_or("the name of a policy pack has 1 to 40 lower-case letters, digits and dashes")
    }
}

impl From<PackId> for String {
    fn from(id: PackId) -> Self {
        id.0
    }
}

impl std::str::FromStr for PackId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl std::fmt::Display for PackId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text in both languages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// A policy pack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Its name.
    pub id: PackId,
    /// Its title.
    pub title: Text,
    /// Where it holds: a country, with a region of it (ISO 3166).
    pub jurisdiction: String,
    /// The currency of its amounts.
    pub currency: Currency,
    /// The classes of card that it is about.
    pub legal_classes: Vec<LegalClass>,
    /// The packs whose rules hold as well, unless it has one of the same kind.
    pub extends: Vec<PackId>,
    /// Its versions, the oldest first.
    pub versions: Vec<Version>,
}

/// A version of a pack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Its name.
    pub version: String,
    /// The first day on which it holds.
    pub effective_from: BusinessDate,
    /// The first day on which it no longer does.
    pub effective_to: Option<BusinessDate>,
    /// Its rules.
    pub rules: Vec<Rule>,
}

impl Version {
    /// Whether it holds on a day.
    pub fn holds_on(&self, date: BusinessDate) -> bool {
        self.effective_from <= date && self.effective_to.is_none_or(|end| date < end)
    }
}

impl Pack {
    /// Whether it is about cards of this class in this currency.
    pub fn covers(&self, class: LegalClass, currency: Currency) -> bool {
        self.legal_classes.contains(&class) && self.currency == currency
    }

    /// The version that holds on a day.
    pub fn version_on(&self, date: BusinessDate) -> Option<&Version> {
        self.versions.iter().find(|version| version.holds_on(date))
    }
}

const FILES: [&str; 6] = [
    include_str!("../../policies/cn-prepaid-consumption.json"),
    include_str!("../../policies/cn-single-purpose.json"),
    include_str!("../../policies/cn-multi-purpose.json"),
    include_str!("../../policies/cn-beijing.json"),
    include_str!("../../policies/cn-shanghai.json"),
    include_str!("../../policies/cn-jiangsu.json"),
];

#[expect(clippy::expect_used, reason = "the files are part of the program, and a test reads them")]
static PACKS: LazyLock<Vec<Pack>> = LazyLock::new(|| {
    FILES.iter().map(|text| serde_json::from_str(text).expect("an embedded pack is well-formed")).collect()
});

/// All packs.
pub fn packs() -> &'static [Pack] {
    &PACKS
}

/// The pack with this name.
pub fn find(id: &PackId) -> Option<&'static Pack> {
    packs().iter().find(|pack| pack.id == *id)
}

/// A pack as it holds on a day.
#[derive(Clone, Copy, Debug)]
pub struct InForce {
    pack: &'static Pack,
    date: BusinessDate,
}

impl InForce {
    /// What holds on `date`.
    pub const fn on(pack: &'static Pack, date: BusinessDate) -> Self {
        Self { pack, date }
    }

    /// The pack that a program names.
    pub const fn pack(&self) -> &'static Pack {
        self.pack
    }

    /// The day.
    pub const fn date(&self) -> BusinessDate {
        self.date
    }

    /// The rule of this kind, with the pack and version that it stands in. A pack's own rule goes before
    /// those of the packs that it extends.
    pub fn find(&self, name: RuleName) -> Option<(&'static Pack, &'static Version, &'static Rule)> {
        find_in(self.pack, self.date, name, MAX_DEPTH)
    }

    /// The rule of this kind.
    pub fn rule(&self, name: RuleName) -> Option<&'static Rule> {
        self.find(name).map(|(_, _, rule)| rule)
    }

    /// Its amount, for a rule that counts money.
    pub fn amount(&self, name: RuleName) -> Option<crate::Amount> {
        self.rule(name)?.amount()
    }

    /// Every rule that holds, each kind once.
    pub fn rules(&self) -> impl Iterator<Item = (&'static Pack, &'static Version, &'static Rule)> {
        RuleName::ALL.iter().filter_map(|name| self.find(*name))
    }
}

fn find_in(
    pack: &'static Pack,
    date: BusinessDate,
    name: RuleName,
    depth: usize,
) -> Option<(&'static Pack, &'static Version, &'static Rule)> {
    let version = pack.version_on(date);
    let own = version.and_then(|v| v.rules.iter().find(|rule| rule.name == name).map(|rule| (pack, v, rule)));
    let depth = depth.checked_sub(1)?;
    own.or_else(|| pack.extends.iter().filter_map(find).find_map(|above| find_in(above, date, name, depth)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn date(yyyymmdd: i32) -> BusinessDate {
        BusinessDate::from_stored(yyyymmdd)
    }

    fn pack(id: &str) -> &'static Pack {
        find(&PackId::parse(id).expect("a name")).expect("an embedded pack")
    }

    #[test]
    fn every_embedded_pack_is_sound() {
        let ids: HashSet<_> = packs().iter().map(|pack| &pack.id).collect();
        assert_eq!(ids.len(), FILES.len());
        for pack in packs() {
            assert!(pack.extends.iter().all(|id| find(id).is_some()), "{}", pack.id);
            assert!(!pack.versions.is_empty() && !pack.legal_classes.is_empty(), "{}", pack.id);
            for pair in pack.versions.windows(2) {
                assert_eq!(pair[0].effective_to, Some(pair[1].effective_from), "{}", pack.id);
            }
            for version in &pack.versions {
                assert!(version.effective_from.to_date().is_some(), "{}", pack.id);
                let names: HashSet<_> = version.rules.iter().map(|rule| rule.name).collect();
                assert_eq!(names.len(), version.rules.len(), "{}: a rule comes twice", pack.id);
                for rule in &version.rules {
                    assert_eq!(rule.unit, rule.name.unit(), "{} {}", pack.id, rule.name.name());
                    assert!(rule.number > 0 && !rule.source.is_empty(), "{}", rule.name.name());
                    assert!(!rule.zh.is_empty() && !rule.en.is_empty(), "{}", rule.name.name());
                }
            }
        }
    }

    #[test]
    fn a_region_adds_to_the_nation_and_each_holds_from_its_own_day() {
        use RuleName::{BalanceCapAnonymous, CoolingOff, CoolingOffAtCost, RefundWithin};

        let check = |id: &str, on: i32, name: RuleName, expect: Option<(&str, i64)>| {
            let found = InForce::on(pack(id), date(on)).find(name);
            assert_eq!(found.map(|(pack, _, rule)| (pack.id.as_str(), rule.number)), expect, "{id} {on}");
        };
        check("cn-beijing", 20_260_101, BalanceCapAnonymous, Some(("cn-single-purpose", 100_000)));
        check("cn-beijing", 20_260_101, CoolingOff, Some(("cn-beijing", 7)));
        check("cn-beijing", 20_220_531, CoolingOff, None);
        check("cn-beijing", 20_220_531, BalanceCapAnonymous, Some(("cn-single-purpose", 100_000)));
        check("cn-beijing", 20_220_601, RefundWithin, Some(("cn-beijing", 15)));
        check("cn-single-purpose", 20_250_430, CoolingOff, None);
        check("cn-single-purpose", 20_250_501, CoolingOff, Some(("cn-prepaid-consumption", 7)));
        check("cn-single-purpose", 20_121_031, BalanceCapAnonymous, None);
        check("cn-jiangsu", 20_260_101, CoolingOffAtCost, Some(("cn-jiangsu", 15)));
        check("cn-shanghai", 20_260_101, CoolingOffAtCost, None);
    }
}
