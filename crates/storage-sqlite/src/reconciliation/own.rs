//! What our log says of an account, for comparison with the file of the account's owner.

use domain::{Account, IdempotencyKey, OperationId, OperationKind, Timestamp};
use reconciliation::{OwnRecord, OwnStatus};
use rusqlite::{Connection, params};
use storage::{
    MatchOn, OwnQuery, OwnRecords, Result,
    reconciliation_store::{asked_for, grows_by_credit, own_kinds},
};

use crate::{error::IntoStorage, fields::Fields, jobs::clamp};

/// The part of the log that is looked at.
const PART: &str =
    "SELECT count(*), max(id) FROM (SELECT id FROM operation WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3)";

pub(super) fn records(
    connection: &Connection,
    query: &OwnQuery,
    after: OperationId,
    limit: usize,
) -> Result<OwnRecords> {
    let values = params![after.get(), query.below.get(), clamp(limit)];
    let (count, last): (i64, Option<i64>) =
        connection.query_row(PART, values, |row| Ok((row.get(0)?, row.get(1)?))).stored()?;
    let Some(last) = last else { return Ok(OwnRecords { items: Vec::new(), next: None }) };
    let next = (count == clamp(limit)).then_some(OperationId::new(last));
    let sql = statement(query.account);
    let mut statement = connection.prepare_cached(&sql).stored()?;
    let (kind, reference) = (query.account.kind().number(), query.account.reference());
    let values = params![after.get(), last, query.issuer.get(), query.currency.code(), kind, reference];
    let mut rows = statement.query(values).stored()?;
    let mut items = Vec::new();
    while let Some(row) = rows.next().stored()? {
        items.extend(record(&mut Fields::new(row), query)?);
    }
    Ok(OwnRecords { items, next })
}

/// Transfers are summed for each operation that the filter leaves, by the key they are stored under.
fn statement(account: Account) -> String {
    let kinds: Vec<String> = own_kinds(account).iter().map(|kind| kind.number().to_string()).collect();
    let named = match account {
        Account::Merchant(_) => "AND o.merchant_id = ?6",
        Account::Channel(_) => "AND o.channel = ?6",
        _ => "",
    };
    format!(
        "SELECT o.id, o.kind, o.at, o.reference, o.key, o.key_text, o.original_id, o.decline IS NOT NULL, o.requested, \
         (SELECT coalesce(sum(CASE WHEN t.credit_kind = ?5 AND t.credit_ref = ?6 THEN t.amount ELSE 0 END \
            - CASE WHEN t.debit_kind = ?5 AND t.debit_ref = ?6 THEN t.amount ELSE 0 END), 0) \
          FROM transfer t WHERE t.operation_id = o.id) \
         FROM operation o WHERE o.id > ?1 AND o.id <= ?2 AND o.issuer_id = ?3 AND o.currency = ?4 {named} \
         AND o.kind IN ({}) ORDER BY o.id",
        kinds.join(", ")
    )
}

/// None for what moved nothing, and for reversals that were declined: nobody has those in a file.
fn record(f: &mut Fields<'_, '_>, query: &OwnQuery) -> Result<Option<OwnRecord>> {
    let operation = OperationId::new(f.int()?);
    let kind = f.coded(OperationKind::from_number)?;
    let at: Timestamp = f.time()?;
    let named = f.opt_text()?.map(str::to_owned);
    let key: [u8; 17] = f.bytes()?;
    let key_text = f.opt_text()?.map(Box::from);
    let undoes = f.opt_int()?.map(OperationId::new).filter(|_| kind == OperationKind::Reversal);
    let (declined, requested, credited) = (f.int()? != 0, f.int()?, f.int()?);
    let (status, amount) = if declined {
        (OwnStatus::Declined, asked_for(kind, requested))
    } else {
        (OwnStatus::Approved, if grows_by_credit(query.account) { credited } else { -credited })
    };
    if amount == 0 || (declined && kind == OperationKind::Reversal) {
        return Ok(None);
    }
    let reference: Box<str> = match query.match_on {
        MatchOn::Reference => named.unwrap_or_default().into(),
        MatchOn::Operation => operation.to_string().into(),
        MatchOn::Key => IdempotencyKey::from_stored(key, key_text).to_text().into(),
    };
    Ok(Some(OwnRecord { operation, reference, amount, at, status, undoes }))
}
