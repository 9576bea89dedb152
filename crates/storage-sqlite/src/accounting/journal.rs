//! The journal by business day: a roll-up that a job derives from the log, plus the log's tail. Sums are made
//! here and not by SQL, so that one that is too large is an error of its own.

use std::collections::BTreeMap;

use domain::{BusinessDate, IssuerId, OperationKind, ProgramId, account::AccountKind};
use rusqlite::{Connection, OptionalExtension, Row, params};
use storage::{Days, JournalLine, JournalTotal, Result, RollUp, StorageError};

use crate::{
    SqliteStore,
    error::{IntoStorage, corrupt},
    fields::Fields,
    jobs::clamp,
    ledger::{self, Code, add, currency, currency_code},
};

/// The job whose cursor says how far the roll-up is.
const JOURNAL: &str = "journal";

/// The columns that say what a line is about, in the order of the key.
macro_rules! key {
    () => {
        "issuer_id, business_date, program_id, kind, original_kind, debit_kind, debit_ref, credit_kind, \
         credit_ref, currency"
    };
}

/// The transfers of operations above `?1` up to `?2` as lines. Kind 7 is a reversal. Value moves between cards
/// of one program only, so the operation's program is both cards'.
macro_rules! moved {
    () => {
        "SELECT o.issuer_id, o.business_date, coalesce(o.program_id, \
             CASE WHEN t.debit_kind = 1 THEN (SELECT c.program_id FROM card c WHERE c.id = t.debit_ref) \
                  WHEN t.credit_kind = 1 THEN (SELECT c.program_id FROM card c WHERE c.id = t.credit_ref) END, \
             0) AS program_id, o.kind, \
         CASE WHEN o.kind = 7 THEN coalesce((SELECT r.kind FROM operation r WHERE r.id = o.original_id), 0) \
             ELSE 0 END AS original_kind, \
         t.debit_kind, CASE WHEN t.debit_kind = 1 THEN coalesce(o.program_id, \
             (SELECT c.program_id FROM card c WHERE c.id = t.debit_ref)) ELSE t.debit_ref END AS debit_ref, \
         t.credit_kind, CASE WHEN t.credit_kind = 1 THEN coalesce(o.program_id, \
             (SELECT c.program_id FROM card c WHERE c.id = t.credit_ref)) ELSE t.credit_ref END AS credit_ref, \
         o.currency, t.seq = 1 AS operations, t.amount \
         FROM transfer t CROSS JOIN operation o ON o.id = t.operation_id \
         WHERE t.operation_id > ?1 AND t.operation_id <= ?2"
    };
}

const MOVED: &str = moved!();
const MOVED_OF_DAYS: &str = concat!(moved!(), " AND o.issuer_id = ?3 AND o.business_date BETWEEN ?4 AND ?5");
const ROLLED_UP: &str = concat!(
    "SELECT ",
    key!(),
    ", operations, amount FROM journal_rollup WHERE issuer_id = ?1 AND business_date BETWEEN ?2 AND ?3"
);

/// What a line is about, as it is stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    issuer: i64,
    day: i64,
    program: i64,
    kind: i64,
    original: i64,
    debit: (i64, i64),
    credit: (i64, i64),
    currency: Code,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    operations: i64,
    amount: i64,
}

impl Sum {
    fn take(&mut self, other: Self) -> Result<()> {
        add(&mut self.operations, other.operations)?;
        add(&mut self.amount, other.amount)
    }
}

fn read(row: &Row<'_>) -> Result<(Key, Sum)> {
    let mut f = Fields::new(row);
    let key = Key {
        issuer: f.int()?,
        day: f.int()?,
        program: f.int()?,
        kind: f.int()?,
        original: f.int()?,
        debit: (f.int()?, f.int()?),
        credit: (f.int()?, f.int()?),
        currency: currency_code(&mut f)?,
    };
    Ok((key, Sum { operations: f.int()?, amount: f.int()? }))
}

fn each(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
    mut take: impl FnMut(Key, Sum) -> Result<()>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).stored()?;
    let mut rows = statement.query(values).stored()?;
    while let Some(row) = rows.next().stored()? {
        let (key, sum) = read(row)?;
        take(key, sum)?;
    }
    Ok(())
}

/// The newest operation that the roll-up has taken in; -1 before the first.
fn cursor(connection: &Connection) -> Result<i64> {
    let mut statement =
        connection.prepare_cached("SELECT position FROM job_cursor WHERE name = ?1").stored()?;
    let found: Option<i64> = statement.query_row([JOURNAL], |row| row.get(0)).optional().stored()?;
    Ok(found.unwrap_or(-1))
}

/// What a step of the roll-up adds.
#[derive(Default)]
struct Step {
    from: i64,
    to: i64,
    operations: u64,
    behind: u64,
    sums: BTreeMap<Key, Sum>,
}

/// Reads beside the writer, so that sales only wait for the short write.
pub(crate) async fn roll_up(store: &SqliteStore, limit: usize) -> Result<RollUp> {
    let step = store.long(move |connection| collect(connection, limit)).await?;
    let report = RollUp { operations: step.operations, behind: step.behind };
    if step.operations > 0 {
        store.write(move |connection| write_step(connection, &step)).await?;
    }
    Ok(report)
}

fn collect(connection: &Connection, limit: usize) -> Result<Step> {
    let from = cursor(connection)?;
    let taken = "SELECT count(*), max(id) FROM (SELECT id FROM operation WHERE id > ?1 ORDER BY id LIMIT ?2)";
    let (operations, to): (i64, Option<i64>) = connection
        .query_row(taken, params![from, clamp(limit)], |row| Ok((row.get(0)?, row.get(1)?)))
        .stored()?;
    let to = to.unwrap_or(from);
    let behind = "SELECT count(*) FROM (SELECT 1 FROM operation WHERE id > ?1 LIMIT ?2)";
    let behind: i64 = connection.query_row(behind, [to, clamp(limit)], |row| row.get(0)).stored()?;
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let mut step = Step { from, to, operations: count(operations), behind: count(behind), ..Step::default() };
    each(connection, MOVED, [from, to], |key, sum| step.sums.entry(key).or_default().take(sum))?;
    Ok(step)
}

const WRITE: &str = concat!(
    "INSERT INTO journal_rollup (",
    key!(),
    ", operations, amount) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO UPDATE SET \
     operations = operations + excluded.operations, amount = amount + excluded.amount"
);

fn write_step(connection: &Connection, step: &Step) -> Result<()> {
    if cursor(connection)? != step.from {
        return Err(StorageError::Busy("another roll-up of the journal came first".to_owned()));
    }
    let mut statement = connection.prepare_cached(WRITE).stored()?;
    for (key, sum) in &step.sums {
        let Key { issuer, day, program, kind, original, debit, credit, currency: code } = key;
        let currency = currency(*code)?;
        let values = params![
            issuer,
            day,
            program,
            kind,
            original,
            debit.0,
            debit.1,
            credit.0,
            credit.1,
            currency.code(),
            sum.operations,
            sum.amount,
        ];
        statement.execute(values).stored()?;
    }
    let sql = "INSERT INTO job_cursor (name, position) VALUES (?1, ?2) \
               ON CONFLICT DO UPDATE SET position = excluded.position";
    connection.execute(sql, params![JOURNAL, step.to]).stored()?;
    Ok(())
}

/// What is rolled up of these days, and what is not.
fn each_of_days(
    connection: &Connection,
    issuer: IssuerId,
    days: Days,
    mut take: impl FnMut(Key, Sum) -> Result<()>,
) -> Result<()> {
    let (issuer, from, to) = (issuer.get(), i64::from(days.from.get()), i64::from(days.to.get()));
    each(connection, ROLLED_UP, [issuer, from, to], &mut take)?;
    let tail = [cursor(connection)?, i64::MAX, issuer, from, to];
    each(connection, MOVED_OF_DAYS, tail, take)
}

pub(crate) fn lines(connection: &Connection, issuer: IssuerId, days: Days) -> Result<Vec<JournalLine>> {
    let mut sums: BTreeMap<Key, Sum> = BTreeMap::new();
    each_of_days(connection, issuer, days, |key, sum| sums.entry(key).or_default().take(sum))?;
    let line = |(key, sum): (Key, Sum)| -> Result<JournalLine> {
        let (kind, reversed) = kinds(key.kind, key.original)?;
        let day = i32::try_from(key.day).map_err(|_| corrupt("a business date is out of range"))?;
        Ok(JournalLine {
            day: BusinessDate::from_stored(day),
            program: program(key.program),
            kind,
            reversed,
            debit: ledger::line(key.debit.0, key.debit.1)?,
            credit: ledger::line(key.credit.0, key.credit.1)?,
            currency: currency(key.currency)?,
            operations: sum.operations,
            amount: sum.amount,
        })
    };
    let mut lines: Vec<JournalLine> = sums.into_iter().map(line).collect::<Result<_>>()?;
    lines.sort_unstable();
    Ok(lines)
}

/// Program, kind, original kind, debit kind, credit kind, currency.
type TotalKey = (i64, i64, i64, i64, i64, Code);

pub(crate) fn totals(connection: &Connection, issuer: IssuerId, days: Days) -> Result<Vec<JournalTotal>> {
    let mut sums: BTreeMap<TotalKey, Sum> = BTreeMap::new();
    each_of_days(connection, issuer, days, |key, sum| {
        let key = (key.program, key.kind, key.original, key.debit.0, key.credit.0, key.currency);
        sums.entry(key).or_default().take(sum)
    })?;
    let total = |((of, kind, original, debit, credit, code), sum): (TotalKey, Sum)| -> Result<JournalTotal> {
        let (kind, reversed) = kinds(kind, original)?;
        Ok(JournalTotal {
            program: program(of),
            kind,
            reversed,
            debit: account_kind(debit)?,
            credit: account_kind(credit)?,
            currency: currency(code)?,
            operations: sum.operations,
            amount: sum.amount,
        })
    };
    let mut totals: Vec<JournalTotal> = sums.into_iter().map(total).collect::<Result<_>>()?;
    totals.sort_unstable();
    Ok(totals)
}

fn program(stored: i64) -> Option<ProgramId> {
    (stored != 0).then(|| ProgramId::new(stored))
}

fn kinds(kind: i64, original: i64) -> Result<(OperationKind, Option<OperationKind>)> {
    let named = |number: i64| {
        let kind = OperationKind::from_number(number);
        kind.ok_or_else(|| corrupt(format!("operation kind {number} is unknown")))
    };
    Ok((named(kind)?, if original == 0 { None } else { Some(named(original)?) }))
}

fn account_kind(number: i64) -> Result<AccountKind> {
    AccountKind::from_number(number).ok_or_else(|| corrupt(format!("account kind {number} is unknown")))
}

/// Where the roll-up is not what the log says, by key: one sorted pass over both, at most `limit` findings.
const DIFFERENCES: &str = concat!(
    "SELECT ",
    key!(),
    " FROM (SELECT ",
    key!(),
    ", operations, amount FROM journal_rollup UNION ALL SELECT ",
    key!(),
    ", -operations, -amount FROM (",
    moved!(),
    ")) GROUP BY ",
    key!(),
    " HAVING sum(operations) <> 0 OR sum(amount) <> 0 LIMIT ?3"
);

/// Says of each line of the journal that the log contradicts which one it is.
pub(crate) fn differences(connection: &Connection, limit: i64) -> Result<Vec<String>> {
    let mut statement = connection.prepare(DIFFERENCES).stored()?;
    let mut rows = statement.query([-1, cursor(connection)?, limit]).stored()?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().stored()? {
        let number = |at: usize| row.get::<_, i64>(at).stored();
        found.push(format!(
            "day {} program {} kind {} original {} from {}:{} to {}:{}",
            number(1)?,
            number(2)?,
            number(3)?,
            number(4)?,
            number(5)?,
            number(6)?,
            number(7)?,
            number(8)?
        ));
    }
    Ok(found)
}
