//! A new API key for a client. The old one ends at once.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{ClientId, catalog::Client};
use serde::Deserialize;
use storage::CatalogEntry;
use utoipa::ToSchema;

use super::{
    Version,
    clients::{ClientWithSecret, check_outranks, new_secret, own},
};
use crate::{
    answer::json,
    auth::Caller,
    error::Problem,
    extract::{Json, Named},
    state::AppState,
    wire::schema,
};

/// The client's version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateRequest {
    /// The version that the change is based on.
    #[schema(value_type = schema::Version)]
    version: Version,
}

/// Give a client a new API key
///
/// Shows it this once. The old key ends at once.
#[utoipa::path(
    post,
    path = "/v1/clients/{id}/rotate-secret",
    tag = "catalog",
    operation_id = "rotate_client_secret",
    params(("id" = schema::ClientId, Path, description = "The client.")),
    request_body = RotateRequest,
    responses((status = 200, description = "The client with its new API key.", body = ClientWithSecret)),
)]
pub(crate) async fn rotate(
    State(app): State<AppState>,
    caller: Caller,
    Named(id): Named<ClientId>,
    Json(body): Json<RotateRequest>,
) -> Result<Response, Problem> {
    let now = own(&app, &caller, id)?;
    check_outranks(&caller, &now)?;
    let secret = new_secret(id)?;
    let mut client = Client::clone(&now);
    client.version = body.version.next(now.version)?;
    client.secret_hash = secret.hash();
    app.engine.put_catalog(CatalogEntry::Client(client.clone())).await?;
    tracing::info!(client = %id, by = %caller.0.id, "a client has a new API key");
    json(StatusCode::OK, &ClientWithSecret::new(&client, &secret))
}
