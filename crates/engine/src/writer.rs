//! The thread that takes requests from the queue and answers them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::Request;
use storage::{StorageError, Store};
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

/// The writer's parts.
pub(crate) struct Writer {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) catalog: Arc<CatalogCache>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<IdSource>,
    pub(crate) secrets: VaultSecrets,
    pub(crate) max_batch: usize,
    pub(crate) on_fatal: Box<dyn Fn(&StorageError) + Send>,
}

/// How often a batch is tried again when another writer was in the way.
const BUSY_RETRIES: u32 = 20;

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
            let mut waiting = Vec::new();
            while let Some(first) = queue.recv().await {
                let mut size = first.requests().len();
                waiting.push(first);
                while size < self.max_batch {
                    let Ok(next) = queue.try_recv() else { break };
                    size += next.requests().len();
                    waiting.push(next);
                }
                if let Err(error) = self.answer(&mut waiting, queue.len()).await {
                    // Nothing of this batch is answered: whether it is stored is not known.
                    queue.close();
                    (self.on_fatal)(&error);
                    return;
                }
            }
        });
    }

    async fn answer(&self, waiting: &mut Vec<Submission>, still_queued: usize) -> storage::Result<()> {
        let started = Instant::now();
        let outcomes = self.decide(waiting).await?;
        meter::batch(&outcomes, still_queued, started.elapsed());
        let mut outcomes = outcomes.into_iter();
        for submission in waiting.drain(..) {
            submission.answer(&mut outcomes);
        }
        Ok(())
    }

    async fn decide(&self, waiting: &[Submission]) -> storage::Result<Vec<Outcome>> {
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
