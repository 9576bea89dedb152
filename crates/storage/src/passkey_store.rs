//! Passkeys of people (WebAuthn credentials), and the challenges that were answered with them.

use async_trait::async_trait;
use domain::{IssuerId, PasskeyId, Timestamp, UserId};

use crate::Result;

/// A passkey: what proves that somebody has a device. Only its public half is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its id.
    pub id: PasskeyId,
    /// Whose it is.
    pub user: UserId,
    /// The user's issuer.
    pub issuer: Option<IssuerId>,
    /// What the user calls it.
    pub name: String,
    /// The relying party that it was made for: a host.
    pub rp_id: String,
    /// The credential's id, as its authenticator gave it: unique.
    pub credential: Vec<u8>,
    /// The public key, as COSE has it.
    pub public_key: Vec<u8>,
    /// How often its authenticator says that it signed; 0 where it does not count.
    pub counter: u32,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// A challenge that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnsweredChallenge {
    /// SHA-256 of the challenge.
    pub hash: [u8; 32],
    /// When it ends by itself: from then on nobody needs to know that it was used.
    pub expires_at: Timestamp,
}

/// What comes of using a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyUse {
    /// It is noted.
    Noted,
    /// The challenge was answered before.
    Replayed,
    /// The counter is not above the last one: two devices count, so one of them is a copy.
    CountedBack,
    /// The passkey has been removed.
    Gone,
}

/// What comes of removing a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyRemoval {
    /// It is gone.
    Removed,
    /// The user has no such passkey.
    Unknown,
    /// It is the user's last one, and that was to be kept.
    Last,
}

/// Whether a counter may follow another: it grows, unless the authenticator does not count at all.
pub const fn counts_on(stored: u32, given: u32) -> bool {
    given > stored || (given == 0 && stored == 0)
}

/// Where passkeys are kept.
#[async_trait]
pub trait PasskeyStore: Send + Sync {
    /// The passkeys of a user, by id.
    async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>>;

    /// The passkey with this id of a credential.
    async fn passkey_by_credential(&self, credential: &[u8]) -> Result<Option<Passkey>>;

    /// Adds a passkey and notes its challenge, both or neither: a conflict on `challenge` if that was answered
    /// before, on `passkeys` if the user has as many as `most`, on `credential` if somebody has that one.
    async fn add_passkey(&self, passkey: &Passkey, challenge: AnsweredChallenge, most: usize) -> Result<()>;

    /// Notes the use of a passkey with its counter and the challenge, all or nothing.
    async fn use_passkey(
        &self,
        id: PasskeyId,
        challenge: AnsweredChallenge,
        counter: u32,
        at: Timestamp,
    ) -> Result<PasskeyUse>;

    /// Removes a passkey of the user; the last one only if that is wanted.
    async fn remove_passkey(&self, user: UserId, id: PasskeyId, even_last: bool) -> Result<PasskeyRemoval>;

    /// Removes all of a user's.
    async fn remove_passkeys(&self, user: UserId) -> Result<()>;

    /// Forgets answered challenges that ended by `now`, and says how many.
    async fn forget_challenges(&self, now: Timestamp) -> Result<u64>;
}
