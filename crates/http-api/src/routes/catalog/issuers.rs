//! Issuers (发卡企业): the tenants. Managed by platform clients; an issuer's client reads its own.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{IssuerId, catalog::Issuer, program::Status};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use storage::CatalogEntry;
use utoipa::ToSchema;

use super::ChangeRequest;
use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    extract::{Json, Named, Query},
    page::{PageOf, PageQuery, page_of},
    state::AppState,
    wire::{
        moment::Moment,
        schema,
        text::{Name, Text},
    },
};

/// An issuer to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssuerRequest {
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Name,
    /// Its time zone, which decides its business dates. Cannot be changed.
    #[schema(value_type = schema::TimeZone)]
    time_zone: Text<64>,
}

/// An issuer.
#[derive(Serialize, ToSchema)]
#[schema(as = Issuer)]
pub(crate) struct IssuerView {
    /// Its id.
    #[schema(value_type = schema::IssuerId)]
    id: IssuerId,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: String,
    /// Its time zone, which decides its business dates.
    #[schema(value_type = schema::TimeZone)]
    time_zone: String,
    /// Whether it still does business.
    #[schema(value_type = schema::Status)]
    status: Status,
    /// When it was created.
    #[schema(value_type = schema::Moment)]
    created_at: Moment,
    /// How often it was changed; a change names the version it is based on.
    #[schema(value_type = schema::Version)]
    version: u32,
}

impl IssuerView {
    fn new(issuer: &Issuer) -> Self {
        Self {
            id: issuer.id,
            name: issuer.name.clone(),
            time_zone: issuer.time_zone.clone(),
            status: issuer.status,
            created_at: Moment(issuer.created_at),
            version: issuer.version,
        }
    }
}

/// Create an issuer
///
/// Create its first client next, with `POST /v1/clients {"issuer": …}`.
#[utoipa::path(
    post,
    path = "/v1/issuers",
    tag = "catalog",
    operation_id = "create_issuer",
    request_body = IssuerRequest,
    responses((status = 201, description = "The issuer.", body = IssuerView)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    _: Caller,
    Json(body): Json<IssuerRequest>,
) -> Result<Response, Problem> {
    let zone = TimeZone::get(&body.time_zone.0).map_err(|_| {
        let detail = "name a time zone of the IANA database, such as Asia/Shanghai";
        Problem::new(Code::TimeZoneUnknown, detail).at("/time_zone")
    })?;
    let issuer = Issuer {
        id: IssuerId::new(app.engine.next_id()),
        name: body.name.0,
        time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        zone,
        status: Status::Active,
        created_at: app.engine.now(),
        version: 1,
    };
    app.engine.put_catalog(CatalogEntry::Issuer(issuer.clone())).await?;
    json(StatusCode::CREATED, &IssuerView::new(&issuer))
}

/// List issuers
///
/// All for a platform client; its own for any other.
#[utoipa::path(
    get,
    path = "/v1/issuers",
    tag = "catalog",
    operation_id = "list_issuers",
    params(PageQuery),
    responses((status = 200, description = "A page of issuers.", body = PageOf<IssuerView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let catalog = app.engine.catalog();
    let all = catalog.issuers.values().filter(|issuer| visible(&caller, issuer.id));
    let all = all.map(|issuer| (issuer.id.get(), issuer)).collect();
    page_of(all, &query, |issuer: &Arc<Issuer>| IssuerView::new(issuer))
}

/// Read an issuer
///
/// Any for a platform client; its own for any other.
#[utoipa::path(
    get,
    path = "/v1/issuers/{id}",
    tag = "catalog",
    operation_id = "read_issuer",
    params(("id" = schema::IssuerId, Path, description = "The issuer.")),
    responses((status = 200, description = "The issuer.", body = IssuerView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<IssuerId>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &IssuerView::new(&*own(&app, &caller, id)?))
}

/// Change an issuer
///
/// A closed issuer moves no value, and its clients are not let in. What is not given stays.
#[utoipa::path(
    patch,
    path = "/v1/issuers/{id}",
    tag = "catalog",
    operation_id = "change_issuer",
    params(("id" = schema::IssuerId, Path, description = "The issuer.")),
    request_body = ChangeRequest,
    responses((status = 200, description = "The issuer, changed.", body = IssuerView)),
)]
pub(crate) async fn change(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<IssuerId>,
    Json(body): Json<ChangeRequest>,
) -> Result<Response, Problem> {
    let now = own(&app, &caller, id)?;
    let mut issuer = Issuer::clone(&now);
    issuer.version = body.version.next(now.version)?;
    issuer.name = body.name.map_or(issuer.name, |name| name.0);
    issuer.status = body.status.unwrap_or(issuer.status);
    app.engine.put_catalog(CatalogEntry::Issuer(issuer.clone())).await?;
    json(StatusCode::OK, &IssuerView::new(&issuer))
}

fn own(app: &AppState, caller: &Caller, id: IssuerId) -> Result<Arc<Issuer>, Problem> {
    let found = app.engine.catalog().issuers.get(&id).filter(|_| visible(caller, id)).cloned();
    found.ok_or_else(|| {
        Problem::new(Code::IssuerUnknown, "no such issuer for this client; check the id").parameter("id")
    })
}

fn visible(caller: &Caller, id: IssuerId) -> bool {
    caller.is_platform() || caller.0.issuer == Some(id)
}
