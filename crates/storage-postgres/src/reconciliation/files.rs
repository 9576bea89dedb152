//! Files and their lines.

use domain::{Account, IssuerId, ReconciliationId, Timestamp};
use storage::{Page, ReconciledLine, Reconciliation, Result};

use super::{
    conflict, each, one_more, page,
    rows::{self, FILE, LINE, Lines, kind_of},
};
use crate::{
    PostgresStore,
    fields::Fields,
    jobs::clamp,
    rows::arrays,
    session::Param,
    store::{Scope, Writing},
};

pub(super) async fn begin(writing: &Writing, file: &Reconciliation) -> Result<()> {
    let places: Vec<String> = (1..=FILE.split(',').count()).map(|n| format!("${n}")).collect();
    let sql = format!("INSERT INTO reconciliation ({FILE}) VALUES ({})", places.join(", "));
    let digest = &file.digest[..];
    let values: [Param<'_>; 25] = [
        &file.id.get(),
        &file.issuer.get(),
        &kind_of(file.account),
        &file.account.reference(),
        &file.format,
        &file.file_name,
        &digest,
        &file.currency.code(),
        &file.from.micros(),
        &file.to.micros(),
        &i64::from(file.window_seconds),
        &file.match_on.name(),
        &file.status.name(),
        &i64::from(file.lines),
        &i64::from(file.passed_over),
        &file.lines_sum,
        &file.totals_checked,
        &i64::from(file.records),
        &file.records_sum,
        &i64::from(file.matched),
        &i64::from(file.cancelled),
        &i64::from(file.differences),
        &file.created_by.get(),
        &file.created_at.micros(),
        &file.completed_at.map(Timestamp::micros),
    ];
    writing.execute_unique(&sql, &values, "id").await.map(|_| ())
}

pub(super) async fn append(
    writing: &Writing,
    of: (ReconciliationId, IssuerId),
    lines: &[ReconciledLine],
) -> Result<()> {
    let mut rows = Lines::with_capacity(lines.len());
    for line in lines {
        rows.push(of, line);
    }
    let sql = arrays::insert("reconciliation_line", Lines::COLUMNS);
    writing.execute_unique(&sql, &rows.params(), "id").await.map(|_| ())
}

pub(super) async fn finish(writing: &Writing, file: &Reconciliation) -> Result<()> {
    let sql = "UPDATE reconciliation SET status = $2, lines = $3, passed_over = $4, lines_sum = $5, \
               totals_checked = $6, records = $7, records_sum = $8, matched = $9, cancelled = $10, \
               differences = $11, completed_at = $12 WHERE id = $1 AND status = 'running'";
    let values: [Param<'_>; 12] = [
        &file.id.get(),
        &file.status.name(),
        &i64::from(file.lines),
        &i64::from(file.passed_over),
        &file.lines_sum,
        &file.totals_checked,
        &i64::from(file.records),
        &file.records_sum,
        &i64::from(file.matched),
        &i64::from(file.cancelled),
        &i64::from(file.differences),
        &file.completed_at.map(Timestamp::micros),
    ];
    match writing.execute_unique(sql, &values, "file").await? {
        1 => Ok(()),
        _ => conflict("reconciliation"),
    }
}

pub(super) async fn one(store: &PostgresStore, id: ReconciliationId) -> Result<Option<Reconciliation>> {
    let sql = format!("SELECT {FILE} FROM reconciliation WHERE id = $1");
    let found = store.one(Scope::All, &sql, &[&id.get()]).await?;
    found.first().map(|row| rows::file(&mut Fields::new(row))).transpose()
}

pub(super) async fn of_file(
    store: &PostgresStore,
    issuer: IssuerId,
    account: Account,
    digest: [u8; 32],
) -> Result<Option<Reconciliation>> {
    let sql = format!(
        "SELECT {FILE} FROM reconciliation WHERE issuer_id = $1 AND account_kind = $2 AND account_ref = $3 \
         AND digest = $4 AND status = 'complete'"
    );
    let digest = &digest[..];
    let values: [Param<'_>; 4] = [&issuer.get(), &kind_of(account), &account.reference(), &digest];
    let found = store.one(Scope::One(issuer), &sql, &values).await?;
    found.first().map(|row| rows::file(&mut Fields::new(row))).transpose()
}

pub(super) async fn newest(
    store: &PostgresStore,
    issuer: IssuerId,
    before: Option<ReconciliationId>,
    limit: usize,
) -> Result<Page<Reconciliation>> {
    let sql = format!(
        "SELECT {FILE} FROM reconciliation WHERE issuer_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
    );
    let before = before.map_or(i64::MAX, ReconciliationId::get);
    let found = store.one(Scope::One(issuer), &sql, &[&issuer.get(), &before, &one_more(limit)]).await?;
    Ok(page(each(&found, rows::file)?, limit, |file| file.id.get()))
}

pub(super) async fn lines(
    store: &PostgresStore,
    of: ReconciliationId,
    after: u32,
    limit: usize,
) -> Result<Vec<ReconciledLine>> {
    let sql = format!(
        "SELECT {LINE} FROM reconciliation_line WHERE reconciliation_id = $1 AND number > $2 ORDER BY number LIMIT $3"
    );
    let found = store.one(Scope::All, &sql, &[&of.get(), &i64::from(after), &clamp(limit)]).await?;
    each(&found, rows::line)
}
