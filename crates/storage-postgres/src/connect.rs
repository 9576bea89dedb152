//! Opening a session on one host, with the settings that durability and steady plans depend on. The whole of
//! it is bounded in time, because a machine that hangs still accepts connections.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use storage::{Result, StorageError};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};
use tokio_postgres::{
    AsyncMessage, Client, Config, Connection, NoTls, Socket,
    error::Severity,
    tls::{MakeTlsConnect, TlsConnect},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{
    Options,
    address::name_of,
    error::{IntoStorage, chain},
};

/// The role that everything but migrating runs as.
pub(crate) const APP_ROLE: &str = "hexiao_app";

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Batches.
    Write,
    /// Everything else that the run-time role does.
    Read,
    /// Making and migrating the schema, with the rights of the address itself.
    Own,
}

/// A session that is ready.
pub(crate) struct Opened {
    pub(crate) client: Client,
    pub(crate) warnings: Arc<AtomicU64>,
    /// Changes with every notification, and ends with the connection.
    pub(crate) notifications: watch::Receiver<u64>,
    pub(crate) task: JoinHandle<()>,
}

/// Opens a session on this host.
pub(crate) async fn open_one(
    host: &Config,
    tls: Option<&MakeRustlsConnect>,
    purpose: Purpose,
    options: &Options,
) -> Result<Opened> {
    let unreachable = |why: String| StorageError::Unavailable(format!("{}: {why}", name_of(host)));
    let attempt = async {
        let connected = match tls {
            Some(tls) => connect(host, tls.clone()).await,
            None => connect(host, NoTls).await,
        };
        let opened = connected.map_err(|error| unreachable(chain(&error)))?;
        prepare_session(&opened.client, purpose, options).await?;
        Ok(opened)
    };
    match timeout(options.connect_timeout, attempt).await {
        Ok(done) => done,
        Err(_) => Err(unreachable("no session within the time for connecting".to_owned())),
    }
}

async fn connect<T>(host: &Config, tls: T) -> std::result::Result<Opened, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket, Stream: Send + 'static, TlsConnect: Send>,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, connection) = host.connect(tls).await?;
    let warnings = Arc::new(AtomicU64::new(0));
    let (tell, notifications) = watch::channel(0);
    let task = tokio::spawn(carry(connection, Arc::clone(&warnings), tell));
    Ok(Opened { client, warnings, notifications, task })
}

/// Moves messages until the connection ends, and counts warnings: a commit whose wait for the synchronous
/// standby was cancelled says so in a warning, and is otherwise reported as done.
async fn carry<S: AsyncRead + AsyncWrite + Unpin>(
    mut connection: Connection<Socket, S>,
    warnings: Arc<AtomicU64>,
    tell: watch::Sender<u64>,
) {
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        match message {
            Ok(AsyncMessage::Notice(notice)) => {
                if notice.parsed_severity() == Some(Severity::Warning) {
                    warnings.fetch_add(1, Ordering::Release);
                    tracing::warn!(code = notice.code().code(), "PostgreSQL warns: {}", notice.message());
                }
            }
            Ok(AsyncMessage::Notification(_)) => tell.send_modify(|count| *count += 1),
            Ok(_) => {}
            Err(error) => {
                tracing::debug!("a connection ended: {}", chain(&error));
                return;
            }
        }
    }
}

async fn prepare_session(client: &Client, purpose: Purpose, options: &Options) -> Result<()> {
    let millis = |time: Duration| time.as_millis();
    if purpose == Purpose::Own {
        return client.batch_execute("SET client_min_messages = warning").await.stored();
    }
    let sql = if purpose == Purpose::Write {
        // A node that hangs in the middle of a batch must not keep cards locked.
        let (answer, lock) = (millis(options.write_timeout), millis(options.lock_timeout));
        let plans: String =
            STEADY_PLANS.iter().map(|(name, value)| format!("SET {name} = {value}; ")).collect();
        format!(
            "SET ROLE {APP_ROLE}; {plans}SET statement_timeout = {answer}; \
             SET idle_in_transaction_session_timeout = {answer}; SET lock_timeout = {lock};"
        )
    } else {
        // What is asked here is short. Compiling a statement takes PostgreSQL longer, and up to a processor for
        // seconds, which it decides by an estimate of rows that parameters make wrong.
        let read = millis(options.read_timeout);
        format!(
            "SET ROLE {APP_ROLE}; SET jit = off; SET statement_timeout = {read}; \
             SET idle_in_transaction_session_timeout = {read};"
        )
    };
    client.batch_execute(&sql).await.map_err(|error| {
        StorageError::Setup(format!(
            "the session cannot be prepared: {}; the user of the address must be a member of {APP_ROLE}: \
             GRANT {APP_ROLE} TO that user",
            chain(&error)
        ))
    })?;
    check_durability(client).await?;
    if purpose == Purpose::Write { wait_for_the_standby(client).await } else { Ok(()) }
}

/// Waits until all that was committed before is as durable as commits are. After a crash of the server, or
/// of a wait for the standby, there may be operations that are visible here and nowhere else; a batch that
/// answers with one of them writes nothing, and so would not wait for anything.
async fn wait_for_the_standby(client: &Client) -> Result<()> {
    client.batch_execute("SELECT pg_logical_emit_message(true, 'hexiao', '')").await.stored()
}

/// Plans of the write path are made once for each statement and for any number of rows, and always go by
/// index: a plan that was made for an empty table, or for the first batch that came, stays right for all.
///
/// So are those of what follows the log all the time, for the length of a transaction.
pub const STEADY_PLANS: [(&str, &str); 9] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_material", "off"),
    ("enable_memoize", "off"),
    ("max_parallel_workers_per_gather", "0"),
    ("jit", "off"),
];

/// An answer is only given for what is on the disk, here and, where there is one, on the synchronous standby;
/// so what makes commits return earlier is refused. Whether there is a standby is not asked: one can be named
/// at any time, and a session keeps its setting.
async fn check_durability(client: &Client) -> Result<()> {
    let sql = "SELECT current_setting('synchronous_commit'), current_setting('fsync')";
    let row = client.query_one(sql, &[]).await.stored()?;
    let (commit, fsync): (&str, &str) = (row.get(0), row.get(1));
    if !matches!(commit, "on" | "remote_apply") {
        let lost_with = match commit {
            "off" => "a crash of this server",
            "local" => "this machine, though a standby is there",
            _ => "this machine, if the standby crashes before it has written them to its disk",
        };
        return Err(StorageError::Setup(format!(
            "synchronous_commit is {commit} for this user or database: answered sales could be lost with \
             {lost_with}. Set it to on or remote_apply (ALTER ROLE … RESET synchronous_commit, ALTER DATABASE … \
             RESET synchronous_commit, or postgresql.conf)"
        )));
    }
    if fsync != "on" {
        tracing::warn!("fsync is off: the database does not survive a crash of its machine");
    }
    Ok(())
}
