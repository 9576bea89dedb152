//! One-time passwords of users, and the codes that stand in for a lost device.

use std::sync::Arc;

use async_trait::async_trait;
use domain::UserId;
use storage::{IdentityStore, RecoveryCode, StorageError, StoredTotp, User};
use vault::{OsRandomness, Randomness, SealedText, purpose};
use zeroize::Zeroizing;

use super::{Identity, SignedIn, sign_in::LOGIN};
use crate::{
    error::{IdentityError, Result, of_conflict},
    factor::SecondFactor,
    totp::{SECRET_BYTES, Secret, matching_step, step_at},
};

/// Recovery codes that a user is given.
const CODES: usize = 10;
/// Characters of a recovery code: 60 bits, and behind a keyed digest.
const CODE_CHARACTERS: usize = 12;
/// Without those that are taken for others.
const ALPHABET: &[u8; 32] = b"23456789abcdefghjkmnpqrstuvwxyz0";

/// The second factor that comes with the program.
pub(super) struct TotpFactor(pub(super) Arc<dyn IdentityStore>);

#[async_trait]
impl SecondFactor for TotpFactor {
    fn name(&self) -> &'static str {
        "totp"
    }

    async fn is_set_up(&self, user: UserId) -> std::result::Result<bool, StorageError> {
        Ok(self.0.totp(user).await?.is_some_and(|totp| totp.confirmed))
    }

    async fn take_away(&self, user: &User) -> std::result::Result<(), StorageError> {
        self.0.remove_totp(user.id).await
    }
}

/// What a user's device is told, once.
pub struct TotpOffer {
    /// The secret in Base32, to be typed.
    pub secret: Zeroizing<String>,
    /// The address to be shown as a picture.
    pub uri: Zeroizing<String>,
}

impl std::fmt::Debug for TotpOffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpOffer(***)")
    }
}

impl Identity {
    /// Begins to set one-time passwords up.
    pub async fn begin_totp(&self, user: &User) -> Result<TotpOffer> {
        let mut bytes = Zeroizing::new(vec![0; SECRET_BYTES]);
        OsRandomness::new().fill(&mut bytes);
        let secret = Secret::new(bytes.to_vec());
        let text = secret.to_base32();
        let sealed = self.vault().seal_text(user.id.get(), purpose::TOTP_SECRET, &text);
        let sealed = sealed.map_err(|_| IdentityError::Internal("a secret could not be sealed"))?;
        let stored = StoredTotp {
            user: user.id,
            issuer: user.issuer,
            key_id: sealed.key_id,
            sealed: sealed.bytes,
            confirmed: false,
            last_step: 0,
        };
        self.store().begin_totp(&stored).await.map_err(of_conflict)?;
        Ok(TotpOffer { uri: secret.uri(&user.login), secret: text })
    }

    /// Confirms that the user's device makes the right passwords, and returns the recovery codes, once.
    pub async fn confirm_totp(&self, user: &User, code: &str) -> Result<Vec<Zeroizing<String>>> {
        let stored = self.store().totp(user.id).await?.ok_or(IdentityError::TotpNotBegun)?;
        if stored.confirmed {
            return Err(IdentityError::TotpInUse);
        }
        self.attempt(&[(self.code_guard(user.id), LOGIN)]).await?;
        let step = self.step_of(&stored, code)?.ok_or(IdentityError::CodeWrong)?;
        let codes: Vec<Zeroizing<String>> = (0..CODES).map(|_| new_code()).collect();
        let digests: Vec<RecoveryCode> = codes.iter().map(|code| self.digest(user.id, code)).collect();
        let confirmed = StoredTotp { last_step: step, ..stored };
        if !self.store().confirm_totp(&confirmed, &digests).await? {
            return Err(IdentityError::TotpNotBegun);
        }
        self.store().clear_attempts(self.code_guard(user.id)).await?;
        Ok(codes)
    }

    /// Takes one-time passwords away, unless they are the last second factor where one is required.
    pub async fn remove_totp(&self, user: &User) -> Result<()> {
        self.check_removal(user.id, "totp").await?;
        Ok(self.store().remove_totp(user.id).await?)
    }

    /// Judges a one-time password. Each is good once.
    pub async fn prove_totp(&self, signed_in: &SignedIn, code: &str) -> Result<()> {
        let user = signed_in.user.id;
        self.attempt(&[(self.code_guard(user), LOGIN)]).await?;
        let stored = self.store().totp(user).await?.filter(|stored| stored.confirmed);
        let stored = stored.ok_or(IdentityError::CodeWrong)?;
        let step = self.step_of(&stored, code)?.ok_or(IdentityError::CodeWrong)?;
        if !self.store().use_totp_step(user, step).await? {
            return Err(IdentityError::CodeWrong);
        }
        Ok(self.store().clear_attempts(self.code_guard(user)).await?)
    }

    /// Judges a recovery code. Each is good once.
    pub async fn prove_recovery_code(&self, signed_in: &SignedIn, code: &str) -> Result<()> {
        let user = signed_in.user.id;
        self.attempt(&[(self.code_guard(user), LOGIN)]).await?;
        let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
        let plain = Zeroizing::new(plain.to_ascii_lowercase());
        for stored in self.store().recovery_codes(user).await? {
            let text = code_context(user, &plain);
            let made = self.vault().fingerprint_with(stored.key_id, text.as_bytes());
            if made == Some(stored.digest) && self.store().use_recovery_code(user, stored).await? {
                return Ok(self.store().clear_attempts(self.code_guard(user)).await?);
            }
        }
        Err(IdentityError::CodeWrong)
    }

    fn code_guard(&self, user: UserId) -> storage::GuardKey {
        self.guard_key("code", &user.to_string())
    }

    fn step_of(&self, stored: &StoredTotp, code: &str) -> Result<Option<i64>> {
        let sealed = SealedText { key_id: stored.key_id, bytes: stored.sealed.clone() };
        let text = self.vault().open_text(stored.user.get(), purpose::TOTP_SECRET, &sealed);
        let text = text.map_err(|_| IdentityError::Internal("a sealed secret does not open"))?;
        let secret = Secret::from_base32(&text).ok_or(IdentityError::Internal("a secret is damaged"))?;
        let seconds = self.now().micros().div_euclid(1_000_000);
        let step = matching_step(&secret, code, seconds);
        Ok(step.filter(|step| *step > stored.last_step && *step <= step_at(seconds) + 1))
    }

    fn digest(&self, user: UserId, code: &str) -> RecoveryCode {
        let plain = Zeroizing::new(code.replace('-', ""));
        let (key_id, digest) = self.vault().fingerprint(code_context(user, &plain).as_bytes());
        RecoveryCode { key_id, digest }
    }
}

fn code_context(user: UserId, plain: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("recovery code\0{user}\0{plain}"))
}

/// `xxxx-xxxx-xxxx`
fn new_code() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; CODE_CHARACTERS]);
    OsRandomness::new().fill(&mut *bytes);
    let mut text = Zeroizing::new(String::with_capacity(CODE_CHARACTERS + 2));
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[usize::from(byte & 31)]));
    }
    text
}
