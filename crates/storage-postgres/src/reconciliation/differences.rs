//! Differences, and what is done about them.

use domain::{Account, ClientId, Currency, DifferenceId, IssuerId, OperationId, ReconciliationId, Timestamp};
use reconciliation::Class;
use storage::{
    Ageing, DifferenceEvent, DifferenceFilter, DifferenceRecord, DifferenceStatus, Page, Result,
    reconciliation_store::DIFFERENCE_AGES,
};

use super::{
    conflict, each, one_more, page,
    rows::{self, DIFFERENCE, Differences, EVENT, kind_of},
};
use crate::{
    PostgresStore,
    fields::Fields,
    jobs::clamp,
    rows::arrays,
    session::Param,
    store::{Scope, Writing},
};

pub(super) async fn insert_all(writing: &Writing, records: &[DifferenceRecord]) -> Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let mut rows = Differences::with_capacity(records.len());
    for record in records {
        rows.push(record);
    }
    let sql = arrays::insert("reconciliation_difference", Differences::COLUMNS);
    writing.execute_unique(&sql, &rows.params(), "id").await.map(|_| ())
}

pub(super) async fn update(
    writing: &Writing,
    record: &DifferenceRecord,
    event: &DifferenceEvent,
) -> Result<()> {
    let sql = "UPDATE reconciliation_difference SET status = $2, proposed_by = $3, proposed_at = $4, \
               proposed_correction = $5, note = $6, decided_by = $7, decided_at = $8, correction_id = $9, \
               cleared_by = $10, version = $11::bigint WHERE id = $1 AND version = $11::bigint - 1";
    let proposal = record.proposal.as_ref();
    let values: [Param<'_>; 11] = [
        &record.id.get(),
        &record.status.name(),
        &proposal.map(|p| p.by.get()),
        &proposal.map(|p| p.at.micros()),
        &proposal.and_then(|p| p.correction),
        &proposal.map(|p| p.note.as_str()),
        &record.decided.map(|(by, _)| by.get()),
        &record.decided.map(|(_, at)| at.micros()),
        &record.correction.map(OperationId::get),
        &record.cleared_by.map(ReconciliationId::get),
        &i64::from(record.version),
    ];
    if writing.execute(sql, &values).await? != 1 {
        return conflict("version");
    }
    let sql = format!("INSERT INTO reconciliation_event ({EVENT}) VALUES ($1, $2, $3, $4, $5, $6, $7)");
    let values: [Param<'_>; 7] = [
        &event.difference.get(),
        &i64::from(event.version),
        &record.issuer.get(),
        &event.at.micros(),
        &event.by.map(ClientId::get),
        &event.action,
        &event.note,
    ];
    writing.execute_unique(&sql, &values, "version").await.map(|_| ())
}

pub(super) async fn one(store: &PostgresStore, id: DifferenceId) -> Result<Option<DifferenceRecord>> {
    let sql = format!("SELECT {DIFFERENCE} FROM reconciliation_difference WHERE id = $1");
    let found = store.one(Scope::All, &sql, &[&id.get()]).await?;
    found.first().map(|row| rows::difference(&mut Fields::new(row))).transpose()
}

pub(super) async fn newest(
    store: &PostgresStore,
    filter: &DifferenceFilter,
    before: Option<DifferenceId>,
    limit: usize,
) -> Result<Page<DifferenceRecord>> {
    // The narrowest index that is certain to be small: one file's, what is open, or all of the issuer.
    let place = match filter.reconciliation {
        Some(_) => "reconciliation_id = $5::bigint AND issuer_id = $1",
        None if filter.status.is_some_and(DifferenceStatus::is_open) => {
            "issuer_id = $1 AND $5::bigint IS NULL AND status IN ('open', 'proposed')"
        }
        None => "issuer_id = $1 AND $5::bigint IS NULL",
    };
    let sql = format!(
        "SELECT {DIFFERENCE} FROM reconciliation_difference WHERE {place} AND id < $2 \
         AND ($3::text IS NULL OR status = $3) AND ($4::text IS NULL OR class = $4) ORDER BY id DESC LIMIT $6"
    );
    let values: [Param<'_>; 6] = [
        &filter.issuer.get(),
        &before.map_or(i64::MAX, DifferenceId::get),
        &filter.status.map(DifferenceStatus::name),
        &filter.class.map(Class::name),
        &filter.reconciliation.map(ReconciliationId::get),
        &one_more(limit),
    ];
    let found = store.one(Scope::One(filter.issuer), &sql, &values).await?;
    Ok(page(each(&found, rows::difference)?, limit, |record| record.id.get()))
}

pub(super) async fn missing(
    store: &PostgresStore,
    (issuer, account): (IssuerId, Account),
    after: Option<DifferenceId>,
    limit: usize,
) -> Result<Vec<DifferenceRecord>> {
    let sql = format!(
        "SELECT {DIFFERENCE} FROM reconciliation_difference WHERE issuer_id = $1 AND account_kind = $2 \
         AND account_ref = $3 AND id > $4 AND status = 'open' AND class = 'missing_there' ORDER BY id LIMIT $5"
    );
    let after = after.map_or(i64::MIN, DifferenceId::get);
    let values: [Param<'_>; 5] =
        [&issuer.get(), &kind_of(account), &account.reference(), &after, &clamp(limit)];
    each(&store.one(Scope::One(issuer), &sql, &values).await?, rows::difference)
}

pub(super) async fn events(store: &PostgresStore, id: DifferenceId) -> Result<Vec<DifferenceEvent>> {
    let sql = format!("SELECT {EVENT} FROM reconciliation_event WHERE difference_id = $1 ORDER BY version");
    each(&store.one(Scope::All, &sql, &[&id.get()]).await?, rows::event)
}

pub(super) async fn ageing(store: &PostgresStore, issuer: IssuerId, now: Timestamp) -> Result<Vec<Ageing>> {
    // Whole days, rounded down, as `age_bucket` counts them.
    let [week, month, quarter] = DIFFERENCE_AGES.map(|days| (days + 1) * 86_400_000_000);
    let sql = "SELECT CASE WHEN $2 - at < $3 THEN 0 WHEN $2 - at < $4 THEN 1 WHEN $2 - at < $5 THEN 2 ELSE 3 END::bigint \
               AS bucket, currency, count(*), sum(abs(suggested))::bigint FROM reconciliation_difference \
               WHERE issuer_id = $1 AND status IN ('open', 'proposed') GROUP BY bucket, currency ORDER BY bucket, currency COLLATE \"C\"";
    let values: [Param<'_>; 5] = [&issuer.get(), &now.micros(), &week, &month, &quarter];
    each(&store.one(Scope::One(issuer), sql, &values).await?, |f| {
        let (bucket, currency) = (f.narrow()?, f.named(|code| Currency::parse(code).ok())?);
        Ok(Ageing { bucket, currency, count: f.narrow()?, amount: f.int()? })
    })
}

pub(super) async fn unposted(store: &PostgresStore, limit: usize) -> Result<Vec<DifferenceRecord>> {
    let sql = format!(
        "SELECT {DIFFERENCE} FROM reconciliation_difference WHERE status = 'approved' \
         AND proposed_correction IS NOT NULL AND correction_id IS NULL ORDER BY id LIMIT $1"
    );
    each(&store.one(Scope::All, &sql, &[&clamp(limit)]).await?, rows::difference)
}
