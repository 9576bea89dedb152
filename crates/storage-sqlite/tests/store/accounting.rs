//! What was entered stays, and a journal that was tampered with is found.

use domain::{Amount, ClientId, Currency, IssuerId, Timestamp};
use rusqlite::Connection;
use storage::{AccountingStore, Audit, Figure, FigureKind};
use storage_sqlite::Options;

use crate::support::{busy, redeem, scratch};

#[tokio::test]
async fn a_journal_that_was_tampered_with_is_found() {
    let (_folder, path) = scratch();
    let mut driver = busy(&path, Options::default(), 10).await;
    redeem(&mut driver, 10, 2, 5).await.1.expect("redeemed");
    while driver.store.roll_up_journal(100).await.expect("a step").behind > 0 {}
    assert_eq!(driver.store.audit().await.expect("a report").violations, Vec::new());
    let outsider = Connection::open(&path).expect("another program");
    for wrong in [
        "UPDATE journal_rollup SET amount = amount + 1 WHERE kind = 3",
        "UPDATE journal_rollup SET amount = amount - 1, operations = operations + 1 WHERE kind = 3",
        "DELETE FROM journal_rollup WHERE kind = 3",
    ] {
        assert!(outsider.execute(wrong, []).expect(wrong) > 0, "{wrong}");
        let report = driver.store.audit().await.expect("a report");
        let found = report.violations.iter().filter(|v| v.invariant == "journal_matches_log").count();
        assert!(found > 0, "{wrong}: {:?}", report.violations);
    }
    // Deleted together with its cursor, it is made again.
    outsider
        .execute_batch("DELETE FROM journal_rollup; DELETE FROM job_cursor WHERE name = 'journal'")
        .expect("sql");
    while driver.store.roll_up_journal(3).await.expect("a step").behind > 0 {}
    assert_eq!(driver.store.audit().await.expect("a report").violations, Vec::new());
}

#[tokio::test]
async fn figures_and_settings_cannot_be_changed_or_deleted() {
    let (_folder, path) = scratch();
    let driver = busy(&path, Options::default(), 3).await;
    let figure = Figure {
        issuer: IssuerId::new(1),
        kind: FigureKind::CustodyBalance,
        period: 20_260_331,
        currency: Currency::CNY,
        version: 0,
        amount: Amount::new(500).expect("an amount"),
        note: None,
        client: ClientId::new(6),
        entered_at: Timestamp::from_micros(1),
    };
    driver.store.enter_figure(&figure).await.expect("entered");
    let outsider = Connection::open(&path).expect("another program");
    let insert = "INSERT INTO accounting_setting VALUES (1, 'chart', 1, '{}', 6, 1)";
    outsider.execute(insert, []).expect("a setting");
    for wrong in [
        "UPDATE reported_figure SET amount = 1",
        "DELETE FROM reported_figure",
        "UPDATE accounting_setting SET value = ''",
        "DELETE FROM accounting_setting",
    ] {
        let error = outsider.execute(wrong, []).expect_err(wrong);
        assert!(error.to_string().contains("append-only"), "{wrong}: {error}");
    }
}
