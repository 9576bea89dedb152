//! Public keys of credentials, as COSE has them (RFC 9052, RFC 9053, RFC 8230), of the three algorithms that
//! authenticators have: ES256 of most, EdDSA of some, RS256 of older TPMs.

use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

use crate::cbor::{NotCbor, Reader, Value};

/// The algorithms by their numbers in COSE, the best first: what an authenticator is asked for.
pub const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];
const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;
/// 8192 bits.
const MAX_MODULUS: usize = 1024;

/// A key to verify signatures with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// ECDSA on P-256 with SHA-256: the point, uncompressed.
    Es256([u8; 65]),
    /// Ed25519.
    Ed25519([u8; 32]),
    /// RSASSA-PKCS1-v1_5 with SHA-256: modulus and exponent.
    Rs256(Vec<u8>, Vec<u8>),
}

/// The members of a key, by their labels. What −1 to −3 mean depends on the kind.
#[derive(Default)]
struct Members<'a> {
    kind: Option<i64>,
    algorithm: Option<i64>,
    curve: Option<i64>,
    minus_one: Option<&'a [u8]>,
    minus_two: Option<&'a [u8]>,
    minus_three: Option<&'a [u8]>,
}

impl PublicKey {
    /// Reads the key that comes next.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, NotCbor> {
        let mut members = Members::default();
        for _ in 0..reader.map()? {
            let label = reader.value()?;
            let value = reader.value()?;
            match (label, value) {
                (Value::Int(1), Value::Int(number)) => members.kind = Some(number),
                (Value::Int(3), Value::Int(number)) => members.algorithm = Some(number),
                (Value::Int(-1), Value::Int(number)) => members.curve = Some(number),
                (Value::Int(-1), Value::Bytes(bytes)) => members.minus_one = Some(bytes),
                (Value::Int(-2), Value::Bytes(bytes)) => members.minus_two = Some(bytes),
                (Value::Int(-3), Value::Bytes(bytes)) => members.minus_three = Some(bytes),
                _ => {}
            }
        }
        Self::of(&members).ok_or(NotCbor)
    }

    /// Reads a key and nothing beside it.
    pub fn from_cose(cose: &[u8]) -> Result<Self, NotCbor> {
        let mut reader = Reader::new(cose);
        let key = Self::read(&mut reader)?;
        if reader.rest().is_empty() { Ok(key) } else { Err(NotCbor) }
    }

    fn of(members: &Members<'_>) -> Option<Self> {
        match (members.kind?, members.algorithm?, members.curve) {
            (2, ES256, Some(1)) => {
                let mut point = [4; 65];
                point.get_mut(1..33)?.copy_from_slice(exactly(members.minus_two?, 32)?);
                point.get_mut(33..)?.copy_from_slice(exactly(members.minus_three?, 32)?);
                Some(Self::Es256(point))
            }
            (1, EDDSA, Some(6)) => Some(Self::Ed25519(members.minus_two?.try_into().ok()?)),
            (3, RS256, None) => {
                let (modulus, exponent) = (members.minus_one?, members.minus_two?);
                let fits = (256..=MAX_MODULUS).contains(&modulus.len()) && (1..=8).contains(&exponent.len());
                fits.then(|| Self::Rs256(modulus.to_vec(), exponent.to_vec()))
            }
            _ => None,
        }
    }

    /// Whether this is its signature of the message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok()
            }
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
            Self::Rs256(n, e) => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
        }
    }
}

fn exactly(bytes: &[u8], length: usize) -> Option<&[u8]> {
    (bytes.len() == length).then_some(bytes)
}
