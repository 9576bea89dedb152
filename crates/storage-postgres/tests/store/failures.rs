//! Servers that crash, hang, are demoted or lose their standby in the middle of a batch: nothing that was
//! committed is lost or doubled, what is not known is said to be in doubt, and the store goes on by itself.

use std::{sync::Arc, time::Duration};

use domain::Request;
use postgres_testing::Cluster;
use storage::{Audit, CatalogStore, StorageError, Transactions};
use storage_postgres::{Options, PostgresStore};

use crate::{
    driver::{Driver, Times},
    support::{name_of, options},
};

const CARDS: u64 = 50;

/// A cluster of its own with a store in use.
async fn alone(options: Options) -> (Arc<Cluster>, String, Driver) {
    let cluster = tokio::task::spawn_blocking(|| Cluster::start(&postgres_testing::Options::default()));
    let cluster = Arc::new(cluster.await.expect("run").expect("a cluster"));
    let url = cluster.create_database();
    let store = PostgresStore::connect(&url, options).await.expect("a store");
    let mut driver = Driver::new(store).await;
    driver.make_cards(CARDS).await;
    let requests: Vec<Request> = (0..CARDS).map(|n| driver.activation(n)).collect();
    driver.run(&requests, &mut Times::default()).await.expect("activated");
    (cluster, name_of(&url).to_owned(), driver)
}

fn impatient() -> Options {
    let short = Duration::from_millis(700);
    Options {
        write_timeout: short,
        connect_timeout: short,
        read_timeout: Duration::from_secs(5),
        ..options()
    }
}

async fn ask(cluster: &Arc<Cluster>, database: &str, sql: &str) -> String {
    let (cluster, database, sql) = (Arc::clone(cluster), database.to_owned(), sql.to_owned());
    let asked = tokio::task::spawn_blocking(move || cluster.psql(&database, &sql).expect(&sql));
    asked.await.expect("run")
}

/// Decides and commits until it is known to be stored. Says how many attempts were in doubt.
async fn insist(driver: &mut Driver, requests: &[Request]) -> u32 {
    let mut doubts = 0;
    for _ in 0..500 {
        let result = async { driver.prepare(requests, &mut Times::default()).await?.commit().await }.await;
        match result {
            Ok(()) => return doubts,
            Err(StorageError::InDoubt(_)) => doubts += 1,
            Err(StorageError::Busy(_) | StorageError::Unavailable(_)) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(other) => panic!("{other}"),
        }
    }
    panic!("the store does not come back");
}

async fn operations(store: &PostgresStore) -> u64 {
    let report = store.audit().await.expect("a report");
    assert_eq!(report.violations, Vec::new());
    report.operations
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crashes_under_load_lose_and_double_nothing() {
    let (cluster, _, mut driver) = alone(options()).await;
    let store = driver.store.clone();
    let killing = {
        let cluster = Arc::clone(&cluster);
        tokio::task::spawn_blocking(move || {
            for _ in 0..4 {
                std::thread::sleep(Duration::from_millis(400));
                cluster.kill();
                cluster.start_again().expect("recovered");
            }
        })
    };
    let mut batches = 0;
    while !killing.is_finished() {
        let requests: Vec<Request> = (0..10).map(|_| driver.redemption(CARDS, true)).collect();
        insist(&mut driver, &requests).await;
        batches += 1;
    }
    killing.await.expect("killed");
    assert!(batches > 10, "{batches}");
    assert_eq!(operations(&store).await, CARDS + 10 * batches);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_given_up_in_time() {
    let (cluster, _, mut driver) = alone(impatient()).await;
    let requests: Vec<Request> = (0..5).map(|_| driver.redemption(CARDS, true)).collect();
    let prepared = driver.prepare(&requests, &mut Times::default()).await.expect("decided");
    cluster.freeze(true);
    let began = std::time::Instant::now();
    let result = prepared.commit().await;
    assert!(matches!(result, Err(StorageError::InDoubt(_))), "{result:?}");
    let refused = driver.prepare(&requests, &mut Times::default()).await.map(|_| ());
    assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    cluster.freeze(false);
    insist(&mut driver, &requests).await;
    assert_eq!(
        operations(&driver.store).await,
        CARDS + 5,
        "once, whether the first attempt went through or not"
    );
}

/// The wait for the synchronous standby is ended by an operator: PostgreSQL reports success with a warning
/// where the statement was cancelled, and the end of the connection where the session was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_without_its_standby_is_in_doubt() {
    for end in ["pg_cancel_backend", "pg_terminate_backend"] {
        let (cluster, database, mut driver) =
            alone(Options { write_timeout: Duration::from_secs(20), ..options() }).await;
        let standby = |names: &str| format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'");
        ask(&cluster, &database, &standby("nobody")).await;
        ask(&cluster, &database, "SELECT pg_reload_conf()").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let requests: Vec<Request> = (0..5).map(|_| driver.redemption(CARDS, true)).collect();
        let prepared = driver.prepare(&requests, &mut Times::default()).await.expect("decided");
        let committing = tokio::spawn(prepared.commit());
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!committing.is_finished(), "it waits for the standby");
        let ended = format!("SELECT count({end}(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        assert_eq!(ask(&cluster, &database, &ended).await, "1");
        let result = committing.await.expect("ended");
        assert!(matches!(result, Err(StorageError::InDoubt(_))), "{end}: {result:?}");
        // What is visible here only is not answered with: a new session first waits for the standby itself.
        let refused = driver.prepare(&requests, &mut Times::default()).await.map(|_| ());
        assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{end}: {refused:?}");
        ask(&cluster, &database, &standby("")).await;
        ask(&cluster, &database, "SELECT pg_reload_conf()").await;
        insist(&mut driver, &requests).await;
        assert_eq!(operations(&driver.store).await, CARDS + 5, "{end}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_became_read_only_is_out_of_reach() {
    let (cluster, database, mut driver) = alone(options()).await;
    ask(&cluster, &database, "ALTER SYSTEM SET default_transaction_read_only = on").await;
    ask(&cluster, &database, "SELECT pg_reload_conf()").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let requests: Vec<Request> = (0..5).map(|_| driver.redemption(CARDS, true)).collect();
    for _ in 0..3 {
        let refused = driver.prepare(&requests, &mut Times::default()).await.map(|_| ());
        assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
    }
    let entry = driver.store.load_catalog().await;
    assert!(
        matches!(entry, Ok(_) | Err(StorageError::Unavailable(_))),
        "reading is out of reach at most: {entry:?}"
    );
    ask(&cluster, &database, "BEGIN; SET TRANSACTION READ WRITE; COMMIT").await;
    ask(&cluster, &database, "ALTER SYSTEM RESET default_transaction_read_only").await;
    ask(&cluster, &database, "SELECT pg_reload_conf()").await;
    insist(&mut driver, &requests).await;
    assert_eq!(operations(&driver.store).await, CARDS + 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_given_up_keeps_nothing_locked() {
    let (_cluster, _, mut driver) = alone(options()).await;
    let store = driver.store.clone();
    let requests: Vec<Request> = (0..20).map(|_| driver.redemption(CARDS, true)).collect();
    for _ in 0..30 {
        drop(driver.prepare(&requests, &mut Times::default()).await.expect("decided"));
        drop(store.begin().await.expect("a transaction"));
    }
    assert_eq!(insist(&mut driver, &requests).await, 0);
    assert_eq!(operations(&store).await, CARDS + 20);
}
