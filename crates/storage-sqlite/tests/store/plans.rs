//! The look-ups of the write path use their indexes on an empty database as on a full one: no statistics
//! are kept, so a plan cannot depend on when its statement was prepared.

use rusqlite::Connection;
use storage_sqlite::Options;

use crate::support::{busy, open, scratch};

const LOOK_UPS: [(&str, &str); 9] = [
    ("SELECT * FROM operation WHERE client_id = 1 AND key = x'00'", "sqlite_autoindex_operation_1"),
    (
        "SELECT * FROM operation WHERE terminal_id = 1 AND business_date = 1 AND trace = 1 AND trace IS NOT NULL",
        "operation_by_trace",
    ),
    ("SELECT * FROM card WHERE id = 1", "INTEGER PRIMARY KEY"),
    ("SELECT * FROM card WHERE number_index = x'00'", "sqlite_autoindex_card_1"),
    ("SELECT * FROM transfer WHERE operation_id = 1 ORDER BY seq", "PRIMARY KEY"),
    (
        "SELECT * FROM hold WHERE status = 1 AND expires_at <= 1 ORDER BY expires_at, id",
        "hold_open_by_expiry",
    ),
    ("SELECT * FROM hold WHERE card_id = 1 ORDER BY id DESC", "hold_by_card"),
    ("SELECT id FROM card WHERE batch_id = 1 AND id > 1 ORDER BY id", "card_by_batch"),
    ("SELECT reversal_id FROM tombstone WHERE client_id = 1 AND key = x'00'", "PRIMARY KEY"),
];

fn check(path: &std::path::Path) {
    let connection = Connection::open(path).expect("a connection");
    for (sql, index) in LOOK_UPS {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect(sql);
        let plan = statement.query_map([], |row| row.get::<_, String>(3)).expect(sql);
        let plan = plan.collect::<Result<Vec<_>, _>>().expect(sql).join("; ");
        assert!(plan.contains("SEARCH") && plan.contains(index), "{sql}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}

#[tokio::test]
async fn look_ups_use_their_indexes_when_empty_and_when_full() {
    let (_folder, path) = scratch();
    drop(open(&path, Options::default()).expect("a new database"));
    check(&path);
    drop(busy(&path, Options::default(), 1_000).await);
    check(&path);
}
