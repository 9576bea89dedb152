//! Reading statements and their lines.

use std::collections::HashMap;

use domain::{Currency, IssuerId, MerchantId, OperationId, StatementId};
use settlement::{Line, Refunded, SplitPart, Statement, StatementStatus};
use storage::{OpenSums, Page, Result, Settled, StatementFilter, settlement_store::OpenFold};

use super::{
    Downward, by_index, downward,
    rows::{self, LINE, STATEMENT},
};
use crate::{
    PostgresStore,
    error::corrupt,
    fields::Fields,
    jobs::clamp,
    store::{Reading, Scope},
};

/// Lines that are read at once where all of them are.
const PORTION: i64 = 50_000;

fn prefixed(columns: &str, prefix: &str) -> String {
    columns.split(',').map(|name| format!("{prefix}{}", name.trim())).collect::<Vec<_>>().join(", ")
}

pub(super) async fn one(store: &PostgresStore, id: StatementId) -> Result<Option<Statement>> {
    let sql = format!("SELECT {STATEMENT} FROM statement WHERE id = $1");
    let found = store.one(Scope::All, &sql, &[&id.get()]).await?;
    found.first().map(|row| rows::statement(&mut Fields::new(row))).transpose()
}

pub(super) async fn unfinished(
    store: &PostgresStore,
    issuer: IssuerId,
    after: Option<StatementId>,
    limit: usize,
) -> Result<Vec<Statement>> {
    let sql = format!(
        "SELECT {STATEMENT} FROM statement WHERE issuer_id = $1 AND id > $2 AND status < 3 ORDER BY id LIMIT $3"
    );
    let after = after.map_or(i64::MIN, StatementId::get);
    let found = store.one(Scope::One(issuer), &sql, &[&issuer.get(), &after, &clamp(limit)]).await?;
    found.iter().map(|row| rows::statement(&mut Fields::new(row))).collect()
}

pub(super) async fn latest(
    store: &PostgresStore,
    issuer: IssuerId,
    after: Option<(MerchantId, Currency)>,
    limit: usize,
) -> Result<Vec<Statement>> {
    let sql = format!(
        "SELECT {} FROM settlement_account a JOIN statement s ON s.id = a.statement_id \
         WHERE a.issuer_id = $1 AND (a.merchant_id, a.currency COLLATE \"C\") > ($2, $3) \
         ORDER BY a.merchant_id, a.currency COLLATE \"C\" LIMIT $4",
        prefixed(STATEMENT, "s.")
    );
    let merchant = after.map_or(i64::MIN, |(merchant, _)| merchant.get());
    let code = after.map_or_else(String::new, |(_, currency)| currency.code().to_owned());
    let params: [crate::session::Param<'_>; 4] = [&issuer.get(), &merchant, &code, &clamp(limit)];
    let found = store.one(Scope::One(issuer), &sql, &params).await?;
    found.iter().map(|row| rows::statement(&mut Fields::new(row))).collect()
}

pub(super) async fn newest(
    store: &PostgresStore,
    filter: &StatementFilter,
    before: Option<StatementId>,
    limit: usize,
) -> Result<Page<Statement>> {
    let down = Downward {
        table: "statement",
        columns: STATEMENT,
        issuer: filter.issuer,
        merchant: filter.merchant,
        status: filter.status.map(StatementStatus::number),
        day: "period_to",
        from: filter.from,
        to: filter.to,
        before: before.map_or(i64::MAX, StatementId::get),
        limit,
    };
    downward(store, &down, rows::statement, |statement| statement.id.get()).await
}

pub(super) async fn open_sums(store: &PostgresStore, issuer: IssuerId) -> Result<Vec<OpenSums>> {
    let reading = store.reading(Scope::One(issuer)).await?;
    by_index(&reading).await?;
    let open = "SELECT id, merchant_id, lines_from FROM statement \
                WHERE issuer_id = $1 AND status < 3 AND status = 1";
    let (mut open_ones, mut from) = (Vec::new(), i64::MAX);
    for row in &reading.query(open, &[&issuer.get()]).await? {
        let mut f = Fields::new(row);
        open_ones.push((StatementId::new(f.int()?), MerchantId::new(f.int()?)));
        from = from.min(f.opt_int()?.unwrap_or(i64::MAX));
    }
    let mut fold = OpenFold::new(open_ones);
    take_lines(&reading, from, &mut fold).await?;
    take_parts(&reading, from, &mut fold).await?;
    let newest = lines_at(&reading, &fold.newest()).await?;
    reading.finish().await?;
    fold.finish(newest)
}

/// In portions: no statement takes longer than any other question may.
async fn take_lines(reading: &Reading, from: i64, fold: &mut OpenFold) -> Result<()> {
    let sql = format!(
        "SELECT {LINE} FROM settlement_line WHERE (operation_id, merchant_id) > ($1, $2) \
         ORDER BY operation_id, merchant_id LIMIT $3"
    );
    let mut after = (from.saturating_sub(1), i64::MAX);
    loop {
        let found = reading.query(&sql, &[&after.0, &after.1, &PORTION]).await?;
        for row in &found {
            let line = rows::line(&mut Fields::new(row))?;
            after = (line.operation.get(), line.merchant.get());
            fold.take(&line)?;
        }
        if found.len() < usize::try_from(PORTION).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}

async fn take_parts(reading: &Reading, from: i64, fold: &mut OpenFold) -> Result<()> {
    let sql = "SELECT operation_id, merchant_id, receiver_id, statement_id, amount FROM settlement_split \
               WHERE (operation_id, merchant_id, receiver_id) > ($1, $2, $3) \
               ORDER BY operation_id, merchant_id, receiver_id LIMIT $4";
    let mut after = (from.saturating_sub(1), i64::MAX, i64::MAX);
    loop {
        let found = reading.query(sql, &[&after.0, &after.1, &after.2, &PORTION]).await?;
        for row in &found {
            let part = rows::part(&mut Fields::new(row))?;
            after = (part.operation.get(), part.merchant.get(), part.receiver.get());
            fold.take_parts(part.statement, part.amount)?;
        }
        if found.len() < usize::try_from(PORTION).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}

pub(super) async fn receivers(
    store: &PostgresStore,
    issuer: IssuerId,
    statements: &[StatementId],
) -> Result<Vec<(StatementId, MerchantId, i64)>> {
    let ids: Vec<i64> = statements.iter().map(|statement| statement.get()).collect();
    let sql = "SELECT p.statement_id, p.receiver_id, sum(p.amount)::bigint FROM settlement_split p \
               WHERE p.operation_id >= (SELECT min(s.lines_from) FROM statement s WHERE s.id = ANY ($1::bigint[])) \
               AND p.statement_id = ANY ($1::bigint[]) GROUP BY 1, 2 ORDER BY 1, 2";
    let found = store.one(Scope::One(issuer), sql, &[&ids]).await?;
    let read = |row| {
        let mut f = Fields::new(row);
        Ok((StatementId::new(f.int()?), MerchantId::new(f.int()?), f.int()?))
    };
    found.iter().map(read).collect()
}

type Keys = (Vec<i64>, Vec<i64>);

fn keys(of: &[(OperationId, MerchantId)]) -> Keys {
    of.iter().map(|(operation, merchant)| (operation.get(), merchant.get())).unzip()
}

async fn lines_at(reading: &Reading, of: &[(OperationId, MerchantId)]) -> Result<Vec<Line>> {
    let sql = format!(
        "SELECT {} FROM unnest($1::bigint[], $2::bigint[]) AS asked (operation_id, merchant_id) \
         JOIN settlement_line l ON l.operation_id = asked.operation_id AND l.merchant_id = asked.merchant_id",
        prefixed(LINE, "l.")
    );
    let (operations, merchants) = keys(of);
    let found = reading.query(&sql, &[&operations, &merchants]).await?;
    found.iter().map(|row| rows::line(&mut Fields::new(row))).collect()
}

/// Adds what is known of lines besides themselves.
async fn with_parts(reading: &Reading, lines: Vec<Line>) -> Result<Vec<Settled>> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let of: Vec<_> = lines.iter().map(|line| (line.operation, line.merchant)).collect();
    let (operations, merchants) = keys(&of);
    let sql = "SELECT p.operation_id, p.merchant_id, p.receiver_id, p.statement_id, p.amount \
               FROM unnest($1::bigint[], $2::bigint[]) AS asked (operation_id, merchant_id) \
               JOIN settlement_split p ON p.operation_id = asked.operation_id \
                   AND p.merchant_id = asked.merchant_id ORDER BY p.receiver_id";
    let mut parts: HashMap<(OperationId, MerchantId), Vec<SplitPart>> = HashMap::new();
    for row in &reading.query(sql, &[&operations, &merchants]).await? {
        let part = rows::part(&mut Fields::new(row))?;
        parts.entry((part.operation, part.merchant)).or_default().push(part);
    }
    let sql = "SELECT r.operation_id, r.merchant_id, r.refunded, r.fee_returned \
               FROM unnest($1::bigint[], $2::bigint[]) AS asked (operation_id, merchant_id) \
               JOIN settlement_refund r ON r.operation_id = asked.operation_id \
                   AND r.merchant_id = asked.merchant_id";
    let mut refunded: HashMap<(OperationId, MerchantId), Refunded> = HashMap::new();
    for row in &reading.query(sql, &[&operations, &merchants]).await? {
        let found = rows::refunded(&mut Fields::new(row))?;
        refunded.insert((found.original, found.merchant), found);
    }
    let settled = |line: Line| {
        let key = (line.operation, line.merchant);
        Settled { line, parts: parts.remove(&key).unwrap_or_default(), refunded: refunded.get(&key).copied() }
    };
    Ok(lines.into_iter().map(settled).collect())
}

pub(super) async fn settled(store: &PostgresStore, of: &[(OperationId, MerchantId)]) -> Result<Vec<Settled>> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let reading = store.reading(Scope::All).await?;
    by_index(&reading).await?;
    let lines = lines_at(&reading, of).await?;
    let found = with_parts(&reading, lines).await?;
    reading.finish().await?;
    Ok(found)
}

pub(super) async fn lines_of(
    store: &PostgresStore,
    statement: StatementId,
    before: Option<OperationId>,
    limit: usize,
) -> Result<Page<Settled>> {
    let reading = store.reading(Scope::All).await?;
    by_index(&reading).await?;
    let lines = chain(&reading, statement, before, limit).await?;
    let last = lines.last().copied();
    let items = with_parts(&reading, lines).await?;
    reading.finish().await?;
    let Some(last) = last else { return Ok(Page { items, next: None }) };
    if let Some(missing) = last.previous.filter(|_| items.len() < limit) {
        return Err(corrupt(format!("the chain of {statement} is broken at {missing}")));
    }
    Ok(Page { items, next: last.previous.map(|_| last.operation.get()) })
}

/// Lines from the newest on, or from the one before `before`: a walk along primary keys.
async fn chain(
    reading: &Reading,
    statement: StatementId,
    before: Option<OperationId>,
    limit: usize,
) -> Result<Vec<Line>> {
    let sql = "SELECT s.merchant_id, CASE WHEN $2::bigint IS NULL THEN s.newest_line_id ELSE ( \
                   SELECT l.previous_id FROM settlement_line l WHERE l.operation_id = $2 \
                   AND l.merchant_id = s.merchant_id AND l.statement_id = s.id) END \
               FROM statement s WHERE s.id = $1";
    let found = reading.query(sql, &[&statement.get(), &before.map(OperationId::get)]).await?;
    let Some(row) = found.first() else { return Ok(Vec::new()) };
    let mut f = Fields::new(row);
    let (merchant, Some(from)) = (f.int()?, f.opt_int()?) else { return Ok(Vec::new()) };
    let sql = format!(
        "WITH RECURSIVE chain (id, previous, n) AS ( \
             SELECT l.operation_id, l.previous_id, 1::bigint FROM settlement_line l \
             WHERE l.operation_id = $1 AND l.merchant_id = $2 AND l.statement_id = $3 AND $4::bigint > 0 \
             UNION ALL SELECT p.operation_id, p.previous_id, chain.n + 1 \
             FROM chain JOIN settlement_line p ON p.operation_id = chain.previous AND p.merchant_id = $2 \
             WHERE p.statement_id = $3 AND chain.n < $4::bigint) \
         SELECT {} FROM chain JOIN settlement_line l ON l.operation_id = chain.id AND l.merchant_id = $2 \
         ORDER BY chain.n",
        prefixed(LINE, "l.")
    );
    let found = reading.query(&sql, &[&from, &merchant, &statement.get(), &clamp(limit)]).await?;
    if found.is_empty() && limit > 0 {
        let missing = OperationId::new(from);
        return Err(corrupt(format!("the chain of {statement} is broken at {missing}")));
    }
    found.iter().map(|row| rows::line(&mut Fields::new(row))).collect()
}

pub(super) async fn lines(
    store: &PostgresStore,
    issuer: IssuerId,
    after: (OperationId, MerchantId),
    below: OperationId,
    limit: usize,
) -> Result<Vec<Line>> {
    let sql = format!(
        "SELECT {LINE} FROM settlement_line WHERE (operation_id, merchant_id) > ($1, $2) AND operation_id < $3 \
         AND issuer_id = $4 ORDER BY operation_id, merchant_id LIMIT $5"
    );
    let (operation, merchant) = (after.0.get(), after.1.get());
    let params: [crate::session::Param<'_>; 5] =
        [&operation, &merchant, &below.get(), &issuer.get(), &clamp(limit)];
    let found = store.one(Scope::One(issuer), &sql, &params).await?;
    found.iter().map(|row| rows::line(&mut Fields::new(row))).collect()
}
