//! Codes that the wallet page makes offline and the server must know: both are held to one file, which neither
//! of them computed.

use domain::Timestamp;
use serde_json::Value;
use wallet::code::{Checked, DeviceSecret, PERIOD_SECONDS, PaymentCode, step_of};

fn secret_of(hex: &str) -> DeviceSecret {
    let byte = |n: usize| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).expect("a byte in hex");
    DeviceSecret::new(std::array::from_fn(byte))
}

#[test]
fn the_page_and_the_server_make_the_same_codes() {
    let file: Value = serde_json::from_str(include_str!("payment_codes.json")).expect("JSON");
    assert_eq!(file["period_s"].as_i64(), Some(PERIOD_SECONDS));
    let codes = file["codes"].as_array().expect("a list");
    assert!(codes.len() >= 10);
    for known in codes {
        let secret = secret_of(known["secret"].as_str().expect("a text"));
        let seconds = known["unix_seconds"].as_i64().expect("a number");
        let tag = u32::try_from(known["tag"].as_u64().expect("a number")).expect("8 digits");
        let now = Timestamp::from_micros(seconds * 1_000_000);
        let code = PaymentCode::of(tag, &secret, step_of(now));
        assert_eq!(code.digits().as_str(), known["code"].as_str().expect("a text"));
        assert_eq!(code.check(&secret, now), Checked::Good { step: step_of(now) });
    }
}
