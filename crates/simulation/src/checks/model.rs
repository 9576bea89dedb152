//! The reference model of `domain-testing` follows what the first issuer's clients did.

use domain::{HoldId, OperationId, OperationKind, operation::Operation, working::Map};
use domain_testing::{
    model::{Model, Outcome},
    script::{Act, CARDS, Step},
};

use super::{Entry, Finding, Ground, card_of, ensure};
use crate::{simulation::Simulation, world::ISLANDS};

pub(super) fn check(log: &[Entry], simulation: &Simulation, _: &Ground<'_>) -> Finding {
    let [island, _] = &ISLANDS;
    let mut model = Model::new(simulation.environment.profile.order, &[]);
    let mut numbers: Map<OperationId, usize> = Map::default();
    let own = log.iter().filter(|entry| entry.operation.issuer == island.issuer);
    for (position, entry) in own.enumerate() {
        let operation = &entry.operation;
        let (number, step) = match &entry.ask {
            Some(ask) => (ask.number, ask.step.clone()),
            None => (JOBS + position, step_of_job(operation, &numbers)?),
        };
        numbers.insert(operation.id, number);
        let act = Act { position: number, key: number, step, now: operation.at };
        let (expected, is) = (model.step(&act), outcome(operation));
        ensure(expected == is, || {
            format!("{} is {is:?}, should be {expected:?}: {:?}", operation.id, act.step)
        })?;
    }
    for card in 1..=CARDS {
        if let Some(stored) = simulation.database.card(island.card(card)) {
            model.compare_one(&stored).map_err(|wrong| format!("{}: {wrong}", stored.id))?;
        }
    }
    Ok(())
}

/// Keys of jobs are numbered apart from those of clients.
const JOBS: usize = 1_000_000_000;

fn step_of_job(operation: &Operation, numbers: &Map<OperationId, usize>) -> Result<Step, String> {
    let unknown = || format!("no job asks for {}", operation.id);
    match operation.kind {
        OperationKind::Release => {
            let hold = operation.hold.map(HoldId::get).map(OperationId::new).ok_or_else(unknown)?;
            let of = numbers.get(&hold).copied().ok_or_else(unknown)?;
            Ok(Step::Release { of, expired: true })
        }
        OperationKind::Expiry => {
            let card = card_of(operation).ok_or_else(unknown)?;
            Ok(Step::Expire { card: u8::try_from(card.get()).map_err(|_| unknown())? })
        }
        _ => Err(unknown()),
    }
}

fn outcome(operation: &Operation) -> Outcome {
    if operation.is_approved() { Outcome::Approved(operation.approved.get()) } else { Outcome::Declined }
}
