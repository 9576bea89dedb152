//! What our log says of an account, for comparison with the file of the account's owner.

use domain::{Account, IdempotencyKey, OperationId, OperationKind, Timestamp};
use reconciliation::{OwnRecord, OwnStatus};
use storage::{
    MatchOn, OwnQuery, OwnRecords, Result,
    reconciliation_store::{asked_for, grows_by_credit, own_kinds},
};

use super::rows::kind_of;
use crate::{PostgresStore, fields::Fields, jobs::clamp, session::Param, store::Scope};

/// The part of the log that is looked at.
const PART: &str = "SELECT count(*), max(id) FROM \
     (SELECT id FROM operation WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3) AS part";

pub(super) async fn records(
    store: &PostgresStore,
    query: &OwnQuery,
    after: OperationId,
    limit: usize,
) -> Result<OwnRecords> {
    let reading = store.reading(Scope::All).await?;
    // Ranges of ids and single keys: whatever statistics say, the primary keys are the way.
    reading.query("SET LOCAL enable_seqscan = off", &[]).await?;
    let part = reading.query(PART, &[&after.get(), &query.below.get(), &clamp(limit)]).await?;
    let (count, last) = match part.first().map(Fields::new) {
        Some(mut f) => (f.int()?, f.opt_int()?),
        None => (0, None),
    };
    let Some(last) = last else {
        reading.finish().await?;
        return Ok(OwnRecords { items: Vec::new(), next: None });
    };
    let (kind, reference) = (kind_of(query.account), query.account.reference());
    let code = query.currency.code();
    let values: [Param<'_>; 6] = [&after.get(), &last, &query.issuer.get(), &code, &kind, &reference];
    let found = reading.query(&statement(query.account), &values).await?;
    reading.finish().await?;
    let mut items = Vec::with_capacity(found.len());
    for row in &found {
        items.extend(record(&mut Fields::new(row), query)?);
    }
    Ok(OwnRecords { items, next: (count == clamp(limit)).then_some(OperationId::new(last)) })
}

/// Transfers are summed for each operation that the filter leaves, by the key they are stored under.
fn statement(account: Account) -> String {
    let kinds: Vec<String> = own_kinds(account).iter().map(|kind| kind.number().to_string()).collect();
    let named = match account {
        Account::Merchant(_) => "AND o.merchant_id = $6",
        Account::Channel(_) => "AND o.channel = $6",
        _ => "",
    };
    format!(
        "SELECT o.id, o.kind, o.at, o.reference, o.key, o.key_text, o.original_id, o.decline IS NOT NULL, o.requested, \
             moved.credited \
         FROM operation o LEFT JOIN LATERAL ( \
             SELECT coalesce(sum(CASE WHEN t.credit_kind = $5 AND t.credit_ref = $6 THEN t.amount ELSE 0 END \
                 - CASE WHEN t.debit_kind = $5 AND t.debit_ref = $6 THEN t.amount ELSE 0 END), 0)::bigint AS credited \
             FROM transfer t WHERE t.operation_id = o.id) AS moved ON true \
         WHERE o.id > $1 AND o.id <= $2 AND o.issuer_id = $3 AND o.currency = $4 {named} AND o.kind IN ({}) \
         ORDER BY o.id",
        kinds.join(", ")
    )
}

/// None for what moved nothing, and for reversals that were declined: nobody has those in a file.
fn record(f: &mut Fields<'_>, query: &OwnQuery) -> Result<Option<OwnRecord>> {
    let operation = OperationId::new(f.int()?);
    let kind = f.coded(OperationKind::from_number)?;
    let at: Timestamp = f.time()?;
    let named = f.opt_text()?.map(str::to_owned);
    let key: [u8; 17] = f.bytes()?;
    let key_text = f.opt_text()?.map(Box::from);
    let undoes = f.opt_int()?.map(OperationId::new).filter(|_| kind == OperationKind::Reversal);
    let (declined, requested, credited) = (f.boolean()?, f.int()?, f.int()?);
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
