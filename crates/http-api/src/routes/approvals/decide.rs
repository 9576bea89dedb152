//! The steps of an approval: approve, reject, withdraw.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{ApprovalId, catalog::Scope, program::Status};
use identity::approvals::{self, approves, asks};
use serde::Deserialize;
use storage::{Approval, ApprovalEvent, ApprovalState, StorageError};
use utoipa::ToSchema;

use super::{ApprovalView, Names, execute::carry_out, list::user_only, user, within_reach};
use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    extract::{Json, Named},
    state::AppState,
    wire::{schema, text::Text},
};

/// What is said about a decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionRequest {
    /// What to say about it.
    #[schema(value_type = Option<schema::Note>)]
    note: Option<Text<{ approvals::MAX_NOTE }>>,
}

/// Why it is turned down.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefusalRequest {
    /// Why.
    #[schema(value_type = schema::Note)]
    note: Text<{ approvals::MAX_NOTE }>,
}

/// Approve
///
/// By another person than the one who asked, within 72 hours. What was written down is done at once, in the name of
/// who asked; it is done once, however often it is approved and whatever breaks in between. If it turns out to be
/// impossible the state is `failed`.
#[utoipa::path(
    post,
    path = "/v1/approvals/{id}/approve",
    tag = "approvals",
    operation_id = "approve",
    params(("id" = schema::ApprovalId, Path, description = "The approval.")),
    request_body = DecisionRequest,
    responses((status = 200, description = "The approval, done or failed.", body = ApprovalView)),
)]
pub(crate) async fn approve(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<ApprovalId>,
    Json(body): Json<DecisionRequest>,
) -> Result<Response, Problem> {
    let approval = to_decide(&app, &caller, id).await?;
    // Again after a crash or a lost answer: the decision stands, only doing it is still to come.
    let decided = matches!(approval.state, ApprovalState::Approved | ApprovalState::Failed);
    if decided && approval.decided_by == Some(caller.0.id) {
        let approval = finished(&app, approval).await?;
        return show(&app, approval).await;
    }
    let now = app.engine.now();
    if let Some((expired, event)) = approvals::expire(approval.clone(), now) {
        store(&app, &expired, &event).await?;
        return Err(approvals::StepError::Stale.into());
    }
    let maker_may = may_still_ask(&app, &approval).await?;
    let note = body.note.as_ref().map(|note| note.0.as_str());
    let (approved, event) = approvals::approve(approval, caller.0.id, maker_may, now, note)?;
    store(&app, &approved, &event).await?;
    let approval = finished(&app, approved).await?;
    show(&app, approval).await
}

/// Reject
///
/// By another person than the one who asked. It is not done and counts no more.
#[utoipa::path(
    post,
    path = "/v1/approvals/{id}/reject",
    tag = "approvals",
    operation_id = "reject",
    params(("id" = schema::ApprovalId, Path, description = "The approval.")),
    request_body = RefusalRequest,
    responses((status = 200, description = "The approval, rejected.", body = ApprovalView)),
)]
pub(crate) async fn reject(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<ApprovalId>,
    Json(body): Json<RefusalRequest>,
) -> Result<Response, Problem> {
    let approval = to_decide(&app, &caller, id).await?;
    let (rejected, event) = approvals::reject(approval, caller.0.id, app.engine.now(), &body.note.0)?;
    store(&app, &rejected, &event).await?;
    show(&app, rejected).await
}

/// Withdraw
///
/// By who asked. It is not done and counts no more.
#[utoipa::path(
    post,
    path = "/v1/approvals/{id}/withdraw",
    tag = "approvals",
    operation_id = "withdraw",
    params(("id" = schema::ApprovalId, Path, description = "The approval.")),
    request_body = DecisionRequest,
    responses((status = 200, description = "The approval, withdrawn.", body = ApprovalView)),
)]
pub(crate) async fn withdraw(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<ApprovalId>,
    Json(body): Json<DecisionRequest>,
) -> Result<Response, Problem> {
    user_only(&caller)?;
    let approval = within_reach(&app, &caller, id).await?;
    let note = body.note.as_ref().map(|note| note.0.as_str());
    let (withdrawn, event) = approvals::withdraw(approval, caller.0.id, app.engine.now(), note)?;
    store(&app, &withdrawn, &event).await?;
    show(&app, withdrawn).await
}

/// An approval that the caller may decide, as far as its kind goes.
async fn to_decide(app: &AppState, caller: &Caller, id: ApprovalId) -> Result<Approval, Problem> {
    user_only(caller)?;
    caller.unbound()?;
    let approval = within_reach(app, caller, id).await?;
    let needed: Scope = approves(approval.kind());
    if !caller.0.scopes.contains(&needed) {
        let detail = format!("this needs the permission {}; ask somebody who has it", needed.name());
        return Err(Problem::new(Code::ScopeMissing, detail));
    }
    Ok(approval)
}

/// Whether who asked is still let in and still has the permission to ask for this.
async fn may_still_ask(app: &AppState, approval: &Approval) -> Result<bool, Problem> {
    let store = app.engine.store();
    let Some(maker) = store.user(user(approval.maker)).await? else { return Ok(false) };
    let roles = store.roles_by_id(&maker.roles).await?;
    let permitted = roles.iter().any(|role| role.permissions.contains(&asks(approval.subject)));
    Ok(maker.status == Status::Active && maker.issuer == Some(approval.issuer) && permitted)
}

/// Stores a step. Whoever was faster has decided.
async fn store(app: &AppState, approval: &Approval, event: &ApprovalEvent) -> Result<(), Problem> {
    app.engine.store().update_approval(approval, event).await.map_err(|error| match error {
        StorageError::Conflict { .. } => {
            Problem::new(Code::ApprovalState, "somebody else decided at this moment; read it again")
        }
        error => error.into(),
    })
}

async fn finished(app: &AppState, approval: Approval) -> Result<Approval, Problem> {
    if approvals::is_unfinished(&approval) { carry_out(app, approval).await } else { Ok(approval) }
}

async fn show(app: &AppState, approval: Approval) -> Result<Response, Problem> {
    let names = Names::of(app, std::slice::from_ref(&approval)).await?;
    json(StatusCode::OK, &ApprovalView::new(approval, &names)?)
}
