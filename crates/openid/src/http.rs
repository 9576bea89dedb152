//! Asking a provider over HTTP: over TLS with the roots that the system trusts, in bounded time, for an answer of
//! bounded size, following no redirect.

use std::{future::Future, io, pin::Pin, sync::OnceLock, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::Bytes,
    header::{ACCEPT, HeaderValue},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

use crate::{OpenIdError, address};

/// The largest answer. Key sets of large providers have some 20 KiB.
const LARGEST: usize = 256 * 1024;

/// Who asks.
pub(crate) struct Http {
    timeout: Duration,
    loopback_allowed: bool,
    client: OnceLock<Result<Asker, ()>>,
}

type Asker = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// What openidconnect is told of a failure.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Failed(#[from] pub(crate) OpenIdError);

impl Http {
    /// One that waits this long for an answer.
    pub(crate) fn new(timeout: Duration, loopback_allowed: bool) -> Self {
        Self { timeout, loopback_allowed, client: OnceLock::new() }
    }

    /// Reads the system's roots when they are first needed: most servers have no provider, and some no roots.
    fn client(&self) -> Result<&Asker, OpenIdError> {
        let made = self.client.get_or_init(|| asker(self.timeout).map_err(drop));
        made.as_ref().map_err(|()| {
            OpenIdError::Unreachable("this system has no root certificates; install them (ca-certificates)")
        })
    }

    /// The body of the answer at an address, which has to be 200.
    pub(crate) async fn get(&self, url: &str) -> Result<Vec<u8>, OpenIdError> {
        let request = Request::get(url)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .body(Vec::new())
            .map_err(|_| OpenIdError::Refused("an address in its description is none"))?;
        let answer = self.ask(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(OpenIdError::Unreachable("it did not answer with 200"));
        }
        Ok(answer.into_body())
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, OpenIdError> {
        address::parse(&request.uri().to_string(), self.loopback_allowed)
            .map_err(|_| OpenIdError::Refused("an address in its description is not of https"))?;
        let asked = self.answer(request.map(|body| Full::new(Bytes::from(body))));
        let answer = tokio::time::timeout(self.timeout, asked).await;
        let answer = answer.map_err(|_| OpenIdError::Unreachable("it did not answer in time"))??;
        if answer.status().is_redirection() {
            return Err(OpenIdError::Refused("it answered with a redirect, which is not followed"));
        }
        Ok(answer)
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Response<Vec<u8>>, OpenIdError> {
        let answer = self.client()?.request(request).await;
        let answer = answer.map_err(|error| {
            OpenIdError::Unreachable(if error.is_connect() {
                "no connection"
            } else {
                "the connection broke"
            })
        })?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, LARGEST).collect().await;
        let body = body.map_err(|_| OpenIdError::Unreachable("its answer broke off or is too large"))?;
        Ok(Response::from_parts(parts, body.to_bytes().to_vec()))
    }
}

fn asker(timeout: Duration) -> io::Result<Asker> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(timeout / 2));
    let connector = HttpsConnectorBuilder::new()
        .with_native_roots()?
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector);
    Ok(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Failed>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { self.ask(request).await.map_err(Failed) })
    }
}
