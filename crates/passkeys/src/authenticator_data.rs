//! What an authenticator says and signs (WebAuthn Level 3, section 6.1): for whom, whether somebody was there, how
//! often it signed, and, when it makes a credential, its id and public key.

use crate::{
    cbor::{NotCbor, Reader},
    public_key::PublicKey,
};

const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const HAS_CREDENTIAL: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

/// The longest id of a credential.
pub const MAX_CREDENTIAL: usize = 1023;

/// It, read.
#[derive(Debug)]
pub struct AuthenticatorData<'a> {
    /// SHA-256 of the id of the relying party.
    pub rp_id_hash: &'a [u8],
    flags: u8,
    /// How often it signed.
    pub counter: u32,
    /// The credential that it made.
    pub credential: Option<MadeCredential<'a>>,
}

/// A credential that was just made.
#[derive(Debug)]
pub struct MadeCredential<'a> {
    /// Its id.
    pub id: &'a [u8],
    /// Its public key as COSE has it.
    pub cose: &'a [u8],
    /// The same, read.
    pub key: PublicKey,
}

impl<'a> AuthenticatorData<'a> {
    /// Reads it, all of it and nothing more.
    pub fn read(bytes: &'a [u8]) -> Result<Self, NotCbor> {
        let (rp_id_hash, rest) = bytes.split_at_checked(32).ok_or(NotCbor)?;
        let (&flags, rest) = rest.split_first().ok_or(NotCbor)?;
        let (counter, mut rest) = rest.split_first_chunk::<4>().ok_or(NotCbor)?;
        let mut credential = None;
        if flags & HAS_CREDENTIAL != 0 {
            let (made, after) = made_credential(rest)?;
            (credential, rest) = (Some(made), after);
        }
        if flags & HAS_EXTENSIONS != 0 {
            let mut reader = Reader::new(rest);
            reader.value()?;
            rest = reader.rest();
        }
        // A backup of what cannot be backed up: the authenticator contradicts itself.
        let contradicts = flags & BACKED_UP != 0 && flags & BACKUP_ELIGIBLE == 0;
        if !rest.is_empty() || contradicts {
            return Err(NotCbor);
        }
        Ok(Self { rp_id_hash, flags, counter: u32::from_be_bytes(*counter), credential })
    }

    /// Whether somebody was there.
    pub fn is_present(&self) -> bool {
        self.flags & PRESENT != 0
    }

    /// Whether it made sure that it was its owner, by a PIN or a finger.
    pub fn is_verified(&self) -> bool {
        self.flags & VERIFIED != 0
    }
}

fn made_credential(bytes: &[u8]) -> Result<(MadeCredential<'_>, &[u8]), NotCbor> {
    // The model of the authenticator is not ours to know.
    let (_, rest) = bytes.split_at_checked(16).ok_or(NotCbor)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(NotCbor)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if !(1..=MAX_CREDENTIAL).contains(&length) {
        return Err(NotCbor);
    }
    let (id, rest) = rest.split_at_checked(length).ok_or(NotCbor)?;
    let mut reader = Reader::new(rest);
    let key = PublicKey::read(&mut reader)?;
    let after = reader.rest();
    let cose = rest.get(..rest.len() - after.len()).ok_or(NotCbor)?;
    Ok((MadeCredential { id, cose, key }, after))
}
