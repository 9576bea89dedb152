//! Reading statements and their lines.

use std::collections::{BTreeMap, HashSet};

use domain::{Currency, IssuerId, MerchantId, OperationId, StatementId};
use rusqlite::{Connection, OptionalExtension, Params, params};
use settlement::{Line, Statement};
use storage::{
    OpenSums, Page, Result, Settled, StatementFilter, queries::MAX_EXAMINED, settlement_store::OpenFold,
};

use super::{
    list,
    rows::{self, LINE, STATEMENT},
};
use crate::{
    error::{IntoStorage, corrupt},
    fields::Fields,
    jobs::clamp,
};

pub(super) fn one(connection: &Connection, id: StatementId) -> Result<Option<Statement>> {
    let sql = format!("SELECT {STATEMENT} FROM statement WHERE id = ?1");
    Ok(list(connection, &sql, [id.get()], rows::statement)?.pop())
}

pub(super) fn unfinished(
    connection: &Connection,
    issuer: IssuerId,
    after: Option<StatementId>,
    limit: usize,
) -> Result<Vec<Statement>> {
    let sql = format!(
        "SELECT {STATEMENT} FROM statement INDEXED BY statement_unfinished \
         WHERE issuer_id = ?1 AND id > ?2 AND status < 3 ORDER BY id LIMIT ?3"
    );
    let values = params![issuer.get(), after.map_or(i64::MIN, StatementId::get), clamp(limit)];
    list(connection, &sql, values, rows::statement)
}

pub(super) fn latest(
    connection: &Connection,
    issuer: IssuerId,
    after: Option<(MerchantId, Currency)>,
    limit: usize,
) -> Result<Vec<Statement>> {
    let columns =
        STATEMENT.split(',').map(|name| format!("s.{}", name.trim())).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT {columns} FROM settlement_account a CROSS JOIN statement s ON s.id = a.statement_id \
         WHERE a.issuer_id = ?1 AND (a.merchant_id, a.currency) > (?2, ?3) \
         ORDER BY a.merchant_id, a.currency LIMIT ?4"
    );
    let merchant = after.map_or(i64::MIN, |(merchant, _)| merchant.get());
    let code = after.map(|(_, currency)| currency);
    let code = code.as_ref().map_or("", Currency::code);
    list(connection, &sql, params![issuer.get(), merchant, code, clamp(limit)], rows::statement)
}

/// A page of what is accepted, of at most [`MAX_EXAMINED`] rows in the order of their ids downward.
pub(super) fn downward<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    limit: usize,
    read: fn(&mut Fields<'_, '_>) -> Result<T>,
    accepts: impl Fn(&T) -> bool,
    id: impl Fn(&T) -> i64,
) -> Result<Page<T>> {
    let mut statement = connection.prepare_cached(sql).stored()?;
    let mut rows = statement.query(params).stored()?;
    let (mut items, mut examined, mut last) = (Vec::new(), 0, None);
    while let Some(row) = rows.next().stored()? {
        let item = read(&mut Fields::new(row))?;
        examined += 1;
        if accepts(&item) {
            if items.len() >= limit {
                let next = items.last().map(&id).or_else(|| id(&item).checked_add(1));
                return Ok(Page { items, next });
            }
            last = Some(id(&item));
            items.push(item);
        } else {
            last = Some(id(&item));
        }
    }
    Ok(Page { items, next: last.filter(|_| examined >= MAX_EXAMINED) })
}

pub(super) fn newest(
    connection: &Connection,
    filter: &StatementFilter,
    before: Option<StatementId>,
    limit: usize,
) -> Result<Page<Statement>> {
    let place = if filter.merchant.is_some() { "merchant_id" } else { "issuer_id" };
    let of = filter.merchant.map_or(filter.issuer.get(), MerchantId::get);
    let sql =
        format!("SELECT {STATEMENT} FROM statement WHERE {place} = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3");
    let values = params![of, before.map_or(i64::MAX, StatementId::get), clamp(MAX_EXAMINED)];
    let (accepts, id) =
        (|statement: &Statement| filter.accepts(statement), |statement: &Statement| statement.id.get());
    downward(connection, &sql, values, limit, rows::statement, accepts, id)
}

const OPEN: &str =
    "FROM statement INDEXED BY statement_unfinished WHERE issuer_id = ?1 AND status < 3 AND status = 1";

pub(super) fn open_sums(connection: &Connection, issuer: IssuerId) -> Result<Vec<OpenSums>> {
    let from = format!("SELECT min(lines_from) {OPEN}");
    let from: Option<i64> = connection.query_row(&from, [issuer.get()], |row| row.get(0)).stored()?;
    let Some(from) = from else { return Ok(Vec::new()) };
    let read = |f: &mut Fields<'_, '_>| Ok((StatementId::new(f.int()?), MerchantId::new(f.int()?)));
    let open = list(connection, &format!("SELECT id, merchant_id {OPEN}"), [issuer.get()], read)?;
    let mut fold = OpenFold::new(open);
    let lines = format!("SELECT {LINE} FROM settlement_line WHERE operation_id >= ?1");
    let mut lines = connection.prepare_cached(&lines).stored()?;
    let mut found = lines.query([from]).stored()?;
    while let Some(row) = found.next().stored()? {
        fold.take(&rows::line(&mut Fields::new(row))?)?;
    }
    let parts = "SELECT statement_id, amount FROM settlement_split WHERE operation_id >= ?1";
    let mut parts = connection.prepare_cached(parts).stored()?;
    let mut found = parts.query([from]).stored()?;
    while let Some(row) = found.next().stored()? {
        let mut f = Fields::new(row);
        fold.take_parts(StatementId::new(f.int()?), f.int()?)?;
    }
    let mut newest = Vec::new();
    for (operation, merchant) in fold.newest() {
        newest.extend(line(connection, operation, merchant)?);
    }
    fold.finish(newest)
}

fn lowest(f: &mut Fields<'_, '_>) -> Result<i64> {
    f.int()
}

/// Reads the parts from the first line of these statements on.
pub(super) fn receivers(
    connection: &Connection,
    issuer: IssuerId,
    statements: &[StatementId],
) -> Result<Vec<(StatementId, MerchantId, i64)>> {
    let mut from = i64::MAX;
    let first =
        "SELECT coalesce(lines_from, 9223372036854775807) FROM statement WHERE id = ?1 AND issuer_id = ?2";
    for statement in statements {
        let found = list(connection, first, [statement.get(), issuer.get()], lowest)?;
        from = found.into_iter().fold(from, i64::min);
    }
    let wanted: HashSet<i64> = statements.iter().map(|statement| statement.get()).collect();
    let mut sums: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    let parts = "SELECT statement_id, receiver_id, amount FROM settlement_split WHERE operation_id >= ?1";
    let mut parts = connection.prepare_cached(parts).stored()?;
    let mut found = parts.query([from]).stored()?;
    while let Some(row) = found.next().stored()? {
        let mut f = Fields::new(row);
        let (statement, receiver, amount) = (f.int()?, f.int()?, f.int()?);
        if wanted.contains(&statement) {
            let sum = sums.entry((statement, receiver)).or_default();
            *sum = sum.checked_add(amount).ok_or_else(|| corrupt("a total exceeds 64 bits"))?;
        }
    }
    let named = |((statement, receiver), sum)| (StatementId::new(statement), MerchantId::new(receiver), sum);
    Ok(sums.into_iter().map(named).collect())
}

fn line(connection: &Connection, operation: OperationId, merchant: MerchantId) -> Result<Option<Line>> {
    let sql = format!("SELECT {LINE} FROM settlement_line WHERE operation_id = ?1 AND merchant_id = ?2");
    Ok(list(connection, &sql, [operation.get(), merchant.get()], rows::line)?.pop())
}

fn with_parts(connection: &Connection, line: Line) -> Result<Settled> {
    let key = [line.operation.get(), line.merchant.get()];
    let parts = "SELECT operation_id, merchant_id, receiver_id, statement_id, amount FROM settlement_split \
                 WHERE operation_id = ?1 AND merchant_id = ?2 ORDER BY receiver_id";
    let refunded = "SELECT operation_id, merchant_id, refunded, fee_returned FROM settlement_refund \
                    WHERE operation_id = ?1 AND merchant_id = ?2";
    let parts = list(connection, parts, key, rows::part)?;
    let refunded = list(connection, refunded, key, rows::refunded)?.pop();
    Ok(Settled { line, parts, refunded })
}

pub(super) fn settled(connection: &Connection, keys: &[(OperationId, MerchantId)]) -> Result<Vec<Settled>> {
    let mut found = Vec::with_capacity(keys.len());
    for (operation, merchant) in keys {
        if let Some(line) = line(connection, *operation, *merchant)? {
            found.push(with_parts(connection, line)?);
        }
    }
    Ok(found)
}

pub(super) fn lines_of(
    connection: &Connection,
    statement: StatementId,
    before: Option<OperationId>,
    limit: usize,
) -> Result<Page<Settled>> {
    let sql = "SELECT merchant_id, newest_line_id FROM statement WHERE id = ?1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?));
    let found = connection.query_row(sql, [statement.get()], read).optional().stored()?;
    let nothing = Page { items: Vec::new(), next: None };
    let Some((merchant, newest)) = found else { return Ok(nothing) };
    let merchant = MerchantId::new(merchant);
    let of_it = |line: &Line| line.statement == statement;
    let mut next = match before {
        None => newest.map(OperationId::new),
        Some(before) => line(connection, before, merchant)?.filter(of_it).and_then(|line| line.previous),
    };
    let mut items = Vec::new();
    // The limit ends a chain that damaged data closed to a ring.
    while let Some(at) = next.filter(|_| items.len() < limit) {
        let found = line(connection, at, merchant)?.filter(of_it);
        let line = found.ok_or_else(|| corrupt(format!("the chain of {statement} is broken at {at}")))?;
        next = line.previous;
        items.push(with_parts(connection, line)?);
    }
    let more = next.and_then(|_| items.last().map(|settled: &Settled| settled.line.operation.get()));
    Ok(Page { items, next: more })
}

pub(super) fn lines(
    connection: &Connection,
    issuer: IssuerId,
    after: (OperationId, MerchantId),
    below: OperationId,
    limit: usize,
) -> Result<Vec<Line>> {
    let columns = LINE.split(',').map(|name| format!("l.{}", name.trim())).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT {columns} FROM settlement_line l CROSS JOIN merchant m ON m.id = l.merchant_id \
         WHERE (l.operation_id, l.merchant_id) > (?1, ?2) AND l.operation_id < ?3 AND m.issuer_id = ?4 \
         ORDER BY l.operation_id, l.merchant_id LIMIT ?5"
    );
    let values = params![after.0.get(), after.1.get(), below.get(), issuer.get(), clamp(limit)];
    list(connection, &sql, values, rows::line)
}
