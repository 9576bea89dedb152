//! A small client of our own HTTP API: HTTP/1.1 over one kept connection, JSON in and out, and the
//! patience that the API guide asks of callers: the same request with the same key until it is answered.

use std::{
    str::FromStr,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request is tried again before giving up.
const PATIENCE: Duration = Duration::from_secs(90);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// A server to call: `http://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    /// Host and port.
    authority: String,
}

impl ServerUrl {
    /// The server that answers there.
    pub(crate) fn at(address: std::net::SocketAddr) -> Self {
        Self { authority: address.to_string() }
    }
}

impl FromStr for ServerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("https://") {
            return Err(
                "speaks plain HTTP only: name the server behind the proxy, http://host:port".to_owned()
            );
        }
        let rest = text.strip_prefix("http://").ok_or("say http://host:port")?;
        let host = rest.strip_suffix('/').unwrap_or(rest);
        let uri: hyper::Uri = format!("http://{host}/").parse().map_err(|_| "say http://host:port")?;
        let authority = uri.authority().filter(|a| a.as_str() == host && !host.contains('@'));
        let authority = authority.ok_or("say http://host:port, without a path")?;
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self { authority: format!("{}:{port}", authority.host()) })
    }
}

impl std::fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    /// What went wrong, as problem+json says it.
    pub(crate) fn problem(&self) -> String {
        let text = |name: &str| self.body.get(name).and_then(Value::as_str).unwrap_or_default();
        let pointer = match text("pointer") {
            "" => String::new(),
            pointer => format!(" at {pointer}"),
        };
        format!("{} {}{pointer}: {}", self.status.as_u16(), text("code"), text("detail"))
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct CallError {
    /// Whether the request certainly did nothing.
    nothing_sent: bool,
    message: String,
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CallError {}

/// One caller with one connection.
pub(crate) struct ApiClient {
    server: ServerUrl,
    authorization: HeaderValue,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl ApiClient {
    /// A caller with this API key.
    pub(crate) fn new(server: &ServerUrl, key: &str) -> Result<Self, CallError> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {key}"))
            .map_err(|_| CallError { nothing_sent: true, message: "--key is no API key".to_owned() })?;
        authorization.set_sensitive(true);
        Ok(Self { server: server.clone(), authorization, connection: None })
    }

    /// Reads. Tried again until answered.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer, CallError> {
        self.call(Method::GET, path, None, &Bytes::new()).await
    }

    /// Does. With a key it is tried again until answered; without, only while it has certainly not been
    /// done.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> Result<Answer, CallError> {
        self.call(Method::POST, path, key, &Bytes::from(body.to_string())).await
    }

    async fn call(
        &mut self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: &Bytes,
    ) -> Result<Answer, CallError> {
        let repeatable = method == Method::GET || key.is_some();
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let tried = self.once(&method, path, key, body.clone()).await;
            let wait = match &tried {
                Ok((answer, after)) if is_for_later(answer.status, repeatable) => after.unwrap_or(pause),
                Err(error) if repeatable || error.nothing_sent => pause,
                _ => return tried.map(|(answer, _)| answer),
            };
            if started.elapsed() + wait > PATIENCE {
                return tried.map(|(answer, _)| answer);
            }
            tokio::time::sleep(wait.min(LONGEST_PAUSE)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn once(
        &mut self,
        method: &Method,
        path: &str,
        key: Option<&str>,
        body: Bytes,
    ) -> Result<(Answer, Option<Duration>), CallError> {
        let request = self.request(method, path, key, body)?;
        let mut connection = match self.connection.take() {
            Some(open) if !open.is_closed() => open,
            _ => self.connect().await?,
        };
        let exchange = exchange(&mut connection, request);
        let lost = |message| CallError { nothing_sent: false, message };
        let done = tokio::time::timeout(REQUEST_TIMEOUT, exchange).await;
        let answered = done.map_err(|_| lost(format!("{} gave no answer in time", self.server)))?;
        let answered =
            answered.map_err(|error| lost(format!("lost the connection to {}: {error}", self.server)))?;
        self.connection = Some(connection);
        Ok(answered)
    }

    fn request(
        &self,
        method: &Method,
        path: &str,
        key: Option<&str>,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, CallError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.server.authority)
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        request
            .body(Full::new(body))
            .map_err(|error| CallError { nothing_sent: true, message: format!("not a request: {error}") })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, CallError> {
        let refused = |error: &dyn std::fmt::Display| CallError {
            nothing_sent: true,
            message: format!("cannot reach {}: {error}", self.server),
        };
        let stream = TcpStream::connect(&self.server.authority).await.map_err(|e| refused(&e))?;
        stream.set_nodelay(true).map_err(|e| refused(&e))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|e| refused(&e))?;
        // Ends when the sender is dropped or the server closes.
        tokio::spawn(connection);
        Ok(sender)
    }
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

async fn exchange(
    connection: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<(Answer, Option<Duration>), Failed> {
    connection.ready().await?;
    let answer = connection.send_request(request).await?;
    let status = answer.status();
    let seconds = answer.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok());
    let bytes = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await?.to_bytes();
    // Not all answers are JSON (an export is CSV); none that this client reads is anything else.
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok((Answer { status, body }, seconds.map(Duration::from_secs)))
}

/// Whether the API guide says to send the same again.
fn is_for_later(status: StatusCode, repeatable: bool) -> bool {
    let untouched = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
    untouched.contains(&status) || (repeatable && status.is_server_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let check = |text: &str, expect: &str| {
            assert_eq!(text.parse::<ServerUrl>().unwrap().to_string(), expect, "{text}");
        };
        check("http://127.0.0.1:8080", "http://127.0.0.1:8080");
        check("http://localhost:8080/", "http://localhost:8080");
        check("http://example.com", "http://example.com:80");
        check("http://[::1]:8080", "http://[::1]:8080");
        for bad in ["", "127.0.0.1:8080", "https://x", "http://", "http://a/b", "http://u@h:1", "http://a b"]
        {
            assert!(bad.parse::<ServerUrl>().is_err(), "{bad}");
        }
    }
}
