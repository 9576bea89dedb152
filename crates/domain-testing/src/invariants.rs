//! What must hold of every decision, whatever the command was.

use std::collections::{HashMap, HashSet};

use domain::{
    Account, Card, CardId, Hold, LotNo, OperationKind, Transfer,
    card::{MAX_LOTS, PinState},
    decide::Decision,
    working::Working,
};

/// Checks a decision against the state it was made on. Names the first thing that is wrong.
pub fn check(before: &Working, decision: &Decision) -> Result<(), String> {
    let operation = &decision.operation;
    ensure(operation.approved <= operation.requested, "approved more than was requested")?;
    transfers_are_well_formed(decision)?;
    if !operation.is_approved() {
        ensure(operation.approved.is_zero(), "a decline approved something")?;
        ensure(decision.transfers.is_empty(), "a decline moved value")?;
        ensure(decision.hold.is_none() && decision.tombstone.is_none(), "a decline changed a hold or key")?;
        ensure(decision.compensations.is_empty(), "a decline gave something back")?;
    }
    let ids: HashSet<CardId> = decision.cards.iter().map(|card| card.id).collect();
    ensure(ids.len() == decision.cards.len(), "a card is changed twice")?;
    for card in &decision.cards {
        let old = before.cards.get(&card.id).and_then(Option::as_ref).ok_or("a card was not read")?;
        card_is_sound(old, card, decision)?;
    }
    for (id, compensation) in &decision.compensations {
        let original =
            before.operations.get(id).and_then(Option::as_ref).ok_or("an original was not read")?;
        ensure(compensation.refunded <= original.operation.approved, "refunded more than was approved")?;
    }
    held_follows_holds(before, decision)
}

fn ensure(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

/// Debits equal credits by construction: each transfer has one of both.
fn transfers_are_well_formed(decision: &Decision) -> Result<(), String> {
    for (transfer, seq) in decision.transfers.iter().zip(1_u16..) {
        ensure(
            transfer.seq == seq && transfer.operation == decision.operation.id,
            "transfers are not in order",
        )?;
        ensure(!transfer.amount.is_zero(), "a transfer of nothing")?;
        ensure(transfer.debit != transfer.credit, "a transfer to itself")?;
        for (account, lot) in [(transfer.debit, transfer.debit_lot), (transfer.credit, transfer.credit_lot)] {
            ensure(lot.is_some() || !matches!(account, Account::Card(_)), "a card without a lot")?;
        }
    }
    Ok(())
}

fn card_is_sound(old: &Card, new: &Card, decision: &Decision) -> Result<(), String> {
    let operation = &decision.operation;
    ensure(new.last_operation == Some(operation.id), "the chain of a card is broken")?;
    ensure(new.held <= new.posted(), "held value is not covered")?;
    ensure(new.lots.len() <= MAX_LOTS, "too many lots")?;
    let after = [operation.card, operation.counterpart].into_iter().flatten().find(|a| a.id == new.id);
    let after = after.ok_or("a changed card is not in the answer")?;
    ensure(after.previous == old.last_operation, "the chain of a card has a gap")?;
    let stated = (after.balance, after.held, after.state, after.available);
    let is = (new.posted(), new.held, new.state.code(), new.available(operation.at));
    ensure(stated == is, "the answer does not say what the card is")?;
    if !operation.is_approved() {
        let mut same = new.clone();
        (same.last_operation, same.pin) = (old.last_operation, old.pin);
        ensure(same == *old, "a decline changed a card")?;
        ensure(pin_only_counts(old.pin, new.pin), "a decline forgot a wrong PIN")?;
    }
    lots_fold(old, new, decision)
}

fn pin_only_counts(old: PinState, new: PinState) -> bool {
    old.digest == new.digest && new.failures >= old.failures && new.lifetime_failures >= old.lifetime_failures
}

/// Lots and claims change by the transfers and by nothing else.
fn lots_fold(old: &Card, new: &Card, decision: &Decision) -> Result<(), String> {
    let mut values: HashMap<LotNo, i64> = HashMap::new();
    let mut claims: HashMap<LotNo, i64> = HashMap::new();
    for lot in &old.lots {
        values.insert(lot.no, lot.remaining.get());
        claims.insert(lot.no, lot.expired.get());
    }
    let named = decision.operation.card.map(|card| card.id);
    for Transfer { debit, debit_lot, credit, credit_lot, amount, .. } in &decision.transfers {
        for (account, lot, change) in [(debit, debit_lot, -amount.get()), (credit, credit_lot, amount.get())]
        {
            let Some(lot) = lot else { continue };
            match account {
                Account::Card(id) if *id == new.id => *values.entry(*lot).or_default() += change,
                Account::Residual(_) | Account::Breakage(_) if named == Some(new.id) => {
                    *claims.entry(*lot).or_default() += change;
                }
                _ => {}
            }
        }
    }
    for lot in &new.lots {
        let value = values.remove(&lot.no).unwrap_or(0);
        let claim = claims.remove(&lot.no).unwrap_or(0);
        ensure(lot.remaining.get() == value, "a lot is not the fold of its transfers")?;
        ensure(lot.expired.get() == claim, "a claim is not the fold of its transfers")?;
    }
    ensure(values.values().chain(claims.values()).all(|rest| *rest == 0), "a lot disappeared")
}

fn held_follows_holds(before: &Working, decision: &Decision) -> Result<(), String> {
    let Some(hold) = &decision.hold else {
        let moved = decision.cards.iter().any(|new| {
            let old = before.cards.get(&new.id).and_then(Option::as_ref);
            old.is_some_and(|old| old.held != new.held)
        });
        return ensure(!moved, "held value changed without a hold");
    };
    ensure(hold.captured <= hold.amount, "captured more than was held")?;
    let was = before.holds.get(&hold.id).and_then(Option::as_ref).map_or(0, |old| old.remaining().get());
    let new = decision.cards.iter().find(|card| card.id == hold.card).ok_or("a hold without its card")?;
    let old = before.cards.get(&new.id).and_then(Option::as_ref).ok_or("a card was not read")?;
    let change = Hold::remaining(hold).get() - was;
    ensure(decision.operation.kind != OperationKind::Hold || was == 0, "a hold was made twice")?;
    ensure(new.held.get() - old.held.get() == change, "held value is not the sum of open holds")
}
