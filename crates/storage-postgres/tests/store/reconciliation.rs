//! Reconciliations that were tampered with are found.

use postgres_testing::Cluster;
use storage::Audit;
use storage_postgres::PostgresStore;

use crate::support::{database, name_of, options};

/// A file of two lines, one of which has no record here.
const WRITTEN: &str = "
    INSERT INTO reconciliation VALUES (1, 1, 2, 7, 'csv', 'a.csv', decode(repeat('00', 32), 'hex'), 'CNY', 1, 2, 60, 'reference',
        'complete', 2, 0, 300, false, 2, 300, 1, 0, 1, 6, 1, 2);
    INSERT INTO reconciliation_line VALUES (1, 1, 1, 1, 'a', 100, 1, 1, 'succeeded', 5, NULL);
    INSERT INTO reconciliation_line VALUES (1, 2, 1, 2, 'b', 200, 1, 1, 'succeeded', NULL, 'missing_here');
    INSERT INTO reconciliation_difference (id, issuer_id, reconciliation_id, account_kind, account_ref, currency,
        class, line, reference, here, there, suggested, at, status, version)
        VALUES (1, 1, 1, 2, 7, 'CNY', 'missing_here', 2, 'b', 0, 200, 200, 1, 'open', 1);";

/// What is wrong, and as what it is found. Done by the owner, past all triggers.
const WRONG: [(&str, &str); 4] = [
    ("UPDATE reconciliation SET lines_sum = 301", "reconciliations_match_lines"),
    ("DELETE FROM reconciliation_line WHERE number = 2", "reconciliations_match_lines"),
    ("UPDATE reconciliation_difference SET version = 2", "differences_match_events"),
    (
        "UPDATE reconciliation_difference SET status = 'approved', proposed_by = 1, decided_by = 2, \
         proposed_correction = 200, correction_id = 1, version = 2; \
         INSERT INTO reconciliation_event VALUES (1, 2, 1, 1, 1, 'posted', '')",
        "corrections_were_posted",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reconciliations_that_were_tampered_with_are_found() {
    for (wrong, invariant) in WRONG {
        let url = tokio::task::spawn_blocking(database).await.expect("a database");
        let store = PostgresStore::connect(&url, options()).await.expect("a store");
        let run = |sql: String| {
            let name = name_of(&url).to_owned();
            tokio::task::spawn_blocking(move || Cluster::shared().psql(&name, &sql).expect("sql"))
        };
        run(WRITTEN.to_owned()).await.expect("written");
        assert_eq!(store.audit().await.expect("a report").violations, Vec::new());
        run(format!("SET session_replication_role = replica; {wrong}")).await.expect("changed");
        let report = store.audit().await.expect("a report");
        let names: Vec<&str> = report.violations.iter().map(|violation| violation.invariant).collect();
        assert!(names.contains(&invariant), "{wrong}: {:?}", report.violations);
    }
}
