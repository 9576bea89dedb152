//! Binding a card to a member.

use axum::{extract::State, response::Response};
use domain::{
    CardId, Command,
    command::{BindMember, CardRef},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    answer::{Envelope, submit},
    auth::Caller,
    error::Problem,
    extract::{Json, Named},
    idempotency::Keyed,
    state::AppState,
    wire::{operation::Operation, schema, secret::TypedPin, text::Member},
};

/// To whom.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BindRequest {
    /// The member, in your own words.
    #[schema(value_type = schema::Member)]
    member: Member,
    /// The PIN of the card.
    #[schema(value_type = Option<schema::Pin>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pin: Option<TypedPin>,
}

/// Bind a card to a member
///
/// Takes the PIN wherever the program has a rule for PINs.
#[utoipa::path(
    post,
    path = "/v1/cards/{id}/bind",
    tag = "cards",
    operation_id = "bind_card",
    params(("id" = schema::CardId, Path, description = "The card.")),
    request_body = BindRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn bind(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Named(id): Named<CardId>,
    Json(body): Json<BindRequest>,
) -> Result<Response, Problem> {
    let command = Command::BindMember(BindMember {
        card: CardRef::Id(id),
        member: body.member.0.clone(),
        pin: body.pin.as_ref().map(TypedPin::attempt),
    });
    submit(&app, &caller, keyed, &body, command, Envelope::card_at("")).await
}
