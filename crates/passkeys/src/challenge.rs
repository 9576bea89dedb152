//! Challenges that need not be stored: random bytes, what they are for and until when, under a keyed tag that any
//! node with the key ring can check. Strangers who ask for challenges thus fill nothing.
//!
//! ```text
//! key id (1) | random (16) | ends at, microseconds (8) | tag (16)
//! ```

use domain::{SessionId, Timestamp};
use sha2::{Digest, Sha256};
use storage::AnsweredChallenge;
use subtle::ConstantTimeEq;
use vault::{OsRandomness, Randomness, Vault};

use crate::web_origin::WebOrigin;

/// How long an answer is waited for, in seconds.
pub(crate) const GOOD_FOR: i64 = 300;
const RANDOM: usize = 16;
const TAG: usize = 16;
const LENGTH: usize = 1 + RANDOM + 8 + TAG;

/// What a challenge is for. It is good for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Adding a passkey in this session.
    Add(SessionId),
    /// The second factor of this session.
    SecondFactor(SessionId),
    /// Signing in.
    SignIn,
}

impl Purpose {
    fn context(self) -> (&'static str, i64) {
        match self {
            Self::Add(session) => ("add", session.get()),
            Self::SecondFactor(session) => ("second factor", session.get()),
            Self::SignIn => ("sign in", 0),
        }
    }
}

/// A new challenge.
pub(crate) fn make(vault: &Vault, purpose: Purpose, origin: &WebOrigin, now: Timestamp) -> Vec<u8> {
    let mut body = [0; RANDOM + 8];
    let (random, ends) = body.split_at_mut(RANDOM);
    OsRandomness::new().fill(random);
    ends.copy_from_slice(&now.plus_seconds(GOOD_FOR).micros().to_be_bytes());
    let (key_id, tag) = vault.fingerprint(&tagged(purpose, origin, &body));
    [&[key_id][..], &body, &tag].concat()
}

/// Judges a challenge that came back. None if it is not ours, is for something else, or has ended.
pub(crate) fn judge(
    vault: &Vault,
    purpose: Purpose,
    origin: &WebOrigin,
    challenge: &[u8],
    now: Timestamp,
) -> Option<AnsweredChallenge> {
    if challenge.len() != LENGTH {
        return None;
    }
    let (key_id, rest) = challenge.split_first()?;
    let (body, tag) = rest.split_at_checked(RANDOM + 8)?;
    let right = vault.fingerprint_with(*key_id, &tagged(purpose, origin, body))?;
    if !bool::from(right.as_slice().ct_eq(tag)) {
        return None;
    }
    let ends = i64::from_be_bytes(body.get(RANDOM..)?.try_into().ok()?);
    let expires_at = Timestamp::from_micros(ends);
    (expires_at > now).then(|| AnsweredChallenge { hash: Sha256::digest(challenge).into(), expires_at })
}

fn tagged(purpose: Purpose, origin: &WebOrigin, body: &[u8]) -> Vec<u8> {
    let (what, session) = purpose.context();
    let context = format!("passkey challenge\0{what}\0{session}\0{origin}\0");
    [context.as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vault::{KeyRing, PredictableRandomness};

    use super::*;

    #[test]
    fn challenges_are_good_for_one_thing_at_one_place_and_for_a_while() {
        let ring = KeyRing::generate(&mut PredictableRandomness::from_seed(1));
        let vault = Vault::new(Arc::new(ring));
        let here: WebOrigin = "https://cards.example.com".parse().expect("an origin");
        let there: WebOrigin = "https://till.example.com".parse().expect("an origin");
        let at = |seconds: i64| Timestamp::from_micros(1_800_000_000_000_000).plus_seconds(seconds);
        let purpose = Purpose::SecondFactor(SessionId::new(7));
        let challenge = make(&vault, purpose, &here, at(0));
        assert_ne!(challenge, make(&vault, purpose, &here, at(0)));
        let judged = |purpose, origin, challenge: &[u8], now| judge(&vault, purpose, origin, challenge, now);
        let good = judged(purpose, &here, &challenge, at(GOOD_FOR - 1)).expect("good");
        assert_eq!(good.expires_at, at(GOOD_FOR));
        assert_eq!(judged(purpose, &here, &challenge, at(GOOD_FOR)), None, "too late");
        assert_eq!(judged(purpose, &there, &challenge, at(1)), None, "another place");
        for other in
            [Purpose::SignIn, Purpose::Add(SessionId::new(7)), Purpose::SecondFactor(SessionId::new(8))]
        {
            assert_eq!(judged(other, &here, &challenge, at(1)), None, "{other:?}");
        }
        for place in 0..challenge.len() {
            let mut changed = challenge.clone();
            changed[place] ^= 1;
            assert_eq!(judged(purpose, &here, &changed, at(1)), None, "byte {place}");
        }
        assert_eq!(judged(purpose, &here, &challenge[1..], at(1)), None);
        assert_eq!(judged(purpose, &here, &[], at(1)), None);
    }
}
