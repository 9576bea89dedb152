//! The domain's view of the vault.

use std::sync::Arc;

use domain::{CardId, card::PinDigest, command::PinAttempt, decide::Secrets};
use vault::{Pin, Vault};

/// Answers the domain's questions about secrets from a vault.
#[derive(Clone)]
pub struct VaultSecrets(pub Arc<Vault>);

impl Secrets for VaultSecrets {
    fn pin_matches(&self, card: CardId, digest: &PinDigest, attempt: &PinAttempt) -> bool {
        let Ok(pin) = Pin::parse(&attempt.0) else { return false };
        let stored = vault::PinDigest { key_id: digest.key_id, bytes: digest.bytes };
        match self.0.verify_pin(card.get(), &pin, &stored) {
            Ok(matches) => matches,
            Err(missing) => {
                // Start-up refuses a key ring that lacks a key in use, so this is unreachable in service.
                tracing::error!(%missing, "a PIN cannot be checked");
                false
            }
        }
    }

    fn fingerprint(&self, key_id: u8, canonical: &[u8]) -> Option<[u8; 16]> {
        self.0.fingerprint_with(key_id, canonical)
    }
}
