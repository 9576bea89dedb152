//! People: users, roles, credentials, sessions, invitations, the audit trail, saved views.
//!
//! All of it is low-rate beside sales. What must not race is one call: an attempt to sign in is counted before
//! it is judged, a one-time code is used up by whoever comes first, and whatever takes rights away ends the
//! sessions that had them in the same transaction.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    AuditEventId, IdentityProviderId, InvitationId, IssuerId, MerchantId, Role, RoleId, SessionId, StoreId,
    Timestamp, UserId, ViewId, program::Status,
};

use crate::{Page, Result};

/// A user: a person who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its issuer; those who run the platform have none.
    pub issuer: Option<IssuerId>,
    /// The only merchant he acts for, if he is bound to one.
    pub merchant: Option<MerchantId>,
    /// The only store he works in, if he is bound to one. Then he is bound to its merchant too.
    pub store: Option<StoreId>,
    /// What he signs in with, in small letters. Unique among all users.
    pub login: String,
    /// How he is called.
    pub name: String,
    /// Whether he is still let in.
    pub status: Status,
    /// What he may do.
    pub roles: Vec<RoleId>,
    /// When he was created.
    pub created_at: Timestamp,
    /// How often he was changed.
    pub version: u32,
}

/// Which users are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Those of this issuer; without it all.
    pub issuer: Option<IssuerId>,
    /// Only those who are bound to this merchant.
    pub merchant: Option<MerchantId>,
}

/// How far somebody is with signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStage {
    /// The password was right; a second factor is awaited.
    SecondFactor,
    /// The password was right; a second factor has to be set up first.
    Enrolment,
    /// Signed in.
    Complete,
}

impl SessionStage {
    /// All stages.
    pub const ALL: [Self; 3] = [Self::SecondFactor, Self::Enrolment, Self::Complete];

    /// The name under which it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SecondFactor => "second_factor",
            Self::Enrolment => "enrolment",
            Self::Complete => "complete",
        }
    }

    /// The stage with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// A session of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id. Opens nothing.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The user's issuer.
    pub issuer: Option<IssuerId>,
    /// SHA-256 of its token, which itself has 256 random bits.
    pub token_hash: [u8; 32],
    /// How far signing in is.
    pub stage: SessionStage,
    /// From which address it was begun.
    pub address: Option<String>,
    /// What the browser called itself, cut short.
    pub agent: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to within the time between notes of that.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When it was ended before that.
    pub ended_at: Option<Timestamp>,
    /// The identity provider that let the user in: it ends with that.
    pub provider: Option<IdentityProviderId>,
}

/// Which sessions of a user are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionsOf {
    /// This one.
    One(SessionId),
    /// All but this one.
    Others(SessionId),
    /// All.
    All,
}

/// A generator of one-time passwords (RFC 6238) that a user has.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredTotp {
    /// Whose it is.
    pub user: UserId,
    /// The user's issuer.
    pub issuer: Option<IssuerId>,
    /// The master key under which the secret is sealed.
    pub key_id: u8,
    /// The sealed secret.
    pub sealed: Vec<u8>,
    /// Whether the user has shown that his device makes the right passwords.
    pub confirmed: bool,
    /// The last time step that was used: none up to it is accepted again.
    pub last_step: i64,
}

impl std::fmt::Debug for StoredTotp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredTotp").field("user", &self.user).finish_non_exhaustive()
    }
}

/// How many tries somebody has, and how long he waits after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Tries before the first wait.
    pub tries: u32,
    /// The first wait; each further try doubles it.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// After this long without a try, counting begins anew.
    pub forget: Duration,
}

/// What is counted against an allowance. The subject is a keyed hash: of a login, of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuardKey(pub [u8; 16]);

/// Tries so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Tries that have not succeeded.
    pub tries: u32,
    /// When the last one was.
    pub last_at: Timestamp,
    /// Until when no other is let through.
    pub locked_until: Timestamp,
}

impl Default for Guard {
    fn default() -> Self {
        let long_ago = Timestamp::from_micros(0);
        Self { tries: 0, last_at: long_ago, locked_until: long_ago }
    }
}

impl Guard {
    /// Counts a try, before it is judged: of many at the same time no more are judged than are allowed. Refused
    /// tries count for nothing, so that whoever knocks all the time cannot lock the owner out for longer.
    pub fn attempt(self, now: Timestamp, allowance: Allowance) -> std::result::Result<Self, Timestamp> {
        if self.locked_until > now {
            return Err(self.locked_until);
        }
        let forget = i64::try_from(allowance.forget.as_secs()).unwrap_or(i64::MAX);
        let forgotten = self.last_at.plus_seconds(forget) <= now;
        let tries = if forgotten { 1 } else { self.tries.saturating_add(1) };
        let locked_until = match tries.checked_sub(allowance.tries) {
            None => now,
            Some(beyond) => now.plus_seconds(wait(beyond, allowance)),
        };
        Ok(Self { tries, last_at: now, locked_until })
    }

    /// Takes back a try that succeeded.
    #[must_use]
    pub fn forgiven(self) -> Self {
        Self { tries: self.tries.saturating_sub(1), locked_until: self.last_at, ..self }
    }
}

/// Seconds to wait after this many tries beyond the free ones.
fn wait(beyond: u32, allowance: Allowance) -> i64 {
    let doubled = 1_u64.checked_shl(beyond.min(32)).unwrap_or(u64::MAX);
    let seconds = allowance.first_wait.as_secs().saturating_mul(doubled);
    i64::try_from(seconds.min(allowance.longest_wait.as_secs())).unwrap_or(i64::MAX)
}

/// An invitation to become a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The issuer of the user to be.
    pub issuer: Option<IssuerId>,
    /// The merchant he will be bound to.
    pub merchant: Option<MerchantId>,
    /// The store he will be bound to.
    pub store: Option<StoreId>,
    /// What he will sign in with.
    pub login: String,
    /// How he is called.
    pub name: String,
    /// What he will be allowed.
    pub roles: Vec<RoleId>,
    /// SHA-256 of the token in the link, which itself has 256 random bits.
    pub token_hash: [u8; 32],
    /// Who invited; none if it was the command line.
    pub invited_by: Option<domain::ClientId>,
    /// When.
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// When it was accepted, and the user it made.
    pub accepted: Option<(Timestamp, UserId)>,
    /// When it was withdrawn.
    pub withdrawn_at: Option<Timestamp>,
}

/// An event of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Its id: the order of the trail.
    pub id: AuditEventId,
    /// The issuer whose trail it is; the platform's own events have none.
    pub issuer: Option<IssuerId>,
    /// Who did it, where that is known.
    pub user: Option<UserId>,
    /// In which session.
    pub session: Option<SessionId>,
    /// When.
    pub at: Timestamp,
    /// From which address.
    pub address: Option<String>,
    /// What: an event such as `session.begin`, or a method and route.
    pub action: String,
    /// On which object, by its id.
    pub object: Option<String>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The code of the problem, where it was refused.
    pub code: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
}

/// Which events are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// The trail of this issuer; without it the platform's own.
    pub issuer: Option<IssuerId>,
    /// Only this user's.
    pub user: Option<UserId>,
    /// Only those with this action.
    pub action: Option<String>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}

/// A saved view of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedView {
    /// Its id.
    pub id: ViewId,
    /// Whose it is.
    pub user: UserId,
    /// The user's issuer.
    pub issuer: Option<IssuerId>,
    /// Its name.
    pub name: String,
    /// Which list.
    pub page: String,
    /// How it is filtered.
    pub query: String,
    /// When it was saved.
    pub created_at: Timestamp,
}

/// Where people are kept.
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// The roles that come with the program and, with an issuer, its own, by id.
    async fn roles(&self, issuer: Option<IssuerId>) -> Result<Vec<Role>>;

    /// Roles by their ids, in no order. What is not there is left out.
    async fn roles_by_id(&self, ids: &[RoleId]) -> Result<Vec<Role>>;

    /// Writes a role. Version 1 is new; any other follows the one before it, or fails with a conflict on
    /// `version`. A code that is taken is a conflict on `code`.
    async fn put_role(&self, role: &Role) -> Result<()>;

    /// Users in the order of their ids, after one.
    async fn users(&self, filter: UserFilter, after: Option<UserId>, limit: usize) -> Result<Page<User>>;

    /// A user.
    async fn user(&self, id: UserId) -> Result<Option<User>>;

    /// The user with this login.
    async fn user_by_login(&self, login: &str) -> Result<Option<User>>;

    /// Writes a user, as with [`Self::put_role`]; a taken login is a conflict on `login`. With a moment, all his
    /// sessions end at it.
    async fn put_user(&self, user: &User, end_sessions: Option<Timestamp>) -> Result<()>;

    /// The hash of a user's password, in the PHC format.
    async fn password(&self, user: UserId) -> Result<Option<String>>;

    /// Sets a user's password, and ends his sessions but for the one that is kept.
    async fn put_password(
        &self,
        user: &User,
        hash: &str,
        at: Timestamp,
        keep: Option<SessionId>,
    ) -> Result<()>;

    /// The user's generator of one-time passwords.
    async fn totp(&self, user: UserId) -> Result<Option<StoredTotp>>;

    /// Writes one that is not confirmed. A confirmed one is a conflict on `totp`.
    async fn begin_totp(&self, totp: &StoredTotp) -> Result<()>;

    /// Confirms it, if it still is the one with this sealed secret and not confirmed, and replaces the recovery
    /// codes. Says whether it was.
    async fn confirm_totp(&self, totp: &StoredTotp, codes: &[RecoveryCode]) -> Result<bool>;

    /// Uses a time step up. Says whether it is newer than all that were used.
    async fn use_totp_step(&self, user: UserId, step: i64) -> Result<bool>;

    /// Takes the generator and the recovery codes away.
    async fn remove_totp(&self, user: UserId) -> Result<()>;

    /// Digests of recovery codes that are left.
    async fn recovery_codes(&self, user: UserId) -> Result<Vec<RecoveryCode>>;

    /// Uses a recovery code up. Says whether it was there.
    async fn use_recovery_code(&self, user: UserId, code: RecoveryCode) -> Result<bool>;

    /// Writes a new session. A conflict on `provider` if that is closed by now, or the user no longer linked to it.
    async fn open_session(&self, session: &Session) -> Result<()>;

    /// The session with this hash of a token, ended or not.
    async fn session(&self, token_hash: [u8; 32]) -> Result<Option<Session>>;

    /// Notes that it was used.
    async fn touch_session(&self, id: SessionId, at: Timestamp) -> Result<()>;

    /// Takes a session that is not complete and has not ended to another stage, under another token. Says whether
    /// it did.
    async fn advance_session(&self, session: &Session) -> Result<bool>;

    /// Ends sessions of a user, and returns how many.
    async fn end_sessions(&self, user: UserId, which: SessionsOf, at: Timestamp) -> Result<u64>;

    /// Sessions of a user that have not ended at this moment, newest first, at most 100.
    async fn live_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>>;

    /// Forgets sessions that ended, and tries that were last made, before this moment.
    async fn forget_sessions(&self, before: Timestamp) -> Result<u64>;

    /// Counts one try on each, all or none. The moment until which it is locked, where one is.
    async fn begin_attempt(
        &self,
        keys: &[(GuardKey, Allowance)],
        now: Timestamp,
    ) -> Result<std::result::Result<(), Timestamp>>;

    /// Forgets the tries of this key: one succeeded.
    async fn clear_attempts(&self, key: GuardKey) -> Result<()>;

    /// Takes back one try of this key, which succeeded, and the wait that it may have brought; the others stay counted.
    async fn forgive_attempt(&self, key: GuardKey) -> Result<()>;

    /// Writes a new invitation.
    async fn invite(&self, invitation: &Invitation) -> Result<()>;

    /// The invitation with this hash of a token.
    async fn invitation(&self, token_hash: [u8; 32]) -> Result<Option<Invitation>>;

    /// Invitations, newest first, before one. With an issuer its own, else all.
    async fn invitations(
        &self,
        issuer: Option<IssuerId>,
        before: Option<InvitationId>,
        limit: usize,
    ) -> Result<Page<Invitation>>;

    /// Withdraws one that was not accepted. Says whether it could.
    async fn withdraw_invitation(&self, id: InvitationId, at: Timestamp) -> Result<bool>;

    /// Makes the user of an invitation with his password, once: a conflict on `invitation` if it was accepted or
    /// withdrawn, on `login` if somebody else has the login by now.
    async fn accept_invitation(&self, id: InvitationId, user: &User, password: &str) -> Result<()>;

    /// Appends to the trail.
    async fn append_audit(&self, events: &[AuditEvent]) -> Result<()>;

    /// Events, newest first, before one.
    async fn audit_events(
        &self,
        filter: &AuditFilter,
        before: Option<AuditEventId>,
        limit: usize,
    ) -> Result<Page<AuditEvent>>;

    /// The saved views of a user, by id.
    async fn views(&self, user: UserId) -> Result<Vec<SavedView>>;

    /// Saves a view. A conflict on `views` if the user has as many as `most`, on `name` if the page has one of
    /// that name.
    async fn save_view(&self, view: &SavedView, most: usize) -> Result<()>;

    /// Deletes a view of the user. Says whether it was there.
    async fn delete_view(&self, user: UserId, id: ViewId) -> Result<bool>;
}

/// The keyed digest of a recovery code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecoveryCode {
    /// The master key under which it was made.
    pub key_id: u8,
    /// The digest.
    pub digest: [u8; 16],
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode(***)")
    }
}

/// Ids as a text, for a column.
pub fn roles_to_text(roles: &[RoleId]) -> String {
    let parts: Vec<String> = roles.iter().map(|id| id.get().to_string()).collect();
    parts.join(",")
}

/// Ids from such a text.
pub fn roles_from_text(text: &str) -> Option<Vec<RoleId>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(',').map(|part| part.parse().ok().map(RoleId::new)).collect()
}

/// Names of permissions as a text, for a column.
pub fn permissions_to_text(role: &Role) -> String {
    let names: Vec<&str> = role.permissions.iter().map(|scope| scope.name()).collect();
    names.join(",")
}

/// Permissions from such a text.
pub fn permissions_from_text(text: &str) -> Option<std::collections::BTreeSet<domain::catalog::Scope>> {
    if text.is_empty() {
        return Some(std::collections::BTreeSet::new());
    }
    text.split(',').map(domain::catalog::Scope::from_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: Allowance = Allowance {
        tries: 3,
        first_wait: Duration::from_secs(30),
        longest_wait: Duration::from_secs(100),
        forget: Duration::from_secs(1000),
    };

    #[test]
    fn waits_grow_and_are_forgotten() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let mut guard = Guard::default();
        for (second, expect) in [
            (10_000, Ok(10_000)),
            (10_001, Ok(10_001)),
            (10_002, Ok(10_032)),
            (10_031, Err(10_032)),
            (10_032, Ok(10_092)),
            (10_092, Ok(10_192)),
            (10_192, Ok(10_292)),
            (11_192, Ok(11_192)),
        ] {
            let after = guard.attempt(at(second), ALLOWANCE);
            assert_eq!(after.map(|guard| guard.locked_until), expect.map(at).map_err(at), "{second}");
            guard = after.unwrap_or(guard);
        }
    }

    #[test]
    fn lists_of_roles_are_texts() {
        for ids in [vec![], vec![RoleId::new(5)], vec![RoleId::new(5), RoleId::new(i64::MAX)]] {
            assert_eq!(roles_from_text(&roles_to_text(&ids)), Some(ids));
        }
        assert_eq!(roles_from_text("5,x"), None);
    }
}
