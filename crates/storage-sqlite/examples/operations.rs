//! How long a page of the list of operations takes on SQLite, under every filter.
//!
//! ```text
//! cargo run --release -p storage-sqlite --example operations -- 1000000
//! ```
//!
//! Fills a scratch database with that many redemptions at 1,000 merchants, evenly over 30 days.

use domain::{IssuerId, Timestamp, ids};
use rusqlite::Connection;
use storage::conformance::explore;
use storage_sqlite::{Options, SqliteStore};

const ISSUER: IssuerId = IssuerId::new(1);
/// 2026-03-01T00:00:00Z in microseconds, and the length of the month.
const START: i64 = 1_772_323_200_000_000;
const LENGTH: i64 = 30 * 86_400_000_000;

/// `?1` redemptions, the first with the id `?2`, `?3` ids apart; their moments as far apart.
const FILL: &str = "INSERT INTO operation (id, issuer_id, client_id, key, fingerprint_key_id, fingerprint, kind, program_id, \
         card_id, card_last4, card_state, card_balance, card_held, card_available, merchant_id, store_id, \
         terminal_id, currency, requested, approved, business_date, at) \
     SELECT ?2 + value * ?3, 1, 6, CAST(printf('%017d', value) AS BLOB), 1, zeroblob(16), 3, 2, value % 1000000, 1, \
         2, 100, 0, 100, 1000 + (value * 7919) % 1000, 4, 5, 'CNY', 1250, 1250, \
         20260301 + (value * ?3 >> 22) / 86400000, 1704067200000000 + ((?2 + value * ?3) >> 22) * 1000 \
     FROM generate;
     INSERT INTO transfer (operation_id, seq, debit_kind, debit_ref, debit_lot, credit_kind, credit_ref, amount) \
     SELECT ?2 + value * ?3, 1, 1, value % 1000000, 1, 2, 1000 + (value * 7919) % 1000, 1250 FROM generate;";

fn fill(path: &str, count: i64) {
    let mut connection = Connection::open(path).expect("a connection");
    connection.pragma_update(None, "synchronous", "OFF").expect("a setting");
    let first = ids::floor_of(Timestamp::from_micros(START));
    let apart = (ids::floor_of(Timestamp::from_micros(START + LENGTH)) - first) / count;
    let transaction = connection.transaction().expect("begun");
    for sql in FILL.split(';').filter(|sql| !sql.trim().is_empty()) {
        let numbers = "(WITH RECURSIVE every (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM every \
                       WHERE value < ?1) SELECT value FROM every)";
        transaction.execute(&sql.replace("generate", numbers), [count, first, apart]).expect("filled");
    }
    transaction.commit().expect("committed");
}

#[tokio::main]
async fn main() {
    let count =
        std::env::args().nth(1).map_or(1_000_000, |text| text.parse().expect("a number of operations"));
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("operations.db");
    let path = path.to_str().expect("a path");
    drop(SqliteStore::open(path, Options::default()).expect("a new database"));
    fill(path, count);
    let store = SqliteStore::open(path, Options::default()).expect("a store");
    for explored in explore(&store, ISSUER, Timestamp::from_micros(START + LENGTH / 2)).await {
        println!(
            "{:>8.1} ms  {:>4} items  {}",
            explored.longest.as_secs_f64() * 1e3,
            explored.items,
            explored.what
        );
    }
}
