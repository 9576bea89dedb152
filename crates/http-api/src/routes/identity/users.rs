//! Users.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{IssuerId, MerchantId, Role, StoreId, UserId, program::Status};
use identity::UserChange;
use serde::{Deserialize, Serialize};
use storage::User;
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    extract::{Json, Named, Query},
    page::{Cursor, Limit, PageOf, page},
    routes::catalog::Version,
    session::granter,
    state::AppState,
    wire::{
        card::given,
        moment::Moment,
        schema,
        text::{Name, Text},
    },
};

/// A role, by its id or its code.
pub(crate) type RoleName = Text<40>;

/// Names of 1 to 10 roles.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Vec<RoleName>")]
pub(crate) struct RoleNames(pub Vec<String>);

impl TryFrom<Vec<RoleName>> for RoleNames {
    type Error = &'static str;

    fn try_from(names: Vec<RoleName>) -> Result<Self, &'static str> {
        if !(1..=10).contains(&names.len()) {
            return Err("give 1 to 10 roles");
        }
        Ok(Self(names.into_iter().map(|name| name.0).collect()))
    }
}

/// Which users.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsersQuery {
    /// Only those bound to this merchant.
    #[param(value_type = Option<schema::MerchantId>, nullable = false)]
    #[serde(deserialize_with = "given")]
    merchant: Option<MerchantId>,
    /// How many items: 1 to 200, 50 if not given.
    #[param(value_type = Option<schema::Limit>, nullable = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<schema::Cursor>, nullable = false)]
    cursor: Option<Cursor>,
}

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserView {
    /// His id.
    #[schema(value_type = schema::UserId)]
    id: UserId,
    /// His issuer; those who run the platform have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::IssuerId>, nullable = false)]
    issuer: Option<IssuerId>,
    /// The only merchant he acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::MerchantId>, nullable = false)]
    merchant: Option<MerchantId>,
    /// The only store he works in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::StoreId>, nullable = false)]
    store: Option<StoreId>,
    /// What he signs in with.
    #[schema(value_type = schema::Login)]
    login: String,
    /// How he is called.
    #[schema(value_type = schema::Name)]
    name: String,
    /// Whether he is let in.
    #[schema(value_type = schema::Status)]
    status: Status,
    /// The codes of his roles.
    #[schema(value_type = Vec<schema::RoleCode>)]
    roles: Vec<String>,
    /// Whether he has a second factor.
    second_factor: bool,
    /// When he was created.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
    /// How often he was changed; a change names the version it is based on.
    #[schema(value_type = schema::Version)]
    version: u32,
}

/// The user with what is kept elsewhere about him.
async fn view(app: &AppState, user: User, roles: &[Role]) -> Result<UserView, Problem> {
    let codes = roles.iter().filter(|role| user.roles.contains(&role.id)).map(|role| role.code.clone());
    Ok(UserView {
        id: user.id,
        issuer: user.issuer,
        merchant: user.merchant,
        store: user.store,
        roles: codes.collect(),
        second_factor: !app.identity.factors_of(user.id).await?.is_empty(),
        login: user.login,
        name: user.name,
        status: user.status,
        created_at: Moment(user.created_at),
        version: user.version,
    })
}

async fn shown(app: &AppState, user: User) -> Result<Response, Problem> {
    let roles = app.identity.roles(user.issuer).await?;
    json(StatusCode::OK, &view(app, user, &roles).await?)
}

/// List users
///
/// Those of the issuer, or of the merchant to which the caller is bound; all for who runs the platform.
#[utoipa::path(
    get,
    path = "/v1/users",
    tag = "identity",
    operation_id = "list_users",
    params(UsersQuery),
    responses((status = 200, description = "A page of users.", body = PageOf<UserView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<UsersQuery>,
) -> Result<Response, Problem> {
    let after = query.cursor.map(|cursor| UserId::new(cursor.0));
    let found = app.identity.users(&granter(&caller), query.merchant, after, query.limit.0).await?;
    let mut roles: Vec<(Option<IssuerId>, Vec<Role>)> = Vec::new();
    let mut items = Vec::with_capacity(found.items.len());
    for user in found.items {
        let place = if let Some(place) = roles.iter().position(|(issuer, _)| *issuer == user.issuer) {
            place
        } else {
            roles.push((user.issuer, app.identity.roles(user.issuer).await?));
            roles.len() - 1
        };
        let known = roles.get(place).map(|(_, roles)| roles.as_slice()).unwrap_or_default();
        items.push(view(&app, user, known).await?);
    }
    page(items, found.next)
}

/// Read a user
#[utoipa::path(
    get,
    path = "/v1/users/{id}",
    tag = "identity",
    operation_id = "read_user",
    params(("id" = schema::UserId, Path, description = "The user.")),
    responses((status = 200, description = "The user.", body = UserView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<UserId>,
) -> Result<Response, Problem> {
    let user = app.identity.user(&granter(&caller), id).await?;
    shown(&app, user).await
}

/// What changes of a user. What is not given stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserChangeRequest)]
pub(crate) struct Request {
    /// The version that the change is based on.
    #[schema(value_type = schema::Version)]
    version: Version,
    /// A new name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::Name>, nullable = false)]
    name: Option<Name>,
    /// Whether he is let in.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::Status>, nullable = false)]
    status: Option<Status>,
    /// His roles, all of them, by id or code.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<schema::RoleName>>, nullable = false, min_items = 1, max_items = 10)]
    roles: Option<RoleNames>,
    /// The merchant to which he is bound; null unbinds.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::MerchantId>)]
    #[expect(clippy::option_option, reason = "absent leaves it, null unbinds")]
    merchant: Option<Option<MerchantId>>,
    /// The store to which he is bound; null unbinds. Another merchant unbinds it too.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::StoreId>)]
    #[expect(clippy::option_option, reason = "absent leaves it, null unbinds")]
    store: Option<Option<StoreId>>,
}

/// Change a user
///
/// What takes or gives rights ends his sessions. Nobody gives what he does not have, and nobody changes his own rights.
#[utoipa::path(
    patch,
    path = "/v1/users/{id}",
    tag = "identity",
    operation_id = "change_user",
    params(("id" = schema::UserId, Path, description = "The user.")),
    request_body = Request,
    responses((status = 200, description = "The user, changed.", body = UserView)),
)]
pub(crate) async fn change(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<UserId>,
    Json(body): Json<Request>,
) -> Result<Response, Problem> {
    let by = granter(&caller);
    let known = app.identity.user(&by, id).await?;
    body.version.next(known.version)?;
    let change = UserChange {
        version: known.version,
        name: body.name.map(|name| name.0),
        status: body.status,
        roles: body.roles.map(|names| names.0),
        merchant: body.merchant,
        store: body.store,
    };
    let user = app.identity.change_user(&by, id, change).await?;
    tracing::info!(user = %user.id, by = %caller.0.id, "a user was changed");
    shown(&app, user).await
}

/// Take a user's second factors away
///
/// For one who has lost them: his sessions end, and the next time he signs in he sets one up anew.
#[utoipa::path(
    post,
    path = "/v1/users/{id}/reset-second-factor",
    tag = "identity",
    operation_id = "reset_second_factor",
    params(("id" = schema::UserId, Path, description = "The user.")),
    responses((status = 200, description = "The user.", body = UserView)),
)]
pub(crate) async fn reset(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<UserId>,
) -> Result<Response, Problem> {
    let by = granter(&caller);
    let user = app.identity.user(&by, id).await?;
    if caller.user() == Some(id) {
        let detail = "nobody resets his own second factor; ask another administrator";
        return Err(Problem::new(Code::OwnRights, detail));
    }
    app.identity.check_outranks(&by, &user).await?;
    app.identity.reset_factors(&user).await?;
    tracing::info!(user = %user.id, by = %caller.0.id, "a user's second factors were reset");
    shown(&app, user).await
}
