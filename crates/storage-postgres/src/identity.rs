//! People: users, roles, credentials, sessions, invitations, the audit trail, saved views.
//!
//! Each call is one statement, or one small transaction. Where a call names no issuer, its transaction sees all:
//! who calls is looked up before it is known whose issuer it is.

mod people;
mod providers;
mod rows;
mod sessions;
mod trail;

use async_trait::async_trait;
use domain::{AuditEventId, InvitationId, IssuerId, Role, RoleId, SessionId, Timestamp, UserId, ViewId};
use storage::{
    Allowance, AuditEvent, AuditFilter, GuardKey, IdentityStore, Invitation, Page, RecoveryCode, Result,
    SavedView, Session, SessionsOf, StorageError, StoredTotp, User, UserFilter,
};
use tokio_postgres::Row;

use crate::{
    PostgresStore,
    fields::Fields,
    jobs::clamp,
    session::Param,
    store::{Scope, Writing},
};

/// Whose rows a call about this issuer sees.
fn scope(issuer: Option<IssuerId>) -> Scope {
    issuer.map_or(Scope::All, Scope::One)
}

fn each<T>(found: &[Row], read: fn(&mut Fields<'_>) -> Result<T>) -> Result<Vec<T>> {
    found.iter().map(|row| read(&mut Fields::new(row))).collect()
}

fn first<T>(found: &[Row], read: fn(&mut Fields<'_>) -> Result<T>) -> Result<Option<T>> {
    found.first().map(|row| read(&mut Fields::new(row))).transpose()
}

/// One more than asked for, to see whether more follows.
fn one_more(limit: usize) -> i64 {
    clamp(limit).saturating_add(1)
}

/// A page of what was read with [`one_more`].
fn page<T>(mut items: Vec<T>, limit: usize, id: impl Fn(&T) -> i64) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(id) } else { None };
    Page { items, next }
}

fn conflict<T>(what: &'static str) -> Result<T> {
    Err(StorageError::Conflict { what })
}

/// `INSERT INTO table (…) VALUES ($1, …)`
fn insert(table: &str, columns: &str) -> String {
    let places: Vec<String> = (1..=columns.split(',').count()).map(|n| format!("${n}")).collect();
    format!("INSERT INTO {table} ({columns}) VALUES ({})", places.join(", "))
}

/// Commits what was done, or leaves no trace of it.
async fn ended<T>(writing: Writing, done: Result<T>) -> Result<T> {
    match done {
        Ok(value) => {
            writing.commit().await?;
            Ok(value)
        }
        Err(error) => {
            writing.roll_back().await?;
            Err(error)
        }
    }
}

impl PostgresStore {
    /// One statement that changes rows, in a transaction of its own. Says how many.
    async fn change(
        &self,
        scope: Scope,
        sql: &str,
        params: &[Param<'_>],
        unique: &'static str,
    ) -> Result<u64> {
        let writing = self.writing(scope).await?;
        let done = writing.execute_unique(sql, params, unique).await;
        ended(writing, done).await
    }
}

#[async_trait]
impl IdentityStore for PostgresStore {
    async fn roles(&self, issuer: Option<IssuerId>) -> Result<Vec<Role>> {
        people::roles(self, issuer).await
    }

    async fn roles_by_id(&self, ids: &[RoleId]) -> Result<Vec<Role>> {
        people::roles_by_id(self, ids).await
    }

    async fn put_role(&self, role: &Role) -> Result<()> {
        people::put_role(self, role).await
    }

    async fn users(&self, filter: UserFilter, after: Option<UserId>, limit: usize) -> Result<Page<User>> {
        people::users(self, filter, after, limit).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>> {
        people::user(self, id).await
    }

    async fn user_by_login(&self, login: &str) -> Result<Option<User>> {
        people::user_by_login(self, login).await
    }

    async fn put_user(&self, user: &User, end_sessions: Option<Timestamp>) -> Result<()> {
        let writing = self.writing(scope(user.issuer)).await?;
        let done = async {
            people::put_user(&writing, user).await?;
            if let Some(at) = end_sessions {
                sessions::end(&writing, user.id, SessionsOf::All, at).await?;
            }
            Ok(())
        };
        let done = done.await;
        ended(writing, done).await
    }

    async fn password(&self, user: UserId) -> Result<Option<String>> {
        people::password(self, user).await
    }

    async fn put_password(
        &self,
        user: &User,
        hash: &str,
        at: Timestamp,
        keep: Option<SessionId>,
    ) -> Result<()> {
        let writing = self.writing(scope(user.issuer)).await?;
        let done = async {
            people::put_password(&writing, user, hash, at).await?;
            let which = keep.map_or(SessionsOf::All, SessionsOf::Others);
            sessions::end(&writing, user.id, which, at).await.map(drop)
        };
        let done = done.await;
        ended(writing, done).await
    }

    async fn totp(&self, user: UserId) -> Result<Option<StoredTotp>> {
        people::totp(self, user).await
    }

    async fn begin_totp(&self, totp: &StoredTotp) -> Result<()> {
        people::begin_totp(self, totp).await
    }

    async fn confirm_totp(&self, totp: &StoredTotp, codes: &[RecoveryCode]) -> Result<bool> {
        let writing = self.writing(scope(totp.issuer)).await?;
        let done = people::confirm_totp(&writing, totp, codes).await;
        ended(writing, done).await
    }

    async fn use_totp_step(&self, user: UserId, step: i64) -> Result<bool> {
        people::use_totp_step(self, user, step).await
    }

    async fn remove_totp(&self, user: UserId) -> Result<()> {
        let writing = self.writing(Scope::All).await?;
        let done = people::remove_totp(&writing, user).await;
        ended(writing, done).await
    }

    async fn recovery_codes(&self, user: UserId) -> Result<Vec<RecoveryCode>> {
        people::recovery_codes(self, user).await
    }

    async fn use_recovery_code(&self, user: UserId, code: RecoveryCode) -> Result<bool> {
        people::use_recovery_code(self, user, code).await
    }

    async fn open_session(&self, session: &Session) -> Result<()> {
        sessions::open(self, session).await
    }

    async fn session(&self, token_hash: [u8; 32]) -> Result<Option<Session>> {
        sessions::by_token(self, token_hash).await
    }

    async fn touch_session(&self, id: SessionId, at: Timestamp) -> Result<()> {
        sessions::touch(self, id, at).await
    }

    async fn advance_session(&self, session: &Session) -> Result<bool> {
        sessions::advance(self, session).await
    }

    async fn end_sessions(&self, user: UserId, which: SessionsOf, at: Timestamp) -> Result<u64> {
        let writing = self.writing(Scope::All).await?;
        let done = sessions::end(&writing, user, which, at).await;
        ended(writing, done).await
    }

    async fn live_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
        sessions::live(self, user, now).await
    }

    async fn forget_sessions(&self, before: Timestamp) -> Result<u64> {
        sessions::forget(self, before).await
    }

    async fn begin_attempt(
        &self,
        keys: &[(GuardKey, Allowance)],
        now: Timestamp,
    ) -> Result<std::result::Result<(), Timestamp>> {
        let writing = self.writing(Scope::All).await?;
        match sessions::attempt(&writing, keys, now).await {
            Ok(Ok(())) => {
                writing.commit().await?;
                Ok(Ok(()))
            }
            Ok(Err(until)) => {
                writing.roll_back().await?;
                Ok(Err(until))
            }
            Err(error) => {
                writing.roll_back().await?;
                Err(error)
            }
        }
    }

    async fn clear_attempts(&self, key: GuardKey) -> Result<()> {
        sessions::clear(self, key).await
    }

    async fn forgive_attempt(&self, key: GuardKey) -> Result<()> {
        sessions::forgive(self, key).await
    }

    async fn invite(&self, invitation: &Invitation) -> Result<()> {
        people::invite(self, invitation).await
    }

    async fn invitation(&self, token_hash: [u8; 32]) -> Result<Option<Invitation>> {
        people::invitation(self, token_hash).await
    }

    async fn invitations(
        &self,
        issuer: Option<IssuerId>,
        before: Option<InvitationId>,
        limit: usize,
    ) -> Result<Page<Invitation>> {
        people::invitations(self, issuer, before, limit).await
    }

    async fn withdraw_invitation(&self, id: InvitationId, at: Timestamp) -> Result<bool> {
        people::withdraw(self, id, at).await
    }

    async fn accept_invitation(&self, id: InvitationId, user: &User, password: &str) -> Result<()> {
        let writing = self.writing(scope(user.issuer)).await?;
        let done = people::accept(&writing, id, user, password).await;
        ended(writing, done).await
    }

    async fn append_audit(&self, events: &[AuditEvent]) -> Result<()> {
        let writing = self.writing(Scope::All).await?;
        let done = trail::append(&writing, events).await;
        ended(writing, done).await
    }

    async fn audit_events(
        &self,
        filter: &AuditFilter,
        before: Option<AuditEventId>,
        limit: usize,
    ) -> Result<Page<AuditEvent>> {
        trail::newest(self, filter, before, limit).await
    }

    async fn views(&self, user: UserId) -> Result<Vec<SavedView>> {
        trail::views(self, user).await
    }

    async fn save_view(&self, view: &SavedView, most: usize) -> Result<()> {
        let writing = self.writing(scope(view.issuer)).await?;
        let done = trail::save_view(&writing, view, most).await;
        ended(writing, done).await
    }

    async fn delete_view(&self, user: UserId, id: ViewId) -> Result<bool> {
        trail::delete_view(self, user, id).await
    }
}
