//! How long a trial balance of a past moment takes on PostgreSQL, and the reports that read the journal, on a
//! temporary server of its own.
//!
//! ```text
//! cargo run --release -p storage-postgres --example trial_balance_postgres -- 10000000
//! ```
//!
//! Fills a database with that many redemptions at 1,000 merchants, evenly over 30 days, and rolls them up as the
//! jobs do.

use std::time::Instant;

use domain::{BusinessDate, IssuerId, Timestamp, account::AccountKind, ids};
use postgres_testing::Cluster;
use storage::{AccountingStore, Days, JobsStore, Queries};
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
        20260301 + (n * APART >> 22) / 86400000, 3, 1, 1, 2, decode(lpad(to_hex(n), 34, '0'), 'hex'), '\\x00', 'CNY'
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

async fn timed<T>(what: &str, work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let done = work.await;
    println!("{what}: {:.2} s", began.elapsed().as_secs_f64());
    done
}

#[tokio::main]
async fn main() {
    let count =
        std::env::args().nth(1).map_or(10_000_000, |text| text.parse().expect("a number of operations"));
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
    timed("roll-up of account totals", async {
        while store.roll_up(20_000).await.expect("a step").behind > 0 {}
    })
    .await;
    timed("roll-up of the journal", async {
        while store.roll_up_journal(20_000).await.expect("a step").behind > 0 {}
    })
    .await;
    for (what, at) in [
        ("trial balance now", None),
        ("trial balance at the end of the month", Some(START + LENGTH)),
        ("trial balance in the middle of an hour", Some(START + LENGTH / 2 + 1_800_000_000)),
        ("trial balance after a day and a half", Some(START + 130_000_000_000)),
    ] {
        let at = at.map(Timestamp::from_micros);
        let lines = timed(what, store.trial_balance(ISSUER, at)).await.expect("a trial balance");
        let (debits, credits) = lines.iter().fold((0, 0), |(d, c), line| (d + line.debits, c + line.credits));
        assert_eq!(debits, credits, "books balance");
        println!("  {} lines, {debits} moved", lines.len());
    }
    let end = Timestamp::from_micros(START + LENGTH);
    timed("liability of cards", store.balances_of_kind(ISSUER, AccountKind::Card, end))
        .await
        .expect("balances");
    let days =
        Days { from: BusinessDate::from_stored(20_260_301), to: BusinessDate::from_stored(20_260_330) };
    let totals =
        timed("journal of a month in sum", store.journal_totals(ISSUER, days)).await.expect("totals");
    println!("  {} operations", totals.iter().map(|total| total.operations).sum::<i64>());
    let day = Days { from: days.to, to: days.to };
    let lines = timed("journal of a day", store.journal(ISSUER, day)).await.expect("lines");
    println!("  {} lines", lines.len());
    drop((store, cluster));
}
