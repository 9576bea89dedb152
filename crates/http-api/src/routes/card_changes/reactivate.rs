//! Reactivation: what expired comes back.

use axum::{extract::State, response::Response};
use domain::{
    CardId, Command,
    command::{CardRef, Reactivate},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    answer::{Envelope, submit},
    auth::Caller,
    error::Problem,
    extract::{Json, Named},
    idempotency::Keyed,
    state::AppState,
    wire::{moment::Moment, operation::Operation, schema},
};

/// Until when.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReactivationRequest {
    /// The new end of validity; the program's validity counted from now if not given.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Moment>,
}

/// Reactivate a card
///
/// Claims back what expired, with a new end of validity.
#[utoipa::path(
    post,
    path = "/v1/cards/{id}/reactivate",
    tag = "cards",
    operation_id = "reactivate_card",
    params(("id" = schema::CardId, Path, description = "The card.")),
    request_body = ReactivationRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn reactivate(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Named(id): Named<CardId>,
    Json(body): Json<ReactivationRequest>,
) -> Result<Response, Problem> {
    let command =
        Command::Reactivate(Reactivate { card: CardRef::Id(id), expires_at: body.expires_at.map(|at| at.0) });
    submit(&app, &caller, keyed, &body, command, Envelope::card_at("")).await
}
