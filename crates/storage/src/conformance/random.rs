//! Random commands on a store in batches of random sizes, and the same one by one on the store in memory:
//! answers, cards, holds and books must be the same. That is at once "every store decides alike" and "a
//! batch equals one by one".

use std::collections::BTreeSet;

use domain::{Catalog, Operation, OperationId, Timestamp};
use proptest::{
    collection::vec,
    prelude::{Strategy, any},
    test_runner::{Config, TestRunner},
};

use super::{
    Fresh,
    accounting::ALL_DAYS,
    commands::{self, Step},
    scenario::{Asked, Outcome, run},
    world::{ISSUER, everything, insert, pages, settle},
};
use crate::{Store, TransferFilter, memory::MemoryStore};

/// Sequences tried, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 40;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (any::<u8>(), any::<u8>(), any::<u8>(), any::<u16>(), any::<u8>(), any::<u8>());
    let step = step.prop_map(|(what, card, other, amount, flags, wait)| Step {
        what,
        card,
        other,
        amount,
        flags,
        wait,
    });
    vec(step, 1..120)
}

/// Runs random sequences. Brings its own runtime, so it is called from an ordinary test.
pub fn random_commands_agree<F, Fut>(fresh: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = Fresh>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut config = Config { failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    let sequences = (steps(), vec(1..40_usize, 1..12));
    let result = TestRunner::new(config).run(&sequences, |(steps, sizes)| {
        runtime.block_on(async { agree(fresh().await, &commands::requests(&steps), &sizes).await });
        Ok(())
    });
    if let Err(found) = result {
        panic!("{found}");
    }
}

async fn agree(fresh: Fresh, asked: &[Asked], sizes: &[usize]) {
    let (store, memory) = (fresh.store.as_ref(), MemoryStore::new());
    let batched = start_and_run(store, asked, sizes).await;
    let single = start_and_run(&memory, asked, &[1]).await;
    assert_eq!(batched.answers, single.answers, "in batches of {sizes:?} as one by one");
    assert_same_cards(store, &memory).await;
    assert_same_log(store, &memory).await;
    assert_same_books(store, &memory, asked).await;
    assert_clean(store, &batched).await;
    assert_clean(&memory, &single).await;
}

async fn start_and_run(store: &dyn Store, asked: &[Asked], sizes: &[usize]) -> Outcome {
    settle(store).await;
    insert(store, &commands::cards()).await;
    let catalog: Catalog = store.load_catalog().await.expect("a catalog");
    run(store, &catalog, asked, sizes).await
}

async fn assert_same_cards(store: &dyn Store, memory: &MemoryStore) {
    let memory: &dyn Store = memory;
    for card in commands::cards() {
        let (found, expected) = (store.card(card.id).await, memory.card(card.id).await);
        assert_eq!(found.expect("a card"), expected.expect("a card"));
        let (found, expected) = (store.holds_of(card.id, 500).await, memory.holds_of(card.id, 500).await);
        assert_eq!(found.expect("holds"), expected.expect("holds"));
    }
}

async fn assert_same_log(store: &dyn Store, memory: &MemoryStore) {
    let memory: &dyn Store = memory;
    assert_eq!(operations(store, 7).await, operations(memory, 1_000).await);
    let filter = TransferFilter { issuer: ISSUER, account: None, operation: None, from: None, to: None };
    let (found, expected) =
        (store.transfers(&filter, None, 5_000).await, memory.transfers(&filter, None, 5_000).await);
    assert_eq!(found.expect("transfers"), expected.expect("transfers"));
}

async fn operations(store: &dyn Store, limit: usize) -> Vec<Operation> {
    let filter = everything(ISSUER);
    let page = |before: Option<i64>| {
        let filter = &filter;
        async move { store.operations(filter, before.map(OperationId::new), limit).await }
    };
    pages(page).await.concat()
}

async fn assert_same_books(store: &dyn Store, memory: &MemoryStore, asked: &[Asked]) {
    let memory: &dyn Store = memory;
    let half = asked[asked.len() / 2].now;
    for at in [None, Some(half), Some(Timestamp::from_micros(half.micros() + 1))] {
        let found = store.trial_balance(ISSUER, at).await.expect("a trial balance");
        let expected = memory.trial_balance(ISSUER, at).await.expect("a trial balance");
        let sorted = |lines: Vec<crate::BalanceLine>| {
            lines.into_iter().map(|l| (l.line, l.currency, l.debits, l.credits)).collect::<BTreeSet<_>>()
        };
        assert_eq!(sorted(found), sorted(expected), "at {at:?}");
    }
    let found = store.journal(ISSUER, ALL_DAYS).await.expect("a journal");
    assert_eq!(found, memory.journal(ISSUER, ALL_DAYS).await.expect("a journal"));
}

async fn assert_clean(store: &dyn Store, outcome: &Outcome) {
    let report = store.audit().await.expect("a report");
    assert_eq!(report.violations, Vec::new());
    assert_eq!(report.totals, outcome.totals());
}
