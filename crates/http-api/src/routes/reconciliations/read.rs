//! One reconciliation.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::ReconciliationId;

use super::{ReconciliationView, unknown};
use crate::{answer::json, auth::Caller, error::Problem, extract::Named, state::AppState, wire::schema};

/// Read a reconciliation
#[utoipa::path(
    get,
    path = "/v1/reconciliations/{id}",
    tag = "reconciliation",
    operation_id = "read_reconciliation",
    params(("id" = schema::ReconciliationId, Path, description = "Its id.")),
    responses((status = 200, description = "The reconciliation.", body = ReconciliationView)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<ReconciliationId>,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &ReconciliationView::new(own(&app, &caller, id).await?))
}

/// The reconciliation, where it is the caller's.
pub(super) async fn own(
    app: &AppState,
    caller: &Caller,
    id: ReconciliationId,
) -> Result<storage::Reconciliation, Problem> {
    caller.unbound()?;
    let issuer = caller.issuer()?;
    let found = app.engine.store().reconciliation(id).await?;
    found.filter(|found| found.issuer == issuer).ok_or_else(|| unknown("reconciliation"))
}
