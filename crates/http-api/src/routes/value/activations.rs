//! Activation (激活): a stocked card is sold and gets its first value.

use axum::{extract::State, response::Response};
use domain::{Amount, Channel, Command, Currency, IdempotencyKey, MerchantId, StoreId, TerminalId, command};
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
    second_person::{Done, about_card, done_or_asked, together},
    state::AppState,
    wire::{
        amount::{AnyAmount, Positive},
        card::CardName,
        funding::Funding,
        metadata::Metadata,
        moment::Moment,
        operation::Operation,
        schema,
        text::Reference,
    },
};

/// The sale of a card.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivationRequest {
    /// The card.
    #[schema(value_type = schema::CardName)]
    pub card: CardName,
    /// What it is sold for, in minor units; the face value it was made with if not given.
    #[schema(value_type = Option<schema::AnyAmount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<AnyAmount>,
    /// The currency of the card's program, as a safeguard.
    #[schema(value_type = schema::Currency)]
    pub currency: Currency,
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

/// Promotional value.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bonus {
    /// How much, in minor units.
    #[schema(value_type = schema::Amount)]
    pub amount: Positive,
    /// When it expires before the card does.
    #[schema(value_type = Option<schema::Moment>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
}

impl Bonus {
    /// For the domain.
    pub(crate) fn to_domain(&self) -> command::Bonus {
        command::Bonus { amount: self.amount.0, expires_at: self.expires_at.map(|at| at.0) }
    }
}

/// Activate a card
///
/// Turns a stocked card into an active one and books its first value.
#[utoipa::path(
    post,
    path = "/v1/activations",
    tag = "value",
    operation_id = "activate",
    request_body = ActivationRequest,
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
    Json(body): Json<ActivationRequest>,
) -> Result<Response, Problem> {
    let subject = (ApprovalSubject::Activation, body.currency);
    // How much an activation counts against the limits of a user: what the card is worth afterwards.
    let worth = |card: &domain::Card| {
        let amount = body.amount.map(|amount| amount.0).or(card.face_value).unwrap_or(Amount::ZERO);
        together([Some(amount), body.bonus.as_ref().map(|bonus| bonus.amount.0)].into_iter().flatten())
    };
    let asked = about_card(&app, &caller, &keyed, &body, &body.card, subject, worth).await?;
    let named = (keyed.key.clone(), keyed.canonical(&body)?);
    done_or_asked(&app, &caller, asked, run(&app, &caller, named, &body)).await
}

/// Does what a second person approved.
pub(crate) async fn perform(app: &AppState, order: Order, body: ActivationRequest) -> Result<Done, Problem> {
    run(app, &order.caller, (order.key, order.canonical), &body).await
}

async fn run(
    app: &AppState,
    caller: &Caller,
    key: (IdempotencyKey, Box<[u8]>),
    body: &ActivationRequest,
) -> Result<Done, Problem> {
    let vault = app.engine.vault();
    let funding = body.funding.as_ref().map(|it| it.to_domain(vault, &key.0)).transpose()?;
    let command = Command::Activate(command::Activate {
        card: body.card.find_by(app.engine.vault(), "/card")?,
        amount: body.amount.map(|amount| amount.0),
        currency: body.currency,
        bonus: body.bonus.as_ref().map(Bonus::to_domain),
        place: place_of!(body),
        funding,
    });
    decided(app, caller, key, command, envelope_of!(body)).await.map(Done::Operation)
}
