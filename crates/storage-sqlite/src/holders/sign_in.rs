//! Sign-in codes and messages to phones.

use domain::{IssuerId, Timestamp};
use rusqlite::{Connection, params};
use storage::{LoginAttempt, LoginCode, LoginLimits, LoginState, OutboxMessage, PhoneIndex, Result};

use super::{list, run};
use crate::{fields::Fields, issue::sealed, jobs::clamp};

fn state(f: &mut Fields<'_, '_>) -> Result<LoginState> {
    Ok(LoginState {
        digest: (f.narrow()?, f.bytes()?),
        attempts_left: f.narrow()?,
        expires_at: f.time()?,
        sent_at: f.time()?,
        hour_count: f.narrow()?,
        day_count: f.narrow()?,
    })
}

/// The writer is alone: between reading and writing nobody else writes.
pub(super) fn put(connection: &Connection, code: &LoginCode, limits: &LoginLimits) -> Result<bool> {
    let sql = "SELECT digest_key_id, digest, attempts_left, expires_at, sent_at, hour_count, day_count \
               FROM holder_login WHERE issuer_id = ?1 AND phone_index = ?2";
    let before = list(connection, sql, params![code.issuer.get(), &code.phone.0[..]], state)?.pop();
    let Some(next) = LoginState::after(before.as_ref(), code, limits) else { return Ok(false) };
    let sql = "INSERT OR REPLACE INTO holder_login (issuer_id, phone_index, digest_key_id, digest, attempts_left, \
               expires_at, sent_at, hour_count, day_count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![
        code.issuer.get(),
        &code.phone.0[..],
        next.digest.0,
        &next.digest.1[..],
        next.attempts_left,
        next.expires_at.micros(),
        next.sent_at.micros(),
        next.hour_count,
        next.day_count
    ];
    run(connection, sql, values)?;
    Ok(true)
}

pub(super) fn take(
    connection: &Connection,
    issuer: IssuerId,
    phones: &[PhoneIndex],
    now: Timestamp,
) -> Result<Option<LoginAttempt>> {
    let sql = "UPDATE holder_login SET attempts_left = attempts_left - 1 \
               WHERE issuer_id = ?1 AND phone_index = ?2 AND attempts_left > 0 AND expires_at > ?3 \
               RETURNING phone_index, digest_key_id, digest";
    let attempt = |f: &mut Fields<'_, '_>| {
        Ok(LoginAttempt { phone: PhoneIndex(f.bytes()?), digest: (f.narrow()?, f.bytes()?) })
    };
    for phone in phones {
        let values = params![issuer.get(), &phone.0[..], now.micros()];
        if let Some(found) = list(connection, sql, values, attempt)?.pop() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

pub(super) fn use_up(connection: &Connection, issuer: IssuerId, attempt: &LoginAttempt) -> Result<bool> {
    let sql = "UPDATE holder_login SET attempts_left = 0, expires_at = 0 \
               WHERE issuer_id = ?1 AND phone_index = ?2 AND digest_key_id = ?3 AND digest = ?4 AND expires_at <> 0";
    let (key_id, digest) = attempt.digest;
    Ok(run(connection, sql, params![issuer.get(), &attempt.phone.0[..], key_id, &digest[..]])? == 1)
}

pub(super) fn put_message(connection: &Connection, message: &OutboxMessage) -> Result<()> {
    let sql = format!("INSERT INTO holder_message ({MESSAGE}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    let values = params![
        message.id,
        message.issuer.get(),
        &message.phone.0[..],
        message.body.key_id,
        message.body.bytes,
        message.created_at.micros(),
        message.expires_at.micros(),
        message.due_at.map(Timestamp::micros),
        message.attempts
    ];
    run(connection, &sql, values).map(|_| ())
}

const MESSAGE: &str =
    "id, issuer_id, phone_index, body_key_id, body, created_at, expires_at, due_at, attempts";

pub(super) fn take_messages(
    connection: &Connection,
    now: Timestamp,
    again: Timestamp,
    limit: usize,
) -> Result<Vec<OutboxMessage>> {
    let sql = format!(
        "UPDATE holder_message SET due_at = ?2, attempts = attempts + 1 WHERE id IN \
         (SELECT id FROM holder_message WHERE due_at <= ?1 ORDER BY due_at, id LIMIT ?3) RETURNING {MESSAGE}"
    );
    let mut taken = list(connection, &sql, (now.micros(), again.micros(), clamp(limit)), message)?;
    taken.sort_by_key(|message| message.id);
    Ok(taken)
}

pub(super) fn postpone_message(connection: &Connection, id: i64, due_at: Timestamp) -> Result<()> {
    let sql = "UPDATE holder_message SET due_at = ?2 WHERE id = ?1";
    run(connection, sql, (id, due_at.micros())).map(|_| ())
}

pub(super) fn drop_message(connection: &Connection, id: i64) -> Result<()> {
    run(connection, "DELETE FROM holder_message WHERE id = ?1", [id]).map(|_| ())
}

fn message(f: &mut Fields<'_, '_>) -> Result<OutboxMessage> {
    Ok(OutboxMessage {
        id: f.int()?,
        issuer: IssuerId::new(f.int()?),
        phone: PhoneIndex(f.bytes()?),
        body: sealed(f)?,
        created_at: f.time()?,
        expires_at: f.time()?,
        due_at: f.opt_time()?,
        attempts: f.narrow()?,
    })
}

pub(super) fn messages(
    connection: &Connection,
    issuer: IssuerId,
    phones: &[PhoneIndex],
    (now, limit): (Timestamp, usize),
) -> Result<Vec<OutboxMessage>> {
    let sql = format!(
        "SELECT {MESSAGE} FROM holder_message \
         WHERE issuer_id = ?1 AND phone_index = ?2 AND expires_at > ?3 ORDER BY id DESC LIMIT ?4"
    );
    let mut all = Vec::new();
    for phone in phones {
        let values = params![issuer.get(), &phone.0[..], now.micros(), clamp(limit)];
        all.extend(list(connection, &sql, values, message)?);
    }
    all.sort_by_key(|message| std::cmp::Reverse(message.id));
    all.truncate(limit);
    Ok(all)
}
