//! Tokens of sessions and invitations: 256 random bits, of which only a hash is stored.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use vault::Randomness;
use zeroize::Zeroizing;

const RANDOM_BYTES: usize = 32;
/// Base64url of 32 bytes without padding.
const CHARACTERS: usize = 43;

/// A token in plain. Prints masked, and is wiped when dropped.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// A new one.
    pub fn generate(random: &mut (impl Randomness + ?Sized)) -> Self {
        let mut bytes = Zeroizing::new([0; RANDOM_BYTES]);
        random.fill(&mut *bytes);
        Self(Zeroizing::new(Base64UrlUnpadded::encode_string(&*bytes)))
    }

    /// One that somebody sent, if it can be one.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == CHARACTERS
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        fits.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The token in plain, to give to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored. A fast hash will do: there is nothing to try out in 256 random bits.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// What a page proves with that it was given it by us, and not sent here by another page that only makes the
    /// browser send the cookie. It follows from the token, so that nothing more is stored, and tells nothing
    /// about it.
    pub fn csrf(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"hexiao csrf 1\0");
        hash.update(self.0.as_bytes());
        Base64UrlUnpadded::encode_string(&hash.finalize())
    }

    /// Whether this is that proof.
    pub fn accepts_csrf(&self, sent: &[u8]) -> bool {
        self.csrf().as_bytes().ct_eq(sent).into()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}

#[cfg(test)]
mod tests {
    use vault::PredictableRandomness;

    use super::*;

    #[test]
    fn tokens_round_trip_and_print_masked() {
        let mut random = PredictableRandomness::from_seed(1);
        let (one, other) = (Token::generate(&mut random), Token::generate(&mut random));
        assert_ne!(one.hash(), other.hash());
        let read = Token::parse(one.expose()).expect("a token");
        assert_eq!(read.hash(), one.hash());
        assert!(one.accepts_csrf(read.csrf().as_bytes()));
        assert!(!one.accepts_csrf(other.csrf().as_bytes()));
        assert!(!one.accepts_csrf(b""));
        assert!(!one.csrf().contains(one.expose()));
        assert_eq!(format!("{one:?}"), "Token(***)");
        for bad in ["", "short", &format!("{}=", &one.expose()[..42]), &format!("{}x", one.expose())] {
            assert!(Token::parse(bad).is_none(), "{bad}");
        }
    }
}
