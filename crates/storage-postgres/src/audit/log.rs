//! Each operation against its own transfers, and the roll-up against all of them.

use std::collections::BTreeMap;

use domain::{Account, IssuerId, MerchantId, OperationId, OperationKind, PostingKind, account::AccountKind};
use storage::{AccountTotals, AuditReport, Result};
use tokio_postgres::Transaction;

use super::{
    ByCurrency, Findings, add,
    stream::{Rows, Stream},
};
use crate::{
    error::{IntoStorage, corrupt},
    fields::Fields,
    ledger,
    rows::detail,
    session::Param,
};

struct Entry {
    issuer: i64,
    kind: Option<OperationKind>,
    declined: bool,
    program: Option<i64>,
    merchant: Option<MerchantId>,
    balance: Option<i64>,
    counterpart_balance: Option<i64>,
    approved: i64,
    forfeited: i64,
    currency: Option<ledger::Code>,
    rolled_up: bool,
}

struct Movement {
    seq: i64,
    debit: (i64, i64, Option<i64>),
    credit: (i64, i64, Option<i64>),
    amount: i64,
}

const OPERATIONS: &str = "SELECT id, issuer_id, kind, decline, program_id, merchant_id, card_balance, \
     counterpart_balance, approved, CASE WHEN kind IN (19, 30) THEN detail END, currency, (xid, id) <= ($1::text::xid8, $2::bigint) FROM operation ORDER BY id";
const TRANSFERS: &str = "SELECT operation_id, seq, debit_kind, debit_ref, debit_lot, credit_kind, credit_ref, \
     credit_lot, amount FROM transfer ORDER BY operation_id, seq";

fn read_entry(f: &mut Fields<'_>) -> Result<Entry> {
    Ok(Entry {
        issuer: f.int()?,
        kind: OperationKind::from_number(f.int()?),
        declined: f.opt_int()?.is_some(),
        program: f.opt_int()?,
        merchant: f.opt_int()?.map(MerchantId::new),
        balance: f.opt_int()?,
        counterpart_balance: f.opt_int()?,
        approved: f.int()?,
        forfeited: detail::decode(f.opt_text()?)?.forfeited.map_or(0, i64::from),
        currency: f.opt_text()?.and_then(|code| code.as_bytes().try_into().ok()),
        rolled_up: f.boolean()?,
    })
}

fn read_movement(f: &mut Fields<'_>) -> Result<Movement> {
    Ok(Movement {
        seq: f.int()?,
        debit: (f.int()?, f.int()?, f.opt_int()?),
        credit: (f.int()?, f.int()?, f.opt_int()?),
        amount: f.int()?,
    })
}

/// Totals by issuer, kind, reference and currency, with all cards of a program as one line.
type Totals = BTreeMap<(i64, i64, i64, ledger::Code), (i64, i64)>;

/// Returns what came onto cards less what went off them.
pub(crate) async fn check(
    tx: &Transaction<'_>,
    caps: &BTreeMap<i64, i64>,
    report: &mut AuditReport,
    findings: &mut Findings,
) -> Result<ByCurrency> {
    let cursor = cursor(tx).await?;
    let params: [Param<'_>; 2] = [&cursor.xid, &cursor.id];
    let mut operations = Stream::new(tx, OPERATIONS, &params, read_entry).await?;
    let mut transfers = Stream::new(tx, TRANSFERS, &[], read_movement).await?;
    let (mut on_cards, mut totals, mut all) = (ByCurrency::new(), Totals::new(), BTreeMap::new());
    while let Some((id, entry)) = operations.any().await? {
        report.operations += 1;
        while let Some((stray, _)) = transfers.stray(id).await? {
            strays(stray, findings);
        }
        let mut moved = Moved::default();
        while let Some(movement) = transfers.at(id).await? {
            moved.take(&movement, &entry);
            report.transfers += 1;
            if let Some(code) = entry.currency {
                let (debits, credits) = all.entry(code).or_default();
                add(debits, movement.amount);
                add(credits, movement.amount);
                add(on_cards.entry((entry.issuer, code)).or_default(), onto_cards(&movement));
            }
            if entry.rolled_up {
                total(tx, &entry, &movement, &mut totals).await?;
            }
        }
        check_one(id, &entry, &moved, caps, findings);
    }
    while let Some((stray, _)) = transfers.any().await? {
        strays(stray, findings);
    }
    check_roll_up(tx, totals, findings).await?;
    report.totals = in_currencies(all, findings);
    Ok(on_cards)
}

fn in_currencies(sums: BTreeMap<ledger::Code, (i64, i64)>, findings: &mut Findings) -> Vec<AccountTotals> {
    let mut totals = Vec::with_capacity(sums.len());
    for (code, (debits, credits)) in sums {
        match ledger::currency(code) {
            Ok(currency) => totals.push(AccountTotals { currency, debits, credits }),
            Err(_) => findings.note("rows_are_readable", code.escape_ascii().to_string(), "is no currency"),
        }
    }
    totals
}

fn strays(operation: i64, findings: &mut Findings) {
    findings.note(
        "transfers_balance",
        OperationId::new(operation).to_string(),
        "has transfers but no operation",
    );
}

#[derive(Default)]
struct Moved {
    count: i64,
    sum: i64,
    malformed: bool,
    /// A posting moves value where its kind may not.
    astray: bool,
}

impl Moved {
    fn take(&mut self, movement: &Movement, entry: &Entry) {
        self.count += 1;
        add(&mut self.sum, movement.amount);
        let card = AccountKind::Card.number();
        // A card gives and receives by lot; nothing moves onto itself; positions have no gaps.
        let lots = [movement.debit, movement.credit].iter().all(|side| side.0 != card || side.2.is_some());
        self.malformed |= !lots || movement.seq != self.count || movement.debit == movement.credit;
        let posting = entry.kind.and_then(PostingKind::of);
        self.astray |= posting.is_some_and(|posting| !allows(posting, movement, entry));
    }
}

/// Whether a posting may move value between these accounts. None of them has lots.
fn allows(posting: PostingKind, movement: &Movement, entry: &Entry) -> bool {
    let account = |(kind, reference, lot): (i64, i64, Option<i64>)| {
        let kind = AccountKind::from_number(kind).filter(|_| lot.is_none())?;
        Account::from_stored(kind, reference)
    };
    let (Some(debit), Some(credit)) = (account(movement.debit), account(movement.credit)) else {
        return false;
    };
    posting.allows(debit, credit, IssuerId::new(entry.issuer), entry.merchant)
}

fn onto_cards(movement: &Movement) -> i64 {
    let card = AccountKind::Card.number();
    let sign = i64::from(movement.credit.0 == card) - i64::from(movement.debit.0 == card);
    movement.amount.saturating_mul(sign)
}

fn check_one(id: i64, entry: &Entry, moved: &Moved, caps: &BTreeMap<i64, i64>, findings: &mut Findings) {
    let name = || OperationId::new(id).to_string();
    if moved.malformed {
        findings.note("transfers_balance", name(), "a transfer names no lot, repeats or is out of order");
    }
    if moved.count > 0 && entry.currency.is_none() {
        findings.note("transfers_balance", name(), "moves value without a currency");
    }
    if entry.declined {
        if moved.count > 0 || entry.approved != 0 {
            findings.note("declined_moves_nothing", name(), format!("moved {}", moved.sum));
        }
        return;
    }
    let Some(kind) = entry.kind else {
        findings.note("rows_are_readable", name(), "its kind is unknown");
        return;
    };
    if PostingKind::of(kind).is_some() && (moved.astray || moved.count == 0 || entry.balance.is_some()) {
        let detail = "moves nothing, changes a card, or moves value between accounts that its kind may not";
        findings.note("postings_keep_to_their_accounts", name(), detail);
    }
    if let Some(expected) = expected(kind, entry, moved) {
        findings.compare("transfers_balance", name, expected, moved.sum);
    }
    let checked = match kind {
        OperationKind::Activation | OperationKind::Load | OperationKind::UnlinkedRefund => entry.balance,
        OperationKind::Transfer | OperationKind::Merge => entry.counterpart_balance,
        _ => None,
    };
    let cap = entry.program.and_then(|program| caps.get(&program));
    if let (Some(balance), Some(cap)) = (checked, cap)
        && balance > *cap
    {
        findings.note("balance_within_cap", name(), format!("left a balance of {balance}, the cap is {cap}"));
    }
}

/// What the transfers of an approved operation must add up to.
fn expected(kind: OperationKind, entry: &Entry, moved: &Moved) -> Option<i64> {
    use OperationKind as Kind;
    match kind {
        // Bonus value comes on top.
        Kind::Activation | Kind::Load => Some(entry.approved.max(moved.sum)),
        // Turns the original round, whatever that was.
        Kind::Reversal => None,
        // A claim that a replaced or merged card left behind goes back to it, and on to its successor.
        Kind::Reactivation if entry.counterpart_balance.is_some() => entry.approved.checked_mul(2),
        // Interest is a part of what was approved.
        Kind::CashOut | Kind::HolderRefund => Some(entry.approved.saturating_add(entry.forfeited)),
        Kind::Redemption
        | Kind::Capture
        | Kind::Refund
        | Kind::UnlinkedRefund
        | Kind::Adjustment
        | Kind::Replacement
        | Kind::Transfer
        | Kind::Merge
        | Kind::Exchange
        | Kind::Expiry
        | Kind::Reactivation
        | Kind::Settlement
        | Kind::Payout
        | Kind::PayoutReturn
        | Kind::MerchantPayment
        | Kind::ChannelPayment
        | Kind::Correction
        | Kind::Breakage => Some(entry.approved),
        Kind::Hold
        | Kind::Release
        | Kind::Freeze
        | Kind::Unfreeze
        | Kind::LossReport
        | Kind::Closure
        | Kind::MemberBinding
        | Kind::Inquiry => Some(0),
    }
}

async fn total(tx: &Transaction<'_>, entry: &Entry, movement: &Movement, totals: &mut Totals) -> Result<()> {
    // What has no currency is noted where its operation is checked.
    let Some(currency) = entry.currency else { return Ok(()) };
    let mut keys = [(0, 0, 0, currency); 2];
    for (key, side) in keys.iter_mut().zip([movement.debit, movement.credit]) {
        let reference = match (side.0 == AccountKind::Card.number(), entry.program) {
            (false, _) => side.1,
            (true, Some(program)) => program,
            (true, None) => program_of(tx, side.1).await?,
        };
        *key = (entry.issuer, side.0, reference, currency);
    }
    add(&mut totals.entry(keys[0]).or_default().0, movement.amount);
    add(&mut totals.entry(keys[1]).or_default().1, movement.amount);
    Ok(())
}

async fn program_of(tx: &Transaction<'_>, card: i64) -> Result<i64> {
    let row = tx.query_opt("SELECT program_id FROM card WHERE id = $1", &[&card]).await.stored()?;
    let unknown = || corrupt(format!("a transfer names {}, which does not exist", domain::CardId::new(card)));
    Fields::new(&row.ok_or_else(unknown)?).int()
}

async fn cursor(tx: &Transaction<'_>) -> Result<ledger::Cursor> {
    ledger::read_cursor(&tx.query(ledger::CURSOR, &[]).await.stored()?)
}

async fn check_roll_up(tx: &Transaction<'_>, mut totals: Totals, findings: &mut Findings) -> Result<()> {
    let sql = "SELECT issuer_id, kind, ref, currency, sum(debits)::bigint, sum(credits)::bigint FROM account_rollup \
               GROUP BY 1, 2, 3, 4";
    let mut rows = Rows::new(tx, sql, &[]).await?;
    let name = |(_, kind, reference, currency): (i64, i64, i64, ledger::Code)| {
        let kind = AccountKind::from_number(kind).map_or("unknown", AccountKind::name);
        format!("{kind}:{reference} in {}", currency.escape_ascii())
    };
    while let Some(row) = rows.next().await? {
        let mut f = Fields::new(&row);
        let key = (f.int()?, f.int()?, f.int()?, ledger::currency_code(&mut f)?);
        let by_log = totals.remove(&key).unwrap_or_default();
        findings.compare("roll_up_matches_log", || name(key) + " debits", f.int()?, by_log.0);
        findings.compare("roll_up_matches_log", || name(key) + " credits", f.int()?, by_log.1);
    }
    for key in totals.into_keys() {
        findings.note("roll_up_matches_log", name(key), "is missing from the roll-up");
    }
    Ok(())
}
