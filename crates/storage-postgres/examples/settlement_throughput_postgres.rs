//! How fast settlement follows a log on PostgreSQL, on a temporary server of its own.
//!
//! ```text
//! cargo run --release -p storage-postgres --example settlement_throughput_postgres -- 5000000
//! ```
//!
//! Fills a database with that many redemptions at 10,000 merchants, reads them as movements, writes a line for
//! each, and adds them up again as a process does that begins.

use std::time::Instant;

use domain::IssuerId;
use postgres_testing::Cluster;
use storage::{SettlementStore, conformance::follow_whole_log};
use storage_postgres::{Options, PostgresStore};

/// In several transactions, as batches are.
const FILL: &str = "
    INSERT INTO operation (id, card_id, issuer_id, client_id, requested, approved, at, program_id, card_balance,
        card_held, card_available, merchant_id, store_id, terminal_id, business_date, kind, fingerprint_key_id,
        card_last4, card_state, key, fingerprint, currency)
    SELECT n << 12, n % 1000000 + 1, 1, 6, 1250, 1250, n, 2, 100, 0, 100, 1000 + (n * 7919) % 10000, 4, 5,
        20260301, 3, 1, 1, 2, decode(lpad(to_hex(n), 34, '0'), 'hex'), '\\x00', 'CNY'
    FROM generate_series(FROM_N::bigint, TO_N::bigint) AS n;
    INSERT INTO transfer (operation_id, card_id, issuer_id, debit_ref, credit_ref, amount, seq, debit_lot,
        debit_kind, credit_kind)
    SELECT n << 12, n % 1000000 + 1, 1, n % 1000000 + 1, 1000 + (n * 7919) % 10000, 1250, 1, 1, 1, 2
    FROM generate_series(FROM_N::bigint, TO_N::bigint) AS n;";

fn fill(cluster: &Cluster, name: &str, count: u64) {
    let portion = 250_000;
    for from in (1..=count).step_by(250_000) {
        let to = count.min(from + portion - 1);
        let sql = FILL.replace("FROM_N", &from.to_string()).replace("TO_N", &to.to_string());
        cluster.psql(name, &sql).expect("filled");
    }
    cluster.psql(name, "VACUUM ANALYZE").expect("statistics");
}

#[tokio::main]
async fn main() {
    let count =
        std::env::args().nth(1).map_or(5_000_000, |text| text.parse().expect("a number of operations"));
    let started = tokio::task::spawn_blocking(|| Cluster::start(&postgres_testing::Options::default()));
    let cluster = started.await.expect("run").expect("a server");
    let url = cluster.create_database();
    let store = PostgresStore::connect(&url, Options::default()).await.expect("a store");
    let began = Instant::now();
    let name = url.rsplit('/').next().expect("a name").to_owned();
    let cluster = tokio::task::spawn_blocking(move || {
        fill(&cluster, &name, count);
        cluster
    });
    let cluster = cluster.await.expect("run");
    println!("filled in {:.1} s", began.elapsed().as_secs_f64());
    println!("{}", follow_whole_log(&store, IssuerId::new(1), 20_000).await);
    let began = Instant::now();
    let sums = store.open_sums(IssuerId::new(1)).await.expect("sums");
    println!("{} open statements added up in {:.1} s", sums.len(), began.elapsed().as_secs_f64());
    drop((store, cluster));
}
