//! Holders, their sessions and the cards in their wallets.

use domain::{CardId, HolderId, IssuerId, OperationId};
use storage::{
    HeldCard, Holder, HolderPurge, HolderSession, PhoneIndex, RekeyedPhone, Result, StorageError, StoredPhone,
};

use super::{each, indexes, run};
use crate::{
    PostgresStore,
    fields::Fields,
    issue::sealed,
    jobs::clamp,
    session::Param,
    store::{Scope, Writing},
};

const HOLDER: &str = "id, issuer_id, phone_index, index_key_id, phone_key_id, phone, last4, created_at";

fn holder(f: &mut Fields<'_>) -> Result<Holder> {
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

pub(super) async fn by_phone(
    store: &PostgresStore,
    issuer: IssuerId,
    phones: &[PhoneIndex],
) -> Result<Option<Holder>> {
    let sql = format!(
        "SELECT {HOLDER} FROM holder WHERE issuer_id = $1 AND phone_index = ANY ($2::bytea[]) \
         ORDER BY array_position($2::bytea[], phone_index) LIMIT 1"
    );
    let values: [Param<'_>; 2] = [&issuer.get(), &indexes(phones)];
    Ok(each(&store.one(Scope::One(issuer), &sql, &values).await?, holder)?.pop())
}

pub(super) async fn holders(store: &PostgresStore, ids: &[HolderId]) -> Result<Vec<Holder>> {
    let sql = format!("SELECT {HOLDER} FROM holder WHERE id = ANY ($1::bigint[])");
    let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    each(&store.one(Scope::All, &sql, &[&ids]).await?, holder)
}

pub(super) async fn add(store: &PostgresStore, holder: &Holder) -> Result<()> {
    let sql = format!("INSERT INTO holder ({HOLDER}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    let (index, phone) = (&holder.phone_index.0[..], &holder.phone.bytes[..]);
    let values: [Param<'_>; 8] = [
        &holder.id.get(),
        &holder.issuer.get(),
        &index,
        &i16::from(holder.index_key_id),
        &i16::from(holder.phone.key_id),
        &phone,
        &holder.last4,
        &holder.created_at.micros(),
    ];
    run(store, Scope::One(holder.issuer), &sql, &values, "phone").await.map(|_| ())
}

pub(super) async fn add_session(writing: &Writing, session: &HolderSession, most: usize) -> Result<()> {
    let sql = "INSERT INTO holder_session (hash, holder_id, issuer_id, created_at, idle_until, expires_at) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let hash = &session.hash[..];
    let values: [Param<'_>; 6] = [
        &hash,
        &session.holder.get(),
        &session.issuer.get(),
        &session.created_at.micros(),
        &session.idle_until.micros(),
        &session.expires_at.micros(),
    ];
    writing.execute_unique(sql, &values, "session").await?;
    let old = "DELETE FROM holder_session WHERE hash IN (SELECT hash FROM holder_session WHERE holder_id = $1 \
               ORDER BY created_at DESC, hash DESC OFFSET $2)";
    writing.execute(old, &[&session.holder.get(), &clamp(most)]).await.map(|_| ())
}

pub(super) async fn session(store: &PostgresStore, hash: &[u8; 32]) -> Result<Option<HolderSession>> {
    let sql = "SELECT hash, holder_id, issuer_id, created_at, idle_until, expires_at FROM holder_session \
               WHERE hash = $1";
    let read = |f: &mut Fields<'_>| {
        Ok(HolderSession {
            hash: f.bytes()?,
            holder: HolderId::new(f.int()?),
            issuer: IssuerId::new(f.int()?),
            created_at: f.time()?,
            idle_until: f.time()?,
            expires_at: f.time()?,
        })
    };
    Ok(each(&store.one(Scope::All, sql, &[&&hash[..]]).await?, read)?.pop())
}

pub(super) async fn put_card(writing: &Writing, held: &HeldCard) -> Result<()> {
    let sql = "INSERT INTO holder_card (holder_id, card_id, issuer_id, since, added_at) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (holder_id, card_id) \
               DO UPDATE SET since = excluded.since, added_at = excluded.added_at";
    let values: [Param<'_>; 5] = [
        &held.holder.get(),
        &held.card.get(),
        &held.issuer.get(),
        &held.since.get(),
        &held.added_at.micros(),
    ];
    writing.execute(sql, &values).await.map(|_| ())
}

pub(super) async fn remove_card(writing: &Writing, holder: HolderId, card: CardId) -> Result<()> {
    let sql = "DELETE FROM holder_card WHERE holder_id = $1 AND card_id = $2";
    writing.execute(sql, &[&holder.get(), &card.get()]).await.map(|_| ())
}

pub(super) async fn cards(store: &PostgresStore, holder: HolderId, limit: usize) -> Result<Vec<HeldCard>> {
    let sql = "SELECT holder_id, card_id, issuer_id, since, added_at FROM holder_card WHERE holder_id = $1 \
               ORDER BY added_at DESC, card_id DESC LIMIT $2";
    let read = |f: &mut Fields<'_>| {
        Ok(HeldCard {
            holder: HolderId::new(f.int()?),
            card: CardId::new(f.int()?),
            issuer: IssuerId::new(f.int()?),
            since: OperationId::new(f.int()?),
            added_at: f.time()?,
        })
    };
    each(&store.one(Scope::All, sql, &[&holder.get(), &clamp(limit)]).await?, read)
}

pub(super) async fn purge(writing: &Writing, purge: &HolderPurge) -> Result<u64> {
    let (ended, counted) = (purge.ended_before.micros(), purge.counted_before.micros());
    let (used, limit) = (purge.used_before.micros(), clamp(purge.limit));
    let mut gone = 0;
    let sql = "DELETE FROM holder_message WHERE id IN \
               (SELECT id FROM holder_message WHERE expires_at < $1 ORDER BY id LIMIT $2)";
    gone += writing.execute(sql, &[&ended, &limit]).await?;
    let sql = "DELETE FROM holder_session WHERE hash IN \
               (SELECT hash FROM holder_session WHERE idle_until < $1 OR expires_at < $1 LIMIT $2)";
    gone += writing.execute(sql, &[&ended, &limit]).await?;
    let sql = "DELETE FROM holder_login WHERE (issuer_id, phone_index) IN (SELECT issuer_id, phone_index \
               FROM holder_login WHERE sent_at < $1 AND expires_at < $2 ORDER BY sent_at LIMIT $3)";
    gone += writing.execute(sql, &[&counted, &ended, &limit]).await?;
    let sql = "DELETE FROM holder_code_use WHERE (device_id, step) IN \
               (SELECT device_id, step FROM holder_code_use WHERE used_at < $1 ORDER BY used_at LIMIT $2)";
    gone += writing.execute(sql, &[&used, &limit]).await?;
    let sql = "DELETE FROM holder_device WHERE id IN \
               (SELECT id FROM holder_device WHERE revoked_at < $1 ORDER BY revoked_at LIMIT $2)";
    gone += writing.execute(sql, &[&used, &limit]).await?;
    Ok(gone)
}

pub(super) async fn phones_not_under(
    store: &PostgresStore,
    current: u8,
    after: Option<HolderId>,
    limit: usize,
) -> Result<Vec<StoredPhone>> {
    let sql = "SELECT id, issuer_id, phone_key_id, phone FROM holder \
               WHERE id > $2 AND (phone_key_id <> $1 OR index_key_id <> $1) ORDER BY id LIMIT $3";
    let read = |f: &mut Fields<'_>| {
        Ok(StoredPhone {
            holder: HolderId::new(f.int()?),
            issuer: IssuerId::new(f.int()?),
            phone: sealed(f)?,
        })
    };
    let after = after.map_or(i64::MIN, HolderId::get);
    each(&store.one(Scope::All, sql, &[&i16::from(current), &after, &clamp(limit)]).await?, read)
}

pub(super) async fn rekey(writing: &Writing, phones: &[RekeyedPhone]) -> Result<()> {
    let ids: Vec<i64> = phones.iter().map(|new| new.holder.get()).collect();
    let index: Vec<&[u8]> = phones.iter().map(|new| &new.index.0[..]).collect();
    let index_key: Vec<i16> = phones.iter().map(|new| new.index_key_id.into()).collect();
    let phone_key: Vec<i16> = phones.iter().map(|new| new.phone.key_id.into()).collect();
    let phone: Vec<&[u8]> = phones.iter().map(|new| &new.phone.bytes[..]).collect();
    let sql = "UPDATE holder SET phone_index = new.phone_index, index_key_id = new.index_key, \
               phone_key_id = new.phone_key, phone = new.phone \
               FROM unnest($1::bigint[], $2::bytea[], $3::smallint[], $4::smallint[], $5::bytea[]) \
               AS new (id, phone_index, index_key, phone_key, phone) WHERE holder.id = new.id";
    let values: [Param<'_>; 5] = [&ids, &index, &index_key, &phone_key, &phone];
    let changed = writing.execute_unique(sql, &values, "phone").await?;
    if changed == phones.len() as u64 { Ok(()) } else { Err(StorageError::Conflict { what: "holder" }) }
}
