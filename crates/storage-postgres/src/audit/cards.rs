//! Each card against all that the log, its transfers and its holds say about it: four streams in the order
//! of cards, merged.

use std::collections::BTreeMap;

use domain::{Amount, Card, CardId};
use storage::{AuditReport, Result, StorageError};
use tokio_postgres::Transaction;

use super::{
    ByCurrency, Findings, add,
    stream::{Rows, Stream, read_sum},
};
use crate::{fields::Fields, ledger, rows::card};

/// Received less given, by card and lot: `claim` is what expired out of a lot into the residual (7) or
/// breakage (6) account, where the lot is one of the operation's card.
const LOTS: &str = "SELECT card, lot, claim, sum(amount)::bigint FROM (
        SELECT debit_ref AS card, debit_lot AS lot, 0 AS claim, -amount AS amount
            FROM transfer WHERE debit_kind = 1
        UNION ALL
        SELECT credit_ref, credit_lot, 0, amount FROM transfer WHERE credit_kind = 1
        UNION ALL
        SELECT o.card_id, t.debit_lot, 1, -t.amount
            FROM transfer t JOIN operation o ON o.id = t.operation_id AND o.card_id = t.card_id
            WHERE t.debit_kind IN (6, 7) AND t.debit_lot IS NOT NULL AND o.card_id <> 0
        UNION ALL
        SELECT o.card_id, t.credit_lot, 1, t.amount
            FROM transfer t JOIN operation o ON o.id = t.operation_id AND o.card_id = t.card_id
            WHERE t.credit_kind IN (6, 7) AND t.credit_lot IS NOT NULL AND o.card_id <> 0
    ) AS moves GROUP BY card, lot, claim ORDER BY card, lot, claim";

/// The operations of each card in order, with what each says that it left.
const LINKS: &str = "SELECT card_id AS card, id, card_previous_id, card_balance, card_held, card_state
        FROM operation WHERE card_id <> 0
    UNION ALL
    SELECT counterpart_id, id, counterpart_previous_id, counterpart_balance, counterpart_held,
           counterpart_state
        FROM operation WHERE counterpart_id IS NOT NULL
    ORDER BY 1, 2";

const HOLDS: &str = "SELECT card_id, sum(amount - captured)::bigint FROM hold WHERE status = 1 GROUP BY card_id \
     ORDER BY card_id";

struct LotSum {
    lot: Option<i64>,
    is_claim: bool,
    sum: i64,
}

struct Link {
    operation: i64,
    previous: Option<i64>,
    left: Left,
}

/// What an operation says that it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    balance: i64,
    held: i64,
    state: i64,
}

fn read_lot(f: &mut Fields<'_>) -> Result<LotSum> {
    Ok(LotSum { lot: f.opt_int()?, is_claim: f.int()? == 1, sum: f.int()? })
}

fn read_link(f: &mut Fields<'_>) -> Result<Link> {
    let (operation, previous) = (f.int()?, f.opt_int()?);
    Ok(Link { operation, previous, left: Left { balance: f.int()?, held: f.int()?, state: f.int()? } })
}

/// The other streams.
struct Others<'s> {
    lots: Stream<'s, LotSum>,
    links: Stream<'s, Link>,
    holds: Stream<'s, i64>,
}

/// Returns the posted balances. A card's currency is its program's, for ever.
pub(crate) async fn check(
    tx: &Transaction<'_>,
    currencies: &BTreeMap<i64, ledger::Code>,
    report: &mut AuditReport,
    findings: &mut Findings,
) -> Result<ByCurrency> {
    let mut others = Others {
        lots: Stream::new(tx, LOTS, &[], read_lot).await?,
        links: Stream::new(tx, LINKS, &[], read_link).await?,
        holds: Stream::new(tx, HOLDS, &[], read_sum).await?,
    };
    let mut rows = Rows::new(tx, card::ALL_WITH_POSTED, &[]).await?;
    let mut posted = ByCurrency::new();
    while let Some(row) = rows.next().await? {
        report.cards += 1;
        let (id, sum): (i64, i64) = (row.get("id"), row.get("posted"));
        others.note_strays(id, findings).await?;
        match card::read(&row) {
            Ok(card) => {
                match currencies.get(&card.program.get()) {
                    Some(code) => add(posted.entry((card.issuer.get(), *code)).or_default(), sum),
                    None => findings.note("rows_are_readable", card.id.to_string(), "its program is unknown"),
                }
                others.check(&card, sum, findings).await?;
            }
            Err(StorageError::Corrupt(why)) => {
                findings.note("rows_are_readable", CardId::new(id).to_string(), why);
                others.skip(id).await?;
            }
            Err(other) => return Err(other),
        }
    }
    others.note_strays(i64::MAX, findings).await?;
    Ok(posted)
}

impl Others<'_> {
    async fn note_strays(&mut self, before: i64, findings: &mut Findings) -> Result<()> {
        let name = |id| CardId::new(id).to_string();
        while let Some((card, _)) = self.lots.stray(before).await? {
            findings.note("lots_match_transfers", name(card), "has transfers but does not exist");
        }
        while let Some((card, _)) = self.links.stray(before).await? {
            findings.note("operation_chain", name(card), "has operations but does not exist");
        }
        while let Some((card, _)) = self.holds.stray(before).await? {
            findings.note("held_matches_open_holds", name(card), "has holds but does not exist");
        }
        Ok(())
    }

    /// Passes over what belongs to a card that cannot be read.
    async fn skip(&mut self, card: i64) -> Result<()> {
        while self.lots.at(card).await?.is_some() {}
        while self.links.at(card).await?.is_some() {}
        while self.holds.at(card).await?.is_some() {}
        Ok(())
    }

    async fn check(&mut self, card: &Card, posted: i64, findings: &mut Findings) -> Result<()> {
        self.check_lots(card, findings).await?;
        self.check_links(card, findings).await?;
        let name = || card.id.to_string();
        let held = self.holds.at(card.id.get()).await?.unwrap_or(0);
        findings.compare("held_matches_open_holds", name, card.held.get(), held);
        let sum = Amount::checked_sum(card.lots.iter().map(|lot| lot.remaining));
        findings.compare("posted_is_sum_of_lots", name, posted, sum.map_or(-1, i64::from));
        if posted < 0 || card.held.get() > posted {
            let detail = format!("posted {posted}, held {}", card.held);
            findings.note("no_negative_balance", name(), detail);
        }
        Ok(())
    }

    async fn check_lots(&mut self, card: &Card, findings: &mut Findings) -> Result<()> {
        let mut sums: BTreeMap<(i64, bool), i64> = BTreeMap::new();
        while let Some(sum) = self.lots.at(card.id.get()).await? {
            sums.insert((sum.lot.unwrap_or(0), sum.is_claim), sum.sum);
        }
        for lot in &card.lots {
            let no = i64::from(lot.no.0);
            for (is_claim, stored) in [(false, lot.remaining), (true, lot.expired)] {
                let what = if is_claim { "claim of lot" } else { "lot" };
                let by_log = sums.remove(&(no, is_claim)).unwrap_or(0);
                let name = || format!("{} {what} {no}", card.id);
                findings.compare("lots_match_transfers", name, stored.get(), by_log);
            }
        }
        for ((no, _), sum) in sums {
            findings.compare(
                "lots_match_transfers",
                || format!("{} lot {no}, which it has not", card.id),
                0,
                sum,
            );
        }
        Ok(())
    }

    /// The chain names every operation of the card once, in order, back to its first.
    async fn check_links(&mut self, card: &Card, findings: &mut Findings) -> Result<()> {
        let mut before: Option<Link> = None;
        while let Some(link) = self.links.at(card.id.get()).await? {
            let expected = before.map(|link| link.operation);
            if link.previous != expected {
                let detail = format!(
                    "operation {} names another one before it",
                    domain::OperationId::new(link.operation)
                );
                findings.note("operation_chain", card.id.to_string(), detail);
            }
            before = Some(link);
        }
        let last = before.as_ref().map(|link| link.operation);
        if card.last_operation.map(domain::OperationId::get) != last {
            findings.note("operation_chain", card.id.to_string(), "does not name its newest operation");
        }
        let now =
            Left { balance: card.posted().get(), held: card.held.get(), state: card.state.code().number() };
        if let Some(link) = before
            && link.left != now
        {
            let detail = format!("stored {now:?}, by its last operation {:?}", link.left);
            findings.note("last_operation_states_card", card.id.to_string(), detail);
        }
        Ok(())
    }
}
