//! A program's rules, tried without being saved: everything that stands against them, not only the first.
//!
//! An editor shows what is wrong while somebody writes. The rules of rules are those of [`super::programs`].

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    Currency, IssuerId, Program, ProgramId,
    policy::{self, Breach, BrokenRule, PackId},
    program,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::programs::{breakage_is_on, contradicted, not_adopted, own, unsuited};
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::Json,
    state::AppState,
    wire::{
        object,
        policy_view::{Label, PolicyRule},
        rules::Rules,
        schema,
    },
};

/// Rules to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgramCheckRequest {
    /// The currency of the program.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// The program that they change; without it, they are for a new one.
    #[schema(value_type = Option<schema::ProgramId>)]
    program: Option<ProgramId>,
    /// The rules.
    #[serde(deserialize_with = "object::object")]
    rules: Rules,
}

/// What stands against rules.
#[derive(Serialize, ToSchema)]
#[schema(as = ProgramCheck)]
pub(crate) struct CheckView<'a> {
    /// Whether a program would be saved with them now.
    acceptable: bool,
    /// What stands against them. Empty if nothing does.
    findings: Vec<FindingView<'a>>,
}

/// One thing that stands against rules.
#[derive(Serialize, ToSchema)]
#[schema(as = ProgramFinding)]
pub(crate) struct FindingView<'a> {
    /// The code that saving them would be refused with.
    code: &'a str,
    /// The offending field, as a JSON pointer into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    /// What is wrong and how to mend it.
    detail: &'a str,
    /// The rule of the policy pack that they break.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_rule: Option<PolicyRule<'a>>,
    /// What that rule says, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Label<'static>>,
}

/// A refusal, and the text of the rule that it stands on.
struct Finding(Problem, Option<Label<'static>>);

impl Finding {
    fn of_breach(breach: Breach) -> Self {
        let text = Label { zh: &breach.rule.zh, en: &breach.rule.en };
        Self(Problem::broken(breach, "/rules"), Some(text))
    }

    fn view(&self) -> FindingView<'_> {
        let Self(problem, text) = self;
        FindingView {
            code: problem.code(),
            pointer: problem.pointer(),
            detail: problem.detail(),
            policy_rule: problem.rule().map(|rule: &BrokenRule| PolicyRule::new(rule)),
            text: *text,
        }
    }
}

/// Try the rules of a program
///
/// Says everything that creating or changing a program with them would be refused for, with the articles of
/// law. Nothing is saved. Not legal advice.
#[utoipa::path(
    post,
    path = "/v1/programs/check",
    tag = "catalog",
    operation_id = "check_program",
    request_body = ProgramCheckRequest,
    responses((status = 200, description = "What stands against them.", body = CheckView)),
)]
pub(crate) async fn check(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<ProgramCheckRequest>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    let before = body.program.map(|id| own(&app, &caller, id)).transpose().map_err(|problem| {
        // `own` speaks of the path; here the program is named in the body.
        problem.at("/program")
    })?;
    // A program keeps its currency, whatever is tried.
    let currency = before.as_ref().map_or(body.currency, |program| program.currency);
    let wanted = body.rules.policy_pack.clone();
    let mut rules = program::Rules::from(body.rules);
    let mut findings: Vec<_> =
        rules.contradictions().iter().map(|error| Finding(contradicted(error), None)).collect();
    findings.extend(by_law(&app, &mut rules, wanted.as_ref(), currency, issuer, before.as_deref()).await?);
    let view =
        CheckView { acceptable: findings.is_empty(), findings: findings.iter().map(Finding::view).collect() };
    json(StatusCode::OK, &view)
}

/// What the law that the program would be under has against them.
async fn by_law(
    app: &AppState,
    rules: &mut program::Rules,
    wanted: Option<&PackId>,
    currency: Currency,
    issuer: IssuerId,
    before: Option<&Program>,
) -> Result<Vec<Finding>, Problem> {
    let now = app.engine.now();
    match policy::adopt(before.map(|program| program.rules.policy_pack.as_ref()), wanted, now) {
        Ok(named) => rules.policy_pack = named,
        Err(error) => return Ok(vec![Finding(not_adopted(error), None)]),
    }
    let Some(named) = &rules.policy_pack else { return Ok(Vec::new()) };
    let zone = app.engine.catalog().issuers.get(&issuer).map(|issuer| issuer.zone.clone());
    let Some(law) = named.at(now, &zone.unwrap_or(jiff::tz::TimeZone::UTC)) else {
        return Ok(vec![Finding(not_adopted(policy::PackChangeError::Unknown), None)]);
    };
    if !law.pack().covers(rules.legal_class, currency) {
        return Ok(vec![Finding(unsuited(), None)]);
    }
    let breakage = breakage_is_on(app, issuer, before.map(|program| program.id)).await?;
    Ok(policy::breaches(&law, rules, breakage, now).into_iter().map(Finding::of_breach).collect())
}
