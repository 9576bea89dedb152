//! Several writers commit out of the order of their ids. The roll-up skips none of them, and totals are
//! exact all the while.

use domain::{Account, IssuerId, OperationId, Timestamp, ids};
use postgres_testing::Cluster;
use storage::{
    AccountTotals, AccountingStore, ActivityStore, JobsStore, LogPosition, Queries, SettlementStore,
};
use storage_postgres::PostgresStore;
use tokio_postgres::{Client, NoTls};

use crate::support::options;

const ISSUER: IssuerId = IssuerId::new(1);

/// 2026-03-01T00:00:00Z, and some operations after it.
fn id(n: i64) -> i64 {
    ids::floor_of(Timestamp::from_micros(1_772_323_200_000_000)) + n
}

async fn writer(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// Moves 10 from the bank to the suspense account.
async fn write(client: &Client, n: i64) {
    let id = id(n);
    let sql = format!(
        "INSERT INTO operation (id, card_id, issuer_id, client_id, requested, approved, at, business_date, kind, \
         fingerprint_key_id, key, fingerprint, currency) VALUES ({id}, 0, 1, 1, 10, 10, 1772323200000000, \
         20260301, 10, 1, decode('01' || md5('{id}'), 'hex'), '\\x00', 'CNY'); \
         INSERT INTO transfer (operation_id, card_id, issuer_id, debit_ref, credit_ref, amount, seq, debit_kind, \
         credit_kind) VALUES ({id}, 0, 1, 1, 1, 10, 1, 8, 9)"
    );
    client.batch_execute(&sql).await.expect("written");
}

async fn bank(store: &PostgresStore) -> i64 {
    let totals: Vec<AccountTotals> =
        store.account_totals(ISSUER, Account::Bank(ISSUER), None).await.expect("totals");
    totals.first().map_or(0, |totals| totals.debits)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_commits_late_is_not_skipped() {
    // A cluster of its own: the horizon is that of all databases.
    let cluster = tokio::task::spawn_blocking(|| Cluster::start(&postgres_testing::Options::default()));
    let cluster = cluster.await.expect("run").expect("a cluster");
    let url = cluster.create_database();
    let store = PostgresStore::connect(&url, options()).await.expect("a store");
    let (slow, quick) = (writer(&url).await, writer(&url).await);
    write(&quick, 1).await;
    slow.batch_execute("BEGIN").await.expect("begun");
    // Its id is lower than those that are committed while it is open.
    write(&slow, 2).await;
    for n in 3..=6 {
        write(&quick, n).await;
    }
    let step = store.roll_up(100).await.expect("a roll-up");
    assert_eq!((step.operations, step.behind), (1, 4), "only what nothing can come before any more");
    assert_eq!(bank(&store).await, 50, "totals count what is committed, rolled up or not");
    let step = store.roll_up(100).await.expect("a roll-up");
    assert_eq!((step.operations, step.behind), (0, 4), "and it does not go on while that is open");
    slow.batch_execute("COMMIT").await.expect("committed");
    assert_eq!(bank(&store).await, 60, "the late one counts at once");
    let mut taken = 0;
    while let step @ storage::RollUp { operations: 1.., .. } = store.roll_up(2).await.expect("a roll-up") {
        taken += step.operations;
        assert_eq!(bank(&store).await, 60, "in every state of the roll-up");
    }
    assert_eq!(taken, 5, "each once, the late one too");
    assert_eq!(store.roll_up(100).await.expect("a roll-up").behind, 0);
    assert_eq!(store.newest_operation().await.expect("an answer"), Some(OperationId::new(id(6))));
    let moment = Some(Timestamp::from_micros(1_772_323_200_000_001));
    let before = store.account_totals(ISSUER, Account::Bank(ISSUER), moment).await.expect("totals");
    assert_eq!(before.first().map(|totals| totals.debits), Some(60));
}

/// A redemption (3) of a merchant, or a refund (8) of one.
async fn sell(client: &Client, n: i64, refund_of: Option<i64>) {
    let (id, card) = (id(n), 77);
    let (kind, original) = (if refund_of.is_some() { 8 } else { 3 }, refund_of.map(self::id));
    let original = original.map_or("NULL".to_owned(), |original| original.to_string());
    let sides = if refund_of.is_some() { "3, 77, 2, 1" } else { "77, 3, 1, 2" };
    let sql = format!(
        "INSERT INTO operation (id, card_id, issuer_id, client_id, requested, approved, at, business_date, kind, \
         fingerprint_key_id, key, fingerprint, currency, merchant_id, original_id) VALUES ({id}, {card}, 1, 1, 10, 10, \
         1772323200000000, 20260301, {kind}, 1, decode('01' || md5('{id}'), 'hex'), '\\x00', 'CNY', 3, {original}); \
         INSERT INTO transfer (operation_id, card_id, issuer_id, amount, seq, debit_ref, credit_ref, debit_kind, \
         credit_kind) VALUES ({id}, {card}, 1, 10, 1, {sides})"
    );
    client.batch_execute(&sql).await.expect("written");
}

/// So many sales in one transaction.
async fn sell_many(client: &Client, count: i64) {
    let (first, last) = (id(1), id(count));
    let sql = format!(
        "INSERT INTO operation (id, card_id, issuer_id, client_id, requested, approved, at, business_date, kind, \
         fingerprint_key_id, key, fingerprint, currency, program_id, merchant_id) SELECT n, 77, 1, 1, 10, 10, \
         1772323200000000, 20260301, 3, 1, decode('01' || md5(n::text), 'hex'), '\\x00', 'CNY', 2, 3 \
         FROM generate_series({first}, {last}) AS n; \
         INSERT INTO transfer (operation_id, card_id, issuer_id, amount, seq, debit_ref, credit_ref, debit_kind, \
         credit_kind) SELECT n, 77, 1, 10, 1, 77, 3, 1, 2 FROM generate_series({first}, {last}) AS n"
    );
    client.batch_execute(&sql).await.expect("written");
}

/// How often each of the tables of the log was read by an index, and from one end to the other.
async fn scans(client: &Client) -> Vec<(String, i64, i64)> {
    let sql = "SELECT relname::text, coalesce(idx_scan, 0), seq_scan FROM pg_stat_user_tables \
               WHERE relname IN ('card', 'operation', 'transfer') ORDER BY 1";
    let rows = client.query(sql, &[]).await.expect("statistics");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_follows_the_log_reads_the_part_it_takes_and_no_more() {
    const SALES: u64 = 10_000;
    // A cluster of its own: the horizon is that of all databases. Nobody else gathers statistics or reads.
    let settings = vec![("autovacuum".to_owned(), "off".to_owned())];
    let options = postgres_testing::Options { settings, ..postgres_testing::Options::default() };
    let cluster = tokio::task::spawn_blocking(move || Cluster::start(&options)).await;
    let cluster = cluster.expect("run").expect("a cluster");
    let url = cluster.create_database();
    let store = PostgresStore::connect(&url, crate::support::options()).await.expect("a store");
    let watcher = writer(&url).await;
    sell_many(&watcher, i64::try_from(SALES).expect("few")).await;
    watcher.execute("SELECT pg_stat_force_next_flush()", &[]).await.expect("flushed");
    let before = scans(&watcher).await;
    let (mut rolled, mut journal, mut settled) = (0, 0, 0);
    let mut from = LogPosition::START;
    // More often than PostgreSQL asks itself anew for each question how to answer it.
    for _ in 0..10 {
        rolled += store.roll_up(1000).await.expect("a roll-up").operations;
        journal += store.roll_up_journal(1000).await.expect("a roll-up").operations;
        let page = store.movements(ISSUER, from, 1000).await.expect("movements");
        (settled, from) = (settled + page.operations, page.position);
    }
    assert_eq!((rolled, journal, settled), (SALES, SALES, SALES));
    // Sessions count what they read when they end, at the latest.
    drop(store);
    let after = loop {
        let after = scans(&watcher).await;
        if after.iter().zip(&before).all(|(after, before)| after.0 == "card" || after.1 > before.1) {
            break after;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let whole = |scans: &[(String, i64, i64)]| scans.iter().map(|scan| scan.2).collect::<Vec<_>>();
    assert_eq!(whole(&after), whole(&before), "{after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settlement_skips_nothing_and_sees_sales_before_their_refunds() {
    let cluster = tokio::task::spawn_blocking(|| Cluster::start(&postgres_testing::Options::default()));
    let cluster = cluster.await.expect("run").expect("a cluster");
    let url = cluster.create_database();
    let store = PostgresStore::connect(&url, options()).await.expect("a store");
    let (slow, quick) = (writer(&url).await, writer(&url).await);
    sell(&quick, 1, None).await;
    slow.batch_execute("BEGIN").await.expect("begun");
    sell(&slow, 2, None).await;
    sell(&quick, 3, None).await;
    let seen = async |from: LogPosition, limit: usize| {
        let page = store.movements(ISSUER, from, limit).await.expect("movements");
        let found: Vec<i64> = page.items.iter().map(|m| m.operation.get() - id(0)).collect();
        (found, page)
    };
    let (found, page) = seen(LogPosition::START, 100).await;
    assert_eq!((found, page.caught_up), (vec![1], false), "only what nothing can come before any more");
    let (found, again) = seen(page.position, 100).await;
    assert_eq!((found, again.caught_up, again.position), (vec![], false, page.position));
    // Its transaction is older than that of the sale that it gives back, and its id lower.
    sell(&quick, 6, None).await;
    sell(&slow, 5, Some(6)).await;
    slow.batch_execute("COMMIT").await.expect("committed");
    let (found, rest) = seen(page.position, 2).await;
    assert_eq!(found, [2, 3, 6, 5], "the part goes on to the sale");
    let (found, end) = seen(rest.position, 2).await;
    assert_eq!((found, end.caught_up), (vec![], true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_of_the_day_count_what_becomes_visible_late_once() {
    let cluster = tokio::task::spawn_blocking(|| Cluster::start(&postgres_testing::Options::default()));
    let cluster = cluster.await.expect("run").expect("a cluster");
    let url = cluster.create_database();
    let store = PostgresStore::connect(&url, options()).await.expect("a store");
    let (slow, quick) = (writer(&url).await, writer(&url).await);
    let seen = async |from: LogPosition| {
        let page = store.activity(from, 100).await.expect("a part");
        let found: Vec<i64> = page.items.iter().map(|item| item.operation.get() - id(0)).collect();
        (found, page.position)
    };
    slow.batch_execute("BEGIN").await.expect("begun");
    sell(&slow, 4, None).await;
    sell(&quick, 1, None).await;
    // Nothing is older: the first operations of all are written at this moment, out of order.
    let moment = Timestamp::from_micros(1_772_323_200_000_000);
    let start = store.activity_start(moment).await.expect("a place");
    let (found, position) = seen(start).await;
    assert_eq!(found, [] as [i64; 0], "the one that is open comes first");
    slow.batch_execute("COMMIT").await.expect("committed");
    let (found, position) = seen(position).await;
    assert_eq!(found, [4, 1]);
    slow.batch_execute("BEGIN").await.expect("begun");
    sell(&slow, 2, None).await;
    sell(&quick, 3, None).await;
    slow.batch_execute("COMMIT").await.expect("committed");
    let (found, _) = seen(position).await;
    assert_eq!(found, [2, 3], "also with a lower id than what was read before");
    // A day later: the last transaction before comes again, and nothing older.
    sell(&quick, 9, None).await;
    let start = store.activity_start(moment.plus_seconds(86_400)).await.expect("a place");
    let (found, _) = seen(start).await;
    assert_eq!(found, [9]);
}
