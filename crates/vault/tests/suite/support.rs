//! Fixed keys and values that several tests use.

use std::sync::Arc;

use vault::{CardNumber, KeyRing, PredictableRandomness, Vault};

/// Key 1 is the bytes 0 to 31 in hexadecimal, key 2 the bytes 100 to 131 in base64.
pub(crate) const KEY_1: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
pub(crate) const KEY_2: &str = "ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM=";

pub(crate) const NUMBER: &str = "9588123456789016";

pub(crate) fn ring_json(current: u8) -> String {
    format!(r#"{{"current": {current}, "keys": {{"1": "{KEY_1}", "2": "{KEY_2}"}}}}"#)
}

/// Fixed keys, fixed nonces. The seed keeps apart vaults that share keys.
pub(crate) fn vault(current: u8, seed: u64) -> Vault {
    let keys = KeyRing::from_json(&ring_json(current)).expect("a good ring");
    Vault::with_randomness(Arc::new(keys), Box::new(PredictableRandomness::from_seed(seed)))
}

pub(crate) fn number() -> CardNumber {
    CardNumber::parse(NUMBER).expect("a good number")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { panic!("pairs of digits") };
    let byte = |pair: &[u8; 2]| {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16).expect("a digit"));
        u8::try_from(high * 16 + low).expect("two digits")
    };
    pairs.iter().map(byte).collect()
}
