//! Programs (卡种): the rules of a kind of card.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    Currency, IssuerId, Program, ProgramId,
    policy::{self, PackChangeError},
    program,
    program::{RuleError, Status},
};
use serde::{Deserialize, Serialize};
use storage::CatalogEntry;
use utoipa::ToSchema;
use vault::IssuerPrefix;

use super::Version;
use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    extract::{Json, Named, Query},
    page::{PageOf, PageQuery, page_of},
    state::AppState,
    wire::{integer::Integer, moment::Moment, object, rules::Rules, schema, text::Name},
};

/// A program to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgramRequest {
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Name,
    /// Its currency. Cannot be changed.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// What its card numbers start with. Cannot be changed.
    #[schema(value_type = schema::NumberPrefix)]
    number_prefix: Prefix,
    /// The length of its card numbers. Cannot be changed.
    #[schema(value_type = schema::NumberLength)]
    number_length: Length,
    /// Its rules.
    #[serde(deserialize_with = "object::object")]
    rules: Rules,
}

/// 2 to 8 digits.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Prefix(String);

impl TryFrom<String> for Prefix {
    type Error = vault::NumberError;

    fn try_from(digits: String) -> Result<Self, vault::NumberError> {
        IssuerPrefix::parse(&digits).map(|_| Self(digits))
    }
}

/// 16 to 19.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Integer<u8>")]
struct Length(u8);

impl TryFrom<Integer<u8>> for Length {
    type Error = &'static str;

    fn try_from(Integer(length): Integer<u8>) -> Result<Self, &'static str> {
        if (16..=19).contains(&length) { Ok(Self(length)) } else { Err("must be 16 to 19 digits") }
    }
}

/// What changes of a program. What is not given stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgramChangeRequest {
    /// The version that the change is based on.
    #[schema(value_type = schema::Version)]
    version: Version,
    /// A new name.
    #[schema(value_type = Option<schema::Name>)]
    name: Option<Name>,
    /// Whether cards are still made and sold.
    #[schema(value_type = Option<schema::Status>)]
    status: Option<Status>,
    /// New rules, all of them.
    #[serde(default, deserialize_with = "object::optional")]
    rules: Option<Rules>,
}

/// A program.
#[derive(Serialize, ToSchema)]
#[schema(as = Program)]
pub(crate) struct ProgramView {
    /// Its id.
    #[schema(value_type = schema::ProgramId)]
    id: ProgramId,
    /// Its issuer.
    #[schema(value_type = schema::IssuerId)]
    issuer: IssuerId,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: String,
    /// Its currency.
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// Decimal places of the currency's minor unit: 2 for CNY, 0 for JPY, 3 for KWD.
    #[schema(minimum = 0, maximum = 4)]
    currency_exponent: u16,
    /// What its card numbers start with.
    #[schema(value_type = schema::NumberPrefix)]
    number_prefix: String,
    /// The length of its card numbers.
    #[schema(value_type = schema::NumberLength)]
    number_length: u8,
    /// Whether cards are still made and sold.
    #[schema(value_type = schema::Status)]
    status: Status,
    /// Its rules.
    rules: Rules,
    /// When it was created.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
    /// How often it was changed; a change names the version it is based on.
    #[schema(value_type = schema::Version)]
    version: u32,
}

impl ProgramView {
    fn new(program: &Program) -> Self {
        Self {
            id: program.id,
            issuer: program.issuer,
            name: program.name.clone(),
            currency: program.currency,
            currency_exponent: program.currency.exponent(),
            number_prefix: program.number_prefix.clone(),
            number_length: program.number_length,
            status: program.status,
            rules: Rules::from(&program.rules),
            created_at: Moment(program.created_at),
            version: program.version,
        }
    }
}

/// Rules that do not contradict each other, nor the law that the program is under. `before` is the program
/// that they change.
async fn checked(
    app: &AppState,
    rules: Rules,
    currency: Currency,
    issuer: IssuerId,
    before: Option<&Program>,
) -> Result<program::Rules, Problem> {
    let wanted = rules.policy_pack.clone();
    let mut rules = program::Rules::from(rules);
    rules.check().map_err(|error| contradicted(&error))?;
    let now = app.engine.now();
    let program = before.map(|program| program.id);
    let before = before.map(|program| program.rules.policy_pack.as_ref());
    rules.policy_pack = policy::adopt(before, wanted.as_ref(), now).map_err(not_adopted)?;
    check_by_law(app, &rules, currency, issuer, program).await?;
    Ok(rules)
}

pub(super) fn not_adopted(error: PackChangeError) -> Problem {
    let problem = match error {
        PackChangeError::Unknown => {
            Problem::new(Code::PolicyPackUnknown, "there is no such policy pack; see GET /v1/policy-packs")
        }
        PackChangeError::Fixed => Problem::new(
            Code::PolicyPackFixed,
            "a program keeps its policy pack, because its cards are judged by it; make another program",
        ),
    };
    problem.at("/rules/policy_pack")
}

/// Whether finance has decided that expired value of this program may become income: its setting names the
/// program. A new program is in no setting yet.
pub(super) async fn breakage_is_on(
    app: &AppState,
    issuer: IssuerId,
    program: Option<ProgramId>,
) -> Result<bool, Problem> {
    let Some(program) = program else { return Ok(false) };
    let setting = app.engine.store().setting(issuer, "breakage").await?;
    let named = setting.and_then(|setting| serde_json::from_str::<BreakageSetting>(&setting.value).ok());
    Ok(named.is_some_and(|setting| setting.expected_redemption_bp.contains_key(&program)))
}

/// What of that setting is needed here.
#[derive(Deserialize)]
struct BreakageSetting {
    #[serde(default)]
    expected_redemption_bp: BTreeMap<ProgramId, u16>,
}

pub(super) fn unsuited() -> Problem {
    let detail =
        "the policy pack is about other classes of card or another currency; see GET /v1/policy-packs";
    Problem::new(Code::PolicyPackUnsuited, detail).at("/rules/policy_pack")
}

pub(super) fn contradicted(error: &RuleError) -> Problem {
    Problem::new(Code::RulesContradict, error.message).at(format!("/rules{}", error.pointer))
}

async fn check_by_law(
    app: &AppState,
    rules: &program::Rules,
    currency: Currency,
    issuer: IssuerId,
    program: Option<ProgramId>,
) -> Result<(), Problem> {
    let Some(named) = &rules.policy_pack else { return Ok(()) };
    let zone = app.engine.catalog().issuers.get(&issuer).map(|issuer| issuer.zone.clone());
    let unknown = || not_adopted(PackChangeError::Unknown);
    let law = named.at(app.engine.now(), &zone.ok_or_else(unknown)?).ok_or_else(unknown)?;
    if !law.pack().covers(rules.legal_class, currency) {
        return Err(unsuited());
    }
    let breakage = breakage_is_on(app, issuer, program).await?;
    policy::check_program(&law, rules, breakage, app.engine.now())
        .map_err(|breach| Problem::broken(breach, "/rules"))
}

/// Create a program
///
/// Under the issuer of the client.
#[utoipa::path(
    post,
    path = "/v1/programs",
    tag = "catalog",
    operation_id = "create_program",
    request_body = ProgramRequest,
    responses((status = 201, description = "The program.", body = ProgramView)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<ProgramRequest>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    caller.unbound()?;
    let program = Program {
        id: ProgramId::new(app.engine.next_id()),
        issuer,
        name: body.name.0,
        currency: body.currency,
        number_prefix: body.number_prefix.0,
        number_length: body.number_length.0,
        status: Status::Active,
        rules: checked(&app, body.rules, body.currency, issuer, None).await?,
        created_at: app.engine.now(),
        version: 1,
    };
    app.engine.put_catalog(CatalogEntry::Program(program.clone())).await?;
    json(StatusCode::CREATED, &ProgramView::new(&program))
}

/// List programs
///
/// In the order of their creation.
#[utoipa::path(
    get,
    path = "/v1/programs",
    tag = "catalog",
    operation_id = "list_programs",
    params(PageQuery),
    responses((status = 200, description = "A page of programs.", body = PageOf<ProgramView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    let catalog = app.engine.catalog();
    let all = catalog.programs.values().filter(|program| program.issuer == issuer);
    let all = all.map(|program| (program.id.get(), program)).collect();
    page_of(all, &query, |program: &Arc<Program>| ProgramView::new(program))
}

/// Read a program
///
/// As it is now.
#[utoipa::path(
    get,
    path = "/v1/programs/{id}",
    tag = "catalog",
    operation_id = "read_program",
    params(("id" = schema::ProgramId, Path, description = "The program.")),
    responses((status = 200, description = "The program.", body = ProgramView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<ProgramId>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &ProgramView::new(&*own(&app, &caller, id)?))
}

/// Change a program
///
/// New rules hold for all its cards at once. What is not given stays.
#[utoipa::path(
    patch,
    path = "/v1/programs/{id}",
    tag = "catalog",
    operation_id = "change_program",
    params(("id" = schema::ProgramId, Path, description = "The program.")),
    request_body = ProgramChangeRequest,
    responses((status = 200, description = "The program, changed.", body = ProgramView)),
)]
pub(crate) async fn change(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<ProgramId>,
    Json(body): Json<ProgramChangeRequest>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let now = own(&app, &caller, id)?;
    let mut program = Program::clone(&now);
    program.version = body.version.next(now.version)?;
    program.name = body.name.map_or(program.name, |name| name.0);
    program.status = body.status.unwrap_or(program.status);
    if let Some(rules) = body.rules {
        program.rules = checked(&app, rules, now.currency, now.issuer, Some(&now)).await?;
    }
    app.engine.put_catalog(CatalogEntry::Program(program.clone())).await?;
    json(StatusCode::OK, &ProgramView::new(&program))
}

pub(super) fn own(app: &AppState, caller: &Caller, id: ProgramId) -> Result<Arc<Program>, Problem> {
    let issuer = caller.issuer()?;
    let found = app.engine.catalog().programs.get(&id).filter(|program| program.issuer == issuer).cloned();
    found.ok_or_else(|| {
        Problem::new(Code::ProgramUnknown, "no such program for this client; check the id").parameter("id")
    })
}
