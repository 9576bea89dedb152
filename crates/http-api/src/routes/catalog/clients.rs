//! API clients: who may do what. Nobody can grant more than he has himself.

use std::{collections::BTreeSet, sync::Arc};

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    ClientId, IssuerId, MerchantId,
    catalog::{Client, Scope},
    program::Status,
};
use serde::{Deserialize, Serialize};
use storage::CatalogEntry;
use utoipa::ToSchema;
use vault::{ClientSecret, OsRandomness};

use super::Version;
use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    extract::{Json, Named, Query},
    page::{PageOf, PageQuery, page_of},
    state::AppState,
    wire::{integer::Integer, moment::Moment, schema, text::Name},
};

/// A client to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientRequest {
    /// Its issuer: only platform clients name one, and without one they create platform clients.
    #[schema(value_type = Option<schema::IssuerId>)]
    issuer: Option<IssuerId>,
    /// The only merchant it may act for.
    #[schema(value_type = Option<schema::MerchantId>)]
    merchant: Option<MerchantId>,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Name,
    /// What it may do.
    #[schema(value_type = Vec<schema::Scope>, min_items = 1, max_items = 16)]
    scopes: Scopes,
    /// Requests per second, averaged; 1,000 if not given.
    #[schema(value_type = Option<schema::Rate>)]
    rate_per_second: Option<Rate>,
}

/// 1 to 16 scopes.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Vec<Scope>")]
struct Scopes(BTreeSet<Scope>);

impl TryFrom<Vec<Scope>> for Scopes {
    type Error = &'static str;

    fn try_from(scopes: Vec<Scope>) -> Result<Self, &'static str> {
        if (1..=Scope::ALL.len()).contains(&scopes.len()) {
            Ok(Self(scopes.into_iter().collect()))
        } else {
            Err("give 1 to 16 scopes")
        }
    }
}

/// Requests per second.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Integer<u32>")]
struct Rate(u32);

impl TryFrom<Integer<u32>> for Rate {
    type Error = &'static str;

    fn try_from(Integer(rate): Integer<u32>) -> Result<Self, &'static str> {
        if (1..=1_000_000).contains(&rate) { Ok(Self(rate)) } else { Err("must be 1 to 1000000") }
    }
}

const USUAL_RATE: u32 = 1000;

/// What changes of a client. What is not given stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientChangeRequest {
    /// The version that the change is based on.
    #[schema(value_type = schema::Version)]
    version: Version,
    /// A new name.
    #[schema(value_type = Option<schema::Name>)]
    name: Option<Name>,
    /// Whether it is still let in.
    #[schema(value_type = Option<schema::Status>)]
    status: Option<Status>,
    /// What it may do, all of it.
    #[schema(value_type = Option<Vec<schema::Scope>>, min_items = 1, max_items = 16)]
    scopes: Option<Scopes>,
    /// Requests per second, averaged.
    #[schema(value_type = Option<schema::Rate>)]
    rate_per_second: Option<Rate>,
}

/// A client.
#[derive(Serialize, ToSchema)]
#[schema(as = Client)]
pub(crate) struct ClientView {
    /// Its id.
    #[schema(value_type = schema::ClientId)]
    id: ClientId,
    /// Its issuer; a platform client has none.
    #[schema(value_type = Option<schema::IssuerId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<IssuerId>,
    /// The only merchant it may act for.
    #[schema(value_type = Option<schema::MerchantId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<MerchantId>,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: String,
    /// What it may do.
    #[schema(value_type = Vec<schema::Scope>)]
    scopes: BTreeSet<Scope>,
    /// Requests per second, averaged.
    #[schema(value_type = schema::Rate)]
    rate_per_second: u32,
    /// Whether it is still let in.
    #[schema(value_type = schema::Status)]
    status: Status,
    /// When it was created.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
    /// How often it was changed; a change names the version it is based on.
    #[schema(value_type = schema::Version)]
    version: u32,
}

/// A client with its API key.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientWithSecret {
    /// The client.
    client: ClientView,
    /// The API key, shown this once: `Authorization: Bearer hx_…`.
    secret: String,
}

impl ClientView {
    fn new(client: &Client) -> Self {
        Self {
            id: client.id,
            issuer: client.issuer,
            merchant: client.merchant,
            name: client.name.clone(),
            scopes: client.scopes.clone(),
            rate_per_second: client.rate_per_second,
            status: client.status,
            created_at: Moment(client.created_at),
            version: client.version,
        }
    }
}

impl ClientWithSecret {
    pub(super) fn new(client: &Client, secret: &ClientSecret) -> Self {
        Self { client: ClientView::new(client), secret: secret.expose().to_owned() }
    }
}

/// A new secret for a client.
pub(super) fn new_secret(id: ClientId) -> Result<ClientSecret, Problem> {
    ClientSecret::generate(&id.to_string(), &mut OsRandomness::new())
        .map_err(|_| Problem::new(Code::Internal, "no API key could be made; ask the operator"))
}

/// Create a client
///
/// Shows its API key this once. A client can grant only what it has itself; a platform client can grant
/// everything to an issuer's client, and `platform` to a platform client.
#[utoipa::path(
    post,
    path = "/v1/clients",
    tag = "catalog",
    operation_id = "create_client",
    request_body = ClientRequest,
    responses((status = 201, description = "The client with its API key.", body = ClientWithSecret)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<ClientRequest>,
) -> Result<Response, Problem> {
    let (issuer, merchant) = belongs_to(&app, &caller, &body)?;
    check_grant(&caller, issuer, &body.scopes.0)?;
    let id = ClientId::new(app.engine.next_id());
    let secret = new_secret(id)?;
    let client = Client {
        id,
        issuer,
        merchant,
        name: body.name.0,
        scopes: body.scopes.0,
        secret_hash: secret.hash(),
        rate_per_second: body.rate_per_second.map_or(USUAL_RATE, |rate| rate.0),
        status: Status::Active,
        created_at: app.engine.now(),
        version: 1,
    };
    app.engine.put_catalog(CatalogEntry::Client(client.clone())).await?;
    tracing::info!(client = %client.id, by = %caller.0.id, "a client was created");
    json(StatusCode::CREATED, &ClientWithSecret::new(&client, &secret))
}

/// The issuer and merchant of a new client. What the caller cannot reach is unknown.
fn belongs_to(
    app: &AppState,
    caller: &Caller,
    body: &ClientRequest,
) -> Result<(Option<IssuerId>, Option<MerchantId>), Problem> {
    let catalog = app.engine.catalog();
    let issuer = body.issuer.or(caller.0.issuer);
    let issuer_known = match issuer {
        None => true,
        Some(id) => {
            catalog.issuers.contains_key(&id) && (caller.is_platform() || caller.0.issuer == Some(id))
        }
    };
    if !issuer_known {
        let detail = "no such issuer for this client; check the id";
        return Err(Problem::new(Code::IssuerUnknown, detail).at("/issuer"));
    }
    let merchant = body.merchant.or(caller.merchant());
    if let Some(id) = merchant {
        let found = catalog.merchants.get(&id).filter(|found| Some(found.issuer) == issuer);
        if found.is_none_or(|found| !caller.sees(Some(found.id))) {
            let detail = "no such merchant for this client; check the id";
            return Err(Problem::new(Code::MerchantUnknown, detail).at("/merchant"));
        }
    }
    Ok((issuer, merchant))
}

/// Nobody grants what he does not have. `platform` and the scopes of issuers never mix.
fn check_grant(caller: &Caller, issuer: Option<IssuerId>, scopes: &BTreeSet<Scope>) -> Result<(), Problem> {
    let refused = scopes.iter().find(|scope| {
        let fits = (**scope == Scope::Platform) == issuer.is_none();
        let held = caller.is_platform() || caller.0.scopes.contains(scope);
        !(fits && held)
    });
    match refused {
        None => Ok(()),
        Some(scope) => {
            let detail = format!(
                "this client cannot grant `{}` here: it does not have it, or it does not fit the kind of client",
                scope.name()
            );
            Err(Problem::new(Code::NotPermitted, detail).at("/scopes"))
        }
    }
}

/// List clients
///
/// All for a platform client; those of its issuer, or of its merchant, for any other.
#[utoipa::path(
    get,
    path = "/v1/clients",
    tag = "catalog",
    operation_id = "list_clients",
    params(PageQuery),
    responses((status = 200, description = "A page of clients.", body = PageOf<ClientView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let catalog = app.engine.catalog();
    let all = catalog.clients.values().filter(|client| visible(&caller, client));
    let all = all.map(|client| (client.id.get(), client)).collect();
    page_of(all, &query, |client: &Arc<Client>| ClientView::new(client))
}

/// Read a client
///
/// Without its API key, of which only a hash is kept.
#[utoipa::path(
    get,
    path = "/v1/clients/{id}",
    tag = "catalog",
    operation_id = "read_client",
    params(("id" = schema::ClientId, Path, description = "The client.")),
    responses((status = 200, description = "The client.", body = ClientView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<ClientId>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &ClientView::new(&*own(&app, &caller, id)?))
}

/// Change a client
///
/// What is not given stays.
#[utoipa::path(
    patch,
    path = "/v1/clients/{id}",
    tag = "catalog",
    operation_id = "change_client",
    params(("id" = schema::ClientId, Path, description = "The client.")),
    request_body = ClientChangeRequest,
    responses((status = 200, description = "The client, changed.", body = ClientView)),
)]
pub(crate) async fn change(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<ClientId>,
    Json(body): Json<ClientChangeRequest>,
) -> Result<Response, Problem> {
    let now = own(&app, &caller, id)?;
    check_outranks(&caller, &now)?;
    let mut client = Client::clone(&now);
    client.version = body.version.next(now.version)?;
    if let Some(scopes) = body.scopes {
        check_grant(&caller, now.issuer, &scopes.0)?;
        client.scopes = scopes.0;
    }
    client.name = body.name.map_or(client.name, |name| name.0);
    client.status = body.status.unwrap_or(client.status);
    client.rate_per_second = body.rate_per_second.map_or(client.rate_per_second, |rate| rate.0);
    app.engine.put_catalog(CatalogEntry::Client(client.clone())).await?;
    json(StatusCode::OK, &ClientView::new(&client))
}

/// A client within the caller's reach.
pub(super) fn own(app: &AppState, caller: &Caller, id: ClientId) -> Result<Arc<Client>, Problem> {
    let found = app.engine.catalog().clients.get(&id).filter(|client| visible(caller, client)).cloned();
    found.ok_or_else(|| {
        Problem::new(Code::ClientUnknown, "no such client for this client; check the id").parameter("id")
    })
}

/// Whoever changes a client or its key must be able to grant all that it has.
pub(super) fn check_outranks(caller: &Caller, client: &Client) -> Result<(), Problem> {
    check_grant(caller, client.issuer, &client.scopes)
}

fn visible(caller: &Caller, client: &Client) -> bool {
    // The client that jobs act as belongs to nobody.
    client.id != domain::command::SYSTEM_CLIENT
        && (caller.is_platform() || (client.issuer == caller.0.issuer && caller.sees(client.merchant)))
}
