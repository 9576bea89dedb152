//! The batches of an issuer, newest first.

use axum::{extract::State, response::Response};
use domain::BatchId;

use super::BatchView;
use crate::{
    auth::Caller,
    error::Problem,
    extract::Query,
    page::{PageOf, PageQuery, page},
    state::AppState,
};

/// List batches
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/batches",
    tag = "issue",
    operation_id = "list_batches",
    params(PageQuery),
    responses((status = 200, description = "A page of batches.", body = PageOf<BatchView>)),
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let before = query.cursor.map(|cursor| BatchId::new(cursor.0));
    let found = app.engine.store().batches(caller.issuer()?, before, query.limit.0).await?;
    page(found.items.into_iter().map(BatchView::new).collect(), found.next)
}
