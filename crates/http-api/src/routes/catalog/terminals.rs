//! Terminals (终端).

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    Catalog, IssuerId, StoreId, TerminalId,
    catalog::{Store, Terminal},
    program::Status,
};
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

/// A terminal to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TerminalRequest {
    /// Its store.
    #[schema(value_type = schema::StoreId)]
    store: StoreId,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Name,
}

/// A terminal.
#[derive(Serialize, ToSchema)]
#[schema(as = Terminal)]
pub(crate) struct TerminalView {
    /// Its id.
    #[schema(value_type = schema::TerminalId)]
    id: TerminalId,
    /// Its issuer.
    #[schema(value_type = schema::IssuerId)]
    issuer: IssuerId,
    /// Its store.
    #[schema(value_type = schema::StoreId)]
    store: StoreId,
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

impl TerminalView {
    fn new(item: &Terminal) -> Self {
        Self {
            id: item.id,
            issuer: item.issuer,
            store: item.store,
            name: item.name.clone(),
            status: item.status,
            created_at: Moment(item.created_at),
            version: item.version,
        }
    }
}

/// Create a terminal
///
/// Under the issuer of the client.
#[utoipa::path(
    post,
    path = "/v1/terminals",
    tag = "catalog",
    operation_id = "create_terminal",
    request_body = TerminalRequest,
    responses((status = 201, description = "The terminal.", body = TerminalView)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<TerminalRequest>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    let catalog = app.engine.catalog();
    let parent = catalog.stores.get(&body.store);
    let own = parent.filter(|found| found.issuer == issuer && caller.sees(Some(found.merchant)));
    if own.is_none() {
        let detail = "no such store for this client; check the id";
        return Err(Problem::new(Code::StoreUnknown, detail).at("/store"));
    }
    let item = Terminal {
        id: TerminalId::new(app.engine.next_id()),
        issuer,
        store: body.store,
        name: body.name.0,
        status: Status::Active,
        created_at: app.engine.now(),
        version: 1,
    };
    app.engine.put_catalog(CatalogEntry::Terminal(item.clone())).await?;
    json(StatusCode::CREATED, &TerminalView::new(&item))
}

/// List terminals
///
/// In the order of their creation. A client that is bound to a merchant sees its own.
#[utoipa::path(
    get,
    path = "/v1/terminals",
    tag = "catalog",
    operation_id = "list_terminals",
    params(PageQuery),
    responses((status = 200, description = "A page of terminals.", body = PageOf<TerminalView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    let catalog = app.engine.catalog();
    let all =
        catalog.terminals.values().filter(|item| item.issuer == issuer && visible(&catalog, &caller, item));
    let all = all.map(|item| (item.id.get(), item)).collect();
    page_of(all, &query, |item: &Arc<Terminal>| TerminalView::new(item))
}

/// Read a terminal
///
/// As it is now.
#[utoipa::path(
    get,
    path = "/v1/terminals/{id}",
    tag = "catalog",
    operation_id = "read_terminal",
    params(("id" = schema::TerminalId, Path, description = "The terminal.")),
    responses((status = 200, description = "The terminal.", body = TerminalView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<TerminalId>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &TerminalView::new(&*own(&app, &caller, id)?))
}

/// Change a terminal
///
/// What is not given stays.
#[utoipa::path(
    patch,
    path = "/v1/terminals/{id}",
    tag = "catalog",
    operation_id = "change_terminal",
    params(("id" = schema::TerminalId, Path, description = "The terminal.")),
    request_body = ChangeRequest,
    responses((status = 200, description = "The terminal, changed.", body = TerminalView)),
)]
pub(crate) async fn change(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<TerminalId>,
    Json(body): Json<ChangeRequest>,
) -> Result<Response, Problem> {
    let now = own(&app, &caller, id)?;
    let mut item = Terminal::clone(&now);
    item.version = body.version.next(now.version)?;
    item.name = body.name.map_or(item.name, |name| name.0);
    item.status = body.status.unwrap_or(item.status);
    app.engine.put_catalog(CatalogEntry::Terminal(item.clone())).await?;
    json(StatusCode::OK, &TerminalView::new(&item))
}

fn own(app: &AppState, caller: &Caller, id: TerminalId) -> Result<Arc<Terminal>, Problem> {
    let issuer = caller.issuer()?;
    let catalog = app.engine.catalog();
    let found = catalog.terminals.get(&id).filter(|item| item.issuer == issuer);
    let own = found.filter(|item| visible(&catalog, caller, item)).cloned();
    own.ok_or_else(|| {
        Problem::new(Code::TerminalUnknown, "no such terminal for this client; check the id").parameter("id")
    })
}

fn visible(catalog: &Catalog, caller: &Caller, item: &Terminal) -> bool {
    store_of(catalog, item).is_some_and(|store| caller.sees(Some(store.merchant)))
}

fn store_of<'a>(catalog: &'a Catalog, terminal: &Terminal) -> Option<&'a Arc<Store>> {
    catalog.stores.get(&terminal.store)
}
