//! Merchants' accounts in the ledger against their statements.

use domain::{IssuerId, MerchantId};
use rusqlite::Connection;
use storage::{Result, SettledBalance, SettledBalances};

use super::{list, rows};

/// What adds up to both sides, for `?1`, an issuer. 2 is a merchant; 23 a settlement, 24 a payout, 26 a payment of
/// a merchant. What the journal has not rolled up, or statements have not taken in, is read from the log.
/// Merchants that have no statement yet, or one that is being closed, are left out.
const BALANCES: &str = "WITH reached AS ( \
         SELECT coalesce((SELECT position FROM settlement_cursor WHERE issuer_id = ?1), -1) AS settled, \
             coalesce((SELECT position FROM job_cursor WHERE name = 'journal'), -1) AS rolled), \
     recent AS ( \
         SELECT t.credit_ref AS merchant, o.currency, o.kind, o.merchant_id = t.credit_ref AS own, o.id, \
             t.amount AS delta FROM transfer t JOIN operation o ON o.id = t.operation_id \
         WHERE t.operation_id > (SELECT min(settled, rolled) FROM reached) AND t.credit_kind = 2 \
             AND o.issuer_id = ?1 \
         UNION ALL SELECT t.debit_ref, o.currency, o.kind, o.merchant_id = t.debit_ref, o.id, -t.amount \
         FROM transfer t JOIN operation o ON o.id = t.operation_id \
         WHERE t.operation_id > (SELECT min(settled, rolled) FROM reached) AND t.debit_kind = 2 \
             AND o.issuer_id = ?1), \
     part (merchant, currency, ledger, statements) AS ( \
         SELECT credit_ref, currency, sum(amount), sum(CASE WHEN kind = 26 THEN amount ELSE 0 END) \
         FROM journal_rollup WHERE issuer_id = ?1 AND credit_kind = 2 GROUP BY 1, 2 \
         UNION ALL SELECT debit_ref, currency, -sum(amount), 0 \
         FROM journal_rollup WHERE issuer_id = ?1 AND debit_kind = 2 GROUP BY 1, 2 \
         UNION ALL SELECT merchant, currency, delta, CASE WHEN kind = 26 THEN delta ELSE 0 END \
         FROM recent WHERE id > (SELECT rolled FROM reached) \
         UNION ALL SELECT merchant, currency, -delta, 0 FROM recent \
         WHERE id > (SELECT settled FROM reached) AND kind NOT IN (24, 26) AND NOT (kind = 23 AND coalesce(own, 0)) \
         UNION ALL SELECT s.merchant_id, s.currency, 0, s.carried \
         FROM settlement_account a JOIN statement s ON s.id = a.statement_id WHERE a.issuer_id = ?1 \
         UNION ALL SELECT merchant_id, currency, 0, -invoiced FROM statement \
         WHERE issuer_id = ?1 AND status > 1 AND invoiced > 0 \
         UNION ALL SELECT merchant_id, currency, 0, amount FROM payout \
         WHERE issuer_id = ?1 AND (status IN (1, 2) OR (status = 3 AND credited_in IS NULL)) \
         UNION ALL SELECT s.merchant_id, s.currency, 0, sum(l.amount) \
         FROM settlement_line l CROSS JOIN statement s ON s.id = l.statement_id \
         WHERE l.operation_id >= (SELECT min(lines_from) FROM statement WHERE issuer_id = ?1 AND status < 3 AND status = 1) \
             AND s.issuer_id = ?1 AND s.status = 1 GROUP BY 1, 2) \
     SELECT merchant, currency, sum(ledger), sum(statements) FROM part \
     WHERE (merchant, currency) IN ( \
             SELECT merchant_id, currency FROM settlement_account WHERE issuer_id = ?1 \
             UNION ALL SELECT merchant_id, currency FROM statement WHERE issuer_id = ?1 AND status < 3) \
         AND (merchant, currency) NOT IN ( \
             SELECT merchant_id, currency FROM statement WHERE issuer_id = ?1 AND status < 3 AND status = 2) \
     GROUP BY 1, 2 ORDER BY 1, 2";

pub(crate) fn read(connection: &Connection, issuer: IssuerId) -> Result<SettledBalances> {
    let mut found = SettledBalances::default();
    let all = list(connection, BALANCES, [issuer.get()], |f| {
        Ok(SettledBalance {
            merchant: MerchantId::new(f.int()?),
            currency: rows::currency(f)?,
            ledger: f.int()?,
            statements: f.int()?,
        })
    })?;
    for balance in all {
        found.take(balance);
    }
    Ok(found)
}
