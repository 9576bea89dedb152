//! People: users, roles, credentials, sessions, invitations, the audit trail, saved views.

mod people;
mod providers;
mod rows;
mod sessions;
mod trail;

use async_trait::async_trait;
use domain::{AuditEventId, InvitationId, IssuerId, Role, RoleId, SessionId, Timestamp, UserId, ViewId};
use rusqlite::{Connection, Params};
use storage::{
    Allowance, AuditEvent, AuditFilter, GuardKey, IdentityStore, Invitation, Page, RecoveryCode, Result,
    SavedView, Session, SessionsOf, StorageError, StoredTotp, User, UserFilter,
};

use crate::{SqliteStore, error::IntoStorage, fields::Fields, store::Outcome};

/// Reads all rows of a statement.
fn list<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: fn(&mut Fields<'_, '_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql).stored()?;
    let mut rows = statement.query(params).stored()?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().stored()? {
        found.push(read(&mut Fields::new(row))?);
    }
    Ok(found)
}

/// Reads the first row of a statement.
fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: fn(&mut Fields<'_, '_>) -> Result<T>,
) -> Result<Option<T>> {
    Ok(list(connection, sql, params, read)?.into_iter().next())
}

/// Runs a statement that changes rows, and says how many.
fn run(connection: &Connection, sql: &str, params: impl Params) -> Result<usize> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).stored()
}

/// The same for what may be taken already.
fn run_unique(connection: &Connection, sql: &str, params: impl Params, what: &'static str) -> Result<usize> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).unique(what)
}

/// `INSERT INTO table (…) VALUES (?1, …)`
fn insert(table: &str, columns: &str) -> String {
    let places: Vec<String> = (1..=columns.split(',').count()).map(|n| format!("?{n}")).collect();
    format!("INSERT INTO {table} ({columns}) VALUES ({})", places.join(", "))
}

/// One more than asked for, to see whether more follows.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
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

#[async_trait]
impl IdentityStore for SqliteStore {
    async fn roles(&self, issuer: Option<IssuerId>) -> Result<Vec<Role>> {
        self.long(move |connection| people::roles(connection, issuer)).await
    }

    async fn roles_by_id(&self, ids: &[RoleId]) -> Result<Vec<Role>> {
        self.point(|connection| people::roles_by_id(connection, ids)).await
    }

    async fn put_role(&self, role: &Role) -> Result<()> {
        let role = role.clone();
        self.write(move |connection| people::put_role(connection, &role)).await
    }

    async fn users(&self, filter: UserFilter, after: Option<UserId>, limit: usize) -> Result<Page<User>> {
        self.long(move |connection| people::users(connection, filter, after, limit)).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>> {
        self.point(|connection| people::user(connection, id)).await
    }

    async fn user_by_login(&self, login: &str) -> Result<Option<User>> {
        self.point(|connection| people::user_by_login(connection, login)).await
    }

    async fn put_user(&self, user: &User, end_sessions: Option<Timestamp>) -> Result<()> {
        let user = user.clone();
        self.write(move |connection| {
            people::put_user(connection, &user)?;
            if let Some(at) = end_sessions {
                sessions::end(connection, user.id, SessionsOf::All, at)?;
            }
            Ok(())
        })
        .await
    }

    async fn password(&self, user: UserId) -> Result<Option<String>> {
        self.point(|connection| people::password(connection, user)).await
    }

    async fn put_password(
        &self,
        user: &User,
        hash: &str,
        at: Timestamp,
        keep: Option<SessionId>,
    ) -> Result<()> {
        let (user, hash) = (user.clone(), hash.to_owned());
        self.write(move |connection| {
            people::put_password(connection, &user, &hash, at)?;
            sessions::end(connection, user.id, keep.map_or(SessionsOf::All, SessionsOf::Others), at)?;
            Ok(())
        })
        .await
    }

    async fn totp(&self, user: UserId) -> Result<Option<StoredTotp>> {
        self.point(|connection| people::totp(connection, user)).await
    }

    async fn begin_totp(&self, totp: &StoredTotp) -> Result<()> {
        let totp = totp.clone();
        self.write(move |connection| people::begin_totp(connection, &totp)).await
    }

    async fn confirm_totp(&self, totp: &StoredTotp, codes: &[RecoveryCode]) -> Result<bool> {
        let (totp, codes) = (totp.clone(), codes.to_vec());
        self.write(move |connection| people::confirm_totp(connection, &totp, &codes)).await
    }

    async fn use_totp_step(&self, user: UserId, step: i64) -> Result<bool> {
        self.write(move |connection| people::use_totp_step(connection, user, step)).await
    }

    async fn remove_totp(&self, user: UserId) -> Result<()> {
        self.write(move |connection| people::remove_totp(connection, user)).await
    }

    async fn recovery_codes(&self, user: UserId) -> Result<Vec<RecoveryCode>> {
        self.point(|connection| people::recovery_codes(connection, user)).await
    }

    async fn use_recovery_code(&self, user: UserId, code: RecoveryCode) -> Result<bool> {
        self.write(move |connection| people::use_recovery_code(connection, user, code)).await
    }

    async fn open_session(&self, session: &Session) -> Result<()> {
        let session = session.clone();
        self.write(move |connection| sessions::open(connection, &session)).await
    }

    async fn session(&self, token_hash: [u8; 32]) -> Result<Option<Session>> {
        self.point(|connection| sessions::by_token(connection, token_hash)).await
    }

    async fn touch_session(&self, id: SessionId, at: Timestamp) -> Result<()> {
        self.write(move |connection| sessions::touch(connection, id, at)).await
    }

    async fn advance_session(&self, session: &Session) -> Result<bool> {
        let session = session.clone();
        self.write(move |connection| sessions::advance(connection, &session)).await
    }

    async fn end_sessions(&self, user: UserId, which: SessionsOf, at: Timestamp) -> Result<u64> {
        self.write(move |connection| sessions::end(connection, user, which, at)).await
    }

    async fn live_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
        self.long(move |connection| sessions::live(connection, user, now)).await
    }

    async fn forget_sessions(&self, before: Timestamp) -> Result<u64> {
        self.write(move |connection| sessions::forget(connection, before)).await
    }

    async fn begin_attempt(
        &self,
        keys: &[(GuardKey, Allowance)],
        now: Timestamp,
    ) -> Result<std::result::Result<(), Timestamp>> {
        let keys = keys.to_vec();
        self.write_or_not(move |connection| match sessions::attempt(connection, &keys, now)? {
            Ok(()) => Ok(Outcome::Commit(Ok(()))),
            Err(until) => Ok(Outcome::RollBack(Err(until))),
        })
        .await
    }

    async fn clear_attempts(&self, key: GuardKey) -> Result<()> {
        self.write(move |connection| sessions::clear(connection, key)).await
    }

    async fn forgive_attempt(&self, key: GuardKey) -> Result<()> {
        self.write(move |connection| sessions::forgive(connection, key)).await
    }

    async fn invite(&self, invitation: &Invitation) -> Result<()> {
        let invitation = invitation.clone();
        self.write(move |connection| people::invite(connection, &invitation)).await
    }

    async fn invitation(&self, token_hash: [u8; 32]) -> Result<Option<Invitation>> {
        self.point(|connection| people::invitation(connection, token_hash)).await
    }

    async fn invitations(
        &self,
        issuer: Option<IssuerId>,
        before: Option<InvitationId>,
        limit: usize,
    ) -> Result<Page<Invitation>> {
        self.long(move |connection| people::invitations(connection, issuer, before, limit)).await
    }

    async fn withdraw_invitation(&self, id: InvitationId, at: Timestamp) -> Result<bool> {
        self.write(move |connection| people::withdraw(connection, id, at)).await
    }

    async fn accept_invitation(&self, id: InvitationId, user: &User, password: &str) -> Result<()> {
        let (user, password) = (user.clone(), password.to_owned());
        self.write(move |connection| people::accept(connection, id, &user, &password)).await
    }

    async fn append_audit(&self, events: &[AuditEvent]) -> Result<()> {
        let events = events.to_vec();
        self.write(move |connection| trail::append(connection, &events)).await
    }

    async fn audit_events(
        &self,
        filter: &AuditFilter,
        before: Option<AuditEventId>,
        limit: usize,
    ) -> Result<Page<AuditEvent>> {
        let filter = filter.clone();
        self.long(move |connection| trail::newest(connection, &filter, before, limit)).await
    }

    async fn views(&self, user: UserId) -> Result<Vec<SavedView>> {
        self.point(|connection| trail::views(connection, user)).await
    }

    async fn save_view(&self, view: &SavedView, most: usize) -> Result<()> {
        let view = view.clone();
        self.write(move |connection| trail::save_view(connection, &view, most)).await
    }

    async fn delete_view(&self, user: UserId, id: ViewId) -> Result<bool> {
        self.write(move |connection| trail::delete_view(connection, user, id)).await
    }
}
