//! The engine as the rest of the system sees it.

use std::sync::Arc;

use domain::{
    Catalog, Command, Fingerprint, IdempotencyKey, Operation, Posting, Refusal, Request, Timestamp,
    command::{Actor, Canonical},
};
use storage::{CatalogEntry, StorageError, Store};
use tokio::sync::{mpsc, oneshot};
use vault::Vault;

use crate::{
    catalog_cache::{self, CatalogCache, CatalogError},
    clock::Clock,
    id_source::IdSource,
    meter,
    secrets::VaultSecrets,
    writer::{Answering, OnFatal, Queue, Submission, Writer},
};

/// An operation as the answer to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The operation.
    pub operation: Arc<Operation>,
    /// Whether it was decided by an earlier request with the same key.
    pub replayed: bool,
}

/// What becomes of one request of a batch.
pub type Outcome = Result<Answer, Refusal>;

/// Why a request was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The queue is full.
    #[error("too many requests are waiting; send it again in a second")]
    QueueFull,
    /// More requests than one submission may have.
    #[error("a submission has 1 to {} requests", EngineConfig::MAX_SUBMISSION)]
    TooMany,
    /// The engine has stopped, or its database could not be reached. Whether the request is stored is not
    /// known; the same key will tell.
    #[error("no answer from the database; send the request again with the same key")]
    Stopped,
}

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A key that stored data needs is missing.
    #[error("the key ring lacks key {0}, which stored data needs; start with the key ring that has it")]
    KeyMissing(u8),
    /// The thread could not be started.
    #[error("cannot start the writer thread: {0}")]
    Thread(std::io::Error),
}

/// How the engine runs.
pub struct EngineConfig {
    /// This node's number, 0 to 1023; different on every node of a database.
    pub node: u16,
    /// Ids of a leased number, instead of `node`: what keeps the ids of several processes apart.
    pub ids: Option<Arc<IdSource>>,
    /// The most submissions that wait.
    pub queue: usize,
    /// About how many requests are decided in one transaction at most.
    pub max_batch: usize,
    /// Called when the store can no longer be trusted. Should end the process.
    pub on_fatal: Box<dyn Fn(&StorageError) + Send + Sync>,
}

impl EngineConfig {
    /// The most requests that are sent together.
    pub const MAX_SUBMISSION: usize = 1000;

    /// Usual limits; `on_fatal` ends the process.
    pub fn new(on_fatal: Box<dyn Fn(&StorageError) + Send + Sync>) -> Self {
        Self { node: 0, ids: None, queue: 4096, max_batch: 1024, on_fatal }
    }
}

/// What a caller wants, before it has a fingerprint.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Who asks.
    pub actor: Actor,
    /// What names the operation, for ever.
    pub key: IdempotencyKey,
    /// What makes two requests the same: route and body in canonical form.
    pub canonical: Box<[u8]>,
    /// What is asked.
    pub command: Command,
    /// The terminal's own number of the transaction.
    pub trace: Option<u32>,
    /// The caller's own reference.
    pub reference: Option<String>,
    /// The caller's own data, JSON text.
    pub metadata: Option<String>,
}

impl Intent {
    /// A posting. Its canonical form follows from it, so that a second run of the same job replays.
    pub fn post(actor: Actor, key: IdempotencyKey, posting: Posting, reference: Option<String>) -> Self {
        Self {
            actor,
            key,
            canonical: posting.canonical(),
            command: Command::Post(posting),
            trace: None,
            reference,
            metadata: None,
        }
    }
}

/// The threads that decide.
#[derive(Debug)]
pub struct Writers(Vec<std::thread::JoinHandle<()>>);

impl Writers {
    /// Waits until all have ended, which they do when the last clone of their engine is dropped. An error
    /// if one panicked.
    pub fn join(self) -> std::thread::Result<()> {
        self.0.into_iter().try_for_each(std::thread::JoinHandle::join)
    }
}

/// A running engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    queue: mpsc::Sender<Submission>,
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn Store>,
    catalog: Arc<CatalogCache>,
    clock: Arc<dyn Clock>,
    ids: Arc<IdSource>,
    vault: Arc<Vault>,
}

impl Engine {
    /// Loads the catalog, checks that the key ring has every key in use, and starts the writers' threads.
    /// They end when the last clone of the engine is dropped.
    pub async fn start(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        config: EngineConfig,
    ) -> Result<(Self, Writers), SetupError> {
        let (engine, writers) = Self::assemble(store, vault, clock, config).await?;
        let mut threads = Vec::with_capacity(writers.len());
        for (number, writer) in writers.into_iter().enumerate() {
            let thread = std::thread::Builder::new().name(format!("writer-{number}"));
            threads.push(thread.spawn(move || writer.run()).map_err(SetupError::Thread)?);
        }
        Ok((engine, Writers(threads)))
    }

    /// What [`Engine::start`] does, without the threads: nothing is decided until the caller has the
    /// writers work.
    pub async fn assemble(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        config: EngineConfig,
    ) -> Result<(Self, Vec<Writer>), SetupError> {
        meter::describe();
        let have: Vec<u8> = vault.keys().key_ids().collect();
        if let Some(missing) = store.key_ids_in_use().await?.into_iter().find(|id| !have.contains(id)) {
            return Err(SetupError::KeyMissing(missing));
        }
        let catalog = Arc::new(CatalogCache::new(store.load_catalog().await?));
        let newest = store.newest_operation().await?.map_or(0, domain::OperationId::get);
        let ids = config.ids.unwrap_or_else(|| Arc::new(IdSource::new(config.node, 0)));
        ids.go_on_after(newest);
        let (queue, waiting) = mpsc::channel(config.queue.max(1));
        let on_fatal: OnFatal = Arc::from(config.on_fatal);
        let waiting: Queue = Arc::new(tokio::sync::Mutex::new(waiting));
        let writer = |_| Writer {
            queue: Arc::clone(&waiting),
            store: Arc::clone(&store),
            catalog: Arc::clone(&catalog),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
            secrets: VaultSecrets(Arc::clone(&vault)),
            max_batch: config.max_batch.max(1),
            answering: Answering::start(Arc::clone(&on_fatal)),
            on_fatal: Arc::clone(&on_fatal),
        };
        let writers = (0..store.writers().max(1)).map(writer).collect();
        let shared = Arc::new(Shared { store, catalog, clock, ids, vault });
        Ok((Self { queue, shared }, writers))
    }

    /// Has one request decided. Answers after the commit.
    pub async fn submit(&self, intent: Intent) -> Result<Outcome, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.send(Submission::One(Box::new(self.request(intent)), reply))?;
        answer.await.map_err(|_| SubmitError::Stopped)
    }

    /// Has several requests decided in order; each has its own outcome.
    pub async fn submit_many(&self, intents: Vec<Intent>) -> Result<Vec<Outcome>, SubmitError> {
        if intents.is_empty() || intents.len() > EngineConfig::MAX_SUBMISSION {
            return Err(SubmitError::TooMany);
        }
        let requests = intents.into_iter().map(|intent| self.request(intent)).collect();
        let (reply, answer) = oneshot::channel();
        self.send(Submission::Many(requests, reply))?;
        answer.await.map_err(|_| SubmitError::Stopped)
    }

    fn send(&self, submission: Submission) -> Result<(), SubmitError> {
        self.queue.try_send(submission).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::QueueFull,
            mpsc::error::TrySendError::Closed(_) => SubmitError::Stopped,
        })
    }

    fn request(&self, intent: Intent) -> Request {
        let (key_id, bytes) = self.shared.vault.fingerprint(&intent.canonical);
        Request {
            actor: intent.actor,
            key: intent.key,
            fingerprint: Fingerprint { key_id, bytes },
            canonical: Canonical(intent.canonical),
            command: intent.command,
            trace: intent.trace,
            reference: intent.reference,
            metadata: intent.metadata,
        }
    }

    /// Whether the writer still takes requests.
    pub fn is_running(&self) -> bool {
        !self.queue.is_closed()
    }

    /// Keeps the catalog as the database has it, whoever changes it, for as long as there is an engine. Not
    /// done by itself, so that a simulation decides what runs.
    pub fn follow_catalog(&self) {
        let cache = Arc::downgrade(&self.shared.catalog);
        tokio::spawn(catalog_cache::follow(cache, Arc::clone(&self.shared.store)));
    }

    /// The catalog as it is now.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.shared.catalog.get()
    }

    /// Stores an entry of the catalog (version 1 adds it, a later version replaces the one before).
    pub async fn put_catalog(&self, entry: CatalogEntry) -> Result<(), CatalogError> {
        self.shared.catalog.put(&*self.shared.store, entry).await
    }

    /// The store, for reading.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }

    /// The vault.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.shared.vault
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// A new id, for entries of the catalog, batches and cards.
    pub fn next_id(&self) -> i64 {
        self.shared.ids.next(self.now())
    }
}
