//! An operation by id.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::OperationId;

use crate::{
    answer::json,
    auth::Caller,
    error::{Code, Problem},
    extract::Named,
    state::AppState,
    wire::{operation::Operation, schema},
};

/// Read an operation
///
/// As it was answered, with its client and key.
#[utoipa::path(
    get,
    path = "/v1/operations/{id}",
    tag = "operations",
    operation_id = "read_operation",
    params(("id" = schema::OperationId, Path, description = "The operation.")),
    responses((status = 200, description = "The operation.", body = Operation)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<OperationId>,
) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    let found = app.engine.store().operation(id).await?;
    let own = found.filter(|operation| operation.issuer == issuer && caller.sees(operation.merchant));
    let operation = own.ok_or_else(|| {
        Problem::new(Code::OperationUnknown, "no such operation for this client; check the id")
            .parameter("id")
    })?;
    json(StatusCode::OK, &Operation::record(&operation))
}
