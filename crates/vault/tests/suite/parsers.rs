//! Fuzzing of everything that reads outside text: no input makes it panic, print a secret, or accept
//! what it would not write.

use proptest::prelude::*;
use vault::{CardNumber, IssuerPrefix, KeyRing, OpenError, Pin, SealedNumber, client_id_of};

use crate::support::{KEY_1, KEY_2, ring_json, vault};

/// Anything, and things that are nearly right.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9]{0,24}",
        "[0-9]{14,20}",
        "[0-9]{0,18}[^0-9][0-9]{0,18}",
        "[0-9 \\-+\\u{ff10}-\\u{ff19}]{10,24}",
        "hx_[a-z_]{0,8}_?[A-Za-z0-9_-]{40,46}",
    ]
}

fn ring() -> impl Strategy<Value = String> {
    let id = prop_oneof![(0..300_u32).prop_map(|id| id.to_string()), "[0-9+-]{0,4}"];
    let key =
        prop_oneof![Just(KEY_1.to_owned()), Just(KEY_2.to_owned()), "[0-9a-f]{64}", "[A-Za-z0-9+/=]{42,44}"];
    let keys = prop::collection::vec((id, key), 0..5);
    let built = (0..260_u32, keys).prop_map(|(current, keys)| {
        let keys: Vec<String> = keys.iter().map(|(id, key)| format!(r#""{id}":"{key}""#)).collect();
        format!(r#"{{"current":{current},"keys":{{{}}}}}"#, keys.join(","))
    });
    let damaged = (any::<prop::sample::Index>(), any::<char>()).prop_map(|(place, with)| {
        let mut characters: Vec<char> = ring_json(1).chars().collect();
        let place = place.index(characters.len());
        characters[place] = with;
        characters.into_iter().collect()
    });
    prop_oneof![any::<String>(), built, damaged]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn numbers(text in text()) {
        if let Ok(number) = CardNumber::parse(&text) {
            prop_assert_eq!(number.expose(), text.as_str());
            prop_assert!((16..=19).contains(&text.len()));
            prop_assert_eq!(number.to_string().len(), text.len());
        }
    }

    #[test]
    fn one_more_digit_always_completes_a_number(payload in "[0-9]{15,18}") {
        let good = (0..10).filter(|check| CardNumber::parse(&format!("{payload}{check}")).is_ok()).count();
        prop_assert_eq!(good, 1);
    }

    #[test]
    fn pins(text in text()) {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let good = digits && (4..=12).contains(&text.len());
        prop_assert_eq!(Pin::parse(&text).is_ok(), good);
    }

    #[test]
    fn prefixes(text in text()) {
        if let Ok(prefix) = IssuerPrefix::parse(&text) {
            prop_assert_eq!(prefix.as_str(), text.as_str());
        }
    }

    #[test]
    fn tokens(text in text()) {
        if let Some(client_id) = client_id_of(&text) {
            let start = format!("hx_{client_id}_");
            prop_assert!(text.starts_with(&start));
            prop_assert_eq!(text.len(), start.len() + 43);
        }
    }

    #[test]
    fn rings(json in ring()) {
        match KeyRing::from_json(&json) {
            Ok(ring) => {
                let again = KeyRing::from_json(&ring.to_json()).expect("its own JSON");
                prop_assert_eq!(again.to_json(), ring.to_json());
            }
            Err(error) => {
                let printed = format!("{error} {error:?}");
                prop_assert!(!printed.contains(KEY_1) && !printed.contains(KEY_2));
            }
        }
    }

    #[test]
    fn sealed_values(card_id: i64, key_id: u8, bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let opened = vault(1, 1).open(card_id, &SealedNumber { key_id, bytes });
        let expected = matches!(opened, Err(OpenError::UnknownKey(_) | OpenError::NotAuthentic { .. }));
        prop_assert!(expected);
    }
}
