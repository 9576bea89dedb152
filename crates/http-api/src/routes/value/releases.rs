//! Release (解冻): giving a hold up.

use axum::{extract::State, response::Response};
use domain::{Command, HoldId, command};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    answer::{Envelope, submit},
    auth::Caller,
    error::Problem,
    extract::{Json, Named},
    idempotency::Keyed,
    state::AppState,
    wire::{metadata::Metadata, operation::Operation, schema, text::Reference},
};

/// Nothing but your own data.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseRequest {
    /// Your own reference.
    #[schema(value_type = Option<schema::Reference>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Your own data.
    #[schema(value_type = Option<schema::Metadata>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// Release a hold
///
/// Gives back what the hold still sets aside.
#[utoipa::path(
    post,
    path = "/v1/holds/{id}/releases",
    tag = "value",
    operation_id = "release",
    params(("id" = schema::HoldId, Path, description = "The hold.")),
    request_body = ReleaseRequest,
    responses((status = 201, description = "The operation, approved or declined.", body = Operation)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    caller: Caller,
    keyed: Keyed,
    Named(id): Named<HoldId>,
    Json(body): Json<ReleaseRequest>,
) -> Result<Response, Problem> {
    let envelope = Envelope {
        reference: body.reference.as_ref().map(|text| text.0.clone()),
        metadata: body.metadata.clone(),
        ..Envelope::card_at("")
    };
    let command = Command::Release(command::Release { hold: id, expired: false });
    submit(&app, &caller, keyed, &body, command, envelope).await
}
