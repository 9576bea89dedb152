//! Roles, users, their credentials and invitations.

use domain::{InvitationId, IssuerId, MerchantId, Role, RoleId, StoreId, Timestamp, UserId};
use rusqlite::{Connection, params};
use storage::{
    Invitation, Page, RecoveryCode, Result, StoredTotp, User, UserFilter,
    identity_store::{permissions_to_text, roles_to_text},
};

use super::{
    conflict, insert, list, one, one_more, page,
    rows::{self, INVITATION, ROLE, TOTP, USER, status_name},
    run, run_unique,
};

pub(super) fn roles(connection: &Connection, issuer: Option<IssuerId>) -> Result<Vec<Role>> {
    let sql = format!("SELECT {ROLE} FROM role WHERE issuer_id IS NULL OR issuer_id = ?1 ORDER BY id");
    list(connection, &sql, [issuer.map(IssuerId::get)], rows::role)
}

pub(super) fn roles_by_id(connection: &Connection, ids: &[RoleId]) -> Result<Vec<Role>> {
    let sql = format!("SELECT {ROLE} FROM role WHERE id = ?1");
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(one(connection, &sql, [id.get()], rows::role)?);
    }
    Ok(found)
}

#[expect(clippy::many_single_char_names, reason = "four pairs of limits, in the order of their columns")]
pub(super) fn put_role(connection: &Connection, role: &Role) -> Result<()> {
    let limits = [role.limits.issue, role.limits.adjust, role.limits.unlinked_refund, role.limits.terms];
    let of = |n: usize| (limits[n].per_operation.get(), limits[n].per_day.get());
    let ((a, b), (c, d), (e, f), (g, h)) = (of(0), of(1), of(2), of(3));
    let permissions = permissions_to_text(role);
    if role.version == 1 {
        let values = params![
            role.id.get(),
            role.issuer.map(IssuerId::get),
            role.code,
            role.name_zh,
            role.name_en,
            permissions,
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
            role.created_at.micros(),
            role.version,
        ];
        run_unique(connection, &insert("role", ROLE), values, "code")?;
        return Ok(());
    }
    let sql = "UPDATE role SET code = ?3, name_zh = ?4, name_en = ?5, permissions = ?6, issue_operation = ?7, \
         issue_day = ?8, adjust_operation = ?9, adjust_day = ?10, refund_operation = ?11, refund_day = ?12, \
         terms_operation = ?13, terms_day = ?14, version = ?2 WHERE id = ?1 AND version = ?2 - 1";
    let values = params![
        role.id.get(),
        role.version,
        role.code,
        role.name_zh,
        role.name_en,
        permissions,
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
    ];
    if run_unique(connection, sql, values, "code")? == 1 { Ok(()) } else { conflict("version") }
}

pub(super) fn users(
    connection: &Connection,
    filter: UserFilter,
    after: Option<UserId>,
    limit: usize,
) -> Result<Page<User>> {
    let after = after.map_or(i64::MIN, UserId::get);
    let (issuer, merchant) = (filter.issuer.map(IssuerId::get), filter.merchant.map(MerchantId::get));
    let by_merchant = "(?2 IS NULL OR merchant_id = ?2)";
    let found = if let Some(issuer) = issuer {
        let sql = format!(
            "SELECT {USER} FROM person WHERE issuer_id = ?1 AND {by_merchant} AND id > ?3 ORDER BY id LIMIT ?4"
        );
        list(connection, &sql, params![issuer, merchant, after, one_more(limit)], rows::user)?
    } else {
        let sql = format!(
            "SELECT {USER} FROM person WHERE (?1 IS NULL OR merchant_id = ?1) AND id > ?2 \
             ORDER BY id LIMIT ?3"
        );
        list(connection, &sql, params![merchant, after, one_more(limit)], rows::user)?
    };
    Ok(page(found, limit, |user| user.id.get()))
}

pub(super) fn user(connection: &Connection, id: UserId) -> Result<Option<User>> {
    one(connection, &format!("SELECT {USER} FROM person WHERE id = ?1"), [id.get()], rows::user)
}

pub(super) fn user_by_login(connection: &Connection, login: &str) -> Result<Option<User>> {
    one(connection, &format!("SELECT {USER} FROM person WHERE login = ?1"), [login], rows::user)
}

pub(super) fn put_user(connection: &Connection, user: &User) -> Result<()> {
    if user.version == 1 {
        return insert_user(connection, user);
    }
    let sql = "UPDATE person SET merchant_id = ?3, store_id = ?4, name = ?5, status = ?6, roles = ?7, version = ?2 \
         WHERE id = ?1 AND version = ?2 - 1";
    let values = params![
        user.id.get(),
        user.version,
        user.merchant.map(MerchantId::get),
        user.store.map(StoreId::get),
        user.name,
        status_name(user.status),
        roles_to_text(&user.roles),
    ];
    if run(connection, sql, values)? == 1 { Ok(()) } else { conflict("version") }
}

fn insert_user(connection: &Connection, user: &User) -> Result<()> {
    let values = params![
        user.id.get(),
        user.issuer.map(IssuerId::get),
        user.merchant.map(MerchantId::get),
        user.store.map(StoreId::get),
        user.login,
        user.name,
        status_name(user.status),
        roles_to_text(&user.roles),
        user.created_at.micros(),
        user.version,
    ];
    run_unique(connection, &insert("person", USER), values, "login").map(drop)
}

pub(super) fn password(connection: &Connection, user: UserId) -> Result<Option<String>> {
    let sql = "SELECT hash FROM person_password WHERE person_id = ?1";
    one(connection, sql, [user.get()], |f| Ok(f.text()?.to_owned()))
}

pub(super) fn put_password(connection: &Connection, user: &User, hash: &str, at: Timestamp) -> Result<()> {
    let sql = "INSERT INTO person_password (person_id, issuer_id, hash, changed_at) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (person_id) DO UPDATE SET hash = ?3, changed_at = ?4";
    run(connection, sql, params![user.id.get(), user.issuer.map(IssuerId::get), hash, at.micros()]).map(drop)
}

pub(super) fn totp(connection: &Connection, user: UserId) -> Result<Option<StoredTotp>> {
    let sql = format!("SELECT {TOTP} FROM person_totp WHERE person_id = ?1");
    one(connection, &sql, [user.get()], rows::totp)
}

pub(super) fn begin_totp(connection: &Connection, totp: &StoredTotp) -> Result<()> {
    let sql = "INSERT INTO person_totp (person_id, issuer_id, key_id, sealed, confirmed, last_step) \
         VALUES (?1, ?2, ?3, ?4, 0, ?5) ON CONFLICT (person_id) \
         DO UPDATE SET key_id = ?3, sealed = ?4, last_step = ?5 WHERE confirmed = 0";
    let issuer = totp.issuer.map(IssuerId::get);
    let values = params![totp.user.get(), issuer, totp.key_id, totp.sealed, totp.last_step];
    if run(connection, sql, values)? == 1 { Ok(()) } else { conflict("totp") }
}

pub(super) fn confirm_totp(
    connection: &Connection,
    totp: &StoredTotp,
    codes: &[RecoveryCode],
) -> Result<bool> {
    let sql = "UPDATE person_totp SET confirmed = 1, last_step = ?2 \
         WHERE person_id = ?1 AND confirmed = 0 AND sealed = ?3";
    if run(connection, sql, params![totp.user.get(), totp.last_step, totp.sealed])? == 0 {
        return Ok(false);
    }
    run(connection, "DELETE FROM recovery_code WHERE person_id = ?1", [totp.user.get()])?;
    let sql = insert("recovery_code", "person_id, key_id, digest, issuer_id");
    for code in codes {
        let issuer = totp.issuer.map(IssuerId::get);
        run(connection, &sql, params![totp.user.get(), code.key_id, &code.digest[..], issuer])?;
    }
    Ok(true)
}

pub(super) fn use_totp_step(connection: &Connection, user: UserId, step: i64) -> Result<bool> {
    let sql =
        "UPDATE person_totp SET last_step = ?2 WHERE person_id = ?1 AND confirmed = 1 AND last_step < ?2";
    Ok(run(connection, sql, params![user.get(), step])? == 1)
}

pub(super) fn remove_totp(connection: &Connection, user: UserId) -> Result<()> {
    run(connection, "DELETE FROM person_totp WHERE person_id = ?1", [user.get()])?;
    run(connection, "DELETE FROM recovery_code WHERE person_id = ?1", [user.get()]).map(drop)
}

pub(super) fn recovery_codes(connection: &Connection, user: UserId) -> Result<Vec<RecoveryCode>> {
    let sql = "SELECT key_id, digest FROM recovery_code WHERE person_id = ?1 ORDER BY key_id, digest";
    list(connection, sql, [user.get()], rows::code)
}

pub(super) fn use_recovery_code(connection: &Connection, user: UserId, code: RecoveryCode) -> Result<bool> {
    let sql = "DELETE FROM recovery_code WHERE person_id = ?1 AND key_id = ?2 AND digest = ?3";
    Ok(run(connection, sql, params![user.get(), code.key_id, &code.digest[..]])? == 1)
}

pub(super) fn invite(connection: &Connection, invitation: &Invitation) -> Result<()> {
    let values = params![
        invitation.id.get(),
        invitation.issuer.map(IssuerId::get),
        invitation.merchant.map(MerchantId::get),
        invitation.store.map(StoreId::get),
        invitation.login,
        invitation.name,
        roles_to_text(&invitation.roles),
        &invitation.token_hash[..],
        invitation.invited_by.map(domain::ClientId::get),
        invitation.created_at.micros(),
        invitation.expires_at.micros(),
        invitation.accepted.map(|(at, _)| at.micros()),
        invitation.accepted.map(|(_, user)| user.get()),
        invitation.withdrawn_at.map(Timestamp::micros),
    ];
    run_unique(connection, &insert("invitation", INVITATION), values, "invitation").map(drop)
}

pub(super) fn invitation(connection: &Connection, token_hash: [u8; 32]) -> Result<Option<Invitation>> {
    let sql = format!("SELECT {INVITATION} FROM invitation WHERE token_hash = ?1");
    one(connection, &sql, params![&token_hash[..]], rows::invitation)
}

pub(super) fn invitations(
    connection: &Connection,
    issuer: Option<IssuerId>,
    before: Option<InvitationId>,
    limit: usize,
) -> Result<Page<Invitation>> {
    let before = before.map_or(i64::MAX, InvitationId::get);
    let found = if let Some(issuer) = issuer {
        let sql = format!(
            "SELECT {INVITATION} FROM invitation WHERE issuer_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"
        );
        list(connection, &sql, params![issuer.get(), before, one_more(limit)], rows::invitation)?
    } else {
        let sql = format!("SELECT {INVITATION} FROM invitation WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
        list(connection, &sql, params![before, one_more(limit)], rows::invitation)?
    };
    Ok(page(found, limit, |invitation| invitation.id.get()))
}

pub(super) fn withdraw(connection: &Connection, id: InvitationId, at: Timestamp) -> Result<bool> {
    let sql = "UPDATE invitation SET withdrawn_at = ?2 \
         WHERE id = ?1 AND accepted_at IS NULL AND withdrawn_at IS NULL";
    Ok(run(connection, sql, params![id.get(), at.micros()])? == 1)
}

pub(super) fn accept(connection: &Connection, id: InvitationId, user: &User, password: &str) -> Result<()> {
    let sql = "UPDATE invitation SET accepted_at = ?2, person_id = ?3 \
         WHERE id = ?1 AND accepted_at IS NULL AND withdrawn_at IS NULL";
    let at = user.created_at;
    if run(connection, sql, params![id.get(), at.micros(), user.id.get()])? == 0 {
        return conflict("invitation");
    }
    insert_user(connection, user)?;
    put_password(connection, user, password, at)
}
