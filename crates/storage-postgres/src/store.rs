//! The store: how it is opened, what its parts share, and the two ways to run statements beside the write
//! path: reading on one snapshot, and writing a little.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use domain::IssuerId;
use storage::{Result, StorageError};
use tokio::runtime::Handle;
use tokio_postgres::Row;

use crate::{
    Options,
    address::Address,
    catalog::Watch,
    connect::{Purpose, STEADY_PLANS},
    error::{self, IntoStorage, after_commit_was_sent, in_doubt},
    migrate,
    pool::{Lent, Pool},
    session::{Param, Session, Step},
    transaction,
};

/// A database on a PostgreSQL server, or on the leader of several. Cloning shares it.
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) inner: Arc<Inner>,
}

/// What all parts of the store share.
pub(crate) struct Inner {
    pub(crate) writers: Pool,
    pub(crate) readers: Pool,
    pub(crate) writer_count: usize,
    pub(crate) runtime: Handle,
    /// The next batch begins alone, because one that found a reversal without its original has to.
    pub(crate) next_alone: AtomicBool,
    pub(crate) catalog: Watch,
    shown: String,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").field("database", &self.inner.shown).finish_non_exhaustive()
    }
}

/// Whose rows a transaction sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Where a port names no issuer.
    All,
    One(IssuerId),
}

impl Scope {
    /// As the policies of the schema read it.
    pub(crate) fn setting(self) -> String {
        match self {
            Self::All => "*".to_owned(),
            Self::One(issuer) => issuer.get().to_string(),
        }
    }
}

pub(crate) const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
pub(crate) const COMMIT: &str = "COMMIT";
pub(crate) const SET_SCOPE: &str = "SELECT set_config('hexiao.issuer', $1, true)";
const SET_HERE: &str = "SELECT set_config(name, value, true) \
     FROM unnest($1::text[], $2::text[]) AS setting (name, value)";

impl PostgresStore {
    /// Opens a database, and makes or migrates it where `options` allow that.
    ///
    /// `url` is what the program runs with: `postgres://user:password@host:5432/database`, or several hosts
    /// of which the leader is found. Its user needs to be a member of the role `hexiao_app`, and should be
    /// nothing more; `options.owner_url` then says who makes and migrates the schema. Where one address does
    /// both, every session of the pool still takes the role `hexiao_app`, so that its grants and policies
    /// hold.
    pub async fn connect(url: &str, options: Options) -> Result<Self> {
        options.check()?;
        error::describe();
        let address = Arc::new(Address::parse(url, &options)?);
        migrate::run(&address, &options).await?;
        let writers = Pool::new(&address, Purpose::Write, &options, transaction::statements())?;
        let readers = Pool::new(&address, Purpose::Read, &options, Vec::new())?;
        // What is wrong with the address, the role or the settings is said now.
        let first = tokio::join!(writers.get(), readers.get());
        drop((first.0?, first.1?));
        let catalog = Watch::start(Arc::clone(&address), options.clone());
        let inner = Inner {
            writers,
            readers,
            writer_count: options.writers,
            runtime: Handle::current(),
            next_alone: AtomicBool::new(false),
            catalog,
            shown: address.shown().to_owned(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// One statement on a snapshot, in one round trip. Asked again once if the session led nowhere: its
    /// server may have been restarted, or is no longer the leader.
    pub(crate) async fn one(&self, scope: Scope, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        match self.try_one(scope, sql, params).await {
            Err(StorageError::Unavailable(_)) => self.try_one(scope, sql, params).await,
            done => done,
        }
    }

    async fn try_one(&self, scope: Scope, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        let session = self.inner.reader().await?;
        session.dirty();
        let setting = scope.setting();
        let steps = [
            Step::new(BEGIN_READ, vec![]),
            Step::new(SET_SCOPE, vec![&setting]),
            Step::new(sql, params.to_vec()),
            Step::new(COMMIT, vec![]),
        ];
        match session.pipeline(&steps).await {
            Ok(mut answers) => {
                session.clean();
                Ok(answers.swap_remove(2))
            }
            Err(failed) => self.inner.note(Err(failed.error)),
        }
    }

    /// Several reads on one snapshot.
    pub(crate) async fn reading(&self, scope: Scope) -> Result<Reading> {
        let session = self.inner.reader().await?;
        session.dirty();
        let setting = scope.setting();
        let steps = [Step::new(BEGIN_READ, vec![]), Step::new(SET_SCOPE, vec![&setting])];
        let begun = session.pipeline(&steps).await.map_err(|failed| failed.error);
        self.inner.note(begun)?;
        Ok(Reading { inner: Arc::clone(&self.inner), session })
    }

    /// A small transaction that writes.
    pub(crate) async fn writing(&self, scope: Scope) -> Result<Writing> {
        let session = self.inner.reader().await?;
        session.dirty();
        let setting = scope.setting();
        let steps = [Step::new(BEGIN, vec![]), Step::new(SET_SCOPE, vec![&setting])];
        let begun = session.pipeline(&steps).await.map_err(|failed| failed.error);
        self.inner.note(begun)?;
        Ok(Writing { inner: Arc::clone(&self.inner), session })
    }
}

impl Inner {
    pub(crate) async fn reader(&self) -> Result<Lent> {
        let found = self.readers.get().await;
        self.note(found)
    }

    /// Passes a result on. Once a session has led nowhere, those that lie idle are not trusted either.
    pub(crate) fn note<T>(&self, result: Result<T>) -> Result<T> {
        if matches!(&result, Err(StorageError::Unavailable(_) | StorageError::InDoubt(_))) {
            self.writers.forget();
            self.readers.forget();
        }
        result
    }

    /// Whether the next batch has to begin alone. Only one is told so.
    pub(crate) fn take_next_alone(&self) -> bool {
        self.next_alone.load(Ordering::Acquire) && self.next_alone.swap(false, Ordering::AcqRel)
    }
}

/// Reads on one snapshot.
pub(crate) struct Reading {
    inner: Arc<Inner>,
    session: Lent,
}

impl Reading {
    pub(crate) async fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        let answers = self.session.pipeline(&[Step::new(sql, params.to_vec())]).await;
        let answers = self.inner.note(answers.map_err(|failed| failed.error))?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    /// Until it ends, plans are as the write path's: for what follows the log.
    pub(crate) async fn steady(&self) -> Result<()> {
        let (names, values): (Vec<&str>, Vec<&str>) = STEADY_PLANS.into_iter().unzip();
        self.query(SET_HERE, &[&names, &values]).await.map(drop)
    }

    /// Gives the session back. Without it, it is thrown away.
    pub(crate) async fn finish(self) -> Result<()> {
        let ended = self.session.bounded(self.session.client().batch_execute(COMMIT)).await;
        self.inner.note(ended.and_then(IntoStorage::stored))?;
        self.session.clean();
        Ok(())
    }
}

/// A small transaction that writes. Dropped without a commit, it leaves no trace.
pub(crate) struct Writing {
    inner: Arc<Inner>,
    session: Lent,
}

impl Writing {
    /// All statements at once, with what failed where one did.
    pub(crate) async fn try_query(
        &self,
        sql: &str,
        params: &[Param<'_>],
    ) -> std::result::Result<Vec<Row>, crate::session::Failed> {
        let answers = self.session.pipeline(&[Step::new(sql, params.to_vec())]).await?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    pub(crate) async fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        let answer = self.try_query(sql, params).await.map_err(|failed| failed.error);
        self.inner.note(answer)
    }

    /// For a roll-up, which follows the log. Plans are as the write path's. Nobody waits until it is on the disk:
    /// what a crash takes away is a step and the cursor behind it, and the next step is that one again.
    pub(crate) async fn rolling_up(&self) -> Result<()> {
        let settings = STEADY_PLANS.into_iter().chain([("synchronous_commit", "off")]);
        let (names, values): (Vec<&str>, Vec<&str>) = settings.unzip();
        self.query(SET_HERE, &[&names, &values]).await.map(drop)
    }

    /// Changes rows and says how many.
    pub(crate) async fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        let done = self.session.bounded(self.session.client().execute(sql, params)).await;
        self.inner.note(done.and_then(IntoStorage::stored))
    }

    /// The same, where a unique value that is taken has a name.
    pub(crate) async fn execute_unique(
        &self,
        sql: &str,
        params: &[Param<'_>],
        what: &'static str,
    ) -> Result<u64> {
        let done = self.session.bounded(self.session.client().execute(sql, params)).await;
        self.inner.note(done.and_then(|done| done.unique(what)))
    }

    pub(crate) async fn commit(self) -> Result<()> {
        let committed = commit(&self.session).await;
        self.inner.note(committed)?;
        self.session.clean();
        Ok(())
    }

    /// Ends it without a trace, and keeps the session.
    pub(crate) async fn roll_back(self) -> Result<()> {
        let ended = self.session.bounded(self.session.client().batch_execute("ROLLBACK")).await;
        self.inner.note(ended.and_then(IntoStorage::stored))?;
        self.session.clean();
        Ok(())
    }
}

async fn commit(session: &Session) -> Result<()> {
    let before = session.warnings();
    let sent = session.bounded(session.client().batch_execute(COMMIT)).await;
    sent.and_then(IntoStorage::stored).map_err(after_commit_was_sent)?;
    no_warning_since(session, before)
}

/// A commit that was answered, but with a warning: the wait for the synchronous standby was cancelled, and
/// what was committed is on one machine only.
pub(crate) fn no_warning_since(session: &Session, before: u64) -> Result<()> {
    if session.warnings() == before {
        return Ok(());
    }
    Err(in_doubt("PostgreSQL committed with a warning; it may not be on the standby"))
}
