//! Settlement against the log: each line says what its operation moved and every movement that was taken in has
//! its line; the figures of statements are what their lines add up to, and nobody changed them; payouts were
//! posted; and what the ledger owes a merchant is what its statements say.

use domain::{MerchantId, OperationId, PayoutId, StatementId};
use settlement::closing;
use storage::Result;
use tokio_postgres::Transaction;

use super::{Findings, stream::Rows};
use crate::{
    error::IntoStorage,
    fields::Fields,
    settlement::{
        balances::{self, BALANCES},
        rows::{self, STATEMENT},
    },
};

/// Lines whose amount is not what the operation moved. 2 is a merchant.
const DIFFERENT: &str = "SELECT * FROM (SELECT l.operation_id, l.merchant_id, l.amount, (SELECT \
         coalesce(sum(CASE WHEN t.credit_kind = 2 AND t.credit_ref = l.merchant_id THEN t.amount ELSE 0 END \
             - CASE WHEN t.debit_kind = 2 AND t.debit_ref = l.merchant_id THEN t.amount ELSE 0 END), 0)::bigint \
         FROM transfer t WHERE t.operation_id = l.operation_id) AS moved FROM settlement_line l) AS moves \
     WHERE amount <> moved LIMIT 20";

/// Movements that were taken in without a line. What a statement itself posts (23, on its own merchant), pays out
/// (24) or is paid (26) has none.
const WITHOUT: &str = "SELECT m.id, m.merchant, 0::bigint, sum(m.delta)::bigint FROM ( \
         SELECT operation_id AS id, credit_ref AS merchant, amount AS delta FROM transfer WHERE credit_kind = 2 \
         UNION ALL SELECT operation_id, debit_ref, -amount FROM transfer WHERE debit_kind = 2) AS m \
     JOIN operation o ON o.id = m.id JOIN settlement_cursor c ON c.issuer_id = o.issuer_id \
     WHERE (o.xid, o.id) <= (c.xid, c.position) AND o.kind NOT IN (24, 26) \
         AND NOT (o.kind = 23 AND coalesce(o.merchant_id, 0) = m.merchant) \
         AND NOT EXISTS (SELECT 1 FROM settlement_line l WHERE l.operation_id = m.id AND l.merchant_id = m.merchant) \
     GROUP BY 1, 2 HAVING sum(m.delta) <> 0 LIMIT 20";

/// Fixed figures that are not what the lines add up to.
const FIGURES: &str = "SELECT s.id FROM statement s LEFT JOIN ( \
         SELECT statement_id, count(*) AS lines, sum((kind = 1)::integer) AS sales_count, sum((kind = 2)::integer) AS refunds_count, \
             sum(late::integer) AS late_count, sum(CASE WHEN kind = 1 THEN amount ELSE 0 END) AS sales, \
             sum(CASE WHEN kind = 2 THEN amount ELSE 0 END) AS refunds, \
             sum(CASE WHEN kind > 2 THEN amount ELSE 0 END) AS others, sum(fee) AS fees, \
             sum((previous_id IS NULL)::integer) AS firsts \
         FROM settlement_line GROUP BY statement_id) l ON l.statement_id = s.id \
     LEFT JOIN (SELECT statement_id, sum(amount) AS splits_out FROM settlement_split GROUP BY statement_id) p \
         ON p.statement_id = s.id \
     WHERE s.status > 1 AND ((s.lines, s.sales_count, s.refunds_count, s.late_count, s.sales, s.refunds, \
             s.reversals + s.split_in + s.payout_returns + s.corrections + s.funding, s.fees, s.splits_out) \
         IS DISTINCT FROM (coalesce(l.lines, 0), coalesce(l.sales_count, 0), coalesce(l.refunds_count, 0), \
             coalesce(l.late_count, 0), coalesce(l.sales, 0), coalesce(l.refunds, 0), coalesce(l.others, 0), \
             coalesce(l.fees, 0), coalesce(p.splits_out, 0)) OR l.firsts > 1 \
         OR (s.newest_line_id IS NULL) <> (coalesce(l.lines, 0) = 0)) ORDER BY s.id LIMIT 20";

/// Lines that follow on none of their own statement.
const BROKEN: &str = "SELECT l.statement_id FROM settlement_line l WHERE l.previous_id IS NOT NULL AND NOT EXISTS ( \
         SELECT 1 FROM settlement_line p WHERE p.operation_id = l.previous_id \
         AND p.merchant_id = l.merchant_id AND p.statement_id = l.statement_id) LIMIT 20";

/// Payouts whose operation, where they name one, did not pay them out (24).
const UNPAID: &str = "SELECT p.id FROM payout p WHERE p.operation_id IS NOT NULL AND NOT EXISTS ( \
         SELECT 1 FROM operation o WHERE o.id = p.operation_id AND o.kind = 24 AND o.decline IS NULL \
         AND o.merchant_id = p.merchant_id AND o.approved = p.amount) LIMIT 20";

pub(crate) async fn check(tx: &Transaction<'_>, findings: &mut Findings) -> Result<()> {
    for sql in [DIFFERENT, WITHOUT] {
        for row in tx.query(sql, &[]).await.stored()? {
            let mut f = Fields::new(&row);
            let (operation, merchant) = (OperationId::new(f.int()?), MerchantId::new(f.int()?));
            let (stored, by_log) = (f.int()?, f.int()?);
            findings.compare("lines_match_log", || format!("{operation} of {merchant}"), stored, by_log);
        }
    }
    for (sql, what) in [(FIGURES, "its figures are not those of its lines"), (BROKEN, "its chain is broken")]
    {
        for row in tx.query(sql, &[]).await.stored()? {
            let subject = StatementId::new(Fields::new(&row).int()?).to_string();
            findings.note("statements_match_lines", subject, what);
        }
    }
    for row in tx.query(UNPAID, &[]).await.stored()? {
        let subject = PayoutId::new(Fields::new(&row).int()?).to_string();
        findings.note("payouts_were_posted", subject, "its operation did not pay it out");
    }
    check_digests(tx, findings).await?;
    check_balances(tx, findings).await
}

/// What an issuer's merchants are owed, by the ledger and by their statements.
async fn check_balances(tx: &Transaction<'_>, findings: &mut Findings) -> Result<()> {
    for row in tx.query("SELECT id FROM issuer ORDER BY id", &[]).await.stored()? {
        let issuer = Fields::new(&row).int()?;
        let found = tx.query(BALANCES, &[&issuer]).await.stored()?;
        for wrong in balances::fold(&found)?.differences {
            let subject = || format!("{} in {}", wrong.merchant, wrong.currency);
            findings.compare("accounts_match_statements", subject, wrong.statements, wrong.ledger);
        }
    }
    Ok(())
}

/// A closed statement has the digest of its content and of the one before it.
async fn check_digests(tx: &Transaction<'_>, findings: &mut Findings) -> Result<()> {
    let columns =
        STATEMENT.split(',').map(|name| format!("s.{}", name.trim())).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT p.digest, {columns} FROM statement s LEFT JOIN statement p ON p.id = s.previous_id \
         WHERE s.status = 3 ORDER BY s.id"
    );
    let mut found = Rows::new(tx, &sql, &[]).await?;
    while let Some(row) = found.next().await? {
        let mut f = Fields::new(&row);
        let before = f.opt_blob()?.and_then(|bytes| bytes.try_into().ok());
        let statement = rows::statement(&mut f)?;
        if statement.digest != Some(closing::digest(&statement, before)) {
            findings.note("statement_digests", statement.id.to_string(), "was changed after it was closed");
        }
    }
    Ok(())
}
