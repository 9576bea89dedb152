//! Signing in with a password: counted before it is judged, and alike in time whether or not there is such a user.

use std::{net::IpAddr, time::Duration};

use domain::{IdentityProviderId, SessionId, Timestamp, UserId, program::Status};
use storage::{Allowance, GuardKey, Session, SessionStage, User};

use super::Identity;
use crate::{
    Token,
    error::{IdentityError, Result},
    login,
    password::Password,
};

/// Five tries for a login, then waits of half a minute, one, two … up to fifteen.
pub(super) const LOGIN: Allowance = Allowance {
    tries: 5,
    first_wait: Duration::from_secs(30),
    longest_wait: Duration::from_mins(15),
    forget: Duration::from_hours(1),
};
/// An address may be that of a whole company.
pub(super) const ADDRESS: Allowance = Allowance {
    tries: 50,
    first_wait: Duration::from_secs(30),
    longest_wait: Duration::from_mins(15),
    forget: Duration::from_mins(15),
};
const MAX_AGENT: usize = 200;
/// One session in so many forgets those that ended long ago.
const TIDY_EVERY: i64 = 32;

/// Where a request comes from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The address.
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub agent: Option<String>,
}

impl Origin {
    fn agent(&self) -> Option<String> {
        let agent = self.agent.as_deref()?;
        Some(agent.chars().filter(|c| !c.is_control()).take(MAX_AGENT).collect())
    }
}

/// A session that has begun, or come further.
#[derive(Debug)]
pub struct Signed {
    /// Its token, for the cookie.
    pub token: Token,
    /// The session.
    pub session: Session,
    /// Whose it is.
    pub user: User,
    /// The second factors that the user has set up.
    pub factors: Vec<&'static str>,
}

/// Why signing in failed, and on whose account, for the audit trail.
pub type Failed = (IdentityError, Option<User>);

impl Identity {
    /// Begins a session with a password.
    pub async fn sign_in(
        &self,
        login: &str,
        password: &Password,
        origin: &Origin,
    ) -> std::result::Result<Signed, Failed> {
        let nobody = |error: IdentityError| (error, None);
        // What cannot be a login is treated like one that nobody has.
        let login = login::normalized(login).unwrap_or_else(|| "\u{0}".to_owned());
        let subject = self.guard_key("login", &login);
        self.count_try(subject, origin).await.map_err(nobody)?;
        let user = self.store().user_by_login(&login).await.map_err(|e| nobody(e.into()))?;
        let id = user.as_ref().map_or(UserId::new(0), |user| user.id);
        let stored = self.store().password(id).await.map_err(|e| nobody(e.into()))?;
        let right = self.0.hasher.verify(password, stored).await.map_err(nobody)?;
        let Some(user) = user else { return Err(nobody(IdentityError::LoginFailed)) };
        if !right || user.status != Status::Active || !self.is_open(user.issuer) {
            return Err((IdentityError::LoginFailed, Some(user)));
        }
        let begun = async {
            self.store().clear_attempts(subject).await?;
            self.forgive_address(origin).await?;
            let factors = self.factors_of(user.id).await?;
            let stage = self.stage_after_password(&factors);
            let (token, session) = self.open(&user, stage, origin).await?;
            Ok((token, session, factors))
        };
        match begun.await {
            Ok((token, session, factors)) => Ok(Signed { token, session, user, factors }),
            Err(error) => Err((error, Some(user))),
        }
    }

    /// Begins a complete session for a user who has proved himself in another way that is worth two factors.
    pub async fn sign_in_proved(&self, user: UserId, origin: &Origin) -> Result<Signed> {
        let user = self.store().user(user).await?.ok_or(IdentityError::LoginFailed)?;
        if user.status != Status::Active || !self.is_open(user.issuer) {
            return Err(IdentityError::LoginFailed);
        }
        let factors = self.factors_of(user.id).await?;
        let (token, session) = self.open(&user, SessionStage::Complete, origin).await?;
        Ok(Signed { token, session, user, factors })
    }

    pub(super) fn stage_after_password(&self, factors: &[&'static str]) -> SessionStage {
        match (factors.is_empty(), self.0.policy.second_factor_required) {
            (false, _) => SessionStage::SecondFactor,
            (true, true) => SessionStage::Enrolment,
            (true, false) => SessionStage::Complete,
        }
    }

    async fn open(&self, user: &User, stage: SessionStage, origin: &Origin) -> Result<(Token, Session)> {
        self.open_for(user, stage, origin, None).await
    }

    /// The same for somebody whom a provider let in.
    pub(super) async fn open_for(
        &self,
        user: &User,
        stage: SessionStage,
        origin: &Origin,
        provider: Option<IdentityProviderId>,
    ) -> Result<(Token, Session)> {
        let (token, now) = (Self::new_token(), self.now());
        let session = Session {
            id: SessionId::new(self.next_id()),
            user: user.id,
            issuer: user.issuer,
            token_hash: token.hash(),
            stage,
            address: origin.address.map(|address| address.to_string()),
            agent: origin.agent(),
            created_at: now,
            last_seen_at: now,
            expires_at: self.ends_at(stage, now),
            ended_at: None,
            provider,
        };
        self.store().open_session(&session).await?;
        // Tidying up belongs to those who make the mess: no job is needed for it.
        if session.id.get() % TIDY_EVERY == 0 {
            self.forget_ended().await?;
        }
        Ok((token, session))
    }

    pub(super) fn ends_at(&self, stage: SessionStage, now: Timestamp) -> Timestamp {
        let policy = &self.0.policy;
        now.plus_seconds(match stage {
            SessionStage::Complete => policy.absolute_seconds,
            SessionStage::SecondFactor | SessionStage::Enrolment => policy.pending_seconds,
        })
    }

    /// A subject that tells a thief of the database nothing.
    pub(super) fn guard_key(&self, what: &str, subject: &str) -> GuardKey {
        let (_, digest) = self.vault().fingerprint(format!("sign-in {what}\0{subject}").as_bytes());
        GuardKey(digest)
    }

    /// Counts a try on a login and on the address.
    async fn count_try(&self, login: GuardKey, origin: &Origin) -> Result<()> {
        let mut keys = vec![(login, LOGIN)];
        if let Some(address) = origin.address {
            keys.push((self.guard_key("address", &network(address)), ADDRESS));
        }
        self.attempt(&keys).await
    }

    /// Takes the try back from the address: an office of a hundred behind one may sign in each morning.
    async fn forgive_address(&self, origin: &Origin) -> Result<()> {
        let Some(address) = origin.address else { return Ok(()) };
        Ok(self.store().forgive_attempt(self.guard_key("address", &network(address))).await?)
    }

    pub(super) async fn attempt(&self, keys: &[(GuardKey, Allowance)]) -> Result<()> {
        let now = self.now();
        self.store().begin_attempt(keys, now).await?.map_err(|until| {
            let micros = until.micros().saturating_sub(now.micros()).max(0);
            let seconds = u64::try_from(micros).unwrap_or(0).div_ceil(1_000_000);
            IdentityError::Locked { seconds }
        })
    }
}

/// What the owner of an address cannot choose: of IPv6 the network.
pub(super) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            std::net::Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).to_string()
        }
    }
}
