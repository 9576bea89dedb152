//! The suite that every store passes, on real files.

use storage::conformance::Fresh;
use storage_sqlite::{Options, SqliteStore};

async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().expect("a folder for the database");
    let path = folder.path().join("conformance.db");
    let options = Options { readers: 3, ..Options::default() };
    let store = SqliteStore::open(path.to_str().expect("a path in UTF-8"), options);
    Fresh::new(store.expect("a new database")).keeping(folder)
}

storage::conformance_tests!(fresh);
