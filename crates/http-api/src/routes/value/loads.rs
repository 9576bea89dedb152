//! Load (充值): more value onto an active card.

use axum::{extract::State, response::Response};
use domain::{
    Channel, Command, Currency, IdempotencyKey, MerchantId, StoreId, TerminalId, command, lot::LotSource,
};
use serde::{Deserialize, Serialize};
use storage::ApprovalSubject;
use utoipa::ToSchema;

use super::activations::Bonus;
use super::{envelope_of, place_of};
use crate::{
    answer::decided,
    auth::Caller,
    error::Problem,
    extract::Json,
    idempotency::Keyed,
    routes::approvals::{ApprovalAccepted, execute::Order},
    second_person::{Done, about_card, done_or_asked, together},
    state::AppState,
    wire::{
        amount::Positive, card::CardName, funding::Funding, metadata::Metadata, moment::Moment,
        operation::Operation, schema, text::Reference,
    },
};

/// More value.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoadRequest {
    /// The card.
    #[schema(value_type = schema::CardName)]
    pub card: CardName,
    /// How much, in minor units.
    #[schema(value_type = schema::Amount)]
    pub amount: Positive,
    /// The currency of the card's program, as a safeguard.
    #[schema(value_type = schema::Currency)]
    pub currency: Currency,
    /// Where the value comes from; `paid` if not given.
    #[schema(value_type = Option<schema::LotSource>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<LotSource>,
    /// When it expires before the card does.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// Promotional value on top, funded by the issuer.
    #[serde(
        default,
        deserialize_with = "crate::wire::object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub bonus: Option<Bonus>,
    /// How it is paid for. Needed as far as the program's policy pack asks for it.
    #[serde(
        default,
        deserialize_with = "crate::wire::object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub funding: Option<Funding>,
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

/// Load a card
///
/// Adds value to an active card.
#[utoipa::path(
    post,
    path = "/v1/loads",
    tag = "value",
    operation_id = "load",
    request_body = LoadRequest,
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
    Json(body): Json<LoadRequest>,
) -> Result<Response, Problem> {
    let subject = (ApprovalSubject::Load, body.currency);
    // How much a load counts against the limits of a user.
    let worth = |_: &domain::Card| {
        together([Some(body.amount.0), body.bonus.as_ref().map(|bonus| bonus.amount.0)].into_iter().flatten())
    };
    let asked = about_card(&app, &caller, &keyed, &body, &body.card, subject, worth).await?;
    let named = (keyed.key.clone(), keyed.canonical(&body)?);
    done_or_asked(&app, &caller, asked, run(&app, &caller, named, &body)).await
}

/// Does what a second person approved.
pub(crate) async fn perform(app: &AppState, order: Order, body: LoadRequest) -> Result<Done, Problem> {
    run(app, &order.caller, (order.key, order.canonical), &body).await
}

async fn run(
    app: &AppState,
    caller: &Caller,
    key: (IdempotencyKey, Box<[u8]>),
    body: &LoadRequest,
) -> Result<Done, Problem> {
    let vault = app.engine.vault();
    let funding = body.funding.as_ref().map(|it| it.to_domain(vault, &key.0)).transpose()?;
    let command = Command::Load(command::Load {
        card: body.card.find_by(app.engine.vault(), "/card")?,
        amount: body.amount.0,
        currency: body.currency,
        source: body.source.unwrap_or(LotSource::Paid),
        expires_at: body.expires_at.map(|at| at.0),
        bonus: body.bonus.as_ref().map(Bonus::to_domain),
        place: place_of!(body),
        funding,
    });
    decided(app, caller, key, command, envelope_of!(body)).await.map(Done::Operation)
}
