//! What the browser says and has signed (WebAuthn Level 3, section 5.8.1): what was asked for, by which page, with
//! which challenge.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;

/// The longest that is read.
pub const MAX_CLIENT_DATA: usize = 4096;

/// It, read. Browsers add members as time goes on, which are left alone.
#[derive(Debug, Deserialize)]
pub struct ClientData {
    /// `webauthn.create` or `webauthn.get`.
    #[serde(rename = "type")]
    pub kind: String,
    challenge: String,
    /// The page.
    pub origin: String,
    /// Whether it lay in a page of another origin.
    #[serde(rename = "crossOrigin", default)]
    pub is_cross_origin: bool,
}

impl ClientData {
    /// Reads it.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_CLIENT_DATA {
            return None;
        }
        serde_json::from_slice(bytes).ok()
    }

    /// The challenge's bytes.
    pub fn challenge(&self) -> Option<Vec<u8>> {
        Base64UrlUnpadded::decode_vec(&self.challenge).ok()
    }
}
