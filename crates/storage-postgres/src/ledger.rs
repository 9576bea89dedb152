//! Totals of accounts: hourly roll-ups that a job derives from the log, plus what of the log is not yet in
//! them (decision 0003). Exact at any moment, present or past.
//!
//! Transactions that run at the same time become visible out of the order of their ids. The roll-up
//! therefore follows the log by (transaction, id), and only below the oldest transaction that is still
//! running: whatever is there has been seen, and nothing will appear there later.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    Account, CardId, Currency, IssuerId, Operation, OperationId, ProgramId, Timestamp,
    account::AccountKind,
    ids::{SHIFT, floor_of},
};
use storage::{AccountTotals, BalanceLine, HourCheck, LedgerLine, Mismatch, Result, RollUp};
use tokio::time::{Instant, sleep};
use tokio_postgres::Row;

use crate::{
    PostgresStore,
    error::corrupt,
    fields::Fields,
    jobs::clamp,
    queries::Chain,
    rows::transfer,
    session::{Failed, Param},
    store::{Reading, Scope, Writing},
};

const MILLIS_PER_HOUR: i64 = 3_600_000;
/// Ids may run this far ahead of or behind the times of their operations.
pub(crate) const SLACK_SECONDS: i64 = 1;
/// How long a step waits for a transaction that is still running to end, where there is nothing else to do.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it waits before it looks again. While sales go on there always is something of which it cannot be
/// said yet, and steps for the few operations of a moment cost more than they take in.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The hour of an id, counted from where ids begin.
const fn hour_of(id: i64) -> i64 {
    (id >> SHIFT) / MILLIS_PER_HOUR
}

const fn first_id_of(hour: i64) -> i64 {
    hour.saturating_mul(MILLIS_PER_HOUR).saturating_mul(1 << SHIFT)
}

/// A currency code as it is stored.
pub(crate) type Code = [u8; 3];

/// Reads a currency code. Whatever moved value has one.
pub(crate) fn currency_code(fields: &mut Fields<'_>) -> Result<Code> {
    fields.named(|code| code.as_bytes().try_into().ok())
}

/// The currency with this code.
pub(crate) fn currency(code: Code) -> Result<Currency> {
    let parsed = std::str::from_utf8(&code).ok().and_then(|code| Currency::parse(code).ok());
    parsed.ok_or_else(|| corrupt(format!("currency {} is unknown", code.escape_ascii())))
}

/// The currency of what an operation moved.
pub(crate) fn currency_of(operation: &Operation) -> Result<Currency> {
    operation.currency.ok_or_else(|| corrupt(format!("{} moves value without a currency", operation.id)))
}

/// An account as the roll-up keeps it: all cards of a program are one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    kind: i64,
    reference: i64,
}

#[derive(Clone, Copy, Default)]
struct Totals {
    debits: i64,
    credits: i64,
}

fn add(sum: &mut i64, amount: i64) -> Result<()> {
    *sum = sum.checked_add(amount).ok_or_else(|| corrupt("a total exceeds 64 bits"))?;
    Ok(())
}

/// Where the roll-up is: the transaction, as text because it is wider than a signed integer, and the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) xid: String,
    pub(crate) id: i64,
}

pub(crate) const CURSOR: &str = "SELECT xid::text, position FROM job_cursor WHERE name = 'roll_up'";

pub(crate) fn read_cursor(rows: &[Row]) -> Result<Cursor> {
    let Some(row) = rows.first() else { return Ok(Cursor { xid: "0".to_owned(), id: -1 }) };
    let mut f = Fields::new(row);
    Ok(Cursor { xid: f.text()?.to_owned(), id: f.int()? })
}

/// Both sides of the transfers of `$moved`, each with its account as the roll-up keeps it. Value moves
/// between cards of one program only, so the operation's program is both cards'.
macro_rules! sides {
    () => {
        "SELECT m.issuer_id, m.debit_kind AS kind, CASE WHEN m.debit_kind = 1 THEN coalesce(m.program_id, \
             (SELECT c.program_id FROM card c WHERE c.id = m.debit_ref)) ELSE m.debit_ref END AS ref, \
             m.id, m.currency, m.amount AS debits, 0::bigint AS credits FROM moved m \
         UNION ALL \
         SELECT m.issuer_id, m.credit_kind, CASE WHEN m.credit_kind = 1 THEN coalesce(m.program_id, \
             (SELECT c.program_id FROM card c WHERE c.id = m.credit_ref)) ELSE m.credit_ref END, \
             m.id, m.currency, 0::bigint, m.amount FROM moved m"
    };
}

/// One step of the roll-up: from (`$1`, `$2`) on, at most `$3` operations. Says how many, and where it ended.
const STEP: &str = concat!(
    "WITH step AS MATERIALIZED ( \
         SELECT o.id, o.xid, o.card_id, o.issuer_id, o.program_id, o.currency FROM operation o \
         WHERE (o.xid, o.id) > ($1::text::xid8, $2::bigint) \
             AND o.xid < pg_snapshot_xmin(pg_current_snapshot()) \
         ORDER BY o.xid, o.id LIMIT $3), \
     moved AS ( \
         SELECT s.id, s.issuer_id, s.program_id, s.currency, t.debit_kind, t.debit_ref, t.credit_kind, \
             t.credit_ref, t.amount \
         FROM step s JOIN transfer t ON t.operation_id = s.id AND t.card_id = s.card_id), \
     sides AS (",
    sides!(),
    "), \
     written AS ( \
         INSERT INTO account_rollup (issuer_id, kind, ref, hour, currency, debits, credits) \
         SELECT issuer_id, kind, ref, (id >> 22) / 3600000, currency, sum(debits)::bigint, \
             sum(credits)::bigint \
         FROM sides GROUP BY 1, 2, 3, 4, 5 \
         ON CONFLICT (issuer_id, kind, ref, hour, currency) DO UPDATE SET \
             debits = account_rollup.debits + excluded.debits, \
             credits = account_rollup.credits + excluded.credits) \
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
        let move_on = "UPDATE job_cursor SET xid = $1::text::xid8, position = $2 WHERE name = 'roll_up'";
        writing.query(move_on, &[&to.xid, &to.id]).await?;
        writing.commit().await?;
    }
    Ok(RollUp { operations, behind })
}

/// Steps come one after the other, on all nodes.
async fn lock_cursor(writing: &Writing) -> Result<Cursor> {
    let begin =
        "INSERT INTO job_cursor (name, xid, position) VALUES ('roll_up', '0', -1) ON CONFLICT DO NOTHING";
    writing.query(begin, &[]).await?;
    let lock = "SELECT xid::text, position FROM job_cursor WHERE name = 'roll_up' FOR UPDATE";
    read_cursor(&writing.query(lock, &[]).await?)
}

fn without_currency(failed: Failed) -> storage::StorageError {
    match failed.error {
        storage::StorageError::Conflict { what: "not_null" } => {
            corrupt("an operation moves value without a currency")
        }
        other => other,
    }
}

/// Which part of the answer comes from the roll-up, and which from the log.
struct Split {
    /// Hours before this one come from the roll-up, and from operations that it has not yet taken in.
    before_hour: i64,
    /// Operations from this id on come from the log …
    from: i64,
    /// … and below this id, as far as they happened before the moment asked for.
    below: i64,
    until: i64,
}

fn split(at: Option<Timestamp>) -> Split {
    let Some(at) = at else {
        return Split { before_hour: i64::MAX, from: i64::MAX, below: i64::MAX, until: i64::MAX };
    };
    let below = floor_of(at.plus_seconds(SLACK_SECONDS)).saturating_add(1);
    let hour = hour_of(floor_of(at.plus_seconds(-SLACK_SECONDS)));
    Split { before_hour: hour, from: first_id_of(hour), below, until: at.micros() }
}

const ROLLED_UP: &str = "SELECT kind, ref, currency, sum(debits)::bigint, sum(credits)::bigint \
     FROM account_rollup WHERE issuer_id = $1 AND hour < $2 AND ($3::smallint IS NULL OR kind = $3) \
     AND ($4::bigint IS NULL OR ref = $4) \
     GROUP BY 1, 2, 3";

/// What is not in the roll-up (after the cursor `$2`, `$3`, below id `$4`), and what is in hours that do not
/// count whole (from `$4` on). Below id `$5`, before `$6`; of one account, or of all.
const FROM_LOG: &str = concat!(
    "WITH wanted AS ( \
         SELECT o.id, o.card_id, o.issuer_id, o.program_id, o.currency FROM operation o \
         WHERE (o.xid, o.id) > ($2::text::xid8, $3::bigint) AND o.id < $4 \
             AND o.id < $5 AND o.at < $6 AND o.issuer_id = $1 \
         UNION ALL \
         SELECT o.id, o.card_id, o.issuer_id, o.program_id, o.currency FROM operation o \
         WHERE o.id >= $4 AND o.id < $5 AND o.at < $6 AND o.issuer_id = $1), \
     moved AS ( \
         SELECT w.id, w.issuer_id, w.program_id, w.currency, t.debit_kind, t.debit_ref, t.credit_kind, \
             t.credit_ref, t.amount \
         FROM wanted w JOIN transfer t ON t.operation_id = w.id AND t.card_id = w.card_id), \
     sides AS (",
    sides!(),
    ") \
     SELECT kind, ref, currency, sum(debits)::bigint, sum(credits)::bigint FROM sides \
     WHERE ($7::smallint IS NULL OR kind = $7) AND ($8::bigint IS NULL OR ref = $8) GROUP BY 1, 2, 3"
);

type Sums = BTreeMap<(Line, Code), Totals>;

async fn sums(
    reading: &Reading,
    issuer: IssuerId,
    kind: Option<i64>,
    reference: Option<i64>,
    at: Option<Timestamp>,
) -> Result<Sums> {
    let split = split(at);
    let kind = kind.and_then(|kind| i16::try_from(kind).ok());
    let cursor = read_cursor(&reading.query(CURSOR, &[]).await?)?;
    let mut sums = Sums::new();
    let params: [Param<'_>; 4] = [&issuer.get(), &split.before_hour, &kind, &reference];
    add_rows(&mut sums, &reading.query(ROLLED_UP, &params).await?)?;
    let params: [Param<'_>; 8] =
        [&issuer.get(), &cursor.xid, &cursor.id, &split.from, &split.below, &split.until, &kind, &reference];
    add_rows(&mut sums, &reading.query(FROM_LOG, &params).await?)?;
    Ok(sums)
}

fn add_rows(sums: &mut Sums, rows: &[Row]) -> Result<()> {
    for row in rows {
        let mut f = Fields::new(row);
        let line = Line { kind: f.int()?, reference: f.int()? };
        let totals = sums.entry((line, currency_code(&mut f)?)).or_default();
        add(&mut totals.debits, f.int()?)?;
        add(&mut totals.credits, f.int()?)?;
    }
    Ok(())
}

/// The transfers of the ids from `$1` to below `$2` as far as the roll-up has them (to `$3`, `$4`), by account,
/// beside what the roll-up says of the hour `$5`. By key, like the embedded store: see its note.
const HOUR: &str = concat!(
    "WITH wanted AS ( \
         SELECT o.id, o.card_id, o.issuer_id, o.program_id, o.currency FROM operation o \
         WHERE o.id >= $1 AND o.id < $2 AND (o.xid, o.id) <= ($3::text::xid8, $4::bigint)), \
     moved AS ( \
         SELECT w.id, w.issuer_id, w.program_id, w.currency, t.debit_kind, t.debit_ref, t.credit_kind, \
             t.credit_ref, t.amount \
         FROM wanted w JOIN transfer t ON t.operation_id = w.id AND t.card_id = w.card_id), \
     sides AS (",
    sides!(),
    "), \
     folded AS ( \
         SELECT issuer_id, kind, ref, currency, sum(credits - debits)::bigint AS net, count(*) AS sides \
         FROM sides WHERE kind <> 1 GROUP BY 1, 2, 3, 4) \
     SELECT f.issuer_id, f.kind, f.ref, f.currency, f.net, \
         coalesce((SELECT r.credits - r.debits FROM account_rollup r WHERE r.issuer_id = f.issuer_id \
             AND r.kind = f.kind AND r.ref = f.ref AND r.hour = $5 AND r.currency = f.currency), 0), \
         (SELECT count(*) FROM moved) \
     FROM folded f"
);

/// Adds the transfers of an hour up again, as far as the roll-up has taken them in, and compares.
pub(crate) async fn check_hour(store: &PostgresStore, hour: i64) -> Result<HourCheck> {
    let reading = store.reading(Scope::All).await?;
    let cursor = read_cursor(&reading.query(CURSOR, &[]).await?)?;
    let (from, below) = (first_id_of(hour), first_id_of(hour.saturating_add(1)));
    let params: [Param<'_>; 5] = [&from, &below, &cursor.xid, &cursor.id, &hour];
    let rows = reading.query(HOUR, &params).await?;
    reading.finish().await?;
    let mut check =
        HourCheck { accounts: u64::try_from(rows.len()).unwrap_or(u64::MAX), ..HourCheck::default() };
    for row in &rows {
        let mut f = Fields::new(row);
        let (issuer, kind, reference) =
            (IssuerId::new(f.int()?), f.coded(AccountKind::from_number)?, f.int()?);
        let currency = f.named(|code| Currency::parse(code).ok())?;
        let (transfers, rolled_up) = (f.int()?, f.int()?);
        check.transfers = f.narrow()?;
        if transfers != rolled_up {
            let account = Account::from_stored(kind, reference)
                .ok_or_else(|| corrupt("the roll-up names an account that does not exist"))?;
            check.mismatches.push(Mismatch { issuer, account, currency, transfers, rolled_up });
        }
    }
    Ok(check)
}

/// The totals of all accounts of an issuer, or of those of one kind, in each currency.
pub(crate) async fn balances(
    store: &PostgresStore,
    issuer: IssuerId,
    only: Option<AccountKind>,
    at: Option<Timestamp>,
) -> Result<Vec<BalanceLine>> {
    let reading = store.reading(Scope::One(issuer)).await?;
    let sums = sums(&reading, issuer, only.map(AccountKind::number), None, at).await?;
    reading.finish().await?;
    let mut lines = Vec::with_capacity(sums.len());
    for ((line, code), Totals { debits, credits }) in sums {
        lines.push(BalanceLine { line: ledger_line(line)?, currency: currency(code)?, debits, credits });
    }
    lines.sort_by_key(|line| (line.line, line.currency));
    Ok(lines)
}

/// The line that is stored under this kind and reference.
pub(crate) fn line(kind: i64, reference: i64) -> Result<LedgerLine> {
    ledger_line(Line { kind, reference })
}

fn ledger_line(line: Line) -> Result<LedgerLine> {
    let kind = AccountKind::from_number(line.kind);
    let kind = kind.ok_or_else(|| corrupt(format!("account kind {} is unknown", line.kind)))?;
    if kind == AccountKind::Card {
        return Ok(LedgerLine::Cards(ProgramId::new(line.reference)));
    }
    transfer::account(kind, line.reference).map(LedgerLine::Account)
}

const fn in_currency(currency: Currency, Totals { debits, credits }: Totals) -> AccountTotals {
    AccountTotals { currency, debits, credits }
}

/// The totals of one account, in each currency.
pub(crate) async fn account_totals(
    store: &PostgresStore,
    issuer: IssuerId,
    account: Account,
    at: Option<Timestamp>,
) -> Result<Vec<AccountTotals>> {
    let reading = store.reading(Scope::One(issuer)).await?;
    let totals = if let Account::Card(card) = account {
        card_totals(&reading, card, at).await?
    } else {
        let (kind, reference) = (account.kind().number(), account.reference());
        let sums = sums(&reading, issuer, Some(kind), Some(reference), at).await?;
        let named = |((_, code), totals)| Ok(in_currency(currency(code)?, totals));
        sums.into_iter().map(named).collect::<Result<_>>()?
    };
    reading.finish().await?;
    Ok(totals)
}

/// A card's own totals are in no roll-up: its chain leads to all its transfers.
async fn card_totals(reading: &Reading, card: CardId, at: Option<Timestamp>) -> Result<Vec<AccountTotals>> {
    let account = Account::Card(card);
    let mut totals: BTreeMap<Currency, Totals> = BTreeMap::new();
    let mut chain = Chain::new(reading, card, None).await?;
    loop {
        let operations = chain.next(reading).await?;
        if operations.is_empty() {
            break;
        }
        let counted: BTreeMap<OperationId, &Operation> =
            operations.iter().filter(|o| at.is_none_or(|at| o.at < at)).map(|o| (o.id, o)).collect();
        let ids: Vec<i64> = counted.keys().map(|id| id.get()).collect();
        for row in &reading.query(transfer::OF_OPERATIONS, &[&ids]).await? {
            let transfer = transfer::read_row(row)?;
            let Some(operation) = counted.get(&transfer.operation) else { continue };
            if transfer.debit != account && transfer.credit != account {
                continue;
            }
            let totals = totals.entry(currency_of(operation)?).or_default();
            if transfer.debit == account {
                add(&mut totals.debits, transfer.amount.get())?;
            }
            if transfer.credit == account {
                add(&mut totals.credits, transfer.amount.get())?;
            }
        }
    }
    Ok(totals.into_iter().map(|(currency, totals)| in_currency(currency, totals)).collect())
}
