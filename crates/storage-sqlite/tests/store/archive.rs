//! Archiving beside load while the log begins again and again, and bringing the database back.

use std::{fs, path::Path, time::Duration};

use storage::Audit;
use storage_sqlite::{Options, recover};

use crate::support::{busy, open, redeem, scratch};

/// Short, so that the log begins again many times.
fn options() -> Options {
    Options { wal_pages: 300, ..Options::default() }
}

async fn operations(path: &Path) -> u64 {
    let report = open(path, Options::default()).expect("a store").audit().await.expect("a report");
    assert_eq!(report.violations, Vec::new());
    report.operations
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_commit_is_in_the_archive_however_often_the_log_begins_again() {
    let (folder, path) = scratch();
    let archive = folder.path().join("archive");
    let mut driver = busy(&path, options(), 500).await;
    driver.store.archive_to(&archive, Duration::from_millis(20)).await.expect("archived");
    driver.store.archive_to(&archive, Duration::from_millis(20)).await.expect_err("only once");
    let mut batches = 0;
    while driver.store.checkpoint_stats().restarts < 3 {
        assert!(batches < 20_000, "the log does not begin again: {:?}", driver.store.checkpoint_stats());
        redeem(&mut driver, 500, 20, 20).await.1.expect("redeemed");
        batches += 20;
    }
    drop(driver);
    let back = folder.path().join("back.db");
    let done = recover(&archive, None, &back).expect("brought back");
    assert!(done.transactions >= batches, "{done:?}");
    assert_eq!(operations(&back).await, 500 + batches * 20);
    assert_eq!(operations(&path).await, 500 + batches * 20);
    recover(&archive, None, &back).expect_err("never overwritten");
    let early = recover(&archive, Some(1_000_000), &folder.path().join("early.db")).expect_err("too early");
    assert!(early.to_string().contains("begins at"), "{early}");
}

/// What an archive is when the machine is lost in the middle of a write: the last line and the last log are cut
/// off anywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_that_is_cut_off_anywhere_gives_whole_transactions() {
    let (folder, path) = scratch();
    let archive = folder.path().join("archive");
    let mut driver = busy(&path, options(), 100).await;
    driver.store.archive_to(&archive, Duration::from_millis(5)).await.expect("archived");
    for _ in 0..20 {
        redeem(&mut driver, 100, 2, 10).await.1.expect("redeemed");
        tokio::time::sleep(Duration::from_millis(8)).await;
    }
    drop(driver);
    let only = fs::read_dir(&archive).expect("a folder").next().expect("one").expect("one").path();
    let times = fs::read_to_string(only.join("times")).expect("times");
    let mut seen = Vec::new();
    for part in 1..=8 {
        fs::write(only.join("times"), &times[..times.len() * part / 8]).expect("cut");
        let back = folder.path().join(format!("back-{part}.db"));
        recover(&archive, None, &back).expect("brought back");
        seen.push(operations(&back).await);
    }
    assert!(seen.is_sorted() && seen.last() == Some(&500), "{seen:?}");
    assert!(seen.iter().all(|count| count % 10 == 0), "whole transactions: {seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_archive_is_refused() {
    let (folder, path) = scratch();
    let archive = folder.path().join("archive");
    let mut driver = busy(&path, Options::default(), 100).await;
    driver.store.archive_to(&archive, Duration::from_millis(5)).await.expect("archived");
    redeem(&mut driver, 100, 20, 10).await.1.expect("redeemed");
    drop(driver);
    let only = fs::read_dir(&archive).expect("a folder").next().expect("one").expect("one").path();
    let log = only.join("log-1");
    let mut bytes = fs::read(&log).expect("a log");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, bytes).expect("damaged");
    let refused = recover(&archive, None, &folder.path().join("back.db")).expect_err("refused");
    assert!(refused.to_string().contains("damaged"), "{refused}");
    assert!(!folder.path().join("back.db").exists());
}
