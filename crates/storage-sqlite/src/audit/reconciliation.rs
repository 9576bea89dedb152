//! Reconciliation: the figures of a file are those of its lines and differences, the state of a difference is what
//! was done about it, and corrections are in the ledger.

use domain::{DifferenceId, ReconciliationId};
use rusqlite::Connection;
use storage::Result;

use super::{Findings, settlement::each};

/// Complete files whose figures are not those of their lines and differences.
const FIGURES: &str = "SELECT r.id FROM reconciliation r LEFT JOIN ( \
         SELECT reconciliation_id, count(*) AS lines, \
             sum(CASE WHEN status = 'succeeded' THEN amount ELSE 0 END) AS lines_sum, \
             sum(CASE WHEN class IS NULL AND operation_id IS NOT NULL THEN 1 ELSE 0 END) AS matched \
         FROM reconciliation_line GROUP BY reconciliation_id) l ON l.reconciliation_id = r.id \
     LEFT JOIN (SELECT reconciliation_id, count(*) AS differences FROM reconciliation_difference \
         GROUP BY reconciliation_id) d ON d.reconciliation_id = r.id \
     WHERE r.status = 'complete' AND (r.lines, r.lines_sum, r.matched, r.differences) \
         IS NOT (coalesce(l.lines, 0), coalesce(l.lines_sum, 0), coalesce(l.matched, 0), \
             coalesce(d.differences, 0)) ORDER BY r.id LIMIT 20";

/// Differences whose state is not what was done about them: each change is an event with the version that it made.
const STATES: &str = "SELECT d.id FROM reconciliation_difference d LEFT JOIN ( \
         SELECT difference_id, count(*) AS events, max(version) AS version FROM reconciliation_event \
         GROUP BY difference_id) e ON e.difference_id = d.id \
     LEFT JOIN reconciliation_event last ON last.difference_id = d.id AND last.version = d.version \
     WHERE coalesce(e.version, 1) <> d.version OR coalesce(e.events, 0) <> d.version - 1 \
         OR d.status <> CASE coalesce(last.action, 'found') WHEN 'proposed' THEN 'proposed' \
             WHEN 'approved' THEN 'approved' WHEN 'posted' THEN 'approved' WHEN 'cleared' THEN 'cleared' \
             ELSE 'open' END \
         OR (d.correction_id IS NOT NULL) <> (coalesce(last.action, 'found') = 'posted') ORDER BY d.id LIMIT 20";

/// Differences whose operation, where they name one, is not the correction (28) that was agreed on.
const UNPOSTED: &str = "SELECT d.id FROM reconciliation_difference d WHERE d.correction_id IS NOT NULL AND NOT EXISTS ( \
         SELECT 1 FROM operation o WHERE o.id = d.correction_id AND o.kind = 28 AND o.decline IS NULL \
         AND o.issuer_id = d.issuer_id AND o.currency = d.currency AND o.approved = abs(d.proposed_correction)) \
     ORDER BY d.id LIMIT 20";

pub(crate) fn check(connection: &Connection, findings: &mut Findings) -> Result<()> {
    each(connection, FIGURES, |f| {
        let subject = ReconciliationId::new(f.int()?).to_string();
        findings.note("reconciliations_match_lines", subject, "its figures are not those of its lines");
        Ok(())
    })?;
    each(connection, STATES, |f| {
        let subject = DifferenceId::new(f.int()?).to_string();
        findings.note("differences_match_events", subject, "its state is not what was done about it");
        Ok(())
    })?;
    each(connection, UNPOSTED, |f| {
        let subject = DifferenceId::new(f.int()?).to_string();
        findings.note("corrections_were_posted", subject, "its operation is not the correction agreed on");
        Ok(())
    })
}
