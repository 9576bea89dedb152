//! One's own password.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{TypedPassword, nothing};
use crate::{error::Problem, extract::Json, session::Current, state::AppState, wire::schema};

/// The old and the new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordRequest)]
pub(crate) struct Request {
    /// The current password.
    #[schema(value_type = schema::Password)]
    current: TypedPassword,
    /// The new one: at least 12 characters, and not what everybody tries first.
    #[schema(value_type = schema::Password)]
    new: TypedPassword,
}

/// Change one's password
///
/// All other sessions of the user end.
#[utoipa::path(
    post,
    path = "/v1/me/password",
    tag = "identity",
    operation_id = "change_password",
    request_body = Request,
    responses((status = 204, description = "It is changed.")),
)]
pub(crate) async fn change(
    State(app): State<AppState>,
    current: Current,
    Json(body): Json<Request>,
) -> Result<Response, Problem> {
    app.identity.change_password(&current.signed_in, &body.current.0, &body.new.0).await?;
    Ok(nothing())
}
