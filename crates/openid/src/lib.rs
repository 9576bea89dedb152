//! Signing in through a company's identity provider: OpenID Connect Core 1.0, authorization code flow with PKCE
//! (RFC 7636), state and nonce.
//!
//! This crate asks a provider and judges its answers; it stores nothing and knows no users. [`OpenId`] is the client:
//! [`OpenId::address`] says where to send somebody, [`OpenId::person`] exchanges what he brings back for who he is.
//! What both need to agree on between the two is derived from one secret of the browser ([`Flow`]).
//!
//! Invariant: every wait, every answer and everything kept is bounded; no redirect is followed; nothing but https is
//! spoken to, save with this machine itself where that is allowed.

mod address;
mod client;
mod discovery;
mod error;
mod flow;
mod http;
mod person;

pub use address::check as check_issuer;
pub use client::{OpenId, Provider, Settings};
pub use error::OpenIdError;
pub use flow::Flow;
pub use person::Person;
