//! No statement of the write path, or of the jobs that follow it, ever walks a table: not on an empty database,
//! not on a million cards, not if it was prepared on the one and runs on the other, not for one row and not for
//! two thousand.

use postgres_testing::Cluster;
use serde_json::Value;
use storage_postgres::{STEADY_PLANS, following_statements, statements};
use tokio_postgres::{Client, NoTls};

use crate::support::{database, name_of};

const SIZES: [usize; 7] = [1, 2, 10, 100, 500, 1000, 2000];

/// A million cards and half a million operations, as a store in use has them.
const FILL: &str = "
    INSERT INTO card (id, issuer_id, program_id, held, day_count, day_amount, created_at, posted, batch_id,
        day, pin_failures, pin_lifetime_failures, last4, state, number_key_id, number_index, lots)
    SELECT n, 1, 2, 0, 0, 0, 0, 1000, n / 50000, 0, 0, 0, n % 10000, 2, 1, decode(md5(n::text), 'hex'),
        '[[1,\"paid\",null,1000,1000,0,0,null]]'
    FROM generate_series(1, 1000000) AS n;
    INSERT INTO operation (id, card_id, issuer_id, client_id, requested, approved, at, business_date, kind,
        fingerprint_key_id, key, fingerprint, terminal_id, trace)
    SELECT n, n, 1, 6, 1, 1, n, 20260301, 3, 1, decode('01' || md5(n::text), 'hex'),
        decode(md5(n::text), 'hex'), 5, CASE WHEN n % 4 = 0 THEN n END
    FROM generate_series(1, 500000) AS n;
    INSERT INTO transfer (operation_id, card_id, issuer_id, debit_ref, credit_ref, amount, seq, debit_lot,
        debit_kind, credit_kind)
    SELECT n, n, 1, n, 3, 1, 1, 1, 1, 2 FROM generate_series(1, 500000) AS n;
    INSERT INTO hold (id, card_id, issuer_id, merchant_id, amount, captured, created_at, expires_at, status)
    SELECT n, n, 1, 3, 1, 0, n, n, 1 + n % 2 FROM generate_series(1, 100000) AS n;
    INSERT INTO compensation (operation_id, card_id, issuer_id, refunded)
    SELECT n, n, 1, 1 FROM generate_series(1, 50000) AS n;
    INSERT INTO tombstone (client_id, key, reversal_id)
    SELECT 6, decode('01' || md5(n::text), 'hex'), n FROM generate_series(1000001, 1010000) AS n;";

/// The statements that have a plan: all but those that begin and commit.
fn planned() -> Vec<String> {
    let is_planned = |sql: &String| !sql.starts_with("BEGIN") && !sql.starts_with("COMMIT");
    let following = following_statements().into_iter().map(str::to_owned);
    let found: Vec<String> = statements().into_iter().filter(is_planned).chain(following).collect();
    assert!(found.len() > 20, "{}", found.len());
    found
}

/// A session as the writer's, with every statement prepared under the name `s0`, `s1` …
async fn prepared(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let plans: String = STEADY_PLANS.iter().map(|(name, value)| format!("SET {name} = {value}; ")).collect();
    let session = format!("SET ROLE hexiao_app; SET hexiao.issuer = '*'; {plans}");
    client.batch_execute(&session).await.expect("the writer's settings");
    for (n, sql) in planned().iter().enumerate() {
        client.batch_execute(&format!("PREPARE s{n} AS {sql}")).await.expect(sql);
    }
    client
}

/// Arguments of the types of a statement, with arrays of this size.
async fn arguments(client: &Client, name: &str, size: usize) -> String {
    let types = "SELECT unnest(parameter_types)::text FROM pg_prepared_statements WHERE name = $1";
    let rows = client.query(types, &[&name]).await.expect("its types");
    let argument = |kind: &str| match kind.strip_suffix("[]") {
        Some("bytea") => format!("array_fill('\\x00'::bytea, ARRAY[{size}])"),
        Some("text") => format!("array_fill('x'::text, ARRAY[{size}])"),
        Some(number) => format!("array_fill(1::{number}, ARRAY[{size}])"),
        None if kind == "text" => "'1'".to_owned(),
        None => "1".to_owned(),
    };
    let all: Vec<String> = rows.iter().map(|row| argument(row.get(0))).collect();
    if all.is_empty() { String::new() } else { format!("({})", all.join(", ")) }
}

/// The ways of reaching rows that grow with the table.
fn walks(plan: &Value, found: &mut Vec<String>) {
    let node = plan["Node Type"].as_str().unwrap_or_default();
    let table = plan["Relation Name"].as_str().unwrap_or_default();
    let whole_index = node.starts_with("Index") && plan.get("Index Cond").is_none();
    if matches!(node, "Seq Scan" | "Bitmap Heap Scan" | "Hash Join" | "Merge Join") || whole_index {
        found.push(format!("{node} on {table}"));
    }
    // By the client alone, or a filter after a join, it would look at all that the client ever did.
    let by_client_alone = plan["Index Name"] == "operation_key"
        && !plan["Index Cond"].as_str().unwrap_or_default().contains("(key = ");
    if by_client_alone || plan.get("Join Filter").is_some() {
        found.push(format!("{node} on {table}, filtered"));
    }
    for child in plan["Plans"].as_array().into_iter().flatten() {
        walks(child, found);
    }
}

async fn check(client: &Client, when: &str) {
    for (n, sql) in planned().iter().enumerate() {
        for size in SIZES {
            let name = format!("s{n}");
            let arguments = arguments(client, &name, size).await;
            let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE {name}{arguments}");
            let row = client.query_one(&explain, &[]).await;
            let plan: String = text_of(&row.unwrap_or_else(|error| panic!("{explain}: {error:?}")));
            let plan: Value = serde_json::from_str(&plan).expect("a plan");
            let mut found = Vec::new();
            walks(&plan[0]["Plan"], &mut found);
            assert_eq!(found, Vec::<String>::new(), "{when}, {size} rows: {sql}\n{plan:#}");
        }
    }
}

/// EXPLAIN answers in the type `json`.
fn text_of(row: &tokio_postgres::Row) -> String {
    struct Json(String);
    impl<'a> tokio_postgres::types::FromSql<'a> for Json {
        fn from_sql(
            _: &tokio_postgres::types::Type,
            raw: &'a [u8],
        ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
            Ok(Self(String::from_utf8(raw.to_vec())?))
        }
        fn accepts(kind: &tokio_postgres::types::Type) -> bool {
            *kind == tokio_postgres::types::Type::JSON
        }
    }
    row.get::<_, Json>(0).0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_is_reached_by_its_index() {
    let url = tokio::task::spawn_blocking(database).await.expect("a database");
    let early = prepared(&url).await;
    check(&early, "prepared and run when empty").await;
    let name = name_of(&url).to_owned();
    // No statistics are gathered in between: what was planned stays planned.
    let fill = format!(
        "ALTER TABLE card SET (autovacuum_enabled = off); ALTER TABLE operation SET (autovacuum_enabled = off); {FILL}"
    );
    let filled = tokio::task::spawn_blocking(move || Cluster::shared().psql(&name, &fill).map(|_| name));
    let name = filled.await.expect("run").expect("a million cards");
    check(&early, "prepared when empty, run when full").await;
    check(&prepared(&url).await, "prepared when full, without statistics").await;
    let analysed = tokio::task::spawn_blocking(move || Cluster::shared().psql(&name, "ANALYZE"));
    analysed.await.expect("run").expect("statistics");
    check(&early, "prepared when empty, planned again with statistics").await;
    check(&prepared(&url).await, "prepared when full, with statistics").await;
}
