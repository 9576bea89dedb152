//! Holders, their sessions and the cards in their wallets.

use domain::{CardId, HolderId, IssuerId, OperationId};
use rusqlite::{Connection, params};
use storage::{
    HeldCard, Holder, HolderPurge, HolderSession, PhoneIndex, RekeyedPhone, Result, StorageError, StoredPhone,
};

use super::{list, run};
use crate::{error::IntoStorage, fields::Fields, issue::sealed, jobs::clamp};

const HOLDER: &str = "id, issuer_id, phone_index, index_key_id, phone_key_id, phone, last4, created_at";

fn holder(f: &mut Fields<'_, '_>) -> Result<Holder> {
    Ok(Holder {
        id: HolderId::new(f.int()?),
        issuer: IssuerId::new(f.int()?),
        phone_index: PhoneIndex(f.bytes()?),
        index_key_id: f.narrow()?,
        phone: sealed(f)?,
        last4: f.text()?.to_owned(),
        created_at: f.time()?,
    })
}

pub(super) fn by_phone(
    connection: &Connection,
    issuer: IssuerId,
    phones: &[PhoneIndex],
) -> Result<Option<Holder>> {
    let sql = format!("SELECT {HOLDER} FROM holder WHERE issuer_id = ?1 AND phone_index = ?2");
    for phone in phones {
        if let Some(found) = list(connection, &sql, params![issuer.get(), &phone.0[..]], holder)?.pop() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

pub(super) fn holders(connection: &Connection, ids: &[HolderId]) -> Result<Vec<Holder>> {
    let sql = format!("SELECT {HOLDER} FROM holder WHERE id = ?1");
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(list(connection, &sql, [id.get()], holder)?);
    }
    Ok(found)
}

pub(super) fn add(connection: &Connection, holder: &Holder) -> Result<()> {
    let sql = format!("INSERT INTO holder ({HOLDER}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    let mut statement = connection.prepare_cached(&sql).stored()?;
    let values = params![
        holder.id.get(),
        holder.issuer.get(),
        &holder.phone_index.0[..],
        holder.index_key_id,
        holder.phone.key_id,
        holder.phone.bytes,
        holder.last4,
        holder.created_at.micros()
    ];
    statement.execute(values).unique("phone").map(|_| ())
}

pub(super) fn add_session(connection: &Connection, session: &HolderSession, most: usize) -> Result<()> {
    let sql = "INSERT INTO holder_session (hash, holder_id, issuer_id, created_at, idle_until, expires_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = params![
        &session.hash[..],
        session.holder.get(),
        session.issuer.get(),
        session.created_at.micros(),
        session.idle_until.micros(),
        session.expires_at.micros()
    ];
    run(connection, sql, values)?;
    let old = "DELETE FROM holder_session WHERE hash IN (SELECT hash FROM holder_session WHERE holder_id = ?1 \
               ORDER BY created_at DESC, hash DESC LIMIT -1 OFFSET ?2)";
    run(connection, old, (session.holder.get(), clamp(most))).map(|_| ())
}

pub(super) fn session(connection: &Connection, hash: &[u8; 32]) -> Result<Option<HolderSession>> {
    let sql = "SELECT hash, holder_id, issuer_id, created_at, idle_until, expires_at FROM holder_session \
               WHERE hash = ?1";
    let read = |f: &mut Fields<'_, '_>| {
        Ok(HolderSession {
            hash: f.bytes()?,
            holder: HolderId::new(f.int()?),
            issuer: IssuerId::new(f.int()?),
            created_at: f.time()?,
            idle_until: f.time()?,
            expires_at: f.time()?,
        })
    };
    Ok(list(connection, sql, [&hash[..]], read)?.pop())
}

pub(super) fn put_card(connection: &Connection, held: &HeldCard) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO holder_card (holder_id, card_id, issuer_id, since, added_at) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![
        held.holder.get(),
        held.card.get(),
        held.issuer.get(),
        held.since.get(),
        held.added_at.micros()
    ];
    run(connection, sql, values).map(|_| ())
}

pub(super) fn remove_card(connection: &Connection, holder: HolderId, card: CardId) -> Result<()> {
    let sql = "DELETE FROM holder_card WHERE holder_id = ?1 AND card_id = ?2";
    run(connection, sql, (holder.get(), card.get())).map(|_| ())
}

pub(super) fn cards(connection: &Connection, holder: HolderId, limit: usize) -> Result<Vec<HeldCard>> {
    let sql = "SELECT holder_id, card_id, issuer_id, since, added_at FROM holder_card WHERE holder_id = ?1 \
               ORDER BY added_at DESC, card_id DESC LIMIT ?2";
    let read = |f: &mut Fields<'_, '_>| {
        Ok(HeldCard {
            holder: HolderId::new(f.int()?),
            card: CardId::new(f.int()?),
            issuer: IssuerId::new(f.int()?),
            since: OperationId::new(f.int()?),
            added_at: f.time()?,
        })
    };
    list(connection, sql, (holder.get(), clamp(limit)), read)
}

pub(super) fn purge(connection: &Connection, purge: &HolderPurge) -> Result<u64> {
    let (ended, counted) = (purge.ended_before.micros(), purge.counted_before.micros());
    let (used, limit) = (purge.used_before.micros(), clamp(purge.limit));
    let mut gone = 0;
    let sql = "DELETE FROM holder_message WHERE id IN \
               (SELECT id FROM holder_message WHERE expires_at < ?1 ORDER BY id LIMIT ?2)";
    gone += run(connection, sql, (ended, limit))?;
    let sql = "DELETE FROM holder_session WHERE hash IN \
               (SELECT hash FROM holder_session WHERE idle_until < ?1 OR expires_at < ?1 LIMIT ?2)";
    gone += run(connection, sql, (ended, limit))?;
    let sql = "DELETE FROM holder_login WHERE (issuer_id, phone_index) IN (SELECT issuer_id, phone_index \
               FROM holder_login WHERE sent_at < ?1 AND expires_at < ?2 ORDER BY sent_at LIMIT ?3)";
    gone += run(connection, sql, (counted, ended, limit))?;
    let sql = "DELETE FROM holder_code_use WHERE (device_id, step) IN \
               (SELECT device_id, step FROM holder_code_use WHERE used_at < ?1 ORDER BY used_at LIMIT ?2)";
    gone += run(connection, sql, (used, limit))?;
    let sql = "DELETE FROM holder_device WHERE id IN \
               (SELECT id FROM holder_device WHERE revoked_at < ?1 ORDER BY revoked_at LIMIT ?2)";
    gone += run(connection, sql, (used, limit))?;
    Ok(gone as u64)
}

pub(super) fn phones_not_under(
    connection: &Connection,
    current: u8,
    after: Option<HolderId>,
    limit: usize,
) -> Result<Vec<StoredPhone>> {
    let sql = "SELECT id, issuer_id, phone_key_id, phone FROM holder \
               WHERE id > ?2 AND (phone_key_id <> ?1 OR index_key_id <> ?1) ORDER BY id LIMIT ?3";
    let read = |f: &mut Fields<'_, '_>| {
        Ok(StoredPhone {
            holder: HolderId::new(f.int()?),
            issuer: IssuerId::new(f.int()?),
            phone: sealed(f)?,
        })
    };
    list(connection, sql, (current, after.map_or(i64::MIN, HolderId::get), clamp(limit)), read)
}

pub(super) fn rekey(connection: &Connection, phones: &[RekeyedPhone]) -> Result<()> {
    let sql =
        "UPDATE holder SET phone_index = ?2, index_key_id = ?3, phone_key_id = ?4, phone = ?5 WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql).stored()?;
    for new in phones {
        let values =
            params![new.holder.get(), &new.index.0[..], new.index_key_id, new.phone.key_id, new.phone.bytes];
        if statement.execute(values).unique("phone")? != 1 {
            return Err(StorageError::Conflict { what: "holder" });
        }
    }
    Ok(())
}
