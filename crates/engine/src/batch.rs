//! One batch: plan, load, decide, persist.
//!
//! Cost on SQLite per redemption: one look-up by number, one by key, one card update, one operation and
//! one transfer insert. Rounds of loading: one for requests that name their card, two where the card is
//! found through a hold or an earlier operation.

use domain::{
    Catalog, OperationId, Refusal, Request, Timestamp,
    decide::{Context, Decision, Secrets, Verdict, decide},
    plan::{MAX_ROUNDS, follows_pointers, plan},
    working::{Need, Touched, Working},
};
use storage::{Durable, Result, Transaction, Transactions, durable_already};

use crate::handle::{Answer, Outcome};
use crate::id_source::IdSource;

/// What a batch is decided with.
pub(crate) struct Deciding<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) now: Timestamp,
    pub(crate) ids: &'a IdSource,
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
    for request in requests {
        if follows_pointers(&request.command) {
            // An earlier decision of this batch may have changed where they lead.
            follow(transaction.as_mut(), std::iter::once(request), &mut working, with).await?;
        }
        outcomes.push(decide_one(request, &mut working, &mut touched, with));
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
    working: &mut Working,
    touched: &mut Touched,
    with: &Deciding<'_>,
) -> Outcome {
    let context = Context {
        catalog: with.catalog,
        now: with.now,
        id: OperationId::new(with.ids.next(with.now)),
        secrets: with.secrets,
    };
    match decide(request, working, &context)? {
        Verdict::Replayed(operation) => Ok(Answer { operation, replayed: true }),
        Verdict::Decided(decision) => {
            let Decision { operation, .. } = &*decision;
            let id = operation.id;
            working.apply(*decision, touched);
            let recorded = working.operations.get(&id).and_then(Option::as_ref);
            let operation = recorded.map(|r| std::sync::Arc::clone(&r.operation));
            Ok(Answer { operation: operation.ok_or(Refusal::Inconsistent)?, replayed: false })
        }
    }
}
