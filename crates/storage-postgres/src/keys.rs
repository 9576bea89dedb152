//! Rotating keys: numbers sealed and indexed again under the current key.

use async_trait::async_trait;
use domain::{CardId, UserId};
use storage::{KeyStore, Rekeyed, Result, Sealed, StorageError, StoredNumber};

use crate::{
    PostgresStore,
    fields::Fields,
    issue::{opt_sealed, sealed},
    jobs::clamp,
    session::Param,
    store::{Scope, Writing},
};

/// Numbers under the current key, as parameters.
#[derive(Default)]
struct Numbers<'a> {
    card_id: Vec<i64>,
    number_index: Vec<&'a [u8]>,
    index_key_id: Vec<i16>,
    number_key_id: Vec<i16>,
    number: Vec<&'a [u8]>,
    pin_key_id: Vec<Option<i16>>,
    pin: Vec<Option<&'a [u8]>>,
}

#[async_trait]
impl KeyStore for PostgresStore {
    async fn numbers_not_under(
        &self,
        current: u8,
        after: Option<CardId>,
        limit: usize,
    ) -> Result<Vec<StoredNumber>> {
        let sql = "SELECT s.card_id, s.number_key_id, s.number, s.pin_key_id, s.pin FROM card_secret s \
                   JOIN card c ON c.id = s.card_id WHERE s.card_id > $2 \
                   AND (s.number_key_id <> $1 OR c.number_key_id <> $1) \
                   ORDER BY s.card_id LIMIT $3";
        let after = after.map_or(i64::MIN, CardId::get);
        let rows = self.one(Scope::All, sql, &[&i16::from(current), &after, &clamp(limit)]).await?;
        let read = |row| {
            let mut f = Fields::new(row);
            let card = CardId::new(f.int()?);
            Ok(StoredNumber { card, number: sealed(&mut f)?, pin: opt_sealed(&mut f)? })
        };
        rows.iter().map(read).collect()
    }

    async fn rekey(&self, cards: &[Rekeyed]) -> Result<()> {
        let writing = self.writing(Scope::All).await?;
        match exchange(&writing, cards).await {
            Ok(()) => writing.commit().await,
            Err(error) => {
                writing.roll_back().await?;
                Err(error)
            }
        }
    }

    async fn totp_not_under(
        &self,
        current: u8,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, Sealed)>> {
        let sql = "SELECT person_id, key_id, sealed FROM person_totp WHERE person_id > $2 AND key_id <> $1 \
                   ORDER BY person_id LIMIT $3";
        let after = after.map_or(i64::MIN, UserId::get);
        let rows = self.one(Scope::All, sql, &[&i64::from(current), &after, &clamp(limit)]).await?;
        let read = |row| {
            let mut f = Fields::new(row);
            Ok((UserId::new(f.int()?), sealed(&mut f)?))
        };
        rows.iter().map(read).collect()
    }

    async fn rekey_totp(&self, secrets: &[(UserId, Sealed)]) -> Result<()> {
        let writing = self.writing(Scope::All).await?;
        match exchange_totp(&writing, secrets).await {
            Ok(()) => writing.commit().await,
            Err(error) => {
                writing.roll_back().await?;
                Err(error)
            }
        }
    }

    async fn key_ids_in_use(&self) -> Result<Vec<u8>> {
        let sql = "SELECT DISTINCT pin_key_id FROM card WHERE pin_key_id IS NOT NULL \
                   UNION SELECT DISTINCT fingerprint_key_id FROM operation \
                   UNION SELECT DISTINCT fingerprint_key_id FROM batch \
                   UNION SELECT DISTINCT key_id FROM person_totp \
                   UNION SELECT DISTINCT key_id FROM recovery_code \
                   UNION SELECT DISTINCT fingerprint_key_id FROM limit_use \
                   UNION SELECT DISTINCT secret_key_id FROM identity_provider \
                   UNION SELECT DISTINCT account_key_id FROM payee WHERE account_key_id IS NOT NULL ORDER BY 1";
        self.one(Scope::All, sql, &[]).await?.iter().map(|row| Fields::new(row).narrow()).collect()
    }
}

async fn exchange(writing: &Writing, cards: &[Rekeyed]) -> Result<()> {
    let mut numbers = Numbers::default();
    for card in cards {
        numbers.card_id.push(card.card.get());
        numbers.number_index.push(&card.index.0[..]);
        numbers.index_key_id.push(card.index_key_id.into());
        numbers.number_key_id.push(card.number.key_id.into());
        numbers.number.push(&card.number.bytes[..]);
        numbers.pin_key_id.push(card.pin.as_ref().map(|pin| pin.key_id.into()));
        numbers.pin.push(card.pin.as_ref().map(|pin| &pin.bytes[..]));
    }
    // In the order in which batches lock cards.
    let lock = "SELECT id FROM card WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE";
    writing.query(lock, &[&numbers.card_id]).await?;
    let index = "UPDATE card SET number_index = new.number_index, number_key_id = new.key_id \
                 FROM unnest($1::bigint[], $2::bytea[], $3::smallint[]) AS new (id, number_index, key_id) \
                 WHERE card.id = new.id";
    let params: [Param<'_>; 3] = [&numbers.card_id, &numbers.number_index, &numbers.index_key_id];
    let indexed = writing.execute_unique(index, &params, "number").await?;
    // A PIN that was erased by its export meanwhile stays erased.
    let secret = "UPDATE card_secret SET number_key_id = new.number_key_id, number = new.number, \
                  pin_key_id = CASE WHEN card_secret.pin IS NULL THEN NULL ELSE new.pin_key_id END, \
                  pin = CASE WHEN card_secret.pin IS NULL THEN NULL ELSE new.pin END \
                  FROM unnest($1::bigint[], $2::smallint[], $3::bytea[], $4::smallint[], $5::bytea[]) \
                  AS new (id, number_key_id, number, pin_key_id, pin) WHERE card_secret.card_id = new.id";
    let params: [Param<'_>; 5] =
        [&numbers.card_id, &numbers.number_key_id, &numbers.number, &numbers.pin_key_id, &numbers.pin];
    let sealed = writing.execute(secret, &params).await?;
    let all = u64::try_from(cards.len()).unwrap_or(u64::MAX);
    if indexed == all && sealed == all { Ok(()) } else { Err(StorageError::Conflict { what: "card" }) }
}

async fn exchange_totp(writing: &Writing, secrets: &[(UserId, Sealed)]) -> Result<()> {
    let users: Vec<i64> = secrets.iter().map(|(user, _)| user.get()).collect();
    let keys: Vec<i64> = secrets.iter().map(|(_, secret)| secret.key_id.into()).collect();
    let bytes: Vec<&[u8]> = secrets.iter().map(|(_, secret)| &secret.bytes[..]).collect();
    let sql = "UPDATE person_totp SET key_id = new.key_id, sealed = new.sealed \
               FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS new (id, key_id, sealed) \
               WHERE person_totp.person_id = new.id";
    writing.execute(sql, &[&users, &keys, &bytes]).await.map(drop)
}
