//! A disk that refuses to grow: the store stops, answers nothing more, and nothing answered is lost.
//!
//! The failing part runs in a process of its own whose files may only have a certain size, so that real
//! writes of real files fail.

use std::{path::Path, process::Command};

use storage::{Audit, CatalogStore, Queries, StorageError, Transactions};
use storage_sqlite::Options;

use crate::support::{busy, open, redeem, scratch};

const FOLDER: &str = "HEXIAO_TEST_FAILING_DISK";
const BATCHES: u64 = 100_000;
const SIZE: u64 = 20;
const CARDS: u64 = 200;

#[tokio::test]
async fn a_full_disk_stops_the_store() {
    let (folder, path) = scratch();
    let program = std::env::current_exe().expect("this test");
    // 4 MiB per file, in blocks of 512 bytes; without the signal, a write beyond it fails as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 8192; exec \"$0\" --exact failing_disk::inside_the_limit --ignored --nocapture";
    let output = Command::new("sh").args(["-c", script]).arg(program).env(FOLDER, folder.path()).output();
    let output = output.expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let committed = text.lines().find_map(|line| line.split("committed=").nth(1)).expect("a count");
    let committed: u64 = committed.trim().parse().expect("a number");
    assert!(committed > 0, "something was committed before the disk was full");
    let store = open(&path, Options::default()).expect("it opens again");
    let report = store.audit().await.expect("a report");
    assert_eq!(report.violations, Vec::new());
    let stored = report.operations;
    // The batch whose commit failed is there whole or not at all.
    let answered = CARDS + committed * SIZE;
    assert!(stored == answered || stored == answered + SIZE, "answered {answered}, stored {stored}");
}

#[tokio::test]
#[ignore = "runs inside the limit that the other test sets"]
async fn inside_the_limit() {
    let folder = std::env::var(FOLDER).expect("run by the other test");
    let path = Path::new(&folder).join("test.db");
    // The log is never carried over, so that its file reaches the limit.
    let options = Options { wal_pages: u32::MAX, ..Options::default() };
    let mut driver = busy(&path, options, CARDS).await;
    let (committed, failed) = redeem(&mut driver, CARDS, BATCHES, SIZE).await;
    assert!(matches!(failed, Err(StorageError::Fatal(_))), "{failed:?}");
    let store = driver.store.clone();
    for _ in 0..3 {
        assert!(matches!(store.begin().await.map(|_| ()), Err(StorageError::Fatal(_))), "poisoned");
    }
    let issuer = store.load_catalog().await.expect("still readable").issuers.values().next().cloned();
    let mut issuer = issuer.expect("an issuer").as_ref().clone();
    issuer.version += 1;
    let refused = store.put_catalog(&storage::CatalogEntry::Issuer(issuer)).await;
    assert!(matches!(refused, Err(StorageError::Fatal(_))), "{refused:?}");
    assert!(store.newest_operation().await.expect("still readable").is_some());
    println!("committed={committed}");
}
