//! Roles, users, their credentials and invitations.

use domain::{ClientId, InvitationId, IssuerId, MerchantId, Role, RoleId, StoreId, Timestamp, UserId};
use storage::{
    Invitation, Page, RecoveryCode, Result, StoredTotp, User, UserFilter,
    identity_store::{permissions_to_text, roles_to_text},
};

use super::{
    conflict, each, first, insert, one_more, page,
    rows::{self, INVITATION, ROLE, TOTP, USER, status_name},
    scope,
};
use crate::{
    PostgresStore,
    store::{Scope, Writing},
};

pub(super) async fn roles(store: &PostgresStore, issuer: Option<IssuerId>) -> Result<Vec<Role>> {
    let sql = format!("SELECT {ROLE} FROM role WHERE issuer_id IS NULL OR issuer_id = $1 ORDER BY id");
    let found = store.one(scope(issuer), &sql, &[&issuer.map(IssuerId::get)]).await?;
    each(&found, rows::role)
}

pub(super) async fn roles_by_id(store: &PostgresStore, ids: &[RoleId]) -> Result<Vec<Role>> {
    let sql = format!("SELECT {ROLE} FROM role WHERE id = ANY ($1)");
    let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    each(&store.one(Scope::All, &sql, &[&ids]).await?, rows::role)
}

pub(super) async fn put_role(store: &PostgresStore, role: &Role) -> Result<()> {
    let limits = [role.limits.issue, role.limits.adjust, role.limits.unlinked_refund, role.limits.terms];
    let amounts: Vec<i64> =
        limits.iter().flat_map(|limit| [limit.per_operation.get(), limit.per_day.get()]).collect();
    let permissions = permissions_to_text(role);
    let (id, issuer) = (role.id.get(), role.issuer.map(IssuerId::get));
    let (version, created_at) = (i64::from(role.version), role.created_at.micros());
    if role.version == 1 {
        let mut params: Vec<crate::session::Param<'_>> =
            vec![&id, &issuer, &role.code, &role.name_zh, &role.name_en, &permissions];
        params.extend(amounts.iter().map(|amount| amount as crate::session::Param<'_>));
        params.push(&created_at);
        params.push(&version);
        store.change(scope(role.issuer), &insert("role", ROLE), &params, "code").await?;
        return Ok(());
    }
    let sql = "UPDATE role SET code = $3, name_zh = $4, name_en = $5, permissions = $6, issue_operation = $7, \
         issue_day = $8, adjust_operation = $9, adjust_day = $10, refund_operation = $11, refund_day = $12, \
         terms_operation = $13, terms_day = $14, version = $2 WHERE id = $1 AND version = $2::bigint - 1";
    let mut params: Vec<crate::session::Param<'_>> =
        vec![&id, &version, &role.code, &role.name_zh, &role.name_en, &permissions];
    params.extend(amounts.iter().map(|amount| amount as crate::session::Param<'_>));
    let changed = store.change(scope(role.issuer), sql, &params, "code").await?;
    if changed == 1 { Ok(()) } else { conflict("version") }
}

pub(super) async fn users(
    store: &PostgresStore,
    filter: UserFilter,
    after: Option<UserId>,
    limit: usize,
) -> Result<Page<User>> {
    let after = after.map_or(i64::MIN, UserId::get);
    let (issuer, merchant) = (filter.issuer.map(IssuerId::get), filter.merchant.map(MerchantId::get));
    let sql = format!(
        "SELECT {USER} FROM person WHERE ($1::bigint IS NULL OR issuer_id = $1) \
         AND ($2::bigint IS NULL OR merchant_id = $2) AND id > $3 ORDER BY id LIMIT $4"
    );
    let found =
        store.one(scope(filter.issuer), &sql, &[&issuer, &merchant, &after, &one_more(limit)]).await?;
    Ok(page(each(&found, rows::user)?, limit, |user| user.id.get()))
}

pub(super) async fn user(store: &PostgresStore, id: UserId) -> Result<Option<User>> {
    let sql = format!("SELECT {USER} FROM person WHERE id = $1");
    first(&store.one(Scope::All, &sql, &[&id.get()]).await?, rows::user)
}

pub(super) async fn user_by_login(store: &PostgresStore, login: &str) -> Result<Option<User>> {
    let sql = format!("SELECT {USER} FROM person WHERE login = $1");
    first(&store.one(Scope::All, &sql, &[&login]).await?, rows::user)
}

pub(super) async fn put_user(writing: &Writing, user: &User) -> Result<()> {
    if user.version == 1 {
        return insert_user(writing, user).await;
    }
    let sql = "UPDATE person SET merchant_id = $3, store_id = $4, name = $5, status = $6, roles = $7, version = $2 \
         WHERE id = $1 AND version = $2::bigint - 1";
    let (merchant, store) = (user.merchant.map(MerchantId::get), user.store.map(StoreId::get));
    let (status, roles) = (status_name(user.status), roles_to_text(&user.roles));
    let version = i64::from(user.version);
    let id = user.id.get();
    let params: [crate::session::Param<'_>; 7] =
        [&id, &version, &merchant, &store, &user.name, &status, &roles];
    if writing.execute_unique(sql, &params, "id").await? == 1 { Ok(()) } else { conflict("version") }
}

async fn insert_user(writing: &Writing, user: &User) -> Result<()> {
    let (id, issuer) = (user.id.get(), user.issuer.map(IssuerId::get));
    let (merchant, store) = (user.merchant.map(MerchantId::get), user.store.map(StoreId::get));
    let (status, roles) = (status_name(user.status), roles_to_text(&user.roles));
    let (created_at, version) = (user.created_at.micros(), i64::from(user.version));
    let params: [crate::session::Param<'_>; 10] =
        [&id, &issuer, &merchant, &store, &user.login, &user.name, &status, &roles, &created_at, &version];
    writing.execute_unique(&insert("person", USER), &params, "login").await.map(drop)
}

pub(super) async fn password(store: &PostgresStore, user: UserId) -> Result<Option<String>> {
    let sql = "SELECT hash FROM person_password WHERE person_id = $1";
    first(&store.one(Scope::All, sql, &[&user.get()]).await?, |f| Ok(f.text()?.to_owned()))
}

pub(super) async fn put_password(writing: &Writing, user: &User, hash: &str, at: Timestamp) -> Result<()> {
    let sql = "INSERT INTO person_password (person_id, issuer_id, hash, changed_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (person_id) DO UPDATE SET hash = $3, changed_at = $4";
    let issuer = user.issuer.map(IssuerId::get);
    let params: [crate::session::Param<'_>; 4] = [&user.id.get(), &issuer, &hash, &at.micros()];
    writing.execute_unique(sql, &params, "id").await.map(drop)
}

pub(super) async fn totp(store: &PostgresStore, user: UserId) -> Result<Option<StoredTotp>> {
    let sql = format!("SELECT {TOTP} FROM person_totp WHERE person_id = $1");
    first(&store.one(Scope::All, &sql, &[&user.get()]).await?, rows::totp)
}

pub(super) async fn begin_totp(store: &PostgresStore, totp: &StoredTotp) -> Result<()> {
    let sql = "INSERT INTO person_totp (person_id, issuer_id, key_id, sealed, confirmed, last_step) \
         VALUES ($1, $2, $3, $4, false, $5) ON CONFLICT (person_id) \
         DO UPDATE SET key_id = $3, sealed = $4, last_step = $5 WHERE NOT person_totp.confirmed";
    let (issuer, key_id) = (totp.issuer.map(IssuerId::get), i64::from(totp.key_id));
    let params: [crate::session::Param<'_>; 5] =
        [&totp.user.get(), &issuer, &key_id, &totp.sealed, &totp.last_step];
    if store.change(scope(totp.issuer), sql, &params, "totp").await? == 1 { Ok(()) } else { conflict("totp") }
}

pub(super) async fn confirm_totp(
    writing: &Writing,
    totp: &StoredTotp,
    codes: &[RecoveryCode],
) -> Result<bool> {
    let sql = "UPDATE person_totp SET confirmed = true, last_step = $2 \
         WHERE person_id = $1 AND NOT confirmed AND sealed = $3";
    let user = totp.user.get();
    if writing.execute_unique(sql, &[&user, &totp.last_step, &totp.sealed], "totp").await? == 0 {
        return Ok(false);
    }
    writing.execute_unique("DELETE FROM recovery_code WHERE person_id = $1", &[&user], "id").await?;
    let sql = "INSERT INTO recovery_code (person_id, key_id, digest, issuer_id) \
         SELECT $1, key_id, digest, $4 FROM unnest($2::bigint[], $3::bytea[]) AS code (key_id, digest)";
    let keys: Vec<i64> = codes.iter().map(|code| code.key_id.into()).collect();
    let digests: Vec<&[u8]> = codes.iter().map(|code| &code.digest[..]).collect();
    let issuer = totp.issuer.map(IssuerId::get);
    writing.execute_unique(sql, &[&user, &keys, &digests, &issuer], "id").await?;
    Ok(true)
}

pub(super) async fn use_totp_step(store: &PostgresStore, user: UserId, step: i64) -> Result<bool> {
    let sql = "UPDATE person_totp SET last_step = $2 WHERE person_id = $1 AND confirmed AND last_step < $2";
    Ok(store.change(Scope::All, sql, &[&user.get(), &step], "id").await? == 1)
}

pub(super) async fn remove_totp(writing: &Writing, user: UserId) -> Result<()> {
    let user = user.get();
    writing.execute_unique("DELETE FROM person_totp WHERE person_id = $1", &[&user], "id").await?;
    writing.execute_unique("DELETE FROM recovery_code WHERE person_id = $1", &[&user], "id").await.map(drop)
}

pub(super) async fn recovery_codes(store: &PostgresStore, user: UserId) -> Result<Vec<RecoveryCode>> {
    let sql = "SELECT key_id, digest FROM recovery_code WHERE person_id = $1 ORDER BY key_id, digest";
    each(&store.one(Scope::All, sql, &[&user.get()]).await?, rows::code)
}

pub(super) async fn use_recovery_code(
    store: &PostgresStore,
    user: UserId,
    code: RecoveryCode,
) -> Result<bool> {
    let sql = "DELETE FROM recovery_code WHERE person_id = $1 AND key_id = $2 AND digest = $3";
    let params: [crate::session::Param<'_>; 3] = [&user.get(), &i64::from(code.key_id), &&code.digest[..]];
    Ok(store.change(Scope::All, sql, &params, "id").await? == 1)
}

pub(super) async fn invite(store: &PostgresStore, invitation: &Invitation) -> Result<()> {
    let (id, issuer) = (invitation.id.get(), invitation.issuer.map(IssuerId::get));
    let (merchant, place) = (invitation.merchant.map(MerchantId::get), invitation.store.map(StoreId::get));
    let (roles, hash) = (roles_to_text(&invitation.roles), &invitation.token_hash[..]);
    let by = invitation.invited_by.map(ClientId::get);
    let (created_at, expires_at) = (invitation.created_at.micros(), invitation.expires_at.micros());
    let accepted_at = invitation.accepted.map(|(at, _)| at.micros());
    let user = invitation.accepted.map(|(_, user)| user.get());
    let withdrawn_at = invitation.withdrawn_at.map(Timestamp::micros);
    let params: [crate::session::Param<'_>; 14] = [
        &id,
        &issuer,
        &merchant,
        &place,
        &invitation.login,
        &invitation.name,
        &roles,
        &hash,
        &by,
        &created_at,
        &expires_at,
        &accepted_at,
        &user,
        &withdrawn_at,
    ];
    let sql = insert("invitation", INVITATION);
    store.change(scope(invitation.issuer), &sql, &params, "invitation").await.map(drop)
}

pub(super) async fn invitation(store: &PostgresStore, token_hash: [u8; 32]) -> Result<Option<Invitation>> {
    let sql = format!("SELECT {INVITATION} FROM invitation WHERE token_hash = $1");
    first(&store.one(Scope::All, &sql, &[&&token_hash[..]]).await?, rows::invitation)
}

pub(super) async fn invitations(
    store: &PostgresStore,
    issuer: Option<IssuerId>,
    before: Option<InvitationId>,
    limit: usize,
) -> Result<Page<Invitation>> {
    let sql = format!(
        "SELECT {INVITATION} FROM invitation WHERE ($1::bigint IS NULL OR issuer_id = $1) AND id < $2 \
         ORDER BY id DESC LIMIT $3"
    );
    let before = before.map_or(i64::MAX, InvitationId::get);
    let params: [crate::session::Param<'_>; 3] = [&issuer.map(IssuerId::get), &before, &one_more(limit)];
    let found = store.one(scope(issuer), &sql, &params).await?;
    Ok(page(each(&found, rows::invitation)?, limit, |invitation| invitation.id.get()))
}

pub(super) async fn withdraw(store: &PostgresStore, id: InvitationId, at: Timestamp) -> Result<bool> {
    let sql = "UPDATE invitation SET withdrawn_at = $2 \
         WHERE id = $1 AND accepted_at IS NULL AND withdrawn_at IS NULL";
    Ok(store.change(Scope::All, sql, &[&id.get(), &at.micros()], "id").await? == 1)
}

pub(super) async fn accept(writing: &Writing, id: InvitationId, user: &User, password: &str) -> Result<()> {
    let sql = "UPDATE invitation SET accepted_at = $2, person_id = $3 \
         WHERE id = $1 AND accepted_at IS NULL AND withdrawn_at IS NULL";
    let at = user.created_at;
    let params: [crate::session::Param<'_>; 3] = [&id.get(), &at.micros(), &user.id.get()];
    if writing.execute_unique(sql, &params, "id").await? == 0 {
        return conflict("invitation");
    }
    insert_user(writing, user).await?;
    put_password(writing, user, password, at).await
}
