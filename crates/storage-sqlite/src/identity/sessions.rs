//! Sessions, and tries to sign in.

use domain::{IdentityProviderId, IssuerId, SessionId, Timestamp, UserId};
use rusqlite::{Connection, params};
use storage::{Allowance, GuardKey, Result, Session, SessionsOf};

use super::{
    insert, list, one,
    rows::{self, SESSION},
    run, run_unique,
};

pub(super) fn open(connection: &Connection, session: &Session) -> Result<()> {
    super::providers::check_lets_in(connection, session)?;
    let values = params![
        session.id.get(),
        session.user.get(),
        session.issuer.map(IssuerId::get),
        &session.token_hash[..],
        session.stage.name(),
        session.address,
        session.agent,
        session.created_at.micros(),
        session.last_seen_at.micros(),
        session.expires_at.micros(),
        session.ended_at.map(Timestamp::micros),
        session.provider.map(IdentityProviderId::get),
    ];
    run_unique(connection, &insert("person_session", SESSION), values, "session").map(drop)
}

pub(super) fn by_token(connection: &Connection, token_hash: [u8; 32]) -> Result<Option<Session>> {
    let sql = format!("SELECT {SESSION} FROM person_session WHERE token_hash = ?1");
    one(connection, &sql, params![&token_hash[..]], rows::session)
}

pub(super) fn touch(connection: &Connection, id: SessionId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE person_session SET last_seen_at = ?2 \
         WHERE id = ?1 AND ended_at IS NULL AND last_seen_at < ?2";
    run(connection, sql, params![id.get(), at.micros()]).map(drop)
}

pub(super) fn advance(connection: &Connection, session: &Session) -> Result<bool> {
    let sql = "UPDATE person_session SET stage = ?2, token_hash = ?3, last_seen_at = ?4, expires_at = ?5 \
         WHERE id = ?1 AND stage <> 'complete' AND ended_at IS NULL";
    let values = params![
        session.id.get(),
        session.stage.name(),
        &session.token_hash[..],
        session.last_seen_at.micros(),
        session.expires_at.micros(),
    ];
    Ok(run_unique(connection, sql, values, "session")? == 1)
}

pub(super) fn end(connection: &Connection, user: UserId, which: SessionsOf, at: Timestamp) -> Result<u64> {
    let end = "UPDATE person_session SET ended_at = ?2 WHERE person_id = ?1 AND ended_at IS NULL";
    let ended = match which {
        SessionsOf::One(id) => {
            run(connection, &format!("{end} AND id = ?3"), params![user.get(), at.micros(), id.get()])?
        }
        SessionsOf::Others(id) => {
            run(connection, &format!("{end} AND id <> ?3"), params![user.get(), at.micros(), id.get()])?
        }
        SessionsOf::All => run(connection, end, params![user.get(), at.micros()])?,
    };
    Ok(u64::try_from(ended).unwrap_or(u64::MAX))
}

pub(super) fn live(connection: &Connection, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
    let sql = format!(
        "SELECT {SESSION} FROM person_session WHERE person_id = ?1 AND ended_at IS NULL AND expires_at > ?2 \
         ORDER BY id DESC LIMIT 100"
    );
    list(connection, &sql, params![user.get(), now.micros()], rows::session)
}

pub(super) fn forget(connection: &Connection, before: Timestamp) -> Result<u64> {
    let before = before.micros();
    run(connection, "DELETE FROM sign_in_guard WHERE last_at < ?1", [before])?;
    let gone = run(connection, "DELETE FROM person_session WHERE expires_at < ?1", [before])?;
    Ok(u64::try_from(gone).unwrap_or(u64::MAX))
}

/// Counts a try on each. What was counted before one that is locked is rolled back by the caller.
pub(super) fn attempt(
    connection: &Connection,
    keys: &[(GuardKey, Allowance)],
    now: Timestamp,
) -> Result<std::result::Result<(), Timestamp>> {
    let read = "SELECT tries, last_at, locked_until FROM sign_in_guard WHERE subject = ?1";
    let write = "INSERT INTO sign_in_guard (subject, tries, last_at, locked_until) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (subject) DO UPDATE SET tries = ?2, last_at = ?3, locked_until = ?4";
    for (key, allowance) in keys {
        let guard = one(connection, read, params![&key.0[..]], rows::guard)?.unwrap_or_default();
        match guard.attempt(now, *allowance) {
            Ok(next) => {
                let values =
                    params![&key.0[..], next.tries, next.last_at.micros(), next.locked_until.micros()];
                run(connection, write, values)?;
            }
            Err(until) => return Ok(Err(until)),
        }
    }
    Ok(Ok(()))
}

pub(super) fn clear(connection: &Connection, key: GuardKey) -> Result<()> {
    run(connection, "DELETE FROM sign_in_guard WHERE subject = ?1", params![&key.0[..]]).map(drop)
}

pub(super) fn forgive(connection: &Connection, key: GuardKey) -> Result<()> {
    let sql =
        "UPDATE sign_in_guard SET tries = tries - 1, locked_until = last_at WHERE subject = ?1 AND tries > 0";
    run(connection, sql, params![&key.0[..]]).map(drop)
}
