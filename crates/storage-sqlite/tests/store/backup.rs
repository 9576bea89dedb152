//! A backup is one consistent state, taken while sales go on, and a restore gives back exactly that.

use std::{fs, path::Path};

use storage::{Audit, Queries, StorageError};
use storage_sqlite::{Options, restore};

use crate::support::{busy, open, redeem, scratch};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_beside_sales_is_consistent() {
    let (folder, path) = scratch();
    let mut driver = busy(&path, Options::default(), 500).await;
    let store = driver.store.clone();
    let selling = tokio::spawn(async move {
        redeem(&mut driver, 500, 300, 20).await.1.expect("sales go on");
        driver
    });
    let mut copies = Vec::new();
    while !selling.is_finished() && copies.len() < 20 {
        let to = folder.path().join(format!("copy-{}.db", copies.len()));
        store.backup(&to).await.expect("a backup");
        copies.push(to);
    }
    let driver = selling.await.expect("sold");
    let newest = driver.store.newest_operation().await.expect("an answer");
    assert!(copies.len() > 1, "at least one backup was taken while sales went on");
    for (n, copy) in copies.iter().enumerate() {
        let back = folder.path().join(format!("back-{n}.db"));
        restore(copy, &back).expect("restored");
        let store = open(&back, Options::default()).expect("a restored database");
        assert_eq!(store.audit().await.expect("a report").violations, Vec::new());
        assert!(store.newest_operation().await.expect("an answer") <= newest);
    }
}

fn refused(result: storage::Result<()>) -> String {
    match result {
        Err(StorageError::Setup(why)) => why,
        other => panic!("must be refused with a reason: {other:?}"),
    }
}

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_damaged_is_restored() {
    let (folder, path) = scratch();
    let driver = busy(&path, Options::default(), 2_000).await;
    let copy = folder.path().join("copy.db");
    driver.store.backup(&copy).await.expect("a backup");
    assert!(refused(driver.store.backup(&copy).await).contains("never overwritten"));
    assert!(refused(restore(&copy, &path)).contains("never overwritten"));
    let target = folder.path().join("target.db");
    // A log that lies beside the target would be applied to it.
    fs::write(folder.path().join("target.db-wal"), "old").expect("a stale log");
    assert!(refused(restore(&copy, &target)).contains("target.db-wal"));
    fs::remove_file(folder.path().join("target.db-wal")).expect("removed");
    assert!(refused(restore(&folder.path().join("none.db"), &target)).contains("no backup"));
    damage(&copy);
    assert!(refused(restore(&copy, &target)).contains("cannot be restored"));
    let text = folder.path().join("text.db");
    fs::write(&text, "text ".repeat(1000)).expect("a text");
    assert!(refused(restore(&text, &target)).contains("cannot be restored"));
    assert!(!target.exists() && !folder.path().join("target.db.partial").exists());
}

/// Overwrites pages in the middle, as a bad disk might.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).expect("the copy");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40_000].fill(0xA5);
    fs::write(path, bytes).expect("damaged");
}
