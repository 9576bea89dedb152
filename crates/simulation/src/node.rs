//! A node: the real engine, connected to the simulated database, that can die at any moment.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use engine::{Clock, Engine, EngineConfig, SetupError};
use storage::StorageError;
use tokio::{sync::mpsc, task::JoinHandle};
use vault::Vault;

use crate::{
    database::{Connection, Database},
    environment::{Environment, NodeClock},
    planted::{self, Bug},
};

/// An engine that said that it cannot go on.
pub(crate) struct Stopped {
    pub(crate) node: usize,
    pub(crate) process: Arc<AtomicBool>,
    pub(crate) why: String,
}

/// One life of a node.
struct Process {
    engine: Engine,
    alive: Arc<AtomicBool>,
    writers: Vec<JoinHandle<()>>,
}

/// A node.
pub(crate) struct Node {
    number: usize,
    environment: Arc<Environment>,
    database: Arc<Database>,
    vault: Arc<Vault>,
    stopped: mpsc::UnboundedSender<Stopped>,
    process: RefCell<Option<Process>>,
    starts: RefCell<u16>,
    pub(crate) is_cut_off: RefCell<bool>,
}

impl Node {
    pub(crate) fn new(
        number: usize,
        environment: &Arc<Environment>,
        database: &Arc<Database>,
        vault: &Arc<Vault>,
        stopped: &mpsc::UnboundedSender<Stopped>,
    ) -> Rc<Self> {
        Rc::new(Self {
            number,
            environment: Arc::clone(environment),
            database: Arc::clone(database),
            vault: Arc::clone(vault),
            stopped: stopped.clone(),
            process: RefCell::new(None),
            starts: RefCell::new(0),
            is_cut_off: RefCell::new(false),
        })
    }

    /// The engine, while the node lives.
    pub(crate) fn engine(&self) -> Option<Engine> {
        self.process.borrow().as_ref().map(|process| process.engine.clone())
    }

    /// Whether this is the node's present life.
    pub(crate) fn is_living(&self, process: &Arc<AtomicBool>) -> bool {
        self.process.borrow().as_ref().is_some_and(|now| Arc::ptr_eq(&now.alive, process))
    }

    /// Ends the process at once: its memory, queue and connections are gone.
    pub(crate) fn kill(&self) {
        let Some(process) = self.process.borrow_mut().take() else { return };
        process.alive.store(false, Ordering::Relaxed);
        for writer in process.writers {
            writer.abort();
        }
        self.environment.note("a node ends", i64::try_from(self.number).unwrap_or(0), 0);
    }

    /// Starts a new process, as soon as the database lets it.
    pub(crate) async fn start(&self) {
        loop {
            match self.try_start().await {
                Ok(process) => {
                    *self.process.borrow_mut() = Some(process);
                    self.environment.note("a node starts", i64::try_from(self.number).unwrap_or(0), 0);
                    return;
                }
                Err(SetupError::Storage(error)) if error.may_pass() => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => {
                    self.environment.violation(format!("a node does not start: {error}"));
                    return;
                }
            }
        }
    }

    async fn try_start(&self) -> Result<Process, SetupError> {
        let alive = Arc::new(AtomicBool::new(true));
        self.database.open();
        let connection = Connection { database: Arc::clone(&self.database), process: Arc::clone(&alive) };
        let store = Arc::new(connection);
        let (vault, clock) = (Arc::clone(&self.vault), self.clock());
        let config = self.config(&alive);
        let (engine, writers) = Engine::assemble(store, vault, clock, config).await?;
        let writers = writers.into_iter().map(|writer| tokio::task::spawn_local(writer.work())).collect();
        Ok(Process { engine, alive, writers })
    }

    fn clock(&self) -> Arc<dyn Clock> {
        let most = i64::from(self.environment.profile.faults.skew) * 1000;
        let skew_micros = self.environment.random().between(-most, most);
        let environment = Arc::clone(&self.environment);
        Arc::new(NodeClock { environment, skew_micros, latest: AtomicI64::new(0) })
    }

    fn config(&self, alive: &Arc<AtomicBool>) -> EngineConfig {
        let (stopped, node, process) = (self.stopped.clone(), self.number, Arc::clone(alive));
        let mut config = EngineConfig::new(Box::new(move |error: &StorageError| {
            let (process, why) = (Arc::clone(&process), error.to_string());
            let _ = stopped.send(Stopped { node, process, why });
        }));
        // A number that nobody else has, nor had: as leases give them out.
        let start = {
            let mut starts = self.starts.borrow_mut();
            *starts += 1;
            *starts
        };
        let own = u16::try_from(self.number).unwrap_or(0) * 256 + start % 256;
        config.node = if planted::is(Bug::NodeNumberShared) { 0 } else { own };
        config.max_batch = self.environment.profile.max_batch;
        config
    }
}
