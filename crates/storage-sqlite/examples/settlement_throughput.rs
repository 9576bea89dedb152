//! How fast settlement follows a log on SQLite.
//!
//! ```text
//! cargo run --release -p storage-sqlite --example settlement_throughput -- 5000000
//! ```
//!
//! Fills a scratch database with that many redemptions at 10,000 merchants, reads them as movements, writes a
//! line for each, and adds them up again as a process does that begins.

use std::time::Instant;

use domain::IssuerId;
use rusqlite::Connection;
use storage::{SettlementStore, conformance::follow_whole_log};
use storage_sqlite::{Options, SqliteStore};

const FILL: &str = "INSERT INTO operation (id, issuer_id, client_id, key, fingerprint_key_id, fingerprint, kind, program_id, \
         card_id, card_last4, card_state, card_balance, card_held, card_available, merchant_id, store_id, \
         terminal_id, currency, requested, approved, business_date, at) \
     SELECT value << 12, 1, 6, CAST(printf('%017d', value) AS BLOB), 1, zeroblob(16), 3, 2, value % 1000000, 1, 2, \
         100, 0, 100, 1000 + (value * 7919) % 10000, 4, 5, 'CNY', 1250, 1250, 20260301, value \
     FROM generate(?1);
     INSERT INTO transfer (operation_id, seq, debit_kind, debit_ref, debit_lot, credit_kind, credit_ref, amount) \
     SELECT value << 12, 1, 1, value % 1000000, 1, 2, 1000 + (value * 7919) % 10000, 1250 FROM generate(?1);";

fn fill(path: &str, count: u32) {
    let mut connection = Connection::open(path).expect("a connection");
    connection.pragma_update(None, "synchronous", "OFF").expect("a setting");
    let transaction = connection.transaction().expect("begun");
    for sql in FILL.split(';').filter(|sql| !sql.trim().is_empty()) {
        let numbers = "(WITH RECURSIVE every (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM every \
                       WHERE value < ?1) SELECT value FROM every)";
        transaction.execute(&sql.replace("generate(?1)", numbers), [count]).expect("filled");
    }
    transaction.commit().expect("committed");
}

#[tokio::main]
async fn main() {
    let count =
        std::env::args().nth(1).map_or(5_000_000, |text| text.parse().expect("a number of operations"));
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("settlement.db");
    let path = path.to_str().expect("a path");
    drop(SqliteStore::open(path, Options::default()).expect("a new database"));
    let began = Instant::now();
    fill(path, count);
    println!("filled in {:.1} s", began.elapsed().as_secs_f64());
    let store = SqliteStore::open(path, Options::default()).expect("a store");
    for portion in [20_000] {
        println!("{}", follow_whole_log(&store, IssuerId::new(1), portion).await);
    }
    let began = Instant::now();
    let sums = store.open_sums(IssuerId::new(1)).await.expect("sums");
    println!("{} open statements added up in {:.1} s", sums.len(), began.elapsed().as_secs_f64());
}
