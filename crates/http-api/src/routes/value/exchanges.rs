//! Exchange (换卡): what is left of an expired card goes onto a new one.

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
        amount::Positive, card::CardName, metadata::Metadata, operation::Operation, schema, secret::TypedPin,
        text::Reference,
    },
};

/// Which card, for which.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExchangeRequest {
    /// The expired card.
    #[schema(value_type = schema::CardName)]
    from: CardName,
    /// A stocked card of the same program.
    #[schema(value_type = schema::CardName)]
    to: CardName,
    /// How much, in minor units, from each lot in proportion; all if not given, and then the new card takes the
    /// old one's place.
    #[schema(value_type = Option<schema::Amount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Positive>,
    /// The PIN of the expired card; checked if given.
    #[schema(value_type = Option<schema::Pin>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pin: Option<TypedPin>,
    /// Your own reference.
    #[schema(value_type = Option<schema::Reference>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    /// Your own data.
    #[schema(value_type = Option<schema::Metadata>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
}

/// Exchange an expired card
///
/// Puts what is left of an expired card onto a stocked one, which is active from then on.
#[utoipa::path(
    post,
    path = "/v1/exchanges",
    tag = "value",
    operation_id = "exchange",
    request_body = ExchangeRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Json(body): Json<ExchangeRequest>,
) -> Result<Response, Problem> {
    let vault = app.engine.vault();
    let command = Command::Exchange(command::Exchange {
        from: body.from.find_by(vault, "/from")?,
        to: body.to.find_by(vault, "/to")?,
        amount: body.amount.map(|amount| amount.0),
        pin: body.pin.as_ref().map(TypedPin::attempt),
    });
    let envelope = Envelope {
        reference: body.reference.as_ref().map(|text| text.0.clone()),
        metadata: body.metadata.clone(),
        ..Envelope::card_at("/from")
    };
    submit(&app, &caller, keyed, &body, command, envelope).await
}
