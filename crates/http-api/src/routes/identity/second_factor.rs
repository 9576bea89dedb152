//! The second step of signing in: a one-time password, a recovery code in its place, or a passkey.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use storage::SessionStage;
use utoipa::ToSchema;

use super::{
    Code, SignInView,
    passkey_wire::{AssertionBody, passkey_problem},
    signed,
};
use crate::{
    error::{Code as ProblemCode, Problem},
    extract::Json,
    session::{Current, Sender},
    state::AppState,
    wire::{card::given, schema},
};

/// One of the three.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecondFactorRequest)]
pub(crate) struct Request {
    /// What the authenticator shows.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::OneTimePassword>, nullable = false)]
    totp: Option<Code<6, 6>>,
    /// A recovery code. Each is good once.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<schema::RecoveryCode>, nullable = false)]
    recovery_code: Option<Code<12, 20>>,
    /// What a passkey answers to the challenge of POST /v1/sessions/second-factor/challenges.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    passkey: Option<AssertionBody>,
}

/// Give the second factor
///
/// Completes the session, under a new cookie. A one-time password is good once, also within its thirty seconds.
#[utoipa::path(
    post,
    path = "/v1/sessions/second-factor",
    tag = "identity",
    operation_id = "give_second_factor",
    request_body = Request,
    responses((status = 200, description = "Signed in.", body = SignInView)),
)]
pub(crate) async fn give(
    State(app): State<AppState>,
    current: Current,
    Sender(origin): Sender,
    Json(body): Json<Request>,
) -> Result<Response, Problem> {
    let signed_in = &current.signed_in;
    if signed_in.session.stage != SessionStage::SecondFactor {
        let detail = "this session does not wait for a second factor";
        return Err(Problem::new(ProblemCode::SecondFactorState, detail));
    }
    match (&body.totp, &body.recovery_code, &body.passkey) {
        (Some(code), None, None) => app.identity.prove_totp(signed_in, &code.0).await?,
        (None, Some(code), None) => app.identity.prove_recovery_code(signed_in, &code.0).await?,
        (None, None, Some(passkey)) => {
            let proved = app.passkeys.prove_second(signed_in, &passkey.assertion(), &origin).await;
            proved.map_err(|error| passkey_problem(error, ProblemCode::SecondFactorWrong))?;
        }
        _ => {
            let detail = "give one of totp, recovery_code and passkey";
            return Err(Problem::new(ProblemCode::SecondFactorState, detail));
        }
    }
    signed(StatusCode::OK, &app.identity.complete(signed_in).await?)
}
