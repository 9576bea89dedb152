//! Rotating keys: numbers sealed and indexed again under the current key.

use async_trait::async_trait;
use domain::{CardId, UserId};
use rusqlite::{Connection, params};
use storage::{KeyStore, Rekeyed, Result, Sealed, StorageError, StoredNumber};

use crate::{
    SqliteStore,
    error::IntoStorage,
    fields::Fields,
    issue::{opt_sealed, sealed},
};

#[async_trait]
impl KeyStore for SqliteStore {
    async fn numbers_not_under(
        &self,
        current: u8,
        after: Option<CardId>,
        limit: usize,
    ) -> Result<Vec<StoredNumber>> {
        let after = after.map_or(i64::MIN, CardId::get);
        self.long(move |connection| not_under(connection, current, after, limit)).await
    }

    async fn rekey(&self, cards: &[Rekeyed]) -> Result<()> {
        let cards = cards.to_vec();
        self.write(move |connection| exchange(connection, &cards)).await
    }

    async fn totp_not_under(
        &self,
        current: u8,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, Sealed)>> {
        let after = after.map_or(i64::MIN, UserId::get);
        self.long(move |connection| totp_not_under(connection, current, after, limit)).await
    }

    async fn rekey_totp(&self, secrets: &[(UserId, Sealed)]) -> Result<()> {
        let secrets = secrets.to_vec();
        self.write(move |connection| exchange_totp(connection, &secrets)).await
    }

    async fn key_ids_in_use(&self) -> Result<Vec<u8>> {
        self.long(in_use).await
    }
}

fn not_under(connection: &Connection, current: u8, after: i64, limit: usize) -> Result<Vec<StoredNumber>> {
    let sql = "SELECT s.card_id, s.number_key_id, s.number, s.pin_key_id, s.pin FROM card_secret s \
               JOIN card c ON c.id = s.card_id WHERE s.card_id > ?2 \
               AND (s.number_key_id <> ?1 OR c.number_key_id <> ?1) \
               ORDER BY s.card_id LIMIT ?3";
    let mut statement = connection.prepare_cached(sql).stored()?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![current, after, limit]).stored()?;
    let mut numbers = Vec::new();
    while let Some(row) = rows.next().stored()? {
        let mut f = Fields::new(row);
        let card = CardId::new(f.int()?);
        numbers.push(StoredNumber { card, number: sealed(&mut f)?, pin: opt_sealed(&mut f)? });
    }
    Ok(numbers)
}

fn exchange(connection: &Connection, cards: &[Rekeyed]) -> Result<()> {
    let index = "UPDATE card SET number_index = ?2, number_key_id = ?3 WHERE id = ?1";
    // A PIN that was erased by its export meanwhile stays erased.
    let secret = "UPDATE card_secret SET number_key_id = ?2, number = ?3, \
                  pin_key_id = CASE WHEN pin IS NULL THEN NULL ELSE ?4 END, \
                  pin = CASE WHEN pin IS NULL THEN NULL ELSE ?5 END WHERE card_id = ?1";
    let mut index = connection.prepare_cached(index).stored()?;
    let mut secret = connection.prepare_cached(secret).stored()?;
    for card in cards {
        let id = card.card.get();
        let indexed = index.execute(params![id, &card.index.0[..], card.index_key_id]).unique("number")?;
        let pin = card.pin.as_ref();
        let sealed = secret
            .execute(params![
                id,
                card.number.key_id,
                card.number.bytes,
                pin.map(|pin| pin.key_id),
                pin.map(|pin| &pin.bytes[..])
            ])
            .stored()?;
        if indexed != 1 || sealed != 1 {
            return Err(StorageError::Conflict { what: "card" });
        }
    }
    Ok(())
}

fn totp_not_under(
    connection: &Connection,
    current: u8,
    after: i64,
    limit: usize,
) -> Result<Vec<(UserId, Sealed)>> {
    let sql = "SELECT person_id, key_id, sealed FROM person_totp WHERE person_id > ?2 AND key_id <> ?1 \
               ORDER BY person_id LIMIT ?3";
    let mut statement = connection.prepare_cached(sql).stored()?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![current, after, limit]).stored()?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().stored()? {
        let mut f = Fields::new(row);
        found.push((UserId::new(f.int()?), sealed(&mut f)?));
    }
    Ok(found)
}

fn exchange_totp(connection: &Connection, secrets: &[(UserId, Sealed)]) -> Result<()> {
    let sql = "UPDATE person_totp SET key_id = ?2, sealed = ?3 WHERE person_id = ?1";
    let mut statement = connection.prepare_cached(sql).stored()?;
    for (user, secret) in secrets {
        statement.execute(params![user.get(), secret.key_id, secret.bytes]).stored()?;
    }
    Ok(())
}

fn in_use(connection: &Connection) -> Result<Vec<u8>> {
    let sql = "SELECT DISTINCT pin_key_id FROM card WHERE pin_key_id IS NOT NULL \
               UNION SELECT DISTINCT fingerprint_key_id FROM operation \
               UNION SELECT DISTINCT fingerprint_key_id FROM batch \
               UNION SELECT DISTINCT key_id FROM person_totp \
               UNION SELECT DISTINCT key_id FROM recovery_code \
               UNION SELECT DISTINCT fingerprint_key_id FROM limit_use \
               UNION SELECT DISTINCT secret_key_id FROM identity_provider \
               UNION SELECT DISTINCT account_key_id FROM payee WHERE account_key_id IS NOT NULL ORDER BY 1";
    let mut statement = connection.prepare_cached(sql).stored()?;
    let mut rows = statement.query([]).stored()?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next().stored()? {
        ids.push(Fields::new(row).narrow()?);
    }
    Ok(ids)
}
