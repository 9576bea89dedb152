//! What is sent: redemptions one by one and in batches, look-ups, and nothing at all.
//!
//! These run on the measuring thread between two system calls, so they reuse their buffers and look at no
//! more of an answer than they must.

use std::io::Write;

use load_generator::{Source, write_get, write_post};
use serde_json::Value;

use super::{
    Counted,
    idempotency_keys::{FastRandom, KeyMaker},
    shop::Shop,
    tally::Tally,
};

/// How many redemptions a batch has.
const ITEMS: usize = 1000;
pub(super) const ITEMS_REAL: f64 = 1000.0;
const APPROVED: &[u8] = b"\"status\":\"approved\"";
/// `status` is the third field of an operation.
const HEAD_OF_ANSWER: usize = 160;
/// Sales of 0.01 to 0.07: small against a card's value, and not all alike.
const MAX_SALE: u64 = 7;

/// A route that does nothing.
#[derive(Default)]
pub(super) struct Noop {
    pub(super) failed: u64,
}

impl Source for Noop {
    fn request(&mut self, _: usize, _: u64, buffer: &mut Vec<u8>) {
        write_get(buffer, "/", &[]);
    }

    fn response(&mut self, _: usize, _: u64, status: u16, body: &[u8]) {
        if status != 200 || body != b"ok" {
            self.failed += 1;
        }
    }
}

/// Writes a redemption. Returns its amount.
fn write_sale(body: &mut Vec<u8>, shop: &Shop, random: &mut FastRandom, key: Option<&[u8]>) -> i64 {
    let number = random.one_of(&shop.numbers);
    let store = random.one_of(&shop.stores);
    let amount = i64::try_from(random.next() % MAX_SALE).unwrap_or(0) + 1;
    let sale = write!(
        body,
        r#"{{"card":{{"number":"{number}"}},"amount":{amount},"currency":"CNY","store":"{store}""#
    );
    sale.expect("a Vec takes every byte");
    if let Some(key) = key {
        body.extend_from_slice(b",\"key\":\"");
        body.extend_from_slice(key);
        body.push(b'"');
    }
    body.push(b'}');
    amount
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn shown(status: u16, body: &[u8]) -> String {
    let start = &body[..body.len().min(300)];
    format!("{status} {}", String::from_utf8_lossy(start))
}

/// Single redemptions.
pub(super) struct Redemptions {
    shop: Shop,
    keys: KeyMaker,
    body: Vec<u8>,
    /// The amount that each connection waits for.
    asked: Vec<i64>,
    pub(super) tally: Tally,
}

impl Redemptions {
    pub(super) fn new(shop: &Shop, keys: KeyMaker, connections: usize) -> Self {
        Self {
            shop: shop.clone(),
            keys,
            body: Vec::new(),
            asked: vec![0; connections],
            tally: Tally::default(),
        }
    }
}

impl Counted for Redemptions {
    fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl Source for Redemptions {
    fn request(&mut self, connection: usize, _: u64, buffer: &mut Vec<u8>) {
        self.body.clear();
        let key = self.keys.next();
        self.asked[connection] = write_sale(&mut self.body, &self.shop, &mut self.keys.random, None);
        let headers = [
            ("authorization", self.shop.authorization.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", std::str::from_utf8(&key).unwrap_or_default()),
        ];
        write_post(buffer, "/v1/redemptions", &headers, &self.body);
    }

    fn response(&mut self, connection: usize, _: u64, status: u16, body: &[u8]) {
        if status != 201 {
            self.tally.refuse(|| shown(status, body));
        } else if contains(&body[..body.len().min(HEAD_OF_ANSWER)], APPROVED) {
            self.tally.approve(self.asked[connection]);
        } else {
            self.tally.decline(|| shown(status, body));
        }
    }
}

/// Batches of redemptions.
pub(super) struct Batches {
    shop: Shop,
    keys: KeyMaker,
    body: Vec<u8>,
    asked: Vec<Vec<i64>>,
    tally: Tally,
}

impl Batches {
    pub(super) fn new(shop: &Shop, keys: KeyMaker, connections: usize) -> Self {
        let asked = vec![Vec::with_capacity(ITEMS); connections];
        Self { shop: shop.clone(), keys, body: Vec::new(), asked, tally: Tally::default() }
    }
}

impl Counted for Batches {
    fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl Source for Batches {
    fn request(&mut self, connection: usize, _: u64, buffer: &mut Vec<u8>) {
        self.body.clear();
        self.body.extend_from_slice(b"{\"items\":[");
        let asked = &mut self.asked[connection];
        asked.clear();
        for item in 0..ITEMS {
            if item > 0 {
                self.body.push(b',');
            }
            let key = self.keys.next();
            asked.push(write_sale(&mut self.body, &self.shop, &mut self.keys.random, Some(&key)));
        }
        self.body.extend_from_slice(b"]}");
        let headers =
            [("authorization", self.shop.authorization.as_str()), ("content-type", "application/json")];
        write_post(buffer, "/v1/redemptions/batch", &headers, &self.body);
    }

    fn response(&mut self, connection: usize, _: u64, status: u16, body: &[u8]) {
        let answer: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(results) = answer["results"].as_array().filter(|all| status == 200 && all.len() == ITEMS)
        else {
            self.tally.refuse(|| shown(status, body));
            return;
        };
        for (asked, result) in self.asked[connection].iter().zip(results) {
            match result["operation"]["status"].as_str() {
                Some("approved") => self.tally.approve(*asked),
                Some(_) => self.tally.decline(|| result.to_string()),
                None => self.tally.refuse(|| result.to_string()),
            }
        }
    }
}

/// Look-ups by number.
pub(super) struct Lookups {
    shop: Shop,
    random: FastRandom,
    body: Vec<u8>,
    tally: Tally,
}

impl Lookups {
    pub(super) fn new(shop: &Shop) -> Self {
        Self { shop: shop.clone(), random: FastRandom::new(), body: Vec::new(), tally: Tally::default() }
    }
}

impl Counted for Lookups {
    fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl Source for Lookups {
    fn request(&mut self, _: usize, _: u64, buffer: &mut Vec<u8>) {
        self.body.clear();
        let number = self.random.one_of(&self.shop.numbers);
        write!(self.body, r#"{{"number":"{number}"}}"#).expect("a Vec takes every byte");
        let headers =
            [("authorization", self.shop.authorization.as_str()), ("content-type", "application/json")];
        write_post(buffer, "/v1/cards/lookup", &headers, &self.body);
    }

    fn response(&mut self, _: usize, _: u64, status: u16, body: &[u8]) {
        if status != 200 {
            self.tally.refuse(|| shown(status, body));
        }
    }
}
