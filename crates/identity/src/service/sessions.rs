//! Sessions: who is signed in, and how that ends.

use std::sync::Arc;

use domain::{SessionId, Timestamp, UserId, program::Status};
use storage::{Session, SessionStage, SessionsOf, User};

use super::{Identity, SignedIn, sign_in::Signed};
use crate::{
    Token,
    error::{IdentityError, Result},
};

/// How long after the last note of it a session's use is noted again. An idle session ends by as much earlier.
const NOTED_EVERY: i64 = 30;
/// Sessions are forgotten this long after they would have ended.
const KEPT: i64 = 7 * 86_400;

impl Identity {
    /// Whose session has this token, with what his roles give him. A request that its user did not make, such as
    /// a page that looks for news by itself, is no use of the session.
    pub async fn resolve(&self, token: &Token, is_use: bool) -> Result<Arc<SignedIn>> {
        let (hash, now) = (token.hash(), self.now());
        let signed_in = match self.0.cache.get(&hash, now) {
            Some(found) => found,
            None => self.look_up(hash, now).await?,
        };
        self.check_alive(&signed_in.session, now)?;
        if !self.is_open(signed_in.user.issuer) {
            return Err(IdentityError::SessionEnded);
        }
        let unnoted = now.micros().saturating_sub(signed_in.session.last_seen_at.micros());
        if is_use && unnoted >= NOTED_EVERY * 1_000_000 {
            self.store().touch_session(signed_in.session.id, now).await?;
            self.0.cache.forget(signed_in.user.id);
        }
        Ok(signed_in)
    }

    async fn look_up(&self, hash: [u8; 32], now: Timestamp) -> Result<Arc<SignedIn>> {
        let began = self.0.cache.begin();
        let session = self.store().session(hash).await?.ok_or(IdentityError::SessionEnded)?;
        let user = self.store().user(session.user).await?.ok_or(IdentityError::SessionEnded)?;
        if user.status != Status::Active {
            return Err(IdentityError::SessionEnded);
        }
        let roles = self.store().roles_by_id(&user.roles).await?;
        let found = Arc::new(SignedIn::new(session, user, roles));
        self.0.cache.put(began, hash, &found, now);
        Ok(found)
    }

    fn check_alive(&self, session: &Session, now: Timestamp) -> Result<()> {
        let idle = now.micros().saturating_sub(session.last_seen_at.micros());
        let alive = session.ended_at.is_none()
            && session.expires_at > now
            && idle < self.0.policy.idle_seconds.saturating_mul(1_000_000);
        if alive { Ok(()) } else { Err(IdentityError::SessionEnded) }
    }

    /// When a session ends if nothing is done in it.
    pub fn idle_until(&self, session: &Session) -> Timestamp {
        session.last_seen_at.plus_seconds(self.0.policy.idle_seconds).min(session.expires_at)
    }

    /// Completes a session whose user has proved a second factor, under a new token: whoever saw the old one has
    /// nothing of it.
    pub async fn complete(&self, signed_in: &SignedIn) -> Result<Signed> {
        let (token, now) = (Self::new_token(), self.now());
        let session = Session {
            token_hash: token.hash(),
            stage: SessionStage::Complete,
            last_seen_at: now,
            expires_at: self.ends_at(SessionStage::Complete, now),
            ..signed_in.session.clone()
        };
        let advanced = self.store().advance_session(&session).await?;
        self.0.cache.forget(signed_in.user.id);
        if !advanced {
            return Err(IdentityError::SessionEnded);
        }
        let factors = self.factors_of(signed_in.user.id).await?;
        Ok(Signed { token, session, user: signed_in.user.clone(), factors })
    }

    /// Ends one session of a user. Says whether it was alive.
    pub async fn end_session(&self, user: UserId, session: SessionId) -> Result<bool> {
        let ended = self.store().end_sessions(user, SessionsOf::One(session), self.now()).await?;
        self.0.cache.forget(user);
        Ok(ended > 0)
    }

    /// Ends all sessions of a user but this one.
    pub async fn end_other_sessions(&self, user: UserId, keep: SessionId) -> Result<u64> {
        let ended = self.store().end_sessions(user, SessionsOf::Others(keep), self.now()).await?;
        self.0.cache.forget(user);
        Ok(ended)
    }

    /// The live sessions of a user, newest first.
    pub async fn sessions_of(&self, user: &User) -> Result<Vec<Session>> {
        let now = self.now();
        let mut all = self.store().live_sessions(user.id, now).await?;
        all.retain(|session| self.check_alive(session, now).is_ok());
        Ok(all)
    }

    /// Forgets sessions that ended long ago.
    pub async fn forget_ended(&self) -> Result<u64> {
        Ok(self.store().forget_sessions(self.now().plus_seconds(-KEPT)).await?)
    }
}
