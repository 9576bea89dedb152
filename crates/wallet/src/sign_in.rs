//! Signing in: a code of six digits to the phone, and five attempts at it.
//!
//! Arithmetic of guessing: an attempt succeeds once in 10^6. One number gets at most ten codes a day, so whoever
//! means one holder has 50 attempts a day: one success in 55 years. Attempts at many numbers are bounded by the
//! limits of the interface on failures of an address and over all.

use domain::{HolderId, IssuerId, program::Status};
use storage::{Holder, LoginCode, LoginLimits, PhoneIndex, Sealed, StorageError};
use vault::{Vault, purpose};
use zeroize::Zeroizing;

use crate::{Phone, Result, Wallet, WalletError, sessions::Signed};

/// Digits of a sign-in code.
pub const CODE_DIGITS: usize = 6;
/// How long a code is accepted.
pub const CODE_SECONDS: i64 = 300;
/// Codes of one number, and attempts at each.
pub const CODE_LIMITS: LoginLimits =
    LoginLimits { seconds_between: 60, per_hour: 5, per_day: 10, attempts: 5 };

const CODES: u64 = 1_000_000;

/// What a phone is looked up by, the current key first.
pub(crate) fn indexes_of(vault: &Vault, issuer: IssuerId, phone: &Phone) -> Vec<PhoneIndex> {
    vault.phone_indexes(issuer.get(), phone.expose()).map(|(_, index)| PhoneIndex(index)).collect()
}

impl Wallet {
    /// Sends a code, unless the number has had enough for now or there is no such issuer: whoever asks cannot
    /// tell. Whether the number belongs to a holder makes no difference at all.
    pub async fn request_code(&self, issuer: IssuerId, phone: &Phone) -> Result<()> {
        if !self.is_open(issuer) {
            return Ok(());
        }
        let vault = self.engine.vault();
        let Some(index) = indexes_of(vault, issuer, phone).first().copied() else { return Ok(()) };
        let code = Zeroizing::new(format!("{:06}", self.random_below(CODES)));
        let now = self.engine.now();
        let expires_at = now.plus_seconds(CODE_SECONDS);
        let digest = vault.sign_in_digest(&index.0, &code);
        let login = LoginCode { issuer, phone: index, digest, sent_at: now, expires_at };
        if self.engine.store().put_login_code(&login, &CODE_LIMITS).await? {
            self.sender.send(issuer, phone, &code, expires_at).await?;
        }
        Ok(())
    }

    /// Signs in with a code. `None` if it is wrong, has ended, was used, or has no attempts left: an attempt is
    /// taken before it is looked at, so that of any number at once five are looked at.
    pub async fn sign_in(&self, issuer: IssuerId, phone: &Phone, code: &str) -> Result<Option<Signed>> {
        if !self.is_open(issuer) {
            return Ok(None);
        }
        let (store, vault) = (self.engine.store(), self.engine.vault());
        let indexes = indexes_of(vault, issuer, phone);
        let attempt = store.take_login_attempt(issuer, &indexes, self.engine.now()).await?;
        let right = attempt.filter(|attempt| vault.verify_sign_in(&attempt.phone.0, code, attempt.digest));
        let Some(attempt) = right else { return Ok(None) };
        if !store.use_login_code(issuer, &attempt).await? {
            return Ok(None);
        }
        let holder = self.holder_of(issuer, phone).await?;
        self.begin_session(holder).await.map(Some)
    }

    /// Whether the issuer exists and is open.
    pub(crate) fn is_open(&self, issuer: IssuerId) -> bool {
        let catalog = self.engine.catalog();
        catalog.issuers.get(&issuer).is_some_and(|issuer| issuer.status == Status::Active)
    }

    /// The holder with this number, who is added if there is none.
    pub async fn holder_of(&self, issuer: IssuerId, phone: &Phone) -> Result<Holder> {
        let store = self.engine.store();
        let indexes = indexes_of(self.engine.vault(), issuer, phone);
        if let Some(found) = store.holder_by_phone(issuer, &indexes).await? {
            return Ok(found);
        }
        match store.add_holder(&self.new_holder(issuer, phone)?).await {
            // Somebody was quicker, and it is the same holder.
            Ok(()) | Err(StorageError::Conflict { what: "phone" }) => {}
            Err(error) => return Err(error.into()),
        }
        let found = store.holder_by_phone(issuer, &indexes).await?;
        found.ok_or(WalletError::Inconsistent("a holder that was just added is not there"))
    }

    fn new_holder(&self, issuer: IssuerId, phone: &Phone) -> Result<Holder> {
        let vault = self.engine.vault();
        let id = HolderId::new(self.engine.next_id());
        let sealed = vault.seal_text(id.get(), purpose::PHONE, phone.expose())?;
        let index = indexes_of(vault, issuer, phone).first().copied();
        Ok(Holder {
            id,
            issuer,
            phone_index: index.ok_or(WalletError::Inconsistent("the key ring is empty"))?,
            index_key_id: vault.keys().current_id(),
            phone: Sealed { key_id: sealed.key_id, bytes: sealed.bytes },
            last4: phone.last4().to_owned(),
            created_at: self.engine.now(),
        })
    }
}
