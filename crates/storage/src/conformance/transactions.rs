//! The write path: all needs answered, all or nothing written, nothing written twice, nothing lost
//! between writers.

use std::sync::Arc;

use domain::{
    BusinessDate, Card, CardId, CardState, Operation, OperationKind, Timestamp,
    command::NumberIndex,
    working::{Changes, KeyState, Need, TraceKey, Working},
};

use super::{
    Fresh,
    world::{
        CLIENT, SECOND_CLIENT, SECOND_TERMINAL, START, TERMINAL, after, amount, commit, everything, id_at,
        index_of, insert, key, only, operation, settle, stocked, touch,
    },
};
use crate::{StorageError, Store};

/// Each kind of need, of something that is there and of something that is not, in one call.
pub async fn every_need_is_answered(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let mut card = stocked(11);
    insert(store, &[card.clone(), stocked(12)]).await;
    let id = id_at(START, 1);
    let written = Operation {
        kind: OperationKind::Hold,
        terminal: Some(TERMINAL),
        trace: Some(5),
        hold: Some(domain::HoldId::new(id.get())),
        ..touch(&mut card, id, START)
    };
    let changes = Changes { cards: vec![card.clone()], ..only([written.clone()]) };
    commit(store, &changes).await.expect("committed");
    let trace = TraceKey { terminal: TERMINAL, date: written.business_date, trace: 5 };
    let (no_card, no_operation, no_hold) =
        (CardId::new(99), domain::OperationId::new(99), domain::HoldId::new(99));
    let no_number = NumberIndex([0xEE; 16]);
    let needs = [
        Need::Key(CLIENT, written.key.clone()),
        Need::Key(CLIENT, key("free")),
        Need::Trace(trace),
        Need::Trace(TraceKey { trace: 6, ..trace }),
        Need::Card(card.id),
        Need::Card(no_card),
        Need::Number(vec![index_of(CardId::new(12), 1)]),
        Need::Number(vec![no_number]),
        Need::Operation(id),
        Need::Operation(no_operation),
        Need::Hold(no_hold),
    ];
    let mut working = Working::default();
    let mut transaction = store.begin().await.expect("a transaction");
    transaction.load(&needs, &mut working).await.expect("loaded");
    let written = Arc::new(written);
    assert_eq!(working.keys[&(CLIENT, written.key.clone())], KeyState::Taken(Arc::clone(&written)));
    assert_eq!(working.keys[&(CLIENT, key("free"))], KeyState::Free);
    assert_eq!(working.traces[&trace], Some(Arc::clone(&written)));
    assert_eq!(working.traces[&TraceKey { trace: 6, ..trace }], None);
    assert_eq!(working.cards[&card.id].as_ref(), Some(&card));
    assert_eq!(working.cards[&no_card], None);
    assert_eq!(working.numbers[&index_of(CardId::new(12), 1)], Some(CardId::new(12)));
    assert_eq!(working.cards[&CardId::new(12)].as_ref(), Some(&stocked(12)), "found by number");
    assert_eq!(working.numbers[&no_number], None);
    assert_eq!(working.operations[&id].as_ref().map(|r| &r.operation), Some(&written));
    assert_eq!(working.operations[&no_operation], None);
    assert_eq!(working.holds[&no_hold], None);
    // Reading nothing, and reading on in the same transaction, are both fine.
    transaction.load(&[], &mut working).await.expect("loaded");
    transaction.load(&[Need::Card(CardId::new(12))], &mut working).await.expect("loaded");
}

/// The current index first, then older ones: the first that exists decides.
pub async fn numbers_are_found_by_any_index(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    insert(store, &[stocked(11), stocked(12)]).await;
    let (first, second) = (index_of(CardId::new(11), 1), index_of(CardId::new(12), 1));
    let unknown = |n| NumberIndex([n; 16]);
    let check = async |indexes: &[NumberIndex], expect: Option<i64>| {
        let expect = expect.map(CardId::new);
        let by_query = store.card_by_number(indexes).await.expect("an answer");
        assert_eq!(by_query.map(|card| card.id), expect);
        let mut working = Working::default();
        let mut transaction = store.begin().await.expect("a transaction");
        let need = [Need::Number(indexes.to_vec())];
        transaction.load(&need, &mut working).await.expect("loaded");
        assert_eq!(working.numbers.get(&indexes[0]), Some(&expect), "under the first index");
        if let Some(id) = expect {
            assert_eq!(working.cards[&id].as_ref().map(|card| card.id), Some(id), "under its id as well");
        }
    };
    check(&[first], Some(11)).await;
    check(&[unknown(1), first], Some(11)).await;
    check(&[unknown(1), unknown(2), second], Some(12)).await;
    check(&[first, second], Some(11)).await;
    check(&[second, first], Some(12)).await;
    check(&[unknown(1), unknown(2)], None).await;
}

/// UUID, ULID and other text, each in its stored form, found as the text that it was.
pub async fn keys_of_every_form_are_found(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let texts = [
        "0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f506",
        "0192F3A4-5B6C-7D8E-9FA0-B1C2D3E4F506",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "01arz3ndektsv4rrffq69g5fav",
        "00000000-0000-0000-0000-000000000000",
        "00000000000000000000000000",
        "536365",
        "!",
        "order/2026-03-01#7~'\"",
    ];
    for (text, n) in texts.iter().zip(1..) {
        let written = Operation { key: key(text), ..operation(id_at(after(n), n), after(n)) };
        commit(store, &only([written])).await.expect("committed");
    }
    for (text, n) in texts.iter().zip(1..) {
        let (id, at) = (id_at(after(n), n), after(n));
        let found = store.operation(id).await.expect("an operation").expect("an operation");
        assert_eq!(found.key.to_text(), *text);
        let state = key_state(store, key(text)).await;
        let expect = Operation { key: key(text), ..operation(id, at) };
        assert_eq!(state, KeyState::Taken(Arc::new(expect)));
    }
}

async fn key_state(store: &dyn Store, key: domain::IdempotencyKey) -> KeyState {
    let mut working = Working::default();
    let mut transaction = store.begin().await.expect("a transaction");
    transaction.load(&[Need::Key(CLIENT, key.clone())], &mut working).await.expect("loaded");
    working.keys.remove(&(CLIENT, key)).expect("an answer to each need")
}

fn assert_conflict<T: std::fmt::Debug>(result: &crate::Result<T>, about: &str) {
    assert!(matches!(result, Err(StorageError::Conflict { .. })), "{about} must conflict: {result:?}");
}

/// The last wall: even if two writers decided the same key, one is refused.
pub async fn keys_are_unique_within_a_client(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let texts = ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f506", "plain"];
    for (text, n) in texts.iter().zip(1..) {
        let first = Operation { key: key(text), ..operation(id_at(after(n), n), after(n)) };
        commit(store, &only([first.clone()])).await.expect("committed");
        let again = Operation { id: id_at(after(n), n + 50), ..first.clone() };
        assert_conflict(&commit(store, &only([again.clone()])).await, text);
        let foreign = Operation { client: SECOND_CLIENT, ..again };
        commit(store, &only([foreign])).await.expect("another client's keys are its own");
        let same_id = Operation { key: key(&format!("other-{n}")), ..first };
        assert!(commit(store, &only([same_id])).await.is_err(), "an id is used once");
    }
    let twins = [1, 2].map(|n| Operation { key: key("twin"), ..operation(id_at(after(90), n), after(90)) });
    assert_conflict(&commit(store, &only(twins)).await, "a key twice in one batch");
    assert_eq!(key_state(store, key("twin")).await, KeyState::Free);
}

/// One terminal, one business date, one number: one operation.
pub async fn traces_are_unique(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let at = START;
    let traced = |n| Operation { terminal: Some(TERMINAL), trace: Some(7), ..operation(id_at(at, n), at) };
    let first = traced(1);
    commit(store, &only([first.clone()])).await.expect("committed");
    assert_conflict(&commit(store, &only([traced(2)])).await, "a trace number");
    let others = [
        Operation { trace: Some(8), ..traced(3) },
        Operation { terminal: Some(SECOND_TERMINAL), ..traced(4) },
        Operation { business_date: BusinessDate::from_stored(20_260_302), ..traced(5) },
        Operation { trace: None, ..traced(6) },
        Operation { trace: None, ..traced(7) },
    ];
    commit(store, &only(others)).await.expect("none of these is the same");
    let trace = TraceKey { terminal: TERMINAL, date: first.business_date, trace: 7 };
    let mut working = Working::default();
    let mut transaction = store.begin().await.expect("a transaction");
    transaction.load(&[Need::Trace(trace)], &mut working).await.expect("loaded");
    assert_eq!(working.traces[&trace].as_deref(), Some(&first));
}

async fn assert_untouched(store: &dyn Store, card: &Card, id: domain::OperationId) {
    assert_eq!(store.card(card.id).await.expect("a card").as_ref(), Some(card));
    assert_eq!(store.operation(id).await.expect("no operation"), None);
    let page = store.operations(&everything(card.issuer), None, 10).await.expect("a page");
    assert_eq!(page.items, Vec::new());
}

/// Given up after reading, a transaction is as if it had never been, and the next one gets its turn.
pub async fn a_dropped_transaction_leaves_no_trace(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let card = stocked(11);
    insert(store, std::slice::from_ref(&card)).await;
    for _ in 0..3 {
        let mut working = Working::default();
        let mut transaction = store.begin().await.expect("a transaction");
        transaction.load(&[Need::Card(card.id)], &mut working).await.expect("loaded");
        drop(transaction);
    }
    assert_untouched(store, &card, id_at(START, 1)).await;
    let mut active = Card { state: CardState::Active, ..card.clone() };
    let operation = touch(&mut active, id_at(START, 1), START);
    let changes = Changes { cards: vec![active.clone()], ..only([operation]) };
    commit(store, &changes).await.expect("the next transaction gets its turn");
    assert_eq!(store.card(card.id).await.expect("a card"), Some(active));
}

/// A batch of which one part contradicts what is there is not written at all.
pub async fn a_refused_commit_leaves_no_trace(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let card = stocked(11);
    insert(store, std::slice::from_ref(&card)).await;
    let taken = Operation {
        issuer: super::world::OTHER_ISSUER,
        key: key("taken"),
        ..operation(id_at(START, 1), START)
    };
    commit(store, &only([taken])).await.expect("committed");
    let mut active = Card { state: CardState::Active, ..card.clone() };
    let good = touch(&mut active, id_at(START, 2), START);
    let bad = Operation { key: key("taken"), ..operation(id_at(START, 3), START) };
    let changes = Changes {
        cards: vec![active],
        transfers: vec![super::world::transfer(
            good.id,
            1,
            domain::Account::Bank(card.issuer),
            domain::Account::Suspense(card.issuer),
            4,
        )],
        ..only([good.clone(), bad])
    };
    assert_conflict(&commit(store, &changes).await, "the second operation's key");
    assert_untouched(store, &card, good.id).await;
    assert_eq!(key_state(store, good.key).await, KeyState::Free);
    let balance = store.trial_balance(card.issuer, None).await.expect("a trial balance");
    assert_eq!(balance, Vec::new());
}

/// Queries see the last commit, never an open transaction, and never wait for one.
pub async fn readers_see_only_what_is_committed(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let mut card = stocked(11);
    insert(store, std::slice::from_ref(&card)).await;
    for n in 1..20 {
        let mut working = Working::default();
        let mut transaction = store.begin().await.expect("a transaction");
        transaction.load(&[Need::Card(card.id)], &mut working).await.expect("loaded");
        assert_eq!(store.card(card.id).await.expect("a card").as_ref(), Some(&card));
        let operation = touch(&mut card, id_at(after(n), n), after(n));
        let changes = Changes { cards: vec![card.clone()], ..only([operation]) };
        transaction.commit(&changes).await.expect("committed").await.expect("durable");
        assert_eq!(store.card(card.id).await.expect("a card").as_ref(), Some(&card), "at once");
    }
}

const WRITERS: i64 = 3;
const ROUNDS: i64 = 200;

/// Several tasks add to one card at the same time. Each waits or is told to try again; no addition is lost.
pub async fn concurrent_writers_lose_nothing(fresh: Fresh) {
    let store = Arc::clone(&fresh.store);
    settle(store.as_ref()).await;
    insert(store.as_ref(), &[stocked(11)]).await;
    let writers = (0..WRITERS).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                let at = after(round);
                let n = writer * ROUNDS + round + 1;
                while !add_one(store.as_ref(), id_at(at, n), at).await {}
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("a writer that ends well");
    }
    let card = store.card(CardId::new(11)).await.expect("a card").expect("a card");
    assert_eq!(i64::from(card.day.count), WRITERS * ROUNDS);
    assert_eq!(card.day.amount, amount(WRITERS * ROUNDS));
}

/// `false` if another writer came first.
async fn add_one(store: &dyn Store, id: domain::OperationId, at: Timestamp) -> bool {
    let result: crate::Result<()> = async {
        let mut transaction = store.begin().await?;
        let mut working = Working::default();
        transaction.load(&[Need::Card(CardId::new(11))], &mut working).await?;
        let mut card = working.cards.remove(&CardId::new(11)).flatten().expect("the card");
        // Gives others a chance to come between reading and writing.
        tokio::task::yield_now().await;
        card.day.count += 1;
        card.day.amount = card.day.amount.checked_add(amount(1)).expect("an amount");
        let operation = touch(&mut card, id, at);
        transaction.commit(&Changes { cards: vec![card], ..only([operation]) }).await?.await
    }
    .await;
    match result {
        Ok(()) => true,
        Err(StorageError::Busy(_)) => false,
        Err(other) => panic!("a writer waits or is told that the store is busy, not: {other}"),
    }
}
