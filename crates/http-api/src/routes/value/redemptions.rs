//! Redemption (核销): paying with a card. The hot path: one parse, one digest, one answer.

use axum::{extract::State, response::Response};
use domain::{Channel, Command, Currency, MerchantId, StoreId, TerminalId, command, command::CardRef};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{envelope_of, place_of};
use crate::{
    answer::submit,
    auth::Caller,
    error::{Code, Problem},
    extract::Json,
    idempotency::Keyed,
    payment_codes::{after_code, card_of},
    state::AppState,
    wire::{
        amount::Positive, metadata::Metadata, operation::Operation, paying_card::PayingCard, schema,
        secret::TypedPin, text::Reference,
    },
};

/// A payment with a card.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedemptionRequest {
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
    /// The key of an item of a batch. A request of its own has it in the header.
    #[schema(ignore)]
    #[serde(default, skip_serializing)]
    pub key: Option<String>,
}

impl RedemptionRequest {
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

/// Redeem
///
/// Pays with a card. Show `card.available`, and take `outstanding` by other means.
#[utoipa::path(
    post,
    path = "/v1/redemptions",
    tag = "value",
    operation_id = "redeem",
    request_body = RedemptionRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Json(body): Json<RedemptionRequest>,
) -> Result<Response, Problem> {
    if body.key.is_some() {
        let detail = "the key of a single redemption belongs into the header Idempotency-Key";
        return Err(Problem::new(Code::UnknownField, detail).at("/key"));
    }
    let card = card_of(&app, &caller, &keyed.key, &body.card).await?;
    let command = Command::Redeem(body.payment(card));
    let answer = submit(&app, &caller, keyed, &body, command, envelope_of!(body)).await;
    answer.map_err(|problem| after_code(&body.card, problem))
}
