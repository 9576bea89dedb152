//! The thread that takes requests from the queue and answers them.

use std::{sync::Arc, time::Duration};

use domain::Request;
use storage::{Durable, StorageError, Store};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use crate::{
    batch::{self, Attempts, Deciding},
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

/// A writer's parts. Where the store can decide several batches at once, several writers take from one
/// queue. Does nothing before [`Writer::work`].
pub struct Writer {
    pub(crate) queue: Queue,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) catalog: Arc<CatalogCache>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<IdSource>,
    pub(crate) secrets: VaultSecrets,
    pub(crate) max_batch: usize,
    pub(crate) on_fatal: OnFatal,
    pub(crate) answering: Answering,
}

/// Where requests wait, for whichever writer is free.
pub(crate) type Queue = Arc<tokio::sync::Mutex<mpsc::Receiver<Submission>>>;

/// How long a batch is tried again while the database cannot be reached, or another writer is in the way.
/// Longer than a fail-over takes, shorter than callers wait.
const PATIENCE: Duration = Duration::from_secs(20);
/// The pause before the second attempt; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
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
    pub(crate) fn run(self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        match runtime {
            Ok(runtime) => runtime.block_on(self.work()),
            Err(error) => {
                (self.on_fatal)(&StorageError::Setup(format!("cannot start the writer: {error}")));
            }
        }
    }

    /// Runs until the queue is closed and empty, or the store can no longer be trusted. On the caller's
    /// runtime, so that a simulation can own the time and the order in which tasks run.
    pub async fn work(self) {
        let queue = &self.queue;
        // Room first, then requests: while the disk is behind, the next batch grows.
        while let Ok(room) = self.answering.0.reserve().await {
            let Some((submissions, still_queued)) = take(queue, self.max_batch).await else { return };
            match self.decide(submissions, still_queued).await {
                Ok(Some(decided)) => room.send(decided),
                Ok(None) => {}
                Err(error) => {
                    queue.lock().await.close();
                    (self.on_fatal)(&error);
                    return;
                }
            }
        }
        queue.lock().await.close();
    }

    /// Decides and commits. `None` if the database could not be reached in time: then nobody is answered,
    /// and callers learn that the outcome is not known.
    async fn decide(
        &self,
        submissions: Vec<Submission>,
        still_queued: usize,
    ) -> storage::Result<Option<Decided>> {
        let started = Instant::now();
        match self.decide_patiently(&submissions).await {
            Ok((outcomes, durable)) => {
                Ok(Some(Decided { submissions, outcomes, durable, started, still_queued }))
            }
            Err(error) if error.may_pass() => {
                tracing::error!(%error, requests = submissions.len(), "gave up on a batch");
                meter::given_up(submissions.len());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Tries until the batch is committed, or known to be committed by an attempt whose answer was lost.
    /// A later attempt finds what an earlier one stored under its keys.
    async fn decide_patiently(&self, waiting: &[Submission]) -> storage::Result<(Vec<Outcome>, Durable)> {
        let requests = || waiting.iter().flat_map(Submission::requests);
        let mut attempts = Attempts::default();
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let catalog = self.catalog.get();
            let with =
                Deciding { catalog: &catalog, now: self.clock.now(), ids: &self.ids, secrets: &self.secrets };
            match batch::run(&*self.store, requests(), &with, &mut attempts).await {
                Err(error) if error.may_pass() && started.elapsed() < PATIENCE => {
                    meter::tried_again(&error);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                done => return done,
            }
        }
    }
}

/// Waits for a request and takes what has come with it. `None` at the end.
async fn take(queue: &Queue, max_batch: usize) -> Option<(Vec<Submission>, usize)> {
    let mut queue = queue.lock().await;
    let first = queue.recv().await?;
    let mut size = first.requests().len();
    let mut taken = vec![first];
    while size < max_batch {
        let Ok(next) = queue.try_recv() else { break };
        size += next.requests().len();
        taken.push(next);
    }
    Some((taken, queue.len()))
}
