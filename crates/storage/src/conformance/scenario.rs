//! Drives a store as the engine does: plan, load, decide, commit, a batch at a time. Keeps what was
//! decided, so that a test can compare what the store says later with what was written.

use std::sync::Arc;

use domain::{
    CardId, Catalog, Currency, Operation, OperationId, Refusal, Request, Timestamp, Transfer,
    card::PinDigest,
    command::PinAttempt,
    decide::{Context, Secrets, Verdict, decide},
    plan::{MAX_ROUNDS, plan},
    working::{Changes, Need, Touched, Working},
};

use crate::{AccountTotals, Result, StorageError, Store, Transaction};

/// A request with what the engine would add to it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) request: Request,
    pub(super) now: Timestamp,
    pub(super) id: OperationId,
}

/// What a caller is told, and whether it was told before.
pub(super) type Answer = std::result::Result<(Arc<Operation>, bool), Refusal>;

/// What batches decided.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) answers: Vec<Answer>,
    pub(super) operations: Vec<Arc<Operation>>,
    pub(super) transfers: Vec<Transfer>,
}

impl Outcome {
    pub(super) fn append(&mut self, later: Self) {
        self.answers.extend(later.answers);
        self.operations.extend(later.operations);
        self.transfers.extend(later.transfers);
    }

    /// The operations that wrote a transfer or not, with their transfers.
    pub(super) fn transfers_of(&self, id: OperationId) -> Vec<Transfer> {
        self.transfers.iter().filter(|t| t.operation == id).cloned().collect()
    }

    /// What all transfers add up to. The programs of the small world are all in yuan.
    pub(super) fn totals(&self) -> Vec<AccountTotals> {
        let moved: i64 = self.transfers.iter().map(|transfer| transfer.amount.get()).sum();
        let all = AccountTotals { currency: Currency::CNY, debits: moved, credits: moved };
        if self.transfers.is_empty() { Vec::new() } else { vec![all] }
    }

    /// The moment of an operation that was decided.
    pub(super) fn operation(&self, id: OperationId) -> &Operation {
        self.operations.iter().find(|operation| operation.id == id).expect("an operation of the scenario")
    }
}

/// PINs of the tests are their own digests.
pub(super) struct PlainSecrets;

impl Secrets for PlainSecrets {
    fn pin_matches(&self, _: CardId, digest: &PinDigest, attempt: &PinAttempt) -> bool {
        digest.bytes.starts_with(attempt.0.as_bytes())
    }

    fn fingerprint(&self, _: u8, _: &[u8]) -> Option<[u8; 16]> {
        None
    }
}

/// How often a batch is tried again after another writer came first.
const MAX_TRIES: usize = 1_000;

/// Decides requests in batches of the sizes given, the last size again and again.
pub(super) async fn run(store: &dyn Store, catalog: &Catalog, asked: &[Asked], sizes: &[usize]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut rest = asked;
    let mut sizes = sizes.iter().copied();
    let mut size = 1;
    while !rest.is_empty() {
        size = sizes.next().unwrap_or(size).clamp(1, rest.len());
        let (batch, later) = rest.split_at(size);
        outcome.append(run_batch(store, catalog, batch).await);
        rest = later;
    }
    outcome
}

async fn run_batch(store: &dyn Store, catalog: &Catalog, batch: &[Asked]) -> Outcome {
    for _ in 0..MAX_TRIES {
        match try_batch(store, catalog, batch).await {
            Err(StorageError::Busy(_)) => {}
            decided => return decided.expect("a batch that is decided and written"),
        }
    }
    panic!("the store was busy {MAX_TRIES} times in a row");
}

async fn try_batch(store: &dyn Store, catalog: &Catalog, batch: &[Asked]) -> Result<Outcome> {
    let mut transaction = store.begin().await?;
    let mut working = Working::default();
    load(transaction.as_mut(), &mut working, catalog, batch).await?;
    let (mut touched, mut outcome) = (Touched::default(), Outcome::default());
    for asked in batch {
        // What was decided before in this batch may point to something that is not yet read.
        load(transaction.as_mut(), &mut working, catalog, std::slice::from_ref(asked)).await?;
        let context = Context { catalog, now: asked.now, id: asked.id, secrets: &PlainSecrets };
        let answer = match decide(&asked.request, &working, &context) {
            Ok(Verdict::Decided(decision)) => {
                let operation = Arc::new(decision.operation.clone());
                working.apply(*decision, &mut touched);
                Ok((operation, false))
            }
            Ok(Verdict::Replayed(operation)) => Ok((operation, true)),
            Err(refusal) => Err(refusal),
        };
        outcome.answers.push(answer);
    }
    let changes: Changes = working.changes(touched);
    outcome.operations.clone_from(&changes.operations);
    outcome.transfers.clone_from(&changes.transfers);
    if !changes.is_empty() {
        transaction.commit(&changes).await?.await?;
    }
    Ok(outcome)
}

async fn load(
    transaction: &mut dyn Transaction,
    working: &mut Working,
    catalog: &Catalog,
    batch: &[Asked],
) -> Result<()> {
    for _ in 0..=MAX_ROUNDS {
        let mut needs: Vec<Need> = Vec::new();
        for asked in batch {
            plan(&asked.request, working, catalog, asked.now, &mut needs);
        }
        if needs.is_empty() {
            return Ok(());
        }
        transaction.load(&needs, working).await?;
    }
    panic!("reading does not come to an end: the store does not answer every need");
}
