//! Bugs of rules and batches, put around the decision: what it is given is changed before, or what it
//! returns is changed after.

use std::{cell::RefCell, sync::Arc};

use domain::{
    Account, Amount, BusinessDate, Card, CardId, CardState, Catalog, Command, Decline, HoldId, OperationId,
    OperationKind, Refusal, Request, Timestamp,
    card::DayCounters,
    command::{CardRef, Reverse},
    decide::{Context, Decision, Verdict},
    hold::HoldStatus,
    lot::LotSource,
    operation::Status,
    program::Rules,
    working::{KeyState, Map, Working},
};

use super::{ACTIVE, Bug};

type Decided = Result<Verdict, Refusal>;

/// What the engine decides with: the rules, with bugs of rules and of batches.
pub(crate) fn decide_in_batch(request: &Request, working: &mut Working, context: &Context<'_>) -> Decided {
    match ACTIVE.get() {
        Some(Bug::BatchForgetsKeys) => forget_key(request, working, context.now),
        Some(Bug::BatchForgetsCards) => forget_card(request, working, context.now),
        _ => {}
    }
    decide_alone(request, working, context)
}

/// What the serial replay decides with: the rules, with bugs of rules.
pub(crate) fn decide_alone(request: &Request, working: &mut Working, context: &Context<'_>) -> Decided {
    match ACTIVE.get() {
        None => domain::decide::decide(request, working, context),
        Some(bug) => match &request.command {
            Command::Redeem(c) => redeem(bug, &c.card, request, working, context),
            Command::Reverse(c) => reverse(bug, c, request, working, context),
            _ => other(bug, request, working, context),
        },
    }
}

fn sound(request: &Request, working: &Working, context: &Context<'_>) -> Decided {
    domain::decide::decide(request, working, context)
}

fn find(card: &CardRef, working: &Working) -> Option<CardId> {
    match card {
        CardRef::Id(id) | CardRef::Held { card: id, .. } => Some(*id),
        CardRef::Number(indexes) => working.numbers.get(indexes.first()?).copied().flatten(),
    }
}

fn stored(working: &Working, id: CardId) -> Option<Card> {
    working.cards.get(&id).cloned().flatten()
}

/// Decides with a card that was changed, and lets `mend` take the change out of the result.
fn with_card(
    id: Option<CardId>,
    change: impl FnOnce(&mut Card),
    mend: impl Fn(&Card, &mut Card),
    request: &Request,
    working: &mut Working,
    context: &Context<'_>,
) -> Decided {
    let Some((id, before)) = id.and_then(|id| Some((id, stored(working, id)?))) else {
        return sound(request, working, context);
    };
    let mut changed = before.clone();
    change(&mut changed);
    working.cards.insert(id, Some(changed));
    let mut decided = sound(request, working, context);
    if let Ok(Verdict::Decided(decision)) = &mut decided {
        if let Some(card) = decision.cards.iter_mut().find(|card| card.id == id) {
            mend(&before, card);
        }
        restate(decision);
    }
    working.cards.insert(id, Some(before));
    decided
}

/// Changes an approved decision of one kind.
fn after(decided: Decided, kind: OperationKind, change: impl FnOnce(&mut Decision)) -> Decided {
    let mut decided = decided;
    if let Ok(Verdict::Decided(decision)) = &mut decided
        && decision.operation.kind == kind
        && decision.operation.is_approved()
    {
        change(decision);
        restate(decision);
    }
    decided
}

/// Has the operation state what its cards are, as it would whatever else is wrong.
fn restate(decision: &mut Decision) {
    let operation = &mut decision.operation;
    let at = operation.at;
    for after in [operation.card.as_mut(), operation.counterpart.as_mut()].into_iter().flatten() {
        let Some(card) = decision.cards.iter().find(|card| card.id == after.id) else { continue };
        (after.state, after.balance, after.held) = (card.state.code(), card.posted(), card.held);
        after.available = card.available(at);
    }
}

fn with_rules(
    change: impl Fn(&mut Rules),
    request: &Request,
    working: &Working,
    context: &Context<'_>,
) -> Decided {
    let mut catalog = Catalog::clone(context.catalog);
    for program in catalog.programs.values_mut() {
        change(&mut Arc::make_mut(program).rules);
    }
    sound(request, working, &Context { catalog: &catalog, ..*context })
}

fn redeem(
    bug: Bug,
    card: &CardRef,
    request: &Request,
    working: &mut Working,
    context: &Context<'_>,
) -> Decided {
    let id = find(card, working);
    match bug {
        Bug::HeldValueSpendable => {
            let mend = |before: &Card, card: &mut Card| card.held = before.held;
            with_card(id, |card| card.held = Amount::ZERO, mend, request, working, context)
        }
        Bug::ExpiredLotSpendable => {
            let change = |card: &mut Card| card.lots.iter_mut().for_each(|lot| lot.expires_at = None);
            let mend = |before: &Card, card: &mut Card| {
                for lot in &mut card.lots {
                    lot.expires_at = before.lot(lot.no).and_then(|lot| lot.expires_at);
                }
            };
            with_card(id, change, mend, request, working, context)
        }
        Bug::FrozenCardPays => {
            let change = |card: &mut Card| {
                if matches!(card.state, CardState::Frozen { .. }) {
                    card.state = CardState::Active;
                }
            };
            let mend = |before: &Card, card: &mut Card| card.state.clone_from(&before.state);
            with_card(id, change, mend, request, working, context)
        }
        Bug::DayNeverEnds => {
            let today = context.catalog.issuers.get(&request.actor.issuer);
            let today = today.map(|issuer| BusinessDate::of(context.now, &issuer.zone));
            let change = |card: &mut Card| card.day.date = today.unwrap_or(card.day.date);
            let mend = |before: &Card, card: &mut Card| {
                if card.day.count == before.day.count {
                    card.day = before.day;
                }
            };
            with_card(id, change, mend, request, working, context)
        }
        Bug::SharesRoundedWrong => {
            after(sound(request, working, context), OperationKind::Redemption, shift_a_unit)
        }
        _ => other(bug, request, working, context),
    }
}

fn shift_a_unit(decision: &mut Decision) {
    let one = Amount::new(1).unwrap_or(Amount::ZERO);
    let [first, second] = decision.transfers.as_mut_slice() else { return };
    let Some(card) = decision.cards.first_mut() else { return };
    let (Some(a), Some(b)) = (first.debit_lot, second.debit_lot) else { return };
    let has_unit = card.lot(a).is_some_and(|lot| lot.remaining >= one) && second.amount > one;
    if !has_unit {
        return;
    }
    first.amount = first.amount.checked_add(one).unwrap_or(first.amount);
    second.amount = second.amount.saturating_sub(one);
    if let Some(lot) = card.lot_mut(a) {
        lot.remaining = lot.remaining.saturating_sub(one);
    }
    if let Some(lot) = card.lot_mut(b) {
        lot.remaining = lot.remaining.checked_add(one).unwrap_or(lot.remaining);
    }
}

fn reverse(
    bug: Bug,
    command: &Reverse,
    request: &Request,
    working: &mut Working,
    context: &Context<'_>,
) -> Decided {
    let key = (request.actor.client, command.original.clone());
    let original = match working.keys.get(&key) {
        Some(KeyState::Taken(operation)) => Some(Arc::clone(operation)),
        _ => None,
    };
    let Some(original) = original else { return other(bug, request, working, context) };
    match bug {
        Bug::ReversedTwice => {
            if let Some(Some(recorded)) = working.operations.get_mut(&original.id) {
                recorded.compensation.reversed_by = None;
            }
            sound(request, working, context)
        }
        Bug::ReversalWithoutWindow => {
            with_rules(|rules| rules.reversal_seconds = 30_000_000, request, working, context)
        }
        Bug::UseNotUncounted if original.kind == OperationKind::Redemption => {
            let decided = sound(request, working, context);
            after(decided, OperationKind::Reversal, |decision| {
                for card in &mut decision.cards {
                    card.day = stored(working, card.id).map_or(card.day, |before| before.day);
                }
            })
        }
        Bug::MemberKept if original.kind == OperationKind::Activation => {
            let decided = sound(request, working, context);
            after(decided, OperationKind::Reversal, |decision| {
                for card in &mut decision.cards {
                    card.member = stored(working, card.id).and_then(|before| before.member);
                }
            })
        }
        Bug::CaptureUndoneReopensHold if original.kind == OperationKind::Capture => {
            let decided = sound(request, working, context);
            after(decided, OperationKind::Reversal, |decision| reopen(decision, original.hold, working))
        }
        _ => other(bug, request, working, context),
    }
}

fn reopen(decision: &mut Decision, hold: Option<HoldId>, working: &Working) {
    let hold = hold.and_then(|id| working.holds.get(&id).cloned().flatten());
    let (Some(mut hold), Some(card)) = (hold, decision.cards.first_mut()) else { return };
    let back = decision.operation.approved;
    hold.captured = hold.captured.saturating_sub(back);
    if hold.status == HoldStatus::Captured && hold.card == card.id {
        hold.status = HoldStatus::Open;
        card.held = card.held.checked_add(hold.remaining()).unwrap_or(card.held);
    }
    decision.hold = Some(hold);
}

fn other(bug: Bug, request: &Request, working: &mut Working, context: &Context<'_>) -> Decided {
    match bug {
        Bug::TombstoneIgnored => {
            let key = (request.actor.client, request.key.clone());
            if matches!(working.keys.get(&key), Some(KeyState::Tombstone(_))) {
                working.keys.insert(key, KeyState::Free);
            }
            sound(request, working, context)
        }
        Bug::AnyIntentReplays => {
            let mut request = request.clone();
            let key = (request.actor.client, request.key.clone());
            if let Some(KeyState::Taken(operation)) = working.keys.get(&key) {
                request.fingerprint = operation.fingerprint;
            }
            sound(&request, working, context)
        }
        Bug::WrongPinNotCounted => {
            let mut decided = sound(request, working, context);
            if let Ok(Verdict::Decided(decision)) = &mut decided
                && decision.operation.status == Status::Declined(Decline::PinWrong)
            {
                for card in &mut decision.cards {
                    card.pin = stored(working, card.id).map_or(card.pin, |before| before.pin);
                }
            }
            decided
        }
        Bug::BalanceCapIgnored if matches!(request.command, Command::Load(_)) => {
            with_rules(|rules| rules.balance_cap = None, request, working, context)
        }
        Bug::ForeignCardReached => foreign(request, working, context),
        _ => rest(bug, request, working, context),
    }
}

fn foreign(request: &Request, working: &mut Working, context: &Context<'_>) -> Decided {
    let id = match &request.command {
        Command::Redeem(c) => find(&c.card, working),
        Command::Load(c) => find(&c.card, working),
        Command::Inquire(c) => find(&c.card, working),
        _ => None,
    };
    let issuer = request.actor.issuer;
    let mend = |before: &Card, card: &mut Card| card.issuer = before.issuer;
    with_card(id, |card| card.issuer = issuer, mend, request, working, context)
}

fn rest(bug: Bug, request: &Request, working: &mut Working, context: &Context<'_>) -> Decided {
    match (bug, &request.command) {
        (Bug::LastRefundNotCounted, _) => {
            after(sound(request, working, context), OperationKind::Refund, |decision| {
                let approved = decision.operation.approved;
                for (_, compensation) in &mut decision.compensations {
                    compensation.refunded = compensation.refunded.saturating_sub(approved);
                }
            })
        }
        (Bug::OldestLotRestoredFirst, Command::Refund(c)) => {
            turn_transfers(working, c.original);
            let decided = sound(request, working, context);
            turn_transfers(working, c.original);
            decided
        }
        (Bug::HoldNotGivenBack, _) => {
            after(sound(request, working, context), OperationKind::Release, |decision| {
                for card in &mut decision.cards {
                    card.held = stored(working, card.id).map_or(card.held, |before| before.held);
                }
            })
        }
        (Bug::ExpiredHoldCaptured, Command::Capture(c)) => late_capture(c.hold, request, working, context),
        (Bug::ReplacementForgetsDay, _) => {
            after(sound(request, working, context), OperationKind::Replacement, |decision| {
                let new = decision.operation.counterpart.map(|card| card.id);
                for card in decision.cards.iter_mut().filter(|card| Some(card.id) == new) {
                    card.day = DayCounters { date: card.day.date, count: 0, amount: Amount::ZERO };
                }
            })
        }
        (Bug::MergeLosesBonus, _) => {
            after(sound(request, working, context), OperationKind::Merge, lose_bonus)
        }
        (Bug::BonusPaidOut, _) => {
            after(sound(request, working, context), OperationKind::CashOut, pay_bonus_out)
        }
        _ => paid_back_or_posted(bug, request, working, context),
    }
}

fn paid_back_or_posted(bug: Bug, request: &Request, working: &mut Working, context: &Context<'_>) -> Decided {
    let decided = sound(request, working, context);
    match bug {
        Bug::ForfeitPaidOut => after(decided, OperationKind::HolderRefund, pay_bonus_out),
        Bug::RefundedCardLives => after(decided, OperationKind::HolderRefund, |decision| {
            for card in &mut decision.cards {
                let before = stored(working, card.id);
                card.state = before.map_or_else(|| card.state.clone(), |before| before.state);
            }
        }),
        Bug::ExchangedValueKept => after(decided, OperationKind::Exchange, |decision| {
            let old = decision.operation.card.map(|card| card.id);
            for card in decision.cards.iter_mut().filter(|card| Some(card.id) == old) {
                if let Some(before) = stored(working, card.id) {
                    card.lots = before.lots;
                }
            }
        }),
        Bug::PostingDoubled if matches!(request.command, Command::Post(_)) => {
            let mut decided = decided;
            if let Ok(Verdict::Decided(decision)) = &mut decided
                && let Some(mut again) = decision.transfers.first().cloned()
            {
                again.seq = decision.transfers.last().map_or(1, |last| last.seq + 1);
                decision.transfers.push(again);
            }
            decided
        }
        _ => decided,
    }
}

fn turn_transfers(working: &mut Working, of: OperationId) {
    if let Some(Some(recorded)) = working.operations.get_mut(&of) {
        recorded.transfers.reverse();
    }
}

fn late_capture(id: HoldId, request: &Request, working: &mut Working, context: &Context<'_>) -> Decided {
    let Some(Some(hold)) = working.holds.get_mut(&id) else { return sound(request, working, context) };
    let ends = std::mem::replace(&mut hold.expires_at, Timestamp::MAX);
    let mut decided = sound(request, working, context);
    if let Ok(Verdict::Decided(decision)) = &mut decided
        && let Some(hold) = &mut decision.hold
    {
        hold.expires_at = ends;
    }
    if let Some(Some(hold)) = working.holds.get_mut(&id) {
        hold.expires_at = ends;
    }
    decided
}

fn lose_bonus(decision: &mut Decision) {
    let receiver = decision.operation.counterpart.map(|card| card.id);
    let Some(card) = decision.cards.iter_mut().find(|card| Some(card.id) == receiver) else { return };
    let is_bonus = |transfer: &domain::Transfer, card: &Card| {
        let lot = transfer.credit_lot.and_then(|no| card.lot(no));
        lot.is_some_and(|lot| lot.source == LotSource::Bonus)
    };
    for transfer in decision.transfers.iter().filter(|t| is_bonus(t, card)).cloned().collect::<Vec<_>>() {
        if let Some(lot) = transfer.credit_lot.and_then(|no| card.lot_mut(no)) {
            lot.remaining = lot.remaining.saturating_sub(transfer.amount);
        }
    }
    let card = card.clone();
    decision.transfers.retain(|transfer| !is_bonus(transfer, &card));
    for (transfer, seq) in decision.transfers.iter_mut().zip(1..) {
        transfer.seq = seq;
    }
}

fn pay_bonus_out(decision: &mut Decision) {
    let operation = &mut decision.operation;
    let forfeited = operation.detail.forfeited.replace(Amount::ZERO).unwrap_or(Amount::ZERO);
    operation.approved = operation.approved.checked_add(forfeited).unwrap_or(operation.approved);
    operation.requested = operation.approved;
    for transfer in &mut decision.transfers {
        if let Account::Promotion(issuer) = transfer.credit {
            transfer.credit = Account::Bank(issuer);
        }
    }
}

/// A key that an earlier request of the batch used looks free.
fn forget_key(request: &Request, working: &mut Working, now: Timestamp) {
    let key = (request.actor.client, request.key.clone());
    let Some(KeyState::Taken(operation)) = working.keys.get(&key) else { return };
    let in_batch = operation.at == now && matches!(working.operations.get(&operation.id), Some(Some(_)));
    if in_batch {
        working.keys.insert(key, KeyState::Free);
    }
}

thread_local! {
    /// Cards as they were when they were first seen at a moment.
    static SEEN: RefCell<(Timestamp, Map<CardId, Card>)> = RefCell::new((Timestamp::MAX, Map::default()));
}

/// A card that an earlier request of the batch changed looks as it was loaded.
fn forget_card(request: &Request, working: &mut Working, now: Timestamp) {
    let id = match &request.command {
        Command::Redeem(c) => find(&c.card, working),
        Command::Load(c) => find(&c.card, working),
        _ => None,
    };
    let Some((id, card)) = id.and_then(|id| Some((id, stored(working, id)?))) else { return };
    SEEN.with_borrow_mut(|(moment, cards)| {
        if *moment != now {
            *moment = now;
            cards.clear();
        }
        let seen = cards.entry(id).or_insert(card);
        working.cards.insert(id, Some(seen.clone()));
    });
}
