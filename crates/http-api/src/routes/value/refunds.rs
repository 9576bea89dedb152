//! Refund (退款): giving value of a redemption back.

use axum::{extract::State, response::Response};
use domain::{Command, Currency, OperationId, command};
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

/// What to give back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundRequest {
    /// How much, in minor units; all that is left to refund if not given.
    #[schema(value_type = Option<schema::Amount>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Positive>,
    /// The currency, as a safeguard.
    #[schema(value_type = Option<schema::Currency>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Your own reference.
    #[schema(value_type = Option<schema::Reference>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Your own data.
    #[schema(value_type = Option<schema::Metadata>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// Refund a redemption
///
/// Gives value of a redemption or capture back to the lots it came from. `destination` tells where it went.
#[utoipa::path(
    post,
    path = "/v1/redemptions/{id}/refunds",
    tag = "value",
    operation_id = "refund",
    params(("id" = schema::OperationId, Path, description = "The redemption or capture.")),
    request_body = RefundRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Named(id): Named<OperationId>,
    Json(body): Json<RefundRequest>,
) -> Result<Response, Problem> {
    let envelope = Envelope {
        reference: body.reference.as_ref().map(|text| text.0.clone()),
        metadata: body.metadata.clone(),
        ..Envelope::card_at("")
    };
    let command = Command::Refund(command::Refund {
        original: id,
        amount: body.amount.map(|amount| amount.0),
        currency: body.currency,
    });
    submit(&app, &caller, keyed, &body, command, envelope).await
}
