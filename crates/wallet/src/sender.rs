//! How a sign-in code gets to a phone.

use async_trait::async_trait;
use domain::{IssuerId, Timestamp};
use engine::Engine;
use storage::{OutboxMessage, PhoneIndex, Sealed};
use vault::{SealedText, purpose};
use zeroize::Zeroizing;

use crate::{Phone, Result, sign_in::indexes_of};

/// Sends codes to phones: an SMS gateway, or what takes its place.
#[async_trait]
pub trait CodeSender: Send + Sync {
    /// Sends a sign-in code. Must not write the code or the phone anywhere in plain.
    async fn send(&self, issuer: IssuerId, phone: &Phone, code: &str, expires_at: Timestamp) -> Result<()>;
}

/// Keeps messages sealed in the store until they end: for whoever delivers them from there, and for
/// demonstrations, where the page shows them.
pub struct Outbox {
    engine: Engine,
}

/// A message that was read back.
pub struct Received {
    /// What it says.
    pub text: Zeroizing<String>,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Until when it is worth something.
    pub expires_at: Timestamp,
}

/// Between the number and the code of a message that is to be delivered.
pub(crate) const SEPARATOR: char = '\n';

/// The most messages that are shown.
const MOST: usize = 10;

impl Outbox {
    /// The outbox of an engine's store.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// What was sent to a phone and has not ended, newest first. For demonstrations only.
    pub async fn read(&self, issuer: IssuerId, phone: &Phone) -> Result<Vec<Received>> {
        let vault = self.engine.vault();
        let indexes = indexes_of(vault, issuer, phone);
        let found = self.engine.store().messages(issuer, &indexes, self.engine.now(), MOST).await?;
        let mut received = Vec::with_capacity(found.len());
        for message in found {
            let sealed = SealedText { key_id: message.body.key_id, bytes: message.body.bytes };
            let text = vault.open_text(message.id, purpose::MESSAGE, &sealed)?;
            // One that waits to be delivered has the number before the code.
            let text = Zeroizing::new(text.rsplit(SEPARATOR).next().unwrap_or_default().to_owned());
            received.push(Received { text, sent_at: message.created_at, expires_at: message.expires_at });
        }
        Ok(received)
    }
}

#[async_trait]
impl CodeSender for Outbox {
    async fn send(&self, issuer: IssuerId, phone: &Phone, code: &str, expires_at: Timestamp) -> Result<()> {
        let vault = self.engine.vault();
        let id = self.engine.next_id();
        let sealed = vault.seal_text(id, purpose::MESSAGE, code)?;
        let index = indexes_of(vault, issuer, phone).first().copied().unwrap_or(PhoneIndex([0; 16]));
        let message = OutboxMessage {
            id,
            issuer,
            phone: index,
            body: Sealed { key_id: sealed.key_id, bytes: sealed.bytes },
            created_at: self.engine.now(),
            expires_at,
            due_at: None,
            attempts: 0,
        };
        Ok(self.engine.store().put_message(&message).await?)
    }
}
