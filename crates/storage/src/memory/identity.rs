//! People in memory: maps of whole values.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
};

use async_trait::async_trait;
use domain::{
    AuditEventId, IdentityProviderId, InvitationId, IssuerId, Role, RoleId, SessionId, Timestamp, UserId,
    ViewId, program::Status,
};

use super::{MemoryStore, state::conflict};
use crate::{
    Allowance, AuditEvent, AuditFilter, Guard, GuardKey, IdentityStore, Invitation, Page, RecoveryCode,
    Result, SavedView, Sealed, Session, SessionStage, SessionsOf, StoredTotp, User, UserFilter,
};

/// What is kept of people.
#[derive(Default)]
pub(super) struct People {
    roles: BTreeMap<RoleId, Role>,
    users: BTreeMap<UserId, User>,
    passwords: HashMap<UserId, String>,
    totp: HashMap<UserId, StoredTotp>,
    codes: HashMap<UserId, BTreeSet<RecoveryCode>>,
    sessions: BTreeMap<SessionId, Session>,
    guards: HashMap<GuardKey, Guard>,
    invitations: BTreeMap<InvitationId, Invitation>,
    audit: BTreeMap<AuditEventId, AuditEvent>,
    views: BTreeMap<ViewId, SavedView>,
}

impl People {
    /// Master keys that something of people is sealed or digested under.
    pub(super) fn key_ids(&self) -> impl Iterator<Item = u8> + '_ {
        let codes = self.codes.values().flatten().map(|code| code.key_id);
        self.totp.values().map(|totp| totp.key_id).chain(codes)
    }

    /// Ends the sessions that a provider let in, of all or of one.
    pub(super) fn end_let_in_by(
        &mut self,
        provider: IdentityProviderId,
        user: Option<UserId>,
        at: Timestamp,
    ) {
        let all = self.sessions.values_mut();
        let meant = |session: &&mut Session| {
            session.provider == Some(provider) && user.is_none_or(|user| session.user == user)
        };
        for session in all.filter(meant).filter(|session| session.ended_at.is_none()) {
            session.ended_at = Some(at);
        }
    }

    /// Secrets of one-time passwords under another key, by user.
    pub(super) fn totp_not_under(
        &self,
        current: u8,
        after: Option<UserId>,
        limit: usize,
    ) -> Vec<(UserId, Sealed)> {
        let old = self.totp.values().filter(|totp| totp.key_id != current && Some(totp.user) > after);
        let sealed = |totp: &StoredTotp| Sealed { key_id: totp.key_id, bytes: totp.sealed.clone() };
        let mut old: Vec<_> = old.map(|totp| (totp.user, sealed(totp))).collect();
        old.sort_unstable_by_key(|(user, _)| *user);
        old.truncate(limit);
        old
    }

    pub(super) fn rekey_totp(&mut self, secrets: &[(UserId, Sealed)]) {
        for (user, secret) in secrets {
            if let Some(totp) = self.totp.get_mut(user) {
                (totp.key_id, totp.sealed) = (secret.key_id, secret.bytes.clone());
            }
        }
    }

    fn end(&mut self, user: UserId, which: SessionsOf, at: Timestamp) -> u64 {
        let mut ended = 0;
        for session in self.sessions.values_mut() {
            let meant = match which {
                SessionsOf::One(id) => session.id == id,
                SessionsOf::Others(id) => session.id != id,
                SessionsOf::All => true,
            };
            if session.user == user && meant && session.ended_at.is_none() {
                session.ended_at = Some(at);
                ended += 1;
            }
        }
        ended
    }
}

/// A page downwards from `before`.
fn newest<I: Copy + Ord, T: Clone>(
    items: &BTreeMap<I, T>,
    before: Option<I>,
    limit: usize,
    accepts: impl Fn(&T) -> bool,
    number: impl Fn(I) -> i64,
) -> Page<T> {
    let until = before.map_or(Bound::Unbounded, Bound::Excluded);
    let all = items.range((Bound::Unbounded, until)).rev().filter(|(_, item)| accepts(item));
    cut(all.map(|(id, item)| (number(*id), item.clone())), limit)
}

pub(super) fn cut<T>(items: impl Iterator<Item = (i64, T)>, limit: usize) -> Page<T> {
    let mut found: Vec<(i64, T)> = items.take(limit.saturating_add(1)).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let next = if more { found.last().map(|(id, _)| *id) } else { None };
    Page { items: found.into_iter().map(|(_, item)| item).collect(), next }
}

pub(super) fn follows(stored: Option<u32>, version: u32) -> bool {
    match stored {
        None => version == 1,
        Some(stored) => stored.checked_add(1) == Some(version),
    }
}

#[async_trait]
impl IdentityStore for MemoryStore {
    async fn roles(&self, issuer: Option<IssuerId>) -> Result<Vec<Role>> {
        let state = self.read();
        let all = state.people.roles.values();
        Ok(all.filter(|role| role.issuer.is_none() || role.issuer == issuer).cloned().collect())
    }

    async fn roles_by_id(&self, ids: &[RoleId]) -> Result<Vec<Role>> {
        let state = self.read();
        Ok(ids.iter().filter_map(|id| state.people.roles.get(id)).cloned().collect())
    }

    async fn put_role(&self, role: &Role) -> Result<()> {
        let roles = &mut self.write().people.roles;
        let taken = |r: &&Role| r.id != role.id && (r.issuer, &r.code) == (role.issuer, &role.code);
        if roles.values().any(|r| taken(&r)) {
            return conflict("code");
        }
        if !follows(roles.get(&role.id).map(|stored| stored.version), role.version) {
            return conflict("version");
        }
        roles.insert(role.id, role.clone());
        Ok(())
    }

    async fn users(&self, filter: UserFilter, after: Option<UserId>, limit: usize) -> Result<Page<User>> {
        let state = self.read();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let all = state.people.users.range((from, Bound::Unbounded));
        let fits = all.filter(|(_, user)| {
            filter.issuer.is_none_or(|issuer| user.issuer == Some(issuer))
                && filter.merchant.is_none_or(|merchant| user.merchant == Some(merchant))
        });
        Ok(cut(fits.map(|(id, user)| (id.get(), user.clone())), limit))
    }

    async fn user(&self, id: UserId) -> Result<Option<User>> {
        Ok(self.read().people.users.get(&id).cloned())
    }

    async fn user_by_login(&self, login: &str) -> Result<Option<User>> {
        Ok(self.read().people.users.values().find(|user| user.login == login).cloned())
    }

    async fn put_user(&self, user: &User, end_sessions: Option<Timestamp>) -> Result<()> {
        let people = &mut self.write().people;
        if people.users.values().any(|u| u.id != user.id && u.login == user.login) {
            return conflict("login");
        }
        if !follows(people.users.get(&user.id).map(|stored| stored.version), user.version) {
            return conflict("version");
        }
        people.users.insert(user.id, user.clone());
        if let Some(at) = end_sessions {
            people.end(user.id, SessionsOf::All, at);
        }
        Ok(())
    }

    async fn password(&self, user: UserId) -> Result<Option<String>> {
        Ok(self.read().people.passwords.get(&user).cloned())
    }

    async fn put_password(
        &self,
        user: &User,
        hash: &str,
        at: Timestamp,
        keep: Option<SessionId>,
    ) -> Result<()> {
        let people = &mut self.write().people;
        people.passwords.insert(user.id, hash.to_owned());
        people.end(user.id, keep.map_or(SessionsOf::All, SessionsOf::Others), at);
        Ok(())
    }

    async fn totp(&self, user: UserId) -> Result<Option<StoredTotp>> {
        Ok(self.read().people.totp.get(&user).cloned())
    }

    async fn begin_totp(&self, totp: &StoredTotp) -> Result<()> {
        let people = &mut self.write().people;
        if people.totp.get(&totp.user).is_some_and(|stored| stored.confirmed) {
            return conflict("totp");
        }
        people.totp.insert(totp.user, totp.clone());
        Ok(())
    }

    async fn confirm_totp(&self, totp: &StoredTotp, codes: &[RecoveryCode]) -> Result<bool> {
        let people = &mut self.write().people;
        let stored = people.totp.get_mut(&totp.user);
        let Some(stored) = stored.filter(|stored| !stored.confirmed && stored.sealed == totp.sealed) else {
            return Ok(false);
        };
        stored.confirmed = true;
        stored.last_step = totp.last_step;
        people.codes.insert(totp.user, codes.iter().copied().collect());
        Ok(true)
    }

    async fn use_totp_step(&self, user: UserId, step: i64) -> Result<bool> {
        let people = &mut self.write().people;
        let stored = people.totp.get_mut(&user).filter(|stored| stored.confirmed && stored.last_step < step);
        Ok(stored.map(|stored| stored.last_step = step).is_some())
    }

    async fn remove_totp(&self, user: UserId) -> Result<()> {
        let people = &mut self.write().people;
        people.totp.remove(&user);
        people.codes.remove(&user);
        Ok(())
    }

    async fn recovery_codes(&self, user: UserId) -> Result<Vec<RecoveryCode>> {
        let state = self.read();
        Ok(state.people.codes.get(&user).map(|codes| codes.iter().copied().collect()).unwrap_or_default())
    }

    async fn use_recovery_code(&self, user: UserId, code: RecoveryCode) -> Result<bool> {
        Ok(self.write().people.codes.get_mut(&user).is_some_and(|codes| codes.remove(&code)))
    }

    async fn open_session(&self, session: &Session) -> Result<()> {
        let state = &mut *self.write();
        if let Some(provider) = session.provider {
            let is_open = state.providers.all.get(&provider).is_some_and(|of| of.status == Status::Active);
            if !is_open || !state.providers.identities.contains_key(&(provider, session.user)) {
                return conflict("provider");
            }
        }
        let sessions = &mut state.people.sessions;
        if sessions.values().any(|s| s.id == session.id || s.token_hash == session.token_hash) {
            return conflict("session");
        }
        sessions.insert(session.id, session.clone());
        Ok(())
    }

    async fn session(&self, token_hash: [u8; 32]) -> Result<Option<Session>> {
        Ok(self.read().people.sessions.values().find(|s| s.token_hash == token_hash).cloned())
    }

    async fn touch_session(&self, id: SessionId, at: Timestamp) -> Result<()> {
        let sessions = &mut self.write().people.sessions;
        if let Some(session) = sessions.get_mut(&id).filter(|session| session.ended_at.is_none()) {
            session.last_seen_at = session.last_seen_at.max(at);
        }
        Ok(())
    }

    async fn advance_session(&self, session: &Session) -> Result<bool> {
        let sessions = &mut self.write().people.sessions;
        let open =
            |stored: &&mut Session| stored.stage != SessionStage::Complete && stored.ended_at.is_none();
        let Some(stored) = sessions.get_mut(&session.id).filter(open) else { return Ok(false) };
        stored.stage = session.stage;
        stored.token_hash = session.token_hash;
        stored.last_seen_at = session.last_seen_at;
        stored.expires_at = session.expires_at;
        Ok(true)
    }

    async fn end_sessions(&self, user: UserId, which: SessionsOf, at: Timestamp) -> Result<u64> {
        Ok(self.write().people.end(user, which, at))
    }

    async fn live_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
        let state = self.read();
        let all = state.people.sessions.values().rev();
        let live = all.filter(|s| s.user == user && s.ended_at.is_none() && s.expires_at > now);
        Ok(live.take(100).cloned().collect())
    }

    async fn forget_sessions(&self, before: Timestamp) -> Result<u64> {
        let people = &mut self.write().people;
        let all = people.sessions.len();
        people.sessions.retain(|_, s| s.expires_at >= before);
        people.guards.retain(|_, guard| guard.last_at >= before);
        Ok(u64::try_from(all.saturating_sub(people.sessions.len())).unwrap_or(u64::MAX))
    }

    async fn begin_attempt(
        &self,
        keys: &[(GuardKey, Allowance)],
        now: Timestamp,
    ) -> Result<std::result::Result<(), Timestamp>> {
        let guards = &mut self.write().people.guards;
        let mut after = Vec::with_capacity(keys.len());
        for (key, allowance) in keys {
            match guards.get(key).copied().unwrap_or_default().attempt(now, *allowance) {
                Ok(guard) => after.push((*key, guard)),
                Err(until) => return Ok(Err(until)),
            }
        }
        guards.extend(after);
        Ok(Ok(()))
    }

    async fn clear_attempts(&self, key: GuardKey) -> Result<()> {
        self.write().people.guards.remove(&key);
        Ok(())
    }

    async fn forgive_attempt(&self, key: GuardKey) -> Result<()> {
        if let Some(guard) = self.write().people.guards.get_mut(&key) {
            *guard = guard.forgiven();
        }
        Ok(())
    }

    async fn invite(&self, invitation: &Invitation) -> Result<()> {
        let invitations = &mut self.write().people.invitations;
        if invitations.contains_key(&invitation.id) {
            return conflict("invitation");
        }
        invitations.insert(invitation.id, invitation.clone());
        Ok(())
    }

    async fn invitation(&self, token_hash: [u8; 32]) -> Result<Option<Invitation>> {
        Ok(self.read().people.invitations.values().find(|i| i.token_hash == token_hash).cloned())
    }

    async fn invitations(
        &self,
        issuer: Option<IssuerId>,
        before: Option<InvitationId>,
        limit: usize,
    ) -> Result<Page<Invitation>> {
        let accepts = |i: &Invitation| issuer.is_none_or(|issuer| i.issuer == Some(issuer));
        Ok(newest(&self.read().people.invitations, before, limit, accepts, InvitationId::get))
    }

    async fn withdraw_invitation(&self, id: InvitationId, at: Timestamp) -> Result<bool> {
        let invitations = &mut self.write().people.invitations;
        let open = |i: &&mut Invitation| i.accepted.is_none() && i.withdrawn_at.is_none();
        Ok(invitations.get_mut(&id).filter(open).map(|i| i.withdrawn_at = Some(at)).is_some())
    }

    async fn accept_invitation(&self, id: InvitationId, user: &User, password: &str) -> Result<()> {
        let people = &mut self.write().people;
        if people.users.values().any(|u| u.login == user.login) {
            return conflict("login");
        }
        let open = |i: &&mut Invitation| i.accepted.is_none() && i.withdrawn_at.is_none();
        let Some(invitation) = people.invitations.get_mut(&id).filter(open) else {
            return conflict("invitation");
        };
        invitation.accepted = Some((user.created_at, user.id));
        people.users.insert(user.id, user.clone());
        people.passwords.insert(user.id, password.to_owned());
        Ok(())
    }

    async fn append_audit(&self, events: &[AuditEvent]) -> Result<()> {
        let audit = &mut self.write().people.audit;
        if events.iter().any(|event| audit.contains_key(&event.id)) {
            return conflict("id");
        }
        audit.extend(events.iter().map(|event| (event.id, event.clone())));
        Ok(())
    }

    async fn audit_events(
        &self,
        filter: &AuditFilter,
        before: Option<AuditEventId>,
        limit: usize,
    ) -> Result<Page<AuditEvent>> {
        let accepts = |event: &AuditEvent| {
            event.issuer == filter.issuer
                && filter.user.is_none_or(|user| event.user == Some(user))
                && filter.action.as_ref().is_none_or(|action| event.action == *action)
                && filter.from.is_none_or(|from| event.at >= from)
                && filter.to.is_none_or(|to| event.at < to)
        };
        Ok(newest(&self.read().people.audit, before, limit, accepts, AuditEventId::get))
    }

    async fn views(&self, user: UserId) -> Result<Vec<SavedView>> {
        Ok(self.read().people.views.values().filter(|view| view.user == user).cloned().collect())
    }

    async fn save_view(&self, view: &SavedView, most: usize) -> Result<()> {
        let views = &mut self.write().people.views;
        let own = || views.values().filter(|v| v.user == view.user);
        if own().count() >= most {
            return conflict("views");
        }
        if own().any(|v| v.page == view.page && v.name == view.name) {
            return conflict("name");
        }
        views.insert(view.id, view.clone());
        Ok(())
    }

    async fn delete_view(&self, user: UserId, id: ViewId) -> Result<bool> {
        let views = &mut self.write().people.views;
        if views.get(&id).is_none_or(|view| view.user != user) {
            return Ok(false);
        }
        Ok(views.remove(&id).is_some())
    }
}
