//! Adjustment (调账): correcting a balance, with a reason.

use axum::{extract::State, response::Response};
use domain::{Command, Currency, IdempotencyKey, command};
use serde::{Deserialize, Serialize};
use storage::ApprovalSubject;
use utoipa::ToSchema;

use crate::{
    answer::{Envelope, decided},
    auth::Caller,
    error::Problem,
    extract::Json,
    idempotency::Keyed,
    routes::approvals::{ApprovalAccepted, execute::Order},
    second_person::{Done, about_card, done_or_asked},
    state::AppState,
    wire::{
        amount::Positive,
        card::CardName,
        metadata::Metadata,
        operation::Operation,
        schema,
        text::{Reason, Reference},
    },
};

/// A correction.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdjustmentRequest {
    /// The card.
    #[schema(value_type = schema::CardName)]
    pub card: CardName,
    /// Onto the card, or off it.
    #[schema(value_type = schema::Direction)]
    pub direction: Direction,
    /// How much, in minor units.
    #[schema(value_type = schema::Amount)]
    pub amount: Positive,
    /// The currency of the card's program, as a safeguard.
    #[schema(value_type = schema::Currency)]
    pub currency: Currency,
    /// Why.
    #[schema(value_type = schema::Reason)]
    pub reason: Reason,
    /// Your own reference.
    #[schema(value_type = Option<schema::Reference>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Your own data.
    #[schema(value_type = Option<schema::Metadata>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// Onto the card, or off it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    /// Onto.
    Credit,
    /// Off.
    Debit,
}

/// Adjust a balance
///
/// Corrects a balance against the suspense account.
#[utoipa::path(
    post,
    path = "/v1/adjustments",
    tag = "value",
    operation_id = "adjust",
    request_body = AdjustmentRequest,
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
    Json(body): Json<AdjustmentRequest>,
) -> Result<Response, Problem> {
    let subject = (ApprovalSubject::Adjustment, body.currency);
    // How much an adjustment counts against the limits of a user, whichever way it goes.
    let worth = |_: &domain::Card| body.amount.0;
    let asked = about_card(&app, &caller, &keyed, &body, &body.card, subject, worth).await?;
    let named = (keyed.key.clone(), keyed.canonical(&body)?);
    done_or_asked(&app, &caller, asked, run(&app, &caller, named, &body)).await
}

/// Does what a second person approved.
pub(crate) async fn perform(app: &AppState, order: Order, body: AdjustmentRequest) -> Result<Done, Problem> {
    run(app, &order.caller, (order.key, order.canonical), &body).await
}

async fn run(
    app: &AppState,
    caller: &Caller,
    key: (IdempotencyKey, Box<[u8]>),
    body: &AdjustmentRequest,
) -> Result<Done, Problem> {
    let envelope = Envelope {
        reference: body.reference.as_ref().map(|text| text.0.clone()),
        metadata: body.metadata.clone(),
        ..Envelope::default()
    };
    let command = Command::Adjust(command::Adjust {
        card: body.card.find_by(app.engine.vault(), "/card")?,
        direction: match body.direction {
            Direction::Credit => command::Direction::Credit,
            Direction::Debit => command::Direction::Debit,
        },
        amount: body.amount.0,
        currency: body.currency,
        reason: body.reason.0.clone(),
    });
    decided(app, caller, key, command, envelope).await.map(Done::Operation)
}
