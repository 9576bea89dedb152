//! The people of the past at their desks: each signs in and calls the same routes as from a screen, with the same
//! permissions, limits, second persons and audit trail.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU32, Ordering},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{Method, Request, header},
};
use engine::Engine;
use http_api::{AppState, Options};
use identity::Policy;
use serde_json::{Value, json};
use tower::ServiceExt;
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};

/// The largest answer of a desk.
const LARGEST: usize = 16 << 20;

/// Where the issuer's people work.
pub(super) struct Office {
    router: Router,
    password: Zeroizing<String>,
    requests: AtomicU32,
}

impl Office {
    pub(super) fn open(engine: &Engine, password: Zeroizing<String>) -> Self {
        let sign_in = Policy { second_factor_required: false, ..Policy::default() };
        let options = Options { sign_in, demo: true, ..Options::default() };
        let router = http_api::router(AppState::new(engine.clone(), options));
        Self { router, password, requests: AtomicU32::new(0) }
    }

    /// Somebody signs in, from the computer with this number.
    pub(super) async fn sign_in(&self, login: &str, computer: u8) -> Result<Desk<'_>> {
        let mut desk =
            Desk { office: self, computer, cookie: Zeroizing::default(), csrf: Zeroizing::default() };
        let body = json!({"login": login, "password": self.password.as_str()});
        let (cookie, answer) = desk.try_in(&body).await?;
        desk.csrf = Zeroizing::new(answer["csrf_token"].as_str().unwrap_or_default().to_owned());
        desk.cookie = cookie;
        Ok(desk)
    }

    /// Somebody mistypes his password.
    pub(super) async fn mistype(&self, login: &str, computer: u8) {
        let desk = Desk { office: self, computer, cookie: Zeroizing::default(), csrf: Zeroizing::default() };
        // That it is refused is the point.
        drop(desk.try_in(&json!({"login": login, "password": "mistyped"})).await);
    }
}

/// One person's session.
pub(super) struct Desk<'a> {
    office: &'a Office,
    computer: u8,
    cookie: Zeroizing<String>,
    csrf: Zeroizing<String>,
}

impl Desk<'_> {
    async fn try_in(&self, body: &Value) -> Result<(Zeroizing<String>, Value)> {
        let request = self.request(&Method::POST, "/v1/sessions", "application/json");
        let response =
            self.office.router.clone().oneshot(request.body(Body::from(body.to_string()))?).await?;
        let cookie = response.headers().get(header::SET_COOKIE).and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|set| set.split(';').next()).unwrap_or_default().to_owned();
        let answer = read(response, "/v1/sessions").await?;
        Ok((Zeroizing::new(cookie), answer))
    }

    fn request(&self, method: &Method, path: &str, kind: &str) -> axum::http::request::Builder {
        let number = self.office.requests.fetch_add(1, Ordering::Relaxed);
        let peer = SocketAddr::from(([192, 168, 20, self.computer], 50_000));
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, kind)
            .header("idempotency-key", format!("office-{number}"))
            .extension(ConnectInfo(peer));
        if !self.cookie.is_empty() {
            request = request.header(header::COOKIE, self.cookie.as_str());
            request = request.header("x-csrf-token", self.csrf.as_str());
        }
        request
    }

    async fn send(&self, method: &Method, path: &str, kind: &str, body: Body) -> Result<Value> {
        let request = self.request(method, path, kind).body(body)?;
        read(self.office.router.clone().oneshot(request).await?, path).await
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        self.send(&Method::GET, path, "application/json", Body::empty()).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.send(&Method::POST, path, "application/json", Body::from(body.to_string())).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Result<Value> {
        self.send(&Method::PUT, path, "application/json", Body::from(body.to_string())).await
    }

    /// Sends a file.
    pub(super) async fn upload(&self, path: &str, file: String) -> Result<Value> {
        self.send(&Method::POST, path, "text/csv", Body::from(file)).await
    }

    /// Makes something and answers its id.
    pub(super) async fn make(&self, path: &str, body: Value) -> Result<String> {
        let made = self.post(path, body).await?;
        let id = made["id"].as_str().or_else(|| made["client"]["id"].as_str());
        Ok(id.ok_or_else(|| Failure::new(format!("{path} answered no id: {made}")))?.to_owned())
    }

    /// Goes home.
    pub(super) async fn sign_out(self) -> Result {
        self.send(&Method::DELETE, "/v1/sessions/current", "application/json", Body::empty()).await.map(drop)
    }
}

/// The body of an answer; what is no JSON, such as a file for the bank, is nothing to look at.
async fn read(response: axum::response::Response, path: &str) -> Result<Value> {
    let status = response.status();
    let bytes = to_bytes(response.into_body(), LARGEST).await?;
    if !status.is_success() {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        return Err(Failure::new(format!("{path} answered {status}: {text}")));
    }
    Ok(serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// The items of a list.
pub(super) fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list["items"].as_array().into_iter().flatten()
}

/// The ids of a list.
pub(super) fn ids(list: &Value) -> Vec<String> {
    items(list).filter_map(|item| item["id"].as_str()).map(str::to_owned).collect()
}
