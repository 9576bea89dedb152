//! Who calls by a session: the cookie of a browser, and what proves that one of our own pages sent it.
//!
//! A cookie is sent by the browser whatever page asks for it, so every request that changes something carries on
//! top the token that only our pages know, and comes from our own origin where the browser says where it comes
//! from. `SameSite=Strict` says the same a third time.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method,
        header::{COOKIE, HOST, ORIGIN, SET_COOKIE, USER_AGENT},
        request::Parts,
    },
    response::Response,
};
use identity::{Granter, IdentityError, Origin, Token};
use storage::SessionStage;

use crate::{
    access::Access,
    address_limit::address_of,
    auth::{Caller, SignedIn},
    error::{Code, Problem},
    state::{AppState, Inner},
    trail::Behind,
};

/// `__Host-`: only over TLS or from this machine, for this host alone, and for all of it.
const NAME: &str = "__Host-hexiao";
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Sent by a page with what it asks for by itself: that does not keep a session alive.
const BACKGROUND: HeaderName = HeaderName::from_static("x-background");

/// What a request carries of a session.
pub(crate) struct Carried {
    token: Token,
    csrf: Option<HeaderValue>,
    from_own_page: Option<bool>,
    changes: bool,
    is_use: bool,
}

/// Why a session lets nobody in.
pub(crate) struct Refused {
    pub(crate) problem: Problem,
    /// Whose session it is, where none of our own pages sent the request.
    pub(crate) misused: Option<Behind>,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self { problem, misused: None }
    }
}

impl Carried {
    /// The session of a request, if it carries one that can be one.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        let headers = request.headers();
        let token = cookie(headers).and_then(Token::parse)?;
        let asks_who = request.method() == Method::GET && request.uri().path() == "/v1/sessions/current";
        Some(Self {
            token,
            csrf: headers.get(CSRF).cloned(),
            from_own_page: from_own_page(headers),
            changes: changes(request.method()),
            is_use: !asks_who && !headers.contains_key(BACKGROUND),
        })
    }

    /// Who calls, if the session lives and one of our own pages sent the request.
    pub(crate) async fn caller(
        self,
        app: &Inner,
        access: Option<Access>,
    ) -> Result<(Caller, Current), Refused> {
        let signed_in = app.identity.resolve(&self.token, self.is_use).await.map_err(Problem::from)?;
        let complete = signed_in.session.stage == SessionStage::Complete;
        if self.changes
            && let Err(problem) = self.check_own_page(complete)
        {
            let (user, session) = (Some(signed_in.user.id), Some(signed_in.session.id));
            let misused = Some(Behind { issuer: signed_in.user.issuer, user, session });
            return Err(Refused { problem, misused });
        }
        if !complete && access != Some(Access::Begun) {
            let detail = "signing in is not finished: give the second factor, or set one up";
            return Err(Problem::new(Code::SecondFactorNeeded, detail).into());
        }
        let user = SignedIn {
            user: signed_in.user.id,
            session: signed_in.session.id,
            store: signed_in.user.store,
            limits: signed_in.limits,
        };
        let caller = Caller(Arc::clone(&signed_in.client), Some(Arc::new(user)));
        Ok((caller, Current { signed_in, token: self.token }))
    }

    /// While signing in no page has the token yet; there the browser's word for the origin will do.
    fn check_own_page(&self, complete: bool) -> Result<(), Problem> {
        if self.from_own_page == Some(false) {
            let detail = "another site sent this request; use the pages of this server";
            return Err(Problem::new(Code::CsrfToken, detail));
        }
        let proved = self.csrf.as_ref().is_some_and(|sent| self.token.accepts_csrf(sent.as_bytes()));
        if proved || (!complete && self.from_own_page == Some(true)) {
            return Ok(());
        }
        let detail = "send the header X-CSRF-Token with the csrf_token of GET /v1/sessions/current";
        Err(Problem::new(Code::CsrfToken, detail))
    }
}

/// Whether a method changes something.
pub(crate) fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, NAME)
}

/// The value of a cookie.
pub(crate) fn cookie_named<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// Where the browser says that the request comes from; None where it does not say.
fn from_own_page(headers: &HeaderMap) -> Option<bool> {
    if let Some(site) = headers.get(FETCH_SITE) {
        return Some(site == "same-origin");
    }
    let origin = headers.get(ORIGIN)?.to_str().ok()?;
    let host = headers.get(HOST)?.to_str().ok()?;
    Some(origin.split_once("://").is_some_and(|(_, from)| from == host))
}

/// Refuses a request that another site makes a browser send, where no session stands in for that yet.
pub(crate) fn check_not_foreign(headers: &HeaderMap) -> Result<(), Problem> {
    if from_own_page(headers) == Some(false) {
        return Err(Problem::new(
            Code::CsrfToken,
            "another site sent this request; use the pages of this server",
        ));
    }
    Ok(())
}

/// Gives a browser its session.
pub(crate) fn give(response: &mut Response, token: &Token) {
    let text = format!("{NAME}={}; Path=/; HttpOnly; Secure; SameSite=Strict", token.expose());
    if let Ok(mut value) = HeaderValue::from_str(&text) {
        value.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, value);
    }
}

/// Takes it away.
pub(crate) fn take(response: &mut Response) {
    let value =
        HeaderValue::from_static("__Host-hexiao=; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=0");
    response.headers_mut().append(SET_COOKIE, value);
}

/// The session in which a request came.
#[derive(Clone)]
pub(crate) struct Current {
    /// Whose it is, with all that his roles give him.
    pub(crate) signed_in: Arc<identity::SignedIn>,
    /// Its token.
    pub(crate) token: Token,
}

impl<S: Sync> FromRequestParts<S> for Current {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Problem::new(
                Code::SessionMissing,
                "this is for people who are signed in: POST /v1/sessions first",
            )
        })
    }
}

/// Where a request comes from, for sessions and the audit trail.
pub(crate) struct Sender(pub(crate) Origin);

impl FromRequestParts<AppState> for Sender {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut request = Request::new(axum::body::Body::empty());
        request.headers_mut().clone_from(&parts.headers);
        request.extensions_mut().clone_from(&parts.extensions);
        Ok(Self(Origin { address: address_of(&request, &app.options.trusted_proxies), agent }))
    }
}

/// As whom a caller gives rights to others.
pub(crate) fn granter(caller: &Caller) -> Granter {
    Granter {
        principal: caller.0.id,
        issuer: caller.0.issuer,
        merchant: caller.0.merchant,
        permissions: caller.0.scopes.clone(),
    }
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        use IdentityError as E;
        let code = match &error {
            E::LoginFailed => Code::LoginFailed,
            E::Locked { seconds } => {
                let detail = format!("too many tries; wait {seconds} seconds");
                return Self::new(Code::LoginLocked, detail).retry_after(*seconds);
            }
            E::CodeWrong => Code::SecondFactorWrong,
            E::SessionEnded => Code::SessionEnded,
            E::PasswordWeak(_) => Code::PasswordWeak,
            E::PasswordWrong => Code::PasswordWrong,
            E::LoginTaken | E::LoginInvalid(_) => Code::LoginRefused,
            E::CodeTaken => Code::RoleCodeTaken,
            E::UserUnknown => Code::UserUnknown,
            E::ProviderUnknown => Code::IdentityProviderUnknown,
            E::ProviderRefused(_) => Code::IdentityProviderRefused,
            E::RoleUnknown => Code::RoleUnknown,
            E::RoleBuiltIn => Code::RoleBuiltIn,
            E::BeyondOwn(_) => Code::NotPermitted,
            E::OwnRights => Code::OwnRights,
            E::InvitationEnded => Code::InvitationEnded,
            E::VersionConflict => return Self::new(Code::VersionConflict, error.to_string()).at("/version"),
            E::TotpInUse | E::TotpNotBegun | E::FactorRequired => Code::SecondFactorState,
            E::Full(_) | E::NameTaken => Code::NoRoom,
            E::Busy => Code::Busy,
            E::Internal(what) => {
                tracing::error!(what, "signing in is at fault");
                return Self::new(Code::Internal, "the server is at fault; ask the operator");
            }
            E::Storage(_) => {
                let E::Storage(error) = error else { return Self::new(Code::Internal, "the store failed") };
                return error.into();
            }
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let check = |lines: &[&'static str], expect: Option<&str>| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, HeaderValue::from_static(line));
            }
            assert_eq!(cookie(&headers), expect, "{lines:?}");
        };
        check(&[], None);
        check(&["a=b; __Host-hexiao=xyz; c=d"], Some("xyz"));
        check(&["a=b", "__Host-hexiao=xyz"], Some("xyz"));
        check(&["__Host-hexiao-wallet=xyz", "hexiao=a", "x__Host-hexiao=b"], None);
    }

    #[test]
    fn browsers_say_where_a_request_comes_from() {
        let check = |pairs: &[(&'static str, &'static str)], expect: Option<bool>| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            assert_eq!(from_own_page(&pairs.collect()), expect);
        };
        check(&[], None);
        check(&[("sec-fetch-site", "same-origin")], Some(true));
        check(&[("sec-fetch-site", "same-site")], Some(false));
        check(&[("sec-fetch-site", "cross-site"), ("origin", "http://a"), ("host", "a")], Some(false));
        check(&[("origin", "https://till.example:8443"), ("host", "till.example:8443")], Some(true));
        check(&[("origin", "https://evil.example"), ("host", "till.example")], Some(false));
        check(&[("origin", "null"), ("host", "till.example")], Some(false));
    }
}
