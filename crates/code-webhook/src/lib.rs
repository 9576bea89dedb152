//! A gateway for sign-in codes that is reached over HTTP: one POST for each attempt, with a JSON body and a signature over
//! it. What is behind the address (a company's own SMS service, or a small adapter to a provider's) is not our business.
//! `docs/wallet.md` describes the format for those who write it.
//!
//! Invariant: neither numbers nor codes nor the secret are in errors, Debug output, or the address.

use std::{fmt, net::IpAddr, time::Duration};

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use hyper::{
    Request, StatusCode, Uri,
    body::Bytes,
    header::{CONTENT_TYPE, USER_AGENT},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::json;
use sha2::Sha256;
use wallet::{Delivery, Gateway, Undelivered};
use zeroize::Zeroizing;

/// How long a gateway may take.
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The shortest secret: 128 bits, if it is random.
const SHORTEST_SECRET: usize = 16;
const LONGEST_SECRET: usize = 1024;
/// Calling codes of places where a message in Chinese is understood.
const CHINESE: [&str; 4] = ["+86", "+852", "+853", "+886"];

/// Why there is no such gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The address is none.
    #[error("the address of the gateway is no address: say https://host/path")]
    Address,
    /// It would send codes in plain.
    #[error(
        "codes are sent over https only; http is for an adapter on this machine (127.0.0.1, [::1], localhost)"
    )]
    Insecure,
    /// The secret is too short or too long.
    #[error(
        "the gateway's secret has {SHORTEST_SECRET} to {LONGEST_SECRET} characters: openssl rand -hex 32 makes one"
    )]
    Secret,
    /// There are no roots to trust.
    #[error("this system has no root certificates to know the gateway by; install them (ca-certificates)")]
    Roots,
}

enum Asker {
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
    Plain(Client<HttpConnector, Full<Bytes>>),
}

/// The gateway at an address.
pub struct Webhook {
    address: Uri,
    secret: Zeroizing<Vec<u8>>,
    asker: Asker,
    timeout: Duration,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("host", &self.address.host()).finish_non_exhaustive()
    }
}

impl Webhook {
    /// The gateway at this address, which knows what comes from us by this secret.
    pub fn new(address: &str, secret: &str) -> Result<Self, WebhookError> {
        let address = parse(address)?;
        let secret = secret.trim();
        if !(SHORTEST_SECRET..=LONGEST_SECRET).contains(&secret.len()) {
            return Err(WebhookError::Secret);
        }
        let secret = Zeroizing::new(secret.as_bytes().to_vec());
        let asker = asker(&address)?;
        Ok(Self { address, secret, asker, timeout: TIMEOUT })
    }

    fn request(&self, delivery: &Delivery) -> Result<Request<Full<Bytes>>, Undelivered> {
        let body = body(delivery).to_string();
        let seconds = delivery.at.millis() / 1000;
        let signature = signature(&self.secret, seconds, body.as_bytes());
        Request::post(self.address.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("Hexiao/", env!("CARGO_PKG_VERSION")))
            .header("idempotency-key", &delivery.id)
            .header("hexiao-signature", format!("t={seconds},v1={signature}"))
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| undelivered("the request could not be made", false))
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> Result<StatusCode, Undelivered> {
        let answer = match &self.asker {
            Asker::Tls(client) => client.request(request).await,
            Asker::Plain(client) => client.request(request).await,
        };
        // The text of the error may quote what was sent.
        let answer = answer.map_err(|error| {
            let reason =
                if error.is_connect() { "no connection to the gateway" } else { "the connection broke" };
            undelivered(reason, true)
        })?;
        Ok(answer.status())
    }
}

#[async_trait]
impl Gateway for Webhook {
    async fn deliver(&self, delivery: &Delivery) -> Result<(), Undelivered> {
        let request = self.request(delivery)?;
        let status = tokio::time::timeout(self.timeout, self.ask(request)).await;
        let status = status.map_err(|_| undelivered("the gateway did not answer in time", true))??;
        if status.is_success() {
            return Ok(());
        }
        Err(undelivered(&format!("the gateway answered {}", status.as_u16()), is_for_later(status)))
    }
}

fn undelivered(reason: &str, again: bool) -> Undelivered {
    Undelivered { reason: reason.to_owned(), again }
}

/// Whether the same message can go through a little later.
fn is_for_later(status: StatusCode) -> bool {
    let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    status.is_server_error() || later.contains(&status)
}

fn body(delivery: &Delivery) -> serde_json::Value {
    let phone = delivery.phone.expose();
    let language = if CHINESE.iter().any(|code| phone.starts_with(code)) { "zh-CN" } else { "en" };
    json!({
        "id": delivery.id,
        "phone": phone,
        "code": *delivery.code,
        "template": "sign_in",
        "language": language,
        "issuer": { "id": delivery.issuer.to_string(), "name": delivery.issuer_name },
        "expires_at": delivery.expires_at.to_string(),
        "attempt": delivery.attempt,
    })
}

/// Over the moment and the body, so that neither can be exchanged and an old request cannot be sent again.
fn signature(secret: &[u8], seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    mac.finalize().into_bytes().iter().fold(String::with_capacity(64), |mut text, byte| {
        use fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn parse(text: &str) -> Result<Uri, WebhookError> {
    let address: Uri = text.parse().map_err(|_| WebhookError::Address)?;
    let authority = address.authority().ok_or(WebhookError::Address)?;
    if authority.as_str().contains('@') || authority.host().is_empty() {
        return Err(WebhookError::Address);
    }
    match address.scheme_str() {
        Some("https") => Ok(address),
        Some("http") if is_loopback(authority.host()) => Ok(address),
        Some("http") => Err(WebhookError::Insecure),
        _ => Err(WebhookError::Address),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn asker(address: &Uri) -> Result<Asker, WebhookError> {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    if address.scheme_str() == Some("http") {
        return Ok(Asker::Plain(Client::builder(TokioExecutor::new()).build(connector)));
    }
    connector.enforce_http(false);
    let roots = HttpsConnectorBuilder::new().with_native_roots().map_err(|_| WebhookError::Roots)?;
    let connector = roots.https_only().enable_http1().wrap_connector(connector);
    Ok(Asker::Tls(Client::builder(TokioExecutor::new()).build(connector)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_leave_this_machine_over_tls_only() {
        for (text, expect) in [
            ("http://127.0.0.1:9000/sms", None),
            ("http://[::1]:9000/sms", None),
            ("http://localhost/sms", None),
            ("http://10.0.0.7/sms", Some(WebhookError::Insecure)),
            ("http://127.0.0.1.example.com/", Some(WebhookError::Insecure)),
            ("http://sms.example.com/", Some(WebhookError::Insecure)),
            ("https://user:pass@sms.example.com/", Some(WebhookError::Address)),
            ("ftp://localhost/", Some(WebhookError::Address)),
            ("/sms", Some(WebhookError::Address)),
            ("", Some(WebhookError::Address)),
        ] {
            let made = Webhook::new(text, "0123456789abcdef");
            assert_eq!(made.err(), expect, "{text}");
        }
        assert!(parse("https://sms.example.com/send").is_ok());
        assert_eq!(Webhook::new("http://localhost/", "short").err(), Some(WebhookError::Secret));
    }

    #[test]
    fn signatures_are_over_moment_and_body() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let known = signature(b"0123456789abcdef", 1_700_000_000, br#"{"a":1}"#);
        assert_eq!(known, "9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23");
        assert_ne!(signature(b"0123456789abcdef", 1_700_000_001, br#"{"a":1}"#), known);
        assert_ne!(signature(b"0123456789abcdeF", 1_700_000_000, br#"{"a":1}"#), known);
    }

    #[test]
    fn the_secret_does_not_print() {
        let hook = Webhook::new("http://localhost/sms?key=hidden", "0123456789abcdef").expect("a gateway");
        let text = format!("{hook:?}");
        assert!(!text.contains("0123456789abcdef") && !text.contains("hidden"), "{text}");
    }
}
