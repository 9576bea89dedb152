//! A database with its key ring, and the engine on them: what every command that moves value needs.

use std::{path::Path, sync::Arc, time::Duration};

use domain::Timestamp;
use engine::{Clock, Engine, EngineConfig, IdSource, Membership, Node, NodeConfig, Writers};
use storage::{StorageError, Store};
use vault::Vault;

use crate::{
    cli::Global,
    database::{Database, Purpose},
    failure::{Failure, Result},
    key_source::KeySource,
};

/// The exit code when the database cannot be trusted any more (EX_SOFTWARE of sysexits).
pub(crate) const FATAL: i32 = 70;
/// The exit code of a node that was cut off from the database for longer than its lease (EX_TEMPFAIL).
pub(crate) const CUT_OFF: i32 = 75;
/// What is lost at most, in time, when the disk is.
const ARCHIVE_EVERY: Duration = Duration::from_millis(500);
/// How long the writers may take to end once nobody needs them.
const WRITER_PATIENCE: Duration = Duration::from_secs(10);
/// How long the database may take to take a node's number back.
const LEAVE_PATIENCE: Duration = Duration::from_secs(3);

/// Opens the database to write; makes it if there is none.
pub(crate) async fn open_to_write(global: &Global) -> Result<Database> {
    Database::open(global, Purpose::Write).await
}

/// Opens an existing database beside whoever else uses it.
pub(crate) async fn open_to_read(global: &Global) -> Result<Arc<dyn Store>> {
    Ok(Database::open(global, Purpose::Read).await?.store())
}

/// A database with its key ring.
pub(crate) struct Installation {
    database: Database,
    vault: Arc<Vault>,
}

impl Installation {
    /// Opens both to write; makes them where there are none.
    pub(crate) async fn open(global: &Global) -> Result<Self> {
        let database = open_to_write(global).await?;
        let keys = KeySource::of(global).open(&*database.store()).await?;
        Ok(Self { database, vault: Arc::new(Vault::new(keys)) })
    }

    /// Archives a database in a file from now on.
    pub(crate) async fn archive_to(&self, folder: &Path) -> Result {
        let instead = "archive its write-ahead log with PostgreSQL's own means (docs/operations.md)";
        let store = self.database.file("--archive", instead)?;
        store.archive_to(folder, ARCHIVE_EVERY).await.map_err(Failure::from)
    }

    /// Becomes a node of the database and starts the engine.
    pub(crate) async fn start_engine(&self) -> Result<RunningEngine> {
        self.start_engine_with(EngineConfig::new(Box::new(die))).await
    }

    /// Whether nobody has put anything into the database yet.
    pub(crate) async fn is_new(&self) -> Result<bool> {
        let store = self.database.store();
        Ok(store.load_catalog().await?.issuers.is_empty() && store.newest_operation().await?.is_none())
    }

    /// Starts the engine on a clock that is moved by hand, to give a new database a past. Its ids carry moments of
    /// which no node was ever given a lease, so nobody else has them; ids of the present go on after them.
    pub(crate) async fn start_engine_in_the_past(&self, clock: Arc<dyn Clock>) -> Result<RunningEngine> {
        let store = self.database.store();
        let node = join(&store).await?;
        let ids = Arc::new(IdSource::new(node.membership().lease().node, 0));
        let config = EngineConfig { ids: Some(ids), ..EngineConfig::new(Box::new(die)) };
        match Engine::start(store, Arc::clone(&self.vault), clock, config).await {
            Ok((engine, writers)) => {
                Ok(RunningEngine { engine, writers, node, is_shared: self.database.is_shared() })
            }
            Err(error) => {
                leave(node).await;
                Err(error.into())
            }
        }
    }

    /// The same with other limits.
    pub(crate) async fn start_engine_with(&self, config: EngineConfig) -> Result<RunningEngine> {
        let store = self.database.store();
        let node = join(&store).await?;
        let config = EngineConfig { ids: Some(node.ids()), ..config };
        let started = Engine::start(store, Arc::clone(&self.vault), node.clock(), config).await;
        let (engine, writers) = match started {
            Ok(started) => started,
            Err(error) => {
                leave(node).await;
                let foreign = matches!(error, engine::SetupError::KeyMissing(_));
                let failure = Failure::from(error);
                let why = "the key ring is another database's";
                return Err(if foreign { failure.while_doing(why) } else { failure });
            }
        };
        if self.database.is_shared() {
            engine.follow_catalog();
        }
        Ok(RunningEngine { engine, writers, node, is_shared: self.database.is_shared() })
    }
}

/// Takes part in the database as one of its nodes.
pub(crate) async fn join(store: &Arc<dyn Store>) -> Result<Node> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name = format!("{host} {}", std::process::id());
    Ok(Node::join(Arc::clone(store), NodeConfig::new(name, Box::new(cut_off))).await?)
}

/// Gives the node's number back. Where that fails it runs out by itself.
pub(crate) async fn leave(node: Node) {
    match tokio::time::timeout(LEAVE_PATIENCE, node.leave()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the node's number was not given back; its lease runs out"),
        Err(_) => tracing::warn!("the node's number was not given back in time; its lease runs out"),
    }
}

/// An engine with its threads, and the node that it is.
pub(crate) struct RunningEngine {
    pub(crate) engine: Engine,
    writers: Writers,
    node: Node,
    is_shared: bool,
}

impl RunningEngine {
    /// The present, as the database's nodes go by, whatever the engine's own clock shows.
    pub(crate) fn present(&self) -> Timestamp {
        self.node.clock().now()
    }

    /// What the node is among others. None where there cannot be others.
    pub(crate) fn membership(&self) -> Option<Membership> {
        self.is_shared.then(|| self.node.membership())
    }

    /// Waits until what was submitted is decided and the writers have ended, and gives the node's number
    /// back.
    pub(crate) async fn stop(self) -> Result {
        let Self { engine, writers, node, .. } = self;
        drop(engine);
        let ended = tokio::task::spawn_blocking(move || writers.join());
        let ended = tokio::time::timeout(WRITER_PATIENCE, ended).await;
        leave(node).await;
        match ended {
            // Not ended: somebody still holds the engine, such as a request that outlived the time to
            // stop. All that was answered is stored.
            Ok(Ok(Ok(()))) | Err(_) => Ok(()),
            Ok(_) => Err(Failure::new("a writer ended badly")),
        }
    }
}

/// Ends the process at once. What was not answered may or may not be stored; answering now, in either
/// way, could be a lie (decision 0008).
pub(crate) fn die(error: &StorageError) {
    tracing::error!(%error, "stopping without answering what is in progress");
    eprintln!("hexiao: {error}; stopped without answering what was in progress");
    std::process::exit(FATAL);
}

/// Ends the process because it cannot know any more which ids are its own.
fn cut_off() {
    tracing::error!("cut off from the database for longer than the node's lease lasts; stopping");
    eprintln!("hexiao: cut off from the database for longer than the node's lease lasts; stopped");
    std::process::exit(CUT_OFF);
}
