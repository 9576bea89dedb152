//! Totals of accounts: hourly roll-ups that a job derives from the log, plus the log's tail (decision
//! 0003). Exact at any moment, present or past.

use std::collections::BTreeMap;

use domain::{
    Account, CardId, Currency, IssuerId, Operation, ProgramId, Timestamp,
    account::AccountKind,
    ids::{SHIFT, floor_of},
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use storage::{AccountTotals, BalanceLine, HourCheck, LedgerLine, Mismatch, Result, RollUp, StorageError};

use crate::{
    SqliteStore,
    error::{IntoStorage, corrupt},
    fields::Fields,
    jobs::clamp,
    queries::Chain,
    rows::transfer,
};

/// The job whose cursor says how far the roll-up is.
const ROLL_UP: &str = "roll_up";
const MILLIS_PER_HOUR: i64 = 3_600_000;
/// Ids may run this far ahead of or behind the times of their operations.
pub(crate) const SLACK_SECONDS: i64 = 1;

/// The hour of an id, counted from where ids begin.
const fn hour_of(id: i64) -> i64 {
    (id >> SHIFT) / MILLIS_PER_HOUR
}

const fn first_id_of(hour: i64) -> i64 {
    hour.saturating_mul(MILLIS_PER_HOUR).saturating_mul(1 << SHIFT)
}

/// A currency code as it is stored, so that a scan of the log compares three bytes and looks nothing up.
pub(crate) type Code = [u8; 3];

/// Reads a currency code. Whatever moved value has one.
pub(crate) fn currency_code(fields: &mut Fields<'_, '_>) -> Result<Code> {
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

pub(crate) fn add(sum: &mut i64, amount: i64) -> Result<()> {
    *sum = sum.checked_add(amount).ok_or_else(|| corrupt("a total exceeds 64 bits"))?;
    Ok(())
}

/// A transfer as far as totals need it.
struct Move {
    operation: i64,
    issuer: i64,
    at: i64,
    currency: Code,
    debit: Line,
    credit: Line,
    amount: i64,
}

/// Transfers by operation, over a range of ids above `?1` and below `?2`.
const MOVES: &str = "SELECT t.operation_id, o.issuer_id, o.at, o.currency, o.program_id, t.debit_kind, t.debit_ref, \
     t.credit_kind, t.credit_ref, t.amount FROM transfer t CROSS JOIN operation o ON o.id = t.operation_id \
     WHERE t.operation_id > ?1 AND t.operation_id < ?2 ORDER BY t.operation_id";

fn read_move(connection: &Connection, row: &Row<'_>) -> Result<Move> {
    let mut f = Fields::new(row);
    let (operation, issuer, at) = (f.int()?, f.int()?, f.int()?);
    let (currency, program) = (currency_code(&mut f)?, f.opt_int()?);
    let mut line = || -> Result<Line> {
        let (kind, reference) = (f.int()?, f.int()?);
        if kind != AccountKind::Card.number() {
            return Ok(Line { kind, reference });
        }
        // Value moves between cards of one program only, so the operation's program is both cards'.
        let program = program.map_or_else(|| program_of(connection, reference), Ok)?;
        Ok(Line { kind, reference: program })
    };
    let (debit, credit) = (line()?, line()?);
    Ok(Move { operation, issuer, at, currency, debit, credit, amount: f.int()? })
}

/// The program of a card.
pub(crate) fn program_of(connection: &Connection, card: i64) -> Result<i64> {
    let mut statement = connection.prepare_cached("SELECT program_id FROM card WHERE id = ?1").stored()?;
    let found: Option<i64> = statement.query_row([card], |row| row.get(0)).optional().stored()?;
    found.ok_or_else(|| corrupt(format!("a transfer names {}, which does not exist", CardId::new(card))))
}

fn each_move(
    connection: &Connection,
    above: i64,
    below: i64,
    mut take: impl FnMut(&Move) -> Result<()>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(MOVES).stored()?;
    let mut rows = statement.query([above, below]).stored()?;
    while let Some(row) = rows.next().stored()? {
        take(&read_move(connection, row)?)?;
    }
    Ok(())
}

/// The newest operation that the roll-up has taken in; -1 before the first.
pub(crate) fn cursor(connection: &Connection) -> Result<i64> {
    let mut statement =
        connection.prepare_cached("SELECT position FROM job_cursor WHERE name = ?1").stored()?;
    let found: Option<i64> = statement.query_row([ROLL_UP], |row| row.get(0)).optional().stored()?;
    Ok(found.unwrap_or(-1))
}

/// What a step of the roll-up adds.
#[derive(Default)]
struct Step {
    from: i64,
    to: i64,
    operations: u64,
    behind: u64,
    /// By issuer, account, hour and currency.
    totals: BTreeMap<(i64, Line, i64, Code), Totals>,
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
    let totals = &mut step.totals;
    each_move(connection, from, to.saturating_add(1), |m| {
        let hour = hour_of(m.operation);
        add(&mut totals.entry((m.issuer, m.debit, hour, m.currency)).or_default().debits, m.amount)?;
        add(&mut totals.entry((m.issuer, m.credit, hour, m.currency)).or_default().credits, m.amount)
    })?;
    Ok(step)
}

fn write_step(connection: &Connection, step: &Step) -> Result<()> {
    if cursor(connection)? != step.from {
        return Err(StorageError::Busy("another roll-up came first".to_owned()));
    }
    let sql = "INSERT INTO account_rollup (issuer_id, kind, ref, hour, currency, debits, credits) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET \
               debits = debits + excluded.debits, credits = credits + excluded.credits";
    let mut statement = connection.prepare_cached(sql).stored()?;
    for ((issuer, Line { kind, reference }, hour, code), Totals { debits, credits }) in &step.totals {
        let currency = currency(*code)?;
        let values = params![issuer, kind, reference, hour, currency.code(), debits, credits];
        statement.execute(values).stored()?;
    }
    let sql = "INSERT INTO job_cursor (name, position) VALUES (?1, ?2) \
               ON CONFLICT DO UPDATE SET position = excluded.position";
    connection.execute(sql, params![ROLL_UP, step.to]).stored()?;
    Ok(())
}

/// Adds the transfers of an hour up again, as far as the roll-up has taken them in, and compares.
pub(crate) fn check_hour(connection: &Connection, hour: i64) -> Result<HourCheck> {
    let above = first_id_of(hour) - 1;
    let below = first_id_of(hour.saturating_add(1)).min(cursor(connection)?.saturating_add(1));
    let mut check = HourCheck::default();
    let mut folded: BTreeMap<(i64, Line, Code), i64> = BTreeMap::new();
    each_move(connection, above, below, |m| {
        check.transfers += 1;
        add(folded.entry((m.issuer, m.debit, m.currency)).or_default(), -m.amount)?;
        add(folded.entry((m.issuer, m.credit, m.currency)).or_default(), m.amount)
    })?;
    // By key: an index by hour would cost the roll-up a page for each row. What the roll-up has beyond the
    // transfers of the hour is left to `verify`.
    let sql = "SELECT coalesce(sum(credits - debits), 0) FROM account_rollup \
               WHERE issuer_id = ?1 AND kind = ?2 AND ref = ?3 AND hour = ?4 AND currency = ?5";
    let mut statement = connection.prepare_cached(sql).stored()?;
    folded.retain(|(_, line, _), _| line.kind != AccountKind::Card.number());
    check.accounts = u64::try_from(folded.len()).unwrap_or(u64::MAX);
    for ((issuer, line, code), transfers) in folded {
        let currency = currency(code)?;
        let values = params![issuer, line.kind, line.reference, hour, currency.code()];
        let rolled_up: i64 = statement.query_row(values, |row| row.get(0)).stored()?;
        if transfers != rolled_up {
            let kind = AccountKind::from_number(line.kind);
            let account = kind.and_then(|kind| Account::from_stored(kind, line.reference));
            let account =
                account.ok_or_else(|| corrupt("the roll-up names an account that does not exist"))?;
            let issuer = IssuerId::new(issuer);
            check.mismatches.push(Mismatch { issuer, account, currency, transfers, rolled_up });
        }
    }
    Ok(check)
}

/// Which part of the answer comes from the roll-up, and which from the log.
struct Split {
    /// Hours before this one come from the roll-up.
    before_hour: i64,
    /// Operations above this id come from the log …
    above: i64,
    /// … and below this id, as far as they happened before the moment asked for.
    below: i64,
    until: i64,
}

fn split(connection: &Connection, at: Option<Timestamp>) -> Result<Split> {
    let cursor = cursor(connection)?;
    let Some(at) = at else {
        return Ok(Split { before_hour: i64::MAX, above: cursor, below: i64::MAX, until: i64::MAX });
    };
    let below = floor_of(at.plus_seconds(SLACK_SECONDS)).saturating_add(1);
    let until = at.micros();
    let hour = hour_of(floor_of(at.plus_seconds(-SLACK_SECONDS)));
    if hour > hour_of(cursor) || cursor < 0 {
        return Ok(Split { before_hour: i64::MAX, above: cursor, below, until });
    }
    Ok(Split { before_hour: hour, above: first_id_of(hour) - 1, below, until })
}

/// The totals of all accounts of an issuer, or of those of one kind, in each currency.
pub(crate) fn balances(
    connection: &Connection,
    issuer: IssuerId,
    only: Option<AccountKind>,
    at: Option<Timestamp>,
) -> Result<Vec<BalanceLine>> {
    let split = split(connection, at)?;
    let kinds = only.map_or(0..=i64::MAX, |kind| kind.number()..=kind.number());
    let mut totals: BTreeMap<(Line, Code), Totals> = BTreeMap::new();
    let sql = "SELECT kind, ref, currency, debits, credits FROM account_rollup \
               WHERE issuer_id = ?1 AND kind BETWEEN ?2 AND ?3 AND hour < ?4";
    let mut statement = connection.prepare_cached(sql).stored()?;
    let asked = [issuer.get(), *kinds.start(), *kinds.end(), split.before_hour];
    let mut rows = statement.query(asked).stored()?;
    while let Some(row) = rows.next().stored()? {
        let mut f = Fields::new(row);
        let line = Line { kind: f.int()?, reference: f.int()? };
        let line = totals.entry((line, currency_code(&mut f)?)).or_default();
        add(&mut line.debits, f.int()?)?;
        add(&mut line.credits, f.int()?)?;
    }
    each_move(connection, split.above, split.below, |m| {
        if m.issuer != issuer.get() || m.at >= split.until {
            return Ok(());
        }
        if kinds.contains(&m.debit.kind) {
            add(&mut totals.entry((m.debit, m.currency)).or_default().debits, m.amount)?;
        }
        if kinds.contains(&m.credit.kind) {
            add(&mut totals.entry((m.credit, m.currency)).or_default().credits, m.amount)?;
        }
        Ok(())
    })?;
    let mut lines = Vec::with_capacity(totals.len());
    for ((line, code), Totals { debits, credits }) in totals {
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
pub(crate) fn account_totals(
    connection: &Connection,
    issuer: IssuerId,
    account: Account,
    at: Option<Timestamp>,
) -> Result<Vec<AccountTotals>> {
    if let Account::Card(card) = account {
        return card_totals(connection, issuer, card, at);
    }
    let split = split(connection, at)?;
    let line = Line { kind: account.kind().number(), reference: account.reference() };
    let sql = "SELECT currency, debits, credits FROM account_rollup \
               WHERE issuer_id = ?1 AND kind = ?2 AND ref = ?3 AND hour < ?4";
    let mut statement = connection.prepare_cached(sql).stored()?;
    let key = [issuer.get(), line.kind, line.reference, split.before_hour];
    let mut rows = statement.query(key).stored()?;
    let mut totals: BTreeMap<Code, Totals> = BTreeMap::new();
    while let Some(row) = rows.next().stored()? {
        let mut f = Fields::new(row);
        let totals = totals.entry(currency_code(&mut f)?).or_default();
        add(&mut totals.debits, f.int()?)?;
        add(&mut totals.credits, f.int()?)?;
    }
    each_move(connection, split.above, split.below, |m| {
        if m.issuer != issuer.get() || m.at >= split.until {
            return Ok(());
        }
        if m.debit == line {
            add(&mut totals.entry(m.currency).or_default().debits, m.amount)?;
        }
        if m.credit == line {
            add(&mut totals.entry(m.currency).or_default().credits, m.amount)?;
        }
        Ok(())
    })?;
    totals.into_iter().map(|(code, totals)| Ok(in_currency(currency(code)?, totals))).collect()
}

/// A card's own totals are in no roll-up: its chain leads to all its transfers.
fn card_totals(
    connection: &Connection,
    issuer: IssuerId,
    card: CardId,
    at: Option<Timestamp>,
) -> Result<Vec<AccountTotals>> {
    let account = Account::Card(card);
    let mut totals: BTreeMap<Currency, Totals> = BTreeMap::new();
    let mut transfers = connection.prepare_cached(transfer::OF_OPERATION).stored()?;
    let mut chain = Chain::new(connection, card, None)?;
    while let Some(operation) = chain.next(connection)? {
        if operation.issuer != issuer || at.is_some_and(|at| operation.at >= at) {
            continue;
        }
        for transfer in crate::transaction::read_transfers(&mut transfers, operation.id)? {
            if transfer.debit != account && transfer.credit != account {
                continue;
            }
            let totals = totals.entry(currency_of(&operation)?).or_default();
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
