//! Card holders (持卡人): they sign in by phone, keep cards in a wallet, pay with codes that their devices show,
//! and give cards to each other.
//!
//! [`code`] and [`phone`] are pure. [`Wallet`] joins them with the store and the engine: whatever changes a card
//! goes through the engine as a command, so that it is decided by the rules of cards and stands in the log. That a
//! card belongs to a holder is its `member`, which is the holder's id as text.
//!
//! Invariant: phone numbers, sign-in codes, secrets of devices and payment codes do not print, and are stored
//! sealed, as keyed digests or not at all.

mod cards;
pub mod code;
mod delivery;
mod devices;
mod gifts;
mod payment;
pub mod phone;
mod sender;
mod sessions;
mod sign_in;
mod upkeep;

use std::sync::{Arc, Mutex, PoisonError};

use domain::{
    ClientId, Command, HolderId,
    command::{Actor, CardRef},
};
use engine::{Engine, Intent, Outcome, SubmitError, issue::job_key};
use storage::{Holder, StorageError};
use vault::{OsRandomness, Randomness};
use zeroize::Zeroizing;

pub use cards::{Added, MAX_CARDS, OwnCard};
pub use code::{DeviceSecret, PaymentCode};
pub use delivery::{Delivered, Deliveries, Delivery, Gateway, MAX_ATTEMPTS, Queue, Undelivered};
pub use devices::{Enrolled, MAX_DEVICES};
pub use gifts::{GIFT_DAYS, GiftError, MAX_GIFTS_A_DAY, SeenGift};
pub use payment::{CodeRefused, Presented};
pub use phone::Phone;
pub use sender::{CodeSender, Outbox, Received};
pub use sessions::{SESSION_HOURS, SESSION_IDLE_MINUTES, SessionToken, Signed, csrf_token};
pub use sign_in::{CODE_DIGITS, CODE_LIMITS, CODE_SECONDS};
pub use upkeep::Upkeep;

/// Why something could not be done, through nobody's fault who asked.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The engine did not take the command.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// A sealed value does not open.
    #[error(transparent)]
    Sealed(#[from] vault::OpenError),
    /// A value cannot be sealed.
    #[error(transparent)]
    Seal(#[from] vault::SealError),
    /// Something that must be there is not.
    #[error("{0}")]
    Inconsistent(&'static str),
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, WalletError>;

/// Everything that holders do. Cheap to clone.
#[derive(Clone)]
pub struct Wallet {
    engine: Engine,
    sender: Arc<dyn CodeSender>,
    random: Arc<Mutex<OsRandomness>>,
}

impl Wallet {
    /// The wallets of an engine's cards, with codes sent by `sender`.
    pub fn new(engine: Engine, sender: Arc<dyn CodeSender>) -> Self {
        Self { engine, sender, random: Arc::new(Mutex::new(OsRandomness::new())) }
    }

    /// The same, with codes kept in the store's outbox.
    pub fn with_outbox(engine: Engine) -> Self {
        let outbox = Outbox::new(engine.clone());
        Self::new(engine, Arc::new(outbox))
    }

    fn random_bytes(&self) -> Zeroizing<[u8; 32]> {
        let mut bytes = Zeroizing::new([0; 32]);
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut *bytes);
        bytes
    }

    fn random_below(&self, bound: u64) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).below(bound)
    }

    /// Has a command of a holder decided. `subject` and `tag` name it for ever.
    async fn submit(
        &self,
        holder: &Holder,
        (subject, tag): (i64, &[u8; 8]),
        command: Command,
        reference: Option<String>,
    ) -> Result<Outcome> {
        let tag = u64::from_be_bytes(*tag);
        let key = job_key(subject, tag).ok_or(WalletError::Inconsistent("no key could be made"))?;
        let intent = Intent {
            actor: actor_of(holder),
            canonical: format!("holder:{}:{tag}", key.to_text()).into_bytes().into_boxed_slice(),
            key,
            command,
            trace: None,
            reference,
            metadata: None,
        };
        Ok(self.engine.submit(intent).await?)
    }
}

/// A holder as the one who asks: its id is a principal like every other.
fn actor_of(holder: &Holder) -> Actor {
    Actor { client: ClientId::new(holder.id.get()), issuer: holder.issuer, merchant: None }
}

/// What a card's `member` is when the card is this holder's.
pub fn member_of(holder: HolderId) -> String {
    holder.to_string()
}

/// A card as its holder names it.
fn held(card: domain::CardId, holder: HolderId) -> CardRef {
    CardRef::Held { card, member: member_of(holder) }
}
