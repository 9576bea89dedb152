//! Checking every invariant on one snapshot.
//!
//! Nothing is held in memory that grows with the number of cards or operations: each check merges streams
//! that PostgreSQL sorts, on disk where they are large. It reads the log about five times, in order.

mod cards;
mod links;
mod log;
mod reconciliation;
mod settlement;
mod stream;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use domain::{IssuerId, ProgramId, program::Rules};
use storage::{Audit, AuditReport, Result, StorageError, Violation};
use tokio_postgres::{IsolationLevel, Transaction};

use crate::{
    PostgresStore,
    error::IntoStorage,
    fields::Fields,
    ledger,
    store::{SET_SCOPE, Scope},
};

/// The most violations that are reported of one invariant.
const MAX_REPORTED: usize = 20;

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
impl Audit for PostgresStore {
    async fn audit(&self) -> Result<AuditReport> {
        let mut session = self.inner.reader().await?;
        session.dirty();
        let report = on_a_snapshot(session.client_mut()).await;
        let report = self.inner.note(report)?;
        session.clean();
        Ok(report)
    }
}

async fn on_a_snapshot(client: &mut tokio_postgres::Client) -> Result<AuditReport> {
    let begin = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let tx = begin.start().await.stored()?;
    tx.query(SET_SCOPE, &[&Scope::All.setting()]).await.stored()?;
    // A large log takes longer to sort than any question of a screen may.
    tx.batch_execute("SET LOCAL statement_timeout = 0").await.stored()?;
    let report = run(&tx).await?;
    tx.commit().await.stored()?;
    Ok(report)
}

async fn run(tx: &Transaction<'_>) -> Result<AuditReport> {
    let mut findings = Findings::default();
    let mut report = AuditReport::default();
    let caps = caps(tx).await?;
    let on_cards = log::check(tx, &caps, &mut report, &mut findings).await?;
    let posted = cards::check(tx, &currencies(tx).await?, &mut report, &mut findings).await?;
    compare_issued(&posted, &on_cards, &mut findings);
    links::check(tx, &mut findings).await?;
    let limit = i64::try_from(MAX_REPORTED).unwrap_or(i64::MAX);
    for line in crate::accounting::differences(tx, limit).await? {
        findings.note("journal_matches_log", line, "is not what the log adds up to");
    }
    settlement::check(tx, &mut findings).await?;
    reconciliation::check(tx, &mut findings).await?;
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
async fn currencies(tx: &Transaction<'_>) -> Result<BTreeMap<i64, ledger::Code>> {
    let mut currencies = BTreeMap::new();
    for row in tx.query("SELECT id, currency FROM program", &[]).await.stored()? {
        let mut fields = Fields::new(&row);
        currencies.insert(fields.int()?, ledger::currency_code(&mut fields)?);
    }
    Ok(currencies)
}

/// The balance caps of programs whose rules were never changed: only there is it known which cap an
/// operation was decided under.
async fn caps(tx: &Transaction<'_>) -> Result<BTreeMap<i64, i64>> {
    let mut caps = BTreeMap::new();
    for row in tx.query("SELECT id, rules FROM program WHERE version = 1", &[]).await.stored()? {
        let mut fields = Fields::new(&row);
        let id = fields.int()?;
        let rules: Rules = serde_json::from_str(fields.text()?).map_err(|error| {
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
