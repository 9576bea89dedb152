//! Closing statements: their figures first, then what was posted.

use std::collections::{HashMap, HashSet};

use domain::{IssuerId, OperationId, StatementId, Timestamp};
use settlement::{Statement, StatementStatus};
use storage::{Closed, Closing, Result, settlement_store::one_each};

use super::{
    accrual::{insert_statements, move_on},
    conflict, ended, payouts,
    rows::Statements,
};
use crate::{
    PostgresStore,
    fields::Fields,
    rows::arrays,
    store::{Scope, Writing},
};

/// What names a statement: it is never changed, and may not be.
const NAMES: [&str; 7] =
    ["id", "issuer_id", "merchant_id", "currency", "period_to", "created_at", "lines_from"];

pub(super) async fn begin(store: &PostgresStore, closing: &Closing) -> Result<()> {
    let writing = store.writing(Scope::One(closing.issuer)).await?;
    let done = begin_all(&writing, closing).await;
    ended(writing, done).await
}

async fn begin_all(writing: &Writing, closing: &Closing) -> Result<()> {
    move_on(writing, closing.issuer, closing.expected, None).await?;
    let fixed = |statement: &Statement| statement.status == StatementStatus::Closing;
    if !closing.statements.iter().all(fixed) || !one_each(&closing.statements) {
        return conflict("statement");
    }
    follow(writing, closing.issuer, &closing.statements).await?;
    let open = fix(writing, &closing.statements).await?;
    let new: Vec<&Statement> = closing.statements.iter().filter(|s| !open.contains(&s.id)).collect();
    insert_statements(writing, new.into_iter(), None).await?;
    credit(writing, closing).await
}

/// They become the newest of their merchants and currencies, after those that they name.
async fn follow(writing: &Writing, issuer: IssuerId, statements: &[Statement]) -> Result<()> {
    let merchants: Vec<i64> = statements.iter().map(|s| s.merchant.get()).collect();
    let currencies: Vec<&str> = statements.iter().map(|s| s.currency.code()).collect();
    let ids: Vec<i64> = statements.iter().map(|s| s.id.get()).collect();
    let newest = "SELECT a.merchant_id, a.currency, a.statement_id \
                  FROM unnest($2::bigint[], $3::text[]) AS asked (merchant_id, currency) \
                  JOIN settlement_account a ON a.issuer_id = $1 AND a.merchant_id = asked.merchant_id \
                      AND a.currency = asked.currency";
    let found = writing.query(newest, &[&issuer.get(), &merchants, &currencies]).await?;
    let mut stored: HashMap<(i64, &str), i64> = HashMap::with_capacity(found.len());
    for row in &found {
        let mut f = Fields::new(row);
        stored.insert((f.int()?, f.text()?), f.int()?);
    }
    let follows = |s: &Statement| {
        stored.get(&(s.merchant.get(), s.currency.code())).copied() == s.previous.map(StatementId::get)
    };
    if !statements.iter().all(follows) {
        return conflict("statement");
    }
    let put = "INSERT INTO settlement_account (issuer_id, merchant_id, currency, statement_id) \
               SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::bigint[]) \
               ON CONFLICT (issuer_id, merchant_id, currency) DO UPDATE SET statement_id = excluded.statement_id";
    writing.query(put, &[&issuer.get(), &merchants, &currencies, &ids]).await?;
    Ok(())
}

/// Writes the figures of those that are open, and says which those are.
async fn fix(writing: &Writing, statements: &[Statement]) -> Result<HashSet<StatementId>> {
    let mut rows = Statements::with_capacity(statements.len());
    for statement in statements {
        rows.push(statement, None);
    }
    let columns = Statements::COLUMNS;
    let set = columns.iter().map(|(name, _)| *name).filter(|name| !NAMES.contains(name));
    let set: Vec<String> = set.map(|name| format!("{name} = new.{name}")).collect();
    let sql = format!(
        "UPDATE statement SET {} FROM unnest({}) AS new ({}) \
         WHERE statement.id = new.id AND statement.status = 1 RETURNING statement.id",
        set.join(", "),
        arrays::parameters(columns),
        arrays::names(columns)
    );
    let fixed = writing.query(&sql, &rows.params()).await?;
    fixed.iter().map(|row| Fields::new(row).int().map(StatementId::new)).collect()
}

async fn credit(writing: &Writing, closing: &Closing) -> Result<()> {
    let (payouts, statements): (Vec<i64>, Vec<i64>) =
        closing.credited.iter().map(|(payout, statement)| (payout.get(), statement.get())).unzip();
    let sql = "UPDATE payout SET credited_in = new.statement_id, version = version + 1 \
               FROM unnest($1::bigint[], $2::bigint[]) AS new (id, statement_id) \
               WHERE payout.id = new.id AND status = 3 AND credited_in IS NULL";
    let credited = writing.execute(sql, &[&payouts, &statements]).await?;
    if usize::try_from(credited) == Ok(payouts.len()) { Ok(()) } else { conflict("payout") }
}

pub(super) async fn finish(store: &PostgresStore, closed: &[Closed]) -> Result<()> {
    let Some(first) = closed.first() else { return Ok(()) };
    let writing = store.writing(Scope::One(first.statement.issuer)).await?;
    let done = finish_all(&writing, closed).await;
    ended(writing, done).await
}

async fn finish_all(writing: &Writing, closed: &[Closed]) -> Result<()> {
    let all = || closed.iter().map(|closed| &closed.statement);
    let ids: Vec<i64> = all().map(|s| s.id.get()).collect();
    let operations: Vec<Option<i64>> = all().map(|s| s.operation.map(OperationId::get)).collect();
    let digests: Vec<Option<&[u8]>> = all().map(|s| s.digest.as_ref().map(|digest| &digest[..])).collect();
    let moments: Vec<Option<i64>> = all().map(|s| s.closed_at.map(Timestamp::micros)).collect();
    let sql = "UPDATE statement SET status = 3, operation_id = new.operation_id, digest = new.digest, \
                   closed_at = new.closed_at \
               FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[]) \
                   AS new (id, operation_id, digest, closed_at) \
               WHERE statement.id = new.id AND statement.status = 2";
    let changed = writing.execute(sql, &[&ids, &operations, &digests, &moments]).await?;
    if usize::try_from(changed) != Ok(closed.len()) {
        return conflict("statement");
    }
    let payouts: Vec<_> = closed.iter().filter_map(|closed| closed.payout.as_ref()).collect();
    payouts::insert(writing, &payouts).await
}
