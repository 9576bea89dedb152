//! Transfers.

use domain::{Account, LotNo, Operation, OperationId, Transfer, account::AccountKind};
use storage::Result;
use tokio_postgres::Row;

use super::arrays::arrays;
use crate::{error::corrupt, fields::Fields};

macro_rules! columns {
    () => {
        "t.operation_id, t.seq, t.debit_kind, t.debit_ref, t.debit_lot, t.credit_kind, t.credit_ref, \
         t.credit_lot, t.amount"
    };
}

pub(crate) const OF_OPERATIONS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM transfer t WHERE t.operation_id = ANY ($1::bigint[]) ORDER BY t.operation_id, t.seq"
);
/// With the kind, time and currency of its operation, newest operation first, from below `$1` down to `$2`.
/// The transfers of one operation come first to last.
pub(crate) const DOWNWARD: &str = concat!(
    "SELECT ",
    columns!(),
    ", o.kind, o.at, o.issuer_id, o.currency FROM transfer t \
     JOIN operation o ON o.id = t.operation_id AND o.card_id = t.card_id \
     WHERE t.operation_id < $1 AND t.operation_id >= $2 ORDER BY t.operation_id DESC, t.seq"
);

arrays! {
    /// New transfers, with the card and issuer of their operation.
    Transfers<'a> {
        operation_id: i64 => "bigint",
        card_id: i64 => "bigint",
        issuer_id: i64 => "bigint",
        debit_ref: i64 => "bigint",
        credit_ref: i64 => "bigint",
        amount: i64 => "bigint",
        seq: i32 => "integer",
        debit_lot: Option<i32> => "integer",
        credit_lot: Option<i32> => "integer",
        debit_kind: i16 => "smallint",
        credit_kind: i16 => "smallint",
    }
}

impl Transfers<'_> {
    pub(crate) fn push(&mut self, transfer: &Transfer, of: &Operation) {
        let kind = |account: Account| i16::try_from(account.kind().number()).unwrap_or(-1);
        self.operation_id.push(transfer.operation.get());
        self.card_id.push(super::operation::card_of(of));
        self.issuer_id.push(of.issuer.get());
        self.debit_ref.push(transfer.debit.reference());
        self.credit_ref.push(transfer.credit.reference());
        self.amount.push(transfer.amount.get());
        self.seq.push(transfer.seq.into());
        self.debit_lot.push(transfer.debit_lot.map(|lot| lot.0.into()));
        self.credit_lot.push(transfer.credit_lot.map(|lot| lot.0.into()));
        self.debit_kind.push(kind(transfer.debit));
        self.credit_kind.push(kind(transfer.credit));
    }
}

/// Reads a transfer from the first columns of a row.
pub(crate) fn read(fields: &mut Fields<'_>) -> Result<Transfer> {
    let operation = OperationId::new(fields.int()?);
    let seq = fields.narrow()?;
    let (debit, debit_lot) = side(fields)?;
    let (credit, credit_lot) = side(fields)?;
    Ok(Transfer { operation, seq, debit, debit_lot, credit, credit_lot, amount: fields.amount()? })
}

/// Reads a whole row.
pub(crate) fn read_row(row: &Row) -> Result<Transfer> {
    read(&mut Fields::new(row))
}

fn side(fields: &mut Fields<'_>) -> Result<(Account, Option<LotNo>)> {
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
