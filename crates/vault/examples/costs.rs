//! Prints what each operation of the vault costs on this machine:
//! `cargo run --release -p vault --example costs`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vault::{CardNumber, IssuerPrefix, KeyRing, OsRandomness, Pin, Vault};

const ROUNDS: u32 = 300_000;

fn main() {
    let mut random = OsRandomness::new();
    let vault = Vault::new(Arc::new(KeyRing::generate(&mut random)));
    let prefix = IssuerPrefix::parse("9588").expect("a prefix");
    let number = CardNumber::generate(&prefix, 19, &mut random).expect("a length in range");
    let pin = Pin::generate(&mut random);
    let sealed = vault.seal(1, &number);
    let digest = vault.pin_digest(1, &pin);

    measure("generate a number", || CardNumber::generate(&prefix, 19, &mut random));
    measure("generate a PIN", || Pin::generate(&mut random));
    measure("parse", || CardNumber::parse(number.expose()));
    measure("index", || vault.index(&number));
    measure("seal", || vault.seal(1, &number));
    measure("open", || vault.open(1, &sealed));
    measure("PIN digest", || vault.pin_digest(1, &pin));
    measure("verify a PIN", || vault.verify_pin(1, &pin, &digest));
    measure("fingerprint of 300 bytes", || vault.fingerprint(&[7; 300]));
}

/// The best of five runs: the least disturbed by whatever else the machine is doing.
fn measure<T>(what: &str, mut operation: impl FnMut() -> T) {
    let best: Duration = (0..5)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..ROUNDS {
                black_box(operation());
            }
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    println!("{what:<26} {:>7.3} µs", best.as_secs_f64() * 1e6 / f64::from(ROUNDS));
}
