//! Signing in with a passkey: instead of name, password and second factor, or as the second factor.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use identity::IdentityError;
use passkeys::PasskeyError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    SignInView,
    passkey_wire::{AssertionBody, ChallengeView, passkey_problem},
    passkeys::page_of,
    signed,
};
use crate::{
    answer::json,
    error::{Code, Problem},
    extract::Json,
    session::{Current, Sender, check_not_foreign},
    state::AppState,
    trail::Behind,
};

/// Where passkeys are good.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyOrigins)]
pub(crate) struct OriginsView {
    /// Origins of pages, such as `https://cards.example.com`, at most 8. The first is the main one.
    origins: Vec<String>,
}

/// List where passkeys are good
///
/// A page whose own origin is not among them offers none: browsers have no passkeys at bare addresses.
#[utoipa::path(
    get,
    path = "/v1/passkey-origins",
    tag = "identity",
    operation_id = "list_passkey_origins",
    responses((status = 200, description = "The origins.", body = OriginsView)),
)]
pub(crate) async fn origins(State(app): State<AppState>) -> Result<Response, Problem> {
    let origins = app.passkeys.origins().iter().map(ToString::to_string).collect();
    json(StatusCode::OK, &OriginsView { origins })
}

/// Begin to sign in with a passkey
///
/// Gives what to ask the browser for: any passkey that it has for this host, with its owner made sure of.
#[utoipa::path(
    post,
    path = "/v1/sessions/passkey-challenges",
    tag = "identity",
    operation_id = "begin_passkey_sign_in",
    responses(
        (status = 200, description = "What to ask for.", body = ChallengeView),
        (status = 409, description = "There are no passkeys at this address."),
    ),
)]
pub(crate) async fn begin_sign_in(
    State(app): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    check_not_foreign(&headers)?;
    let offer = app.passkeys.begin_sign_in(page_of(&headers));
    let offer = offer.map_err(|error| passkey_problem(error, Code::LoginFailed))?;
    json(StatusCode::OK, &ChallengeView::new(&offer))
}

/// What the browser answered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeySignInRequest)]
pub(crate) struct Request {
    /// What the passkey answered.
    credential: AssertionBody,
}

/// Sign in with a passkey
///
/// Begins a complete session, in a cookie, without a password. Whatever is wrong is answered alike. A passkey is
/// locked like a login: for half a minute after five tries, longer after further ones.
#[utoipa::path(
    post,
    path = "/v1/sessions/passkeys",
    tag = "identity",
    operation_id = "sign_in_with_passkey",
    request_body = Request,
    responses((status = 201, description = "The session has begun.", body = SignInView)),
)]
pub(crate) async fn sign_in(
    State(app): State<AppState>,
    headers: HeaderMap,
    Sender(origin): Sender,
    Json(body): Json<Request>,
) -> Result<Response, Problem> {
    check_not_foreign(&headers)?;
    match app.passkeys.sign_in(&body.credential.assertion(), &origin).await {
        Ok(begun) => signed(StatusCode::CREATED, &begun),
        Err((error, passkey)) => {
            // Who is told to wait was counted before; his knocking would only fill the trail.
            let is_locked = matches!(error, PasskeyError::Identity(IdentityError::Locked { .. }));
            let mut response = passkey_problem(error, Code::LoginFailed).into_response();
            if is_locked {
                return Ok(response);
            }
            let behind = Behind {
                issuer: passkey.as_ref().and_then(|passkey| passkey.issuer),
                user: passkey.as_ref().map(|passkey| passkey.user),
                ..Behind::default()
            };
            response.extensions_mut().insert(behind);
            Ok(response)
        }
    }
}

/// Begin to give a passkey as the second factor
///
/// Gives what to ask the browser for: one of the user's passkeys.
#[utoipa::path(
    post,
    path = "/v1/sessions/second-factor/challenges",
    tag = "identity",
    operation_id = "begin_passkey_proof",
    responses(
        (status = 200, description = "What to ask for.", body = ChallengeView),
        (status = 409, description = "The session waits for none, or the user has no passkey for this address."),
    ),
)]
pub(crate) async fn begin_second(
    State(app): State<AppState>,
    current: Current,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let offer = app.passkeys.begin_proof(&current.signed_in, page_of(&headers)).await;
    let offer = offer.map_err(|error| passkey_problem(error, Code::SecondFactorWrong))?;
    json(StatusCode::OK, &ChallengeView::new(&offer))
}
