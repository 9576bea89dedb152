//! Merchants' accounts in the ledger against their statements.

use domain::{IssuerId, MerchantId};
use storage::{Result, SettledBalance, SettledBalances};
use tokio_postgres::Row;

use super::rows;
use crate::{PostgresStore, fields::Fields, store::Scope};

/// What adds up to both sides, for `$1`, an issuer. 2 is a merchant; 23 a settlement, 24 a payout, 26 a payment of
/// a merchant. What the journal has not rolled up, or statements have not taken in, is read from the log.
/// Merchants that have no statement yet, or one that is being closed, are left out.
pub(crate) const BALANCES: &str = "WITH reached AS MATERIALIZED ( \
         SELECT coalesce(c.xid, '0'::xid8) AS settled_xid, coalesce(c.position, -1) AS settled, \
             coalesce(j.xid, '0'::xid8) AS rolled_xid, coalesce(j.position, -1) AS rolled \
         FROM (SELECT 1) AS one LEFT JOIN settlement_cursor c ON c.issuer_id = $1 \
             LEFT JOIN job_cursor j ON j.name = 'journal'), \
     tail AS MATERIALIZED ( \
         SELECT o.id, o.card_id, o.currency, o.kind, o.merchant_id, \
             (o.xid, o.id) > (r.rolled_xid, r.rolled) AS unrolled, \
             (o.xid, o.id) > (r.settled_xid, r.settled) AS unsettled \
         FROM operation o, reached r \
         WHERE o.xid >= (SELECT least(settled_xid, rolled_xid) FROM reached) AND o.issuer_id = $1), \
     recent AS ( \
         SELECT t.credit_ref AS merchant, o.currency, o.kind, coalesce(o.merchant_id = t.credit_ref, false) AS own, \
             o.unrolled, o.unsettled, t.amount AS delta \
         FROM tail o JOIN transfer t ON t.operation_id = o.id AND t.card_id = o.card_id WHERE t.credit_kind = 2 \
         UNION ALL SELECT t.debit_ref, o.currency, o.kind, coalesce(o.merchant_id = t.debit_ref, false), \
             o.unrolled, o.unsettled, -t.amount \
         FROM tail o JOIN transfer t ON t.operation_id = o.id AND t.card_id = o.card_id WHERE t.debit_kind = 2), \
     part (merchant, currency, ledger, statements) AS ( \
         SELECT credit_ref, currency, amount, CASE WHEN kind = 26 THEN amount ELSE 0 END \
         FROM journal_rollup WHERE issuer_id = $1 AND credit_kind = 2 \
         UNION ALL SELECT debit_ref, currency, -amount, 0 FROM journal_rollup WHERE issuer_id = $1 AND debit_kind = 2 \
         UNION ALL SELECT merchant, currency, delta, CASE WHEN kind = 26 THEN delta ELSE 0 END \
         FROM recent WHERE unrolled \
         UNION ALL SELECT merchant, currency, -delta, 0 FROM recent \
         WHERE unsettled AND kind NOT IN (24, 26) AND NOT (kind = 23 AND own) \
         UNION ALL SELECT s.merchant_id, s.currency, 0, s.carried \
         FROM settlement_account a JOIN statement s ON s.id = a.statement_id WHERE a.issuer_id = $1 \
         UNION ALL SELECT merchant_id, currency, 0, -invoiced FROM statement \
         WHERE issuer_id = $1 AND status > 1 AND invoiced > 0 \
         UNION ALL SELECT merchant_id, currency, 0, amount FROM payout \
         WHERE issuer_id = $1 AND (status IN (1, 2) OR (status = 3 AND credited_in IS NULL)) \
         UNION ALL SELECT s.merchant_id, s.currency, 0, l.amount \
         FROM settlement_line l JOIN statement s ON s.id = l.statement_id \
         WHERE l.operation_id >= (SELECT min(lines_from) FROM statement WHERE issuer_id = $1 AND status = 1) \
             AND s.issuer_id = $1 AND s.status = 1) \
     SELECT merchant, currency, sum(ledger)::bigint, sum(statements)::bigint FROM part \
     WHERE (merchant, currency) IN ( \
             SELECT merchant_id, currency FROM settlement_account WHERE issuer_id = $1 \
             UNION ALL SELECT merchant_id, currency FROM statement WHERE issuer_id = $1 AND status < 3) \
         AND (merchant, currency) NOT IN ( \
             SELECT merchant_id, currency FROM statement WHERE issuer_id = $1 AND status < 3 AND status = 2) \
     GROUP BY 1, 2 ORDER BY 1, 2";

pub(super) async fn read(store: &PostgresStore, issuer: IssuerId) -> Result<SettledBalances> {
    let reading = store.reading(Scope::One(issuer)).await?;
    // Longer than any question of a screen may take.
    reading.query("SELECT set_config('statement_timeout', '60s', true)", &[]).await?;
    let found = reading.query(BALANCES, &[&issuer.get()]).await?;
    reading.finish().await?;
    fold(&found)
}

/// What the rows of [`BALANCES`] say.
pub(crate) fn fold(found: &[Row]) -> Result<SettledBalances> {
    let mut balances = SettledBalances::default();
    for row in found {
        let mut f = Fields::new(row);
        balances.take(SettledBalance {
            merchant: MerchantId::new(f.int()?),
            currency: rows::currency(&mut f)?,
            ledger: f.int()?,
            statements: f.int()?,
        });
    }
    Ok(balances)
}
