//! Asking for a sign-in code.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::IssuerId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wallet::{CODE_LIMITS, CODE_SECONDS, Phone};

use crate::{
    answer::{in_time, json},
    error::Problem,
    extract::Json,
    holder::Stranger,
    state::AppState,
    wire::schema,
};

/// To whom a code is sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInCodeRequest {
    /// The issuer of the cards.
    #[schema(value_type = schema::IssuerId)]
    issuer: IssuerId,
    /// The phone.
    #[schema(value_type = schema::Phone)]
    phone: Phone,
}

/// What comes next.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignInCodeSent {
    /// How long the code is accepted.
    #[schema(minimum = 0)]
    expires_in_seconds: i64,
    /// When another one can be asked for.
    #[schema(minimum = 0)]
    again_in_seconds: i64,
}

/// Ask for a sign-in code
///
/// Sends six digits to the phone. The answer is the same whether or not the number is known, and whether or not it
/// has had enough: at most one code a minute unless that one was used, five an hour, ten a day.
#[utoipa::path(
    post,
    path = "/v1/wallet/codes",
    tag = "wallet",
    operation_id = "send_sign_in_code",
    request_body = SignInCodeRequest,
    responses((status = 202, description = "If a code was due, it is on its way.", body = SignInCodeSent)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    Stranger(from): Stranger,
    Json(body): Json<SignInCodeRequest>,
) -> Result<Response, Problem> {
    app.wallet_limits.send(from, app.engine.now(), app.nodes())?;
    in_time(&app, app.wallet.request_code(body.issuer, &body.phone)).await??;
    let sent =
        SignInCodeSent { expires_in_seconds: CODE_SECONDS, again_in_seconds: CODE_LIMITS.seconds_between };
    json(StatusCode::ACCEPTED, &sent)
}
