//! The Idempotency-Key header, and what makes two requests the same.

use axum::{extract::FromRequestParts, http::request::Parts};
use domain::{IdempotencyKey, idempotency::KeyError};
use serde::Serialize;

use crate::error::{Code, Problem};

/// The header.
pub(crate) const HEADER: &str = "idempotency-key";

/// The key of a request, with the route that it belongs to.
pub(crate) struct Keyed {
    /// The key.
    pub key: IdempotencyKey,
    /// Method and path.
    route: String,
}

impl<S: Sync> FromRequestParts<S> for Keyed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(HEADER) else {
            return Err(Problem::new(
                Code::KeyMissing,
                "send the header Idempotency-Key with a name for this request that stays its own for ever; a \
                 UUIDv7 or ULID is best",
            )
            .parameter("Idempotency-Key"));
        };
        let key = value.to_str().map_err(|_| KeyError).and_then(IdempotencyKey::parse);
        let key = key.map_err(|error| {
            Problem::new(Code::KeyInvalid, error.to_string()).parameter("Idempotency-Key")
        })?;
        Ok(Self { key, route: route(parts.method.as_str(), parts.uri.path()) })
    }
}

fn route(method: &str, path: &str) -> String {
    let mut route = String::with_capacity(method.len() + path.len() + 1);
    route.push_str(method);
    route.push(' ');
    route.push_str(path);
    route
}

impl Keyed {
    /// What makes two requests the same: route and meaning of the body. Order of fields, white space and
    /// fields that say nothing (null, defaults) do not count.
    pub(crate) fn canonical(&self, body: &impl Serialize) -> Result<Box<[u8]>, Problem> {
        canonical(&self.route, body)
    }
}

/// The canonical bytes of a request. They may hold a number and a PIN: they are digested under a key of
/// the key ring, and never stored.
pub(crate) fn canonical(route: &str, body: &impl Serialize) -> Result<Box<[u8]>, Problem> {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(route.as_bytes());
    bytes.push(b'\n');
    serde_json::to_writer(&mut bytes, body)
        .map_err(|_| Problem::new(Code::Internal, "the request could not be digested"))?;
    Ok(bytes.into_boxed_slice())
}
