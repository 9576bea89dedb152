//! Reconciliations that were tampered with are found.

use rusqlite::Connection;
use storage::Audit;
use storage_sqlite::Options;

use crate::support::{busy, scratch};

/// A file of two lines, one of which has no record here.
const WRITTEN: &str = "
    INSERT INTO reconciliation VALUES (1, 1, 2, 7, 'csv', 'a.csv', zeroblob(32), 'CNY', 1, 2, 60, 'reference',
        'complete', 2, 0, 300, 0, 2, 300, 1, 0, 1, 6, 1, 2);
    INSERT INTO reconciliation_line VALUES (1, 1, 1, 1, 'a', 100, 1, 1, 'succeeded', 5, NULL);
    INSERT INTO reconciliation_line VALUES (1, 2, 1, 2, 'b', 200, 1, 1, 'succeeded', NULL, 'missing_here');
    INSERT INTO reconciliation_difference (id, issuer_id, reconciliation_id, account_kind, account_ref, currency,
        class, line, reference, here, there, suggested, at, status, version)
        VALUES (1, 1, 1, 2, 7, 'CNY', 'missing_here', 2, 'b', 0, 200, 200, 1, 'open', 1);";

/// What is wrong, and as what it is found. The triggers that forbid it are gone: this is an attacker, or a bad disk.
const WRONG: [(&str, &str); 6] = [
    ("UPDATE reconciliation SET lines_sum = 301", "reconciliations_match_lines"),
    ("DELETE FROM reconciliation_line WHERE number = 2", "reconciliations_match_lines"),
    ("UPDATE reconciliation_line SET class = 'late' WHERE number = 1", "reconciliations_match_lines"),
    ("UPDATE reconciliation_difference SET version = 2", "differences_match_events"),
    ("UPDATE reconciliation_difference SET status = 'cleared', cleared_by = 1", "differences_match_events"),
    (
        "UPDATE reconciliation_difference SET status = 'approved', proposed_by = 1, decided_by = 2, \
         proposed_correction = 200, correction_id = 1, version = 2; \
         INSERT INTO reconciliation_event VALUES (1, 2, 1, 1, 1, 'posted', '')",
        "corrections_were_posted",
    ),
];

#[tokio::test]
async fn reconciliations_that_were_tampered_with_are_found() {
    for (wrong, invariant) in WRONG {
        let (_folder, path) = scratch();
        let driver = busy(&path, Options::default(), 3).await;
        let outsider = Connection::open(&path).expect("another program");
        outsider.execute_batch(WRITTEN).expect("a file");
        assert_eq!(driver.store.audit().await.expect("a report").violations, Vec::new());
        let triggers =
            "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name LIKE 'reconciliation%'";
        let mut found = outsider.prepare(triggers).expect("triggers");
        let names: Vec<String> = found
            .query_map([], |row| row.get(0))
            .expect("triggers")
            .map(|name| name.expect("a name"))
            .collect();
        for name in names {
            outsider.execute_batch(&format!("DROP TRIGGER {name}")).expect("dropped");
        }
        outsider.execute_batch(wrong).expect(wrong);
        let report = driver.store.audit().await.expect("a report");
        let names: Vec<&str> = report.violations.iter().map(|violation| violation.invariant).collect();
        assert!(names.contains(&invariant), "{wrong}: {:?}", report.violations);
    }
}
