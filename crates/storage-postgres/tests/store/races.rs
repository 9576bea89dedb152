//! Two batches at once: what one of them read is still so when it writes, or it is told to try again.

use std::time::Duration;

use domain::{
    Command, Request,
    command::CardRef,
    operation::Compensation,
    working::{Changes, KeyState, Need, Tombstone, Working},
};
use storage::{Audit, Queries, StorageError, Transactions};
use storage_postgres::PostgresStore;

use crate::{
    driver::{Driver, Times, card_id, number_of},
    support::{database, options},
};

/// Two drivers on one database with cards in use.
async fn two(cards: u64) -> (Driver, Driver) {
    let url = tokio::task::spawn_blocking(database).await.expect("a database");
    let store = PostgresStore::connect(&url, options()).await.expect("a store");
    let mut first = Driver::new(store).await;
    first.make_cards(cards).await;
    let requests: Vec<Request> = (0..cards).map(|n| first.activation(n)).collect();
    first.run(&requests, &mut Times::default()).await.expect("activated");
    let second = first.beside(1).await;
    (first, second)
}

/// The same request for another card.
fn on_card(request: &Request, n: u64) -> Request {
    let mut request = request.clone();
    let Command::Redeem(payment) = &mut request.command else { panic!("a redemption") };
    payment.card = CardRef::Number(vec![number_of(n)]);
    request
}

async fn assert_clean(store: &PostgresStore) {
    assert_eq!(store.audit().await.expect("a report").violations, Vec::new());
}

/// Decides and commits, again while another batch is in the way. Says how many were not replays.
async fn replaying(driver: &mut Driver, requests: &[Request]) -> usize {
    for _ in 0..100 {
        let prepared = match driver.prepare(requests, &mut Times::default()).await {
            Err(StorageError::Busy(_)) => continue,
            prepared => prepared.expect("decided"),
        };
        let fresh = prepared.fresh;
        match prepared.commit().await {
            Err(StorageError::Busy(_)) => {}
            done => {
                done.expect("committed");
                return fresh;
            }
        }
    }
    panic!("busy for ever");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_requests_in_two_batches_have_one_effect() {
    let (mut first, mut second) = two(20).await;
    let store = first.store.clone();
    let before = store.audit().await.expect("a report").operations;
    for _ in 0..20 {
        let requests: Vec<Request> = (0..8).map(|_| first.redemption(20, true)).collect();
        let (one, two) = tokio::join!(replaying(&mut first, &requests), replaying(&mut second, &requests));
        assert_eq!(one + two, 8, "each was decided by one of them and replayed by the other");
    }
    assert_eq!(store.audit().await.expect("a report").operations, before + 160);
    assert_clean(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_on_two_cards_is_stopped_by_the_last_wall() {
    let (mut first, mut second) = two(20).await;
    // Both read the key as free, on different cards, so that no lock keeps them apart.
    let request = on_card(&first.redemption(1, true), 3);
    let elsewhere = on_card(&request, 7);
    let slow = second.prepare(&[elsewhere], &mut Times::default()).await.expect("decided");
    first.run(&[request], &mut Times::default()).await.expect("committed");
    let refused = slow.commit().await;
    assert!(matches!(refused, Err(StorageError::Busy(_))), "{refused:?}");
    assert_clean(&first.store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_share_cards_wait_in_one_order() {
    let (mut first, mut second) = two(50).await;
    let work = async |driver: &mut Driver| {
        let mut times = Times::default();
        for _ in 0..40 {
            let requests: Vec<Request> = (0..30).map(|_| driver.redemption(50, true)).collect();
            driver.run(&requests, &mut times).await.expect("committed");
        }
        times.again
    };
    let (one, two) = tokio::join!(work(&mut first), work(&mut second));
    assert_eq!(one + two, 0, "nobody has to try again");
    assert_clean(&first.store).await;
}

/// What is read about a card comes after its lock, so it is what the last holder of the lock left: the card,
/// keys, and what was given back of an operation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_waited_reads_what_the_other_wrote() {
    let (mut first, _second) = two(5).await;
    let store = first.store.clone();
    let sale = on_card(&first.redemption(1, true), 3);
    first.run(&[sale], &mut Times::default()).await.expect("committed");
    let sold = store.card(card_id(3)).await.expect("a card").and_then(|card| card.last_operation);
    let sold = sold.expect("an operation");
    let request = on_card(&first.redemption(1, true), 3);
    let mut held =
        first.prepare(std::slice::from_ref(&request), &mut Times::default()).await.expect("decided");
    let given_back = Compensation { refunded: domain::Amount::ZERO, reversed_by: Some(sold) };
    held.changes.compensations.push((sold, given_back));
    let needs = [Need::Operation(sold), Need::Key(request.actor.client, request.key.clone())];
    let waiting = tokio::spawn({
        let store = store.clone();
        async move {
            let mut working = Working::default();
            let mut transaction = store.begin().await.expect("a transaction");
            transaction.load(&needs, &mut working).await.expect("loaded");
            working
        }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished(), "it waits for the card of the operation");
    held.commit().await.expect("committed");
    let seen = waiting.await.expect("loaded");
    let recorded = seen.operations[&sold].clone().expect("the operation");
    assert_eq!(recorded.compensation, given_back, "what was given back");
    let card = seen.cards[&card_id(3)].clone().expect("its card, locked with it");
    assert_eq!(store.card(card_id(3)).await.expect("a card").as_ref(), Some(&card));
    let key = &seen.keys[&(request.actor.client, request.key.clone())];
    assert!(
        matches!(key, KeyState::Taken(found) if Some(found.id) == card.last_operation),
        "the key: {key:?}"
    );
}

/// A reversal that comes before its original, at the same moment as that original, on no card.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reversal_and_its_original_never_both_take_effect() {
    let (mut first, mut second) = two(20).await;
    let store = first.store.clone();
    for n in 0..6 {
        let original = on_card(&first.redemption(1, true), n);
        // The reversal reads the key as free, and so does the original.
        let mut working = Working::default();
        let mut reversing = store.begin().await.expect("a transaction");
        let need = Need::Key(original.actor.client, original.key.clone());
        reversing.load(std::slice::from_ref(&need), &mut working).await.expect("loaded");
        let selling =
            second.prepare(std::slice::from_ref(&original), &mut Times::default()).await.expect("decided");
        let tombstone = Tombstone {
            client: original.actor.client,
            key: original.key.clone(),
            reversal: domain::OperationId::new(1),
        };
        let changes = Changes { tombstones: vec![tombstone], ..Changes::default() };
        if n % 2 == 0 {
            // Whichever order they commit in.
            selling.commit().await.expect("committed");
            let refused = reversing.commit(&changes).await.map(|_| ());
            assert!(matches!(refused, Err(StorageError::Busy(_))), "{refused:?}");
        } else {
            let refused = reversing.commit(&changes).await.map(|_| ());
            assert!(matches!(refused, Err(StorageError::Busy(_))), "another batch is under way: {refused:?}");
            selling.commit().await.expect("committed");
        }
        // Tried again it has the database alone, and sees what the other batch wrote.
        let mut working = Working::default();
        let mut again = store.begin().await.expect("a transaction");
        again.load(std::slice::from_ref(&need), &mut working).await.expect("loaded");
        let state = &working.keys[&(original.actor.client, original.key.clone())];
        assert!(matches!(state, KeyState::Taken(_)), "{state:?}");
        let blocked = tokio::time::timeout(
            Duration::from_millis(150),
            second.prepare(&[first.redemption(20, true)], &mut Times::default()),
        )
        .await;
        assert!(blocked.is_err(), "nobody else decides meanwhile");
        drop(again);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_clean(&store).await;
}
