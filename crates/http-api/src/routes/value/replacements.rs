//! Replacement (补换卡): a stocked card takes the place of another.

use axum::{extract::State, response::Response};
use domain::{Command, command};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    answer::{Envelope, submit},
    auth::Caller,
    error::Problem,
    extract::Json,
    idempotency::Keyed,
    state::AppState,
    wire::{
        card::CardName, metadata::Metadata, operation::Operation, schema, secret::TypedPin, text::Reference,
    },
};

/// The cards.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplacementRequest {
    /// The card that gives.
    #[schema(value_type = schema::CardName)]
    pub from: CardName,
    /// The card that receives.
    #[schema(value_type = schema::CardName)]
    pub to: CardName,
    /// The PIN of the card that is given up.
    #[schema(value_type = Option<schema::Pin>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<TypedPin>,
    /// Your own reference.
    #[schema(value_type = Option<schema::Reference>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Your own data.
    #[schema(value_type = Option<schema::Metadata>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// Replace a card
///
/// A stocked card takes over value, validity and member of a card in use, frozen or lost, which is closed.
#[utoipa::path(
    post,
    path = "/v1/replacements",
    tag = "value",
    operation_id = "replace",
    request_body = ReplacementRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Json(body): Json<ReplacementRequest>,
) -> Result<Response, Problem> {
    let envelope = Envelope {
        reference: body.reference.as_ref().map(|text| text.0.clone()),
        metadata: body.metadata.clone(),
        ..Envelope::card_at("/from")
    };
    let command = Command::Replace(command::MoveAll {
        from: body.from.find_by(app.engine.vault(), "/from")?,
        to: body.to.find_by(app.engine.vault(), "/to")?,
        pin: body.pin.as_ref().map(TypedPin::attempt),
    });
    submit(&app, &caller, keyed, &body, command, envelope).await
}
