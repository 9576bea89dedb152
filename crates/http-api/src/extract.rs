//! Extractors: JSON bodies, ids in paths, queries. They answer what is wrong as a problem.

use std::str::FromStr;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, Path, Query as AxumQuery, Request},
    http::{HeaderMap, header::CONTENT_LENGTH, header::CONTENT_TYPE, request::Parts},
};
use serde::de::DeserializeOwned;

use crate::{
    error::{Code, Problem},
    input,
    state::AppState,
};

/// A JSON body.
pub(crate) struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Problem> {
        let bytes = read_json_body(request, app, app.options.max_body).await?;
        input::parse(&bytes).map(Self)
    }
}

/// The bytes of a body that says it is JSON.
pub(crate) async fn read_json_body(request: Request, app: &AppState, limit: usize) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        return Err(Problem::new(
            Code::MediaTypeUnsupported,
            "send the body as JSON, with the header `Content-Type: application/json`",
        ));
    }
    read_body(request, app, limit).await
}

/// The bytes of a body of any type, at most `limit`.
pub(crate) async fn read_body(request: Request, app: &AppState, limit: usize) -> Result<Bytes, Problem> {
    let too_large =
        || Problem::new(Code::BodyTooLarge, format!("the body may have {limit} bytes; send less at once"));
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|text| text.parse::<u64>().ok()).is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let reading = tokio::time::timeout(app.options.body_timeout, collect(request.into_body(), limit));
    match reading.await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Problem::new(Code::BodyTimeout, "the body did not arrive in time; send it again")),
    }
}

async fn collect(body: Body, limit: usize) -> Result<Bytes, axum::Error> {
    axum::body::to_bytes(body, limit).await
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// An id, or another typed name, in the path.
pub(crate) struct Named<T>(pub T);

impl<T, S> FromRequestParts<S> for Named<T>
where
    T: FromStr,
    T::Err: std::fmt::Display,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let wrong = |text: String| Problem::new(Code::InvalidParameter, text).parameter("id");
        let text = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = text.map_err(|_| wrong("the path is not UTF-8".to_owned()))?;
        text.parse().map(Self).map_err(|error: T::Err| wrong(error.to_string()))
    }
}

/// The parameters of a query.
pub(crate) struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = AxumQuery::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let AxumQuery(pairs) = pairs.map_err(|_| {
            Problem::new(Code::InvalidParameter, "the query is not well-formed UTF-8 in the URL")
        })?;
        input::parse_query(pairs).map(Self)
    }
}
