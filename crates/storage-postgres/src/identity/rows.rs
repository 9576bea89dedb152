//! Rows of people: how each type is read, in one declared order of columns.

use domain::{
    Amount, AuditEventId, ClientId, IdentityProviderId, InvitationId, IssuerId, MerchantId, Role, RoleId,
    SessionId, StoreId, UserId, ViewId,
    program::Status,
    role::{Limit, Limits},
};
use storage::{
    AuditEvent, Guard, GuardKey, IdentityProvider, Invitation, LinkedIdentity, RecoveryCode, Result,
    SavedView, Sealed, Session, SessionStage, SignInFlow, SignInPage, StoredTotp, User,
    identity_store::{permissions_from_text, roles_from_text},
};

use crate::{error::corrupt, fields::Fields};

pub(super) const ROLE: &str = "id, issuer_id, code, name_zh, name_en, permissions, issue_operation, issue_day, \
     adjust_operation, adjust_day, refund_operation, refund_day, terms_operation, terms_day, created_at, version";
pub(super) const USER: &str =
    "id, issuer_id, merchant_id, store_id, login, name, status, roles, created_at, version";
pub(super) const TOTP: &str = "person_id, issuer_id, key_id, sealed, confirmed, last_step";
pub(super) const SESSION: &str = "id, person_id, issuer_id, token_hash, stage, address, agent, created_at, \
     last_seen_at, expires_at, ended_at, provider_id";
pub(super) const INVITATION: &str = "id, issuer_id, merchant_id, store_id, login, name, roles, token_hash, \
     invited_by, created_at, expires_at, accepted_at, person_id, withdrawn_at";
pub(super) const EVENT: &str =
    "id, issuer_id, person_id, session_id, at, address, action, object, status, code, request_id";
pub(super) const PROVIDER: &str = "id, issuer_id, name, issuer_url, client_id, secret_key_id, secret, \
     trusted_second_factor, status, created_at, version";
pub(super) const IDENTITY: &str = "provider_id, person_id, subject, issuer_id, linked_at";
pub(super) const FLOW: &str = "state_hash, provider_id, issuer_id, subject, page, expires_at";
pub(super) const VIEW: &str = "id, person_id, issuer_id, name, page, query, created_at";

type F<'a, 'r> = &'a mut Fields<'r>;

/// The name under which a status is stored.
pub(super) const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Closed => "closed",
    }
}

fn status(name: &str) -> Option<Status> {
    [Status::Active, Status::Closed].into_iter().find(|status| status_name(*status) == name)
}

fn issuer(f: F<'_, '_>) -> Result<Option<IssuerId>> {
    Ok(f.opt_int()?.map(IssuerId::new))
}

fn owned(f: F<'_, '_>) -> Result<Option<String>> {
    Ok(f.opt_text()?.map(str::to_owned))
}

fn limit(f: F<'_, '_>) -> Result<Limit> {
    let (per_operation, per_day): (Amount, Amount) = (f.amount()?, f.amount()?);
    Ok(Limit { per_operation, per_day })
}

pub(super) fn role(f: F<'_, '_>) -> Result<Role> {
    Ok(Role {
        id: RoleId::new(f.int()?),
        issuer: issuer(f)?,
        code: f.text()?.to_owned(),
        name_zh: f.text()?.to_owned(),
        name_en: f.text()?.to_owned(),
        permissions: f.named(permissions_from_text)?,
        limits: Limits { issue: limit(f)?, adjust: limit(f)?, unlinked_refund: limit(f)?, terms: limit(f)? },
        created_at: f.time()?,
        version: f.narrow()?,
    })
}

pub(super) fn user(f: F<'_, '_>) -> Result<User> {
    Ok(User {
        id: UserId::new(f.int()?),
        issuer: issuer(f)?,
        merchant: f.opt_int()?.map(MerchantId::new),
        store: f.opt_int()?.map(StoreId::new),
        login: f.text()?.to_owned(),
        name: f.text()?.to_owned(),
        status: f.named(status)?,
        roles: f.named(roles_from_text)?,
        created_at: f.time()?,
        version: f.narrow()?,
    })
}

pub(super) fn totp(f: F<'_, '_>) -> Result<StoredTotp> {
    Ok(StoredTotp {
        user: UserId::new(f.int()?),
        issuer: issuer(f)?,
        key_id: f.narrow()?,
        sealed: f.opt_blob()?.map(<[u8]>::to_vec).ok_or_else(|| corrupt("a generator has no secret"))?,
        confirmed: f.boolean()?,
        last_step: f.int()?,
    })
}

pub(super) fn code(f: F<'_, '_>) -> Result<RecoveryCode> {
    Ok(RecoveryCode { key_id: f.narrow()?, digest: f.bytes()? })
}

pub(super) fn session(f: F<'_, '_>) -> Result<Session> {
    Ok(Session {
        id: SessionId::new(f.int()?),
        user: UserId::new(f.int()?),
        issuer: issuer(f)?,
        token_hash: f.bytes()?,
        stage: f.named(SessionStage::from_name)?,
        address: owned(f)?,
        agent: owned(f)?,
        created_at: f.time()?,
        last_seen_at: f.time()?,
        expires_at: f.time()?,
        ended_at: f.opt_time()?,
        provider: f.opt_int()?.map(IdentityProviderId::new),
    })
}

pub(super) fn provider(f: F<'_, '_>) -> Result<IdentityProvider> {
    Ok(IdentityProvider {
        id: IdentityProviderId::new(f.int()?),
        issuer: issuer(f)?,
        name: f.text()?.to_owned(),
        issuer_url: f.text()?.to_owned(),
        client_id: f.text()?.to_owned(),
        secret: Sealed {
            key_id: f.narrow()?,
            bytes: f.opt_blob()?.map(<[u8]>::to_vec).ok_or_else(|| corrupt("a provider has no secret"))?,
        },
        trusted_second_factor: f.boolean()?,
        status: f.named(status)?,
        created_at: f.time()?,
        version: f.narrow()?,
    })
}

pub(super) fn identity(f: F<'_, '_>) -> Result<LinkedIdentity> {
    Ok(LinkedIdentity {
        provider: IdentityProviderId::new(f.int()?),
        user: UserId::new(f.int()?),
        subject: f.text()?.to_owned(),
        issuer: issuer(f)?,
        linked_at: f.time()?,
    })
}

pub(super) fn flow(f: F<'_, '_>) -> Result<SignInFlow> {
    Ok(SignInFlow {
        state_hash: f.bytes()?,
        provider: IdentityProviderId::new(f.int()?),
        issuer: issuer(f)?,
        subject: GuardKey(f.bytes()?),
        page: f.named(SignInPage::from_name)?,
        expires_at: f.time()?,
    })
}

pub(super) fn guard(f: F<'_, '_>) -> Result<Guard> {
    Ok(Guard { tries: f.narrow()?, last_at: f.time()?, locked_until: f.time()? })
}

pub(super) fn invitation(f: F<'_, '_>) -> Result<Invitation> {
    Ok(Invitation {
        id: InvitationId::new(f.int()?),
        issuer: issuer(f)?,
        merchant: f.opt_int()?.map(MerchantId::new),
        store: f.opt_int()?.map(StoreId::new),
        login: f.text()?.to_owned(),
        name: f.text()?.to_owned(),
        roles: f.named(roles_from_text)?,
        token_hash: f.bytes()?,
        invited_by: f.opt_int()?.map(ClientId::new),
        created_at: f.time()?,
        expires_at: f.time()?,
        accepted: f.opt_time()?.zip(f.opt_int()?.map(UserId::new)),
        withdrawn_at: f.opt_time()?,
    })
}

pub(super) fn event(f: F<'_, '_>) -> Result<AuditEvent> {
    Ok(AuditEvent {
        id: AuditEventId::new(f.int()?),
        issuer: issuer(f)?,
        user: f.opt_int()?.map(UserId::new),
        session: f.opt_int()?.map(SessionId::new),
        at: f.time()?,
        address: owned(f)?,
        action: f.text()?.to_owned(),
        object: owned(f)?,
        status: f.narrow()?,
        code: owned(f)?,
        request_id: owned(f)?,
    })
}

pub(super) fn view(f: F<'_, '_>) -> Result<SavedView> {
    Ok(SavedView {
        id: ViewId::new(f.int()?),
        user: UserId::new(f.int()?),
        issuer: issuer(f)?,
        name: f.text()?.to_owned(),
        page: f.text()?.to_owned(),
        query: f.text()?.to_owned(),
        created_at: f.time()?,
    })
}
