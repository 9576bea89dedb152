//! Cash-out: paying a card out and closing it.

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
        card::CardName, funding::Payout, metadata::Metadata, operation::Operation, schema, secret::TypedPin,
        text::Reference,
    },
};

/// The card.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CashOutRequest {
    /// The card.
    #[schema(value_type = schema::CardName)]
    pub card: CardName,
    /// The PIN of the card, where its program asks for one.
    #[schema(value_type = Option<schema::Pin>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<TypedPin>,
    /// How the holder is paid. Needed as far as the program's policy pack asks for it.
    #[serde(
        default,
        deserialize_with = "crate::wire::object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub payout: Option<Payout>,
    /// Your own reference.
    #[schema(value_type = Option<schema::Reference>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Your own data.
    #[schema(value_type = Option<schema::Metadata>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// Cash a card out
///
/// Pays out what was paid for, with what expired of it, and closes the card. Bonus value is `forfeited`.
#[utoipa::path(
    post,
    path = "/v1/cash-outs",
    tag = "value",
    operation_id = "cash_out",
    request_body = CashOutRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Json(body): Json<CashOutRequest>,
) -> Result<Response, Problem> {
    let envelope = Envelope {
        reference: body.reference.as_ref().map(|text| text.0.clone()),
        metadata: body.metadata.clone(),
        ..Envelope::default()
    };
    let vault = app.engine.vault();
    let payout = body.payout.as_ref().map(|it| it.to_domain(vault, &keyed.key)).transpose()?;
    let command = Command::CashOut(command::CashOut {
        card: body.card.find_by(app.engine.vault(), "/card")?,
        pin: body.pin.as_ref().map(TypedPin::attempt),
        payout,
    });
    submit(&app, &caller, keyed, &body, command, envelope).await
}
