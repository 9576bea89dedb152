//! Hashing passwords: argon2id with 19 MiB and two passes (RFC 9106; OWASP's first choice), never on a thread that
//! answers requests, and at most two at once, so that signing in cannot take the machine's memory.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;
use vault::{OsRandomness, Randomness};

use crate::{
    error::{IdentityError, Result},
    password::Password,
};

/// KiB of memory for one hash.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Hashes at once.
const AT_ONCE: usize = 2;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hashes passwords, a few at a time.
pub(crate) struct Hasher {
    turns: Arc<Semaphore>,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The hash of a password, in the PHC format.
    pub(crate) async fn hash(&self, password: &Password) -> Result<String> {
        let password = password.clone();
        self.run(move || hash(&password)).await?
    }

    /// Whether it is the password of this hash. Without a hash it takes the same time and is not: who has no
    /// account cannot be told from who has one.
    pub(crate) async fn verify(&self, password: &Password, stored: Option<String>) -> Result<bool> {
        let password = password.clone();
        self.run(move || {
            let known = stored.is_some();
            let stored = stored.as_deref().unwrap_or_else(|| nobodys());
            let Ok(parsed) = PasswordHash::new(stored) else {
                return Err(IdentityError::Internal("a stored password cannot be read"));
            };
            Ok(function()?.verify_password(password.bytes(), &parsed).is_ok() && known)
        })
        .await?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(IdentityError::Busy) };
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| IdentityError::Internal("hashing a password failed"))
    }
}

fn function() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None);
    let params = params.map_err(|_| IdentityError::Internal("the parameters of the hash"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &Password) -> Result<String> {
    let mut salt = [0; 16];
    OsRandomness::new().fill(&mut salt);
    let made = function()?.hash_password_with_salt(password.bytes(), &salt);
    made.map(|hash| hash.to_string()).map_err(|_| IdentityError::Internal("hashing a password failed"))
}

/// The hash of a password that nobody knows.
fn nobodys() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let token = crate::Token::generate(&mut OsRandomness::new());
        hash(&Password::new(token.expose().to_owned())).unwrap_or_default()
    })
}

/// Makes that hash now, so that the first stranger does not wait twice as long as the second.
pub(crate) fn warm_up() {
    nobodys();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hashes_verify_and_say_how_they_were_made() {
        let hasher = Hasher::new();
        let right = Password::new("tr4vel-kettle-moss".to_owned());
        let stored = hasher.hash(&right).await.expect("a hash");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(stored, hasher.hash(&right).await.expect("another"), "salted");
        assert!(hasher.verify(&right, Some(stored.clone())).await.expect("an answer"));
        let wrong = Password::new("tr4vel-kettle-mosS".to_owned());
        assert!(!hasher.verify(&wrong, Some(stored)).await.expect("an answer"));
        assert!(!hasher.verify(&right, None).await.expect("an answer"));
    }
}
