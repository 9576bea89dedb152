//! The journal by business day: a roll-up that a job derives from the log, plus what it has not yet taken in.
//! Like the roll-up of account totals it follows the log by (transaction, id), below the oldest transaction
//! that is still running.

use std::time::Duration;

use domain::{BusinessDate, IssuerId, OperationKind, ProgramId, account::AccountKind};
use storage::{Days, JournalLine, JournalTotal, Result, RollUp, StorageError};
use tokio::time::{Instant, sleep};
use tokio_postgres::{Row, Transaction};

use crate::{
    PostgresStore,
    error::{IntoStorage, corrupt},
    fields::Fields,
    jobs::clamp,
    ledger::{self, Cursor, currency, currency_code, read_cursor},
    session::{Failed, Param},
    store::{Reading, Scope, Writing},
};

/// How long a step waits for a transaction that is still running to end, where there is nothing else to do.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it waits before it looks again. While sales go on there always is something of which it cannot be
/// said yet, and steps for the few operations of a moment cost more than they take in.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

const CURSOR: &str = "SELECT xid::text, position FROM job_cursor WHERE name = 'journal'";

/// The columns that say what a line is about, in the order of the key.
macro_rules! key {
    () => {
        "issuer_id, business_date, program_id, kind, original_kind, debit_kind, debit_ref, credit_kind, \
         credit_ref, currency"
    };
}

/// The transfers of the operations `$step` as lines. Kind 7 is a reversal. Value moves between cards of one
/// program only, so the operation's program is both cards'.
macro_rules! moved {
    () => {
        "SELECT s.issuer_id, s.business_date, coalesce(s.program_id, \
             CASE WHEN t.debit_kind = 1 THEN (SELECT c.program_id FROM card c WHERE c.id = t.debit_ref) \
                  WHEN t.credit_kind = 1 THEN (SELECT c.program_id FROM card c WHERE c.id = t.credit_ref) END, \
             0) AS program_id, s.kind, \
         CASE WHEN s.kind = 7 THEN coalesce((SELECT r.kind FROM operation r WHERE r.id = s.original_id), 0) \
             ELSE 0 END::smallint AS original_kind, \
         t.debit_kind, CASE WHEN t.debit_kind = 1 THEN coalesce(s.program_id, \
             (SELECT c.program_id FROM card c WHERE c.id = t.debit_ref)) ELSE t.debit_ref END AS debit_ref, \
         t.credit_kind, CASE WHEN t.credit_kind = 1 THEN coalesce(s.program_id, \
             (SELECT c.program_id FROM card c WHERE c.id = t.credit_ref)) ELSE t.credit_ref END AS credit_ref, \
         s.currency, (t.seq = 1)::integer::bigint AS operations, t.amount \
         FROM step s JOIN transfer t ON t.operation_id = s.id AND t.card_id = s.card_id"
    };
}

macro_rules! operation {
    () => {
        "SELECT o.id, o.xid, o.card_id, o.issuer_id, o.business_date, o.program_id, o.kind, o.original_id, \
         o.currency FROM operation o WHERE "
    };
}

/// One step of the roll-up: from (`$1`, `$2`) on, at most `$3` operations. Says how many, and where it ended.
const STEP: &str = concat!(
    "WITH step AS MATERIALIZED (",
    operation!(),
    "(o.xid, o.id) > ($1::text::xid8, $2::bigint) AND o.xid < pg_snapshot_xmin(pg_current_snapshot()) \
         ORDER BY o.xid, o.id LIMIT $3), \
     moved AS (",
    moved!(),
    "), \
     written AS ( \
         INSERT INTO journal_rollup (",
    key!(),
    ", operations, amount) SELECT ",
    key!(),
    ", sum(operations)::bigint, sum(amount)::bigint FROM moved GROUP BY ",
    key!(),
    " ON CONFLICT (",
    key!(),
    ") DO UPDATE SET operations = journal_rollup.operations + excluded.operations, \
             amount = journal_rollup.amount + excluded.amount) \
     SELECT count(*) OVER (), step.xid::text, step.id FROM step ORDER BY step.xid DESC, step.id DESC LIMIT 1"
);

const BEHIND: &str = "SELECT count(*) FROM (SELECT 1 FROM operation o \
     WHERE (o.xid, o.id) > ($1::text::xid8, $2::bigint) LIMIT $3) AS rest";

/// What follows the log here.
pub(crate) const FOLLOWING: [&str; 2] = [STEP, BEHIND];

/// Takes a step. Where what is left belongs to transactions that may still be running, of this database or
/// of another one of the cluster, waits for them a while rather than have its caller ask again and again.
pub(crate) async fn roll_up(store: &PostgresStore, limit: usize) -> Result<RollUp> {
    let began = Instant::now();
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut taken = 0;
    loop {
        let left = usize::try_from(most - taken).unwrap_or(usize::MAX);
        let step = one_step(store, left).await?;
        taken += step.operations;
        if taken >= most || step.behind == 0 || began.elapsed() >= PATIENCE {
            return Ok(RollUp { operations: taken, behind: step.behind });
        }
        sleep(BETWEEN_LOOKS).await;
    }
}

async fn one_step(store: &PostgresStore, limit: usize) -> Result<RollUp> {
    let writing = store.writing(Scope::All).await?;
    writing.rolling_up().await?;
    let from = lock_cursor(&writing).await?;
    let taken =
        writing.try_query(STEP, &[&from.xid, &from.id, &clamp(limit)]).await.map_err(without_currency)?;
    let (mut operations, mut to) = (0, from.clone());
    if let Some(row) = taken.first() {
        let mut f = Fields::new(row);
        operations = f.narrow()?;
        to = Cursor { xid: f.text()?.to_owned(), id: f.int()? };
    }
    let rows = writing.query(BEHIND, &[&to.xid, &to.id, &clamp(limit)]).await?;
    let behind = rows.first().map_or(Ok(0), |row| Fields::new(row).narrow())?;
    if operations == 0 {
        writing.roll_back().await?;
    } else {
        let move_on = "UPDATE job_cursor SET xid = $1::text::xid8, position = $2 WHERE name = 'journal'";
        writing.query(move_on, &[&to.xid, &to.id]).await?;
        writing.commit().await?;
    }
    Ok(RollUp { operations, behind })
}

/// Steps come one after the other, on all nodes.
async fn lock_cursor(writing: &Writing) -> Result<Cursor> {
    let begin =
        "INSERT INTO job_cursor (name, xid, position) VALUES ('journal', '0', -1) ON CONFLICT DO NOTHING";
    writing.query(begin, &[]).await?;
    let lock = "SELECT xid::text, position FROM job_cursor WHERE name = 'journal' FOR UPDATE";
    read_cursor(&writing.query(lock, &[]).await?)
}

fn without_currency(failed: Failed) -> StorageError {
    match failed.error {
        StorageError::Conflict { what: "not_null" } => corrupt("an operation moves value without a currency"),
        other => other,
    }
}

/// What is rolled up of the days `$2` to `$3`, and what comes after the cursor `$4`, `$5`. One snapshot.
macro_rules! of_days {
    () => {
        concat!(
            "WITH step AS (",
            operation!(),
            "(o.xid, o.id) > ($4::text::xid8, $5::bigint) AND o.issuer_id = $1 \
                 AND o.business_date BETWEEN $2 AND $3), \
             lines AS (SELECT ",
            key!(),
            ", operations, amount FROM journal_rollup \
                 WHERE issuer_id = $1 AND business_date BETWEEN $2 AND $3 UNION ALL ",
            moved!(),
            ") "
        )
    };
}

const LINES: &str = concat!(
    of_days!(),
    "SELECT business_date, program_id, kind, original_kind, debit_kind, debit_ref, credit_kind, credit_ref, \
         currency, sum(operations)::bigint, sum(amount)::bigint FROM lines GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"
);

const TOTALS: &str = concat!(
    of_days!(),
    "SELECT program_id, kind, original_kind, debit_kind, credit_kind, currency, sum(operations)::bigint, \
         sum(amount)::bigint FROM lines GROUP BY 1, 2, 3, 4, 5, 6"
);

async fn read_days(reading: &Reading, sql: &str, issuer: IssuerId, days: Days) -> Result<Vec<Row>> {
    let cursor = read_cursor(&reading.query(CURSOR, &[]).await?)?;
    let asked: [Param<'_>; 5] = [&issuer.get(), &days.from.get(), &days.to.get(), &cursor.xid, &cursor.id];
    reading.query(sql, &asked).await
}

pub(crate) async fn lines(store: &PostgresStore, issuer: IssuerId, days: Days) -> Result<Vec<JournalLine>> {
    let reading = store.reading(Scope::One(issuer)).await?;
    let rows = read_days(&reading, LINES, issuer, days).await?;
    reading.finish().await?;
    let mut lines = rows.iter().map(line).collect::<Result<Vec<_>>>()?;
    lines.sort_unstable();
    Ok(lines)
}

fn line(row: &Row) -> Result<JournalLine> {
    let mut f = Fields::new(row);
    let (day, program) = (BusinessDate::from_stored(f.narrow()?), program(f.int()?));
    let (kind, reversed) = kinds(f.int()?, f.int()?)?;
    let debit = ledger::line(f.int()?, f.int()?)?;
    let credit = ledger::line(f.int()?, f.int()?)?;
    let currency = currency(currency_code(&mut f)?)?;
    let (operations, amount) = (f.int()?, f.int()?);
    Ok(JournalLine { day, program, kind, reversed, debit, credit, currency, operations, amount })
}

pub(crate) async fn totals(store: &PostgresStore, issuer: IssuerId, days: Days) -> Result<Vec<JournalTotal>> {
    let reading = store.reading(Scope::One(issuer)).await?;
    let rows = read_days(&reading, TOTALS, issuer, days).await?;
    reading.finish().await?;
    let mut totals = rows.iter().map(total).collect::<Result<Vec<_>>>()?;
    totals.sort_unstable();
    Ok(totals)
}

fn total(row: &Row) -> Result<JournalTotal> {
    let mut f = Fields::new(row);
    let program = program(f.int()?);
    let (kind, reversed) = kinds(f.int()?, f.int()?)?;
    let (debit, credit) = (f.coded(AccountKind::from_number)?, f.coded(AccountKind::from_number)?);
    let currency = currency(currency_code(&mut f)?)?;
    let (operations, amount) = (f.int()?, f.int()?);
    Ok(JournalTotal { program, kind, reversed, debit, credit, currency, operations, amount })
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

/// Where the roll-up is not what the log says up to its cursor `$1`, `$2`, by key, at most `$3` findings.
const DIFFERENCES: &str = concat!(
    "WITH step AS (",
    operation!(),
    "(o.xid, o.id) <= ($1::text::xid8, $2::bigint)), \
     both_of AS (SELECT ",
    key!(),
    ", operations, amount FROM journal_rollup UNION ALL SELECT ",
    key!(),
    ", -operations, -amount FROM (",
    moved!(),
    ") AS moved) SELECT business_date, program_id, kind, original_kind, debit_kind, debit_ref, credit_kind, \
         credit_ref FROM both_of GROUP BY ",
    key!(),
    " HAVING sum(operations) <> 0 OR sum(amount) <> 0 LIMIT $3"
);

/// Says of each line of the journal that the log contradicts which one it is.
pub(crate) async fn differences(tx: &Transaction<'_>, limit: i64) -> Result<Vec<String>> {
    let cursor = read_cursor(&tx.query(CURSOR, &[]).await.stored()?)?;
    let rows = tx.query(DIFFERENCES, &[&cursor.xid, &cursor.id, &limit]).await.stored()?;
    let described = |row: &Row| -> Result<String> {
        let mut f = Fields::new(row);
        let mut numbers = [0; 8];
        for number in &mut numbers {
            *number = f.opt_int()?.unwrap_or(0);
        }
        let [day, program, kind, original, debit, debit_ref, credit, credit_ref] = numbers;
        Ok(format!(
            "day {day} program {program} kind {kind} original {original} from {debit}:{debit_ref} to \
             {credit}:{credit_ref}"
        ))
    };
    rows.iter().map(described).collect()
}
