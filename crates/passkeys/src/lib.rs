//! Passkeys: credentials of WebAuthn (W3C, Level 3) that a person's device or security key keeps.
//!
//! The browser signs our challenge together with the address of the page, so a passkey cannot be given to a page that
//! only looks like ours. What a ceremony has to check is in pure modules ([`ceremony`] over [`cbor`],
//! [`authenticator_data`], [`client_data`] and [`public_key`]); [`Passkeys`] is the service over the store.
//!
//! Challenges are not stored: each says when it ends and what for and where it is good, under a keyed tag. What is
//! written down, in the same transaction as what it brings about, is that one was answered.
//!
//! Invariant: whatever is wrong with an answer, the caller is told the same.

pub mod authenticator_data;
pub mod cbor;
pub mod ceremony;
pub mod client_data;
pub mod public_key;
pub mod web_origin;

mod challenge;
mod service;

pub use ceremony::{Assertion, Attestation};
pub use service::{AssertionOffer, CreationOffer, PasskeyError, PasskeyFactor, Passkeys};
pub use web_origin::{MAX_ORIGINS, WebOrigin};
