//! Gifts from one holder to another.

use domain::{CardId, GiftId, HolderId, IssuerId, OperationId, Timestamp};
use storage::{Gift, GiftState, Result, StorageError};

use super::{each, run};
use crate::{
    PostgresStore,
    fields::Fields,
    jobs::clamp,
    session::Param,
    store::{Scope, Writing},
};

const GIFT: &str = "id, issuer_id, card_id, giver_id, receiver_id, state, created_at, expires_at, decided_at, \
                    operation_id, version";

fn gift(f: &mut Fields<'_>) -> Result<Gift> {
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

pub(super) async fn add(store: &PostgresStore, gift: &Gift) -> Result<()> {
    let sql =
        format!("INSERT INTO holder_gift ({GIFT}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
    let values: [Param<'_>; 11] = [
        &gift.id.get(),
        &gift.issuer.get(),
        &gift.card.get(),
        &gift.giver.get(),
        &gift.receiver.get(),
        &gift.state.name(),
        &gift.created_at.micros(),
        &gift.expires_at.micros(),
        &gift.decided_at.map(Timestamp::micros),
        &gift.operation.map(OperationId::get),
        &i64::from(gift.version),
    ];
    run(store, Scope::One(gift.issuer), &sql, &values, "gift").await.map(|_| ())
}

pub(super) async fn change(writing: &Writing, gift: &Gift) -> Result<()> {
    let sql = "UPDATE holder_gift SET state = $2, decided_at = $3, operation_id = $4, version = $5 \
               WHERE id = $1 AND version = $5::bigint - 1";
    let values: [Param<'_>; 5] = [
        &gift.id.get(),
        &gift.state.name(),
        &gift.decided_at.map(Timestamp::micros),
        &gift.operation.map(OperationId::get),
        &i64::from(gift.version),
    ];
    match writing.execute(sql, &values).await? {
        1 => Ok(()),
        _ => Err(StorageError::Conflict { what: "version" }),
    }
}

pub(super) async fn one(store: &PostgresStore, id: GiftId) -> Result<Option<Gift>> {
    let sql = format!("SELECT {GIFT} FROM holder_gift WHERE id = $1");
    Ok(each(&store.one(Scope::All, &sql, &[&id.get()]).await?, gift)?.pop())
}

/// Each side by its own index, so that no list is walked for a few.
pub(super) async fn of(store: &PostgresStore, holder: HolderId, limit: usize) -> Result<Vec<Gift>> {
    let sql = format!(
        "(SELECT {GIFT} FROM holder_gift WHERE giver_id = $1 ORDER BY id DESC LIMIT $2) UNION ALL \
         (SELECT {GIFT} FROM holder_gift WHERE receiver_id = $1 ORDER BY id DESC LIMIT $2) \
         ORDER BY id DESC LIMIT $2"
    );
    each(&store.one(Scope::All, &sql, &[&holder.get(), &clamp(limit)]).await?, gift)
}

pub(super) async fn due(
    store: &PostgresStore,
    now: Timestamp,
    stuck: Timestamp,
    limit: usize,
) -> Result<Vec<Gift>> {
    let sql = format!(
        "SELECT {GIFT} FROM holder_gift WHERE state IN ('pending', 'accepting') \
         AND ((state = 'pending' AND expires_at <= $1) OR (state = 'accepting' AND decided_at <= $2)) \
         ORDER BY id LIMIT $3"
    );
    each(&store.one(Scope::All, &sql, &[&now.micros(), &stuck.micros(), &clamp(limit)]).await?, gift)
}
