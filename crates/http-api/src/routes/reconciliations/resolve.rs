//! What is done about a difference: propose, approve, reject. A proposal is made by one client and approved by
//! another.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::DifferenceId;
use finance::reconciliation::Proposed;
use serde::Deserialize;
use utoipa::ToSchema;

use super::DifferenceView;
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::{Json, Named},
    state::AppState,
    wire::schema,
};

/// What to do about a difference.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProposalRequest {
    /// What to move into the account, in minor units, as its owner's file counts: a merchant's grows with what
    /// it is owed, a channel's with what it collected. Absent: nothing moves, the note explains.
    #[serde(default)]
    #[schema(value_type = Option<schema::Total>, nullable = false)]
    correction: Option<i64>,
    /// Why, in at most 500 bytes.
    #[schema(value_type = schema::Note)]
    note: String,
}

/// Why a proposal is turned down.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectionRequest {
    /// Why, in at most 500 bytes.
    #[schema(value_type = schema::Note)]
    note: String,
}

/// Propose what to do about a difference
///
/// A correction, or an explanation. Another client approves it.
#[utoipa::path(
    post,
    path = "/v1/reconciliation-differences/{id}/propose",
    tag = "reconciliation",
    operation_id = "propose_difference",
    params(("id" = schema::DifferenceId, Path, description = "The difference.")),
    request_body = ProposalRequest,
    responses((status = 200, description = "The difference, proposed.", body = DifferenceView)),
)]
pub(crate) async fn propose(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<DifferenceId>,
    Json(request): Json<ProposalRequest>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let proposed = Proposed { correction: request.correction, note: request.note };
    let record = app.reconciler.propose(caller.issuer()?, caller.0.id, id, proposed).await?;
    json(StatusCode::OK, &DifferenceView::new(record))
}

/// Approve what is proposed about a difference
///
/// By another client than the one that proposed it. A correction is posted; ask again if the answer did not
/// come, nothing is posted twice.
#[utoipa::path(
    post,
    path = "/v1/reconciliation-differences/{id}/approve",
    tag = "reconciliation",
    operation_id = "approve_difference",
    params(("id" = schema::DifferenceId, Path, description = "The difference.")),
    responses((status = 200, description = "The difference, approved.", body = DifferenceView)),
)]
pub(crate) async fn approve(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<DifferenceId>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let record = app.reconciler.approve(caller.issuer()?, caller.0.id, id).await?;
    json(StatusCode::OK, &DifferenceView::new(record))
}

/// Turn down what is proposed about a difference
///
/// It is open again.
#[utoipa::path(
    post,
    path = "/v1/reconciliation-differences/{id}/reject",
    tag = "reconciliation",
    operation_id = "reject_difference",
    params(("id" = schema::DifferenceId, Path, description = "The difference.")),
    request_body = RejectionRequest,
    responses((status = 200, description = "The difference, open again.", body = DifferenceView)),
)]
pub(crate) async fn reject(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<DifferenceId>,
    Json(request): Json<RejectionRequest>,
) -> Result<Response, Problem> {
    caller.unbound()?;
    let record = app.reconciler.reject(caller.issuer()?, caller.0.id, id, request.note).await?;
    json(StatusCode::OK, &DifferenceView::new(record))
}
