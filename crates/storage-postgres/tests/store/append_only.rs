//! What the run-time role cannot do, whatever the program tries: change history, or see another issuer.

use domain::IssuerId;
use postgres_testing::Cluster;
use storage::IssueStore;
use storage_postgres::PostgresStore;
use tokio_postgres::{Client, NoTls, error::SqlState};

use crate::{
    driver::{Driver, ISSUER, Times},
    support::{database, name_of, options},
};

/// A session of the run-time role that says for whom it works.
pub(crate) async fn session(url: &str, issuer: Option<&str>) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client.batch_execute("SET ROLE hexiao_app").await.expect("the role");
    if let Some(issuer) = issuer {
        client.batch_execute(&format!("SET hexiao.issuer = '{issuer}'")).await.expect("an issuer");
    }
    client
}

/// A database with ten cards in use.
async fn busy() -> (String, Driver) {
    let url = tokio::task::spawn_blocking(database).await.expect("a database");
    let store = PostgresStore::connect(&url, options()).await.expect("a store");
    let mut driver = Driver::new(store).await;
    driver.make_cards(10).await;
    let mut times = Times::default();
    let requests: Vec<_> = (0..10).map(|n| driver.activation(n)).collect();
    driver.run(&requests, &mut times).await.expect("activated");
    let requests: Vec<_> = (0..5).map(|_| driver.redemption(10, true)).collect();
    driver.run(&requests, &mut times).await.expect("redeemed");
    (url, driver)
}

pub(crate) async fn refused(client: &Client, sql: &str) {
    let error = client.batch_execute(sql).await.expect_err(sql);
    assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}: {error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_cannot_be_changed() {
    let (url, _driver) = busy().await;
    let client = session(&url, Some("*")).await;
    for table in ["operation", "transfer", "tombstone"] {
        let column = match table {
            "operation" => "approved",
            "transfer" => "amount",
            _ => "reversal_id",
        };
        for sql in [
            format!("UPDATE {table} SET {column} = 1"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("ALTER TABLE {table} ADD COLUMN more integer"),
            format!("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"),
            format!("DROP TABLE {table}"),
            format!(
                "CREATE TRIGGER t BEFORE INSERT ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()"
            ),
        ] {
            refused(&client, &sql).await;
        }
    }
    for sql in [
        "DELETE FROM card",
        "DELETE FROM compensation",
        "DROP POLICY issuers ON card",
        "DELETE FROM node",
        "UPDATE reported_figure SET amount = 1",
        "DELETE FROM reported_figure",
        "UPDATE accounting_setting SET value = ''",
        "DELETE FROM journal_rollup",
        "UPDATE audit_event SET status = 200",
        "DELETE FROM audit_event",
        "DELETE FROM person",
        "UPDATE person SET login = 'x'",
        "DELETE FROM role",
        "DELETE FROM invitation",
        "UPDATE invitation SET roles = '1'",
        "UPDATE recovery_code SET digest = ''",
        "DELETE FROM identity_provider",
        "UPDATE identity_provider SET issuer_id = 1",
        "UPDATE person_identity SET subject = 'x'",
    ] {
        refused(&client, sql).await;
    }
    let owned = "SELECT count(*) FROM pg_class WHERE relowner = 'hexiao_app'::regrole";
    let owned: i64 = client.query_one(owned, &[]).await.expect("a count").get(0);
    assert_eq!(owned, 0, "the run-time role owns nothing");
}

const TABLES: [&str; 23] = [
    "card",
    "hold",
    "operation",
    "transfer",
    "compensation",
    "batch",
    "account_rollup",
    "card_secret",
    "journal_rollup",
    "reported_figure",
    "accounting_setting",
    "person",
    "person_password",
    "person_totp",
    "recovery_code",
    "person_session",
    "invitation",
    "audit_event",
    "saved_view",
    "identity_provider",
    "person_identity",
    "sign_in_flow",
    "passkey",
];

pub(crate) async fn seen(client: &Client, table: &str) -> i64 {
    client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.expect("a count").get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issuers_do_not_see_each_other() {
    let (url, driver) = busy().await;
    assert!(driver.store.batches(IssuerId::new(99), None, 5).await.expect("a page").items.is_empty());
    let own = ISSUER.get().to_string();
    let (nobody, other, both) = (
        session(&url, None).await,
        session(&url, Some("99")).await,
        session(&url, Some(&format!("99,{own}"))).await,
    );
    let itself = session(&url, Some(&own)).await;
    for table in TABLES {
        assert_eq!(seen(&nobody, table).await, 0, "{table} without an issuer");
        assert_eq!(seen(&other, table).await, 0, "{table} of another issuer");
        assert_eq!(seen(&itself, table).await, seen(&both, table).await, "{table}");
    }
    for table in ["card", "operation", "transfer", "card_secret"] {
        assert!(seen(&itself, table).await > 0, "{table} of its own");
    }
    // A row that is not seen cannot be changed, and none can be written or moved to somebody else.
    let changed = other.execute("UPDATE card SET held = held", &[]).await.expect("nothing to change");
    assert_eq!(changed, 0);
    refused(&itself, "UPDATE card SET issuer_id = 99").await;
    let copy = "INSERT INTO transfer SELECT operation_id, card_id, 99, debit_ref, credit_ref, amount, seq + 50, \
                debit_lot, credit_lot, debit_kind, credit_kind FROM transfer";
    refused(&itself, copy).await;
    let lots: i64 = other.query_one("SELECT count(*) FROM lot", &[]).await.expect("a view").get(0);
    assert_eq!(lots, 0, "the view has the rights of who asks");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn balances_have_a_last_wall() {
    let (url, _driver) = busy().await;
    let cluster = Cluster::shared();
    for sql in [
        "UPDATE card SET posted = -1",
        "UPDATE card SET held = -1",
        "UPDATE card SET held = posted + 1",
        "UPDATE card SET state = 9",
        "INSERT INTO transfer VALUES (1, 1, 1, 1, 1, 0, 1, 1, NULL, 2, 2)",
    ] {
        let error = cluster.psql(name_of(&url), sql).expect_err(sql);
        assert!(error.contains("check constraint"), "{sql}: {error}");
    }
    let sums = "SELECT sum(remaining) - (SELECT sum(posted) FROM card) FROM lot";
    assert_eq!(cluster.psql(name_of(&url), sums).expect("lots as rows"), "0");
}

/// Rows of settlement of issuer 1, as the run-time role may write them.
const SETTLED: &str = "
    INSERT INTO statement (id, issuer_id, merchant_id, currency, status, period_from, period_to, ends_at, due_on,
        due_estimated, opening, payouts_rejected, lines, sales_count, refunds_count, late_count, sales, refunds,
        reversals, split_in, payout_returns, corrections, funding, fees, splits_out, yearly_fee, closing, payout,
        invoiced, carried, volume_month, volume, yearly_through, created_at, digest, closed_at)
    SELECT n, 1, n, 'CNY', n, 1, 1, 1, 1, false, 0, 0, 1, 1, 0, 0, 9, 0, 0, 0, 0, 0, 0, 1, 0, 0, 8, 8, 0, 0, 0, 0, 0,
        1, sha256('x'), 1 FROM generate_series(1, 3) AS n;
    INSERT INTO settlement_line (operation_id, issuer_id, merchant_id, statement_id, kind, day, amount, fee,
        refunded_before, residue, late) VALUES (1, 1, 1, 1, 1, 1, 9, 1, 0, 0, false);
    INSERT INTO settlement_split VALUES (1, 1, 1, 2, 1, 1);
    INSERT INTO settlement_refund VALUES (1, 1, 1, 1, 1);
    INSERT INTO settlement_cursor VALUES (1, '1', 1, 1, 1);
    INSERT INTO settlement_account VALUES (1, 1, 'CNY', 1);
    INSERT INTO calendar_day VALUES (1, 2026, 1, true, 'x');
    INSERT INTO agreement VALUES (1, 1, 0, 'CNY', 1, '{}', 1, 1);
    INSERT INTO payee VALUES (1, 1, 1, 'CNY', 1, 'a', 'b', 'c', NULL, NULL, 1, 1, NULL, NULL);
    INSERT INTO payout (id, issuer_id, merchant_id, statement_id, currency, amount, due_on, due_estimated, status,
        proposed_by, created_at, version) VALUES (1, 1, 1, 1, 'CNY', 8, 1, false, 1, 1, 1, 1)";

const SETTLEMENT: [&str; 10] = [
    "calendar_day",
    "agreement",
    "payee",
    "settlement_cursor",
    "statement",
    "settlement_line",
    "settlement_split",
    "settlement_refund",
    "settlement_account",
    "payout",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settlement_cannot_be_rewritten() {
    let url = tokio::task::spawn_blocking(database).await.expect("a database");
    let client = session(&url, Some("1")).await;
    client.batch_execute(SETTLED).await.expect("rows");
    for sql in [
        "UPDATE settlement_line SET amount = 2",
        "UPDATE settlement_split SET amount = 2",
        "UPDATE agreement SET terms = ''",
        "UPDATE payee SET account_number = ''",
        "UPDATE payee SET account_number = '9', account_key_id = 1, account_sealed = 'x'",
        "UPDATE payee SET holder_name = 'z', account_key_id = 1, account_sealed = 'x'",
        "UPDATE statement SET merchant_id = 9 WHERE id = 1",
        "UPDATE statement SET status = 3 WHERE id = 1",
        "UPDATE statement SET status = 1 WHERE id = 2",
        "UPDATE statement SET sales = 10, fees = 2 WHERE id = 2",
        "UPDATE statement SET operation_id = 5 WHERE id = 3",
        "UPDATE payout SET amount = 9",
    ] {
        refused(&client, sql).await;
    }
    for table in SETTLEMENT.iter().filter(|table| **table != "calendar_day") {
        refused(&client, &format!("DELETE FROM {table}")).await;
        refused(&client, &format!("TRUNCATE {table}")).await;
    }
    for sql in ["UPDATE payout SET decided_by = 1", "UPDATE payout SET status = 4, decided_by = 2"] {
        let error = client.batch_execute(sql).await.expect_err(sql);
        assert_eq!(error.code(), Some(&SqlState::CHECK_VIOLATION), "{sql}: {error:?}");
    }
    let next = "UPDATE statement SET status = 2 WHERE id = 1; UPDATE statement SET status = 3 WHERE id = 2; \
                UPDATE payout SET status = 2, decided_by = 2";
    client.batch_execute(next).await.expect("the next step");
    let (nobody, other) = (session(&url, None).await, session(&url, Some("99")).await);
    for table in SETTLEMENT {
        assert_eq!(
            (seen(&nobody, table).await, seen(&other, table).await),
            (0, 0),
            "{table} of another issuer"
        );
        assert!(seen(&client, table).await > 0, "{table} of its own");
    }
    refused(&client, "INSERT INTO settlement_account VALUES (99, 1, 'CNY', 1)").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn approvals_cannot_be_rewritten() {
    let url = tokio::task::spawn_blocking(database).await.expect("a database");
    let client = session(&url, Some("1")).await;
    let rows = "INSERT INTO approval VALUES (1, 1, 'adjust', 'adjustment', 7, '{}', 5, 'CNY', 'pending', NULL, NULL, \
                    NULL, NULL, NULL, 1, 100, 1);
                INSERT INTO approval_event VALUES (1, 1, 1, 1, 7, 'asked', '');
                INSERT INTO limit_use VALUES (7, 'k', 1, 1, 1, decode(repeat('00', 16), 'hex'), 'adjust', 'CNY', 1, 5, \
                    true, 'approval', 1)";
    client.batch_execute(rows).await.expect("rows");
    for sql in [
        "UPDATE approval SET body = '{}'",
        "UPDATE approval SET amount = 9",
        "UPDATE approval SET maker_id = 8",
        "UPDATE approval SET expires_at = 999",
        "UPDATE approval_event SET note = 'x'",
        "UPDATE limit_use SET maker_id = 8",
    ] {
        refused(&client, sql).await;
    }
    for table in ["approval", "approval_event", "limit_use"] {
        refused(&client, &format!("DELETE FROM {table}")).await;
        refused(&client, &format!("TRUNCATE {table}")).await;
    }
    for sql in [
        "UPDATE approval SET state = 'approved', decided_by = 7, decided_at = 50",
        "UPDATE approval SET state = 'withdrawn', decided_by = 8, decided_at = 50",
        "UPDATE approval SET state = 'approved', decided_at = 50",
        "UPDATE approval SET state = 'approved', decided_by = 8, decided_at = 100",
        "UPDATE approval SET result = 'op_1'",
    ] {
        let error = client.batch_execute(sql).await.expect_err(sql);
        assert_eq!(error.code(), Some(&SqlState::CHECK_VIOLATION), "{sql}: {error:?}");
    }
    let done = "UPDATE approval SET state = 'approved', decided_by = 8, decided_at = 50; \
                UPDATE approval SET result = 'op_1'";
    client.batch_execute(done).await.expect("the next steps");
    refused(&client, "UPDATE approval SET state = 'rejected', result = NULL, decided_by = 9").await;
    let (nobody, other) = (session(&url, None).await, session(&url, Some("99")).await);
    for table in ["approval", "approval_event", "limit_use"] {
        assert_eq!(
            (seen(&nobody, table).await, seen(&other, table).await),
            (0, 0),
            "{table} of another issuer"
        );
        assert_eq!(seen(&client, table).await, 1, "{table} of its own");
    }
}
