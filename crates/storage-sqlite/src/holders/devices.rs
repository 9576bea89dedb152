//! Devices that show payment codes, and codes that were used.

use domain::{CardId, ClientId, DeviceId, HolderId, IssuerId, Timestamp};
use rusqlite::{Connection, params};
use storage::{CodeUse, Device, Result, Sealed, StorageError};

use super::{list, run};
use crate::{error::IntoStorage, fields::Fields, issue::sealed, jobs::clamp};

const DEVICE: &str = "id, issuer_id, holder_id, card_id, tag, secret_key_id, secret, created_at, revoked_at";
const USE: &str = "device_id, step, issuer_id, client_id, key_hash, used_at";

fn device(f: &mut Fields<'_, '_>) -> Result<Device> {
    Ok(Device {
        id: DeviceId::new(f.int()?),
        issuer: IssuerId::new(f.int()?),
        holder: HolderId::new(f.int()?),
        card: CardId::new(f.int()?),
        tag: f.narrow()?,
        secret: sealed(f)?,
        created_at: f.time()?,
        revoked_at: f.opt_time()?,
    })
}

fn code_use(f: &mut Fields<'_, '_>) -> Result<CodeUse> {
    Ok(CodeUse {
        device: DeviceId::new(f.int()?),
        step: f.int()?,
        issuer: IssuerId::new(f.int()?),
        client: ClientId::new(f.int()?),
        key: f.bytes()?,
        used_at: f.time()?,
    })
}

pub(super) fn add(connection: &Connection, device: &Device, most: usize) -> Result<()> {
    let sql = format!("INSERT INTO holder_device ({DEVICE}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    let mut statement = connection.prepare_cached(&sql).stored()?;
    let values = params![
        device.id.get(),
        device.issuer.get(),
        device.holder.get(),
        device.card.get(),
        device.tag,
        device.secret.key_id,
        device.secret.bytes,
        device.created_at.micros(),
        device.revoked_at.map(Timestamp::micros)
    ];
    statement.execute(values).unique("tag")?;
    let old = "UPDATE holder_device SET revoked_at = ?3 WHERE id IN (SELECT id FROM holder_device \
               WHERE card_id = ?1 AND holder_id = ?2 AND revoked_at IS NULL ORDER BY id DESC LIMIT -1 OFFSET ?4)";
    let values = (device.card.get(), device.holder.get(), device.created_at.micros(), clamp(most));
    run(connection, old, values).map(|_| ())
}

pub(super) fn by_tags(connection: &Connection, issuer: IssuerId, tags: &[u32]) -> Result<Vec<Device>> {
    let sql = format!(
        "SELECT {DEVICE} FROM holder_device WHERE issuer_id = ?1 AND tag = ?2 AND revoked_at IS NULL"
    );
    let mut found = Vec::with_capacity(tags.len());
    for tag in tags {
        found.extend(list(connection, &sql, (issuer.get(), tag), device)?);
    }
    Ok(found)
}

pub(super) fn by_ids(connection: &Connection, ids: &[DeviceId]) -> Result<Vec<Device>> {
    let sql = format!("SELECT {DEVICE} FROM holder_device WHERE id = ?1");
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(list(connection, &sql, [id.get()], device)?);
    }
    Ok(found)
}

pub(super) fn of(connection: &Connection, holder: HolderId, card: CardId) -> Result<Vec<Device>> {
    let sql = format!(
        "SELECT {DEVICE} FROM holder_device WHERE card_id = ?1 AND holder_id = ?2 AND revoked_at IS NULL \
         ORDER BY id DESC"
    );
    list(connection, &sql, (card.get(), holder.get()), device)
}

pub(super) fn revoke_of(connection: &Connection, card: CardId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE holder_device SET revoked_at = ?2 WHERE card_id = ?1 AND revoked_at IS NULL";
    run(connection, sql, (card.get(), at.micros())).map(|_| ())
}

/// Inserted first and read afterwards, in one transaction: whoever comes second finds the first.
pub(super) fn use_codes(connection: &Connection, uses: &[CodeUse]) -> Result<Vec<CodeUse>> {
    let insert =
        format!("INSERT INTO holder_code_use ({USE}) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING");
    let find = format!("SELECT {USE} FROM holder_code_use WHERE device_id = ?1 AND step = ?2");
    let mut held = Vec::with_capacity(uses.len());
    for used in uses {
        let values = params![
            used.device.get(),
            used.step,
            used.issuer.get(),
            used.client.get(),
            &used.key[..],
            used.used_at.micros()
        ];
        run(connection, &insert, values)?;
        let stored = list(connection, &find, (used.device.get(), used.step), code_use)?.pop();
        held.push(stored.ok_or(StorageError::Conflict { what: "code" })?);
    }
    Ok(held)
}

pub(super) fn used_under(
    connection: &Connection,
    client: ClientId,
    keys: &[[u8; 32]],
) -> Result<Vec<CodeUse>> {
    let sql = format!("SELECT {USE} FROM holder_code_use WHERE client_id = ?1 AND key_hash = ?2 LIMIT 8");
    let mut found = Vec::new();
    for key in keys {
        found.extend(list(connection, &sql, params![client.get(), &key[..]], code_use)?);
    }
    Ok(found)
}

pub(super) fn not_under(
    connection: &Connection,
    current: u8,
    after: Option<DeviceId>,
    limit: usize,
) -> Result<Vec<(DeviceId, Sealed)>> {
    let sql = "SELECT id, secret_key_id, secret FROM holder_device WHERE id > ?2 AND secret_key_id <> ?1 \
               ORDER BY id LIMIT ?3";
    let read = |f: &mut Fields<'_, '_>| Ok((DeviceId::new(f.int()?), sealed(f)?));
    list(connection, sql, (current, after.map_or(i64::MIN, DeviceId::get), clamp(limit)), read)
}

pub(super) fn rekey(connection: &Connection, secrets: &[(DeviceId, Sealed)]) -> Result<()> {
    let sql = "UPDATE holder_device SET secret_key_id = ?2, secret = ?3 WHERE id = ?1";
    for (id, secret) in secrets {
        run(connection, sql, params![id.get(), secret.key_id, secret.bytes])?;
    }
    Ok(())
}
