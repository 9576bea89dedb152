//! Report of a loss (挂失).

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

/// Report a card lost
///
/// Blocks a registered card; its value can go to a replacement.
#[utoipa::path(
    post,
    path = "/v1/cards/{id}/report-lost",
    tag = "cards",
    operation_id = "report_lost",
    params(("id" = schema::CardId, Path, description = "The card.")),
    request_body = EmptyRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn report_lost(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Named(id): Named<CardId>,
    Json(body): Json<EmptyRequest>,
) -> Result<Response, Problem> {
    let command = Command::ReportLost(CardRef::Id(id));
    submit(&app, &caller, keyed, &body, command, Envelope::card_at("")).await
}
