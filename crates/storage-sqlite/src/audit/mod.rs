//! Checking every invariant on one snapshot.
//!
//! Nothing is held in memory that grows with the number of cards or operations: each check merges streams
//! that SQLite sorts, on disk where they are large. It reads the log about five times, in order.

mod cards;
mod links;
mod log;
mod reconciliation;
mod settlement;
mod stream;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use domain::{IssuerId, ProgramId, program::Rules};
use rusqlite::Connection;
use storage::{Audit, AuditReport, Result, StorageError, Violation};

use crate::{
    Options, SqliteStore,
    connect::{self, Role},
    error::IntoStorage,
    fields::Fields,
    ledger,
    readers::blocking,
};

/// The most violations that are reported of one invariant.
const MAX_REPORTED: usize = 20;
/// The page cache of the audit's connection, in KiB.
const CACHE_KIB: u32 = 16 * 1024;

/// All invariants, in the order of the report.
const INVARIANTS: [&str; 25] = [
    "transfers_balance",
    "declined_moves_nothing",
    "postings_keep_to_their_accounts",
    "balance_within_cap",
    "roll_up_matches_log",
    "journal_matches_log",
    "rows_are_readable",
    "lots_match_transfers",
    "posted_is_sum_of_lots",
    "no_negative_balance",
    "held_matches_open_holds",
    "operation_chain",
    "last_operation_states_card",
    "issued_equation",
    "refunds_within_approved",
    "hold_state",
    "one_effect_per_key",
    "lines_match_log",
    "statements_match_lines",
    "statement_digests",
    "payouts_were_posted",
    "accounts_match_statements",
    "reconciliations_match_lines",
    "differences_match_events",
    "corrections_were_posted",
];

#[async_trait]
impl Audit for SqliteStore {
    async fn audit(&self) -> Result<AuditReport> {
        let path = self.inner.path.clone();
        let view = self.inner.checkpoints.long_view();
        let result = blocking(move || {
            let _view = view;
            let options = Options { reader_cache_kib: CACHE_KIB, ..Options::default() };
            let connection = connect::open(&path, &options, Role::Read)?;
            // Sorting a large log must not take memory: let it spill to a file.
            connection.pragma_update(None, "temp_store", "FILE").stored()?;
            let transaction = connection.unchecked_transaction().stored()?;
            run(&transaction)
        });
        let result = result.await;
        self.inner.health.note(result)
    }
}

fn run(connection: &Connection) -> Result<AuditReport> {
    let mut findings = Findings::default();
    let mut report = AuditReport::default();
    let caps = caps(connection)?;
    let on_cards = log::check(connection, &caps, &mut report, &mut findings)?;
    let posted = cards::check(connection, &currencies(connection)?, &mut report, &mut findings)?;
    compare_issued(&posted, &on_cards, &mut findings);
    links::check(connection, &mut findings)?;
    let limit = i64::try_from(MAX_REPORTED).unwrap_or(i64::MAX);
    for line in crate::accounting::differences(connection, limit)? {
        findings.note("journal_matches_log", line, "is not what the log adds up to");
    }
    settlement::check(connection, &mut findings)?;
    reconciliation::check(connection, &mut findings)?;
    report.checked = INVARIANTS.to_vec();
    report.violations = findings.into_violations();
    Ok(report)
}

/// Sums by issuer and currency.
pub(crate) type ByCurrency = BTreeMap<(i64, ledger::Code), i64>;

fn compare_issued(posted: &ByCurrency, on_cards: &ByCurrency, findings: &mut Findings) {
    for key in on_cards.keys().chain(posted.keys()).collect::<BTreeSet<_>>() {
        let of = |sums: &ByCurrency| sums.get(key).copied().unwrap_or(0);
        let name = || format!("{} in {}", IssuerId::new(key.0), key.1.escape_ascii());
        findings.compare("issued_equation", name, of(posted), of(on_cards));
    }
}

/// The currency of each program.
fn currencies(connection: &Connection) -> Result<BTreeMap<i64, ledger::Code>> {
    let mut statement = connection.prepare("SELECT id, currency FROM program").stored()?;
    let mut rows = statement.query([]).stored()?;
    let mut currencies = BTreeMap::new();
    while let Some(row) = rows.next().stored()? {
        let mut fields = Fields::new(row);
        currencies.insert(fields.int()?, ledger::currency_code(&mut fields)?);
    }
    Ok(currencies)
}

/// The balance caps of programs whose rules were never changed: only there is it known which cap an
/// operation was decided under.
fn caps(connection: &Connection) -> Result<BTreeMap<i64, i64>> {
    let mut statement = connection.prepare("SELECT id, rules FROM program WHERE version = 1").stored()?;
    let mut rows = statement.query([]).stored()?;
    let mut caps = BTreeMap::new();
    while let Some(row) = rows.next().stored()? {
        let (id, rules): (i64, String) = (row.get(0).stored()?, row.get(1).stored()?);
        let rules: Rules = serde_json::from_str(&rules).map_err(|error| {
            StorageError::Corrupt(format!("the rules of {} do not parse: {error}", ProgramId::new(id)))
        })?;
        if let Some(cap) = rules.balance_cap {
            caps.insert(id, cap.get());
        }
    }
    Ok(caps)
}

/// What was found, by invariant, the first few of each.
#[derive(Default)]
pub(crate) struct Findings {
    found: BTreeMap<&'static str, Vec<(String, String)>>,
}

impl Findings {
    /// Notes a violation.
    pub(crate) fn note(
        &mut self,
        invariant: &'static str,
        subject: impl Into<String>,
        detail: impl Into<String>,
    ) {
        debug_assert!(INVARIANTS.contains(&invariant));
        let of_it = self.found.entry(invariant).or_default();
        if of_it.len() < MAX_REPORTED {
            of_it.push((subject.into(), detail.into()));
        }
    }

    /// Notes the subject where the two differ.
    pub(crate) fn compare(
        &mut self,
        invariant: &'static str,
        subject: impl FnOnce() -> String,
        stored: i64,
        by_log: i64,
    ) {
        if stored != by_log {
            self.note(invariant, subject(), format!("stored {stored}, by the log {by_log}"));
        }
    }

    fn into_violations(mut self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for invariant in INVARIANTS {
            for (subject, detail) in self.found.remove(invariant).unwrap_or_default() {
                violations.push(Violation { invariant, subject, detail });
            }
        }
        violations
    }
}

/// Adds in a wider range than any sum that is compared, so that damaged data cannot overflow it unseen.
pub(crate) fn add(sum: &mut i64, amount: i64) {
    *sum = sum.saturating_add(amount);
}
