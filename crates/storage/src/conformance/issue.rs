//! Making cards: batches and their progress, duplicates, and the one export.

use domain::{BatchId, Card, CardId, Timestamp};

use super::{
    Fresh,
    world::{
        BATCH, CLIENT, ISSUER, OTHER_CLIENT, OTHER_ISSUER, OTHER_PROGRAM, SECOND_CLIENT, START, after,
        amount, batch, index_of, new_card, pages, settle, stocked,
    },
};
use crate::{Batch, BatchStatus, NewCard, Page, Result, StorageError, Store};

/// Every field, by id and by key; lists by issuer, running ones, conflicts.
pub async fn batches_round_trip_and_page(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let mut written = vec![batch(BATCH, "first")];
    for n in 1..=7 {
        let new = Batch { activate: n % 2 == 0, ..batch(BatchId::new(BATCH.get() + n), &format!("键 {n}")) };
        let new = Batch { face_value: None, count: u32::MAX, fingerprint: (255, [0xF0; 16]), ..new };
        store.create_batch(&new).await.expect("a new batch");
        written.push(new);
    }
    let foreign = Batch {
        issuer: OTHER_ISSUER,
        program: OTHER_PROGRAM,
        client: OTHER_CLIENT,
        ..batch(BatchId::new(799), "first")
    };
    store.create_batch(&foreign).await.expect("another client's keys are its own");
    for batch in written.iter().chain([&foreign]) {
        assert_eq!(store.batch(batch.id).await.expect("a batch").as_ref(), Some(batch));
        let by_key = store.batch_by_key(batch.client, &batch.key).await.expect("a batch");
        assert_eq!(by_key.as_ref(), Some(batch));
    }
    assert_eq!(store.batch(BatchId::new(1)).await.expect("no batch"), None);
    assert_eq!(store.batch_by_key(SECOND_CLIENT, "first").await.expect("no batch"), None);
    let again = Batch { id: BatchId::new(798), ..batch(BATCH, "first") };
    let refused = store.create_batch(&again).await;
    assert!(matches!(refused, Err(StorageError::Conflict { what: "key" })), "{refused:?}");
    assert_eq!(store.batch(again.id).await.expect("no batch"), None);
    let running = store.running_batches().await.expect("batches");
    assert_eq!(running, [written.clone(), vec![foreign]].concat(), "oldest first");
    written.reverse();
    for limit in [1, 3, 100] {
        let found = pages(|before| list(store, before.map(BatchId::new), limit)).await;
        assert!(found.iter().all(|page| page.len() <= limit));
        assert_eq!(found.concat(), written, "newest first, each once");
    }
}

async fn list(store: &dyn Store, before: Option<BatchId>, limit: usize) -> Result<Page<Batch>> {
    store.batches(ISSUER, before, limit).await
}

fn in_batch(ids: std::ops::RangeInclusive<i64>) -> Vec<NewCard> {
    let card = |id| Card { batch: Some(BATCH), face_value: Some(amount(5_000)), ..stocked(id) };
    ids.map(|id| new_card(card(id))).collect()
}

/// Cards and progress become visible together, and only progress changes.
pub async fn cards_and_progress_are_written_together(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    // A batch handed over with other fields changed too: they were fixed when it was asked for.
    let half = Batch { issued: 3, activated: 1, count: 7, key: "other".to_owned(), ..batch(BATCH, "first") };
    let taken = store.insert_cards(&in_batch(11..=13), Some(&half)).await.expect("new cards");
    assert_eq!(taken, Vec::<usize>::new());
    let stored = store.batch(BATCH).await.expect("a batch");
    assert_eq!(stored, Some(Batch { issued: 3, activated: 1, ..batch(BATCH, "first") }));
    for new in in_batch(11..=13) {
        assert_eq!(store.card(new.card.id).await.expect("a card"), Some(new.card));
    }
    let failed = Batch { status: BatchStatus::Failed, failure: Some("满".to_owned()), ..half.clone() };
    store.insert_cards(&[], Some(&failed)).await.expect("progress alone");
    let stored = store.batch(BATCH).await.expect("a batch").expect("a batch");
    assert_eq!((stored.status, stored.failure.as_deref()), (BatchStatus::Failed, Some("满")));
    assert_eq!(store.running_batches().await.expect("batches"), Vec::new());
    let done = Batch { status: BatchStatus::Complete, failure: None, completed_at: Some(after(9)), ..half };
    store.insert_cards(&in_batch(14..=15), Some(&done)).await.expect("new cards");
    let stored = store.batch(BATCH).await.expect("a batch").expect("a batch");
    assert_eq!((stored.status, stored.failure, stored.completed_at), (done.status, None, done.completed_at));
    // An imported card brings its end of validity with it.
    let lone = new_card(Card { expires_at: Some(after(77)), ..stocked(20) });
    store.insert_cards(std::slice::from_ref(&lone), None).await.expect("a card without a batch");
    assert_eq!(store.card(CardId::new(20)).await.expect("a card"), Some(lone.card));
}

/// A number that is taken, in the store or earlier in the call, stops the whole call.
pub async fn taken_numbers_are_reported_and_nothing_is_written(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    store.insert_cards(&in_batch(11..=12), None).await.expect("new cards");
    let mut cards = in_batch(21..=25);
    cards[1].index = index_of(CardId::new(11), 1);
    cards[3].index = cards[0].index;
    cards[4].index = index_of(CardId::new(12), 1);
    let progress = Batch { issued: 7, ..batch(BATCH, "first") };
    let taken = store.insert_cards(&cards, Some(&progress)).await.expect("an answer");
    assert_eq!(taken, [1, 3, 4]);
    for new in &cards {
        assert_eq!(store.card(new.card.id).await.expect("no card"), None);
    }
    assert_eq!(store.batch(BATCH).await.expect("a batch").map(|b| b.issued), Some(0));
    assert_eq!(store.card_by_number(&[cards[0].index]).await.expect("no card"), None);
    let owner = store.card_by_number(&[cards[1].index]).await.expect("a card");
    assert_eq!(owner.map(|card| card.id), Some(CardId::new(11)), "the first owner keeps its number");
    for position in [1, 3, 4] {
        cards[position].index = index_of(cards[position].card.id, 1);
    }
    assert_eq!(store.insert_cards(&cards, Some(&progress)).await.expect("new cards"), Vec::<usize>::new());
    assert_eq!(store.batch(BATCH).await.expect("a batch").map(|b| b.issued), Some(7));
}

async fn export(store: &dyn Store, limit: usize) -> Vec<crate::ExportRow> {
    let (mut rows, mut last) = (Vec::new(), None);
    loop {
        let page = store.batch_cards(BATCH, last, limit).await.expect("cards");
        assert!(page.len() <= limit);
        let Some(row) = page.last() else { return rows };
        last = Some(row.card);
        rows.extend(page);
    }
}

/// Many ask for the secrets of a batch at once; one gets them. An export that broke off can be repeated, one
/// that nobody ends lapses, and PINs are there until one was finished.
pub async fn export_is_claimed_once(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let second = BatchId::new(BATCH.get() + 1);
    store.create_batch(&batch(second, "second")).await.expect("a new batch");
    let mut cards = in_batch(11..=19);
    cards[4].pin = None;
    let mut others = in_batch(31..=33);
    for new in &mut others {
        new.card.batch = Some(second);
    }
    others[2].card.batch = None;
    // Not in order of id, and mixed: the list is by batch and by id.
    let all: Vec<NewCard> = others.iter().chain(cards.iter().rev()).cloned().collect();
    store.insert_cards(&all, None).await.expect("new cards");
    for limit in [2, 9, 50] {
        let rows = export(store, limit).await;
        assert_eq!(rows.len(), cards.len());
        for (row, new) in rows.iter().zip(&cards) {
            assert_eq!((row.card, row.face_value), (new.card.id, new.card.face_value));
            assert!(row.number == new.number && row.pin == new.pin, "the sealed values themselves");
        }
    }
    assert_claimed_once(&fresh, after(20)).await;
    store.erase_pins(BATCH).await.expect("nothing to erase");
    assert_eq!(with_pin(store).await, 8, "PINs stay until they have left");
    assert_claims_end(store).await;
    store.erase_pins(BATCH).await.expect("erased");
    let rows = export(store, 50).await;
    assert!(rows.iter().all(|row| row.pin.is_none()), "no PIN is left");
    assert!(rows.iter().zip(&cards).all(|(row, new)| row.number == new.number), "numbers stay");
    let foreign = store.batch_cards(second, None, 50).await.expect("cards");
    assert_eq!(foreign.iter().filter(|row| row.pin.is_some()).count(), 2, "other batches keep theirs");
    assert!(!store.claim_export(BATCH, after(99), after(98)).await.expect("an answer"));
    assert!(!store.finish_export(BATCH, after(40), after(99)).await.expect("an answer"), "once only");
    store.release_export(BATCH, after(40)).await.expect("nothing to release");
    assert_eq!(store.batch(BATCH).await.expect("a batch").and_then(|b| b.exported_at), Some(after(50)));
    assert_eq!(store.batch(BATCH).await.expect("a batch").map(|b| b.client), Some(CLIENT));
}

async fn with_pin(store: &dyn Store) -> usize {
    export(store, 50).await.iter().filter(|row| row.pin.is_some()).count()
}

/// From a claim that was made at 20 to an export that is finished at 50.
async fn assert_claims_end(store: &dyn Store) {
    let claim = |at, lapsed| store.claim_export(BATCH, after(at), after(lapsed));
    store.release_export(BATCH, after(19)).await.expect("another's claim");
    assert!(!claim(25, 19).await.expect("an answer"), "a claim is given up by who made it");
    store.release_export(BATCH, after(20)).await.expect("released");
    assert!(claim(30, 10).await.expect("an answer"), "an export that broke off is repeated");
    assert!(!claim(39, 29).await.expect("an answer"), "it is alive still");
    assert!(claim(40, 30).await.expect("an answer"), "whoever had it is taken for dead");
    assert!(
        !store.finish_export(BATCH, after(30), after(45)).await.expect("an answer"),
        "its claim has gone"
    );
    assert_eq!(store.batch(BATCH).await.expect("a batch").and_then(|b| b.exported_at), None);
    assert!(store.finish_export(BATCH, after(40), after(50)).await.expect("an answer"));
}

async fn assert_claimed_once(fresh: &Fresh, at: Timestamp) {
    let claims = (0..8).map(|_| {
        let store = std::sync::Arc::clone(&fresh.store);
        tokio::spawn(async move {
            loop {
                match store.claim_export(BATCH, at, START).await {
                    Err(StorageError::Busy(_)) => {}
                    answer => return answer.expect("an answer"),
                }
            }
        })
    });
    let mut granted = 0;
    for claim in claims.collect::<Vec<_>>() {
        granted += usize::from(claim.await.expect("a claim"));
    }
    assert_eq!(granted, 1, "secrets leave exactly once");
}
