//! Payouts.

use std::collections::HashMap;

use domain::{IssuerId, PayoutId};
use settlement::{Payout, PayoutStatus};
use storage::{Page, PayoutFilter, Result};

use super::{
    Downward, conflict, downward, ended,
    rows::{self, PAYOUT, Payouts},
};
use crate::{
    PostgresStore,
    fields::Fields,
    jobs::clamp,
    rows::arrays,
    store::{Scope, Writing},
};

/// What names a payout: it is never changed, and may not be.
const NAMES: [&str; 9] = [
    "issuer_id",
    "merchant_id",
    "statement_id",
    "currency",
    "amount",
    "due_on",
    "due_estimated",
    "proposed_by",
    "created_at",
];

pub(super) async fn insert(writing: &Writing, payouts: &[&Payout]) -> Result<()> {
    if payouts.is_empty() {
        return Ok(());
    }
    let mut rows = Payouts::with_capacity(payouts.len());
    for payout in payouts {
        rows.push(payout);
    }
    let sql = arrays::insert("payout", Payouts::COLUMNS);
    writing.execute_unique(&sql, &rows.params(), "payout").await?;
    Ok(())
}

pub(super) async fn one(store: &PostgresStore, id: PayoutId) -> Result<Option<Payout>> {
    let sql = format!("SELECT {PAYOUT} FROM payout WHERE id = $1");
    let found = store.one(Scope::All, &sql, &[&id.get()]).await?;
    found.first().map(|row| rows::payout(&mut Fields::new(row))).transpose()
}

pub(super) async fn newest(
    store: &PostgresStore,
    filter: &PayoutFilter,
    before: Option<PayoutId>,
    limit: usize,
) -> Result<Page<Payout>> {
    let down = Downward {
        table: "payout",
        columns: PAYOUT,
        issuer: filter.issuer,
        merchant: filter.merchant,
        status: filter.status.map(PayoutStatus::number),
        day: "due_on",
        from: filter.due_from,
        to: filter.due_to,
        before: before.map_or(i64::MAX, PayoutId::get),
        limit,
    };
    downward(store, &down, rows::payout, |payout| payout.id.get()).await
}

pub(super) async fn uncredited(
    store: &PostgresStore,
    issuer: IssuerId,
    after: Option<PayoutId>,
    limit: usize,
) -> Result<Vec<Payout>> {
    let sql = format!(
        "SELECT {PAYOUT} FROM payout WHERE issuer_id = $1 AND id > $2 AND status = 3 AND credited_in IS NULL \
         ORDER BY id LIMIT $3"
    );
    let after = after.map_or(i64::MIN, PayoutId::get);
    let found = store.one(Scope::One(issuer), &sql, &[&issuer.get(), &after, &clamp(limit)]).await?;
    found.iter().map(|row| rows::payout(&mut Fields::new(row))).collect()
}

pub(super) async fn update(store: &PostgresStore, payouts: &[Payout]) -> Result<()> {
    let Some(first) = payouts.first() else { return Ok(()) };
    let writing = store.writing(Scope::One(first.issuer)).await?;
    let done = update_all(&writing, payouts).await;
    ended(writing, done).await
}

async fn update_all(writing: &Writing, payouts: &[Payout]) -> Result<()> {
    let ids: Vec<i64> = payouts.iter().map(|payout| payout.id.get()).collect();
    let lock = "SELECT id, status, version FROM payout WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE";
    let mut stored: HashMap<i64, (i64, i64)> = HashMap::with_capacity(ids.len());
    for row in &writing.query(lock, &[&ids]).await? {
        let mut f = Fields::new(row);
        stored.insert(f.int()?, (f.int()?, f.int()?));
    }
    for payout in payouts {
        // Taken out, so that nobody names one twice.
        let Some((status, version)) = stored.remove(&payout.id.get()) else { return conflict("version") };
        if version.checked_add(1) != Some(payout.version.into()) {
            return conflict("version");
        }
        if !PayoutStatus::from_number(status).is_some_and(|status| status.may_become(payout.status)) {
            return conflict("status");
        }
    }
    let mut rows = Payouts::with_capacity(payouts.len());
    for payout in payouts {
        rows.push(payout);
    }
    let columns = Payouts::COLUMNS;
    let set = columns.iter().map(|(name, _)| *name).filter(|name| *name != "id" && !NAMES.contains(name));
    let set: Vec<String> = set.map(|name| format!("{name} = new.{name}")).collect();
    let sql = format!(
        "UPDATE payout SET {} FROM unnest({}) AS new ({}) WHERE payout.id = new.id",
        set.join(", "),
        arrays::parameters(columns),
        arrays::names(columns)
    );
    writing.execute(&sql, &rows.params()).await?;
    Ok(())
}
