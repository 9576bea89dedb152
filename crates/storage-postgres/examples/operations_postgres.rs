//! How long a page of the list of operations takes on PostgreSQL, under every filter, on a temporary server of its
//! own.
//!
//! ```text
//! cargo run --release -p storage-postgres --example operations_postgres -- 1000000
//! ```
//!
//! Fills a database with that many redemptions at 1,000 merchants, evenly over 30 days.

use domain::{IssuerId, Timestamp, ids};
use postgres_testing::Cluster;
use storage::conformance::explore;
use storage_postgres::{Options, PostgresStore};

const ISSUER: IssuerId = IssuerId::new(1);
/// 2026-03-01T00:00:00Z in microseconds, and the length of the month.
const START: i64 = 1_772_323_200_000_000;
const LENGTH: i64 = 30 * 86_400_000_000;

/// In several transactions, as batches are. The first id is `FIRST`, and they are `APART`; so are their moments.
const FILL: &str = "
    INSERT INTO operation (id, card_id, issuer_id, client_id, requested, approved, at, program_id, card_balance,
        card_held, card_available, merchant_id, store_id, terminal_id, business_date, kind, fingerprint_key_id,
        card_last4, card_state, key, fingerprint, currency)
    SELECT FIRST + n * APART, n % 1000000 + 1, 1, 6, 1250, 1250,
        1704067200000000 + ((FIRST + n * APART) >> 22) * 1000, 2, 100, 0, 100, 1000 + (n * 7919) % 1000, 4, 5,
        20260301 + (n * APART >> 22) / 86400000, 3, 1, 1, 2, decode(lpad(to_hex(n), 34, '0'), 'hex'), decode(repeat('00', 16), 'hex'), 'CNY'
    FROM generate_series(FROM_N::bigint, TO_N::bigint) AS n;
    INSERT INTO transfer (operation_id, card_id, issuer_id, debit_ref, credit_ref, amount, seq, debit_lot,
        debit_kind, credit_kind)
    SELECT FIRST + n * APART, n % 1000000 + 1, 1, n % 1000000 + 1, 1000 + (n * 7919) % 1000, 1250, 1, 1, 1, 2
    FROM generate_series(FROM_N::bigint, TO_N::bigint) AS n;";

fn fill(cluster: &Cluster, name: &str, count: i64) {
    let first = ids::floor_of(Timestamp::from_micros(START));
    let apart = (ids::floor_of(Timestamp::from_micros(START + LENGTH)) - first) / count;
    let portion = 250_000;
    let mut from = 1;
    while from <= count {
        let to = count.min(from + portion - 1);
        let sql = FILL
            .replace("FIRST", &format!("{first}::bigint"))
            .replace("APART", &format!("{apart}::bigint"))
            .replace("FROM_N", &from.to_string())
            .replace("TO_N", &to.to_string());
        cluster.psql(name, &sql).expect("filled");
        from = to + 1;
    }
    cluster.psql(name, "VACUUM ANALYZE").expect("statistics");
}

#[tokio::main]
async fn main() {
    let count =
        std::env::args().nth(1).map_or(1_000_000, |text| text.parse().expect("a number of operations"));
    let started = tokio::task::spawn_blocking(|| Cluster::start(&postgres_testing::Options::default()));
    let cluster = started.await.expect("run").expect("a server");
    let url = cluster.create_database();
    let store = PostgresStore::connect(&url, Options::default()).await.expect("a store");
    let name = url.rsplit('/').next().expect("a name").to_owned();
    let cluster = tokio::task::spawn_blocking(move || {
        fill(&cluster, &name, count);
        cluster
    });
    let cluster = cluster.await.expect("run");
    for explored in explore(&store, ISSUER, Timestamp::from_micros(START + LENGTH / 2)).await {
        println!(
            "{:>8.1} ms  {:>4} items  {}",
            explored.longest.as_secs_f64() * 1e3,
            explored.items,
            explored.what
        );
    }
    drop((store, cluster));
}
