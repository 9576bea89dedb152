//! What is checked when a seed has been played.
//!
//! | check | knows |
//! |---|---|
//! | `answers` | what clients were told, and that it holds for ever |
//! | `serial` | the same requests decided one after the other, without nodes, batches or a database |
//! | `books` | the facts of the log: transfers, lots, holds, refunds, reversals, wrong PINs |
//! | `model` | the rules written a second time (`domain-testing`), for the first issuer |
//! | `audit` | the audit of `hexiao verify`, on the store in memory |

mod answers;
mod audit;
mod books;
mod model;
mod serial;

use std::{rc::Rc, sync::Arc};

use domain::{
    CardId, Catalog, Command, Operation, Request, Transfer,
    command::{Actor, Canonical, Release, SYSTEM_CLIENT},
    operation::OperationKind,
};
use storage::NewCard;
use vault::Vault;

use crate::{asking::Ask, history::History, simulation::Simulation};

/// What the simulation began with.
pub(crate) struct Ground<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) cards: &'a [NewCard],
    pub(crate) vault: &'a Arc<Vault>,
}

/// An operation of the log with its transfers, and the request that it came from. Jobs have none.
pub(crate) struct Entry {
    pub(crate) operation: Arc<Operation>,
    pub(crate) transfers: Vec<Transfer>,
    pub(crate) ask: Option<Rc<Ask>>,
    /// Which request, among all.
    pub(crate) position: Option<usize>,
}

type Finding = Result<(), String>;

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Finding {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// Checks everything, and records what is wrong.
pub(crate) async fn all(simulation: &Simulation, ground: &Ground<'_>) {
    if let Err(wrong) = audit::check(simulation, ground).await {
        simulation.environment.violation(format!("audit: {wrong}"));
    }
    all_others(simulation, ground);
}

fn all_others(simulation: &Simulation, ground: &Ground<'_>) {
    let history = simulation.history.borrow();
    let log = match entries(simulation, &history, ground) {
        Ok(log) => log,
        Err(wrong) => return simulation.environment.violation(wrong),
    };
    let findings = [
        ("answers", answers::check(&history, &log)),
        ("books", books::check(&log, simulation, ground)),
        ("model", model::check(&log, simulation, ground)),
        ("serial", serial::check(&log, simulation, ground)),
    ];
    for (name, finding) in findings {
        if let Err(wrong) = finding {
            simulation.environment.violation(format!("{name}: {wrong}"));
        }
    }
}

/// The log as entries, each with the request that it came from.
fn entries(simulation: &Simulation, history: &History, ground: &Ground<'_>) -> Result<Vec<Entry>, String> {
    simulation.database.with_log(|log| {
        let mut entries = Vec::new();
        for commit in log {
            let mut transfers = commit.changes.transfers.iter().peekable();
            for operation in &commit.changes.operations {
                let mut of = Vec::new();
                while let Some(transfer) = transfers.next_if(|t| t.operation == operation.id) {
                    of.push(transfer.clone());
                }
                let position = asked(history, operation, ground)?;
                let ask = position.map(|position| Rc::clone(&history.asks[position]));
                entries.push(Entry { operation: Arc::clone(operation), transfers: of, ask, position });
            }
        }
        Ok(entries)
    })
}

/// The request that an operation came from: under its key, with its fingerprint.
fn asked(history: &History, operation: &Operation, ground: &Ground<'_>) -> Result<Option<usize>, String> {
    if operation.client == SYSTEM_CLIENT {
        return Ok(None);
    }
    let asks = history.by_key.get(&(operation.client, operation.key.clone()));
    let asks = asks.ok_or_else(|| format!("nobody asked for {}", operation.id))?;
    if let [only] = asks.as_slice() {
        return Ok(Some(*only));
    }
    let is_it = |ask: &&usize| {
        let (_, bytes) = ground.vault.fingerprint(&history.asks[**ask].canonical);
        bytes == operation.fingerprint.bytes
    };
    let found = asks.iter().find(is_it).copied();
    found.map(Some).ok_or_else(|| format!("{} is none of the requests under its key", operation.id))
}

/// The request of an entry, as the engine had it.
fn request(entry: &Entry) -> Option<Request> {
    let operation = &entry.operation;
    if let Some(ask) = &entry.ask {
        return Some(ask.request(operation.fingerprint));
    }
    let command = match operation.kind {
        OperationKind::Release => Command::Release(Release { hold: operation.hold?, expired: true }),
        OperationKind::Expiry => Command::Expire(card_of(operation)?),
        _ => return None,
    };
    Some(Request {
        actor: Actor { client: SYSTEM_CLIENT, issuer: operation.issuer, merchant: None },
        key: operation.key.clone(),
        fingerprint: operation.fingerprint,
        canonical: Canonical(Box::default()),
        command,
        trace: None,
        reference: None,
        metadata: None,
    })
}

fn card_of(operation: &Operation) -> Option<CardId> {
    operation.card.map(|card| card.id)
}
