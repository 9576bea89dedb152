//! Refund without a redemption, under a scope of its own.

use axum::{extract::State, response::Response};
use domain::{Channel, Command, Currency, IdempotencyKey, MerchantId, StoreId, TerminalId, command};
use serde::{Deserialize, Serialize};
use storage::ApprovalSubject;
use utoipa::ToSchema;

use super::{envelope_of, place_of};
use crate::{
    answer::decided,
    auth::Caller,
    error::Problem,
    extract::Json,
    idempotency::Keyed,
    routes::approvals::{ApprovalAccepted, execute::Order},
    second_person::{Done, about_card, done_or_asked},
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
    responses(
        (status = 201, description = "The operation, approved or declined.", body = Operation),
        (
            status = 202, description = "Beyond the limits of the user who asks: a second person decides.",
            body = ApprovalAccepted
        ),
    ),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Json(body): Json<UnlinkedRefundRequest>,
) -> Result<Response, Problem> {
    let subject = (ApprovalSubject::UnlinkedRefund, body.currency);
    // How much a refund counts against the limits of a user.
    let worth = |_: &domain::Card| body.amount.0;
    let asked = about_card(&app, &caller, &keyed, &body, &body.card, subject, worth).await?;
    let named = (keyed.key.clone(), keyed.canonical(&body)?);
    done_or_asked(&app, &caller, asked, run(&app, &caller, named, &body)).await
}

/// Does what a second person approved.
pub(crate) async fn perform(
    app: &AppState,
    order: Order,
    body: UnlinkedRefundRequest,
) -> Result<Done, Problem> {
    run(app, &order.caller, (order.key, order.canonical), &body).await
}

async fn run(
    app: &AppState,
    caller: &Caller,
    key: (IdempotencyKey, Box<[u8]>),
    body: &UnlinkedRefundRequest,
) -> Result<Done, Problem> {
    let command = Command::UnlinkedRefund(command::UnlinkedRefund {
        card: body.card.find_by(app.engine.vault(), "/card")?,
        amount: body.amount.0,
        currency: body.currency,
        place: place_of!(body),
    });
    decided(app, caller, key, command, envelope_of!(body)).await.map(Done::Operation)
}
