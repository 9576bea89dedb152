//! What the run-time role may do with card holders, and which of them it sees.

use tokio_postgres::Client;

use crate::{
    append_only::{refused, seen, session},
    support::database,
};

async fn counts(client: &Client) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in [
        "holder",
        "holder_login",
        "holder_message",
        "holder_session",
        "holder_card",
        "holder_device",
        "holder_code_use",
        "holder_gift",
    ] {
        counts.push(seen(client, table).await);
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holders_are_seen_by_their_issuer_and_used_codes_stay_used() {
    let url = tokio::task::spawn_blocking(database).await.expect("a database");
    let client = session(&url, Some("1")).await;
    let (index, hash) = ("decode(repeat('00', 16), 'hex')", "decode(repeat('00', 32), 'hex')");
    let rows = format!(
        "INSERT INTO holder VALUES (1, 1, {index}, 1, 1, '', '0001', 1);
         INSERT INTO holder_login VALUES (1, {index}, 1, {index}, 5, 1, 1, 1, 1);
         INSERT INTO holder_message VALUES (1, 1, {index}, 1, '', 1, 1);
         INSERT INTO holder_session VALUES ({hash}, 1, 1, 1, 1, 1);
         INSERT INTO holder_card VALUES (1, 1, 1, 1, 1);
         INSERT INTO holder_device VALUES (1, 1, 1, 1, 5, 1, '', 1, NULL);
         INSERT INTO holder_code_use VALUES (1, 1, 1, 1, {hash}, 1);
         INSERT INTO holder_gift VALUES (1, 1, 1, 1, 2, 'pending', 1, 1, NULL, NULL, 1)"
    );
    client.batch_execute(&rows).await.expect("rows");
    assert_eq!(counts(&client).await, [1; 8]);
    for other in [None, Some("99")] {
        assert_eq!(counts(&session(&url, other).await).await, [0; 8], "for {other:?}");
    }
    for sql in [
        "UPDATE holder_code_use SET client_id = 9",
        "UPDATE holder SET issuer_id = 9",
        "DELETE FROM holder",
        "UPDATE holder_device SET card_id = 9",
        "UPDATE holder_gift SET receiver_id = 9",
        "DELETE FROM holder_gift",
    ] {
        refused(&client, sql).await;
    }
}
