//! Sessions, and tries to sign in.

use domain::{IdentityProviderId, IssuerId, SessionId, Timestamp, UserId};
use storage::{Allowance, GuardKey, Result, Session, SessionsOf};

use super::{
    each, ended, first, insert,
    rows::{self, SESSION},
    scope,
};
use crate::{
    PostgresStore,
    session::Param,
    store::{Scope, Writing},
};

pub(super) async fn open(store: &PostgresStore, session: &Session) -> Result<()> {
    let (id, user, issuer) = (session.id.get(), session.user.get(), session.issuer.map(IssuerId::get));
    let (hash, stage) = (&session.token_hash[..], session.stage.name());
    let (created_at, last_seen_at) = (session.created_at.micros(), session.last_seen_at.micros());
    let (expires_at, ended_at) = (session.expires_at.micros(), session.ended_at.map(Timestamp::micros));
    let provider = session.provider.map(IdentityProviderId::get);
    let params: [Param<'_>; 12] = [
        &id,
        &user,
        &issuer,
        &hash,
        &stage,
        &session.address,
        &session.agent,
        &created_at,
        &last_seen_at,
        &expires_at,
        &ended_at,
        &provider,
    ];
    let sql = insert("person_session", SESSION);
    let writing = store.writing(scope(session.issuer)).await?;
    let done = async {
        super::providers::check_lets_in(&writing, session).await?;
        writing.execute_unique(&sql, &params, "session").await
    };
    let done = done.await;
    ended(writing, done).await.map(drop)
}

pub(super) async fn by_token(store: &PostgresStore, token_hash: [u8; 32]) -> Result<Option<Session>> {
    let sql = format!("SELECT {SESSION} FROM person_session WHERE token_hash = $1");
    first(&store.one(Scope::All, &sql, &[&&token_hash[..]]).await?, rows::session)
}

pub(super) async fn touch(store: &PostgresStore, id: SessionId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE person_session SET last_seen_at = $2 \
         WHERE id = $1 AND ended_at IS NULL AND last_seen_at < $2";
    store.change(Scope::All, sql, &[&id.get(), &at.micros()], "id").await.map(drop)
}

pub(super) async fn advance(store: &PostgresStore, session: &Session) -> Result<bool> {
    let sql = "UPDATE person_session SET stage = $2, token_hash = $3, last_seen_at = $4, expires_at = $5 \
         WHERE id = $1 AND stage <> 'complete' AND ended_at IS NULL";
    let (id, stage, hash) = (session.id.get(), session.stage.name(), &session.token_hash[..]);
    let (last_seen_at, expires_at) = (session.last_seen_at.micros(), session.expires_at.micros());
    let params: [Param<'_>; 5] = [&id, &stage, &hash, &last_seen_at, &expires_at];
    Ok(store.change(scope(session.issuer), sql, &params, "session").await? == 1)
}

pub(super) async fn end(writing: &Writing, user: UserId, which: SessionsOf, at: Timestamp) -> Result<u64> {
    let sql = "UPDATE person_session SET ended_at = $2 WHERE person_id = $1 AND ended_at IS NULL \
         AND ($3::bigint IS NULL OR id = $3) AND ($4::bigint IS NULL OR id <> $4)";
    let (only, but) = match which {
        SessionsOf::One(id) => (Some(id.get()), None),
        SessionsOf::Others(id) => (None, Some(id.get())),
        SessionsOf::All => (None, None),
    };
    writing.execute_unique(sql, &[&user.get(), &at.micros(), &only, &but], "id").await
}

pub(super) async fn live(store: &PostgresStore, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
    let sql = format!(
        "SELECT {SESSION} FROM person_session WHERE person_id = $1 AND ended_at IS NULL AND expires_at > $2 \
         ORDER BY id DESC LIMIT 100"
    );
    each(&store.one(Scope::All, &sql, &[&user.get(), &now.micros()]).await?, rows::session)
}

pub(super) async fn forget(store: &PostgresStore, before: Timestamp) -> Result<u64> {
    let before = before.micros();
    store.change(Scope::All, "DELETE FROM sign_in_guard WHERE last_at < $1", &[&before], "id").await?;
    store.change(Scope::All, "DELETE FROM person_session WHERE expires_at < $1", &[&before], "id").await
}

/// Counts a try on each, in the order of their keys, so that two transactions never wait for each other in a
/// ring. What was counted before one that is locked is rolled back by the caller.
pub(super) async fn attempt(
    writing: &Writing,
    keys: &[(GuardKey, Allowance)],
    now: Timestamp,
) -> Result<std::result::Result<(), Timestamp>> {
    let mut keys = keys.to_vec();
    keys.sort_unstable_by_key(|(key, _)| *key);
    let make = "INSERT INTO sign_in_guard (subject, tries, last_at, locked_until) VALUES ($1, 0, 0, 0) \
         ON CONFLICT (subject) DO NOTHING";
    let read = "SELECT tries, last_at, locked_until FROM sign_in_guard WHERE subject = $1 FOR UPDATE";
    let write = "UPDATE sign_in_guard SET tries = $2, last_at = $3, locked_until = $4 WHERE subject = $1";
    for (key, allowance) in &keys {
        let subject = &key.0[..];
        writing.execute_unique(make, &[&subject], "id").await?;
        let guard = first(&writing.query(read, &[&subject]).await?, rows::guard)?.unwrap_or_default();
        match guard.attempt(now, *allowance) {
            Ok(next) => {
                let (tries, last_at) = (i64::from(next.tries), next.last_at.micros());
                let params: [Param<'_>; 4] = [&subject, &tries, &last_at, &next.locked_until.micros()];
                writing.execute_unique(write, &params, "id").await?;
            }
            Err(until) => return Ok(Err(until)),
        }
    }
    Ok(Ok(()))
}

pub(super) async fn clear(store: &PostgresStore, key: GuardKey) -> Result<()> {
    let sql = "DELETE FROM sign_in_guard WHERE subject = $1";
    store.change(Scope::All, sql, &[&&key.0[..]], "id").await.map(drop)
}

pub(super) async fn forgive(store: &PostgresStore, key: GuardKey) -> Result<()> {
    let sql =
        "UPDATE sign_in_guard SET tries = tries - 1, locked_until = last_at WHERE subject = $1 AND tries > 0";
    store.change(Scope::All, sql, &[&&key.0[..]], "id").await.map(drop)
}
