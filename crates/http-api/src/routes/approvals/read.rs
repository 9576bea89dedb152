//! One approval, with what was done about it.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{ApprovalId, UserId};
use serde::Serialize;
use storage::ApprovalEvent;
use utoipa::ToSchema;

use super::{ApprovalView, Names, user, within_reach};
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::Named,
    state::AppState,
    wire::{moment::Moment, schema},
};

/// An approval with its steps.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApprovalRecord {
    /// What the second person decides.
    approval: ApprovalView,
    /// What was done about it, oldest first.
    events: Vec<ApprovalStep>,
}

/// A step.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApprovalStep {
    /// When.
    #[schema(value_type = schema::Moment)]
    at: Moment,
    /// Who; absent where the program did it.
    #[schema(value_type = Option<schema::UserId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<UserId>,
    /// What was done.
    #[schema(value_type = schema::ApprovalAction)]
    action: String,
    /// What was said about it, or what came of it.
    note: String,
}

impl ApprovalStep {
    fn new(of: ApprovalEvent) -> Self {
        Self { at: Moment(of.at), by: of.by.map(user), action: of.action, note: of.note }
    }
}

/// Read an approval
///
/// With its steps, for who asked for it, who may decide it, and auditors.
#[utoipa::path(
    get,
    path = "/v1/approvals/{id}",
    tag = "approvals",
    operation_id = "read_approval",
    params(("id" = schema::ApprovalId, Path, description = "The approval.")),
    responses((status = 200, description = "The approval.", body = ApprovalRecord)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<ApprovalId>,
) -> Result<Response, Problem> {
    let approval = within_reach(&app, &caller, id).await?;
    let events = app.engine.store().approval_events(id).await?;
    let names = Names::of(&app, std::slice::from_ref(&approval)).await?;
    let record = ApprovalRecord {
        approval: ApprovalView::new(approval, &names)?,
        events: events.into_iter().map(ApprovalStep::new).collect(),
    };
    json(StatusCode::OK, &record)
}
