//! One-time passwords by time: RFC 6238 over RFC 4226, with SHA-1, six digits and thirty seconds, which every
//! authenticator understands.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Seconds for which a password is shown.
pub const PERIOD: i64 = 30;
/// Steps before and after now that are accepted: clocks differ, and people type slowly.
const LEEWAY: i64 = 1;
/// 160 bits, as RFC 4226 recommends.
pub const SECRET_BYTES: usize = 20;

/// A shared secret. Prints masked, and is wiped when dropped.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// These bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// In Base32 (RFC 4648) without padding, as it is typed into a device by hand.
    pub fn to_base32(&self) -> Zeroizing<String> {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut text = Zeroizing::new(String::with_capacity(self.0.len() * 8 / 5 + 1));
        let (mut buffer, mut bits) = (0_u32, 0_u32);
        for byte in self.0.iter() {
            buffer = (buffer << 8) | u32::from(*byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                text.push(char::from(ALPHABET[usize::try_from((buffer >> bits) & 31).unwrap_or(0)]));
            }
            buffer &= (1 << bits) - 1;
        }
        if bits > 0 {
            text.push(char::from(ALPHABET[usize::try_from((buffer << (5 - bits)) & 31).unwrap_or(0)]));
        }
        text
    }

    /// From such a text.
    pub fn from_base32(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 5 / 8));
        let (mut buffer, mut bits) = (0_u32, 0_u32);
        for character in text.bytes() {
            let value = match character {
                b'A'..=b'Z' => character - b'A',
                b'2'..=b'7' => character - b'2' + 26,
                _ => return None,
            };
            buffer = (buffer << 5) | u32::from(value);
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from((buffer >> bits) & 255).unwrap_or(0));
                buffer &= (1 << bits) - 1;
            }
        }
        Some(Self(bytes))
    }

    /// The address that a device reads from a picture.
    pub fn uri(&self, login: &str) -> Zeroizing<String> {
        let label: String = login.bytes().map(escaped).collect();
        Zeroizing::new(format!(
            "otpauth://totp/Hexiao:{label}?secret={}&issuer=Hexiao&algorithm=SHA1&digits=6&period={PERIOD}",
            *self.to_base32()
        ))
    }

    fn code(&self, step: i64) -> Zeroizing<String> {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let offset = usize::from(digest[19] & 15);
        let mut word = [0; 4];
        word.copy_from_slice(&digest[offset..offset + 4]);
        let number = u32::from_be_bytes(word) & 0x7fff_ffff;
        Zeroizing::new(format!("{:06}", number % 1_000_000))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

/// The time step at this second.
pub fn step_at(seconds: i64) -> i64 {
    seconds.div_euclid(PERIOD)
}

/// The time step whose password this is, if it is one that is good at this second. All are compared, so that the
/// time it takes says nothing.
pub fn matching_step(secret: &Secret, code: &str, seconds: i64) -> Option<i64> {
    let now = step_at(seconds);
    let mut found = None;
    for step in now - LEEWAY..=now + LEEWAY {
        if bool::from(secret.code(step).as_bytes().ct_eq(code.as_bytes())) {
            found = Some(step);
        }
    }
    found
}

/// The password of this second: for tests, and for those who try a server out.
pub fn code_at(secret: &Secret, seconds: i64) -> Zeroizing<String> {
    secret.code(step_at(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, cut to six digits.
    #[test]
    fn known_answers() {
        let secret = Secret::new(b"12345678901234567890".to_vec());
        for (seconds, expect) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(&secret, seconds).as_str(), expect, "{seconds}");
            assert_eq!(matching_step(&secret, expect, seconds), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn neighbours_are_accepted_and_nothing_else() {
        let secret = Secret::new(vec![7; SECRET_BYTES]);
        let now = 1_800_000_015;
        for (offset, expect) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            let code = code_at(&secret, now + offset);
            assert_eq!(matching_step(&secret, &code, now).is_some(), expect, "{offset}");
        }
        for wrong in ["", "12345", "1234567", "abcdef"] {
            assert_eq!(matching_step(&secret, wrong, now), None, "{wrong}");
        }
    }

    /// RFC 4648, section 10.
    #[test]
    fn base32_round_trips() {
        for (bytes, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(Secret::new(bytes.into()).to_base32().as_str(), text);
            assert_eq!(&*Secret::from_base32(text).expect("Base32").0, bytes.as_bytes());
        }
        assert!(Secret::from_base32("mz").is_none());
        assert_eq!(format!("{:?}", Secret::new(vec![1])), "Secret(***)");
    }
}
