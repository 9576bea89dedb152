//! The steps of payouts: approved or rejected by a second client, confirmed or returned by the bank.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::PayoutId;
use finance::settlement::{approve_payouts, confirm_payouts, reject_payouts, return_payouts};
use serde::{Deserialize, Serialize};
use settlement::Payout;
use utoipa::ToSchema;

use super::{decision, payouts::PayoutView};
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::Json,
    state::AppState,
    wire::{schema, text::Reason},
};

/// Payouts, all or none of which take the step.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PayoutsRequest {
    /// 1 to 1000 payouts.
    #[schema(value_type = Vec<schema::PayoutId>, min_items = 1, max_items = 1000)]
    payouts: Vec<PayoutId>,
}

/// The same, with the reason.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PayoutsReasonRequest {
    /// 1 to 1000 payouts.
    #[schema(value_type = Vec<schema::PayoutId>, min_items = 1, max_items = 1000)]
    payouts: Vec<PayoutId>,
    /// Why.
    #[schema(value_type = schema::Reason)]
    reason: Reason,
}

/// The payouts, after the step.
#[derive(Serialize, ToSchema)]
pub(crate) struct Payouts {
    /// In the order of the request.
    items: Vec<PayoutView>,
}

fn show(payouts: &[Payout]) -> Result<Response, Problem> {
    json(StatusCode::OK, &Payouts { items: payouts.iter().map(PayoutView::new).collect() })
}

/// Approve payouts
///
/// By another client than the one that proposed them. Repeating it changes nothing.
#[utoipa::path(
    post,
    path = "/v1/payouts/approve",
    tag = "settlement",
    operation_id = "approve_payouts",
    request_body = PayoutsRequest,
    responses((status = 200, description = "The payouts.", body = Payouts)),
)]
pub(crate) async fn approve(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<PayoutsRequest>,
) -> Result<Response, Problem> {
    show(&approve_payouts(&app.engine, decision(&caller)?, &body.payouts).await?)
}

/// Reject payouts
///
/// Proposed or approved ones, by another client than the one that proposed them. Their amounts are payable
/// again with the next statement.
#[utoipa::path(
    post,
    path = "/v1/payouts/reject",
    tag = "settlement",
    operation_id = "reject_payouts",
    request_body = PayoutsReasonRequest,
    responses((status = 200, description = "The payouts.", body = Payouts)),
)]
pub(crate) async fn reject(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<PayoutsReasonRequest>,
) -> Result<Response, Problem> {
    show(&reject_payouts(&app.engine, decision(&caller)?, &body.payouts, &body.reason.0).await?)
}

/// Confirm payouts
///
/// The bank has paid them.
#[utoipa::path(
    post,
    path = "/v1/payouts/confirm",
    tag = "settlement",
    operation_id = "confirm_payouts",
    request_body = PayoutsRequest,
    responses((status = 200, description = "The payouts.", body = Payouts)),
)]
pub(crate) async fn confirm(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<PayoutsRequest>,
) -> Result<Response, Problem> {
    show(&confirm_payouts(&app.engine, decision(&caller)?, &body.payouts).await?)
}

/// Take payouts back
///
/// The bank has returned them (退票): their amounts are posted back and payable again with the next statement.
#[utoipa::path(
    post,
    path = "/v1/payouts/return",
    tag = "settlement",
    operation_id = "return_payouts",
    request_body = PayoutsReasonRequest,
    responses((status = 200, description = "The payouts.", body = Payouts)),
)]
pub(crate) async fn give_back(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<PayoutsReasonRequest>,
) -> Result<Response, Problem> {
    show(&return_payouts(&app.engine, decision(&caller)?, &body.payouts, &body.reason.0).await?)
}
