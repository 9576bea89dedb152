//! Rotating keys: card numbers sealed and indexed again under the current key.

use async_trait::async_trait;
use domain::{CardId, UserId, command::NumberIndex};

use crate::{Result, Sealed};

/// A card number under an older key.
#[derive(Clone, Debug)]
pub struct StoredNumber {
    /// The card.
    pub card: CardId,
    /// Its number, sealed.
    pub number: Sealed,
    /// Its PIN, sealed, if it still waits for its export.
    pub pin: Option<Sealed>,
}

/// The same under the current key.
#[derive(Clone, Debug)]
pub struct Rekeyed {
    /// The card.
    pub card: CardId,
    /// What its number is looked up by.
    pub index: NumberIndex,
    /// The key of that index.
    pub index_key_id: u8,
    /// Its number, sealed.
    pub number: Sealed,
    /// Its PIN, sealed.
    pub pin: Option<Sealed>,
}

/// Where sealed values are exchanged.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Cards whose number or index is not under `current`, by id after `after`.
    async fn numbers_not_under(
        &self,
        current: u8,
        after: Option<CardId>,
        limit: usize,
    ) -> Result<Vec<StoredNumber>>;

    /// Exchanges them, in one transaction.
    async fn rekey(&self, cards: &[Rekeyed]) -> Result<()>;

    /// Secrets of one-time passwords that are not under `current`, by user after `after`.
    async fn totp_not_under(
        &self,
        current: u8,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, Sealed)>>;

    /// Exchanges them, in one transaction.
    async fn rekey_totp(&self, secrets: &[(UserId, Sealed)]) -> Result<()>;

    /// The ids of keys that are in use by stored PIN digests and fingerprints, so that none is discarded
    /// too early.
    async fn key_ids_in_use(&self) -> Result<Vec<u8>>;
}

/// What becomes of a value under a key of the ring when another key becomes the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A rotation seals or indexes it again.
    Exchanged,
    /// It cannot be made again without what it was made from: [`KeyStore::key_ids_in_use`] names its key, which has to
    /// stay in the ring.
    Kept,
    /// It ends within minutes.
    Ends,
}

/// Every column of every table that holds the id of a key of the ring, and what becomes of the value beside it. Tests of
/// both stores hold their schemas against this, and a test of the command holds the rotation against it: what a later
/// migration seals cannot be forgotten.
pub const KEY_COLUMNS: &[(&str, &str, Fate)] = &[
    ("batch", "fingerprint_key_id", Fate::Kept),
    ("card", "number_key_id", Fate::Exchanged),
    ("card", "pin_key_id", Fate::Kept),
    ("card_secret", "number_key_id", Fate::Exchanged),
    ("card_secret", "pin_key_id", Fate::Exchanged),
    ("holder", "index_key_id", Fate::Exchanged),
    ("holder", "phone_key_id", Fate::Exchanged),
    ("holder_device", "secret_key_id", Fate::Exchanged),
    ("holder_login", "digest_key_id", Fate::Ends),
    ("holder_message", "body_key_id", Fate::Ends),
    ("identity_provider", "secret_key_id", Fate::Exchanged),
    ("limit_use", "fingerprint_key_id", Fate::Kept),
    // Bank accounts in an operation's details and in what waits for a second person are sealed at the moment, and so
    // under the key, of the fingerprint beside them.
    ("operation", "fingerprint_key_id", Fate::Kept),
    ("payee", "account_key_id", Fate::Exchanged),
    ("person_totp", "key_id", Fate::Exchanged),
    ("recovery_code", "key_id", Fate::Kept),
];
