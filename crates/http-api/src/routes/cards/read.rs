//! A card by id, with its lots and holds.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::CardId;

use super::{own_card, program_of};
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::Named,
    state::AppState,
    wire::{
        card_view::{self, CardDetail},
        schema,
    },
};

const MAX_HOLDS: usize = 100;

/// Read a card
///
/// The card with its lots and its newest holds.
#[utoipa::path(
    get,
    path = "/v1/cards/{id}",
    tag = "cards",
    operation_id = "read_card",
    params(("id" = schema::CardId, Path, description = "The card.")),
    responses((status = 200, description = "The card.", body = CardDetail)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<CardId>,
) -> Result<Response, Problem> {
    let card = own_card(&app, &caller, id).await?;
    let program = program_of(&app, card.program)?;
    let mut holds = app.engine.store().holds_of(card.id, MAX_HOLDS).await?;
    holds.retain(|hold| caller.sees(Some(hold.merchant)));
    json(StatusCode::OK, &card_view::detail(&card, &program, &holds, app.engine.now()))
}
