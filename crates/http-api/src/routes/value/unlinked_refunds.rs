//! Refund without a redemption, under a scope of its own.

use axum::{extract::State, response::Response};
use domain::{Channel, Command, Currency, MerchantId, StoreId, TerminalId, command};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{envelope_of, place_of};
use crate::{
    answer::submit,
    auth::Caller,
    error::Problem,
    extract::Json,
    idempotency::Keyed,
    state::AppState,
    wire::{
        amount::Positive, card::CardName, metadata::Metadata, operation::Operation, schema, text::Reference,
    },
};

/// Value to give back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnlinkedRefundRequest {
    /// The card.
    #[schema(value_type = schema::CardName)]
    pub card: CardName,
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

/// Refund without a redemption
///
/// Gives value back where the redemption is not known.
#[utoipa::path(
    post,
    path = "/v1/refunds",
    tag = "value",
    operation_id = "refund_unlinked",
    request_body = UnlinkedRefundRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Json(body): Json<UnlinkedRefundRequest>,
) -> Result<Response, Problem> {
    let command = Command::UnlinkedRefund(command::UnlinkedRefund {
        card: body.card.find_by(app.engine.vault(), "/card")?,
        amount: body.amount.0,
        currency: body.currency,
        place: place_of!(body),
    });
    submit(&app, &caller, keyed, &body, command, envelope_of!(body)).await
}
