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

#[tokio::test]
async fn settlement_cannot_be_rewritten() {
    let (_folder, path) = scratch();
    drop(crate::support::open(&path, storage_sqlite::Options::default()).expect("a new database"));
    let outsider = Connection::open(&path).expect("another program");
    let columns = "id, issuer_id, merchant_id, currency, status, period_from, period_to, ends_at, due_on, \
                   due_estimated, opening, payouts_rejected, lines, sales_count, refunds_count, late_count, sales, \
                   refunds, reversals, split_in, payout_returns, corrections, funding, fees, splits_out, yearly_fee, \
                   closing, payout, invoiced, carried, volume_month, volume, yearly_through, created_at, digest, \
                   closed_at";
    let row = |id: i64, status: i64| {
        format!(
            "INSERT INTO statement ({columns}) VALUES ({id}, 1, {id}, 'CNY', {status}, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, \
             9, 0, 0, 0, 0, 0, 0, 1, 0, 0, 8, 8, 0, 0, 0, 0, 0, 1, zeroblob(32), 1)"
        )
    };
    let rest = "INSERT INTO settlement_line VALUES (1, 1, 1, NULL, 1, 1, 9, 1, NULL, NULL, 0, 0, 0);
                INSERT INTO settlement_split VALUES (1, 1, 2, 1, 1);
                INSERT INTO agreement VALUES (1, 1, 0, 'CNY', 1, '{}', 1, 1);
                INSERT INTO payee VALUES (1, 1, 1, 'CNY', 1, 'a', 'b', 'c', NULL, NULL, 1, 1, NULL, NULL);
                INSERT INTO payout (id, issuer_id, merchant_id, statement_id, currency, amount, due_on, due_estimated,
                    status, proposed_by, created_at, version) VALUES (1, 1, 1, 1, 'CNY', 8, 1, 0, 1, 1, 1, 1)";
    let all = [row(1, 1), row(2, 2), row(3, 3), rest.to_owned()].join(";");
    outsider.execute_batch(&all).expect("rows");
    for wrong in [
        "UPDATE settlement_line SET amount = 2",
        "DELETE FROM settlement_line",
        "UPDATE settlement_split SET amount = 2",
        "DELETE FROM settlement_split",
        "UPDATE agreement SET terms = ''",
        "DELETE FROM agreement",
        "UPDATE payee SET account_number = ''",
        "UPDATE payee SET account_number = '9', account_key_id = 1, account_sealed = x'00'",
        "UPDATE payee SET holder_name = 'z', account_key_id = 1, account_sealed = x'00'",
        "DELETE FROM payee",
        "DELETE FROM statement",
        "UPDATE statement SET merchant_id = 9 WHERE id = 1",
        "UPDATE statement SET status = 3 WHERE id = 1",
        "UPDATE statement SET status = 1 WHERE id = 2",
        "UPDATE statement SET sales = 10, fees = 2 WHERE id = 2",
        "UPDATE statement SET operation_id = 5 WHERE id = 3",
        "DELETE FROM payout",
        "UPDATE payout SET amount = 9",
    ] {
        let error = outsider.execute(wrong, []).expect_err(wrong);
        assert!(error.to_string().contains("append-only"), "{wrong}: {error}");
    }
    for wrong in [
        "UPDATE statement SET sales = 10 WHERE id = 1",
        "UPDATE payout SET decided_by = 1",
        "UPDATE payout SET status = 2",
        "UPDATE payout SET status = 4, decided_by = 2",
    ] {
        let error = outsider.execute(wrong, []).expect_err(wrong);
        assert!(error.to_string().contains("CHECK"), "{wrong}: {error}");
    }
    let next = "UPDATE statement SET status = 2 WHERE id = 1; UPDATE statement SET status = 3 WHERE id = 2;
                UPDATE payout SET status = 2, decided_by = 2";
    outsider.execute_batch(next).expect("the next step");
}

#[tokio::test]
async fn approvals_cannot_be_rewritten() {
    let (_folder, path) = scratch();
    drop(crate::support::open(&path, storage_sqlite::Options::default()).expect("a new database"));
    let outsider = Connection::open(&path).expect("another program");
    let rows = "INSERT INTO approval VALUES (1, 1, 'adjust', 'adjustment', 7, '{}', 5, 'CNY', 'pending', NULL, NULL, \
                    NULL, NULL, NULL, 1, 100, 1);
                INSERT INTO approval_event VALUES (1, 1, 1, 1, 7, 'asked', '');
                INSERT INTO limit_use VALUES (7, 'k', 1, 1, 1, zeroblob(16), 'adjust', 'CNY', 1, 5, 1, 'approval', 1)";
    outsider.execute_batch(rows).expect("rows");
    for wrong in [
        "UPDATE approval SET body = '{\"amount\":9}'",
        "UPDATE approval SET amount = 9",
        "UPDATE approval SET maker_id = 8",
        "UPDATE approval SET expires_at = 999",
        "DELETE FROM approval",
        "UPDATE approval_event SET note = 'x'",
        "DELETE FROM approval_event",
        "DELETE FROM limit_use",
    ] {
        let error = outsider.execute(wrong, []).expect_err(wrong);
        assert!(error.to_string().contains("append-only"), "{wrong}: {error}");
    }
    for wrong in [
        "UPDATE approval SET state = 'approved', decided_by = 7, decided_at = 50",
        "UPDATE approval SET state = 'rejected', decided_by = 7, decided_at = 50",
        "UPDATE approval SET state = 'withdrawn', decided_by = 8, decided_at = 50",
        "UPDATE approval SET state = 'approved', decided_at = 50",
        "UPDATE approval SET state = 'approved', decided_by = 8, decided_at = 100",
        "UPDATE approval SET result = 'op_1'",
    ] {
        let error = outsider.execute(wrong, []).expect_err(wrong);
        assert!(error.to_string().contains("CHECK"), "{wrong}: {error}");
    }
    let done = "UPDATE approval SET state = 'approved', decided_by = 8, decided_at = 50;
                UPDATE approval SET result = 'op_1'";
    outsider.execute_batch(done).expect("the next steps");
    let again = "UPDATE approval SET state = 'rejected', result = NULL, decided_by = 9";
    let error = outsider.execute(again, []).expect_err(again);
    assert!(error.to_string().contains("append-only"), "{error}");
}
