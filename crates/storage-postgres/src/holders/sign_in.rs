//! Sign-in codes and messages to phones.

use domain::{IssuerId, Timestamp};
use storage::{LoginAttempt, LoginCode, LoginLimits, LoginState, OutboxMessage, PhoneIndex, Result};

use super::{each, indexes, run};
use crate::{
    PostgresStore,
    fields::Fields,
    issue::sealed,
    jobs::clamp,
    session::Param,
    store::{Scope, Writing},
};

fn state(f: &mut Fields<'_>) -> Result<LoginState> {
    Ok(LoginState {
        digest: (f.narrow()?, f.bytes()?),
        attempts_left: f.narrow()?,
        expires_at: f.time()?,
        sent_at: f.time()?,
        hour_count: f.narrow()?,
        day_count: f.narrow()?,
    })
}

/// The row is there before it is read, so that its lock makes those who come at once wait for each other. A new
/// row was never sent anything: its moment lies before all windows.
pub(super) async fn put(writing: &Writing, code: &LoginCode, limits: &LoginLimits) -> Result<bool> {
    let (issuer, phone) = (code.issuer.get(), &code.phone.0[..]);
    let blank = "INSERT INTO holder_login (issuer_id, phone_index, digest_key_id, digest, attempts_left, \
                 expires_at, sent_at, hour_count, day_count) \
                 VALUES ($1, $2, 0, '\\x00000000000000000000000000000000', 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING";
    writing.execute(blank, &[&issuer, &phone]).await?;
    let read = "SELECT digest_key_id, digest, attempts_left, expires_at, sent_at, hour_count, day_count \
                FROM holder_login WHERE issuer_id = $1 AND phone_index = $2 FOR UPDATE";
    let before = each(&writing.query(read, &[&issuer, &phone]).await?, state)?.pop();
    let Some(next) = LoginState::after(before.as_ref(), code, limits) else { return Ok(false) };
    let change = "UPDATE holder_login SET digest_key_id = $3, digest = $4, attempts_left = $5, expires_at = $6, \
                  sent_at = $7, hour_count = $8, day_count = $9 WHERE issuer_id = $1 AND phone_index = $2";
    let digest = &next.digest.1[..];
    let values: [Param<'_>; 9] = [
        &issuer,
        &phone,
        &i16::from(next.digest.0),
        &digest,
        &i64::from(next.attempts_left),
        &next.expires_at.micros(),
        &next.sent_at.micros(),
        &i64::from(next.hour_count),
        &i64::from(next.day_count),
    ];
    writing.execute(change, &values).await?;
    Ok(true)
}

pub(super) async fn take(
    writing: &Writing,
    issuer: IssuerId,
    phones: &[PhoneIndex],
    now: Timestamp,
) -> Result<Option<LoginAttempt>> {
    let sql = "UPDATE holder_login SET attempts_left = attempts_left - 1 \
               WHERE issuer_id = $1 AND phone_index = $2 AND attempts_left > 0 AND expires_at > $3 \
               RETURNING phone_index, digest_key_id, digest";
    let attempt = |f: &mut Fields<'_>| {
        Ok(LoginAttempt { phone: PhoneIndex(f.bytes()?), digest: (f.narrow()?, f.bytes()?) })
    };
    // One index for each key of the ring: a handful.
    for phone in phones {
        let phone = &phone.0[..];
        let rows = writing.query(sql, &[&issuer.get(), &phone, &now.micros()]).await?;
        if let Some(found) = each(&rows, attempt)?.pop() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

pub(super) async fn use_up(store: &PostgresStore, issuer: IssuerId, attempt: &LoginAttempt) -> Result<bool> {
    let sql = "UPDATE holder_login SET attempts_left = 0, expires_at = 0 \
               WHERE issuer_id = $1 AND phone_index = $2 AND digest_key_id = $3 AND digest = $4 AND expires_at <> 0";
    let (phone, digest) = (&attempt.phone.0[..], &attempt.digest.1[..]);
    let values: [Param<'_>; 4] = [&issuer.get(), &phone, &i16::from(attempt.digest.0), &digest];
    Ok(run(store, Scope::One(issuer), sql, &values, "code").await? == 1)
}

pub(super) async fn put_message(store: &PostgresStore, message: &OutboxMessage) -> Result<()> {
    let sql = format!("INSERT INTO holder_message ({MESSAGE}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    let (phone, body) = (&message.phone.0[..], &message.body.bytes[..]);
    let (due_at, attempts) =
        (message.due_at.map(Timestamp::micros), i32::try_from(message.attempts).unwrap_or(i32::MAX));
    let values: [Param<'_>; 9] = [
        &message.id,
        &message.issuer.get(),
        &phone,
        &i16::from(message.body.key_id),
        &body,
        &message.created_at.micros(),
        &message.expires_at.micros(),
        &due_at,
        &attempts,
    ];
    run(store, Scope::One(message.issuer), &sql, &values, "id").await.map(|_| ())
}

const MESSAGE: &str =
    "id, issuer_id, phone_index, body_key_id, body, created_at, expires_at, due_at, attempts";

/// Those that another node takes at this moment are left to it.
pub(super) async fn take_messages(
    writing: &Writing,
    now: Timestamp,
    again: Timestamp,
    limit: usize,
) -> Result<Vec<OutboxMessage>> {
    let sql = format!(
        "UPDATE holder_message SET due_at = $2, attempts = attempts + 1 WHERE id IN \
         (SELECT id FROM holder_message WHERE due_at <= $1 ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED) \
         RETURNING {MESSAGE}"
    );
    let rows = writing.query(&sql, &[&now.micros(), &again.micros(), &clamp(limit)]).await?;
    let mut taken = each(&rows, message)?;
    taken.sort_by_key(|message| message.id);
    Ok(taken)
}

pub(super) async fn postpone_message(writing: &Writing, id: i64, due_at: Timestamp) -> Result<()> {
    let sql = "UPDATE holder_message SET due_at = $2 WHERE id = $1";
    writing.execute(sql, &[&id, &due_at.micros()]).await.map(|_| ())
}

pub(super) async fn drop_message(writing: &Writing, id: i64) -> Result<()> {
    writing.execute("DELETE FROM holder_message WHERE id = $1", &[&id]).await.map(|_| ())
}

fn message(f: &mut Fields<'_>) -> Result<OutboxMessage> {
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

pub(super) async fn messages(
    store: &PostgresStore,
    issuer: IssuerId,
    phones: &[PhoneIndex],
    (now, limit): (Timestamp, usize),
) -> Result<Vec<OutboxMessage>> {
    let sql = format!(
        "SELECT {MESSAGE} FROM holder_message \
         WHERE issuer_id = $1 AND phone_index = ANY ($2::bytea[]) AND expires_at > $3 \
         ORDER BY id DESC LIMIT $4"
    );
    let values: [Param<'_>; 4] = [&issuer.get(), &indexes(phones), &now.micros(), &clamp(limit)];
    each(&store.one(Scope::One(issuer), &sql, &values).await?, message)
}
