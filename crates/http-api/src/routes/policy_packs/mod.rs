//! Policy packs (合规规则包): what the law asks, as data with its sources. Not legal advice.

pub(crate) mod list;
pub(crate) mod read;

use domain::{
    BusinessDate, Currency,
    policy::{Pack, PackId, Rule, Version},
    program::LegalClass,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{day::Day, policy_view::Label, schema};

/// A policy pack.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyPack)]
pub(crate) struct PackView {
    /// Its name.
    #[schema(value_type = schema::PackId)]
    id: &'static str,
    /// Its title.
    title: Label<'static>,
    /// Where it holds: a country, with a region of it (ISO 3166).
    jurisdiction: &'static str,
    /// The currency of its amounts.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// The classes of card that it is about.
    #[schema(value_type = Vec<String>)]
    legal_classes: &'static [LegalClass],
    /// The packs whose rules hold as well, unless it has one of the same kind.
    #[schema(value_type = Vec<schema::PackId>)]
    extends: Vec<&'static str>,
    /// Its versions, the oldest first.
    versions: Vec<VersionView>,
}

/// A version of a policy pack.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyPackVersion)]
pub(crate) struct VersionView {
    /// Its name.
    version: &'static str,
    /// The first day on which it holds.
    #[schema(value_type = schema::Date)]
    effective_from: Day,
    /// The first day on which it no longer does.
    #[schema(value_type = Option<schema::Date>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_to: Option<Day>,
    /// Whether it holds today.
    in_force: bool,
    /// Its rules.
    rules: Vec<RuleView>,
}

/// A rule of a policy pack.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyPackRule)]
pub(crate) struct RuleView {
    /// The kind of rule.
    rule: &'static str,
    /// The article of its source, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    article: Option<&'static str>,
    /// Its number; 1 for a rule that has none.
    number: i64,
    /// What the number counts.
    unit: &'static str,
    /// Where it is written.
    source: &'static str,
    /// How well it is known: T, the statute was read; S, a secondary source; B, background, unverified.
    mark: &'static str,
    /// What it says.
    text: Label<'static>,
    /// What else to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

impl PackView {
    pub(crate) fn new(pack: &'static Pack, today: BusinessDate) -> Self {
        Self {
            id: pack.id.as_str(),
            title: Label { zh: &pack.title.zh, en: &pack.title.en },
            jurisdiction: &pack.jurisdiction,
            currency: pack.currency,
            legal_classes: &pack.legal_classes,
            extends: pack.extends.iter().map(PackId::as_str).collect(),
            versions: pack.versions.iter().map(|it| version(it, today)).collect(),
        }
    }
}

fn version(version: &'static Version, today: BusinessDate) -> VersionView {
    VersionView {
        version: &version.version,
        effective_from: Day(version.effective_from),
        effective_to: version.effective_to.map(Day),
        in_force: version.holds_on(today),
        rules: version.rules.iter().map(rule).collect(),
    }
}

fn rule(rule: &'static Rule) -> RuleView {
    RuleView {
        rule: rule.name.name(),
        article: rule.article.as_deref(),
        number: rule.number,
        unit: rule.unit.name(),
        source: &rule.source,
        mark: rule.mark.name(),
        text: Label { zh: &rule.zh, en: &rule.en },
        note: rule.note.as_deref(),
    }
}

/// Today, where the caller's issuer is.
pub(crate) fn today(
    app: &crate::state::AppState,
    caller: &crate::auth::Caller,
) -> Result<BusinessDate, crate::error::Problem> {
    let catalog = app.engine.catalog();
    let zone = catalog.issuers.get(&caller.issuer()?).map(|issuer| issuer.zone.clone());
    Ok(BusinessDate::of(app.engine.now(), &zone.unwrap_or(jiff::tz::TimeZone::UTC)))
}
