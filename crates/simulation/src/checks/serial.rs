//! The log again, one request after the other on one state: no nodes, no batches, no database. Whatever
//! the engine did at once must have an order in which it comes to the same.

use domain::{
    OperationKind,
    decide::{Context, Decision, Verdict},
    plan::{MAX_ROUNDS, plan},
    working::{KeyState, Need, Touched, Working},
};
use domain_testing::invariants;
use engine::VaultSecrets;

use super::{Entry, Finding, Ground, ensure, request};
use crate::{
    planted,
    simulation::Simulation,
    world::{Island, index_of},
};

pub(super) fn check(log: &[Entry], simulation: &Simulation, ground: &Ground<'_>) -> Finding {
    let mut working = Working::default();
    for new in ground.cards {
        working.cards.insert(new.card.id, Some(new.card.clone()));
        working.numbers.insert(index_of(new.card.id), Some(new.card.id));
    }
    let secrets = VaultSecrets(std::sync::Arc::clone(ground.vault));
    let mut touched = Touched::default();
    for entry in log {
        let context = Context {
            catalog: ground.catalog,
            now: entry.operation.at,
            id: entry.operation.id,
            secrets: &secrets,
        };
        again(entry, &context, &mut working, &mut touched)?;
    }
    for new in ground.cards {
        let id = new.card.id;
        let (expected, stored) = (working.cards.get(&id).cloned().flatten(), simulation.database.card(id));
        ensure(expected == stored, || format!("{id} is stored as {stored:?}, should be {expected:?}"))?;
    }
    Ok(())
}

fn again(entry: &Entry, context: &Context<'_>, working: &mut Working, touched: &mut Touched) -> Finding {
    let id = entry.operation.id;
    let request = request(entry).ok_or_else(|| format!("no job asks for {id}"))?;
    complete(&request, context, working);
    let verdict = planted::decide(&request, working, context);
    let decision = match verdict {
        Ok(Verdict::Decided(decision)) => decision,
        other => return Err(format!("{id} would not be decided one by one: {other:?}")),
    };
    invariants::check(working, &decision).map_err(|wrong| format!("{id}: {wrong}"))?;
    is_sensible(working, &decision)?;
    ensure(decision.operation == *entry.operation, || {
        format!("{id} is {:?}, one by one {:?}", entry.operation, decision.operation)
    })?;
    ensure(decision.transfers == entry.transfers, || {
        format!("{id} moves {:?}, one by one {:?}", entry.transfers, decision.transfers)
    })?;
    working.apply(*decision, touched);
    Ok(())
}

/// Enters what is needed and not there as absent: all that exists is in the state already.
fn complete(request: &domain::Request, context: &Context<'_>, working: &mut Working) {
    for _ in 0..MAX_ROUNDS {
        let mut needs = Vec::new();
        plan(request, working, context.catalog, context.now, &mut needs);
        if needs.is_empty() {
            return;
        }
        for need in needs {
            match need {
                Need::Key(client, key) => {
                    working.keys.insert((client, key), KeyState::Free);
                }
                Need::Trace(key) => {
                    working.traces.insert(key, None);
                }
                Need::Card(id) => {
                    working.cards.insert(id, None);
                }
                Need::Number(indexes) => {
                    working.numbers.extend(indexes.first().map(|index| (*index, None)));
                }
                Need::Operation(id) => {
                    working.operations.insert(id, None);
                }
                Need::Hold(id) => {
                    working.holds.insert(id, None);
                }
            }
        }
    }
}

/// What no rule may ever do, seen on the state before.
fn is_sensible(before: &Working, decision: &Decision) -> Finding {
    let operation = &decision.operation;
    for card in &decision.cards {
        ensure(Island::issuer_of(card.id) == operation.issuer, || {
            format!("{} changes {} of another issuer", operation.id, card.id)
        })?;
    }
    if !matches!(operation.kind, OperationKind::Redemption | OperationKind::Transfer) {
        return Ok(());
    }
    let Some(card) = operation.card.and_then(|card| before.cards.get(&card.id)?.as_ref()) else {
        return Ok(());
    };
    for transfer in &decision.transfers {
        let Some(lot) = transfer.debit_lot.and_then(|no| card.lot(no)) else { continue };
        ensure(lot.usable_at(operation.at), || {
            format!("{} spends lot {} of {} after it expired", operation.id, lot.no.0, card.id)
        })?;
    }
    Ok(())
}
