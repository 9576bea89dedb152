//! What a part of the log adds to statements.

use std::collections::BTreeMap;

use domain::IssuerId;
use settlement::Statement;
use storage::{Accrual, LogPosition, Result, SettlementProgress};
use tokio_postgres::Row;

use super::{
    conflict, ended,
    movements::read_position,
    rows::{Lines, Parts, Refunds, Statements},
};
use crate::{
    PostgresStore,
    fields::Fields,
    rows::arrays,
    store::{Scope, Writing},
};

pub(super) const CURSOR: &str =
    "SELECT xid::text, position, revision, highest FROM settlement_cursor WHERE issuer_id = $1";

/// Where the issuer's settlement is, and the highest operation that it has taken in.
pub(super) fn read_cursor(rows: &[Row]) -> Result<(SettlementProgress, i64)> {
    let Some(row) = rows.first() else { return Ok((SettlementProgress::START, -1)) };
    let mut f = Fields::new(row);
    let position = read_position(&mut f)?;
    Ok((SettlementProgress { position, revision: f.int()? }, f.int()?))
}

/// Refuses what was decided on another revision, and raises it. Holds the cursor until the transaction ends.
/// Says what was the highest operation before.
pub(super) async fn move_on(
    writing: &Writing,
    issuer: IssuerId,
    expected: i64,
    to: Option<(LogPosition, i64)>,
) -> Result<i64> {
    let begin = "INSERT INTO settlement_cursor (issuer_id, xid, position, revision, highest) \
                 VALUES ($1, '0', -1, 0, -1) ON CONFLICT DO NOTHING";
    writing.query(begin, &[&issuer.get()]).await?;
    let lock = format!("{CURSOR} FOR UPDATE");
    let (progress, before) = read_cursor(&writing.query(&lock, &[&issuer.get()]).await?)?;
    if progress.revision != expected {
        return conflict("revision");
    }
    let (position, seen) = to.unwrap_or((progress.position, before));
    let update = "UPDATE settlement_cursor SET xid = $2::text::xid8, position = $3, revision = $4, highest = $5 \
                  WHERE issuer_id = $1";
    let transaction = position.transaction.to_string();
    let (operation, highest) = (position.operation.get(), before.max(seen));
    writing.query(update, &[&issuer.get(), &transaction, &operation, &(expected + 1), &highest]).await?;
    Ok(before)
}

pub(super) async fn write(store: &PostgresStore, accrual: &Accrual) -> Result<()> {
    let writing = store.writing(Scope::One(accrual.issuer)).await?;
    let done = write_all(&writing, accrual).await;
    ended(writing, done).await
}

async fn write_all(writing: &Writing, accrual: &Accrual) -> Result<()> {
    let ends = accrual.position.operation.get();
    let operations = || accrual.lines.iter().map(|line| line.operation.get());
    let highest = operations().max().unwrap_or(ends).max(ends);
    let before =
        move_on(writing, accrual.issuer, accrual.expected, Some((accrual.position, highest))).await?;
    let lowest = operations().min().or(Some(ends));
    insert_statements(writing, accrual.statements.iter(), lowest).await?;
    reach_back(writing, accrual, before).await?;
    insert_lines(writing, accrual).await?;
    insert_parts(writing, accrual).await?;
    put_refunds(writing, accrual).await
}

pub(super) async fn insert_statements<'a>(
    writing: &Writing,
    statements: impl ExactSizeIterator<Item = &'a Statement>,
    lines_from: Option<i64>,
) -> Result<()> {
    if statements.len() == 0 {
        return Ok(());
    }
    let mut rows = Statements::with_capacity(statements.len());
    statements.for_each(|statement| rows.push(statement, lines_from));
    let sql = arrays::insert("statement", Statements::COLUMNS);
    writing.execute_unique(&sql, &rows.params(), "statement").await?;
    Ok(())
}

/// Lines with lower ids than any before, of a transaction that became visible late: nothing of a statement may
/// lie before what it says that its lines begin with.
async fn reach_back(writing: &Writing, accrual: &Accrual, highest: i64) -> Result<()> {
    let mut lowest: BTreeMap<i64, i64> = BTreeMap::new();
    for line in accrual.lines.iter().filter(|line| line.operation.get() < highest) {
        let operation = line.operation.get();
        let low = lowest.entry(line.statement.get()).or_insert(operation);
        *low = operation.min(*low);
    }
    if lowest.is_empty() {
        return Ok(());
    }
    let (statements, operations): (Vec<i64>, Vec<i64>) = lowest.into_iter().unzip();
    let sql = "UPDATE statement SET lines_from = late.operation_id \
               FROM unnest($1::bigint[], $2::bigint[]) AS late (id, operation_id) \
               WHERE statement.id = late.id AND statement.lines_from > late.operation_id";
    writing.query(sql, &[&statements, &operations]).await?;
    Ok(())
}

async fn insert_lines(writing: &Writing, accrual: &Accrual) -> Result<()> {
    if accrual.lines.is_empty() {
        return Ok(());
    }
    let mut rows = Lines::with_capacity(accrual.lines.len());
    accrual.lines.iter().for_each(|line| rows.push(line, accrual.issuer));
    let sql = arrays::insert("settlement_line", Lines::COLUMNS);
    writing.execute_unique(&sql, &rows.params(), "line").await?;
    Ok(())
}

async fn insert_parts(writing: &Writing, accrual: &Accrual) -> Result<()> {
    if accrual.parts.is_empty() {
        return Ok(());
    }
    let mut rows = Parts::with_capacity(accrual.parts.len());
    accrual.parts.iter().for_each(|part| rows.push(part, accrual.issuer));
    let sql = arrays::insert("settlement_split", Parts::COLUMNS);
    writing.execute_unique(&sql, &rows.params(), "part").await?;
    Ok(())
}

async fn put_refunds(writing: &Writing, accrual: &Accrual) -> Result<()> {
    // One statement writes no row twice: the last word on a sale counts.
    let last: BTreeMap<_, _> = accrual.refunded.iter().map(|r| ((r.original, r.merchant), r)).collect();
    if last.is_empty() {
        return Ok(());
    }
    let mut rows = Refunds::with_capacity(last.len());
    for refunded in last.values() {
        rows.push(refunded, accrual.issuer);
    }
    let sql = format!(
        "{} ON CONFLICT (operation_id, merchant_id) \
         DO UPDATE SET refunded = excluded.refunded, fee_returned = excluded.fee_returned",
        arrays::insert("settlement_refund", Refunds::COLUMNS)
    );
    writing.execute(&sql, &rows.params()).await?;
    Ok(())
}
