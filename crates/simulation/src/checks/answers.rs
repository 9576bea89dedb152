//! What clients were told, against what is stored.

use std::{collections::HashMap, sync::Arc};

use domain::{Command, Operation, OperationId, OperationKind, Refusal, working::Map};

use super::{Entry, Finding, ensure};
use crate::{asking::Ask, history::History};

/// Every answer holds: its operation is stored as it was told, one for each key, and made once.
pub(super) fn check(history: &History, log: &[Entry]) -> Finding {
    let mut stored: Map<OperationId, &Entry> = Map::default();
    for entry in log {
        let twice = stored.insert(entry.operation.id, entry);
        ensure(twice.is_none(), || format!("{} is stored twice", entry.operation.id))?;
    }
    keys_are_used_once(log)?;
    purposes_are_served_once(log)?;
    let mut decided: Map<OperationId, usize> = Map::default();
    for answer in &history.answers {
        let ask = &history.asks[answer.ask];
        match &answer.outcome {
            Ok((operation, replayed)) => {
                holds(ask, answer.ask, operation, &stored)?;
                if !replayed {
                    *decided.entry(operation.id).or_default() += 1;
                }
            }
            Err(refusal) => refused_rightly(history, answer.ask, *refusal, log)?,
        }
    }
    for (id, count) in decided {
        ensure(count == 1, || format!("{id} was answered {count} times as decided now"))?;
    }
    Ok(())
}

fn keys_are_used_once(log: &[Entry]) -> Finding {
    let mut keys = HashMap::new();
    let mut traces = HashMap::new();
    for entry in log {
        let operation = &entry.operation;
        let key = (operation.client, operation.key.clone());
        let first = keys.insert(key, operation.id);
        ensure(first.is_none(), || format!("{} has the key of {first:?}", operation.id))?;
        if let Some(trace) = crate::database::trace_of(operation) {
            let first = traces.insert(trace, operation.id);
            ensure(first.is_none(), || format!("{} has the trace number of {first:?}", operation.id))?;
        }
    }
    Ok(())
}

/// What a client wanted once happened once, whatever keys it sent.
fn purposes_are_served_once(log: &[Entry]) -> Finding {
    let mut served = HashMap::new();
    for entry in log.iter().filter(|entry| entry.operation.is_approved()) {
        let Some(ask) = &entry.ask else { continue };
        let first = served.insert(ask.purpose, entry.operation.id);
        ensure(first.is_none(), || format!("{} does again what {first:?} did", entry.operation.id))?;
    }
    Ok(())
}

fn holds(ask: &Ask, position: usize, told: &Arc<Operation>, stored: &Map<OperationId, &Entry>) -> Finding {
    let entry = stored.get(&told.id).ok_or_else(|| format!("{} was answered and is not stored", told.id))?;
    ensure(entry.operation == *told, || format!("{} is stored other than it was answered", told.id))?;
    ensure(told.issuer == ask.actor.issuer && told.client == ask.actor.client, || {
        format!("{} was answered to another client", told.id)
    })?;
    if let Command::Reverse(reverse) = &ask.command
        && told.key != ask.key
    {
        // A second reversal is answered with the first one.
        let named = Some(reverse.original.to_text());
        let is_first = told.kind == OperationKind::Reversal && told.detail.original_key == named;
        return ensure(is_first, || format!("{} is no reversal of {named:?}", told.id));
    }
    ensure(entry.position == Some(position), || {
        format!("{} was answered to request {position}, and belongs to {:?}", told.id, entry.position)
    })
}

/// Refusals are not stored, so only some can be checked: those that deny what is known to exist.
fn refused_rightly(history: &History, position: usize, refusal: Refusal, log: &[Entry]) -> Finding {
    let ask = &history.asks[position];
    let wrong = || Err(format!("request {position} was refused as {refusal:?}: {:?}", ask.command));
    match refusal {
        Refusal::Inconsistent => wrong(),
        Refusal::IdempotencyConflict => {
            let other = log.iter().any(|entry| {
                let operation = &entry.operation;
                let same_key = operation.key == ask.key && operation.client == ask.actor.client;
                same_key && entry.position != Some(position)
            });
            if other { Ok(()) } else { wrong() }
        }
        Refusal::CardUnknown
        | Refusal::CounterpartUnknown
        | Refusal::HoldUnknown
        | Refusal::OperationUnknown
            if ask.names_known && ask.actor.merchant.is_none() =>
        {
            wrong()
        }
        _ => Ok(()),
    }
}
