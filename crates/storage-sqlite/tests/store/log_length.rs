//! The write-ahead log stays bounded under a long run of sales, also while others read, and is carried over as it grows.

use std::{
    fs,
    sync::Arc,
    sync::atomic::{AtomicBool, Ordering},
};

use domain::OperationId;
use storage::{JobsStore, Queries};
use storage_sqlite::Options;

use crate::{
    driver::ISSUER,
    support::{busy, redeem, scratch},
};

const PAGES: u32 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_begins_again_under_constant_load() {
    let (folder, path) = scratch();
    let options = Options { wal_pages: PAGES, ..Options::default() };
    let mut driver = busy(&path, options, 2_000).await;
    let (store, stop) = (driver.store.clone(), Arc::new(AtomicBool::new(false)));
    let stopped = Arc::clone(&stop);
    let reading = tokio::spawn(async move {
        let mut reads = 0_u64;
        while !stopped.load(Ordering::Relaxed) {
            store.operation(OperationId::new(1)).await.expect("no operation");
            store.roll_up(1_000).await.expect("rolled up");
            store.trial_balance(ISSUER, None).await.expect("a balance");
            reads += 1;
        }
        reads
    });
    let mut longest = 0;
    // As long as it takes, and at least some 60 MB.
    let mut rounds = 0;
    while rounds < 100 || driver.store.checkpoint_stats().restarts < 5 {
        assert!(rounds < 3_000, "the log does not begin again: {:?}", driver.store.checkpoint_stats());
        rounds += 1;
        redeem(&mut driver, 2_000, 10, 50).await.1.expect("redeemed");
        longest = longest.max(fs::metadata(folder.path().join("test.db-wal")).expect("the log").len());
    }
    stop.store(true, Ordering::Relaxed);
    assert!(reading.await.expect("read") > 0);
    let stats = driver.store.checkpoint_stats();
    // The log may run on while a checkpoint works, never without end.
    let limit = u64::from(PAGES) * 4096 * 8;
    assert!(longest < limit, "the log grew to {longest} bytes; {stats:?}");
}

/// So that what has to be synced at the end is never much.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_carried_over_in_parts_while_it_grows() {
    let (_folder, path) = scratch();
    let options = Options { wal_pages: 20_000, ..Options::default() };
    let mut driver = busy(&path, options, 2_000).await;
    let mut batches = 0;
    while driver.store.checkpoint_stats().parts < 2 {
        assert!(batches < 20_000, "nothing is carried over: {:?}", driver.store.checkpoint_stats());
        redeem(&mut driver, 2_000, 20, 100).await.1.expect("redeemed");
        batches += 20;
    }
}
