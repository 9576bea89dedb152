//! Randomness as an argument: the operating system's generator for real use, a repeatable stream for
//! tests and simulations. The only file that may read the operating system's generator.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// A source of random bytes.
pub trait Randomness {
    /// Overwrites `destination` with random bytes.
    fn fill(&mut self, destination: &mut [u8]);

    /// A number drawn uniformly from `0..bound`.
    ///
    /// Draws that fall into the incomplete last cycle of `bound` are thrown away, because taking the
    /// remainder of them would make low values likelier than high ones.
    ///
    /// # Panics
    /// If `bound` is zero.
    fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "the range to draw from must not be empty");
        let incomplete_cycle = (u64::MAX % bound + 1) % bound;
        loop {
            let mut bytes = Zeroizing::new([0; 8]);
            self.fill(&mut *bytes);
            let drawn = u64::from_be_bytes(*bytes);
            if drawn <= u64::MAX - incomplete_cycle {
                return drawn % bound;
            }
        }
    }
}

impl<R: Randomness + ?Sized> Randomness for &mut R {
    fn fill(&mut self, destination: &mut [u8]) {
        (**self).fill(destination);
    }
}

impl<R: Randomness + ?Sized> Randomness for Box<R> {
    fn fill(&mut self, destination: &mut [u8]) {
        (**self).fill(destination);
    }
}

/// Bytes fetched by one system call: a batch of 100,000 cards then costs a few hundred calls instead
/// of a few hundred thousand.
const BUFFER_BYTES: usize = 4096;

/// The operating system's generator, read in blocks. The one to use in production.
///
/// Bytes are wiped from the buffer as they are handed out, so a later look into memory does not show
/// earlier numbers. Not to be carried across a `fork`, where two processes would share a buffer.
pub struct OsRandomness {
    buffer: Box<[u8; BUFFER_BYTES]>,
    used: usize,
}

impl OsRandomness {
    /// A generator with an empty buffer; nothing is read before the first use.
    pub fn new() -> Self {
        Self { buffer: Box::new([0; BUFFER_BYTES]), used: BUFFER_BYTES }
    }
}

impl Default for OsRandomness {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for OsRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OsRandomness")
    }
}

impl Drop for OsRandomness {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

impl Randomness for OsRandomness {
    /// # Panics
    /// If the operating system has no randomness to give: stopping is better than issuing cards that
    /// can be guessed.
    fn fill(&mut self, destination: &mut [u8]) {
        for chunk in destination.chunks_mut(BUFFER_BYTES) {
            if BUFFER_BYTES - self.used < chunk.len() {
                read_from_system(&mut *self.buffer);
                self.used = 0;
            }
            let end = self.used + chunk.len();
            let source = &mut self.buffer[self.used..end];
            chunk.copy_from_slice(source);
            source.zeroize();
            self.used = end;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one generator that everything else is handed")]
fn read_from_system(destination: &mut [u8]) {
    getrandom::fill(destination).expect("the operating system gives random bytes");
}

/// A stream that anybody who knows the seed can repeat: for tests and simulations, **never** for
/// cards, PINs or keys that are worth something.
///
/// Block *n* is HMAC-SHA256(seed, *n*), so its output is as even as that of the real generator and
/// the same on every platform and version.
pub struct PredictableRandomness {
    keyed: Hmac<Sha256>,
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl PredictableRandomness {
    /// The stream of this seed, from its beginning.
    pub fn from_seed(seed: u64) -> Self {
        let keyed =
            Hmac::<Sha256>::new_from_slice(&seed.to_be_bytes()).expect("HMAC takes keys of any length");
        Self { keyed, counter: 0, block: [0; 32], used: 32 }
    }

    fn next_block(&mut self) {
        let mut mac = self.keyed.clone();
        mac.update(&self.counter.to_be_bytes());
        self.block = mac.finalize().into_bytes().into();
        self.counter = self.counter.wrapping_add(1);
        self.used = 0;
    }
}

impl fmt::Debug for PredictableRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PredictableRandomness")
    }
}

impl Randomness for PredictableRandomness {
    fn fill(&mut self, destination: &mut [u8]) {
        let mut rest = destination;
        while !rest.is_empty() {
            if self.used == self.block.len() {
                self.next_block();
            }
            let available = &self.block[self.used..];
            let taken = available.len().min(rest.len());
            let (head, tail) = rest.split_at_mut(taken);
            head.copy_from_slice(&available[..taken]);
            self.used += taken;
            rest = tail;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives the listed numbers one after the other.
    struct Scripted<'a>(std::slice::Iter<'a, u64>);

    impl Randomness for Scripted<'_> {
        fn fill(&mut self, destination: &mut [u8]) {
            destination.copy_from_slice(&self.0.next().expect("the script is long enough").to_be_bytes());
        }
    }

    fn scripted(draws: &[u64]) -> Scripted<'_> {
        Scripted(draws.iter())
    }

    #[test]
    fn draws_of_the_incomplete_cycle_are_thrown_away() {
        // 2^64 = 10 * 1844674407370955161 + 6: the six highest values must not be used.
        let last_of_full_cycle = u64::MAX - 6;
        assert_eq!(scripted(&[last_of_full_cycle]).below(10), 9);
        assert_eq!(scripted(&[last_of_full_cycle + 1, 3]).below(10), 3);
        assert_eq!(scripted(&[u64::MAX, u64::MAX - 5, 27]).below(10), 7);
    }

    #[test]
    fn a_power_of_two_wastes_no_draw() {
        assert_eq!(scripted(&[u64::MAX]).below(1 << 32), (1 << 32) - 1);
        assert_eq!(scripted(&[u64::MAX]).below(1), 0);
    }

    #[test]
    fn the_predictable_stream_does_not_depend_on_how_it_is_cut() {
        let mut whole = [0; 100];
        PredictableRandomness::from_seed(7).fill(&mut whole);
        let mut pieces = Vec::new();
        let mut stream = PredictableRandomness::from_seed(7);
        for length in [1, 31, 2, 33, 0, 33] {
            let mut piece = vec![0; length];
            stream.fill(&mut piece);
            pieces.extend(piece);
        }
        assert_eq!(whole.as_slice(), pieces);
    }

    #[test]
    fn the_system_generator_fills_more_than_its_buffer_and_never_repeats_itself() {
        let mut random = OsRandomness::new();
        let mut long = vec![0; 3 * BUFFER_BYTES + 5];
        random.fill(&mut long);
        let mut blocks: Vec<&[u8]> = long.chunks_exact(16).collect();
        let count = blocks.len();
        blocks.sort_unstable();
        blocks.dedup();
        assert_eq!(blocks.len(), count);
    }

    #[test]
    fn handed_out_bytes_are_wiped_from_the_buffer() {
        let mut random = OsRandomness::new();
        let mut taken = [0; 64];
        random.fill(&mut taken);
        assert_eq!(random.buffer[..64], [0; 64]);
        assert!(random.buffer[64..].iter().any(|&byte| byte != 0));
    }
}
