//! A batch with its progress.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::BatchId;

use super::{BatchView, own_batch};
use crate::{answer::json, auth::Caller, error::Problem, extract::Named, state::AppState, wire::schema};

/// Read a batch
///
/// With its progress.
#[utoipa::path(
    get,
    path = "/v1/batches/{id}",
    tag = "issue",
    operation_id = "read_batch",
    params(("id" = schema::BatchId, Path, description = "The batch.")),
    responses((status = 200, description = "The batch.", body = BatchView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<BatchId>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &BatchView::new(own_batch(&app, &caller, id).await?))
}
