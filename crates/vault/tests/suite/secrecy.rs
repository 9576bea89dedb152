//! Canaries: known secrets are put through everything that prints, and must not come out.

use serde::Deserialize;
use std::fmt::{Debug, Write};
use std::sync::Arc;

use vault::{CardNumber, ClientSecret, KeyRing, OsRandomness, Pin, PredictableRandomness, Vault};

use crate::support::{KEY_1, KEY_2, NUMBER, number, ring_json};

const PIN: &str = "493817";

#[derive(Debug, Deserialize)]
struct Request {
    number: CardNumber,
    pin: Pin,
}

/// A secret of digits must not even come out in a run of five of them.
fn assert_no_digits_of(secret: &str, printed: &str) {
    for window in secret.as_bytes().windows(5) {
        let window = std::str::from_utf8(window).expect("ASCII");
        assert!(!printed.contains(window), "{window} in {printed}");
    }
}

#[test]
fn nothing_prints_a_secret() {
    fn print(log: &mut String, value: &dyn Debug) {
        writeln!(log, "{value:?} {value:#?} {value:x?}").expect("a string takes all");
    }
    let keys = KeyRing::from_json(&ring_json(2)).expect("a good ring");
    let vault = Vault::new(Arc::new(keys));
    let pin = Pin::parse(PIN).expect("a good PIN");
    let secret = ClientSecret::generate("client", &mut OsRandomness::new()).expect("a good id");
    let request = format!(r#"{{"number": "{NUMBER}", "pin": "{PIN}"}}"#);

    let mut log = number().to_string();
    print(&mut log, &number());
    print(&mut log, &Some(vec![pin.clone()]));
    print(&mut log, &vault);
    print(&mut log, &secret);
    print(&mut log, &serde_json::from_str::<Request>(&request).expect("a good request"));
    print(&mut log, &vault.pin_digest(7, &pin));
    print(&mut log, &OsRandomness::new());
    print(&mut log, &PredictableRandomness::from_seed(1));

    assert!(log.contains("CardNumber(************9016)") && log.contains("Pin(***)"));
    assert_no_digits_of(NUMBER, &log);
    assert_no_digits_of(PIN, &log);
    let random_part = &secret.expose()["hx_client_".len()..];
    for secret in [KEY_1, KEY_2, random_part, "000102", "0, 1, 2", "100, 101", "64, 65, 66"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[test]
fn refused_input_is_not_quoted() {
    fn check(json: &str, expected: &str) {
        let error = serde_json::from_str::<Request>(json).expect_err(json).to_string();
        assert!(error.contains(expected), "{error}");
        assert_no_digits_of(NUMBER, &error);
        assert_no_digits_of(PIN, &error);
    }
    let number = |value: &str| format!(r#"{{"number": {value}, "pin": "{PIN}"}}"#);
    let pin = |value: &str| format!(r#"{{"number": "{NUMBER}", "pin": {value}}}"#);
    check(&number(NUMBER), "must be a card number as a string of digits, not a JSON number");
    check(&number(&format!("-{NUMBER}")), "not a JSON number");
    check(&number(&format!("{NUMBER}.5")), "not a JSON number");
    check(&number(&format!("{NUMBER}{NUMBER}")), "not a JSON number");
    check(&number(&format!("\"{NUMBER}0\"")), "check digit");
    check(&number(&format!("\"{NUMBER}0000\"")), "16 to 19 digits");
    check(&number(&format!("\"{NUMBER}x\"")), "character 17");
    check(&number(&format!("[\"{NUMBER}\"]")), "expected a card number");
    check(&number(&format!("{{\"{NUMBER}\": 1}}")), "expected a card number");
    check(&number("null"), "expected a card number");
    check(&pin(PIN), "must be a PIN as a string of digits, not a JSON number");
    check(&pin(&format!("\"{PIN}{PIN}0\"")), "4 to 12 digits");
    check(&pin(&format!("\"{PIN}x\"")), "digits 0 to 9");

    for text in [&NUMBER[1..], &format!("{NUMBER}x"), &NUMBER.replacen('9', "8", 1)] {
        let error = CardNumber::parse(text).expect_err("refused");
        assert_no_digits_of(NUMBER, &format!("{error} {error:?}"));
    }
}

#[test]
fn escapes_in_json_are_understood() {
    let json = format!(r#"{{"number": "\u0039{}", "pin": "\u0034{}"}}"#, &NUMBER[1..], &PIN[1..]);
    let request: Request = serde_json::from_str(&json).expect("a good request");
    assert_eq!((request.number.expose(), request.pin.expose()), (NUMBER, PIN));
}
