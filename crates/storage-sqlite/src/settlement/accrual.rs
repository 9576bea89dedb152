//! What a part of the log adds to statements.

use domain::{IssuerId, OperationId};
use rusqlite::{Connection, OptionalExtension, params};
use settlement::Statement;
use storage::{Accrual, LogPosition, Result, SettlementProgress};

use super::{
    conflict,
    rows::{self, LINE, STATEMENT, places},
};
use crate::{error::IntoStorage, fields::Binder};

const CURSOR: &str = "SELECT position, revision, highest FROM settlement_cursor WHERE issuer_id = ?1";

const MOVE_ON: &str = "INSERT INTO settlement_cursor (issuer_id, position, revision, highest) \
     VALUES (?1, ?2, ?3, ?4) ON CONFLICT (issuer_id) DO UPDATE SET position = ?2, revision = ?3, highest = ?4";

const REFUND: &str = "INSERT INTO settlement_refund (operation_id, merchant_id, refunded, fee_returned) \
     VALUES (?1, ?2, ?3, ?4) ON CONFLICT (operation_id, merchant_id) \
     DO UPDATE SET refunded = ?3, fee_returned = ?4";

const PART: &str = "INSERT INTO settlement_split (operation_id, merchant_id, receiver_id, statement_id, amount) \
     VALUES (?1, ?2, ?3, ?4, ?5)";

/// Where the issuer's settlement is, and the highest operation that it has taken in.
pub(super) fn cursor(connection: &Connection, issuer: IssuerId) -> Result<(SettlementProgress, i64)> {
    let mut statement = connection.prepare_cached(CURSOR).stored()?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let found: Option<(i64, i64, i64)> = statement.query_row([issuer.get()], read).optional().stored()?;
    Ok(found.map_or((SettlementProgress::START, -1), |(operation, revision, highest)| {
        let position = LogPosition { transaction: 0, operation: OperationId::new(operation) };
        (SettlementProgress { position, revision }, highest)
    }))
}

/// Refuses what was decided on another revision, and raises it.
pub(super) fn move_on(
    connection: &Connection,
    issuer: IssuerId,
    expected: i64,
    to: Option<(LogPosition, i64)>,
) -> Result<()> {
    let (progress, highest) = cursor(connection, issuer)?;
    if progress.revision != expected {
        return conflict("revision");
    }
    let (position, seen) = to.unwrap_or((progress.position, highest));
    let values = params![issuer.get(), position.operation.get(), expected + 1, highest.max(seen)];
    connection.prepare_cached(MOVE_ON).stored()?.execute(values).stored()?;
    Ok(())
}

pub(super) fn write(connection: &Connection, accrual: &Accrual) -> Result<()> {
    let ends = accrual.position.operation.get();
    let operations = || accrual.lines.iter().map(|line| line.operation.get());
    let highest = operations().max().unwrap_or(ends).max(ends);
    move_on(connection, accrual.issuer, accrual.expected, Some((accrual.position, highest)))?;
    let lowest = operations().min().or(Some(ends));
    for statement in &accrual.statements {
        insert_statement(connection, statement, lowest)?;
    }
    let sql = format!("INSERT INTO settlement_line ({LINE}) VALUES ({})", places(LINE));
    let mut insert = connection.prepare_cached(&sql).stored()?;
    for line in &accrual.lines {
        rows::put_line(&mut insert, line)?.unique("line")?;
    }
    let mut insert = connection.prepare_cached(PART).stored()?;
    for part in &accrual.parts {
        let p = part;
        let key = params![p.operation.get(), p.merchant.get(), p.receiver.get(), p.statement.get(), p.amount];
        insert.execute(key).unique("part")?;
    }
    let mut put = connection.prepare_cached(REFUND).stored()?;
    for refunded in &accrual.refunded {
        let r = refunded;
        let row = params![r.original.get(), r.merchant.get(), r.refunded.get(), r.fee_returned.get()];
        put.execute(row).stored()?;
    }
    Ok(())
}

/// Its lines come with operations from `lines_from` on: one process writes this log, in the order of ids.
pub(super) fn insert_statement(
    connection: &Connection,
    statement: &Statement,
    lines_from: Option<i64>,
) -> Result<()> {
    let columns = format!("{STATEMENT}, lines_from");
    let sql = format!("INSERT INTO statement ({columns}) VALUES ({})", places(&columns));
    let mut insert = connection.prepare_cached(&sql).stored()?;
    let mut binder = Binder::new(&mut insert);
    rows::put_statement(&mut binder, statement)?;
    binder.put(lines_from)?.run().unique("statement")?;
    Ok(())
}
