//! Tokens of API clients.

use std::collections::HashSet;

use vault::{
    ClientIdError, ClientSecret, OsRandomness, PredictableRandomness, client_id_of, same_hash, secret_hash,
};

#[test]
fn a_token_names_its_client_and_hides_the_rest() {
    let mut random = PredictableRandomness::from_seed(1);
    for client_id in ["a", "client_01J9ZK", "with_under_scores-", &"x".repeat(64)] {
        let secret = ClientSecret::generate(client_id, &mut random).expect("a good id");
        let token = secret.expose();
        assert_eq!(token.len(), 3 + client_id.len() + 1 + 43);
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'));
        assert_eq!(client_id_of(token), Some(client_id));
        assert_eq!(format!("{secret:?}"), format!("ClientSecret(hx_{client_id}_***)"));
    }
}

#[test]
fn ids_that_do_not_fit_a_token_are_refused() {
    for bad in ["", "a b", "a/b", "客户", &"x".repeat(65)] {
        let made = ClientSecret::generate(bad, &mut PredictableRandomness::from_seed(1));
        assert_eq!(made.map(drop), Err(ClientIdError), "{bad}");
    }
}

#[test]
fn what_is_no_token_of_ours_names_no_client() {
    let random = "A".repeat(43);
    let good = format!("hx_client_{random}");
    assert_eq!(client_id_of(&good), Some("client"));
    for bad in [
        String::new(),
        "hx_".to_owned(),
        random.clone(),
        format!("hx_{random}"),
        format!("hx__{random}"),
        format!("HX_client_{random}"),
        format!("hx_cli ent_{random}"),
        format!("hx_client_{}é", "A".repeat(41)),
        format!("hx_client_{}é", "A".repeat(42)),
        format!("hx_{}_{random}", "x".repeat(65)),
    ] {
        assert_eq!(client_id_of(&bad), None, "{bad}");
    }
}

#[test]
fn hashes_are_sha256_and_compared_whole() {
    // FIPS 180-4, "abc".
    let abc = secret_hash("abc");
    assert_eq!(crate::support::hex(&abc), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert!(same_hash(&abc, &secret_hash("abc")));
    for bit in 0..256 {
        let mut other = abc;
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(!same_hash(&abc, &other));
    }
    let secret = ClientSecret::generate("client", &mut OsRandomness::new()).expect("a good id");
    assert!(same_hash(&secret.hash(), &secret_hash(secret.expose())));
}

#[test]
fn no_token_comes_twice() {
    let mut random = OsRandomness::new();
    let make = |_| ClientSecret::generate("client", &mut random).expect("a good id").expose().to_owned();
    assert_eq!((0..10_000).map(make).collect::<HashSet<_>>().len(), 10_000);
}
