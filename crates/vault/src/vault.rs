//! What is done with secrets once there are keys: index and seal numbers, digest PINs, seal short
//! texts, fingerprint requests.
//!
//! Costs, per call and one key: an index, digest or fingerprint two SHA-256 compressions, a seal or
//! opening a handful of AES blocks. No call touches disk or network.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aes_gcm::{AeadInOut, Aes256Gcm, Nonce, Tag};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::key_ring::{Entry, KeyRing};
use crate::number::CardNumber;
use crate::pin::Pin;
use crate::randomness::{OsRandomness, Randomness};

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const MAX_TEXT_BYTES: usize = 4096;

/// What sealed texts are for. A text sealed for one purpose does not open for another.
pub mod purpose {
    /// The PIN of a generated card, kept only until the batch is exported. Context: the card id.
    pub const PIN_UNTIL_EXPORT: &str = "pin until export";
    /// A bank account that paid for a card or that a holder was paid to, kept as evidence with an operation.
    /// Context: what follows from the operation's key.
    pub const BANK_ACCOUNT: &str = "bank account of an operation";
    /// The secret that a user's device shares with the server to make one-time passwords. Context: the user's id.
    pub const TOTP_SECRET: &str = "secret of one-time passwords";
    /// What proves us to an identity provider. Context: the provider's id.
    pub const PROVIDER_SECRET: &str = "client secret at an identity provider";
    /// The phone number of a card holder. Context: the holder's id.
    pub const PHONE: &str = "phone number of a card holder";
    /// What a device makes payment codes with. Context: the device's id.
    pub const DEVICE_SECRET: &str = "secret of a device";
    /// A message to a phone, kept until it ends. Context: the message's id.
    pub const MESSAGE: &str = "message to a phone";
    /// The number of a bank account that a merchant is paid to. Context: the id of the account's record.
    pub const PAYEE_ACCOUNT: &str = "account number of a payee";
}

/// Seals, indexes and compares secrets with the keys of one ring. Cheap to share: `Arc<Vault>`.
pub struct Vault {
    keys: Arc<KeyRing>,
    /// Where nonces come from. Held for some ten nanoseconds per seal.
    nonces: Mutex<Box<dyn Randomness + Send>>,
}

/// A card number as it is stored: nonce, ciphertext, tag. Opens only with the card's id and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedNumber {
    /// The master key that it was sealed under.
    pub key_id: u8,
    /// 12 bytes nonce, as many bytes as the number has digits, 16 bytes tag.
    pub bytes: Vec<u8>,
}

/// A short text as it is stored. Opens only with its context, purpose and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedText {
    /// The master key that it was sealed under.
    pub key_id: u8,
    /// 12 bytes nonce, ciphertext as long as the text, 16 bytes tag.
    pub bytes: Vec<u8>,
}

/// A PIN as it is stored: keyed, and bound to its card, so equal PINs of two cards look different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinDigest {
    /// The master key that it was made under.
    pub key_id: u8,
    /// 128 bits of HMAC-SHA256.
    pub bytes: [u8; 16],
}

/// A stored value names a key that the ring does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key ring has no key {key_id}; start with the ring that this database was used with")]
pub struct UnknownKey {
    /// The missing key.
    pub key_id: u8,
}

/// Why a sealed value does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The ring does not have its key.
    #[error(transparent)]
    UnknownKey(#[from] UnknownKey),
    /// Altered, cut, moved from another card, or sealed under another key with the same id.
    #[error(
        "the sealed value was altered, belongs to another record, or was sealed under another key {key_id}"
    )]
    NotAuthentic {
        /// The key that was tried.
        key_id: u8,
    },
    /// It opened, but what is inside is not what was asked for.
    #[error("the sealed value opened under key {key_id} but does not hold what its place says")]
    WrongContent {
        /// The key that was used.
        key_id: u8,
    },
}

/// Why a text is not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Over the limit.
    #[error("a sealed text has at most {MAX_TEXT_BYTES} bytes, this one has {found}")]
    TooLong {
        /// Bytes given.
        found: usize,
    },
}

impl Vault {
    /// A vault over these keys that takes its nonces from the operating system.
    pub fn new(keys: Arc<KeyRing>) -> Self {
        Self::with_randomness(keys, Box::new(OsRandomness::new()))
    }

    /// A vault that takes its nonces from `nonces`, so that a simulation repeats byte for byte.
    ///
    /// AES-GCM breaks if a nonce comes twice under one key: never give two vaults over the same ring a
    /// predictable source.
    pub fn with_randomness(keys: Arc<KeyRing>, nonces: Box<dyn Randomness + Send>) -> Self {
        Self { keys, nonces: Mutex::new(nonces) }
    }

    /// The keys in use.
    pub fn keys(&self) -> &Arc<KeyRing> {
        &self.keys
    }

    /// The look-up index of a number under the current key.
    pub fn index(&self, number: &CardNumber) -> [u8; 16] {
        index_under(self.keys.current(), number)
    }

    /// The look-up indexes of a number under every key, the current one first, then from the highest
    /// id down. Lazy: a caller that stops at the first hit pays for no more.
    pub fn indexes(&self, number: &CardNumber) -> impl Iterator<Item = (u8, [u8; 16])> {
        self.keys.entries().map(move |entry| (entry.id, index_under(entry, number)))
    }

    /// Encrypts a number for storage with its card.
    ///
    /// Nonces are random, so one key is good for 2^32 seals (NIST SP 800-38D, 8.3): rotate before four
    /// billion cards.
    pub fn seal(&self, card_id: i64, number: &CardNumber) -> SealedNumber {
        let entry = self.keys.current();
        let plain = number.expose().as_bytes();
        let bytes = self.encrypt(&entry.subkeys.number_seal, &card_id.to_be_bytes(), plain);
        SealedNumber { key_id: entry.id, bytes }
    }

    /// Decrypts a number that was sealed for this card.
    pub fn open(&self, card_id: i64, sealed: &SealedNumber) -> Result<CardNumber, OpenError> {
        let key_id = sealed.key_id;
        let subkeys = &self.entry(key_id)?.subkeys;
        let plain = decrypt(&subkeys.number_seal, &card_id.to_be_bytes(), &sealed.bytes)
            .ok_or(OpenError::NotAuthentic { key_id })?;
        let text = std::str::from_utf8(&plain).ok();
        text.and_then(|text| CardNumber::parse(text).ok()).ok_or(OpenError::WrongContent { key_id })
    }

    /// Encrypts a short text that must come back in plain, for one purpose (see [`purpose`]) and one
    /// record. Its length stays visible.
    pub fn seal_text(
        &self,
        context: i64,
        purpose: &'static str,
        text: &str,
    ) -> Result<SealedText, SealError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(SealError::TooLong { found: text.len() });
        }
        let entry = self.keys.current();
        let associated = text_context(context, purpose);
        let bytes = self.encrypt(&entry.subkeys.text_seal, &associated, text.as_bytes());
        Ok(SealedText { key_id: entry.id, bytes })
    }

    /// Decrypts a text that was sealed with this context and purpose.
    pub fn open_text(
        &self,
        context: i64,
        purpose: &'static str,
        sealed: &SealedText,
    ) -> Result<Zeroizing<String>, OpenError> {
        let key_id = sealed.key_id;
        let subkeys = &self.entry(key_id)?.subkeys;
        let plain = decrypt(&subkeys.text_seal, &text_context(context, purpose), &sealed.bytes)
            .ok_or(OpenError::NotAuthentic { key_id })?;
        let text = std::str::from_utf8(&plain).map_err(|_| OpenError::WrongContent { key_id })?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// The digest of a PIN for storage with its card, under the current key.
    pub fn pin_digest(&self, card_id: i64, pin: &Pin) -> PinDigest {
        let entry = self.keys.current();
        PinDigest { key_id: entry.id, bytes: pin_digest_under(entry, card_id, pin) }
    }

    /// Whether this is the card's PIN; takes the same time whether it is or not.
    ///
    /// A missing key is an error and not a wrong PIN: otherwise a server that was started with the
    /// wrong ring would lock every card out. To answer alike for a card that is unknown or has no PIN,
    /// let the caller compute a [`Self::pin_digest`] in its place, which costs the same.
    pub fn verify_pin(&self, card_id: i64, pin: &Pin, stored: &PinDigest) -> Result<bool, UnknownKey> {
        let computed = pin_digest_under(self.entry(stored.key_id)?, card_id, pin);
        Ok(computed.ct_eq(&stored.bytes).into())
    }

    /// A keyed fingerprint under the current key, with that key's id. Because it is keyed, the stored
    /// fingerprint of a request that holds a number and a PIN cannot be tested against guesses.
    pub fn fingerprint(&self, bytes: &[u8]) -> (u8, [u8; 16]) {
        let entry = self.keys.current();
        (entry.id, entry.subkeys.fingerprint.tag(&[bytes]))
    }

    /// The look-up indexes of a phone number within an issuer under every key, the current one first. Bound to
    /// the issuer, so that the same person at two issuers cannot be told from two persons.
    pub fn phone_indexes(&self, issuer: i64, phone: &str) -> impl Iterator<Item = (u8, [u8; 16])> {
        self.keys.entries().map(move |entry| {
            (entry.id, entry.subkeys.phone_index.tag(&[&issuer.to_be_bytes(), phone.as_bytes()]))
        })
    }

    /// The digest of a sign-in code for a phone under the current key, with that key's id. Keyed, because the few
    /// codes there are could otherwise be tried out on a stolen database.
    pub fn sign_in_digest(&self, phone_index: &[u8; 16], code: &str) -> (u8, [u8; 16]) {
        let entry = self.keys.current();
        (entry.id, entry.subkeys.sign_in_code.tag(&[phone_index, code.as_bytes()]))
    }

    /// Whether this is the code that was digested; takes the same time whether it is or not.
    pub fn verify_sign_in(&self, phone_index: &[u8; 16], code: &str, stored: (u8, [u8; 16])) -> bool {
        let Some(entry) = self.keys.entry(stored.0) else { return false };
        let computed = entry.subkeys.sign_in_code.tag(&[phone_index, code.as_bytes()]);
        computed.ct_eq(&stored.1).into()
    }

    /// The fingerprint under a given key, to compare with a stored one; `None` if the ring lacks the key.
    pub fn fingerprint_with(&self, key_id: u8, bytes: &[u8]) -> Option<[u8; 16]> {
        Some(self.keys.entry(key_id)?.subkeys.fingerprint.tag(&[bytes]))
    }

    fn entry(&self, key_id: u8) -> Result<&Entry, UnknownKey> {
        self.keys.entry(key_id).ok_or(UnknownKey { key_id })
    }

    fn encrypt(&self, cipher: &Aes256Gcm, associated: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        self.nonces().fill(&mut nonce);
        let mut bytes = Vec::with_capacity(NONCE_BYTES + plain.len() + TAG_BYTES);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(plain);
        let tag = cipher
            .encrypt_inout_detached(&Nonce::from(nonce), associated, (&mut bytes[NONCE_BYTES..]).into())
            .expect("far below the cipher's limit of 64 GiB");
        bytes.extend_from_slice(&tag);
        bytes
    }

    fn nonces(&self) -> MutexGuard<'_, Box<dyn Randomness + Send>> {
        // A panic while drawing leaves at worst bytes unused, so a poisoned source is still good.
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("keys", &self.keys).finish_non_exhaustive()
    }
}

fn index_under(entry: &Entry, number: &CardNumber) -> [u8; 16] {
    entry.subkeys.number_index.tag(&[number.expose().as_bytes()])
}

fn pin_digest_under(entry: &Entry, card_id: i64, pin: &Pin) -> [u8; 16] {
    entry.subkeys.pin_digest.tag(&[&card_id.to_be_bytes(), pin.expose().as_bytes()])
}

/// Context first, because it has a fixed length: no two pairs run together into the same bytes.
fn text_context(context: i64, purpose: &str) -> Vec<u8> {
    [&context.to_be_bytes(), purpose.as_bytes()].concat()
}

fn decrypt(cipher: &Aes256Gcm, associated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let (body, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
    let mut plain = Zeroizing::new(body.to_vec());
    cipher
        .decrypt_inout_detached(
            &Nonce::from(*nonce),
            associated,
            plain.as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .ok()?;
    Some(plain)
}
