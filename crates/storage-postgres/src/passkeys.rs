//! Passkeys of people, and the challenges that were answered.

use async_trait::async_trait;
use domain::{IssuerId, PasskeyId, Timestamp, UserId};
use storage::{
    AnsweredChallenge, Passkey, PasskeyRemoval, PasskeyStore, PasskeyUse, Result, passkey_store::counts_on,
};

use crate::{
    PostgresStore,
    fields::Fields,
    jobs::clamp,
    session::Param,
    statements::{conflict, each, ended},
    store::{Scope, Writing},
};

const PASSKEY: &str =
    "id, person_id, issuer_id, name, rp_id, credential, public_key, counter, created_at, last_used_at";

fn passkey(f: &mut Fields<'_>) -> Result<Passkey> {
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

async fn list(store: &PostgresStore, sql: &str, params: &[Param<'_>]) -> Result<Vec<Passkey>> {
    let rows = store.one(Scope::All, sql, params).await?;
    each(&rows, passkey)
}

/// One after the other for each user: what is counted stays so until the end of the transaction.
async fn lock(writing: &Writing, user: UserId) -> Result<()> {
    let sql = "SELECT pg_advisory_xact_lock(hashtextextended('passkey', $1))";
    writing.query(sql, &[&user.get()]).await.map(drop)
}

async fn count(writing: &Writing, user: UserId) -> Result<i64> {
    let rows = writing.query("SELECT count(*) FROM passkey WHERE person_id = $1", &[&user.get()]).await?;
    rows.first().map_or(Ok(0), |row| Fields::new(row).int())
}

/// Notes that a challenge was answered. False if it was before.
async fn answer(writing: &Writing, challenge: AnsweredChallenge) -> Result<bool> {
    let sql = "INSERT INTO passkey_challenge (hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    let hash = &challenge.hash[..];
    Ok(writing.execute(sql, &[&hash, &challenge.expires_at.micros()]).await? == 1)
}

async fn add(writing: &Writing, passkey: &Passkey, challenge: AnsweredChallenge, most: usize) -> Result<()> {
    lock(writing, passkey.user).await?;
    if !answer(writing, challenge).await? {
        return conflict("challenge");
    }
    if count(writing, passkey.user).await? >= clamp(most) {
        return conflict("passkeys");
    }
    let sql = format!("INSERT INTO passkey ({PASSKEY}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
    let values: [Param<'_>; 10] = [
        &passkey.id.get(),
        &passkey.user.get(),
        &passkey.issuer.map(IssuerId::get),
        &passkey.name,
        &passkey.rp_id,
        &passkey.credential,
        &passkey.public_key,
        &i64::from(passkey.counter),
        &passkey.created_at.micros(),
        &passkey.last_used_at.map(Timestamp::micros),
    ];
    writing.execute_unique(&sql, &values, "credential").await.map(drop)
}

/// The counter is compared by the statement that writes it, under the lock of the row.
async fn note_use(
    writing: &Writing,
    id: PasskeyId,
    challenge: AnsweredChallenge,
    (counter, at): (u32, Timestamp),
) -> Result<PasskeyUse> {
    if !answer(writing, challenge).await? {
        return Ok(PasskeyUse::Replayed);
    }
    let sql = "UPDATE passkey SET counter = $2, last_used_at = $3 \
               WHERE id = $1 AND (counter < $2 OR (counter = 0 AND $2 = 0))";
    if writing.execute(sql, &[&id.get(), &i64::from(counter), &at.micros()]).await? == 1 {
        return Ok(PasskeyUse::Noted);
    }
    let rows = writing.query("SELECT counter FROM passkey WHERE id = $1", &[&id.get()]).await?;
    let stored: Option<u32> = rows.first().map(|row| Fields::new(row).narrow()).transpose()?;
    debug_assert!(stored.is_none_or(|stored| !counts_on(stored, counter)), "both say the same");
    Ok(stored.map_or(PasskeyUse::Gone, |_| PasskeyUse::CountedBack))
}

async fn remove(writing: &Writing, user: UserId, id: PasskeyId, even_last: bool) -> Result<PasskeyRemoval> {
    lock(writing, user).await?;
    let only = count(writing, user).await? == 1;
    let sql = "SELECT id FROM passkey WHERE id = $1 AND person_id = $2";
    if writing.query(sql, &[&id.get(), &user.get()]).await?.is_empty() {
        return Ok(PasskeyRemoval::Unknown);
    }
    if only && !even_last {
        return Ok(PasskeyRemoval::Last);
    }
    writing.execute("DELETE FROM passkey WHERE id = $1", &[&id.get()]).await?;
    Ok(PasskeyRemoval::Removed)
}

#[async_trait]
impl PasskeyStore for PostgresStore {
    async fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>> {
        let sql = format!("SELECT {PASSKEY} FROM passkey WHERE person_id = $1 ORDER BY id");
        list(self, &sql, &[&user.get()]).await
    }

    async fn passkey_by_credential(&self, credential: &[u8]) -> Result<Option<Passkey>> {
        let sql = format!("SELECT {PASSKEY} FROM passkey WHERE credential = $1");
        Ok(list(self, &sql, &[&credential]).await?.into_iter().next())
    }

    async fn add_passkey(&self, passkey: &Passkey, challenge: AnsweredChallenge, most: usize) -> Result<()> {
        let writing = self.writing(Scope::All).await?;
        let done = add(&writing, passkey, challenge, most).await;
        ended(writing, done).await
    }

    async fn use_passkey(
        &self,
        id: PasskeyId,
        challenge: AnsweredChallenge,
        counter: u32,
        at: Timestamp,
    ) -> Result<PasskeyUse> {
        let writing = self.writing(Scope::All).await?;
        match note_use(&writing, id, challenge, (counter, at)).await {
            Ok(PasskeyUse::Noted) => writing.commit().await.map(|()| PasskeyUse::Noted),
            refused => {
                writing.roll_back().await?;
                refused
            }
        }
    }

    async fn remove_passkey(&self, user: UserId, id: PasskeyId, even_last: bool) -> Result<PasskeyRemoval> {
        let writing = self.writing(Scope::All).await?;
        let done = remove(&writing, user, id, even_last).await;
        ended(writing, done).await
    }

    async fn remove_passkeys(&self, user: UserId) -> Result<()> {
        let writing = self.writing(Scope::All).await?;
        let done = writing.execute("DELETE FROM passkey WHERE person_id = $1", &[&user.get()]).await;
        ended(writing, done.map(drop)).await
    }

    async fn forget_challenges(&self, now: Timestamp) -> Result<u64> {
        let writing = self.writing(Scope::All).await?;
        let sql = "DELETE FROM passkey_challenge WHERE expires_at <= $1";
        let done = writing.execute(sql, &[&now.micros()]).await;
        ended(writing, done).await
    }
}
