//! Stores (门店).

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{Catalog, IssuerId, MerchantId, StoreId, catalog::Store, program::Status};
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

/// A store to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreRequest {
    /// Its merchant.
    #[schema(value_type = schema::MerchantId)]
    merchant: MerchantId,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Name,
}

/// A store.
#[derive(Serialize, ToSchema)]
#[schema(as = Store)]
pub(crate) struct StoreView {
    /// Its id.
    #[schema(value_type = schema::StoreId)]
    id: StoreId,
    /// Its issuer.
    #[schema(value_type = schema::IssuerId)]
    issuer: IssuerId,
    /// Its merchant.
    #[schema(value_type = schema::MerchantId)]
    merchant: MerchantId,
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

impl StoreView {
    fn new(item: &Store) -> Self {
        Self {
            id: item.id,
            issuer: item.issuer,
            merchant: item.merchant,
            name: item.name.clone(),
            status: item.status,
            created_at: Moment(item.created_at),
            version: item.version,
        }
    }
}

/// Create a store
///
/// Under the issuer of the client.
#[utoipa::path(
    post,
    path = "/v1/stores",
    tag = "catalog",
    operation_id = "create_store",
    request_body = StoreRequest,
    responses((status = 201, description = "The store.", body = StoreView)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<StoreRequest>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    let catalog = app.engine.catalog();
    let parent = catalog.merchants.get(&body.merchant);
    let own = parent.filter(|found| found.issuer == issuer && caller.sees(Some(found.id)));
    if own.is_none() {
        let detail = "no such merchant for this client; check the id";
        return Err(Problem::new(Code::MerchantUnknown, detail).at("/merchant"));
    }
    let item = Store {
        id: StoreId::new(app.engine.next_id()),
        issuer,
        merchant: body.merchant,
        name: body.name.0,
        status: Status::Active,
        created_at: app.engine.now(),
        version: 1,
    };
    app.engine.put_catalog(CatalogEntry::Store(item.clone())).await?;
    json(StatusCode::CREATED, &StoreView::new(&item))
}

/// List stores
///
/// In the order of their creation. A client that is bound to a merchant sees its own.
#[utoipa::path(
    get,
    path = "/v1/stores",
    tag = "catalog",
    operation_id = "list_stores",
    params(PageQuery),
    responses((status = 200, description = "A page of stores.", body = PageOf<StoreView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    let catalog = app.engine.catalog();
    let all =
        catalog.stores.values().filter(|item| item.issuer == issuer && visible(&catalog, &caller, item));
    let all = all.map(|item| (item.id.get(), item)).collect();
    page_of(all, &query, |item: &Arc<Store>| StoreView::new(item))
}

/// Read a store
///
/// As it is now.
#[utoipa::path(
    get,
    path = "/v1/stores/{id}",
    tag = "catalog",
    operation_id = "read_store",
    params(("id" = schema::StoreId, Path, description = "The store.")),
    responses((status = 200, description = "The store.", body = StoreView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<StoreId>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &StoreView::new(&*own(&app, &caller, id)?))
}

/// Change a store
///
/// What is not given stays.
#[utoipa::path(
    patch,
    path = "/v1/stores/{id}",
    tag = "catalog",
    operation_id = "change_store",
    params(("id" = schema::StoreId, Path, description = "The store.")),
    request_body = ChangeRequest,
    responses((status = 200, description = "The store, changed.", body = StoreView)),
)]
pub(crate) async fn change(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<StoreId>,
    Json(body): Json<ChangeRequest>,
) -> Result<Response, Problem> {
    let now = own(&app, &caller, id)?;
    let mut item = Store::clone(&now);
    item.version = body.version.next(now.version)?;
    item.name = body.name.map_or(item.name, |name| name.0);
    item.status = body.status.unwrap_or(item.status);
    app.engine.put_catalog(CatalogEntry::Store(item.clone())).await?;
    json(StatusCode::OK, &StoreView::new(&item))
}

fn own(app: &AppState, caller: &Caller, id: StoreId) -> Result<Arc<Store>, Problem> {
    let issuer = caller.issuer()?;
    let catalog = app.engine.catalog();
    let found = catalog.stores.get(&id).filter(|item| item.issuer == issuer);
    let own = found.filter(|item| visible(&catalog, caller, item)).cloned();
    own.ok_or_else(|| {
        Problem::new(Code::StoreUnknown, "no such store for this client; check the id").parameter("id")
    })
}

fn visible(_: &Catalog, caller: &Caller, item: &Store) -> bool {
    caller.sees(Some(item.merchant))
}
