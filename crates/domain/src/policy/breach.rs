//! A rule that would be broken: which field, which rule, which article.

use serde::{Deserialize, Serialize};

use super::{
    pack::{InForce, Pack, Version},
    rule::{Rule, RuleName},
};

/// A rule that would be broken.
#[derive(Clone, Copy, Debug)]
pub struct Breach {
    /// The offending field, as a JSON pointer into the request, or below a program's rules.
    pub pointer: &'static str,
    /// The pack that the rule stands in.
    pub pack: &'static Pack,
    /// Its version.
    pub version: &'static Version,
    /// The rule.
    pub rule: &'static Rule,
}

impl Breach {
    /// The rule of this kind is broken at `pointer`. Nothing where it does not hold.
    pub fn of(policy: &InForce, name: RuleName, pointer: &'static str) -> Option<Self> {
        let (pack, version, rule) = policy.find(name)?;
        Some(Self { pointer, pack, version, rule })
    }
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Rule { source, article, en, .. } = self.rule;
        match article {
            Some(article) => write!(f, "{source}, art. {article}: {en}"),
            None => write!(f, "{source}: {en}"),
        }
    }
}

/// A broken rule as it is kept with the operation that was declined for it, complete in itself, so that a
/// replay says the same for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokenRule {
    /// The offending field, as a JSON pointer.
    pub pointer: String,
    /// The pack that the rule stands in.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// The kind of rule.
    pub rule: String,
    /// The article of its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<String>,
    /// Its number.
    pub number: i64,
    /// What the number counts.
    pub unit: String,
    /// Where it is written.
    pub source: String,
}

impl From<Breach> for BrokenRule {
    fn from(breach: Breach) -> Self {
        Self {
            pointer: breach.pointer.to_owned(),
            pack: breach.pack.id.as_str().to_owned(),
            version: breach.version.version.clone(),
            rule: breach.rule.name.name().to_owned(),
            article: breach.rule.article.clone(),
            number: breach.rule.number,
            unit: breach.rule.unit.name().to_owned(),
            source: breach.rule.source.clone(),
        }
    }
}

/// Fails with the rule of this kind, where it holds and is broken.
pub(super) fn unless_broken(
    policy: &InForce,
    broken: bool,
    name: RuleName,
    pointer: &'static str,
) -> Result<(), Breach> {
    match Breach::of(policy, name, pointer).filter(|_| broken) {
        Some(breach) => Err(breach),
        None => Ok(()),
    }
}
