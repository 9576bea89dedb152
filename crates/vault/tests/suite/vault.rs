//! Index, seal, digest and fingerprint: fixed formats, refusal of everything tampered with, rotation.

use std::sync::Arc;

use vault::{
    CardNumber, KeyRing, OpenError, Pin, PinDigest, PredictableRandomness, SealError, SealedNumber,
    SealedText, UnknownKey, Vault, purpose,
};

use crate::support::{hex, number, unhex, vault};

const CARD: i64 = 77;

fn pin() -> Pin {
    Pin::parse("493817").expect("a good PIN")
}

/// Computed with an independent implementation (Python's hmac and cryptography). A change here orphans
/// what installations have stored.
#[test]
fn stored_formats_are_fixed() {
    let (first, second) = (vault(1, 1), vault(2, 2));
    // The number that the vectors were computed for.
    let number = || CardNumber::parse("6212345678901232").expect("a good number");
    assert_eq!(hex(&first.index(&number())), "e9732e77b681f11762cfb88954997be5");
    assert_eq!(hex(&second.index(&number())), "9a95112ba4f007a274717fabec33642c");
    assert_eq!(hex(&first.pin_digest(CARD, &pin()).bytes), "2fa80ad283b89bff201328cb35953436");
    assert_eq!(hex(&second.pin_digest(CARD, &pin()).bytes), "c459ceee6d370b8eb4ebf30bbc73e3d8");
    assert_eq!(hex(&first.fingerprint(b"request").1), "b7e4080804a7c58cae36ef2497e005f4");
    assert_eq!(hex(&second.fingerprint(b"request").1), "492c585f744bdbf128a5266988e5d975");
    let sealed = "000102030405060708090a0b11edff99acbf01da152b3ec0ab5fe04a94acf60a396277a24680e08fbe582b9b";
    let sealed = SealedNumber { key_id: 1, bytes: unhex(sealed) };
    assert_eq!(second.open(CARD, &sealed), Ok(number()));
    let text = "000102030405060708090a0b1323936ba68a4708c6268518e05feed87ff3f65b6d7a";
    let text = SealedText { key_id: 1, bytes: unhex(text) };
    assert_eq!(
        **second.open_text(CARD, purpose::PIN_UNTIL_EXPORT, &text).as_ref().expect("opens"),
        *"493817"
    );
}

#[test]
fn a_sealed_number_opens_for_its_own_card_only() {
    let vault = vault(1, 1);
    let sealed = vault.seal(CARD, &number());
    assert_eq!(sealed.bytes.len(), 12 + 16 + 16);
    assert_eq!(vault.open(CARD, &sealed), Ok(number()));
    for other in [0, CARD + 1, -CARD, i64::MIN, i64::MAX] {
        assert_eq!(vault.open(other, &sealed), Err(OpenError::NotAuthentic { key_id: 1 }));
    }
}

#[test]
fn every_altered_bit_and_every_cut_is_noticed() {
    let vault = vault(1, 1);
    let sealed = vault.seal(CARD, &number());
    let refused = Err(OpenError::NotAuthentic { key_id: 1 });
    for bit in 0..sealed.bytes.len() * 8 {
        let mut altered = sealed.clone();
        altered.bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(vault.open(CARD, &altered), refused);
    }
    for length in 0..sealed.bytes.len() {
        let cut = SealedNumber { key_id: 1, bytes: sealed.bytes[..length].to_vec() };
        assert_eq!(vault.open(CARD, &cut), refused);
    }
    let mut longer = sealed.clone();
    longer.bytes.push(0);
    assert_eq!(vault.open(CARD, &longer), refused);
    let under_another = SealedNumber { key_id: 2, ..sealed.clone() };
    assert_eq!(vault.open(CARD, &under_another), Err(OpenError::NotAuthentic { key_id: 2 }));
    let under_none = SealedNumber { key_id: 9, ..sealed };
    assert_eq!(vault.open(CARD, &under_none), Err(OpenError::UnknownKey(UnknownKey { key_id: 9 })));
}

#[test]
fn sealing_twice_gives_two_values() {
    let vault = vault(1, 1);
    assert_ne!(vault.seal(CARD, &number()), vault.seal(CARD, &number()));
}

#[test]
fn texts_open_for_their_purpose_and_record_only() {
    let vault = vault(1, 1);
    let sealed = vault.seal_text(CARD, purpose::PIN_UNTIL_EXPORT, "493817").expect("short enough");
    let refused = Err(OpenError::NotAuthentic { key_id: 1 });
    assert_eq!(vault.open_text(CARD, "another purpose", &sealed), refused);
    assert_eq!(vault.open_text(CARD + 1, purpose::PIN_UNTIL_EXPORT, &sealed), refused);
    // A text is no number even where the bytes around it would fit.
    let as_number = SealedNumber {
        key_id: 1,
        bytes: vault.seal_text(CARD, "", "9588123456789016").expect("short enough").bytes,
    };
    assert_eq!(vault.open(CARD, &as_number), Err(OpenError::NotAuthentic { key_id: 1 }));
    let opened = vault.open_text(CARD, purpose::PIN_UNTIL_EXPORT, &sealed).expect("opens");
    assert_eq!(*opened, "493817");
}

#[test]
fn texts_are_bounded() {
    let vault = vault(1, 1);
    for length in [0, 1, 4096] {
        let sealed = vault.seal_text(1, "test", &"长".repeat(length / 3)).expect("short enough");
        assert_eq!(vault.open_text(1, "test", &sealed).expect("opens").len(), length / 3 * 3);
    }
    assert_eq!(vault.seal_text(1, "test", &"x".repeat(4097)), Err(SealError::TooLong { found: 4097 }));
}

#[test]
fn a_pin_is_right_for_its_card_only() {
    let vault = vault(1, 1);
    let stored = vault.pin_digest(CARD, &pin());
    assert_eq!(vault.verify_pin(CARD, &pin(), &stored), Ok(true));
    assert_eq!(vault.verify_pin(CARD + 1, &pin(), &stored), Ok(false));
    for wrong in ["493816", "4938", "4938170", "049381"] {
        let wrong = Pin::parse(wrong).expect("a good PIN");
        assert_eq!(vault.verify_pin(CARD, &wrong, &stored), Ok(false));
    }
    assert_eq!(vault.verify_pin(CARD, &pin(), &PinDigest { key_id: 2, ..stored }), Ok(false));
    let without_key = PinDigest { key_id: 3, ..stored };
    assert_eq!(vault.verify_pin(CARD, &pin(), &without_key), Err(UnknownKey { key_id: 3 }));
}

/// A stolen database without its keys: trying all PINs under other keys matches nothing.
#[test]
fn a_stolen_digest_without_its_key_gives_no_pin() {
    let stored = vault(1, 1).pin_digest(CARD, &pin());
    let thief = vault(2, 2);
    for guess in 0..1_000_000 {
        let guess = Pin::parse(&format!("{guess:06}")).expect("a good PIN");
        assert_ne!(thief.pin_digest(CARD, &guess).bytes, stored.bytes);
    }
}

#[test]
fn rotation_keeps_old_values_readable_and_makes_new_ones_under_the_new_key() {
    let mut random = PredictableRandomness::from_seed(3);
    let before_ring = KeyRing::generate(&mut random);
    let mut after_ring = KeyRing::from_json(&before_ring.to_json()).expect("its own JSON");
    assert_eq!(after_ring.rotate(&mut random).expect("room for keys"), 2);
    assert_eq!(after_ring.rotate(&mut random).expect("room for keys"), 3);
    let (before, after) = (Vault::new(Arc::new(before_ring)), Vault::new(Arc::new(after_ring)));

    let (sealed, digest) = (before.seal(CARD, &number()), before.pin_digest(CARD, &pin()));
    let text = before.seal_text(CARD, purpose::PIN_UNTIL_EXPORT, "493817").expect("short enough");
    assert_eq!((sealed.key_id, digest.key_id, text.key_id), (1, 1, 1));
    assert_eq!(after.open(CARD, &sealed), Ok(number()));
    assert_eq!(after.verify_pin(CARD, &pin(), &digest), Ok(true));
    assert_eq!(*after.open_text(CARD, purpose::PIN_UNTIL_EXPORT, &text).expect("opens"), "493817");

    assert_eq!(after.seal(CARD, &number()).key_id, 3);
    assert_eq!(after.pin_digest(CARD, &pin()).key_id, 3);
    assert_eq!(after.fingerprint(b"request").0, 3);
    let indexes: Vec<(u8, [u8; 16])> = after.indexes(&number()).collect();
    assert_eq!(indexes.iter().map(|(key_id, _)| *key_id).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(indexes[0].1, after.index(&number()));
    assert_eq!(indexes[2].1, before.index(&number()));
}

#[test]
fn the_current_key_comes_first_even_if_it_is_not_the_newest() {
    let order = |current| vault(current, 1).indexes(&number()).map(|(key_id, _)| key_id).collect::<Vec<_>>();
    assert_eq!(order(1), [1, 2]);
    assert_eq!(order(2), [2, 1]);
}

#[test]
fn fingerprints_are_keyed_and_repeatable() {
    let vault = vault(2, 1);
    let (key_id, fingerprint) = vault.fingerprint(b"request");
    assert_eq!(vault.fingerprint_with(key_id, b"request"), Some(fingerprint));
    assert_ne!(vault.fingerprint_with(1, b"request"), Some(fingerprint));
    assert_ne!(vault.fingerprint_with(key_id, b"request "), Some(fingerprint));
    assert_eq!(vault.fingerprint_with(3, b"request"), None);
}

#[test]
fn indexes_of_different_numbers_differ() {
    let vault = vault(1, 1);
    let other = CardNumber::parse("4111111111111111").expect("a good number");
    assert_ne!(vault.index(&number()), vault.index(&other));
}

#[test]
fn a_vault_is_shared_between_threads() {
    let vault = Arc::new(vault(1, 1));
    let sealed: Vec<SealedNumber> = std::thread::scope(|scope| {
        let seal_many = || (0..500).map(|_| vault.seal(CARD, &number())).collect::<Vec<_>>();
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(seal_many)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    let mut nonces: Vec<&[u8]> = sealed.iter().map(|sealed| &sealed.bytes[..12]).collect();
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 2000, "no nonce is used twice");
}
