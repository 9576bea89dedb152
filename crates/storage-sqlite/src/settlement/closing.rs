//! Closing statements: their figures first, then what was posted.

use domain::{PayoutId, StatementId};
use rusqlite::{Connection, OptionalExtension, params};
use settlement::{Statement, StatementStatus};
use storage::{Closed, Closing, Result, settlement_store::one_each};

use super::{
    accrual::{insert_statement, move_on},
    conflict, payouts,
    rows::{self, STATEMENT, assignments},
};
use crate::{error::IntoStorage, fields::Binder};

pub(super) fn begin(connection: &Connection, closing: &Closing) -> Result<()> {
    move_on(connection, closing.issuer, closing.expected, None)?;
    let fixed = |statement: &Statement| statement.status == StatementStatus::Closing;
    if !closing.statements.iter().all(fixed) || !one_each(&closing.statements) {
        return conflict("statement");
    }
    for statement in &closing.statements {
        follow(connection, statement)?;
        if !fix(connection, statement)? {
            insert_statement(connection, statement, None)?;
        }
    }
    closing.credited.iter().try_for_each(|(payout, statement)| credit(connection, *payout, *statement))
}

/// It becomes the newest of its merchant and currency, after the one that it names.
fn follow(connection: &Connection, statement: &Statement) -> Result<()> {
    let newest = "SELECT statement_id FROM settlement_account \
                  WHERE issuer_id = ?1 AND merchant_id = ?2 AND currency = ?3";
    let (issuer, merchant, code) =
        (statement.issuer.get(), statement.merchant.get(), statement.currency.code());
    let mut newest = connection.prepare_cached(newest).stored()?;
    let found: Option<i64> =
        newest.query_row(params![issuer, merchant, code], |row| row.get(0)).optional().stored()?;
    if found != statement.previous.map(StatementId::get) {
        return conflict("statement");
    }
    let put = "INSERT INTO settlement_account (issuer_id, merchant_id, currency, statement_id) \
               VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (issuer_id, merchant_id, currency) DO UPDATE SET statement_id = ?4";
    let mut put = connection.prepare_cached(put).stored()?;
    put.execute(params![issuer, merchant, code, statement.id.get()]).stored()?;
    Ok(())
}

/// Writes the figures of an open statement. `false` where there is none.
fn fix(connection: &Connection, statement: &Statement) -> Result<bool> {
    let sql = format!("UPDATE statement SET {} WHERE id = ?1 AND status = 1", assignments(STATEMENT));
    let mut update = connection.prepare_cached(&sql).stored()?;
    let mut binder = Binder::new(&mut update);
    rows::put_statement(&mut binder, statement)?;
    Ok(binder.run().stored()? == 1)
}

fn credit(connection: &Connection, payout: PayoutId, statement: StatementId) -> Result<()> {
    let sql = "UPDATE payout SET credited_in = ?2, version = version + 1 \
               WHERE id = ?1 AND status = 3 AND credited_in IS NULL";
    let mut update = connection.prepare_cached(sql).stored()?;
    if update.execute([payout.get(), statement.get()]).stored()? == 1 { Ok(()) } else { conflict("payout") }
}

pub(super) fn finish(connection: &Connection, closed: &[Closed]) -> Result<()> {
    let sql = "UPDATE statement SET status = 3, operation_id = ?2, digest = ?3, closed_at = ?4 \
               WHERE id = ?1 AND status = 2";
    let mut update = connection.prepare_cached(sql).stored()?;
    for Closed { statement, payout } in closed {
        let s = statement;
        let digest = s.digest.as_ref().map(|digest| &digest[..]);
        let operation = s.operation.map(domain::OperationId::get);
        let closed_at = s.closed_at.map(domain::Timestamp::micros);
        if update.execute(params![s.id.get(), operation, digest, closed_at]).stored()? != 1 {
            return conflict("statement");
        }
        if let Some(payout) = payout {
            payouts::insert(connection, payout)?;
        }
    }
    Ok(())
}
