//! Merchants (商户).

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{Catalog, IssuerId, MerchantId, catalog::Merchant, program::Status};
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
    wire::{moment::Moment, schema, text::Name},
};

/// A merchant to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MerchantRequest {
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Name,
}

/// A merchant.
#[derive(Serialize, ToSchema)]
#[schema(as = Merchant)]
pub(crate) struct MerchantView {
    /// Its id.
    #[schema(value_type = schema::MerchantId)]
    id: MerchantId,
    /// Its issuer.
    #[schema(value_type = schema::IssuerId)]
    issuer: IssuerId,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: String,
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

impl MerchantView {
    fn new(item: &Merchant) -> Self {
        Self {
            id: item.id,
            issuer: item.issuer,
            name: item.name.clone(),
            status: item.status,
            created_at: Moment(item.created_at),
            version: item.version,
        }
    }
}

/// Create a merchant
///
/// Under the issuer of the client.
#[utoipa::path(
    post,
    path = "/v1/merchants",
    tag = "catalog",
    operation_id = "create_merchant",
    request_body = MerchantRequest,
    responses((status = 201, description = "The merchant.", body = MerchantView)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<MerchantRequest>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    caller.unbound()?;
    let item = Merchant {
        id: MerchantId::new(app.engine.next_id()),
        issuer,
        name: body.name.0,
        status: Status::Active,
        created_at: app.engine.now(),
        version: 1,
    };
    app.engine.put_catalog(CatalogEntry::Merchant(item.clone())).await?;
    json(StatusCode::CREATED, &MerchantView::new(&item))
}

/// List merchants
///
/// In the order of their creation. A client that is bound to a merchant sees its own.
#[utoipa::path(
    get,
    path = "/v1/merchants",
    tag = "catalog",
    operation_id = "list_merchants",
    params(PageQuery),
    responses((status = 200, description = "A page of merchants.", body = PageOf<MerchantView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    let catalog = app.engine.catalog();
    let all =
        catalog.merchants.values().filter(|item| item.issuer == issuer && visible(&catalog, &caller, item));
    let all = all.map(|item| (item.id.get(), item)).collect();
    page_of(all, &query, |item: &Arc<Merchant>| MerchantView::new(item))
}

/// Read a merchant
///
/// As it is now.
#[utoipa::path(
    get,
    path = "/v1/merchants/{id}",
    tag = "catalog",
    operation_id = "read_merchant",
    params(("id" = schema::MerchantId, Path, description = "The merchant.")),
    responses((status = 200, description = "The merchant.", body = MerchantView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<MerchantId>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &MerchantView::new(&*own(&app, &caller, id)?))
}

/// Change a merchant
///
/// What is not given stays.
#[utoipa::path(
    patch,
    path = "/v1/merchants/{id}",
    tag = "catalog",
    operation_id = "change_merchant",
    params(("id" = schema::MerchantId, Path, description = "The merchant.")),
    request_body = ChangeRequest,
    responses((status = 200, description = "The merchant, changed.", body = MerchantView)),
)]
pub(crate) async fn change(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<MerchantId>,
    Json(body): Json<ChangeRequest>,
) -> Result<Response, Problem> {
    let now = own(&app, &caller, id)?;
    let mut item = Merchant::clone(&now);
    item.version = body.version.next(now.version)?;
    item.name = body.name.map_or(item.name, |name| name.0);
    item.status = body.status.unwrap_or(item.status);
    app.engine.put_catalog(CatalogEntry::Merchant(item.clone())).await?;
    json(StatusCode::OK, &MerchantView::new(&item))
}

fn own(app: &AppState, caller: &Caller, id: MerchantId) -> Result<Arc<Merchant>, Problem> {
    let issuer = caller.issuer()?;
    let catalog = app.engine.catalog();
    let found = catalog.merchants.get(&id).filter(|item| item.issuer == issuer);
    let own = found.filter(|item| visible(&catalog, caller, item)).cloned();
    own.ok_or_else(|| {
        Problem::new(Code::MerchantUnknown, "no such merchant for this client; check the id").parameter("id")
    })
}

fn visible(_: &Catalog, caller: &Caller, item: &Merchant) -> bool {
    caller.sees(Some(item.id))
}
