//! Sessions of holders: a secret of 256 random bits, of which the store has the hash.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use storage::{Holder, HolderSession};
use vault::secret_hash;
use zeroize::Zeroizing;

use crate::{Result, Wallet, WalletError};

/// How long a session lasts without a request.
pub const SESSION_IDLE_MINUTES: i64 = 30;
/// How long it lasts at most.
pub const SESSION_HOURS: i64 = 12;
/// Sessions that a holder has at once; the oldest ends when one more begins.
const MAX_SESSIONS: usize = 10;
/// A session's end is moved no more often than this, so that reading costs no write.
const EXTEND_AFTER_SECONDS: i64 = 60;
const MICROS: i64 = 1_000_000;

/// What the holder's browser has. Does not print.
#[derive(Clone)]
pub struct SessionToken(Zeroizing<String>);

impl SessionToken {
    /// The secret, for the cookie.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// A holder who is signed in.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Who.
    pub holder: Holder,
    /// The session.
    pub session: HolderSession,
    /// Its secret.
    pub token: SessionToken,
}

/// What a page must send along with what it changes, so that no other page can: it follows from the session's
/// secret, which only the server and the cookie have.
pub fn csrf_token(token: &SessionToken) -> String {
    let mut labelled = Zeroizing::new(String::from("hexiao wallet csrf "));
    labelled.push_str(token.expose());
    Base64UrlUnpadded::encode_string(&secret_hash(&labelled))
}

impl Wallet {
    pub(crate) async fn begin_session(&self, holder: Holder) -> Result<Signed> {
        let token = Zeroizing::new(Base64UrlUnpadded::encode_string(&*self.random_bytes()));
        let now = self.engine.now();
        let session = HolderSession {
            hash: secret_hash(&token),
            holder: holder.id,
            issuer: holder.issuer,
            created_at: now,
            idle_until: now.plus_seconds(SESSION_IDLE_MINUTES * 60),
            expires_at: now.plus_seconds(SESSION_HOURS * 3_600),
        };
        self.engine.store().add_holder_session(&session, MAX_SESSIONS).await?;
        Ok(Signed { holder, session, token: SessionToken(token) })
    }

    /// The holder whose session this is, if it has not ended. Counts as a sign of life.
    pub async fn session(&self, token: &str) -> Result<Option<Signed>> {
        let (store, now) = (self.engine.store(), self.engine.now());
        let Some(mut session) = store.holder_session(&secret_hash(token)).await? else { return Ok(None) };
        if now >= session.idle_until || now >= session.expires_at || !self.is_open(session.issuer) {
            return Ok(None);
        }
        let idle_until = now.plus_seconds(SESSION_IDLE_MINUTES * 60).min(session.expires_at);
        if idle_until.micros() - session.idle_until.micros() >= EXTEND_AFTER_SECONDS * MICROS {
            store.extend_holder_session(&session.hash, idle_until).await?;
            session.idle_until = idle_until;
        }
        let holder = store.holders(&[session.holder]).await?.pop();
        let holder = holder.ok_or(WalletError::Inconsistent("a session has no holder"))?;
        Ok(Some(Signed { holder, session, token: SessionToken(Zeroizing::new(token.to_owned())) }))
    }

    /// Ends a session.
    pub async fn sign_out(&self, signed: &Signed) -> Result<()> {
        Ok(self.engine.store().end_holder_session(&signed.session.hash).await?)
    }
}
