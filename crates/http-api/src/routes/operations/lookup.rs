//! An operation by its key: for whoever lost the answer and wants to know, without asking for it again.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    extract::Json,
    routes::value::reversals::OriginalKey,
    state::AppState,
    wire::{operation::Operation, schema},
};

/// Which operation.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyLookupRequest {
    /// The Idempotency-Key that you sent.
    #[schema(value_type = schema::IdempotencyKey)]
    key: OriginalKey,
}

/// Look an operation up by its key
///
/// Your own only. `operation_unknown` means that it is not stored now; a request that is still on its way can
/// arrive later. To be sure that it never counts, reverse it by its key.
#[utoipa::path(
    post,
    path = "/v1/operations/lookup",
    tag = "operations",
    operation_id = "lookup_operation",
    request_body = KeyLookupRequest,
    responses((status = 200, description = "The operation.", body = Operation)),
)]
pub(crate) async fn lookup(
    State(app): State<AppState>,
    caller: Caller,
    Json(body): Json<KeyLookupRequest>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    let found = app.engine.store().operation_by_key(caller.0.id, body.key.key()).await?;
    let own = found.filter(|operation| operation.issuer == issuer && caller.sees(operation.merchant));
    let operation = own.ok_or_else(|| {
        Problem::new(Code::OperationUnknown, "nothing is stored under this key of yours; check the key")
            .at("/key")
    })?;
    json(StatusCode::OK, &Operation::record(&operation))
}
