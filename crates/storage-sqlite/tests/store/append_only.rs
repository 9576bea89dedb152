//! The database itself refuses to change history, whoever asks.

use rusqlite::Connection;

use crate::support::{busy, redeem, scratch};

#[tokio::test]
async fn operations_and_transfers_cannot_be_changed_or_deleted() {
    let (_folder, path) = scratch();
    let mut driver = busy(&path, storage_sqlite::Options::default(), 10).await;
    redeem(&mut driver, 10, 2, 5).await.1.expect("redeemed");
    let outsider = Connection::open(&path).expect("another program");
    let count = |table: &str| -> i64 {
        outsider.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).expect("a count")
    };
    for table in ["operation", "transfer"] {
        let before = count(table);
        assert!(before > 0);
        let column = if table == "operation" { "approved" } else { "amount" };
        for wrong in [format!("UPDATE {table} SET {column} = 1"), format!("DELETE FROM {table}")] {
            let error = outsider.execute(&wrong, []).expect_err(&wrong);
            assert!(error.to_string().contains("append-only"), "{wrong}: {error}");
        }
        assert_eq!(count(table), before);
    }
}

#[tokio::test]
async fn balances_have_a_last_wall() {
    let (_folder, path) = scratch();
    drop(busy(&path, storage_sqlite::Options::default(), 3).await);
    let outsider = Connection::open(&path).expect("another program");
    for wrong in [
        "UPDATE card SET posted = -1",
        "UPDATE card SET held = -1",
        "UPDATE card SET held = posted + 1",
        "UPDATE card SET state = 9",
        "UPDATE card SET posted = 'much'",
        "INSERT INTO transfer VALUES (1, 1, 1, 1, 1, 2, 2, NULL, 0)",
    ] {
        let error = outsider.execute(wrong, []).expect_err(wrong);
        assert!(
            matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::ConstraintViolation)),
            "{wrong}: {error}"
        );
    }
    let lots: i64 = outsider
        .query_row("SELECT sum(remaining) - (SELECT sum(posted) FROM card) FROM lot", [], |row| row.get(0))
        .expect("lots as rows");
    assert_eq!(lots, 0);
}
