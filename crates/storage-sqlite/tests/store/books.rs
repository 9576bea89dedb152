//! The check of an hour finds what somebody changed in the roll-up.

use rusqlite::Connection;
use storage::{JobsStore, Queries, ReconciliationStore, conformance::populate};
use storage_sqlite::Options;

use crate::support::{open, scratch};

#[tokio::test]
async fn a_changed_balance_is_found() {
    let (_folder, path) = scratch();
    let store = open(&path, Options::default()).expect("a store");
    populate(&store, 5).await;
    while store.roll_up(1_000).await.expect("a step").operations > 0 {}
    let newest = store.newest_operation().await.expect("the log").expect("an operation");
    let hour = (newest.get() >> domain::ids::SHIFT) / 3_600_000;
    let found = async || {
        let mut found = Vec::new();
        for hour in hour - 24 * 40..=hour {
            found.extend(store.check_hour(hour).await.expect("a check").mismatches);
        }
        found
    };
    assert_eq!(found().await, []);
    let change = "UPDATE account_rollup SET credits = credits + 7 WHERE kind = 2 AND (issuer_id, kind, ref, hour, currency) = \
                  (SELECT issuer_id, kind, ref, hour, currency FROM account_rollup WHERE kind = 2 LIMIT 1)";
    assert_eq!(Connection::open(&path).expect("opened").execute(change, []).expect("changed"), 1);
    let found = found().await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].rolled_up, found[0].transfers + 7);
}
