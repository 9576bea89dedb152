//! Unfreeze, which also ends a lock after wrong PINs in a row.

use axum::{extract::State, response::Response};
use domain::{CardId, Command, command::CardRef};

use super::EmptyRequest;
use crate::{
    answer::{Envelope, submit},
    auth::Caller,
    error::Problem,
    extract::{Json, Named},
    idempotency::Keyed,
    state::AppState,
    wire::{operation::Operation, schema},
};

/// Unfreeze a card
///
/// Also ends a lock after five wrong PINs in a row; a lock for life stays.
#[utoipa::path(
    post,
    path = "/v1/cards/{id}/unfreeze",
    tag = "cards",
    operation_id = "unfreeze_card",
    params(("id" = schema::CardId, Path, description = "The card.")),
    request_body = EmptyRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn unfreeze(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Named(id): Named<CardId>,
    Json(body): Json<EmptyRequest>,
) -> Result<Response, Problem> {
    let command = Command::Unfreeze(CardRef::Id(id));
    submit(&app, &caller, keyed, &body, command, Envelope::card_at("")).await
}
