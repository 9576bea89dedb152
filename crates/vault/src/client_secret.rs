//! Secrets of API clients: a printable token shown once, and the hash of it that is stored.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::randomness::Randomness;

/// Lets secret scanners recognise a token that was committed or pasted somewhere.
const TOKEN_PREFIX: &str = "hx_";
const RANDOM_BYTES: usize = 32;
/// Base64url of 32 bytes without padding.
const RANDOM_CHARACTERS: usize = 43;
const MAX_CLIENT_ID: usize = 64;

/// A freshly made token, `hx_<client id>_<43 characters>`. Show it once, store [`secret_hash`] of it.
#[derive(Clone)]
pub struct ClientSecret(Zeroizing<String>);

/// The client id cannot be part of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client id has 1 to {MAX_CLIENT_ID} letters, digits, underscores or dashes")]
pub struct ClientIdError;

impl ClientSecret {
    /// A new token for this client with 256 random bits.
    pub fn generate(client_id: &str, random: &mut (impl Randomness + ?Sized)) -> Result<Self, ClientIdError> {
        if client_id.is_empty() || client_id.len() > MAX_CLIENT_ID || !client_id.bytes().all(is_token_byte) {
            return Err(ClientIdError);
        }
        let mut secret = Zeroizing::new([0; RANDOM_BYTES]);
        random.fill(&mut *secret);
        let mut characters = Zeroizing::new([0; RANDOM_CHARACTERS]);
        let encoded =
            Base64UrlUnpadded::encode(&*secret, &mut *characters).expect("43 characters hold 32 bytes");
        // Room for all, so that growing leaves no copy of the secret behind.
        let room = TOKEN_PREFIX.len() + client_id.len() + 1 + RANDOM_CHARACTERS;
        let mut token = Zeroizing::new(String::with_capacity(room));
        for part in [TOKEN_PREFIX, client_id, "_", encoded] {
            token.push_str(part);
        }
        Ok(Self(token))
    }

    /// The token in plain, to show to its owner this once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What to store: see [`secret_hash`].
    pub fn hash(&self) -> [u8; 32] {
        secret_hash(self.expose())
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client_id = client_id_of(self.expose()).unwrap_or_default();
        write!(f, "ClientSecret({TOKEN_PREFIX}{client_id}_***)")
    }
}

/// The client id inside a presented token, to find the client by; `None` if it is no token of ours.
/// Proves nothing: compare the hash afterwards.
pub fn client_id_of(token: &str) -> Option<&str> {
    let rest = token.strip_prefix(TOKEN_PREFIX)?;
    // From the end, because client ids and base64url may both contain underscores.
    let split = rest.len().checked_sub(RANDOM_CHARACTERS)?;
    let (head, random) = rest.split_at_checked(split)?;
    let client_id = head.strip_suffix('_')?;
    let well_formed = (1..=MAX_CLIENT_ID).contains(&client_id.len())
        && client_id.bytes().all(is_token_byte)
        && random.bytes().all(is_token_byte);
    well_formed.then_some(client_id)
}

/// SHA-256 of a presented token, to compare with the stored one.
///
/// A plain fast hash is enough here, where a password would need a slow one: the token holds 256
/// random bits, so there is nothing to try out.
pub fn secret_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whether two hashes are equal; takes the same time wherever they differ.
pub fn same_hash(left: &[u8; 32], right: &[u8; 32]) -> bool {
    left.ct_eq(right).into()
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}
