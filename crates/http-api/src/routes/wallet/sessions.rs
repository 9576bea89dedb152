//! Signing in with a code, who is signed in, and signing out.

use std::fmt;

use axum::{
    extract::State,
    http::{StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use domain::{HolderId, IssuerId};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;
use wallet::{Phone, Signed, csrf_token};

use crate::{
    answer::{in_time, json},
    error::{Code, Problem},
    extract::Json,
    holder::{CurrentHolder, Stranger, clear_cookie, set_cookie},
    payment_codes::next_stroke,
    state::AppState,
    wire::{moment::Moment, schema},
};

/// A code that came to a phone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WalletSignInRequest {
    /// The issuer of the cards.
    #[schema(value_type = schema::IssuerId)]
    issuer: IssuerId,
    /// The phone.
    #[schema(value_type = schema::Phone)]
    phone: Phone,
    /// The code.
    #[schema(value_type = schema::SignInCode)]
    code: SignInCode,
}

/// Six digits that do not print.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct SignInCode(String);

impl TryFrom<String> for SignInCode {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let sound = text.len() == wallet::CODE_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        if sound { Ok(Self(text)) } else { Err("a sign-in code has six digits") }
    }
}

impl fmt::Debug for SignInCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInCode(…)")
    }
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub(crate) struct WalletSession {
    /// The holder.
    holder: HolderView,
    /// The issuer of the cards.
    issuer: WalletIssuer,
    /// What changes must carry in the header X-CSRF-Token.
    csrf_token: String,
    /// When the session ends without a request.
    #[schema(value_type = schema::Moment)]
    idle_until: Moment,
    /// When it ends at the latest.
    #[schema(value_type = schema::Moment)]
    expires_at: Moment,
    /// The server's time, which payment codes are made by.
    #[schema(value_type = schema::Moment)]
    server_time: Moment,
}

/// A holder, as far as a page needs to know.
#[derive(Serialize, ToSchema)]
#[schema(as = WalletHolder)]
struct HolderView {
    /// Its id.
    #[schema(value_type = schema::HolderId)]
    id: HolderId,
    /// The last four digits of the phone.
    #[schema(value_type = schema::Last4)]
    last4: String,
}

/// An issuer, as far as a page needs to know.
#[derive(Serialize, ToSchema)]
struct WalletIssuer {
    /// Its id.
    #[schema(value_type = schema::IssuerId)]
    id: IssuerId,
    /// Its name.
    name: String,
    /// Its time zone, by which days are counted.
    time_zone: String,
}

fn view(app: &AppState, signed: &Signed) -> WalletSession {
    let catalog = app.engine.catalog();
    let issuer = catalog.issuers.get(&signed.holder.issuer);
    WalletSession {
        holder: HolderView { id: signed.holder.id, last4: signed.holder.last4.clone() },
        issuer: WalletIssuer {
            id: signed.holder.issuer,
            name: issuer.map(|issuer| issuer.name.clone()).unwrap_or_default(),
            time_zone: issuer.map(|issuer| issuer.time_zone.clone()).unwrap_or_default(),
        },
        csrf_token: csrf_token(&signed.token),
        idle_until: Moment(signed.session.idle_until),
        expires_at: Moment(signed.session.expires_at),
        server_time: Moment(app.engine.now()),
    }
}

/// Sign in
///
/// With the code that came to the phone. Five attempts at each code, and failures are limited per minute.
#[utoipa::path(
    post,
    path = "/v1/wallet/sessions",
    tag = "wallet",
    operation_id = "sign_holder_in",
    request_body = WalletSignInRequest,
    responses((status = 201, description = "Signed in; the session is in a cookie.", body = WalletSession)),
)]
pub(crate) async fn create(
    State(app): State<AppState>,
    Stranger(from): Stranger,
    Json(body): Json<WalletSignInRequest>,
) -> Result<Response, Problem> {
    let started = Instant::now();
    let at = app.engine.now();
    let attempt = app.wallet_limits.attempt(from, at, app.nodes())?;
    let signed = in_time(&app, app.wallet.sign_in(body.issuer, &body.phone, &body.code.0)).await??;
    let Some(signed) = signed else {
        tokio::time::sleep_until(next_stroke(started)).await;
        return Err(Problem::new(
            Code::SignInFailed,
            "the code is wrong, has ended, was used or has no attempts left; ask for a new one",
        ));
    };
    app.wallet_limits.forgive(attempt, at);
    let mut response = json(StatusCode::CREATED, &view(&app, &signed))?;
    response.headers_mut().insert(SET_COOKIE, set_cookie(&signed.token));
    Ok(response)
}

/// Read who is signed in
///
/// With the token that changes must carry.
#[utoipa::path(
    get,
    path = "/v1/wallet/session",
    tag = "wallet",
    operation_id = "read_holder_session",
    responses((status = 200, description = "The session.", body = WalletSession)),
)]
pub(crate) async fn read(
    State(app): State<AppState>,
    CurrentHolder(signed): CurrentHolder,
) -> Result<Response, Problem> {
    json(StatusCode::OK, &view(&app, &signed))
}

/// Sign out
#[utoipa::path(
    delete,
    path = "/v1/wallet/session",
    tag = "wallet",
    operation_id = "sign_holder_out",
    responses((status = 204, description = "Signed out.")),
)]
pub(crate) async fn end(
    State(app): State<AppState>,
    CurrentHolder(signed): CurrentHolder,
) -> Result<Response, Problem> {
    app.wallet.sign_out(&signed).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(SET_COOKIE, clear_cookie());
    Ok(response)
}
