//! What is opened, and what is refused with a reason.

use rusqlite::Connection;
use storage::{CatalogStore, StorageError};
use storage_sqlite::Options;

use crate::support::{open, scratch};

fn refusal(result: storage::Result<storage_sqlite::SqliteStore>) -> String {
    match result {
        Err(StorageError::Setup(why)) => why,
        other => panic!("must be refused with a reason: {other:?}"),
    }
}

fn beside() -> Options {
    Options { exclusive: false, ..Options::default() }
}

#[tokio::test]
async fn one_process_serves_and_others_may_look() {
    let (_folder, path) = scratch();
    assert!(refusal(open(&path, beside())).contains("no database"));
    let store = open(&path, Options::default()).expect("a new database");
    assert!(refusal(open(&path, Options::default())).contains("another process serves"));
    let other = open(&path, beside()).expect("beside the server");
    assert_eq!(other.catalog_revision().await.expect("a revision"), 0);
    drop((store, other));
    open(&path, Options::default()).expect("free again");
}

#[test]
fn foreign_and_newer_databases_are_refused_untouched() {
    let (folder, path) = scratch();
    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign)
        .and_then(|c| c.execute_batch("CREATE TABLE t (x)"))
        .expect("another program's");
    let before = std::fs::read(&foreign).expect("its bytes");
    assert!(refusal(open(&foreign, Options::default())).contains("belongs to another program"));
    assert_eq!(std::fs::read(&foreign).expect("its bytes"), before);
    let text = folder.path().join("text.db");
    std::fs::write(&text, "not a database, but long enough to be read as the header of one ".repeat(20))
        .expect("text");
    assert!(refusal(open(&text, Options::default())).contains("cannot be read as a database"));

    drop(open(&path, Options::default()).expect("a new database"));
    let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
                 VALUES (99, 'future', '2027-01-01T00:00:00Z', '1')";
    Connection::open(&path).and_then(|c| c.execute(newer, [])).expect("migrated by a newer program");
    for options in [Options::default(), beside()] {
        let why = refusal(open(&path, options));
        assert!(why.contains("version 99") && why.contains("newer program"), "{why}");
    }
}

#[test]
fn bad_addresses_and_options_are_refused() {
    for url in ["", "sqlite:", "sqlite::memory:", "sqlite:a.db?mode=ro"] {
        assert!(
            refusal(storage_sqlite::SqliteStore::open(url, Options::default())).contains("names no file"),
            "{url}"
        );
    }
    let (_folder, path) = scratch();
    assert!(refusal(open(&path, Options { readers: 1, ..Options::default() })).contains("3 to 64"));
    assert!(refusal(open(&path, Options { page_size: 1000, ..Options::default() })).contains("power of two"));
}
