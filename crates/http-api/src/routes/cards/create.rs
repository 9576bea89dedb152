//! Making one card. Its number and PIN are shown in this answer and never again.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::ProgramId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::Json,
    routes::batches::issuable_program,
    state::AppState,
    wire::{
        amount::AnyAmount,
        card_view::{self, CardView},
        schema,
    },
};

/// A card to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardRequest {
    /// Its program.
    #[schema(value_type = schema::ProgramId)]
    program: ProgramId,
    /// What it is made to be sold for, in minor units.
    #[schema(value_type = Option<schema::AnyAmount>)]
    face_value: Option<AnyAmount>,
}

/// A card just made, with its secrets.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssuedCard {
    /// The card.
    card: CardView,
    /// Its number, shown this once.
    #[schema(value_type = schema::CardNumber)]
    number: String,
    /// Its PIN, shown this once, if its program issues one.
    #[schema(value_type = Option<schema::Pin>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pin: Option<String>,
}

/// Make a card
///
/// Makes one stocked card and shows its number and PIN this once.
#[utoipa::path(
    post,
    path = "/v1/cards",
    tag = "issue",
    operation_id = "make_card",
    request_body = CardRequest,
    responses((status = 201, description = "The card with its secrets.", body = IssuedCard)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<CardRequest>,
) -> Result<Response, Problem> {
    let face_value = body.face_value.map(|amount| amount.0);
    let program = issuable_program(&app, &caller, body.program, face_value)?;
    let made = app.engine.issue_card(&program, face_value).await?;
    let issued = IssuedCard {
        card: card_view::card(&made.card, &program, app.engine.now()),
        number: made.number.expose().to_owned(),
        pin: made.pin.as_ref().map(|pin| pin.expose().to_owned()),
    };
    json(StatusCode::CREATED, &issued)
}
