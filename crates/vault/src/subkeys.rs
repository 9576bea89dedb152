//! From one master key, one key for each purpose, so that a value made for one purpose never means
//! anything for another, and a weakness in one use does not touch the rest.

use aes_gcm::{Aes256Gcm, Key};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

pub(crate) type MasterKey = Zeroizing<[u8; 32]>;

/// Labels are part of the stored format: changing one orphans everything made with it.
const NUMBER_INDEX: &[u8] = b"hexiao vault 1 number index";
const NUMBER_SEAL: &[u8] = b"hexiao vault 1 number seal";
const TEXT_SEAL: &[u8] = b"hexiao vault 1 text seal";
const PIN_DIGEST: &[u8] = b"hexiao vault 1 pin digest";
const FINGERPRINT: &[u8] = b"hexiao vault 1 fingerprint";
const PHONE_INDEX: &[u8] = b"hexiao vault 1 phone index";
const SIGN_IN_CODE: &[u8] = b"hexiao vault 1 sign-in code";

/// Ready-made states of all purposes. Preparing them once saves each index two of its four SHA-256
/// compressions, and each seal its AES key schedule. All members wipe themselves when dropped.
pub(crate) struct Subkeys {
    pub(crate) number_index: Prf,
    pub(crate) number_seal: Aes256Gcm,
    pub(crate) text_seal: Aes256Gcm,
    pub(crate) pin_digest: Prf,
    pub(crate) fingerprint: Prf,
    pub(crate) phone_index: Prf,
    pub(crate) sign_in_code: Prf,
}

impl Subkeys {
    pub(crate) fn derive(master: &MasterKey) -> Self {
        let expander = Prf::new(&**master);
        Self {
            number_index: Prf::new(&*expander.expand(NUMBER_INDEX)),
            number_seal: cipher(&expander.expand(NUMBER_SEAL)),
            text_seal: cipher(&expander.expand(TEXT_SEAL)),
            pin_digest: Prf::new(&*expander.expand(PIN_DIGEST)),
            fingerprint: Prf::new(&*expander.expand(FINGERPRINT)),
            phone_index: Prf::new(&*expander.expand(PHONE_INDEX)),
            sign_in_code: Prf::new(&*expander.expand(SIGN_IN_CODE)),
        }
    }
}

fn cipher(key: &[u8; 32]) -> Aes256Gcm {
    <Aes256Gcm as KeyInit>::new(&Key::<Aes256Gcm>::from(*key))
}

/// HMAC-SHA256 with its key already worked in.
pub(crate) struct Prf(Hmac<Sha256>);

impl Prf {
    fn new(key: &[u8]) -> Self {
        Self(Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    /// The first 128 bits over the parts, one after the other. Callers give all parts but the last a
    /// fixed length, so that different parts never run together into the same message.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> [u8; 16] {
        let full = self.full(parts);
        let mut tag = [0; 16];
        tag.copy_from_slice(&full[..16]);
        tag
    }

    /// HKDF-Expand (RFC 5869) for one block of output. The extract step is left out, as its section
    /// 3.3 allows, because a master key is uniformly random already.
    fn expand(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        self.full(&[label, &[1]])
    }

    fn full(&self, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    /// Fails to compile when a dependency loses its `zeroize` feature. HMAC itself carries no marker, but
    /// consists of hash states that do.
    #[test]
    fn prepared_keys_wipe_themselves() {
        fn wipes_itself<T: ZeroizeOnDrop>() {}
        wipes_itself::<MasterKey>();
        wipes_itself::<Sha256>();
        wipes_itself::<Aes256Gcm>();
    }

    #[test]
    fn hmac_known_answer() {
        // RFC 4231, test case 2.
        let tag = Prf::new(b"Jefe").tag(&[b"what do ya want ", b"for nothing?"]);
        assert_eq!(tag, 0x5bdc_c146_bf60_754e_6a04_2426_0895_75c7_u128.to_be_bytes());
    }

    #[test]
    fn every_purpose_has_its_own_key() {
        let expander = Prf::new(&[7; 32]);
        let labels =
            [NUMBER_INDEX, NUMBER_SEAL, TEXT_SEAL, PIN_DIGEST, FINGERPRINT, PHONE_INDEX, SIGN_IN_CODE];
        let mut keys: Vec<_> = labels.map(|label| *expander.expand(label)).to_vec();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 7);
    }
}
