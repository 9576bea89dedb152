//! The thread that takes requests from the queue and answers them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::Request;
use storage::{Durable, StorageError, Store};
use tokio::sync::{mpsc, oneshot};

use crate::{
    batch::{self, Deciding},
    catalog_cache::CatalogCache,
    clock::Clock,
    handle::Outcome,
    id_source::IdSource,
    meter,
    secrets::VaultSecrets,
};

/// What waits in the queue. One request is boxed, so that the queue stays small.
pub(crate) enum Submission {
    /// One request.
    One(Box<Request>, oneshot::Sender<Outcome>),
    /// Several that were sent together.
    Many(Vec<Request>, oneshot::Sender<Vec<Outcome>>),
}

impl Submission {
    fn requests(&self) -> &[Request] {
        match self {
            Self::One(request, _) => std::slice::from_ref(request),
            Self::Many(requests, _) => requests,
        }
    }

    /// Answers. A caller that has gone away finds its answer under its key.
    fn answer(self, outcomes: &mut impl Iterator<Item = Outcome>) {
        match self {
            Self::One(_, reply) => {
                if let Some(outcome) = outcomes.next() {
                    let _ = reply.send(outcome);
                }
            }
            Self::Many(requests, reply) => {
                let _ = reply.send(outcomes.take(requests.len()).collect());
            }
        }
    }
}

/// A batch that is decided and committed, and may be answered once it is durable.
struct Decided {
    submissions: Vec<Submission>,
    outcomes: Vec<Outcome>,
    durable: Durable,
    started: Instant,
    still_queued: usize,
}

/// What happens when the store can no longer be trusted.
pub(crate) type OnFatal = Arc<dyn Fn(&StorageError) + Send + Sync>;

/// The writer's parts.
pub(crate) struct Writer {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) catalog: Arc<CatalogCache>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<IdSource>,
    pub(crate) secrets: VaultSecrets,
    pub(crate) max_batch: usize,
    pub(crate) on_fatal: OnFatal,
    pub(crate) answering: Answering,
}

/// How often a batch is tried again when another writer was in the way.
const BUSY_RETRIES: u32 = 20;
/// Batches that may wait for the disk while the next one is decided. More would only make batches smaller.
const AHEAD: usize = 1;

/// Where decided batches go to be answered.
pub(crate) struct Answering(mpsc::Sender<Decided>);

impl Answering {
    /// Starts the task that answers batches in the order of their decision, each once it is durable. So
    /// what is replayed from a batch before is durable too.
    pub(crate) fn start(on_fatal: OnFatal) -> Self {
        let (sender, mut decided) = mpsc::channel::<Decided>(AHEAD);
        tokio::spawn(async move {
            while let Some(batch) = decided.recv().await {
                if let Err(error) = batch.durable.await {
                    // Nothing of this batch is answered: whether it is stored is not known.
                    decided.close();
                    on_fatal(&error);
                    return;
                }
                meter::batch(&batch.outcomes, batch.still_queued, batch.started.elapsed());
                let mut outcomes = batch.outcomes.into_iter();
                for submission in batch.submissions {
                    submission.answer(&mut outcomes);
                }
            }
        });
        Self(sender)
    }
}

impl Writer {
    /// Runs until the queue is closed and empty, or the store can no longer be trusted.
    pub(crate) fn run(self, mut queue: mpsc::Receiver<Submission>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                (self.on_fatal)(&StorageError::Setup(format!("cannot start the writer: {error}")));
                return;
            }
        };
        runtime.block_on(async {
            // Room first, then requests: while the disk is behind, the next batch grows.
            while let Ok(room) = self.answering.0.reserve().await {
                let Some(submissions) = take(&mut queue, self.max_batch).await else { return };
                match self.decide(submissions, queue.len()).await {
                    Ok(decided) => room.send(decided),
                    Err(error) => {
                        queue.close();
                        (self.on_fatal)(&error);
                        return;
                    }
                }
            }
            queue.close();
        });
    }

    async fn decide(&self, submissions: Vec<Submission>, still_queued: usize) -> storage::Result<Decided> {
        let started = Instant::now();
        let (outcomes, durable) = self.decide_patiently(&submissions).await?;
        Ok(Decided { submissions, outcomes, durable, started, still_queued })
    }

    async fn decide_patiently(&self, waiting: &[Submission]) -> storage::Result<(Vec<Outcome>, Durable)> {
        let catalog = self.catalog.get();
        let mut attempt = 0;
        loop {
            let with =
                Deciding { catalog: &catalog, now: self.clock.now(), ids: &self.ids, secrets: &self.secrets };
            let requests = waiting.iter().flat_map(Submission::requests);
            match batch::run(&*self.store, requests, &with).await {
                Err(StorageError::Busy(_)) if attempt < BUSY_RETRIES => {
                    attempt += 1;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                done => return done,
            }
        }
    }
}

/// Waits for a request and takes what has come with it. `None` at the end.
async fn take(queue: &mut mpsc::Receiver<Submission>, max_batch: usize) -> Option<Vec<Submission>> {
    let first = queue.recv().await?;
    let mut size = first.requests().len();
    let mut taken = vec![first];
    while size < max_batch {
        let Ok(next) = queue.try_recv() else { break };
        size += next.requests().len();
        taken.push(next);
    }
    Some(taken)
}
