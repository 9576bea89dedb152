//! Pools of sessions. New ones are opened on the runtime that opened the store, because whoever asks for
//! one may run where there is no network.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use deadpool::{
    Runtime,
    managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult},
};
use storage::{Result, StorageError};
use tokio::runtime::Handle;

use crate::{Options, address::Address, connect::Purpose, session::Session};

/// Opens sessions of one purpose.
pub(crate) struct Opener {
    address: Arc<Address>,
    purpose: Purpose,
    options: Options,
    runtime: Handle,
    /// Statements that every new session prepares before its first use.
    statements: Vec<String>,
    /// Sessions that were opened before this last grew are not lent again.
    generation: AtomicU64,
}

/// A session on loan.
pub(crate) type Lent = Object<Opener>;

impl managed::Manager for Opener {
    type Type = Session;
    type Error = StorageError;

    async fn create(&self) -> Result<Session> {
        let (address, options, purpose) = (Arc::clone(&self.address), self.options.clone(), self.purpose);
        let (statements, generation) = (self.statements.clone(), self.generation.load(Ordering::Acquire));
        let patience = if purpose == Purpose::Write { options.write_timeout } else { options.read_timeout };
        let opening = self.runtime.spawn(async move {
            let session = Session::new(address.open(purpose, &options).await?, patience, generation);
            session.prepare_all(statements.iter().map(String::as_str)).await?;
            Ok(session)
        });
        opening.await.unwrap_or_else(|_| Err(StorageError::Unavailable("the program is ending".to_owned())))
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<StorageError> {
        if session.is_usable() && session.generation() == self.generation.load(Ordering::Acquire) {
            Ok(())
        } else {
            Err(RecycleError::message("it was left in the middle of something, or is closed"))
        }
    }
}

/// A bounded number of sessions.
#[derive(Clone)]
pub(crate) struct Pool {
    sessions: managed::Pool<Opener>,
}

impl Pool {
    pub(crate) fn new(
        address: &Arc<Address>,
        purpose: Purpose,
        options: &Options,
        statements: Vec<String>,
    ) -> Result<Self> {
        let size = if purpose == Purpose::Write { options.writers } else { options.readers };
        let wait = if purpose == Purpose::Write { options.write_timeout } else { options.read_timeout };
        let opener = Opener {
            address: Arc::clone(address),
            purpose,
            options: options.clone(),
            runtime: Handle::current(),
            statements,
            generation: AtomicU64::new(0),
        };
        let sessions = managed::Pool::builder(opener)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(wait))
            // Opening bounds itself; this is for a runtime that has no time for it.
            .create_timeout(Some(options.connect_timeout + Duration::from_secs(2)))
            .build()
            .map_err(|error| StorageError::Setup(error.to_string()))?;
        Ok(Self { sessions })
    }

    /// Lends a session.
    pub(crate) async fn get(&self) -> Result<Lent> {
        self.sessions.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(managed::TimeoutType::Wait) => {
                StorageError::Busy("all connections to the database are in use".to_owned())
            }
            other => StorageError::Unavailable(other.to_string()),
        })
    }

    /// Lends none of the sessions that there are again: one of them was found to lead to a database that is
    /// gone, or no longer the leader.
    pub(crate) fn forget(&self) {
        self.sessions.manager().generation.fetch_add(1, Ordering::AcqRel);
        self.sessions.retain(|_, _| false);
    }
}
