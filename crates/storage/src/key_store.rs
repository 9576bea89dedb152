//! Rotating keys: card numbers sealed and indexed again under the current key.

use async_trait::async_trait;
use domain::{CardId, command::NumberIndex};

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

    /// The ids of keys that are in use by stored PIN digests and fingerprints, so that none is discarded
    /// too early.
    async fn key_ids_in_use(&self) -> Result<Vec<u8>>;
}
