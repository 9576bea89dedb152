//! What ties the two halves of a sign-in together.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// State, nonce and PKCE verifier of one sign-in. All of them follow from one secret that only the browser keeps, so
/// that nothing secret is stored for it, and whoever sees an address of the flow learns neither the secret nor the
/// other values.
pub struct Flow {
    state: String,
    nonce: String,
    verifier: Zeroizing<String>,
}

impl Flow {
    /// The flow of this secret, which has 256 random bits.
    pub fn of(secret: &str) -> Self {
        Self {
            state: derive("state", secret),
            nonce: derive("nonce", secret),
            verifier: Zeroizing::new(derive("verifier", secret)),
        }
    }

    /// What the provider gives back: 43 characters.
    pub fn state(&self) -> &str {
        &self.state
    }

    pub(crate) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(crate) fn verifier(&self) -> &str {
        &self.verifier
    }
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Flow(***)")
    }
}

fn derive(purpose: &str, secret: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["hexiao openid 1", purpose, secret] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    Base64UrlUnpadded::encode_string(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_flow_follow_from_its_secret_and_tell_nothing_of_each_other() {
        let (one, again, other) = (Flow::of("a secret"), Flow::of("a secret"), Flow::of("another"));
        assert_eq!(
            (one.state(), one.nonce(), one.verifier()),
            (again.state(), again.nonce(), again.verifier())
        );
        let all = [one.state(), one.nonce(), one.verifier(), other.state(), other.nonce(), other.verifier()];
        for (place, part) in all.iter().enumerate() {
            assert_eq!(part.len(), 43);
            assert!(!all[place + 1..].contains(part));
        }
        assert_eq!(format!("{one:?}"), "Flow(***)");
    }
}
