//! Card holders: who they are, how they sign in, which cards they hold, the devices that show payment codes
//! for them, the codes that were used, and gifts from one holder to another.
//!
//! That a card belongs to a holder is said by the card itself (its `member`). The list of held cards only
//! remembers which cards to ask: a row in it that the card does not confirm means nothing.

use async_trait::async_trait;
use domain::{CardId, ClientId, DeviceId, GiftId, HolderId, IssuerId, OperationId, Timestamp};

use crate::{Result, Sealed};

/// The keyed index of a phone number within an issuer: what a holder is looked up by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneIndex(pub [u8; 16]);

impl std::fmt::Debug for PhoneIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PhoneIndex(…)")
    }
}

/// A card holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub id: HolderId,
    /// The issuer whose cards it holds.
    pub issuer: IssuerId,
    /// What its phone number is looked up by.
    pub phone_index: PhoneIndex,
    /// The key of that index.
    pub index_key_id: u8,
    /// Its phone number, sealed.
    pub phone: Sealed,
    /// The last four digits of it.
    pub last4: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// A code that signs a holder in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginCode {
    /// At this issuer.
    pub issuer: IssuerId,
    /// For the holder of this number.
    pub phone: PhoneIndex,
    /// The keyed digest of the code, with the id of its key.
    pub digest: (u8, [u8; 16]),
    /// When it is sent.
    pub sent_at: Timestamp,
    /// Until when it is accepted.
    pub expires_at: Timestamp,
}

/// How many sign-in codes one phone number gets, and how often each may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginLimits {
    /// Seconds between two codes, unless the first was used: then it has arrived, and another is wanted.
    pub seconds_between: i64,
    /// Codes in an hour of the clock.
    pub per_hour: u32,
    /// Codes in a day of the clock, in UTC.
    pub per_day: u32,
    /// Attempts at one code.
    pub attempts: u32,
}

/// What is known of the codes of one phone number. One row, whatever happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginState {
    /// The digest of the newest code, with the id of its key.
    pub digest: (u8, [u8; 16]),
    /// Attempts that are left for it.
    pub attempts_left: u32,
    /// Until when it is accepted; the epoch once it was used.
    pub expires_at: Timestamp,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Codes in the hour of the clock of the newest.
    pub hour_count: u32,
    /// Codes in its day.
    pub day_count: u32,
}

const MICROS: i64 = 1_000_000;
const HOUR: i64 = 3_600 * MICROS;
const DAY: i64 = 24 * HOUR;

impl LoginState {
    fn is_used(&self) -> bool {
        self.expires_at.micros() == 0
    }

    /// The state after another code, or none if the number has had enough for now.
    pub fn after(before: Option<&Self>, code: &LoginCode, limits: &LoginLimits) -> Option<Self> {
        let now = code.sent_at.micros();
        let count_in = |length: i64, count: fn(&Self) -> u32| match before {
            Some(state) if state.sent_at.micros().div_euclid(length) == now.div_euclid(length) => {
                count(state)
            }
            _ => 0,
        };
        let (hour, day) = (count_in(HOUR, |state| state.hour_count), count_in(DAY, |state| state.day_count));
        let between = limits.seconds_between.saturating_mul(MICROS);
        let too_soon = before
            .is_some_and(|state| !state.is_used() && now < state.sent_at.micros().saturating_add(between));
        if too_soon || hour >= limits.per_hour || day >= limits.per_day {
            return None;
        }
        Some(Self {
            digest: code.digest,
            attempts_left: limits.attempts,
            expires_at: code.expires_at,
            sent_at: code.sent_at,
            hour_count: hour.saturating_add(1),
            day_count: day.saturating_add(1),
        })
    }
}

/// An attempt at a sign-in code that was taken from those that are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginAttempt {
    /// The number it is for.
    pub phone: PhoneIndex,
    /// The digest to compare with, with the id of its key.
    pub digest: (u8, [u8; 16]),
}

/// A message to a phone, kept for those who have no other way to send one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Its id, in the order of messages.
    pub id: i64,
    /// The issuer in whose name it is sent.
    pub issuer: IssuerId,
    /// To whom.
    pub phone: PhoneIndex,
    /// What it says, sealed.
    pub body: Sealed,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is worth nothing any more.
    pub expires_at: Timestamp,
    /// When it is next to be delivered; never where it is read where it lies.
    pub due_at: Option<Timestamp>,
    /// How often that was tried.
    pub attempts: u32,
}

/// A holder who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolderSession {
    /// SHA-256 of the session's secret.
    pub hash: [u8; 32],
    /// Who.
    pub holder: HolderId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when without a request.
    pub idle_until: Timestamp,
    /// Until when at the latest.
    pub expires_at: Timestamp,
}

/// A card in somebody's wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldCard {
    /// Whose.
    pub holder: HolderId,
    /// The card.
    pub card: CardId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// Operations from this id on are the holder's to see.
    pub since: OperationId,
    /// When it came into the wallet.
    pub added_at: Timestamp,
}

/// A device that shows payment codes of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// The issuer of the card.
    pub issuer: IssuerId,
    /// Whose device.
    pub holder: HolderId,
    /// The card.
    pub card: CardId,
    /// What its codes name it by: unique among the issuer's live devices.
    pub tag: u32,
    /// What its codes are made with, sealed.
    pub secret: Sealed,
    /// When it was enrolled.
    pub created_at: Timestamp,
    /// Since when its codes are worth nothing.
    pub revoked_at: Option<Timestamp>,
}

/// A payment code that was used, for ever as far as its time goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeUse {
    /// The device that showed it.
    pub device: DeviceId,
    /// The time step that it was made for.
    pub step: i64,
    /// The issuer of the card.
    pub issuer: IssuerId,
    /// The client that presented it.
    pub client: ClientId,
    /// SHA-256 of the idempotency key it was presented under.
    pub key: [u8; 32],
    /// When.
    pub used_at: Timestamp,
}

/// Where a gift is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiftState {
    /// It waits for its receiver.
    Pending,
    /// Its receiver said yes, and the card is being bound.
    Accepting,
    /// The card is the receiver's.
    Accepted,
    /// Its receiver said no.
    Declined,
    /// Its giver took it back.
    Withdrawn,
    /// Nobody said anything in time.
    Expired,
    /// The card could not be bound: it was frozen, closed or had changed hands.
    Failed,
}

impl GiftState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Accepting,
        Self::Accepted,
        Self::Declined,
        Self::Withdrawn,
        Self::Expired,
        Self::Failed,
    ];

    /// The name in texts and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepting => "accepting",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether something can still come of it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Accepting)
    }
}

/// A card that one holder gives to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gift {
    /// Its id.
    pub id: GiftId,
    /// The issuer of card and holders.
    pub issuer: IssuerId,
    /// The card.
    pub card: CardId,
    /// Who gives.
    pub giver: HolderId,
    /// Who receives.
    pub receiver: HolderId,
    /// Where it is in its life.
    pub state: GiftState,
    /// When it was offered.
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// When it was accepted, declined, withdrawn or given up.
    pub decided_at: Option<Timestamp>,
    /// The operation that bound the card, or was declined.
    pub operation: Option<OperationId>,
    /// Grows with every change.
    pub version: u32,
}

/// A phone number under an older key.
#[derive(Clone, Debug)]
pub struct StoredPhone {
    /// Whose.
    pub holder: HolderId,
    /// At this issuer, which the index depends on.
    pub issuer: IssuerId,
    /// The number, sealed.
    pub phone: Sealed,
}

/// The same under the current key.
#[derive(Clone, Debug)]
pub struct RekeyedPhone {
    /// Whose.
    pub holder: HolderId,
    /// What it is looked up by.
    pub index: PhoneIndex,
    /// The key of that index.
    pub index_key_id: u8,
    /// The number, sealed.
    pub phone: Sealed,
}

/// Until when things are kept that nobody needs any more.
#[derive(Clone, Copy, Debug)]
pub struct HolderPurge {
    /// Sessions, messages and sign-in codes that ended before this are forgotten.
    pub ended_before: Timestamp,
    /// Numbers that got their last sign-in code before this are forgotten, with their counts.
    pub counted_before: Timestamp,
    /// Used payment codes, and devices that were revoked, before this are forgotten.
    pub used_before: Timestamp,
    /// The most rows of each that go at once.
    pub limit: usize,
}

/// Where card holders are kept.
#[async_trait]
pub trait HolderStore: Send + Sync {
    /// Takes note of a code that is to be sent. `false`, and nothing is written, if the number has had enough
    /// for now.
    async fn put_login_code(&self, code: &LoginCode, limits: &LoginLimits) -> Result<bool>;

    /// Takes one attempt at the code of whichever of these indexes has one that is open at `now`. Atomic: of
    /// any number of attempts at once, as many succeed as are left.
    async fn take_login_attempt(
        &self,
        issuer: IssuerId,
        phones: &[PhoneIndex],
        now: Timestamp,
    ) -> Result<Option<LoginAttempt>>;

    /// Uses a code up. `false` if it was used or replaced before: of any number at once, one succeeds.
    async fn use_login_code(&self, issuer: IssuerId, attempt: &LoginAttempt) -> Result<bool>;

    /// Keeps a message.
    async fn put_message(&self, message: &OutboxMessage) -> Result<()>;

    /// Messages to a number that have not ended at `now`, newest first.
    async fn messages(
        &self,
        issuer: IssuerId,
        phones: &[PhoneIndex],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>>;

    /// Takes messages that are due at `now`, the longest due first: their attempts are counted, and they are due again
    /// at `again`, in the same transaction. So each is tried by one node at a time, and tried again where that node
    /// died.
    async fn take_messages(
        &self,
        now: Timestamp,
        again: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>>;

    /// Has a message be due at another moment.
    async fn postpone_message(&self, id: i64, due_at: Timestamp) -> Result<()>;

    /// Forgets a message: it was delivered, or is worth nothing any more.
    async fn drop_message(&self, id: i64) -> Result<()>;

    /// The holder with the first of these indexes that exists.
    async fn holder_by_phone(&self, issuer: IssuerId, phones: &[PhoneIndex]) -> Result<Option<Holder>>;

    /// Holders by id, in any order; those that do not exist are left out.
    async fn holders(&self, ids: &[HolderId]) -> Result<Vec<Holder>>;

    /// Adds a holder. [`crate::StorageError::Conflict`] on `phone` if the number has one.
    async fn add_holder(&self, holder: &Holder) -> Result<()>;

    /// Begins a session. Of a holder's sessions the newest `most` are kept.
    async fn add_holder_session(&self, session: &HolderSession, most: usize) -> Result<()>;

    /// The session with this hash, whether or not it has ended by time.
    async fn holder_session(&self, hash: &[u8; 32]) -> Result<Option<HolderSession>>;

    /// Moves the end of a session that lies idle.
    async fn extend_holder_session(&self, hash: &[u8; 32], idle_until: Timestamp) -> Result<()>;

    /// Ends a session.
    async fn end_holder_session(&self, hash: &[u8; 32]) -> Result<()>;

    /// Puts a card into a wallet, or changes since when it is there.
    async fn put_held_card(&self, held: &HeldCard) -> Result<()>;

    /// Takes a card out of a wallet.
    async fn remove_held_card(&self, holder: HolderId, card: CardId) -> Result<()>;

    /// The cards of a wallet, newest first.
    async fn held_cards(&self, holder: HolderId, limit: usize) -> Result<Vec<HeldCard>>;

    /// Adds a device, and revokes the oldest ones of the same holder and card so that `most` are live.
    /// [`crate::StorageError::Conflict`] on `tag` if a live device of the issuer has it.
    async fn add_device(&self, device: &Device, most: usize) -> Result<()>;

    /// Live devices of an issuer with these tags, in any order.
    async fn live_devices(&self, issuer: IssuerId, tags: &[u32]) -> Result<Vec<Device>>;

    /// Devices by id, live or revoked, in any order.
    async fn devices(&self, ids: &[DeviceId]) -> Result<Vec<Device>>;

    /// The live devices of a holder for a card, newest first.
    async fn devices_of(&self, holder: HolderId, card: CardId) -> Result<Vec<Device>>;

    /// Revokes a device. `false` if it was revoked before, or there is none.
    async fn revoke_device(&self, id: DeviceId, at: Timestamp) -> Result<bool>;

    /// Revokes all devices of a card.
    async fn revoke_devices_of(&self, card: CardId, at: Timestamp) -> Result<()>;

    /// Takes note of the use of codes, and returns who has each, in their order: what is given where nobody
    /// had it before, and otherwise what stood there. Durable when it returns.
    async fn use_codes(&self, uses: &[CodeUse]) -> Result<Vec<CodeUse>>;

    /// Codes that a client used under these keys.
    async fn codes_used_under(&self, client: ClientId, keys: &[[u8; 32]]) -> Result<Vec<CodeUse>>;

    /// Adds a gift. [`crate::StorageError::Conflict`] on `gift` if the card has an open one.
    async fn add_gift(&self, gift: &Gift) -> Result<()>;

    /// A gift.
    async fn gift(&self, id: GiftId) -> Result<Option<Gift>>;

    /// Gifts that a holder gave or was given, newest first.
    async fn gifts_of(&self, holder: HolderId, limit: usize) -> Result<Vec<Gift>>;

    /// Changes a gift that is one version behind; [`crate::StorageError::Conflict`] on `version` otherwise.
    async fn change_gift(&self, gift: &Gift) -> Result<()>;

    /// The same for a gift that was accepted, together with what follows: the card moves from one wallet to the
    /// other, and its devices are revoked.
    async fn finish_gift(&self, gift: &Gift, held: &HeldCard) -> Result<()>;

    /// Pending gifts that ended by `now`, and those that somebody began to accept by `stuck` and did not finish.
    async fn due_gifts(&self, now: Timestamp, stuck: Timestamp, limit: usize) -> Result<Vec<Gift>>;

    /// Forgets what nobody needs any more, and says how many rows went.
    async fn purge_holders(&self, purge: &HolderPurge) -> Result<u64>;

    /// Phone numbers that are sealed or indexed under another key than `current`, by id after `after`.
    async fn phones_not_under(
        &self,
        current: u8,
        after: Option<HolderId>,
        limit: usize,
    ) -> Result<Vec<StoredPhone>>;

    /// Exchanges them, in one transaction.
    async fn rekey_phones(&self, phones: &[RekeyedPhone]) -> Result<()>;

    /// Secrets of devices that are sealed under another key than `current`, by id after `after`.
    async fn device_secrets_not_under(
        &self,
        current: u8,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Vec<(DeviceId, Sealed)>>;

    /// Exchanges them, in one transaction.
    async fn rekey_devices(&self, secrets: &[(DeviceId, Sealed)]) -> Result<()>;
}
