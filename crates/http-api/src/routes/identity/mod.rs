//! People: signing in, sessions, oneself, users, invitations, roles, the audit trail, saved views.

pub(crate) mod audit;
pub(crate) mod current;
pub(crate) mod invitations;
pub(crate) mod me;
pub(crate) mod openid;
pub(crate) mod passkey_proof;
pub(crate) mod passkey_wire;
pub(crate) mod passkeys;
pub(crate) mod providers;
pub(crate) mod roles;
pub(crate) mod second_factor;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod totp;
pub(crate) mod users;
pub(crate) mod views;

use axum::{
    body::Body,
    http::{StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use identity::{Signed, password::Password};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use storage::SessionStage;
use utoipa::ToSchema;

use crate::{answer::json, error::Problem, session, trail::Behind, wire::schema};

/// An answer without a body.
fn nothing() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().remove(CONTENT_TYPE);
    response
}

/// A password as typed. The JSON reader cannot quote it in a message.
struct TypedPassword(Password);

impl<'de> Deserialize<'de> for TypedPassword {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = HiddenText::deserialize(deserializer)?.0;
        let characters = text.chars().count();
        if !(1..=identity::password::MAX_CHARACTERS).contains(&characters) {
            return Err(D::Error::custom("a password has 1 to 128 characters"));
        }
        Ok(Self(Password::new(text)))
    }
}

impl std::fmt::Debug for TypedPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypedPassword(***)")
    }
}

/// A secret text of ASCII characters, of a length within bounds.
struct Code<const LEAST: usize, const MOST: usize>(zeroize::Zeroizing<String>);

impl<'de, const LEAST: usize, const MOST: usize> Deserialize<'de> for Code<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = zeroize::Zeroizing::new(HiddenText::deserialize(deserializer)?.0);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(LEAST..=MOST).contains(&text.len()) || !text.bytes().all(plain) {
            return Err(D::Error::custom(
                "this cannot be such a code: take it unchanged from where it was shown",
            ));
        }
        Ok(Self(text))
    }
}

impl<const LEAST: usize, const MOST: usize> std::fmt::Debug for Code<LEAST, MOST> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(***)")
    }
}

/// A text that messages about it do not quote.
struct HiddenText(String);

impl<'de> Deserialize<'de> for HiddenText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Hidden;
        impl serde::de::Visitor<'_> for Hidden {
            type Value = HiddenText;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<HiddenText, E> {
                Ok(HiddenText(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Hidden)
    }
}

/// What comes of a step of signing in.
#[derive(Serialize, ToSchema)]
#[schema(as = SignIn)]
pub(crate) struct SignInView {
    /// How far signing in is.
    #[schema(value_type = schema::SignInStatus)]
    status: &'static str,
    /// What the user can give as a second factor: `totp`, `recovery_code`, `passkey` …
    second_factors: Vec<&'static str>,
    /// What to send as X-CSRF-Token.
    csrf_token: String,
}

/// Answers with a session in its cookie.
fn signed(status: StatusCode, signed: &Signed) -> Result<Response, Problem> {
    let stage = match signed.session.stage {
        SessionStage::Complete => "complete",
        SessionStage::SecondFactor => "second_factor_needed",
        SessionStage::Enrolment => "second_factor_enrolment_needed",
    };
    let mut factors = signed.factors.clone();
    if let Some(place) = factors.iter().position(|factor| *factor == "totp") {
        factors.insert(place + 1, "recovery_code");
    }
    let view = SignInView { status: stage, second_factors: factors, csrf_token: signed.token.csrf() };
    let mut response = json(status, &view)?;
    session::give(&mut response, &signed.token);
    let (user, session) = (Some(signed.user.id), Some(signed.session.id));
    response.extensions_mut().insert(Behind { issuer: signed.user.issuer, user, session });
    Ok(response)
}
