//! Devices that show payment codes, and codes that were used.

use std::collections::HashMap;

use domain::{CardId, ClientId, DeviceId, HolderId, IssuerId, Timestamp};
use storage::{CodeUse, Device, Result, Sealed, StorageError};

use super::each;
use crate::{
    PostgresStore,
    fields::Fields,
    issue::sealed,
    jobs::clamp,
    session::Param,
    store::{Scope, Writing},
};

const DEVICE: &str = "id, issuer_id, holder_id, card_id, tag, secret_key_id, secret, created_at, revoked_at";
const USE: &str = "device_id, step, issuer_id, client_id, key_hash, used_at";

fn device(f: &mut Fields<'_>) -> Result<Device> {
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

fn code_use(f: &mut Fields<'_>) -> Result<CodeUse> {
    Ok(CodeUse {
        device: DeviceId::new(f.int()?),
        step: f.int()?,
        issuer: IssuerId::new(f.int()?),
        client: ClientId::new(f.int()?),
        key: f.bytes()?,
        used_at: f.time()?,
    })
}

pub(super) async fn add(writing: &Writing, device: &Device, most: usize) -> Result<()> {
    let sql = format!("INSERT INTO holder_device ({DEVICE}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    let secret = &device.secret.bytes[..];
    let values: [Param<'_>; 9] = [
        &device.id.get(),
        &device.issuer.get(),
        &device.holder.get(),
        &device.card.get(),
        &i64::from(device.tag),
        &i16::from(device.secret.key_id),
        &secret,
        &device.created_at.micros(),
        &device.revoked_at.map(Timestamp::micros),
    ];
    writing.execute_unique(&sql, &values, "tag").await?;
    let old = "UPDATE holder_device SET revoked_at = $3 WHERE id IN (SELECT id FROM holder_device \
               WHERE card_id = $1 AND holder_id = $2 AND revoked_at IS NULL ORDER BY id DESC OFFSET $4)";
    let values: [Param<'_>; 4] =
        [&device.card.get(), &device.holder.get(), &device.created_at.micros(), &clamp(most)];
    writing.execute(old, &values).await.map(|_| ())
}

pub(super) async fn by_tags(store: &PostgresStore, issuer: IssuerId, tags: &[u32]) -> Result<Vec<Device>> {
    let sql = format!(
        "SELECT {DEVICE} FROM holder_device WHERE issuer_id = $1 AND tag = ANY ($2::bigint[]) \
         AND revoked_at IS NULL"
    );
    let tags: Vec<i64> = tags.iter().map(|tag| i64::from(*tag)).collect();
    each(&store.one(Scope::One(issuer), &sql, &[&issuer.get(), &tags]).await?, device)
}

pub(super) async fn by_ids(store: &PostgresStore, ids: &[DeviceId]) -> Result<Vec<Device>> {
    let sql = format!("SELECT {DEVICE} FROM holder_device WHERE id = ANY ($1::bigint[])");
    let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    each(&store.one(Scope::All, &sql, &[&ids]).await?, device)
}

pub(super) async fn of(store: &PostgresStore, holder: HolderId, card: CardId) -> Result<Vec<Device>> {
    let sql = format!(
        "SELECT {DEVICE} FROM holder_device WHERE card_id = $1 AND holder_id = $2 AND revoked_at IS NULL \
         ORDER BY id DESC"
    );
    each(&store.one(Scope::All, &sql, &[&card.get(), &holder.get()]).await?, device)
}

pub(super) async fn revoke_of(writing: &Writing, card: CardId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE holder_device SET revoked_at = $2 WHERE card_id = $1 AND revoked_at IS NULL";
    writing.execute(sql, &[&card.get(), &at.micros()]).await.map(|_| ())
}

/// Inserted first, in the order of the key so that batches cannot wait for each other in a circle, and read
/// afterwards: whoever comes second waits for the first to commit, and then sees its row.
pub(super) async fn use_codes(writing: &Writing, uses: &[CodeUse]) -> Result<Vec<CodeUse>> {
    let mut ordered: Vec<&CodeUse> = uses.iter().collect();
    ordered.sort_by_key(|used| (used.device, used.step));
    let devices: Vec<i64> = ordered.iter().map(|used| used.device.get()).collect();
    let steps: Vec<i64> = ordered.iter().map(|used| used.step).collect();
    let issuers: Vec<i64> = ordered.iter().map(|used| used.issuer.get()).collect();
    let clients: Vec<i64> = ordered.iter().map(|used| used.client.get()).collect();
    let keys: Vec<&[u8]> = ordered.iter().map(|used| &used.key[..]).collect();
    let moments: Vec<i64> = ordered.iter().map(|used| used.used_at.micros()).collect();
    let insert = format!(
        "INSERT INTO holder_code_use ({USE}) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], \
         $4::bigint[], $5::bytea[], $6::bigint[]) ON CONFLICT DO NOTHING"
    );
    let values: [Param<'_>; 6] = [&devices, &steps, &issuers, &clients, &keys, &moments];
    writing.execute(&insert, &values).await?;
    let find = format!(
        "SELECT {USE} FROM holder_code_use WHERE (device_id, step) IN \
         (SELECT * FROM unnest($1::bigint[], $2::bigint[]))"
    );
    let stored = each(&writing.query(&find, &[&devices, &steps]).await?, code_use)?;
    let stored: HashMap<(DeviceId, i64), CodeUse> =
        stored.into_iter().map(|used| ((used.device, used.step), used)).collect();
    let held = uses.iter().map(|used| stored.get(&(used.device, used.step)).cloned());
    held.map(|held| held.ok_or(StorageError::Conflict { what: "code" })).collect()
}

pub(super) async fn used_under(
    store: &PostgresStore,
    client: ClientId,
    keys: &[[u8; 32]],
) -> Result<Vec<CodeUse>> {
    let sql = format!(
        "SELECT {USE} FROM holder_code_use WHERE client_id = $1 AND key_hash = ANY ($2::bytea[]) LIMIT $3"
    );
    let most = clamp(keys.len().saturating_mul(8));
    let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
    each(&store.one(Scope::All, &sql, &[&client.get(), &keys, &most]).await?, code_use)
}

pub(super) async fn not_under(
    store: &PostgresStore,
    current: u8,
    after: Option<DeviceId>,
    limit: usize,
) -> Result<Vec<(DeviceId, Sealed)>> {
    let sql = "SELECT id, secret_key_id, secret FROM holder_device WHERE id > $2 AND secret_key_id <> $1 \
               ORDER BY id LIMIT $3";
    let read = |f: &mut Fields<'_>| Ok((DeviceId::new(f.int()?), sealed(f)?));
    let after = after.map_or(i64::MIN, DeviceId::get);
    each(&store.one(Scope::All, sql, &[&i16::from(current), &after, &clamp(limit)]).await?, read)
}

pub(super) async fn rekey(writing: &Writing, secrets: &[(DeviceId, Sealed)]) -> Result<()> {
    let ids: Vec<i64> = secrets.iter().map(|(id, _)| id.get()).collect();
    let keys: Vec<i16> = secrets.iter().map(|(_, secret)| secret.key_id.into()).collect();
    let bytes: Vec<&[u8]> = secrets.iter().map(|(_, secret)| &secret.bytes[..]).collect();
    let sql = "UPDATE holder_device SET secret_key_id = new.key_id, secret = new.secret \
               FROM unnest($1::bigint[], $2::smallint[], $3::bytea[]) AS new (id, key_id, secret) \
               WHERE holder_device.id = new.id";
    writing.execute(sql, &[&ids, &keys, &bytes]).await.map(|_| ())
}
