//! A session of the pool: its statements, its bounded waits, and whether it may be used again.

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use storage::{Result, StorageError};
use tokio::{task::JoinHandle, time::timeout};
use tokio_postgres::{Client, Row, Statement, types::ToSql};

use crate::{
    connect::Opened,
    error::{IntoStorage, from_postgres},
};

/// A parameter of a statement.
pub(crate) type Param<'a> = &'a (dyn ToSql + Sync);

/// A statement of a pipeline, with its parameters.
pub(crate) struct Step<'a> {
    pub(crate) sql: &'a str,
    pub(crate) params: Vec<Param<'a>>,
}

impl<'a> Step<'a> {
    pub(crate) fn new(sql: &'a str, params: Vec<Param<'a>>) -> Self {
        Self { sql, params }
    }
}

/// A connection with what belongs to it.
pub(crate) struct Session {
    client: Client,
    warnings: Arc<AtomicU64>,
    task: JoinHandle<()>,
    statements: Mutex<HashMap<Box<str>, Statement>>,
    /// Whether it is in the middle of something: it is thrown away rather than lent again.
    dirty: AtomicBool,
    /// Whether an answer did not come in time: no other will, and asking for one costs as long again.
    silent: AtomicBool,
    patience: Duration,
    generation: u64,
}

impl Drop for Session {
    fn drop(&mut self) {
        // One that waits for an answer that never comes would keep its socket for ever.
        self.task.abort();
    }
}

impl Session {
    pub(crate) fn new(opened: Opened, patience: Duration, generation: u64) -> Self {
        let Opened { client, warnings, task, .. } = opened;
        Self {
            client,
            warnings,
            task,
            statements: Mutex::new(HashMap::new()),
            dirty: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            patience,
            generation,
        }
    }

    /// Whether it can be lent again.
    pub(crate) fn is_usable(&self) -> bool {
        !self.dirty.load(Ordering::Acquire) && !self.client.is_closed()
    }

    /// When it was opened, in the pool's counting.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether it has stopped answering.
    pub(crate) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Acquire)
    }

    /// Until [`Self::clean`], nobody else gets it.
    pub(crate) fn dirty(&self) {
        self.dirty.store(true, Ordering::Release);
    }

    /// It is as it was when it was lent.
    pub(crate) fn clean(&self) {
        self.dirty.store(false, Ordering::Release);
    }

    /// Warnings so far.
    pub(crate) fn warnings(&self) -> u64 {
        self.warnings.load(Ordering::Acquire)
    }

    /// For what has no place in a pipeline.
    pub(crate) fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Waits no longer than this session's patience.
    pub(crate) async fn bounded<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        if let Ok(done) = timeout(self.patience, work).await {
            return Ok(done);
        }
        self.dirty();
        self.silent.store(true, Ordering::Release);
        metrics::counter!("hexiao_storage_unavailable_total").increment(1);
        Err(StorageError::Unavailable(format!("no answer within {} ms", self.patience.as_millis())))
    }

    fn known(&self, sql: &str) -> Option<Statement> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned()
    }

    /// Prepares what is not yet prepared, all in one round trip.
    pub(crate) async fn prepare_all(&self, texts: impl IntoIterator<Item = &str>) -> Result<()> {
        let mut missing: Vec<&str> = texts.into_iter().filter(|sql| self.known(sql).is_none()).collect();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        let made = join_all(missing.iter().map(|sql| self.client.prepare(sql)));
        for (sql, made) in missing.iter().zip(self.bounded(made).await?) {
            let statement = made.stored()?;
            self.statements.lock().unwrap_or_else(PoisonError::into_inner).insert((*sql).into(), statement);
        }
        Ok(())
    }

    /// Sends all statements at once and returns the answers in their order. The first that fails fails the
    /// pipeline, by its position.
    pub(crate) async fn pipeline(&self, steps: &[Step<'_>]) -> std::result::Result<Vec<Vec<Row>>, Failed> {
        let whole = |error| Failed { position: None, error };
        self.prepare_all(steps.iter().map(|step| step.sql)).await.map_err(whole)?;
        let mut statements = Vec::with_capacity(steps.len());
        for step in steps {
            let known = self.known(step.sql);
            statements
                .push(known.ok_or_else(|| whole(StorageError::Fatal("a statement vanished".to_owned())))?);
        }
        // Each is sent when it is first polled, and they are polled in order.
        let sent =
            statements.iter().zip(steps).map(|(statement, step)| self.client.query(statement, &step.params));
        let answers = self.bounded(join_all(sent)).await.map_err(whole)?;
        let mut found = Vec::with_capacity(answers.len());
        for (position, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(rows) => found.push(rows),
                Err(error) => {
                    let constraint = error.as_db_error().and_then(|db| db.constraint()).map(str::to_owned);
                    let error = from_postgres(&error);
                    return Err(Failed { position: Some(Position { at: position, constraint }), error });
                }
            }
        }
        Ok(found)
    }
}

/// Why a pipeline failed, and at which statement.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) position: Option<Position>,
    pub(crate) error: StorageError,
}

/// The statement that failed, and the constraint that it violated.
#[derive(Debug)]
pub(crate) struct Position {
    pub(crate) at: usize,
    pub(crate) constraint: Option<String>,
}

impl From<Failed> for StorageError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}
