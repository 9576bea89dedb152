//! One batch: plan, load, decide, persist.
//!
//! Cost on SQLite per redemption: one look-up by number, one by key, one card update, one operation and
//! one transfer insert. Rounds of loading: one for requests that name their card, two where the card is
//! found through a hold or an earlier operation.

use domain::{
    Catalog, OperationId, Refusal, Request, Timestamp,
    decide::{Context, Secrets, Verdict},
    plan::{MAX_ROUNDS, follows_pointers, plan},
    working::{Need, Touched, Working},
};
use storage::{Durable, Result, Transaction, Transactions, durable_already};

use crate::handle::{Answer, Outcome};
use crate::id_source::IdSource;
#[cfg(feature = "planted")]
use crate::planted::decide;
#[cfg(not(feature = "planted"))]
use domain::decide::decide;

/// What a batch is decided with.
pub(crate) struct Deciding<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) now: Timestamp,
    pub(crate) ids: &'a IdSource,
    pub(crate) secrets: &'a dyn Secrets,
}

/// The ids that the attempts at one batch gave its requests, in their order: what an attempt stored whose
/// commit was in doubt is recognised as one's own by them.
#[derive(Default)]
pub(crate) struct Attempts(Vec<Vec<OperationId>>);

impl Attempts {
    fn are_own(&self, request: usize, id: OperationId) -> bool {
        let (_, earlier) = self.0.split_last().unwrap_or((&Vec::new(), &[]));
        earlier.iter().any(|ids| ids.get(request) == Some(&id))
    }

    fn gave(&mut self, id: OperationId) {
        if let Some(ids) = self.0.last_mut() {
            ids.push(id);
        }
    }
}

/// Decides requests in order, in one transaction. They may be answered once what is returned with them is
/// done, and everything returned before.
pub(crate) async fn run<'a>(
    store: &dyn Transactions,
    requests: impl Iterator<Item = &'a Request> + Clone,
    with: &Deciding<'_>,
    attempts: &mut Attempts,
) -> Result<(Vec<Outcome>, Durable)> {
    attempts.0.push(Vec::with_capacity(requests.size_hint().0));
    let mut transaction = store.begin().await?;
    let mut working = Working::default();
    load(transaction.as_mut(), requests.clone(), &mut working, with).await?;
    let mut touched = Touched::default();
    let mut outcomes = Vec::with_capacity(requests.size_hint().0);
    let mut latest = latest_of(&working);
    for (position, request) in requests.enumerate() {
        if follows_pointers(&request.command) {
            // An earlier decision of this batch may have changed where they lead.
            if follow(transaction.as_mut(), std::iter::once(request), &mut working, with).await? {
                latest = latest_of(&working);
            }
        }
        let id = id_after(latest, with);
        attempts.gave(id);
        let outcome = decide_one(request, id, &mut working, &mut touched, with);
        outcomes.push(outcome.map(|answer| Answer {
            replayed: answer.replayed && !attempts.are_own(position, answer.operation.id),
            ..answer
        }));
    }
    let changes = working.changes(touched);
    let durable = if changes.is_empty() { durable_already() } else { transaction.commit(&changes).await? };
    Ok((outcomes, durable))
}

/// Loads what all requests name, then what that leads to.
async fn load<'a>(
    transaction: &mut dyn Transaction,
    requests: impl Iterator<Item = &'a Request> + Clone,
    working: &mut Working,
    with: &Deciding<'_>,
) -> Result<()> {
    let mut needs: Vec<Need> = Vec::with_capacity(2 * requests.size_hint().0);
    for request in requests.clone() {
        plan(request, working, with.catalog, with.now, &mut needs);
    }
    transaction.load(&needs, working).await?;
    follow(transaction, requests.filter(|r| follows_pointers(&r.command)), working, with).await?;
    Ok(())
}

/// Loads in rounds until nothing is missing. Whether something was.
async fn follow<'a>(
    transaction: &mut dyn Transaction,
    requests: impl Iterator<Item = &'a Request> + Clone,
    working: &mut Working,
    with: &Deciding<'_>,
) -> Result<bool> {
    let mut needs: Vec<Need> = Vec::new();
    for round in 0..MAX_ROUNDS {
        needs.clear();
        for request in requests.clone() {
            plan(request, working, with.catalog, with.now, &mut needs);
        }
        if needs.is_empty() {
            return Ok(round > 0);
        }
        transaction.load(&needs, working).await?;
    }
    Ok(true)
}

fn decide_one(
    request: &Request,
    id: OperationId,
    working: &mut Working,
    touched: &mut Touched,
    with: &Deciding<'_>,
) -> Outcome {
    let context = Context { catalog: with.catalog, now: with.now, id, secrets: with.secrets };
    match decide(request, working, &context)? {
        Verdict::Replayed(operation) => Ok(Answer { operation, replayed: true }),
        Verdict::Decided(decision) => {
            working.apply(*decision, touched);
            let recorded = working.operations.get(&id).and_then(Option::as_ref);
            let operation = recorded.map(|r| std::sync::Arc::clone(&r.operation));
            Ok(Answer { operation: operation.ok_or(Refusal::Inconsistent)?, replayed: false })
        }
    }
}

/// The latest operation of all cards that were loaded.
fn latest_of(working: &Working) -> Option<OperationId> {
    working.cards.values().flatten().filter_map(|card| card.last_operation).max()
}

/// An id after all operations of the cards at hand. A card's operations are in the order of their ids: its
/// history goes by that, and so does the audit. Ids are drawn when the cards are locked, so that no other
/// writer can go on with them meanwhile; one whose clock is ahead may have given later ids before.
fn id_after(latest: Option<OperationId>, with: &Deciding<'_>) -> OperationId {
    loop {
        let id = OperationId::new(with.ids.next(with.now));
        match latest {
            Some(latest) if id <= latest => with.ids.go_on_after(latest.get()),
            _ => return id,
        }
    }
}
