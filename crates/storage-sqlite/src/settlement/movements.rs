//! The log as movements: operations and transfers, each in the order of their ids, side by side. No row is
//! looked up.

use std::collections::BTreeMap;

use domain::{Currency, IssuerId, MerchantId, OperationId, OperationKind, Timestamp, account::AccountKind};
use rusqlite::{Connection, Rows, params};
use settlement::Movement;
use storage::{LogPosition, MovementPage, Result};

use crate::{
    error::{IntoStorage, corrupt},
    fields::Fields,
    jobs::clamp,
};

const OPERATIONS: &str = "SELECT id, issuer_id, kind, at, merchant_id, currency, original_id FROM operation \
     WHERE id > ?1 ORDER BY id LIMIT ?2";

/// 2 is a merchant.
const TRANSFERS: &str = "SELECT operation_id, debit_kind, debit_ref, credit_kind, credit_ref, amount FROM transfer \
     WHERE operation_id > ?1 AND (debit_kind = 2 OR credit_kind = 2) ORDER BY operation_id";

/// A transfer that touches a merchant.
struct Side {
    operation: i64,
    debit: Option<i64>,
    credit: Option<i64>,
    amount: i64,
}

/// The transfers, with the next at hand.
struct Sides<'s> {
    rows: Rows<'s>,
    head: Option<Side>,
}

impl Sides<'_> {
    fn advance(&mut self) -> Result<()> {
        self.head = match self.rows.next().stored()? {
            None => None,
            Some(row) => {
                let mut f = Fields::new(row);
                let operation = f.int()?;
                let mut merchant = || -> Result<Option<i64>> {
                    let (kind, reference) = (f.int()?, f.int()?);
                    Ok((kind == AccountKind::Merchant.number()).then_some(reference))
                };
                let (debit, credit) = (merchant()?, merchant()?);
                Some(Side { operation, debit, credit, amount: f.int()? })
            }
        };
        Ok(())
    }

    /// What an operation changed, by merchant.
    fn of(&mut self, operation: i64, changed: &mut BTreeMap<i64, i64>) -> Result<()> {
        changed.clear();
        while let Some(side) = self.head.take_if(|side| side.operation <= operation) {
            if side.operation == operation {
                add(changed, side.credit, side.amount)?;
                add(changed, side.debit, -side.amount)?;
            }
            self.advance()?;
        }
        Ok(())
    }
}

fn add(changed: &mut BTreeMap<i64, i64>, merchant: Option<i64>, amount: i64) -> Result<()> {
    let Some(merchant) = merchant else { return Ok(()) };
    let sum = changed.entry(merchant).or_default();
    *sum = sum.checked_add(amount).ok_or_else(|| corrupt("a total exceeds 64 bits"))?;
    Ok(())
}

pub(super) fn read(
    connection: &Connection,
    issuer: IssuerId,
    after: LogPosition,
    limit: usize,
) -> Result<MovementPage> {
    let from = after.operation.get();
    let mut transfers = connection.prepare_cached(TRANSFERS).stored()?;
    let mut sides = Sides { rows: transfers.query([from]).stored()?, head: None };
    sides.advance()?;
    let mut operations = connection.prepare_cached(OPERATIONS).stored()?;
    let mut rows = operations.query(params![from, clamp(limit)]).stored()?;
    let (mut items, mut last, mut count) = (Vec::new(), from, 0_usize);
    let mut changed = BTreeMap::new();
    while let Some(row) = rows.next().stored()? {
        let mut f = Fields::new(row);
        (last, count) = (f.int()?, count + 1);
        sides.of(last, &mut changed)?;
        if f.int()? == issuer.get() && !changed.is_empty() {
            push(&mut items, &mut f, OperationId::new(last), issuer, &changed)?;
        }
    }
    let position = LogPosition { transaction: 0, operation: OperationId::new(last) };
    let operations = u64::try_from(count).unwrap_or(u64::MAX);
    Ok(MovementPage { items, position, operations, caught_up: count < limit })
}

/// Adds an operation's movements, from its columns after the issuer.
fn push(
    items: &mut Vec<Movement>,
    f: &mut Fields<'_, '_>,
    operation: OperationId,
    issuer: IssuerId,
    changed: &BTreeMap<i64, i64>,
) -> Result<()> {
    let kind = f.coded(OperationKind::from_number)?;
    let at: Timestamp = f.time()?;
    let named = f.opt_int()?.map(MerchantId::new);
    let currency: Currency = super::rows::currency(f)?;
    let original = f.opt_int()?.map(OperationId::new);
    for (merchant, delta) in changed.iter().filter(|(_, delta)| **delta != 0) {
        let (merchant, delta) = (MerchantId::new(*merchant), *delta);
        items.push(Movement { operation, kind, at, issuer, merchant, named, currency, delta, original });
    }
    Ok(())
}
