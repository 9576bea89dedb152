//! Making cards: batches, their progress, and the one export of their secrets.

use async_trait::async_trait;
use domain::{Amount, BatchId, Card, CardId, ClientId, IssuerId, ProgramId, Timestamp, command::NumberIndex};

use crate::{Page, Result};

/// A sealed secret with the id of the key that opens it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The key-ring key.
    pub key_id: u8,
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed(key {})", self.key_id)
    }
}

/// A card that is made, with its secrets in their stored forms.
#[derive(Clone, Debug)]
pub struct NewCard {
    /// The card, stocked and without value.
    pub card: Card,
    /// What its number is looked up by.
    pub index: NumberIndex,
    /// The key of that index.
    pub index_key_id: u8,
    /// Its number, sealed.
    pub number: Sealed,
    /// Its PIN, sealed until the batch is exported and then erased.
    pub pin: Option<Sealed>,
}

/// How far a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchStatus {
    /// Cards are being made.
    Running,
    /// All cards are made, and activated where asked for.
    Complete,
    /// It cannot go on; `failure` says why.
    Failed,
}

impl BatchStatus {
    /// The name in texts and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Failed => "failed",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Running, Self::Complete, Self::Failed].into_iter().find(|s| s.name() == name)
    }
}

/// A batch of cards (制卡批次).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// Its program.
    pub program: ProgramId,
    /// The client that asked for it.
    pub client: ClientId,
    /// The key it was asked for under, unique within the client.
    pub key: String,
    /// The keyed digest of the request, with the id of its key.
    pub fingerprint: (u8, [u8; 16]),
    /// How many cards.
    pub count: u32,
    /// What each is sold for.
    pub face_value: Option<Amount>,
    /// Whether each is activated at once.
    pub activate: bool,
    /// How many are made.
    pub issued: u32,
    /// How many are activated.
    pub activated: u32,
    /// How far it is.
    pub status: BatchStatus,
    /// Why it cannot go on.
    pub failure: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was complete.
    pub completed_at: Option<Timestamp>,
    /// When its secrets were exported.
    pub exported_at: Option<Timestamp>,
}

/// A card of an export.
#[derive(Clone, Debug)]
pub struct ExportRow {
    /// The card.
    pub card: CardId,
    /// Its number, sealed.
    pub number: Sealed,
    /// Its PIN, sealed.
    pub pin: Option<Sealed>,
    /// What it was made to be sold for.
    pub face_value: Option<Amount>,
}

/// Where cards are made.
#[async_trait]
pub trait IssueStore: Send + Sync {
    /// Records a batch. [`crate::StorageError::Conflict`] on `key` if the client used the key before.
    async fn create_batch(&self, batch: &Batch) -> Result<()>;

    /// The batch, by id.
    async fn batch(&self, id: BatchId) -> Result<Option<Batch>>;

    /// The batch that a client asked for under a key.
    async fn batch_by_key(&self, client: ClientId, key: &str) -> Result<Option<Batch>>;

    /// Batches of an issuer, newest first, older than `before`.
    async fn batches(&self, issuer: IssuerId, before: Option<BatchId>, limit: usize) -> Result<Page<Batch>>;

    /// Batches that are running, oldest first.
    async fn running_batches(&self) -> Result<Vec<Batch>>;

    /// Writes cards and, where they belong to a batch, its progress (`issued`, `activated`, `status`,
    /// `failure`, `completed_at`), in one transaction. Returns the positions of cards whose number is
    /// taken; if there are any, nothing was written.
    async fn insert_cards(&self, cards: &[NewCard], progress: Option<&Batch>) -> Result<Vec<usize>>;

    /// Cards of a batch by id, after `after`, oldest first; for activation and export.
    async fn batch_cards(&self, id: BatchId, after: Option<CardId>, limit: usize) -> Result<Vec<ExportRow>>;

    /// Claims a batch for an export of its secrets. `false` if they have left, or if an export has the batch
    /// that claimed it after `lapsed`: whoever claimed it earlier is taken for dead.
    async fn claim_export(&self, id: BatchId, at: Timestamp, lapsed: Timestamp) -> Result<bool>;

    /// Gives up the claim that was made at `claimed_at`, so that the batch can be exported again. Nothing
    /// happens if another one has the batch, or its secrets have left.
    async fn release_export(&self, id: BatchId, claimed_at: Timestamp) -> Result<()>;

    /// Marks a batch as exported, for good. `false` if the claim that was made at `claimed_at` has lapsed and
    /// another one has taken its place.
    async fn finish_export(&self, id: BatchId, claimed_at: Timestamp, at: Timestamp) -> Result<bool>;

    /// Erases the sealed PINs of an exported batch; of another, none.
    async fn erase_pins(&self, id: BatchId) -> Result<()>;
}
