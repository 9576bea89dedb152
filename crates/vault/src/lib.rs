//! Everything secret about a card, in one place: how numbers, PINs and client secrets are made,
//! kept and compared.
//!
//! A card number is stored three ways only: a keyed index for look-up ([`Vault::index`]), a sealed
//! value ([`Vault::seal`]) and its last four digits ([`CardNumber::last4`]). A PIN is stored as a
//! keyed digest ([`Vault::pin_digest`]). All keys come from one [`KeyRing`], which lives outside the
//! database, so a stolen database alone gives away neither numbers nor PINs.
//!
//! Invariant: no type of this crate that holds a secret prints it. `Debug` and `Display` mask, errors
//! never quote their input, and plain text leaves only through a method named `expose`.
//!
//! This crate depends on no other part of Hexiao, knows nothing of storage or HTTP, and is the only
//! place that reads the operating system's randomness.

mod client_secret;
mod key_file;
mod key_ring;
mod luhn;
mod number;
mod pin;
mod randomness;
mod secret_digits;
mod subkeys;
mod vault;

pub use client_secret::{ClientIdError, ClientSecret, client_id_of, same_hash, secret_hash};
pub use key_file::KEYS_VARIABLE;
pub use key_ring::{KeyRing, KeyRingError};
pub use number::{CardNumber, IssuerPrefix, NumberError};
pub use pin::{Pin, PinError};
pub use randomness::{OsRandomness, PredictableRandomness, Randomness};
pub use vault::{OpenError, PinDigest, SealError, SealedNumber, SealedText, UnknownKey, Vault, purpose};
