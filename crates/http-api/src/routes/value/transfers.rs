//! Transfer (转卡): value to another card of the same program.

use axum::{extract::State, response::Response};
use domain::{Command, Currency, command};
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
        amount::Positive, card::CardName, metadata::Metadata, operation::Operation, schema, secret::TypedPin,
        text::Reference,
    },
};

/// Value to move.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferRequest {
    /// The card that gives.
    #[schema(value_type = schema::CardName)]
    pub from: CardName,
    /// The card that receives.
    #[schema(value_type = schema::CardName)]
    pub to: CardName,
    /// How much, in minor units.
    #[schema(value_type = schema::Amount)]
    pub amount: Positive,
    /// The currency of the card's program, as a safeguard.
    #[schema(value_type = schema::Currency)]
    pub currency: Currency,
    /// The PIN of the card that gives.
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

/// Transfer value
///
/// Moves value to another card, lot by lot.
#[utoipa::path(
    post,
    path = "/v1/transfers",
    tag = "value",
    operation_id = "transfer",
    request_body = TransferRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Json(body): Json<TransferRequest>,
) -> Result<Response, Problem> {
    let envelope = Envelope {
        reference: body.reference.as_ref().map(|text| text.0.clone()),
        metadata: body.metadata.clone(),
        ..Envelope::card_at("/from")
    };
    let command = Command::Transfer(command::Move {
        from: body.from.find_by(app.engine.vault(), "/from")?,
        to: body.to.find_by(app.engine.vault(), "/to")?,
        amount: body.amount.0,
        currency: body.currency,
        pin: body.pin.as_ref().map(TypedPin::attempt),
    });
    submit(&app, &caller, keyed, &body, command, envelope).await
}
