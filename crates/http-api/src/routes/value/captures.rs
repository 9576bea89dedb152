//! Capture (预授权完成): taking what a hold set aside.

use axum::{extract::State, response::Response};
use domain::{Command, Currency, HoldId, command};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    answer::{Envelope, submit},
    auth::Caller,
    error::Problem,
    extract::{Json, Named},
    idempotency::Keyed,
    state::AppState,
    wire::{amount::Positive, metadata::Metadata, operation::Operation, schema, text::Reference},
};

/// What to take.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaptureRequest {
    /// How much, in minor units; all that is left of the hold if not given.
    #[schema(value_type = Option<schema::Amount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Positive>,
    /// The currency, as a safeguard.
    #[schema(value_type = Option<schema::Currency>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Whether the rest of the hold is given back; `true` if not given.
    #[serde(rename = "final", default = "yes")]
    pub is_final: bool,
    /// Your own reference.
    #[schema(value_type = Option<schema::Reference>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Your own data.
    #[schema(value_type = Option<schema::Metadata>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

const fn yes() -> bool {
    true
}

/// Capture a hold
///
/// Takes up to what the hold set aside.
#[utoipa::path(
    post,
    path = "/v1/holds/{id}/captures",
    tag = "value",
    operation_id = "capture",
    params(("id" = schema::HoldId, Path, description = "The hold.")),
    request_body = CaptureRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Named(id): Named<HoldId>,
    Json(body): Json<CaptureRequest>,
) -> Result<Response, Problem> {
    let envelope = Envelope {
        reference: body.reference.as_ref().map(|text| text.0.clone()),
        metadata: body.metadata.clone(),
        ..Envelope::card_at("")
    };
    let command = Command::Capture(command::Capture {
        hold: id,
        amount: body.amount.map(|amount| amount.0),
        currency: body.currency,
        is_final: body.is_final,
    });
    submit(&app, &caller, keyed, &body, command, envelope).await
}
