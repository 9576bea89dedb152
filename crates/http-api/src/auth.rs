//! Who calls: the API key of the Authorization header, looked up by its hash.
//!
//! The key has 256 random bits, so a fast hash is enough and finding it by hash tells a guesser nothing.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};
use domain::{
    Catalog, IssuerId, MerchantId, SessionId, StoreId, UserId,
    catalog::{Client, Scope},
    command::Actor,
    program::Status,
    role::Limits,
};

use crate::error::{Code, Problem};

/// Who calls, let in by the gate: a client by its API key, or a user by his session. A user looks to every
/// route like a client: its id is his principal, its scopes are what his roles permit.
#[derive(Clone)]
pub(crate) struct Caller(pub Arc<Client>, pub Option<Arc<SignedIn>>);

/// What only users have.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The only store he works in, if he is bound to one.
    pub store: Option<StoreId>,
    /// What he may do without a second person.
    pub limits: Limits,
}

impl Caller {
    /// Its issuer. Platform clients have none, and nothing of an issuer's is within their reach.
    pub(crate) fn issuer(&self) -> Result<IssuerId, Problem> {
        self.0.issuer.ok_or_else(|| {
            Problem::new(Code::NotPermitted, "platform clients manage issuers and clients only")
        })
    }

    /// The merchant it is bound to.
    pub(crate) fn merchant(&self) -> Option<MerchantId> {
        self.0.merchant
    }

    /// The user who calls; none for an API client.
    pub(crate) fn user(&self) -> Option<UserId> {
        self.1.as_ref().map(|signed_in| signed_in.user)
    }

    /// The store to which the user who calls is bound.
    pub(crate) fn store(&self) -> Option<StoreId> {
        self.1.as_ref().and_then(|signed_in| signed_in.store)
    }

    /// What the user who calls may do without a second person. None for an API client, which needs none.
    pub(crate) fn limits(&self) -> Option<&Limits> {
        self.1.as_ref().map(|signed_in| &signed_in.limits)
    }

    /// Whether it may see what belongs to this merchant.
    pub(crate) fn sees(&self, merchant: Option<MerchantId>) -> bool {
        self.0.merchant.is_none() || self.0.merchant == merchant
    }

    /// Refuses a client that is bound to a merchant where the whole issuer is concerned.
    pub(crate) fn unbound(&self) -> Result<(), Problem> {
        match self.0.merchant {
            None => Ok(()),
            Some(_) => Err(Problem::new(
                Code::NotPermitted,
                "a client that is bound to a merchant cannot do this; use a client of the issuer",
            )),
        }
    }

    /// Whether it manages the platform instead of belonging to an issuer.
    pub(crate) fn is_platform(&self) -> bool {
        self.0.issuer.is_none() && self.0.scopes.contains(&Scope::Platform)
    }

    /// Who asks, for the domain.
    pub(crate) fn actor(&self) -> Result<Actor, Problem> {
        Ok(Actor { client: self.0.id, issuer: self.issuer()?, merchant: self.0.merchant })
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // The gate puts it there; a route that the gate does not know has none and is refused.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::new(Code::ScopeMissing, "no access"))
    }
}

/// The client whose key the request carries.
pub(crate) fn authenticate(headers: &HeaderMap, catalog: &Catalog) -> Result<Caller, Problem> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Err(Problem::new(
            Code::CredentialsMissing,
            "send the header `Authorization: Bearer hx_…` with an API key",
        ));
    };
    let token = value.to_str().ok().and_then(bearer_token);
    let client = token.and_then(|token| find(token, catalog));
    client.map(|client| Caller(client, None)).ok_or_else(|| {
        Problem::new(
            Code::CredentialsInvalid,
            "the API key is unknown, or its client is closed; ask the issuer for a new one",
        )
    })
}

fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn find(token: &str, catalog: &Catalog) -> Option<Arc<Client>> {
    if !token.starts_with("hx_") || token.len() > 128 {
        return None;
    }
    let hash = vault::secret_hash(token);
    let client = catalog.clients.get(catalog.clients_by_secret.get(&hash)?)?;
    // The map has compared already, but not in constant time.
    if !vault::same_hash(&client.secret_hash, &hash) || client.status == Status::Closed {
        return None;
    }
    let open = |issuer| catalog.issuers.get(&issuer).is_some_and(|issuer| issuer.status == Status::Active);
    client.issuer.is_none_or(open).then(|| Arc::clone(client))
}
