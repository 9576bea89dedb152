//! Gifts from one holder to another.

use domain::{CardId, GiftId, HolderId, IssuerId, OperationId, Timestamp};
use rusqlite::{Connection, params};
use storage::{Gift, GiftState, Result, StorageError};

use super::{list, run};
use crate::{error::IntoStorage, fields::Fields, jobs::clamp};

const GIFT: &str = "id, issuer_id, card_id, giver_id, receiver_id, state, created_at, expires_at, decided_at, \
                    operation_id, version";

fn gift(f: &mut Fields<'_, '_>) -> Result<Gift> {
    Ok(Gift {
        id: GiftId::new(f.int()?),
        issuer: IssuerId::new(f.int()?),
        card: CardId::new(f.int()?),
        giver: HolderId::new(f.int()?),
        receiver: HolderId::new(f.int()?),
        state: f.named(GiftState::from_name)?,
        created_at: f.time()?,
        expires_at: f.time()?,
        decided_at: f.opt_time()?,
        operation: f.opt_int()?.map(OperationId::new),
        version: f.narrow()?,
    })
}

pub(super) fn add(connection: &Connection, gift: &Gift) -> Result<()> {
    let sql =
        format!("INSERT INTO holder_gift ({GIFT}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    let mut statement = connection.prepare_cached(&sql).stored()?;
    let values = params![
        gift.id.get(),
        gift.issuer.get(),
        gift.card.get(),
        gift.giver.get(),
        gift.receiver.get(),
        gift.state.name(),
        gift.created_at.micros(),
        gift.expires_at.micros(),
        gift.decided_at.map(Timestamp::micros),
        gift.operation.map(OperationId::get),
        gift.version
    ];
    statement.execute(values).unique("gift").map(|_| ())
}

pub(super) fn change(connection: &Connection, gift: &Gift) -> Result<()> {
    let sql = "UPDATE holder_gift SET state = ?2, decided_at = ?3, operation_id = ?4, version = ?5 \
               WHERE id = ?1 AND version = ?5 - 1";
    let values = params![
        gift.id.get(),
        gift.state.name(),
        gift.decided_at.map(Timestamp::micros),
        gift.operation.map(OperationId::get),
        gift.version
    ];
    match run(connection, sql, values)? {
        1 => Ok(()),
        _ => Err(StorageError::Conflict { what: "version" }),
    }
}

pub(super) fn one(connection: &Connection, id: GiftId) -> Result<Option<Gift>> {
    let sql = format!("SELECT {GIFT} FROM holder_gift WHERE id = ?1");
    Ok(list(connection, &sql, [id.get()], gift)?.pop())
}

/// Each side by its own index, so that no list is walked for a few.
pub(super) fn of(connection: &Connection, holder: HolderId, limit: usize) -> Result<Vec<Gift>> {
    let mut all = Vec::new();
    for side in ["giver_id", "receiver_id"] {
        let sql = format!("SELECT {GIFT} FROM holder_gift WHERE {side} = ?1 ORDER BY id DESC LIMIT ?2");
        all.extend(list(connection, &sql, (holder.get(), clamp(limit)), gift)?);
    }
    all.sort_by_key(|gift| std::cmp::Reverse(gift.id));
    all.truncate(limit);
    Ok(all)
}

pub(super) fn due(
    connection: &Connection,
    now: Timestamp,
    stuck: Timestamp,
    limit: usize,
) -> Result<Vec<Gift>> {
    let sql = format!(
        "SELECT {GIFT} FROM holder_gift WHERE state IN ('pending', 'accepting') \
         AND ((state = 'pending' AND expires_at <= ?1) OR (state = 'accepting' AND decided_at <= ?2)) \
         ORDER BY id LIMIT ?3"
    );
    list(connection, &sql, (now.micros(), stuck.micros(), clamp(limit)), gift)
}
