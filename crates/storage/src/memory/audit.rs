//! Checking the store in memory: everything that is kept is folded again from the log of operations and
//! transfers, and compared.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use domain::{
    Account, Amount, Card, CardId, Currency, HoldId, IssuerId, LotNo, Operation, OperationId, OperationKind,
    PostingKind, Transfer, hold::HoldStatus,
};

use super::{MemoryStore, queries::chain, state::State};
use crate::{AccountTotals, Audit, AuditReport, Result, Violation};

type Check = fn(&State, &Folded, &mut Findings);

const CHECKS: [(&str, Check); 10] = [
    ("transfers_are_well_formed", transfers_are_well_formed),
    ("postings_keep_to_their_accounts", postings_keep_to_their_accounts),
    ("lots_equal_transfers", lots_equal_transfers),
    ("claims_equal_transfers", claims_equal_transfers),
    ("issued_equation", issued_equals_posted),
    ("held_equals_open_holds", held_equals_open_holds),
    ("refunds_are_counted", refunds_are_counted),
    ("chains_are_complete", chains_are_complete),
    ("operations_state_what_they_left", operations_state_what_they_left),
    ("lines_match_log", lines_match_log),
];

/// The most violations that are reported of one invariant.
const MAX_REPORTED: usize = 20;

#[async_trait]
impl Audit for MemoryStore {
    async fn audit(&self) -> Result<AuditReport> {
        let state = self.read();
        let folded = fold(&state);
        let mut report = AuditReport {
            cards: count(state.cards.len()),
            operations: count(state.operations.len()),
            transfers: count(state.transfers.values().map(Vec::len).sum()),
            totals: folded.totals.iter().map(|(currency, sum)| in_currency(*currency, *sum)).collect(),
            ..AuditReport::default()
        };
        for (invariant, check) in CHECKS {
            let mut findings = Findings::default();
            check(&state, &folded, &mut findings);
            report.checked.push(invariant);
            let found = findings.0.into_iter().take(MAX_REPORTED);
            report.violations.extend(found.map(|(subject, detail)| Violation { invariant, subject, detail }));
        }
        Ok(report)
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[derive(Default)]
struct Findings(Vec<(String, String)>);

impl Findings {
    /// Notes the subject where the two differ.
    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, subject: &impl ToString, stored: &T, folded: &T) {
        if stored != folded {
            self.0.push((subject.to_string(), format!("stored {stored:?}, by the log {folded:?}")));
        }
    }
}

/// What the log adds up to.
#[derive(Default)]
struct Folded {
    /// Debits and credits.
    totals: BTreeMap<Currency, (i64, i64)>,
    /// What came onto cards less what went off them.
    on_cards: BTreeMap<(IssuerId, Currency), i64>,
    /// Received less given, by card and lot.
    lots: BTreeMap<(CardId, LotNo), i64>,
    /// The same of what expired out of a lot.
    claims: BTreeMap<(CardId, LotNo), i64>,
    /// Approved refunds that were not reversed, by redemption.
    refunded: BTreeMap<OperationId, i64>,
    /// Approved captures, by hold.
    captured: BTreeMap<HoldId, i64>,
    /// The operations of each card.
    touched: BTreeMap<CardId, BTreeSet<OperationId>>,
}

fn fold(state: &State) -> Folded {
    let mut folded = Folded::default();
    for operation in state.operations.values() {
        for transfer in state.transfers_of(operation.id) {
            let amount = transfer.amount.get();
            fold_totals(&mut folded, operation, transfer);
            fold_side(&mut folded, operation, transfer.debit, transfer.debit_lot, -amount);
            fold_side(&mut folded, operation, transfer.credit, transfer.credit_lot, amount);
        }
        for card in [operation.card, operation.counterpart].into_iter().flatten() {
            folded.touched.entry(card.id).or_default().insert(operation.id);
        }
        fold_links(state, &mut folded, operation);
    }
    folded
}

/// Value without a currency is in no total; that it has none is found where transfers are checked.
fn fold_totals(folded: &mut Folded, operation: &Operation, transfer: &Transfer) {
    let Some(currency) = operation.currency else { return };
    let amount = transfer.amount.get();
    let (debits, credits) = folded.totals.entry(currency).or_default();
    *debits = debits.saturating_add(amount);
    *credits = credits.saturating_add(amount);
    let is_card = |account| i64::from(matches!(account, Account::Card(_)));
    let onto = amount.saturating_mul(is_card(transfer.credit) - is_card(transfer.debit));
    let on_cards = folded.on_cards.entry((operation.issuer, currency)).or_default();
    *on_cards = on_cards.saturating_add(onto);
}

const fn in_currency(currency: Currency, (debits, credits): (i64, i64)) -> AccountTotals {
    AccountTotals { currency, debits, credits }
}

fn fold_side(folded: &mut Folded, operation: &Operation, account: Account, lot: Option<LotNo>, amount: i64) {
    let Some(lot) = lot else { return };
    let sums = match account {
        Account::Residual(_) | Account::Breakage(_) => &mut folded.claims,
        _ => &mut folded.lots,
    };
    let card = match account {
        Account::Card(id) => Some(id),
        _ => operation.card.map(|card| card.id),
    };
    if let Some(card) = card {
        *sums.entry((card, lot)).or_default() += amount;
    }
}

fn fold_links(state: &State, folded: &mut Folded, operation: &Operation) {
    let undone = state.compensations.get(&operation.id).is_some_and(|c| c.reversed_by.is_some());
    let amount = operation.approved.get();
    match (operation.kind, operation.original, operation.hold) {
        (OperationKind::Refund, Some(original), _) if !undone => {
            *folded.refunded.entry(original).or_default() += amount;
        }
        (OperationKind::Capture, _, Some(hold)) => *folded.captured.entry(hold).or_default() += amount,
        _ => {}
    }
}

fn transfers_are_well_formed(state: &State, _: &Folded, findings: &mut Findings) {
    let is_form = |(transfer, seq): (&Transfer, u16)| {
        transfer.seq == seq
            && !transfer.amount.is_zero()
            && (transfer.debit, transfer.debit_lot) != (transfer.credit, transfer.credit_lot)
    };
    for (id, transfers) in &state.transfers {
        let accounts_for = |operation: &Operation| operation.is_approved() && operation.currency.is_some();
        let approved = state.operations.get(id).is_some_and(|operation| accounts_for(operation));
        let formed = transfers.iter().zip(1_u16..).all(is_form);
        findings.compare(id, &(approved && formed), &true);
    }
}

fn postings_keep_to_their_accounts(state: &State, _: &Folded, findings: &mut Findings) {
    for operation in state.operations.values() {
        let Some(posting) = PostingKind::of(operation.kind) else { continue };
        let may = |t: &Transfer| {
            let allowed = posting.allows(t.debit, t.credit, operation.issuer, operation.merchant);
            allowed && t.debit_lot.is_none() && t.credit_lot.is_none()
        };
        let transfers = state.transfers_of(operation.id);
        let moved = Amount::checked_sum(transfers.iter().map(|t| t.amount));
        findings.compare(&operation.id, &Some(operation.approved), &moved);
        let complete = !operation.is_approved() || !transfers.is_empty();
        let keeps = complete && operation.card.is_none() && transfers.iter().all(may);
        findings.compare(&operation.id, &keeps, &true);
    }
}

fn lots_equal_transfers(state: &State, folded: &Folded, findings: &mut Findings) {
    compare_lots(state, &folded.lots, |lot| lot.remaining, findings);
}

fn claims_equal_transfers(state: &State, folded: &Folded, findings: &mut Findings) {
    compare_lots(state, &folded.claims, |lot| lot.expired, findings);
}

fn compare_lots(
    state: &State,
    folded: &BTreeMap<(CardId, LotNo), i64>,
    value: fn(&domain::Lot) -> Amount,
    findings: &mut Findings,
) {
    let mut unseen = folded.clone();
    for card in cards(state) {
        for lot in &card.lots {
            let sum = unseen.remove(&(card.id, lot.no)).unwrap_or(0);
            findings.compare(&format!("{} lot {}", card.id, lot.no.0), &value(lot).get(), &sum);
        }
    }
    for ((card, lot), sum) in unseen {
        findings.compare(&format!("{card} lot {}", lot.0), &0, &sum);
    }
}

fn issued_equals_posted(state: &State, folded: &Folded, findings: &mut Findings) {
    let mut posted: BTreeMap<(IssuerId, Currency), i64> = BTreeMap::new();
    for card in cards(state) {
        match state.catalog.programs.get(&card.program) {
            Some(program) => {
                let sum = posted.entry((card.issuer, program.currency)).or_default();
                *sum = sum.saturating_add(card.posted().get());
            }
            None => findings.0.push((card.id.to_string(), "its program is unknown".to_owned())),
        }
    }
    for key in posted.keys().chain(folded.on_cards.keys()).collect::<BTreeSet<_>>() {
        let of = |sums: &BTreeMap<_, i64>| sums.get(key).copied().unwrap_or(0);
        findings.compare(&format!("{} in {}", key.0, key.1), &of(&posted), &of(&folded.on_cards));
    }
}

fn held_equals_open_holds(state: &State, folded: &Folded, findings: &mut Findings) {
    let mut held: BTreeMap<CardId, i64> = BTreeMap::new();
    for hold in state.holds.values() {
        if hold.status == HoldStatus::Open {
            *held.entry(hold.card).or_default() += hold.remaining().get();
        }
        findings.compare(
            &hold.id,
            &hold.captured.get(),
            &folded.captured.get(&hold.id).copied().unwrap_or(0),
        );
    }
    for card in cards(state) {
        findings.compare(&card.id, &card.held.get(), &held.get(&card.id).copied().unwrap_or(0));
        findings.compare(&card.id, &card.held.min(card.posted()), &card.held);
    }
}

fn refunds_are_counted(state: &State, folded: &Folded, findings: &mut Findings) {
    for operation in state.operations.values() {
        let stored = state.compensations.get(&operation.id).copied().unwrap_or_default();
        let refunded = folded.refunded.get(&operation.id).copied().unwrap_or(0);
        findings.compare(&operation.id, &stored.refunded.get(), &refunded);
        findings.compare(&operation.id, &stored.refunded.min(operation.approved), &stored.refunded);
        if let Some(reversal) = stored.reversed_by.and_then(|id| state.operations.get(&id)) {
            findings.compare(&operation.id, &Some(operation.id), &reversal.original);
        }
    }
}

fn chains_are_complete(state: &State, folded: &Folded, findings: &mut Findings) {
    for card in cards(state) {
        let walked: BTreeSet<OperationId> = chain(state, card.id).into_iter().map(|o| o.id).collect();
        let touched = folded.touched.get(&card.id).cloned().unwrap_or_default();
        findings.compare(&card.id, &walked, &touched);
    }
}

fn operations_state_what_they_left(state: &State, _: &Folded, findings: &mut Findings) {
    for card in cards(state) {
        let Some(last) = card.last_operation.and_then(|id| state.operations.get(&id)) else { continue };
        let after = [last.card, last.counterpart].into_iter().flatten().find(|after| after.id == card.id);
        let stated = after.map(|after| (after.balance, after.held, after.state));
        findings.compare(&card.id, &Some((card.posted(), card.held, card.state.code())), &stated);
    }
}

fn cards(state: &State) -> impl Iterator<Item = &Card> {
    state.cards.values().map(|stored| &stored.card)
}

fn lines_match_log(state: &State, _: &Folded, findings: &mut Findings) {
    for (subject, stored, by_log) in super::settlement::against_the_log(state) {
        findings.compare(&subject, &stored, &by_log);
    }
}
