//! One's own one-time passwords.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use storage::SessionStage;
use utoipa::ToSchema;

use super::{Code, nothing};
use crate::{
    answer::json,
    error::{Code as ProblemCode, Problem},
    extract::Json,
    session::{self, Current},
    state::AppState,
    wire::schema,
};

/// What one's device needs, shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = TotpOffer)]
pub(crate) struct OfferView<'a> {
    /// The secret in Base32, to be typed.
    secret: &'a str,
    /// The same as an address, to be shown as a picture.
    otpauth_uri: &'a str,
}

/// Begin to set one-time passwords up
///
/// Gives a new secret. It counts once it is confirmed.
#[utoipa::path(
    post,
    path = "/v1/me/totp",
    tag = "identity",
    operation_id = "begin_totp",
    responses(
        (status = 200, description = "The secret.", body = OfferView),
        (status = 409, description = "They are set up already."),
    ),
)]
pub(crate) async fn begin(State(app): State<AppState>, current: Current) -> Result<Response, Problem> {
    check_stage(&current)?;
    let offer = app.identity.begin_totp(&current.signed_in.user).await?;
    json(StatusCode::OK, &OfferView { secret: &offer.secret, otpauth_uri: &offer.uri })
}

/// Who has a second factor gives it first.
fn check_stage(current: &Current) -> Result<(), Problem> {
    if current.signed_in.session.stage == SessionStage::SecondFactor {
        let detail = "give the second factor that you have first";
        return Err(Problem::new(ProblemCode::SecondFactorNeeded, detail));
    }
    Ok(())
}

/// What the device shows.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TotpConfirmation)]
pub(crate) struct Request {
    /// The one-time password.
    #[schema(value_type = schema::OneTimePassword)]
    code: Code<6, 6>,
}

/// Codes for when the device is lost, shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = RecoveryCodes)]
pub(crate) struct CodesView<'a> {
    /// Ten codes, each good once.
    recovery_codes: Vec<&'a str>,
}

/// Confirm one-time passwords
///
/// Shows that the device makes the right ones, and completes a session that waited for it, under a new cookie.
#[utoipa::path(
    post,
    path = "/v1/me/totp/confirm",
    tag = "identity",
    operation_id = "confirm_totp",
    request_body = Request,
    responses((status = 200, description = "Recovery codes.", body = CodesView)),
)]
pub(crate) async fn confirm(
    State(app): State<AppState>,
    current: Current,
    Json(body): Json<Request>,
) -> Result<Response, Problem> {
    check_stage(&current)?;
    let signed_in = &current.signed_in;
    let codes = app.identity.confirm_totp(&signed_in.user, &body.code.0).await?;
    let shown = codes.iter().map(|code| code.as_str()).collect();
    let mut response = json(StatusCode::OK, &CodesView { recovery_codes: shown })?;
    if signed_in.session.stage == SessionStage::Enrolment {
        let completed = app.identity.complete(signed_in).await?;
        session::give(&mut response, &completed.token);
    } else {
        app.identity.end_other_sessions(signed_in.user.id, signed_in.session.id).await?;
    }
    Ok(response)
}

/// Remove one-time passwords
///
/// Unless they are the last second factor where one is required. Other sessions of the user end.
#[utoipa::path(
    delete,
    path = "/v1/me/totp",
    tag = "identity",
    operation_id = "remove_totp",
    responses(
        (status = 204, description = "They are gone."),
        (status = 409, description = "They are the last second factor, and one is required."),
    ),
)]
pub(crate) async fn remove(State(app): State<AppState>, current: Current) -> Result<Response, Problem> {
    let signed_in = &current.signed_in;
    app.identity.remove_totp(&signed_in.user).await?;
    app.identity.end_other_sessions(signed_in.user.id, signed_in.session.id).await?;
    Ok(nothing())
}
