//! A database with its key ring, and the engine on them: what every command that moves value needs.

use std::{sync::Arc, time::Duration};

use engine::{Engine, EngineConfig, SystemClock, Writers};
use storage::{StorageError, Store};
use storage_sqlite::{Options, SqliteStore};
use vault::Vault;

use crate::{
    cli::Global,
    failure::{Failure, Result},
    key_source::KeySource,
};

/// The exit code when the database cannot be trusted any more (EX_SOFTWARE of sysexits).
pub(crate) const FATAL: i32 = 70;
/// How long the writer may take to end once nobody needs it.
const WRITER_PATIENCE: Duration = Duration::from_secs(10);

/// Opens the database as the one process that writes; makes it if there is none.
pub(crate) async fn open_alone(global: &Global) -> Result<SqliteStore> {
    open(global, Options::default()).await
}

/// Opens an existing database beside whoever else uses it.
pub(crate) async fn open_to_read(global: &Global) -> Result<SqliteStore> {
    open(global, Options { exclusive: false, ..Options::default() }).await
}

async fn open(global: &Global, options: Options) -> Result<SqliteStore> {
    let url = global.database().to_string();
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&url, options)).await?;
    Ok(opened?)
}

/// A database with its key ring.
pub(crate) struct Installation {
    pub(crate) store: SqliteStore,
    pub(crate) vault: Arc<Vault>,
}

impl Installation {
    /// Opens both as the one process that writes; makes them where there are none.
    pub(crate) async fn open(global: &Global) -> Result<Self> {
        let store = open_alone(global).await?;
        let keys = KeySource::of(global).open(&store).await?;
        Ok(Self { store, vault: Arc::new(Vault::new(keys)) })
    }

    /// Starts the engine.
    pub(crate) async fn start_engine(&self) -> Result<RunningEngine> {
        let store: Arc<dyn Store> = Arc::new(self.store.clone());
        let config = EngineConfig::new(Box::new(die));
        let clock = Arc::new(SystemClock::default());
        let started = Engine::start(store, Arc::clone(&self.vault), clock, config).await;
        let (engine, writer) = started.map_err(|error| match error {
            engine::SetupError::KeyMissing(_) => {
                Failure::from(error).while_doing("the key ring is another database's")
            }
            error => error.into(),
        })?;
        Ok(RunningEngine { engine, writer })
    }
}

/// An engine with its threads.
pub(crate) struct RunningEngine {
    pub(crate) engine: Engine,
    writer: Writers,
}

impl RunningEngine {
    /// Waits until what was submitted is decided and the writer has ended.
    pub(crate) async fn stop(self) -> Result {
        let Self { engine, writer } = self;
        drop(engine);
        let ended = tokio::task::spawn_blocking(move || writer.join());
        match tokio::time::timeout(WRITER_PATIENCE, ended).await {
            // Not ended: somebody still holds the engine, such as a request that outlived the time to
            // stop. All that was answered is stored.
            Ok(Ok(Ok(()))) | Err(_) => Ok(()),
            Ok(_) => Err(Failure::new("the writer ended badly")),
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
