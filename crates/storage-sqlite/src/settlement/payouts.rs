//! Payouts.

use domain::{IssuerId, PayoutId};
use rusqlite::{Connection, OptionalExtension, params};
use settlement::{Payout, PayoutStatus};
use storage::{Page, PayoutFilter, Result, queries::MAX_EXAMINED};

use super::{
    conflict, list,
    rows::{self, PAYOUT, assignments, places},
    statements::downward,
};
use crate::{error::IntoStorage, fields::Binder, jobs::clamp};

pub(super) fn insert(connection: &Connection, payout: &Payout) -> Result<()> {
    let sql = format!("INSERT INTO payout ({PAYOUT}) VALUES ({})", places(PAYOUT));
    let mut insert = connection.prepare_cached(&sql).stored()?;
    let mut binder = Binder::new(&mut insert);
    rows::put_payout(&mut binder, payout)?;
    binder.run().unique("payout")?;
    Ok(())
}

pub(super) fn one(connection: &Connection, id: PayoutId) -> Result<Option<Payout>> {
    let sql = format!("SELECT {PAYOUT} FROM payout WHERE id = ?1");
    Ok(list(connection, &sql, [id.get()], rows::payout)?.pop())
}

pub(super) fn newest(
    connection: &Connection,
    filter: &PayoutFilter,
    before: Option<PayoutId>,
    limit: usize,
) -> Result<Page<Payout>> {
    let place = if filter.merchant.is_some() { "merchant_id" } else { "issuer_id" };
    let of = filter.merchant.map_or(filter.issuer.get(), domain::MerchantId::get);
    let sql = format!("SELECT {PAYOUT} FROM payout WHERE {place} = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3");
    let values = params![of, before.map_or(i64::MAX, PayoutId::get), clamp(MAX_EXAMINED)];
    let (accepts, id) = (|payout: &Payout| filter.accepts(payout), |payout: &Payout| payout.id.get());
    downward(connection, &sql, values, limit, rows::payout, accepts, id)
}

pub(super) fn uncredited(
    connection: &Connection,
    issuer: IssuerId,
    after: Option<PayoutId>,
    limit: usize,
) -> Result<Vec<Payout>> {
    let sql = format!(
        "SELECT {PAYOUT} FROM payout WHERE issuer_id = ?1 AND id > ?2 AND status = 3 AND credited_in IS NULL \
         ORDER BY id LIMIT ?3"
    );
    let values = params![issuer.get(), after.map_or(i64::MIN, PayoutId::get), clamp(limit)];
    list(connection, &sql, values, rows::payout)
}

pub(super) fn update(connection: &Connection, payouts: &[Payout]) -> Result<()> {
    let sql = format!("UPDATE payout SET {} WHERE id = ?1", assignments(PAYOUT));
    for payout in payouts {
        let found = "SELECT status, version FROM payout WHERE id = ?1";
        let found = connection.query_row(found, [payout.id.get()], |row| Ok((row.get(0)?, row.get(1)?)));
        let found: Option<(i64, u32)> = found.optional().stored()?;
        let Some((status, version)) = found else { return conflict("version") };
        if version.checked_add(1) != Some(payout.version) {
            return conflict("version");
        }
        if !PayoutStatus::from_number(status).is_some_and(|status| status.may_become(payout.status)) {
            return conflict("status");
        }
        let mut update = connection.prepare_cached(&sql).stored()?;
        let mut binder = Binder::new(&mut update);
        rows::put_payout(&mut binder, payout)?;
        binder.run().stored()?;
    }
    Ok(())
}
