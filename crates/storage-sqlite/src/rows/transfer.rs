//! Transfers.

use domain::{Account, LotNo, OperationId, Transfer, account::AccountKind};
use rusqlite::{Row, Statement};
use storage::Result;

use crate::{
    error::{IntoStorage, corrupt},
    fields::{Binder, Fields},
};

macro_rules! columns {
    () => {
        "t.operation_id, t.seq, t.debit_kind, t.debit_ref, t.debit_lot, t.credit_kind, t.credit_ref, \
         t.credit_lot, t.amount"
    };
}

pub(crate) const OF_OPERATION: &str =
    concat!("SELECT ", columns!(), " FROM transfer t WHERE t.operation_id = ?1 ORDER BY t.seq");
/// With the kind, time, issuer and currency of its operation, newest operation first, from below `?1` down to `?2`, of
/// issuer `?3`. The transfers of one operation come last to first.
pub(crate) const DOWNWARD: &str = concat!(
    "SELECT ",
    columns!(),
    ", o.kind, o.at, o.issuer_id, o.currency FROM transfer t CROSS JOIN operation o ON o.id = t.operation_id \
     WHERE t.operation_id < ?1 AND t.operation_id >= ?2 ORDER BY t.operation_id DESC, t.seq DESC"
);

pub(crate) const INSERT: &str = "INSERT INTO transfer (operation_id, seq, debit_kind, debit_ref, debit_lot, \
     credit_kind, credit_ref, credit_lot, amount) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

/// Reads a transfer from the first columns of a row.
pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Result<Transfer> {
    let operation = OperationId::new(fields.int()?);
    let seq = fields.narrow()?;
    let (debit, debit_lot) = side(fields)?;
    let (credit, credit_lot) = side(fields)?;
    Ok(Transfer { operation, seq, debit, debit_lot, credit, credit_lot, amount: fields.amount()? })
}

/// Reads a whole row.
pub(crate) fn read_row(row: &Row<'_>) -> Result<Transfer> {
    read(&mut Fields::new(row))
}

fn side(fields: &mut Fields<'_, '_>) -> Result<(Account, Option<LotNo>)> {
    let kind = fields.coded(AccountKind::from_number)?;
    let reference = fields.int()?;
    let account = account(kind, reference)?;
    Ok((account, fields.opt_narrow()?.map(LotNo)))
}

/// The account that is stored under a kind and a reference.
pub(crate) fn account(kind: AccountKind, reference: i64) -> Result<Account> {
    Account::from_stored(kind, reference)
        .ok_or_else(|| corrupt(format!("account {}:{reference} is unknown", kind.name())))
}

/// Runs [`INSERT`].
pub(crate) fn insert(statement: &mut Statement<'_>, transfer: &Transfer) -> Result<()> {
    let t = transfer;
    let mut binder = Binder::new(statement);
    let b = &mut binder;
    b.put(t.operation.get())?.put(t.seq)?;
    b.put(t.debit.kind().number())?.put(t.debit.reference())?.put(t.debit_lot.map(|lot| lot.0))?;
    b.put(t.credit.kind().number())?.put(t.credit.reference())?.put(t.credit_lot.map(|lot| lot.0))?;
    b.put(t.amount.get())?.run().unique("transfer")?;
    Ok(())
}
