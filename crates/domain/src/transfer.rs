//! A transfer: value moving from one account to another.

use crate::{Account, Amount, LotNo, OperationId};

/// One movement of value. Together the transfers are the ledger; nothing else changes a balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The operation it belongs to.
    pub operation: OperationId,
    /// Its position within the operation: 1, 2, 3 …
    pub seq: u16,
    /// The account that gives.
    pub debit: Account,
    /// The lot that gives, where the account is a card.
    pub debit_lot: Option<LotNo>,
    /// The account that receives.
    pub credit: Account,
    /// The lot that receives, where the account is a card.
    pub credit_lot: Option<LotNo>,
    /// How much, never zero.
    pub amount: Amount,
}
