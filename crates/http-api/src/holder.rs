//! Who is signed in at the wallet: the session in the cookie `__Host-hexiao-wallet`, and the proof that a change
//! comes from our own page.
//!
//! The cookie is HttpOnly, Secure and SameSite=Strict, so that no script reads it and no other site sends it. What
//! changes something also carries the header `X-CSRF-Token`, which only a page that was answered by us can know.

use std::net::IpAddr;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, Method, header::COOKIE, request::Parts},
};
use storage::Holder;
use wallet::{SESSION_HOURS, SessionToken, Signed, WalletError, csrf_token};

use crate::{
    address_limit::address_in,
    error::{Code, Problem},
    state::AppState,
};

/// The cookie. Its prefix has browsers refuse it without Secure, with a Domain, or for a part of the site.
const COOKIE_NAME: &str = "__Host-hexiao-wallet";
const CSRF_HEADER: &str = "x-csrf-token";
const FETCH_SITE: &str = "sec-fetch-site";
/// Longer than any token.
const MAX_TOKEN: usize = 64;

/// The holder who is signed in.
pub(crate) struct CurrentHolder(pub Signed);

impl CurrentHolder {
    /// The holder.
    pub(crate) fn holder(&self) -> &Holder {
        &self.0.holder
    }
}

impl FromRequestParts<AppState> for CurrentHolder {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        if !app.is_member() {
            let detail =
                "this node has lost touch with the database; send the same request again in a second";
            return Err(Problem::new(Code::Busy, detail));
        }
        let signed = match token(&parts.headers) {
            Some(token) => app.wallet.session(token).await?,
            None => None,
        };
        let Some(signed) = signed else {
            let from = address_in(parts, &app.options.trusted_proxies);
            if let Some(from) = from {
                app.addresses.failed(from, app.engine.now(), app.nodes())?;
            }
            return Err(Problem::new(Code::HolderSessionMissing, "the session has ended; sign in by phone"));
        };
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            same_page(&parts.headers, &signed.token)?;
            app.wallet_limits.change(signed.holder.id, app.engine.now(), app.nodes())?;
        }
        Ok(Self(signed))
    }
}

/// The secret of the session in the cookie. A browser sends one cookie of this name.
fn token(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = cookies.find(|(name, _)| *name == COOKIE_NAME)?;
    (!value.is_empty() && value.len() <= MAX_TOKEN).then_some(value)
}

/// Refuses what did not come from our own page.
fn same_page(headers: &HeaderMap, session: &SessionToken) -> Result<(), Problem> {
    same_site(headers)?;
    let sent = headers.get(CSRF_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
    let same = vault::same_hash(
        &vault::secret_hash(&String::from_utf8_lossy(sent)),
        &vault::secret_hash(&csrf_token(session)),
    );
    if same {
        return Ok(());
    }
    let detail = "send the header X-CSRF-Token with the csrf_token of GET /v1/wallet/session";
    Err(Problem::new(Code::CsrfToken, detail))
}

/// Refuses what a browser says another site sent.
pub(crate) fn same_site(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(FETCH_SITE) {
        Some(site) if site != "same-origin" && site != "none" => {
            Err(Problem::new(Code::CsrfToken, "this can only be sent from a page of this server"))
        }
        _ => Ok(()),
    }
}

/// The cookie that begins a session.
pub(crate) fn set_cookie(token: &SessionToken) -> HeaderValue {
    let seconds = SESSION_HOURS * 3_600;
    cookie(&format!("{COOKIE_NAME}={}; Max-Age={seconds}", token.expose()))
}

/// The cookie that ends one.
pub(crate) fn clear_cookie() -> HeaderValue {
    cookie(&format!("{COOKIE_NAME}=; Max-Age=0"))
}

fn cookie(start: &str) -> HeaderValue {
    let text = format!("{start}; Path=/; Secure; HttpOnly; SameSite=Strict");
    let value = HeaderValue::from_str(&text).map(|mut value| {
        value.set_sensitive(true);
        value
    });
    value.unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// From where a stranger's request comes, who sent it from no other site's page.
pub(crate) struct Stranger(pub Option<IpAddr>);

impl FromRequestParts<AppState> for Stranger {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        if !app.is_member() {
            let detail =
                "this node has lost touch with the database; send the same request again in a second";
            return Err(Problem::new(Code::Busy, detail));
        }
        same_site(&parts.headers)?;
        Ok(Self(address_in(parts, &app.options.trusted_proxies)))
    }
}

impl From<WalletError> for Problem {
    fn from(error: WalletError) -> Self {
        match error {
            WalletError::Storage(error) => error.into(),
            WalletError::Submit(error) => error.into(),
            error => {
                tracing::error!(%error, "the wallet failed");
                Self::new(Code::Internal, "the server met a fault of its own; tell the operator")
            }
        }
    }
}
