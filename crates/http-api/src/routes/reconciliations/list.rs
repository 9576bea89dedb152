//! The reconciliations of an issuer, newest first.

use axum::{extract::State, response::Response};
use domain::ReconciliationId;

use super::ReconciliationView;
use crate::{
    auth::Caller,
    error::Problem,
    extract::Query,
    page::{PageOf, PageQuery, page},
    state::AppState,
};

/// List reconciliations
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/reconciliations",
    tag = "reconciliation",
    operation_id = "list_reconciliations",
    params(PageQuery),
    responses((status = 200, description = "A page of reconciliations.", body = PageOf<ReconciliationView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let before = query.cursor.map(|cursor| ReconciliationId::new(cursor.0));
    let found = app.engine.store().reconciliations(caller.issuer()?, before, query.limit.0).await?;
    page(found.items.into_iter().map(ReconciliationView::new).collect(), found.next)
}
