//! Serves the screens: whatever path has no route of its own is a file of the screens, or a page whose scripts show
//! what the path means.
//!
//! Invariant: below `/v1` nothing is a page: what is not a route there is a problem in JSON, as ever.

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
            STRICT_TRANSPORT_SECURITY, VARY,
        },
    },
    response::{IntoResponse, Response},
};
use console::{Entry, Found};
use vault::{OsRandomness, Randomness};

use crate::{
    address_limit::is_behind_tls,
    error::{Code, Problem},
    state::AppState,
};

/// What belongs to the interface and not to the screens.
const RESERVED: [&str; 6] = ["/v1", "/docs", "/openapi.json", "/metrics", "/healthz", "/readyz"];
/// Where files have a digest of their content in their names.
pub(crate) const FILES: &str = "/assets/";
/// A year: once a browser has seen this server over TLS, it does not go back.
const TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");
const NONCE_BYTES: usize = 16;

/// Answers what no route answers.
pub(crate) async fn answer(State(app): State<AppState>, request: Request) -> Response {
    let mut response = find(&app, &request);
    if is_behind_tls(&request, &app.options.trusted_proxies) {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, TRANSPORT_SECURITY);
    }
    response
}

fn find(app: &AppState, request: &Request) -> Response {
    let path = request.uri().path();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_read || is_reserved(path) {
        return unknown();
    }
    let accepted = text(request.headers(), &ACCEPT_ENCODING);
    if let Some(found) = app.options.screens.file(path, accepted) {
        return file(&found, request.headers());
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    // A file that is not there is not there: a page in its place would be run, or shown, as something else.
    if path.starts_with(FILES) || last.contains('.') || !wants_page(request.headers()) {
        return unknown();
    }
    page(app, Entry::of(path))
}

fn is_reserved(path: &str) -> bool {
    RESERVED.iter().any(|reserved| {
        path.strip_prefix(reserved).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A client that asks for JSON has mistyped a route, and is better told so.
fn wants_page(headers: &HeaderMap) -> bool {
    let accept = text(headers, &ACCEPT);
    accept.is_empty() || accept.contains("text/html") || accept.contains("*/*")
}

fn unknown() -> Response {
    Problem::new(Code::RouteUnknown, "there is no such route; see /docs").into_response()
}

fn page(app: &AppState, entry: Entry) -> Response {
    let nonce = nonce();
    let mut response = Response::new(Body::from(app.options.screens.page(entry, &nonce)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    add(response.headers_mut(), console::headers_of_page(entry, &nonce));
    response
}

/// Nobody can tell it beforehand, so nobody can write a style that carries it.
fn nonce() -> String {
    let mut bytes = [0; NONCE_BYTES];
    OsRandomness::new().fill(&mut bytes);
    bytes.iter().fold(String::with_capacity(2 * NONCE_BYTES), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        text
    })
}

fn file(found: &Found<'_>, asked: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    if asked.get_all(IF_NONE_MATCH).iter().any(|value| names(value, &found.tag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        // What was built in is not copied.
        let body = match found.body {
            std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            std::borrow::Cow::Owned(bytes) => Bytes::copy_from_slice(bytes),
        };
        *response.body_mut() = Body::from(body);
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(found.media_type));
    if let Some(encoding) = found.encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if found.varies {
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Ok(tag) = HeaderValue::from_str(&found.tag) {
        headers.insert(ETAG, tag);
    }
    add(headers, console::headers_of_file(found.is_immutable));
    response
}

/// Whether a value of If-None-Match names this tag; weakly, as for reading it must be.
fn names(value: &HeaderValue, tag: &str) -> bool {
    let Ok(value) = value.to_str() else { return false };
    value.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

fn add(headers: &mut HeaderMap, more: Vec<(&'static str, String)>) {
    for (name, value) in more {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
