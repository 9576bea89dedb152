//! Differences, and what is done about them.

use domain::{Account, Currency, DifferenceId, IssuerId, ReconciliationId, Timestamp};
use reconciliation::Class;
use rusqlite::{Connection, OptionalExtension, params};
use storage::{
    Ageing, DifferenceEvent, DifferenceFilter, DifferenceRecord, DifferenceStatus, Page, Result,
    reconciliation_store::DIFFERENCE_AGES,
};

use super::{
    conflict, insert, list, one_more, page,
    rows::{self, DIFFERENCE, EVENT},
};
use crate::{error::IntoStorage, fields::Binder, jobs::clamp};

pub(super) fn insert_all(connection: &Connection, records: &[DifferenceRecord]) -> Result<()> {
    let mut statement =
        connection.prepare_cached(&insert("reconciliation_difference", DIFFERENCE)).stored()?;
    for record in records {
        let mut binder = Binder::new(&mut statement);
        rows::put_difference(&mut binder, record)?;
        binder.run().unique("id")?;
    }
    Ok(())
}

pub(super) fn update(
    connection: &Connection,
    record: &DifferenceRecord,
    event: &DifferenceEvent,
) -> Result<()> {
    let found = "SELECT version FROM reconciliation_difference WHERE id = ?1";
    let found: Option<u32> =
        connection.query_row(found, [record.id.get()], |row| row.get(0)).optional().stored()?;
    if found.and_then(|version| version.checked_add(1)) != Some(record.version) {
        return conflict("version");
    }
    let set: Vec<String> = DIFFERENCE
        .split(',')
        .zip(1..)
        .map(|(name, n): (&str, usize)| format!("{} = ?{n}", name.trim()))
        .collect();
    let sql = format!("UPDATE reconciliation_difference SET {} WHERE id = ?1", set.join(", "));
    let mut statement = connection.prepare_cached(&sql).stored()?;
    let mut binder = Binder::new(&mut statement);
    rows::put_difference(&mut binder, record)?;
    binder.run().stored()?;
    let mut statement = connection.prepare_cached(&insert("reconciliation_event", EVENT)).stored()?;
    let mut binder = Binder::new(&mut statement);
    rows::put_event(&mut binder, record.issuer, event)?;
    binder.run().unique("version")?;
    Ok(())
}

pub(super) fn one(connection: &Connection, id: DifferenceId) -> Result<Option<DifferenceRecord>> {
    let sql = format!("SELECT {DIFFERENCE} FROM reconciliation_difference WHERE id = ?1");
    Ok(list(connection, &sql, [id.get()], rows::difference)?.pop())
}

pub(super) fn newest(
    connection: &Connection,
    filter: &DifferenceFilter,
    before: Option<DifferenceId>,
    limit: usize,
) -> Result<Page<DifferenceRecord>> {
    // The narrowest index that is certain to be small: what is open, one file's, or all of the issuer.
    let place = match filter.reconciliation {
        Some(_) => "reconciliation_id = ?5 AND issuer_id = ?1",
        None if filter.status.is_some_and(DifferenceStatus::is_open) => {
            "issuer_id = ?1 AND ?5 IS NULL AND status IN ('open', 'proposed')"
        }
        None => "issuer_id = ?1 AND ?5 IS NULL",
    };
    let sql = format!(
        "SELECT {DIFFERENCE} FROM reconciliation_difference WHERE {place} AND id < ?2 \
         AND (?3 IS NULL OR status = ?3) AND (?4 IS NULL OR class = ?4) ORDER BY id DESC LIMIT ?6"
    );
    let values = params![
        filter.issuer.get(),
        before.map_or(i64::MAX, DifferenceId::get),
        filter.status.map(DifferenceStatus::name),
        filter.class.map(Class::name),
        filter.reconciliation.map(ReconciliationId::get),
        one_more(limit),
    ];
    Ok(page(list(connection, &sql, values, rows::difference)?, limit, |record| record.id.get()))
}

pub(super) fn missing(
    connection: &Connection,
    (issuer, account): (IssuerId, Account),
    after: Option<DifferenceId>,
    limit: usize,
) -> Result<Vec<DifferenceRecord>> {
    let sql = format!(
        "SELECT {DIFFERENCE} FROM reconciliation_difference WHERE issuer_id = ?1 AND account_kind = ?2 \
         AND account_ref = ?3 AND id > ?4 AND status = 'open' AND class = 'missing_there' ORDER BY id LIMIT ?5"
    );
    let after = after.map_or(i64::MIN, DifferenceId::get);
    let values = params![issuer.get(), account.kind().number(), account.reference(), after, clamp(limit)];
    list(connection, &sql, values, rows::difference)
}

pub(super) fn events(connection: &Connection, id: DifferenceId) -> Result<Vec<DifferenceEvent>> {
    let sql = format!("SELECT {EVENT} FROM reconciliation_event WHERE difference_id = ?1 ORDER BY version");
    list(connection, &sql, [id.get()], rows::event)
}

pub(super) fn ageing(connection: &Connection, issuer: IssuerId, now: Timestamp) -> Result<Vec<Ageing>> {
    // Whole days, rounded down, as `age_bucket` counts them.
    let [week, month, quarter] = DIFFERENCE_AGES.map(|days| (days + 1) * 86_400_000_000);
    let sql = "SELECT CASE WHEN ?2 - at < ?3 THEN 0 WHEN ?2 - at < ?4 THEN 1 WHEN ?2 - at < ?5 THEN 2 ELSE 3 END \
               AS bucket, currency, count(*), sum(abs(suggested)) FROM reconciliation_difference \
               WHERE issuer_id = ?1 AND status IN ('open', 'proposed') GROUP BY bucket, currency \
               ORDER BY bucket, currency";
    list(connection, sql, [issuer.get(), now.micros(), week, month, quarter], |f| {
        let (bucket, currency) = (f.narrow()?, f.named(|code| Currency::parse(code).ok())?);
        Ok(Ageing { bucket, currency, count: f.narrow()?, amount: f.int()? })
    })
}

pub(super) fn unposted(connection: &Connection, limit: usize) -> Result<Vec<DifferenceRecord>> {
    let sql = format!(
        "SELECT {DIFFERENCE} FROM reconciliation_difference WHERE status = 'approved' \
         AND proposed_correction IS NOT NULL AND correction_id IS NULL ORDER BY id LIMIT ?1"
    );
    list(connection, &sql, [clamp(limit)], rows::difference)
}
