//! The two ceremonies (WebAuthn Level 3, sections 7.1 and 7.2): what has to be checked when a passkey is made, and
//! when it is used. Pure.
//!
//! No attestation is asked for and none is judged: which models of authenticators people have is their own affair.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{
    authenticator_data::AuthenticatorData,
    cbor::{Reader, Value},
    client_data::ClientData,
    public_key::PublicKey,
    web_origin::WebOrigin,
};

/// The longest object that an authenticator may send when it makes a passkey.
pub const MAX_ATTESTATION: usize = 16 * 1024;
/// The longest signature: RSA with 8192 bits.
pub const MAX_SIGNATURE: usize = 1024;

/// Something in an answer is wrong; who is told learns no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer of the authenticator is wrong")]
pub struct Wrong;

/// What is expected of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The page that asked.
    pub origin: &'a WebOrigin,
    /// Whether the authenticator must have made sure that it was its owner.
    pub verified: bool,
}

/// A browser's answer when a passkey was made.
#[derive(Clone, Debug)]
pub struct Attestation {
    /// The client data, as it was hashed.
    pub client_data: Vec<u8>,
    /// The attestation object.
    pub object: Vec<u8>,
}

/// A browser's answer when a passkey was used.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// The credential's id.
    pub credential: Vec<u8>,
    /// The client data, as it was hashed.
    pub client_data: Vec<u8>,
    /// What the authenticator says.
    pub authenticator_data: Vec<u8>,
    /// Its signature.
    pub signature: Vec<u8>,
    /// Whose the passkey is, by what it was told when it was made.
    pub user_handle: Option<Vec<u8>>,
}

/// A passkey that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The credential's id.
    pub credential: Vec<u8>,
    /// Its public key, as COSE has it.
    pub public_key: Vec<u8>,
    /// How often its authenticator signed.
    pub counter: u32,
}

/// Checks the making of a passkey. The challenge is the caller's to judge.
pub fn made(answer: &Attestation, client: &ClientData, expected: Expected<'_>) -> Result<Made, Wrong> {
    check_client(client, "webauthn.create", expected)?;
    if answer.object.len() > MAX_ATTESTATION {
        return Err(Wrong);
    }
    let bytes = authenticator_data_in(&answer.object)?;
    let data = AuthenticatorData::read(bytes).map_err(|_| Wrong)?;
    check_data(&data, expected)?;
    let made = data.credential.ok_or(Wrong)?;
    Ok(Made { credential: made.id.to_vec(), public_key: made.cose.to_vec(), counter: data.counter })
}

/// Checks the use of a passkey, and returns its counter. The challenge is the caller's to judge.
pub fn used(
    answer: &Assertion,
    client: &ClientData,
    public_key: &[u8],
    expected: Expected<'_>,
) -> Result<u32, Wrong> {
    check_client(client, "webauthn.get", expected)?;
    let data = AuthenticatorData::read(&answer.authenticator_data).map_err(|_| Wrong)?;
    check_data(&data, expected)?;
    let key = PublicKey::from_cose(public_key).map_err(|_| Wrong)?;
    let mut message = answer.authenticator_data.clone();
    message.extend_from_slice(&Sha256::digest(&answer.client_data));
    if answer.signature.len() > MAX_SIGNATURE || !key.verifies(&message, &answer.signature) {
        return Err(Wrong);
    }
    Ok(data.counter)
}

fn check_client(client: &ClientData, kind: &str, expected: Expected<'_>) -> Result<(), Wrong> {
    let fits = client.kind == kind && client.origin == expected.origin.as_str() && !client.is_cross_origin;
    if fits { Ok(()) } else { Err(Wrong) }
}

fn check_data(data: &AuthenticatorData<'_>, expected: Expected<'_>) -> Result<(), Wrong> {
    let hash = Sha256::digest(expected.origin.rp_id().as_bytes());
    let ours = bool::from(hash.as_slice().ct_eq(data.rp_id_hash));
    let fits = ours && data.is_present() && (data.is_verified() || !expected.verified);
    if fits { Ok(()) } else { Err(Wrong) }
}

/// The authenticator data in an attestation object. Its statement, whatever it is, is read over.
fn authenticator_data_in(object: &[u8]) -> Result<&[u8], Wrong> {
    let mut reader = Reader::new(object);
    let mut found = None;
    for _ in 0..reader.map().map_err(|_| Wrong)? {
        let key = reader.value().map_err(|_| Wrong)?;
        let value = reader.value().map_err(|_| Wrong)?;
        if let (Value::Text("authData"), Value::Bytes(bytes)) = (key, value) {
            found = Some(bytes);
        }
    }
    if reader.rest().is_empty() { found.ok_or(Wrong) } else { Err(Wrong) }
}
