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
#[cfg(feature = "planted")]
use crate::planted::decide;
#[cfg(not(feature = "planted"))]
use domain::decide::decide;

/// What a batch is decided with.
pub(crate) struct Deciding<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) now: Timestamp,
    /// The id that each request's operation gets, in order. The same in every attempt, so that an attempt
    /// whose commit was in doubt is recognised as one's own.
    pub(crate) ids: &'a [OperationId],
    pub(crate) secrets: &'a dyn Secrets,
}

/// Decides requests in order, in one transaction. They may be answered once what is returned with them is
/// done, and everything returned before.
pub(crate) async fn run<'a>(
    store: &dyn Transactions,
    requests: impl Iterator<Item = &'a Request> + Clone,
    with: &Deciding<'_>,
) -> Result<(Vec<Outcome>, Durable)> {
    let mut transaction = store.begin().await?;
    let mut working = Working::default();
    load(transaction.as_mut(), requests.clone(), &mut working, with).await?;
    let mut touched = Touched::default();
    let mut outcomes = Vec::with_capacity(requests.size_hint().0);
    for (request, id) in requests.zip(with.ids) {
        if follows_pointers(&request.command) {
            // An earlier decision of this batch may have changed where they lead.
            follow(transaction.as_mut(), std::iter::once(request), &mut working, with).await?;
        }
        outcomes.push(decide_one(request, *id, &mut working, &mut touched, with));
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
    follow(transaction, requests.filter(|r| follows_pointers(&r.command)), working, with).await
}

/// Loads in rounds until nothing is missing.
async fn follow<'a>(
    transaction: &mut dyn Transaction,
    requests: impl Iterator<Item = &'a Request> + Clone,
    working: &mut Working,
    with: &Deciding<'_>,
) -> Result<()> {
    let mut needs: Vec<Need> = Vec::new();
    for _ in 0..MAX_ROUNDS {
        needs.clear();
        for request in requests.clone() {
            plan(request, working, with.catalog, with.now, &mut needs);
        }
        if needs.is_empty() {
            return Ok(());
        }
        transaction.load(&needs, working).await?;
    }
    Ok(())
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
        Verdict::Replayed(operation) => Ok(Answer { replayed: operation.id != id, operation }),
        Verdict::Decided(decision) => {
            working.apply(*decision, touched);
            let recorded = working.operations.get(&id).and_then(Option::as_ref);
            let operation = recorded.map(|r| std::sync::Arc::clone(&r.operation));
            Ok(Answer { operation: operation.ok_or(Refusal::Inconsistent)?, replayed: false })
        }
    }
}
