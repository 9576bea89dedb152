//! Sign-in codes on their way to a gateway: kept sealed in the store until it has them, tried again for as long as the
//! code is worth something, and forgotten then.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use domain::{IssuerId, Timestamp};
use engine::Engine;
use storage::{OutboxMessage, PhoneIndex, Sealed};
use tokio::{sync::Notify, task::JoinSet};
use vault::{SealedText, purpose};
use zeroize::Zeroizing;

use crate::{CodeSender, Phone, Result, WalletError, sender::SEPARATOR, sign_in::indexes_of};

/// Messages that are on their way at once. A gateway that answers nothing holds up no more than these.
const TOGETHER: usize = 20;
/// What is being tried is nobody else's for this long: longer than a gateway may take.
const TAKEN_SECONDS: i64 = 30;
/// Attempts at one message.
pub const MAX_ATTEMPTS: u32 = 6;

/// A code for a phone. Prints neither.
pub struct Delivery {
    /// Names the message: the same for each attempt.
    pub id: String,
    /// In whose name it is sent.
    pub issuer: IssuerId,
    /// How that is called.
    pub issuer_name: String,
    /// To whom.
    pub phone: Phone,
    /// The code.
    pub code: Zeroizing<String>,
    /// Until when it is accepted.
    pub expires_at: Timestamp,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Now.
    pub at: Timestamp,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

/// Why a gateway does not have a message. Says nothing of what is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Undelivered {
    /// What went wrong.
    pub reason: String,
    /// Whether another attempt can succeed.
    pub again: bool,
}

/// What brings messages to phones. Has to end within 20 seconds.
#[async_trait]
pub trait Gateway: Send + Sync {
    /// Hands a message over. May get one twice, under the same id.
    async fn deliver(&self, delivery: &Delivery) -> std::result::Result<(), Undelivered>;
}

/// Sends codes by keeping them for [`Deliveries`].
pub struct Queue {
    engine: Engine,
    wake: Arc<Notify>,
}

impl Queue {
    /// A queue in an engine's store. What is put into it wakes who delivers on this node.
    pub fn new(engine: Engine, wake: Arc<Notify>) -> Self {
        Self { engine, wake }
    }
}

#[async_trait]
impl CodeSender for Queue {
    async fn send(&self, issuer: IssuerId, phone: &Phone, code: &str, expires_at: Timestamp) -> Result<()> {
        let (vault, now) = (self.engine.vault(), self.engine.now());
        let id = self.engine.next_id();
        let text = Zeroizing::new(format!("{}{SEPARATOR}{code}", phone.expose()));
        let sealed = vault.seal_text(id, purpose::MESSAGE, &text)?;
        let message = OutboxMessage {
            id,
            issuer,
            phone: indexes_of(vault, issuer, phone).first().copied().unwrap_or(PhoneIndex([0; 16])),
            body: Sealed { key_id: sealed.key_id, bytes: sealed.bytes },
            created_at: now,
            expires_at,
            due_at: Some(now),
            attempts: 0,
        };
        self.engine.store().put_message(&message).await?;
        self.wake.notify_one();
        Ok(())
    }
}

/// What a round of deliveries came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Messages that the gateway has.
    pub delivered: u64,
    /// Messages that will be tried again.
    pub postponed: u64,
    /// Messages that were given up.
    pub given_up: u64,
    /// Messages whose code had ended before anybody could try.
    pub expired: u64,
    /// Why one of them was not delivered.
    pub reason: Option<String>,
    /// Whether there may be more that are due.
    pub more: bool,
}

enum Outcome {
    Delivered,
    Postponed(String),
    GivenUp(String),
    Expired,
}

/// Hands what is due to a gateway. Cheap to clone.
#[derive(Clone)]
pub struct Deliveries {
    engine: Engine,
    gateway: Arc<dyn Gateway>,
}

impl Deliveries {
    /// Deliveries of an engine's store by this gateway.
    pub fn new(engine: Engine, gateway: Arc<dyn Gateway>) -> Self {
        Self { engine, gateway }
    }

    /// Tries what is due, once each, all at once.
    pub async fn round(&self) -> Result<Delivered> {
        let now = self.engine.now();
        let due = self.engine.store().take_messages(now, now.plus_seconds(TAKEN_SECONDS), TOGETHER).await?;
        let mut sum = Delivered { more: due.len() == TOGETHER, ..Delivered::default() };
        let mut trying = JoinSet::new();
        for message in due {
            let this = self.clone();
            trying.spawn(async move { this.try_one(message).await });
        }
        let mut failed = None;
        while let Some(done) = trying.join_next().await {
            match done {
                Ok(Ok(outcome)) => sum.add(outcome),
                Ok(Err(error)) => failed = Some(error),
                Err(_) => failed = Some(WalletError::Inconsistent("a gateway panicked")),
            }
        }
        failed.map_or(Ok(sum), Err)
    }

    async fn try_one(&self, message: OutboxMessage) -> Result<Outcome> {
        let (store, now) = (self.engine.store(), self.engine.now());
        if message.expires_at <= now {
            store.drop_message(message.id).await?;
            return Ok(Outcome::Expired);
        }
        let undelivered = match self.gateway.deliver(&self.open(&message, now)?).await {
            Ok(()) => {
                store.drop_message(message.id).await?;
                return Ok(Outcome::Delivered);
            }
            Err(undelivered) => undelivered,
        };
        let next = self.engine.now().plus_seconds(pause(message.attempts));
        if undelivered.again && message.attempts < MAX_ATTEMPTS && next < message.expires_at {
            store.postpone_message(message.id, next).await?;
            return Ok(Outcome::Postponed(undelivered.reason));
        }
        store.drop_message(message.id).await?;
        Ok(Outcome::GivenUp(undelivered.reason))
    }

    fn open(&self, message: &OutboxMessage, now: Timestamp) -> Result<Delivery> {
        let sealed = SealedText { key_id: message.body.key_id, bytes: message.body.bytes.clone() };
        let text = self.engine.vault().open_text(message.id, purpose::MESSAGE, &sealed)?;
        let parts = text.split_once(SEPARATOR);
        let parts = parts.and_then(|(phone, code)| Some((Phone::parse(phone).ok()?, code)));
        let (phone, code) = parts.ok_or(WalletError::Inconsistent("a message has no number"))?;
        let catalog = self.engine.catalog();
        let issuer_name = catalog.issuers.get(&message.issuer).map(|issuer| issuer.name.clone());
        Ok(Delivery {
            id: format!("msg_{:016x}", message.id),
            issuer: message.issuer,
            issuer_name: issuer_name.unwrap_or_default(),
            phone,
            code: Zeroizing::new(code.to_owned()),
            expires_at: message.expires_at,
            attempt: message.attempts,
            at: now,
        })
    }
}

impl Delivered {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Delivered => self.delivered += 1,
            Outcome::Expired => self.expired += 1,
            Outcome::Postponed(reason) => {
                self.postponed += 1;
                self.reason = Some(reason);
            }
            Outcome::GivenUp(reason) => {
                self.given_up += 1;
                self.reason = Some(reason);
            }
        }
    }
}

/// Seconds after this many attempts: 1, 2, 4, 8, 16.
fn pause(attempts: u32) -> i64 {
    1_i64 << attempts.saturating_sub(1).min(4)
}
