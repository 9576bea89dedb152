//! Freeze (冻结).

use axum::{extract::State, response::Response};
use domain::{
    CardId, Command,
    command::{CardRef, WithReason},
};

use super::ReasonRequest;
use crate::{
    answer::{Envelope, submit},
    auth::Caller,
    error::Problem,
    extract::{Json, Named},
    idempotency::Keyed,
    state::AppState,
    wire::{operation::Operation, schema},
};

/// Freeze a card
///
/// Blocks an active card until it is unfrozen.
#[utoipa::path(
    post,
    path = "/v1/cards/{id}/freeze",
    tag = "cards",
    operation_id = "freeze_card",
    params(("id" = schema::CardId, Path, description = "The card.")),
    request_body = ReasonRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn freeze(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Named(id): Named<CardId>,
    Json(body): Json<ReasonRequest>,
) -> Result<Response, Problem> {
    let command = Command::Freeze(WithReason { card: CardRef::Id(id), reason: body.reason.0.clone() });
    submit(&app, &caller, keyed, &body, command, Envelope::card_at("")).await
}
