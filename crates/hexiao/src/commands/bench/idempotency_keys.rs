//! Idempotency keys as callers make them: UUIDv7, which grow with time, or UUIDv4, which do not
//! (RFC 9562).

use std::time::Instant;

use domain::Timestamp;
use vault::{OsRandomness, Randomness};

use crate::cli::KeyOrder;

/// The length of a UUID as text.
pub(super) const KEY_LENGTH: usize = 36;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Makes keys that no run made before.
pub(super) struct KeyMaker {
    order: KeyOrder,
    began: Instant,
    began_at: Timestamp,
    pub(super) random: FastRandom,
}

impl KeyMaker {
    /// A maker; `epoch` is the time that an instant stands for.
    pub(super) fn new(order: KeyOrder, epoch: (Instant, Timestamp)) -> Self {
        Self { order, began: epoch.0, began_at: epoch.1, random: FastRandom::new() }
    }

    /// The next key.
    pub(super) fn next(&mut self) -> [u8; KEY_LENGTH] {
        let (mut high, low) = (self.random.next(), self.random.next());
        let version = match self.order {
            KeyOrder::Random => 4,
            KeyOrder::Ordered => {
                let elapsed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(0);
                let millis = u64::try_from(self.began_at.millis()).unwrap_or(0) + elapsed;
                high = (millis << 16) | (high & 0xffff);
                7
            }
        };
        let high = (high & !0xf000) | (version << 12);
        let low = (low & !(0b11 << 62)) | (0b10 << 62);
        text(high, low)
    }
}

fn text(high: u64, low: u64) -> [u8; KEY_LENGTH] {
    let mut digits = [0; 32];
    for (position, byte) in high.to_be_bytes().into_iter().chain(low.to_be_bytes()).enumerate() {
        digits[position * 2] = HEX[usize::from(byte >> 4)];
        digits[position * 2 + 1] = HEX[usize::from(byte & 15)];
    }
    let mut key = [b'-'; KEY_LENGTH];
    for (from, to, length) in [(0, 0, 8), (8, 9, 4), (12, 14, 4), (16, 19, 4), (20, 24, 12)] {
        key[to..to + length].copy_from_slice(&digits[from..from + length]);
    }
    key
}

/// Random enough to choose cards and keys of a measurement, and cheap: splitmix64.
pub(super) struct FastRandom(u64);

impl FastRandom {
    pub(super) fn new() -> Self {
        let mut seed = [0; 8];
        OsRandomness::new().fill(&mut seed);
        Self(u64::from_be_bytes(seed))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of a list. The bias of the remainder is far below what a measurement sees.
    pub(super) fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let position = self.next() % (items.len() as u64).max(1);
        &items[usize::try_from(position).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::IdempotencyKey;

    #[test]
    fn keys_are_uuids_and_ordered_ones_grow() {
        let epoch = (Instant::now(), Timestamp::from_micros(1_800_000_000_000_000));
        for (order, version) in [(KeyOrder::Ordered, b'7'), (KeyOrder::Random, b'4')] {
            let mut maker = KeyMaker::new(order, epoch);
            let key = maker.next();
            assert_eq!(key[14], version);
            let parsed = IdempotencyKey::parse(std::str::from_utf8(&key).unwrap()).unwrap();
            assert_eq!(parsed.stored_text(), None, "kept as a UUID, not as text");
            assert_ne!(maker.next(), key);
        }
        let mut maker = KeyMaker::new(KeyOrder::Ordered, epoch);
        let first = maker.next();
        std::thread::sleep(std::time::Duration::from_millis(3));
        assert!(maker.next() > first);
    }
}
