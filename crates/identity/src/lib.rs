//! People: signing in, sessions, second factors, roles, invitations, the audit trail.
//!
//! What can be said without a database is in modules of pure functions ([`login`], [`password`], [`totp`],
//! [`roles`], [`token`]); the services over the store are methods of [`Identity`], one file for each concern.
//!
//! Invariant: passwords, codes, tokens and secrets live in types that print masked, are compared in constant time,
//! and are stored hashed, or sealed where they must come back.

pub mod approvals;
pub mod error;
pub mod factor;
pub mod login;
pub mod password;
pub mod roles;
pub mod token;
pub mod totp;

mod cache;
mod hasher;
mod service;

pub use error::IdentityError;
pub use factor::SecondFactor;
pub use service::{
    FLOW_SECONDS, Failed, Granter, Identity, Invited, Named, NewInvitation, NewProvider, Origin, Policy,
    ProviderChange, Secret, Signed, SignedIn, TotpOffer, UserChange, reseal_providers,
};
pub use token::Token;
