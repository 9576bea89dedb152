//! Passkeys of people, and the challenges that were answered.

use async_trait::async_trait;
use domain::{IssuerId, PasskeyId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, params};
use storage::{
    AnsweredChallenge, Passkey, PasskeyRemoval, PasskeyStore, PasskeyUse, Result, passkey_store::counts_on,
};

use crate::{
    SqliteStore,
    error::IntoStorage,
    fields::Fields,
    statements::{conflict, insert, list, run},
    store::Outcome,
};

const PASSKEY: &str =
    "id, person_id, issuer_id, name, rp_id, credential, public_key, counter, created_at, last_used_at";

fn passkey(f: &mut Fields<'_, '_>) -> Result<Passkey> {
    Ok(Passkey {
        id: PasskeyId::new(f.int()?),
        user: UserId::new(f.int()?),
        issuer: f.opt_int()?.map(IssuerId::new),
        name: f.text()?.to_owned(),
        rp_id: f.text()?.to_owned(),
        credential: f.opt_blob()?.unwrap_or_default().to_vec(),
        public_key: f.opt_blob()?.unwrap_or_default().to_vec(),
        counter: f.narrow()?,
        created_at: f.time()?,
        last_used_at: f.opt_time()?,
    })
}

fn count(connection: &Connection, user: UserId) -> Result<usize> {
    let sql = "SELECT count(*) FROM passkey WHERE person_id = ?1";
    let count: i64 =
        connection.prepare_cached(sql).stored()?.query_row([user.get()], |row| row.get(0)).stored()?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Notes that a challenge was answered. False if it was before.
fn answer(connection: &Connection, challenge: AnsweredChallenge) -> Result<bool> {
    let sql = "INSERT INTO passkey_challenge (hash, expires_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    Ok(run(connection, sql, params![&challenge.hash[..], challenge.expires_at.micros()])? == 1)
}

fn add(connection: &Connection, passkey: &Passkey, challenge: AnsweredChallenge, most: usize) -> Result<()> {
    if !answer(connection, challenge)? {
        return conflict("challenge");
    }
    if count(connection, passkey.user)? >= most {
        return conflict("passkeys");
    }
    let sql = insert("passkey", PASSKEY);
    let values = params![
        passkey.id.get(),
        passkey.user.get(),
        passkey.issuer.map(IssuerId::get),
        passkey.name,
        passkey.rp_id,
        passkey.credential,
        passkey.public_key,
        passkey.counter,
        passkey.created_at.micros(),
        passkey.last_used_at.map(Timestamp::micros),
    ];
    let done = connection.prepare_cached(&sql).and_then(|mut statement| statement.execute(values));
    done.unique("credential").map(drop)
}

fn note_use(
    connection: &Connection,
    id: PasskeyId,
    challenge: AnsweredChallenge,
    (counter, at): (u32, Timestamp),
) -> Result<PasskeyUse> {
    if !answer(connection, challenge)? {
        return Ok(PasskeyUse::Replayed);
    }
    let sql = "SELECT counter FROM passkey WHERE id = ?1";
    let stored: Option<u32> = connection
        .prepare_cached(sql)
        .stored()?
        .query_row([id.get()], |row| row.get(0))
        .optional()
        .stored()?;
    let Some(stored) = stored else { return Ok(PasskeyUse::Gone) };
    if !counts_on(stored, counter) {
        return Ok(PasskeyUse::CountedBack);
    }
    let sql = "UPDATE passkey SET counter = ?2, last_used_at = ?3 WHERE id = ?1";
    run(connection, sql, params![id.get(), counter, at.micros()])?;
    Ok(PasskeyUse::Noted)
}

fn remove(connection: &Connection, user: UserId, id: PasskeyId, even_last: bool) -> Result<PasskeyRemoval> {
    let sql = format!("SELECT {PASSKEY} FROM passkey WHERE id = ?1 AND person_id = ?2");
    if list(connection, &sql, (id.get(), user.get()), passkey)?.is_empty() {
        return Ok(PasskeyRemoval::Unknown);
    }
    if !even_last && count(connection, user)? == 1 {
        return Ok(PasskeyRemoval::Last);
    }
    run(connection, "DELETE FROM passkey WHERE id = ?1", [id.get()])?;
    Ok(PasskeyRemoval::Removed)
}

#[async_trait]
impl PasskeyStore for SqliteStore {
    async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>> {
        let sql = format!("SELECT {PASSKEY} FROM passkey WHERE person_id = ?1 ORDER BY id");
        self.point(|connection| list(connection, &sql, [user.get()], passkey)).await
    }

    async fn passkey_by_credential(&self, credential: &[u8]) -> Result<Option<Passkey>> {
        let sql = format!("SELECT {PASSKEY} FROM passkey WHERE credential = ?1");
        let found = self.point(|connection| list(connection, &sql, [credential], passkey)).await?;
        Ok(found.into_iter().next())
    }

    async fn add_passkey(&self, passkey: &Passkey, challenge: AnsweredChallenge, most: usize) -> Result<()> {
        let passkey = passkey.clone();
        self.write(move |connection| add(connection, &passkey, challenge, most)).await
    }

    async fn use_passkey(
        &self,
        id: PasskeyId,
        challenge: AnsweredChallenge,
        counter: u32,
        at: Timestamp,
    ) -> Result<PasskeyUse> {
        self.write_or_not(move |connection| match note_use(connection, id, challenge, (counter, at))? {
            PasskeyUse::Noted => Ok(Outcome::Commit(PasskeyUse::Noted)),
            refused => Ok(Outcome::RollBack(refused)),
        })
        .await
    }

    async fn remove_passkey(&self, user: UserId, id: PasskeyId, even_last: bool) -> Result<PasskeyRemoval> {
        self.write(move |connection| remove(connection, user, id, even_last)).await
    }

    async fn remove_passkeys(&self, user: UserId) -> Result<()> {
        let sql = "DELETE FROM passkey WHERE person_id = ?1";
        self.write(move |connection| run(connection, sql, [user.get()]).map(drop)).await
    }

    async fn forget_challenges(&self, now: Timestamp) -> Result<u64> {
        let sql = "DELETE FROM passkey_challenge WHERE expires_at <= ?1";
        let gone = self.write(move |connection| run(connection, sql, [now.micros()])).await?;
        Ok(u64::try_from(gone).unwrap_or(u64::MAX))
    }
}
