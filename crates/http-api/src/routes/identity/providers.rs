//! Identity providers: companies that say who their people are.

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};
use domain::{IdentityProviderId, UserId, program::Status};
use identity::{NewProvider, ProviderChange, Secret};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use storage::{IdentityProvider, LinkedIdentity, User};
use utoipa::{IntoParams, ToSchema};

use super::{HiddenText, nothing};
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

/// Longest secret of a client: 500 characters.
const LONGEST_SECRET: usize = 500;

/// A secret as typed. The JSON reader cannot quote it in a message.
struct TypedSecret(Secret);

impl<'de> Deserialize<'de> for TypedSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = zeroize::Zeroizing::new(HiddenText::deserialize(deserializer)?.0);
        let characters = text.chars().count();
        let is_control = |c: char| c < ' ' || c == '\u{7f}';
        if !(1..=LONGEST_SECRET).contains(&characters) || text.chars().any(is_control) {
            return Err(D::Error::custom("a secret has 1 to 500 characters without control characters"));
        }
        Ok(Self(Secret(text)))
    }
}

impl std::fmt::Debug for TypedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypedSecret(***)")
    }
}

/// An identity provider. Its secret is never shown.
#[derive(Serialize, ToSchema)]
#[schema(as = IdentityProvider)]
pub(crate) struct ProviderView {
    /// Its id.
    #[schema(value_type = schema::IdentityProviderId)]
    id: IdentityProviderId,
    /// What its button says.
    #[schema(value_type = schema::Name)]
    name: String,
    /// Its own name for itself: its description is at `/.well-known/openid-configuration` below it.
    #[schema(value_type = schema::ProviderAddress)]
    issuer_url: String,
    /// As whom it knows us.
    #[schema(value_type = schema::ProviderClient)]
    client_id: String,
    /// Whether a second factor that it says it asked for counts as ours.
    trusted_second_factor: bool,
    /// Whether it lets people in.
    #[schema(value_type = schema::Status)]
    status: Status,
    /// The address to enter there as the one that people come back to.
    redirect_uri: String,
    /// When it was entered.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
    /// How often it was changed; a change names the version it is based on.
    #[schema(value_type = schema::Version)]
    version: u32,
}

fn view(app: &AppState, of: IdentityProvider) -> ProviderView {
    ProviderView {
        id: of.id,
        name: of.name,
        issuer_url: of.issuer_url,
        client_id: of.client_id,
        trusted_second_factor: of.trusted_second_factor,
        status: of.status,
        redirect_uri: app.options.redirect_uri(),
        created_at: Moment(of.created_at),
        version: of.version,
    }
}

fn refuse_address(app: &AppState, address: &str) -> Result<(), Problem> {
    app.openid
        .check_issuer(address)
        .map_err(|why| Problem::new(Code::IdentityProviderRefused, why).at("/issuer_url"))
}

/// List identity providers
///
/// Those of the issuer, at most 20; for who runs the platform those of the platform.
#[utoipa::path(
    get,
    path = "/v1/identity-providers",
    tag = "identity",
    operation_id = "list_identity_providers",
    responses((status = 200, description = "The providers.", body = PageOf<ProviderView>)),
)]
pub(crate) async fn list(State(app): State<AppState>, caller: Caller) -> Result<Response, Problem> {
    caller.unbound()?;
    let found = app.identity.providers(&granter(&caller)).await?;
    let items = found.into_iter().map(|provider| view(&app, provider)).collect();
    json(StatusCode::OK, &PageOf { items, next_cursor: None })
}

/// Read an identity provider
#[utoipa::path(
    get,
    path = "/v1/identity-providers/{id}",
    tag = "identity",
    operation_id = "read_identity_provider",
    params(("id" = schema::IdentityProviderId, Path, description = "The provider.")),
    responses((status = 200, description = "The provider.", body = ProviderView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<IdentityProviderId>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let provider = app.identity.provider(&granter(&caller), id).await?;
    json(StatusCode::OK, &view(&app, provider))
}

/// A provider to enter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IdentityProviderRequest)]
pub(crate) struct Request {
    /// What its button says.
    #[schema(value_type = schema::Name)]
    name: Name,
    /// Its own name for itself, exactly as it writes it.
    #[schema(value_type = schema::ProviderAddress)]
    issuer_url: Text<500>,
    /// As whom it knows us.
    #[schema(value_type = schema::ProviderClient)]
    client_id: Text<200>,
    /// What proves that to it.
    #[schema(value_type = schema::ProviderSecret)]
    client_secret: TypedSecret,
    /// Whether a second factor that it says it asked for counts as ours; not if not given.
    #[serde(default)]
    trusted_second_factor: bool,
}

/// Enter an identity provider
///
/// It can let everybody of the issuer in, so whoever enters it has every permission that a role of the issuer gives.
#[utoipa::path(
    post,
    path = "/v1/identity-providers",
    tag = "identity",
    operation_id = "create_identity_provider",
    request_body = Request,
    responses((status = 201, description = "The provider.", body = ProviderView)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<Request>,
) -> Result<Response, Problem> {
    refuse_address(&app, &body.issuer_url.0)?;
    let new = NewProvider {
        name: body.name.0,
        issuer_url: body.issuer_url.0,
        client_id: body.client_id.0,
        client_secret: body.client_secret.0,
        trusted_second_factor: body.trusted_second_factor,
    };
    let provider = app.identity.create_provider(&granter(&caller), new).await?;
    tracing::info!(provider = %provider.id, by = %caller.0.id, "an identity provider was entered");
    json(StatusCode::CREATED, &view(&app, provider))
}

/// What changes of a provider. What is not given stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IdentityProviderChangeRequest)]
pub(crate) struct Change {
    /// The version that the change is based on.
    #[schema(value_type = schema::Version)]
    version: Version,
    /// What its button says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::Name>, nullable = false)]
    name: Option<Name>,
    /// Another name for itself. Needs the secret again, and everybody is linked anew.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::ProviderAddress>, nullable = false)]
    issuer_url: Option<Text<500>>,
    /// As whom it knows us. Everybody is linked anew.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::ProviderClient>, nullable = false)]
    client_id: Option<Text<200>>,
    /// What proves that to it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::ProviderSecret>, nullable = false)]
    client_secret: Option<TypedSecret>,
    /// Whether a second factor that it says it asked for counts as ours.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    trusted_second_factor: Option<bool>,
    /// Whether it lets people in.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::Status>, nullable = false)]
    status: Option<Status>,
}

/// Change an identity provider
///
/// Closing it, and no longer trusting its second factor, ends the sessions that it let in.
#[utoipa::path(
    patch,
    path = "/v1/identity-providers/{id}",
    tag = "identity",
    operation_id = "change_identity_provider",
    params(("id" = schema::IdentityProviderId, Path, description = "The provider.")),
    request_body = Change,
    responses((status = 200, description = "The provider, changed.", body = ProviderView)),
)]
pub(crate) async fn change(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<IdentityProviderId>,
    Json(body): Json<Change>,
) -> Result<Response, Problem> {
    let by = granter(&caller);
    let known = app.identity.provider(&by, id).await?;
    body.version.next(known.version)?;
    if let Some(address) = &body.issuer_url {
        refuse_address(&app, &address.0)?;
    }
    let change = ProviderChange {
        version: known.version,
        name: body.name.map(|name| name.0),
        issuer_url: body.issuer_url.map(|address| address.0),
        client_id: body.client_id.map(|client| client.0),
        client_secret: body.client_secret.map(|secret| secret.0),
        trusted_second_factor: body.trusted_second_factor,
        status: body.status,
    };
    let provider = app.identity.change_provider(&by, id, change).await?;
    tracing::info!(provider = %provider.id, by = %caller.0.id, "an identity provider was changed");
    json(StatusCode::OK, &view(&app, provider))
}

/// What asking a provider showed.
#[derive(Serialize, ToSchema)]
#[schema(as = IdentityProviderCheck)]
pub(crate) struct CheckView {
    /// Whether people can be sent there.
    works: bool,
    /// What is wrong, for who runs this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<String>,
}

/// Try an identity provider
///
/// Asks it for its description and its keys. Whether it takes the client's secret shows only when somebody signs in.
#[utoipa::path(
    post,
    path = "/v1/identity-providers/{id}/check",
    tag = "identity",
    operation_id = "check_identity_provider",
    params(("id" = schema::IdentityProviderId, Path, description = "The provider.")),
    responses((status = 200, description = "What it showed.", body = CheckView)),
)]
pub(crate) async fn check(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<IdentityProviderId>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let provider = app.identity.provider(&granter(&caller), id).await?;
    let token = identity::Identity::new_flow_token();
    let asked = super::openid::address(&app, &provider, &openid::Flow::of(token.expose())).await?;
    let problem = asked.err().map(|error| error.to_string());
    json(StatusCode::OK, &CheckView { works: problem.is_none(), problem })
}

/// Somebody whom a provider has named.
#[derive(Serialize, ToSchema)]
#[schema(as = LinkedUser)]
pub(crate) struct LinkedView {
    /// The user.
    #[schema(value_type = schema::UserId)]
    user: UserId,
    /// What he signs in with here.
    #[schema(value_type = schema::Login)]
    login: String,
    /// How he is called.
    #[schema(value_type = schema::Name)]
    name: String,
    /// The provider's name for him.
    subject: String,
    /// Since when.
    #[schema(value_type = schema::Moment)]
    linked_at: Moment,
}

impl LinkedView {
    fn new((linked, user): (LinkedIdentity, User)) -> Self {
        Self {
            user: user.id,
            login: user.login,
            name: user.name,
            subject: linked.subject,
            linked_at: Moment(linked.linked_at),
        }
    }
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct LinkedQuery {
    /// How many items: 1 to 200, 50 if not given.
    #[param(value_type = Option<schema::Limit>, nullable = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<schema::Cursor>, nullable = false)]
    cursor: Option<Cursor>,
}

/// List who is linked to an identity provider
#[utoipa::path(
    get,
    path = "/v1/identity-providers/{id}/users",
    tag = "identity",
    operation_id = "list_linked_users",
    params(
        ("id" = schema::IdentityProviderId, Path, description = "The provider."),
        LinkedQuery
    ),
    responses((status = 200, description = "A page of users.", body = PageOf<LinkedView>)),
)]
pub(crate) async fn linked(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<IdentityProviderId>,
    Query(query): Query<LinkedQuery>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let after = query.cursor.map(|cursor| UserId::new(cursor.0));
    let found = app.identity.linked_users(&granter(&caller), id, after, query.limit.0).await?;
    page(found.items.into_iter().map(LinkedView::new).collect(), found.next)
}

/// Unlink a user from an identity provider
///
/// The sessions that the provider let him in end. The next time it names him he is linked anew, if his verified address
/// is his login: close the user to keep him out.
#[utoipa::path(
    delete,
    path = "/v1/identity-providers/{id}/users/{user}",
    tag = "identity",
    operation_id = "unlink_user",
    params(
        ("id" = schema::IdentityProviderId, Path, description = "The provider."),
        ("user" = schema::UserId, Path, description = "The user."),
    ),
    responses((status = 204, description = "He is not linked any more.")),
)]
pub(crate) async fn unlink(
    State(app): State<AppState>,
    caller: Caller,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Problem> {
    let wrong = |text: String, name: &'static str| Problem::new(Code::InvalidParameter, text).parameter(name);
    let Path((id, user)) = path.map_err(|_| wrong("the path is not UTF-8".to_owned(), "id"))?;
    let id: IdentityProviderId = id.parse().map_err(|error| wrong(format!("{error}"), "id"))?;
    let user: UserId = user.parse().map_err(|error| wrong(format!("{error}"), "user"))?;
    app.identity.unlink(&granter(&caller), id, user).await?;
    tracing::info!(%user, provider = %id, by = %caller.0.id, "a user was unlinked");
    Ok(nothing())
}
