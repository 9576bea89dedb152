//! People are not simulated: the port is left to the store in memory, and nothing in a simulation asks for it.

use async_trait::async_trait;
use domain::{AuditEventId, InvitationId, IssuerId, Role, RoleId, SessionId, Timestamp, UserId, ViewId};
use storage::{
    Allowance, AuditEvent, AuditFilter, GuardKey, IdentityStore, Invitation, Page, RecoveryCode, Result,
    SavedView, Session, SessionsOf, StoredTotp, User, UserFilter,
};

use super::Connection;

#[async_trait]
impl IdentityStore for Connection {
    async fn roles(&self, issuer: Option<IssuerId>) -> Result<Vec<Role>> {
        self.database.rest.roles(issuer).await
    }

    async fn roles_by_id(&self, ids: &[RoleId]) -> Result<Vec<Role>> {
        self.database.rest.roles_by_id(ids).await
    }

    async fn put_role(&self, role: &Role) -> Result<()> {
        self.database.rest.put_role(role).await
    }

    async fn users(&self, filter: UserFilter, after: Option<UserId>, limit: usize) -> Result<Page<User>> {
        self.database.rest.users(filter, after, limit).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>> {
        self.database.rest.user(id).await
    }

    async fn user_by_login(&self, login: &str) -> Result<Option<User>> {
        self.database.rest.user_by_login(login).await
    }

    async fn put_user(&self, user: &User, end_sessions: Option<Timestamp>) -> Result<()> {
        self.database.rest.put_user(user, end_sessions).await
    }

    async fn password(&self, user: UserId) -> Result<Option<String>> {
        self.database.rest.password(user).await
    }

    async fn put_password(
        &self,
        user: &User,
        hash: &str,
        at: Timestamp,
        keep: Option<SessionId>,
    ) -> Result<()> {
        self.database.rest.put_password(user, hash, at, keep).await
    }

    async fn totp(&self, user: UserId) -> Result<Option<StoredTotp>> {
        self.database.rest.totp(user).await
    }

    async fn begin_totp(&self, totp: &StoredTotp) -> Result<()> {
        self.database.rest.begin_totp(totp).await
    }

    async fn confirm_totp(&self, totp: &StoredTotp, codes: &[RecoveryCode]) -> Result<bool> {
        self.database.rest.confirm_totp(totp, codes).await
    }

    async fn use_totp_step(&self, user: UserId, step: i64) -> Result<bool> {
        self.database.rest.use_totp_step(user, step).await
    }

    async fn remove_totp(&self, user: UserId) -> Result<()> {
        self.database.rest.remove_totp(user).await
    }

    async fn recovery_codes(&self, user: UserId) -> Result<Vec<RecoveryCode>> {
        self.database.rest.recovery_codes(user).await
    }

    async fn use_recovery_code(&self, user: UserId, code: RecoveryCode) -> Result<bool> {
        self.database.rest.use_recovery_code(user, code).await
    }

    async fn open_session(&self, session: &Session) -> Result<()> {
        self.database.rest.open_session(session).await
    }

    async fn session(&self, token_hash: [u8; 32]) -> Result<Option<Session>> {
        self.database.rest.session(token_hash).await
    }

    async fn touch_session(&self, id: SessionId, at: Timestamp) -> Result<()> {
        self.database.rest.touch_session(id, at).await
    }

    async fn advance_session(&self, session: &Session) -> Result<bool> {
        self.database.rest.advance_session(session).await
    }

    async fn end_sessions(&self, user: UserId, which: SessionsOf, at: Timestamp) -> Result<u64> {
        self.database.rest.end_sessions(user, which, at).await
    }

    async fn live_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
        self.database.rest.live_sessions(user, now).await
    }

    async fn forget_sessions(&self, before: Timestamp) -> Result<u64> {
        self.database.rest.forget_sessions(before).await
    }

    async fn begin_attempt(
        &self,
        keys: &[(GuardKey, Allowance)],
        now: Timestamp,
    ) -> Result<std::result::Result<(), Timestamp>> {
        self.database.rest.begin_attempt(keys, now).await
    }

    async fn clear_attempts(&self, key: GuardKey) -> Result<()> {
        self.database.rest.clear_attempts(key).await
    }

    async fn forgive_attempt(&self, key: GuardKey) -> Result<()> {
        self.database.rest.forgive_attempt(key).await
    }

    async fn invite(&self, invitation: &Invitation) -> Result<()> {
        self.database.rest.invite(invitation).await
    }

    async fn invitation(&self, token_hash: [u8; 32]) -> Result<Option<Invitation>> {
        self.database.rest.invitation(token_hash).await
    }

    async fn invitations(
        &self,
        issuer: Option<IssuerId>,
        before: Option<InvitationId>,
        limit: usize,
    ) -> Result<Page<Invitation>> {
        self.database.rest.invitations(issuer, before, limit).await
    }

    async fn withdraw_invitation(&self, id: InvitationId, at: Timestamp) -> Result<bool> {
        self.database.rest.withdraw_invitation(id, at).await
    }

    async fn accept_invitation(&self, id: InvitationId, user: &User, password: &str) -> Result<()> {
        self.database.rest.accept_invitation(id, user, password).await
    }

    async fn append_audit(&self, events: &[AuditEvent]) -> Result<()> {
        self.database.rest.append_audit(events).await
    }

    async fn audit_events(
        &self,
        filter: &AuditFilter,
        before: Option<AuditEventId>,
        limit: usize,
    ) -> Result<Page<AuditEvent>> {
        self.database.rest.audit_events(filter, before, limit).await
    }

    async fn views(&self, user: UserId) -> Result<Vec<SavedView>> {
        self.database.rest.views(user).await
    }

    async fn save_view(&self, view: &SavedView, most: usize) -> Result<()> {
        self.database.rest.save_view(view, most).await
    }

    async fn delete_view(&self, user: UserId, id: ViewId) -> Result<bool> {
        self.database.rest.delete_view(user, id).await
    }
}
