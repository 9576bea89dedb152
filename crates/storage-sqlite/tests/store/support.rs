//! A store on a scratch file with cards that are in use.

use std::path::PathBuf;

use storage_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

use crate::driver::{Driver, Times};

/// A scratch folder with the path of a database in it.
pub(crate) fn scratch() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("test.db");
    (folder, path)
}

/// Opens a database.
pub(crate) fn open(path: &std::path::Path, options: Options) -> storage::Result<SqliteStore> {
    SqliteStore::open(path.to_str().expect("a path"), options)
}

/// A new store with that many active cards.
pub(crate) async fn busy(path: &std::path::Path, options: Options, cards: u64) -> Driver {
    let mut driver = Driver::new(open(path, options).expect("a store")).await;
    driver.make_cards(cards).await;
    let requests: Vec<_> = (0..cards).map(|n| driver.activation(n)).collect();
    driver.run(&requests, &mut Times::default()).await.expect("activated");
    driver
}

/// Redeems in batches. Returns how many batches were committed before the first that was not.
pub(crate) async fn redeem(
    driver: &mut Driver,
    cards: u64,
    batches: u64,
    size: u64,
) -> (u64, storage::Result<()>) {
    for done in 0..batches {
        let requests: Vec<_> = (0..size).map(|_| driver.redemption(cards, false)).collect();
        if let Err(error) = driver.run(&requests, &mut Times::default()).await {
            return (done, Err(error));
        }
    }
    (batches, Ok(()))
}
