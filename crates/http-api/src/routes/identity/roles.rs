//! Roles.

use std::collections::BTreeSet;

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    IssuerId, Role, RoleId, Timestamp,
    catalog::Scope,
    role::{Limit, Limits},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::{Json, Named},
    page::PageOf,
    routes::catalog::Version,
    session::granter,
    state::AppState,
    wire::{amount::AnyAmount, card::given, moment::Moment, schema, text::Name},
};

/// How much of one kind of work needs no second person.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleLimit)]
pub(crate) struct LimitPart {
    /// For one operation, in minor units.
    #[schema(value_type = schema::AnyAmount)]
    per_operation: AnyAmount,
    /// For a business day, all operations of the user together.
    #[schema(value_type = schema::AnyAmount)]
    per_day: AnyAmount,
}

impl Default for LimitPart {
    fn default() -> Self {
        Self::of(Limit::NONE)
    }
}

impl LimitPart {
    fn of(limit: Limit) -> Self {
        Self { per_operation: AnyAmount(limit.per_operation), per_day: AnyAmount(limit.per_day) }
    }

    fn limit(self) -> Limit {
        Limit { per_operation: self.per_operation.0, per_day: self.per_day.0 }
    }
}

/// For every kind of work. What is not given needs a second person always.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = RoleLimits)]
pub(crate) struct LimitsPart {
    /// Making cards: their face value together.
    issue: LimitPart,
    /// Adjusting balances.
    adjust: LimitPart,
    /// Refunding without a redemption.
    unlinked_refund: LimitPart,
    /// Agreeing on terms: zero asks for a second person, anything else does not.
    terms: LimitPart,
}

impl LimitsPart {
    fn of(limits: &Limits) -> Self {
        Self {
            issue: LimitPart::of(limits.issue),
            adjust: LimitPart::of(limits.adjust),
            unlinked_refund: LimitPart::of(limits.unlinked_refund),
            terms: LimitPart::of(limits.terms),
        }
    }

    fn limits(self) -> Limits {
        Limits {
            issue: self.issue.limit(),
            adjust: self.adjust.limit(),
            unlinked_refund: self.unlinked_refund.limit(),
            terms: self.terms.limit(),
        }
    }
}

/// A role.
#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
pub(crate) struct RoleView {
    /// Its id.
    #[schema(value_type = schema::RoleId)]
    id: RoleId,
    /// Its issuer; roles that come with the program have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::IssuerId>, nullable = false)]
    issuer: Option<IssuerId>,
    /// Whether it comes with the program, and does not change.
    built_in: bool,
    /// Its name for programs.
    #[schema(value_type = schema::RoleCode)]
    code: String,
    /// Its name in Chinese.
    #[schema(value_type = schema::Name)]
    name_zh: String,
    /// Its name in English.
    #[schema(value_type = schema::Name)]
    name_en: String,
    /// What it lets do.
    #[schema(value_type = Vec<schema::Scope>)]
    permissions: BTreeSet<Scope>,
    /// How much of that without a second person.
    limits: LimitsPart,
    /// When it was created.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
    /// How often it was changed.
    #[schema(value_type = schema::Version)]
    version: u32,
}

impl RoleView {
    fn new(role: Role) -> Self {
        Self {
            id: role.id,
            issuer: role.issuer,
            built_in: role.issuer.is_none(),
            limits: LimitsPart::of(&role.limits),
            code: role.code,
            name_zh: role.name_zh,
            name_en: role.name_en,
            permissions: role.permissions,
            created_at: Moment(role.created_at),
            version: role.version,
        }
    }
}

/// The name of a role for programs.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct RoleCode(String);

impl TryFrom<String> for RoleCode {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let fits = (2..=40).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(rest);
        if fits {
            Ok(Self(text))
        } else {
            Err("a code has 2 to 40 small letters, digits and _, a letter first")
        }
    }
}

/// At least one permission, and none twice too many.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Vec<Scope>")]
struct Permissions(BTreeSet<Scope>);

impl TryFrom<Vec<Scope>> for Permissions {
    type Error = &'static str;

    fn try_from(scopes: Vec<Scope>) -> Result<Self, &'static str> {
        if (1..=MOST_PERMISSIONS).contains(&scopes.len()) {
            Ok(Self(scopes.into_iter().collect()))
        } else {
            Err("give 1 to 64 permissions")
        }
    }
}

const MOST_PERMISSIONS: usize = 64;

/// A role to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleRequest)]
pub(crate) struct Request {
    /// Its name for programs.
    #[schema(value_type = schema::RoleCode)]
    code: RoleCode,
    /// Its name in Chinese.
    #[schema(value_type = schema::Name)]
    name_zh: Name,
    /// Its name in English.
    #[schema(value_type = schema::Name)]
    name_en: Name,
    /// What it lets do.
    #[schema(value_type = Vec<schema::Scope>, min_items = 1, max_items = 64)]
    permissions: Permissions,
    /// How much of that without a second person; nothing if not given.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    limits: Option<LimitsPart>,
}

impl Request {
    fn role(self, id: RoleId, issuer: Option<IssuerId>, version: u32, created_at: Timestamp) -> Role {
        Role {
            id,
            issuer,
            code: self.code.0,
            name_zh: self.name_zh.0,
            name_en: self.name_en.0,
            permissions: self.permissions.0,
            limits: self.limits.unwrap_or_default().limits(),
            created_at,
            version,
        }
    }
}

/// A role, changed whole.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleChangeRequest)]
pub(crate) struct Change {
    /// The version that the change is based on.
    #[schema(value_type = schema::Version)]
    version: Version,
    /// Its name for programs.
    #[schema(value_type = schema::RoleCode)]
    code: RoleCode,
    /// Its name in Chinese.
    #[schema(value_type = schema::Name)]
    name_zh: Name,
    /// Its name in English.
    #[schema(value_type = schema::Name)]
    name_en: Name,
    /// What it lets do.
    #[schema(value_type = Vec<schema::Scope>, min_items = 1, max_items = 64)]
    permissions: Permissions,
    /// How much of that without a second person; nothing if not given.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    limits: Option<LimitsPart>,
}

/// List roles
///
/// Those that come with the program, and the issuer's own.
#[utoipa::path(
    get,
    path = "/v1/roles",
    tag = "identity",
    operation_id = "list_roles",
    responses((status = 200, description = "The roles.", body = PageOf<RoleView>)),
)]
pub(crate) async fn list(State(app): State<AppState>, caller: Caller) -> Result<Response, Problem> {
    let items = app.identity.roles(caller.0.issuer).await?.into_iter().map(RoleView::new).collect();
    json(StatusCode::OK, &PageOf { items, next_cursor: None })
}

/// Read a role
#[utoipa::path(
    get,
    path = "/v1/roles/{id}",
    tag = "identity",
    operation_id = "read_role",
    params(("id" = schema::RoleId, Path, description = "The role.")),
    responses((status = 200, description = "The role.", body = RoleView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<RoleId>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &RoleView::new(app.identity.role(caller.0.issuer, id).await?))
}

/// Make a role
///
/// Of the issuer. Nobody gives a role what he does not have himself.
#[utoipa::path(
    post,
    path = "/v1/roles",
    tag = "identity",
    operation_id = "create_role",
    request_body = Request,
    responses((status = 201, description = "The role.", body = RoleView)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<Request>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let issuer = Some(caller.issuer()?);
    let role = body.role(RoleId::new(0), issuer, 1, app.engine.now());
    let made = app.identity.create_role(&granter(&caller), role).await?;
    json(StatusCode::CREATED, &RoleView::new(made))
}

/// Change a role
///
/// Whole. Roles that come with the program do not change, and nobody changes a role that he has.
#[utoipa::path(
    put,
    path = "/v1/roles/{id}",
    tag = "identity",
    operation_id = "change_role",
    params(("id" = schema::RoleId, Path, description = "The role.")),
    request_body = Change,
    responses((status = 200, description = "The role, changed.", body = RoleView)),
)]
pub(crate) async fn change(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<RoleId>,
    Json(body): Json<Change>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let issuer = Some(caller.issuer()?);
    let known = app.identity.role(issuer, id).await?;
    let version = body.version.next(known.version)?;
    let request = Request {
        code: body.code,
        name_zh: body.name_zh,
        name_en: body.name_en,
        permissions: body.permissions,
        limits: body.limits,
    };
    let role = request.role(id, issuer, version, known.created_at);
    let changed = app.identity.change_role(&granter(&caller), role).await?;
    json(StatusCode::OK, &RoleView::new(changed))
}
