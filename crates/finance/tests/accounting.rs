//! Accounting over a store: after any history the roll-forward closes to the ledger to the cent, and a worked
//! example comes out as it was worked out by hand.

use std::sync::Arc;

use domain::{BusinessDate, ClientId, Currency, IssuerId, Timestamp, account::AccountKind};
use finance::accounting::{
    Accounting,
    chart::{Chart, journal_table},
    liability::{Change, Liability},
};
use proptest::{prelude::*, test_runner::Config};
use storage::{Days, Store, conformance::populate, memory::MemoryStore};

/// The issuer of the small world that [`populate`] fills.
const ISSUER: IssuerId = IssuerId::new(101);

async fn books(store: &Arc<dyn Store>) -> Accounting {
    let catalog = Arc::new(store.load_catalog().await.expect("a catalog"));
    let now = Timestamp::parse_rfc3339("2026-04-30T00:00:00Z").expect("a moment");
    Accounting::of(Arc::clone(store), catalog, ISSUER, now).expect("an issuer")
}

fn march(day: i32) -> BusinessDate {
    BusinessDate::from_stored(20_260_300 + day)
}

/// Whatever happened, over whatever days: each liability's opening and changes are its closing, each period
/// begins where the one before ended, and the last one ends with what the ledger says now.
async fn closes(seed: u64, cuts: &[i32]) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    populate(store.as_ref(), seed).await;
    let accounting = books(&store).await;
    let mut last: std::collections::BTreeMap<(Liability, Currency), i64> = std::collections::BTreeMap::new();
    let mut from = 1;
    let mut moved = 0;
    for to in cuts.iter().copied().chain([31]) {
        if to < from {
            continue;
        }
        let lines = accounting.liability(Days { from: march(from), to: march(to) }).await.expect("a report");
        for line in &lines {
            let key = (line.liability, line.currency);
            assert_eq!(line.difference(), 0, "seed {seed}, {from} to {to}: {line:?}");
            assert_eq!(line.opening, last.get(&key).copied().unwrap_or(0), "seed {seed}, {from}: {line:?}");
            moved += line.changes.iter().map(|change| change.abs()).sum::<i64>();
            last.insert(key, line.closing);
        }
        from = to + 1;
    }
    assert!(moved > 0, "seed {seed} moves something");
    for (kind, of) in [(AccountKind::Card, true), (AccountKind::Residual, false)] {
        let now = store.trial_balance(ISSUER, None).await.expect("a trial balance");
        let ledger: i64 =
            now.iter().filter(|line| line.line.kind() == kind).map(|line| line.credits - line.debits).sum();
        let rolled: i64 = last
            .iter()
            .filter(|((liability, _), _)| matches!(liability, Liability::Cards(_)) == of)
            .map(|(_, closing)| closing)
            .sum();
        assert_eq!(rolled, ledger, "seed {seed}: {kind:?} at the end");
    }
    let aged = accounting.ageing().await.expect("an ageing");
    let on_cards: i64 = last
        .iter()
        .filter(|((liability, _), _)| matches!(liability, Liability::Cards(_)))
        .map(|(_, closing)| closing)
        .sum();
    assert_eq!(aged.iter().map(|value| value.remaining).sum::<i64>(), on_cards, "seed {seed}: by age");
}

#[test]
fn the_roll_forward_closes_to_the_ledger_after_any_history() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    proptest!(config, |(seed in any::<u64>(), cuts in prop::collection::vec(1..31_i32, 0..4))| {
        runtime.block_on(closes(seed, &cuts));
    });
}

/// The journal of all days debits and credits each account as the ledger says.
#[tokio::test]
async fn the_exported_journal_is_the_ledger() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    populate(store.as_ref(), 7).await;
    let accounting = books(&store).await;
    let chart = Chart(
        [("card".to_owned(), gl("2205")), ("merchant:mer_000000000009d".to_owned(), gl("6001"))].into(),
    );
    accounting.set(&chart, ClientId::new(601)).await.expect("set");
    let mut export = accounting.journal(Days { from: march(1), to: march(31) }).await.expect("a journal");
    let mut sums = std::collections::BTreeMap::<String, (i64, i64)>::new();
    let mut days = 0;
    while let Some(entries) = export.next().await.expect("entries") {
        days += 1;
        assert!(entries.iter().all(|entry| entry.day == entries[0].day), "a day at a time");
        assert_eq!(journal_table(&entries).rows.len(), entries.len());
        for entry in entries {
            sums.entry(entry.debit.0.clone()).or_default().0 += entry.amount;
            sums.entry(entry.credit.0.clone()).or_default().1 += entry.amount;
        }
    }
    assert!(days > 1, "{days} days");
    let ledger = store.trial_balance(ISSUER, None).await.expect("a trial balance");
    assert_eq!(ledger.len(), sums.len());
    for line in ledger {
        let name = finance::accounting::chart::name_of(line.line);
        assert_eq!(sums[&name], (line.debits, line.credits), "{name}");
    }
}

fn gl(code: &str) -> finance::accounting::chart::GlAccount {
    finance::accounting::chart::GlAccount { code: code.to_owned(), name: "x".to_owned() }
}

#[tokio::test]
async fn tables_have_a_text_for_every_column() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    populate(store.as_ref(), 3).await;
    let accounting = books(&store).await;
    let days = Days { from: march(1), to: march(31) };
    let liability = accounting.liability(days).await.expect("a report");
    assert!(liability.iter().any(|line| line.change(Change::Redeemed) != 0));
    let aged = accounting.ageing().await.expect("an ageing");
    let breakage = accounting.breakage(march(31)).await.expect("a report");
    assert!(breakage.iter().all(|line| line.estimate.is_none()), "off until finance turns it on");
    let tables = [
        accounting.liability_table(&liability),
        accounting.ageing_table(&aged),
        accounting.breakage_table(&breakage),
    ];
    for table in tables {
        assert!(!table.rows.is_empty(), "{}", table.name);
        assert!(table.rows.iter().all(|row| row.len() == table.columns.len()), "{}", table.name);
    }
}
