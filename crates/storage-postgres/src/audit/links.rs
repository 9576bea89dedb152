//! What operations say about each other: refunds and reversals, holds and captures, keys and tombstones.

use domain::{HoldId, OperationId};
use storage::Result;
use tokio_postgres::Transaction;

use super::{
    Findings,
    stream::{Rows, Stream, read_sum},
};
use crate::fields::Fields;

pub(crate) async fn check(tx: &Transaction<'_>, findings: &mut Findings) -> Result<()> {
    check_compensations(tx, findings).await?;
    check_holds(tx, findings).await?;
    check_keys(tx, findings).await
}

/// Approved refunds (8) that were not reversed, by what they refund.
const REFUNDED: &str = "SELECT o.original_id, sum(o.approved)::bigint FROM operation o
    LEFT JOIN compensation c ON c.operation_id = o.id
    WHERE o.kind = 8 AND o.decline IS NULL AND o.original_id IS NOT NULL AND c.reversed_by IS NULL
    GROUP BY o.original_id ORDER BY o.original_id";

/// With the operation it is about, and the one that the reversal (7) names.
const COMPENSATIONS: &str = "SELECT c.operation_id, c.refunded, o.approved, c.reversed_by, r.original_id
    FROM compensation c LEFT JOIN operation o ON o.id = c.operation_id
    LEFT JOIN operation r ON r.id = c.reversed_by AND r.kind = 7 AND r.decline IS NULL
    ORDER BY c.operation_id";

struct Compensated {
    refunded: i64,
    approved: Option<i64>,
    reversed_by: Option<i64>,
    reversal_of: Option<i64>,
}

fn read_compensated(f: &mut Fields<'_>) -> Result<Compensated> {
    Ok(Compensated {
        refunded: f.int()?,
        approved: f.opt_int()?,
        reversed_by: f.opt_int()?,
        reversal_of: f.opt_int()?,
    })
}

async fn check_compensations(tx: &Transaction<'_>, findings: &mut Findings) -> Result<()> {
    const NAME: &str = "refunds_within_approved";
    let mut refunds = Stream::new(tx, REFUNDED, &[], read_sum).await?;
    let mut stored = Stream::new(tx, COMPENSATIONS, &[], read_compensated).await?;
    let name = |id| OperationId::new(id).to_string();
    while let Some((id, compensation)) = stored.any().await? {
        while let Some((stray, sum)) = refunds.stray(id).await? {
            findings.compare(NAME, || name(stray), 0, sum);
        }
        let sum = refunds.at(id).await?.unwrap_or(0);
        findings.compare(NAME, || name(id), compensation.refunded, sum);
        if compensation.approved.is_none_or(|approved| compensation.refunded > approved) {
            findings.note(NAME, name(id), "more was refunded than approved");
        }
        if compensation.reversed_by.is_some() && compensation.reversal_of != Some(id) {
            findings.note(NAME, name(id), "the reversal that it names does not name it");
        }
    }
    while let Some((stray, sum)) = refunds.any().await? {
        findings.compare(NAME, || name(stray), 0, sum);
    }
    Ok(())
}

/// Approved captures (5), by hold.
const CAPTURED: &str = "SELECT hold_id, sum(approved)::bigint FROM operation \
     WHERE kind = 5 AND decline IS NULL AND hold_id IS NOT NULL GROUP BY hold_id ORDER BY hold_id";

/// With the operation (4) that made it.
const HOLDS: &str =
    "SELECT h.id, h.amount, h.captured, h.status, o.approved, (o.card_id = h.card_id)::integer
    FROM hold h LEFT JOIN operation o ON o.id = h.id AND o.kind = 4 AND o.decline IS NULL ORDER BY h.id";

struct Held {
    amount: i64,
    captured: i64,
    status: i64,
    approved: Option<i64>,
    same_card: Option<i64>,
}

fn read_held(f: &mut Fields<'_>) -> Result<Held> {
    Ok(Held {
        amount: f.int()?,
        captured: f.int()?,
        status: f.int()?,
        approved: f.opt_int()?,
        same_card: f.opt_int()?,
    })
}

async fn check_holds(tx: &Transaction<'_>, findings: &mut Findings) -> Result<()> {
    const NAME: &str = "hold_state";
    let mut captures = Stream::new(tx, CAPTURED, &[], read_sum).await?;
    let mut holds = Stream::new(tx, HOLDS, &[], read_held).await?;
    let name = |id| HoldId::new(id).to_string();
    while let Some((id, hold)) = holds.any().await? {
        while let Some((stray, _)) = captures.stray(id).await? {
            findings.note(NAME, name(stray), "was captured but does not exist");
        }
        let by_log = captures.at(id).await?.unwrap_or(0);
        findings.compare(NAME, || name(id), hold.captured, by_log);
        if hold.approved != Some(hold.amount) || hold.same_card != Some(1) {
            findings.note(NAME, name(id), "is not what its operation made");
        }
        // Open (1) with nothing left would set nothing aside for ever.
        if hold.captured > hold.amount
            || (hold.status == 1 && hold.captured == hold.amount && hold.amount > 0)
        {
            findings.note(NAME, name(id), "its status does not follow from what was captured");
        }
    }
    while let Some((stray, _)) = captures.any().await? {
        findings.note(NAME, name(stray), "was captured but does not exist");
    }
    Ok(())
}

async fn check_keys(tx: &Transaction<'_>, findings: &mut Findings) -> Result<()> {
    const NAME: &str = "one_effect_per_key";
    let doubled =
        "SELECT client_id, count(*) FROM operation GROUP BY client_id, key HAVING count(*) > 1 LIMIT 20";
    let mut rows = Rows::new(tx, doubled, &[]).await?;
    while let Some(row) = rows.next().await? {
        let mut f = Fields::new(&row);
        let client = domain::ClientId::new(f.int()?);
        findings.note(NAME, client.to_string(), format!("one key names {} operations", f.int()?));
    }
    // The primary key holds an id apart from itself only on one card.
    let doubled = "SELECT id FROM operation GROUP BY id HAVING count(*) > 1 LIMIT 20";
    let mut rows = Rows::new(tx, doubled, &[]).await?;
    while let Some(row) = rows.next().await? {
        let id = OperationId::new(Fields::new(&row).int()?);
        findings.note(NAME, id.to_string(), "is the id of several operations");
    }
    // What came after its own reversal must have been declined.
    let late = "SELECT o.id FROM tombstone t JOIN operation o ON o.client_id = t.client_id AND o.key = t.key \
                WHERE o.decline IS NULL AND o.id > t.reversal_id LIMIT 20";
    let mut rows = Rows::new(tx, late, &[]).await?;
    while let Some(row) = rows.next().await? {
        let id = OperationId::new(Fields::new(&row).int()?);
        findings.note(NAME, id.to_string(), "took effect after its reversal");
    }
    Ok(())
}
