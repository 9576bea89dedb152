//! Signing in with a password.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use identity::IdentityError;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{SignInView, TypedPassword, signed};
use crate::{
    error::Problem,
    extract::Json,
    session::{Sender, check_not_foreign},
    state::AppState,
    trail::Behind,
    wire::{schema, text::Name},
};

/// A name and a password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignInRequest)]
pub(crate) struct Request {
    /// The login.
    #[schema(value_type = schema::Login)]
    login: Name,
    /// The password.
    #[schema(value_type = schema::Password)]
    password: TypedPassword,
}

/// Sign in
///
/// Begins a session, in a cookie. A wrong password and an unknown login are answered alike, and after the same time.
/// After five tries a login is locked for half a minute, after each further one for twice as long, up to fifteen
/// minutes.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    tag = "identity",
    operation_id = "sign_in",
    request_body = Request,
    responses((status = 201, description = "The session has begun.", body = SignInView)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    headers: HeaderMap,
    Sender(origin): Sender,
    Json(body): Json<Request>,
) -> Result<Response, Problem> {
    check_not_foreign(&headers)?;
    match app.identity.sign_in(&body.login.0, &body.password.0, &origin).await {
        Ok(begun) => signed(StatusCode::CREATED, &begun),
        Err((error, user)) => {
            // Who is told to wait was counted before; his knocking would only fill the trail.
            let is_locked = matches!(error, IdentityError::Locked { .. });
            let mut response = Problem::from(error).into_response();
            if is_locked {
                return Ok(response);
            }
            let behind = Behind {
                issuer: user.as_ref().and_then(|user| user.issuer),
                user: user.as_ref().map(|user| user.id),
                session: None,
            };
            response.extensions_mut().insert(behind);
            Ok(response)
        }
    }
}
