//! Hold (预授权): setting value aside for a merchant.

use axum::{extract::State, response::Response};
use domain::{Channel, Command, Currency, MerchantId, StoreId, TerminalId, command, command::CardRef};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{envelope_of, place_of};
use crate::{
    answer::submit,
    auth::Caller,
    error::Problem,
    extract::Json,
    idempotency::Keyed,
    payment_codes::{after_code, card_of},
    state::AppState,
    wire::{
        amount::Positive, metadata::Metadata, operation::Operation, paying_card::PayingCard,
        rules::HoldSeconds, schema, secret::TypedPin, text::Reference,
    },
};

/// Value to set aside.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldRequest {
    /// The card.
    #[schema(value_type = schema::PayingCard)]
    pub card: PayingCard,
    /// How much, in minor units.
    #[schema(value_type = schema::Amount)]
    pub amount: Positive,
    /// The currency of the card's program, as a safeguard.
    #[schema(value_type = schema::Currency)]
    pub currency: Currency,
    /// The merchant; otherwise that of the store, the terminal or the client.
    #[schema(value_type = Option<schema::MerchantId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    /// The store.
    #[schema(value_type = Option<schema::StoreId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreId>,
    /// The terminal.
    #[schema(value_type = Option<schema::TerminalId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal: Option<TerminalId>,
    /// The sales channel; `store` in a store and `api` elsewhere if not given.
    #[schema(value_type = Option<schema::Channel>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Whether less may be approved than is asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// The PIN of the card, where its program asks for one.
    #[schema(value_type = Option<schema::Pin>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<TypedPin>,
    /// How long it lasts, in seconds; as the program says if not given.
    #[schema(value_type = Option<schema::HoldSeconds>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_seconds: Option<HoldSeconds>,
    /// Your own reference.
    #[schema(value_type = Option<schema::Reference>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Your own data.
    #[schema(value_type = Option<schema::Metadata>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// The terminal's own number of the transaction. Needs a terminal.
    #[schema(value_type = Option<schema::Trace>)]
    #[serde(default, deserialize_with = "super::trace", skip_serializing_if = "Option::is_none")]
    pub trace: Option<u32>,
}

impl HoldRequest {
    /// For the domain, with the card that it names.
    pub(crate) fn payment(&self, card: CardRef) -> command::Payment {
        command::Payment {
            card,
            amount: self.amount.0,
            currency: self.currency,
            place: place_of!(self),
            pin: self.pin.as_ref().map(TypedPin::attempt),
            partial: self.partial,
        }
    }
}

/// Hold
///
/// Sets value aside for a merchant and a limited time. Capture it under the id in `hold`.
#[utoipa::path(
    post,
    path = "/v1/holds",
    tag = "value",
    operation_id = "hold",
    request_body = HoldRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Json(body): Json<HoldRequest>,
) -> Result<Response, Problem> {
    let card = card_of(&app, &caller, &keyed.key, &body.card).await?;
    let command = Command::Hold(command::PlaceHold {
        payment: body.payment(card),
        seconds: body.expires_in_seconds.map(|seconds| seconds.0),
    });
    let answer = submit(&app, &caller, keyed, &body, command, envelope_of!(body)).await;
    answer.map_err(|problem| after_code(&body.card, problem))
}
