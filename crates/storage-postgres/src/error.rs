//! From PostgreSQL's errors to the store's: by SQLSTATE, never by message.

use storage::{Result, StorageError};
use tokio_postgres::{Error, error::SqlState};

/// Turns PostgreSQL's results into the store's.
pub(crate) trait IntoStorage<T> {
    /// The same result with the store's error.
    fn stored(self) -> Result<T>;

    /// The same, where a unique value that is taken has a name.
    fn unique(self, what: &'static str) -> Result<T>;
}

impl<T> IntoStorage<T> for std::result::Result<T, Error> {
    fn stored(self) -> Result<T> {
        self.map_err(|error| from_postgres(&error))
    }

    fn unique(self, what: &'static str) -> Result<T> {
        self.map_err(|error| match error.code() {
            Some(code) if *code == SqlState::UNIQUE_VIOLATION => StorageError::Conflict { what },
            _ => from_postgres(&error),
        })
    }
}

/// Of a statement after which nothing is committed. Anything that is not understood is fatal: a store that
/// guesses is worse than one that stops.
pub(crate) fn from_postgres(error: &Error) -> StorageError {
    let Some(database) = error.as_db_error() else {
        // The connection broke, or what came over it was not what was expected.
        return if error.is_closed()
            || std::error::Error::source(error)
                .is_some_and(<dyn std::error::Error + 'static>::is::<std::io::Error>)
        {
            unavailable(error)
        } else {
            StorageError::Corrupt(chain(error))
        };
    };
    let (code, text) = (database.code(), database.message());
    let class = code.code().get(..2).unwrap_or_default();
    match code {
        code if *code == SqlState::T_R_SERIALIZATION_FAILURE => busy("serialization", text),
        code if *code == SqlState::T_R_DEADLOCK_DETECTED => busy("deadlock", text),
        code if *code == SqlState::LOCK_NOT_AVAILABLE => busy("lock_timeout", text),
        code if *code == SqlState::QUERY_CANCELED => busy("cancelled", text),
        code if *code == SqlState::READ_ONLY_SQL_TRANSACTION => unavailable(error),
        code if *code == SqlState::IO_ERROR => unavailable(error),
        // What guards a statement divides by zero where its rows are not those it was decided on.
        code if *code == SqlState::DIVISION_BY_ZERO => StorageError::Conflict { what: "card" },
        code if *code == SqlState::UNIQUE_VIOLATION => StorageError::Conflict { what: "id" },
        code if *code == SqlState::CHECK_VIOLATION => StorageError::Conflict { what: "check" },
        code if *code == SqlState::FOREIGN_KEY_VIOLATION => StorageError::Conflict { what: "reference" },
        code if *code == SqlState::NOT_NULL_VIOLATION => StorageError::Conflict { what: "not_null" },
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => StorageError::Conflict { what: "privilege" },
        code if *code == SqlState::NUMERIC_VALUE_OUT_OF_RANGE => {
            StorageError::Corrupt("a total exceeds 64 bits".to_owned())
        }
        // Idle too long in a transaction: its locks are gone and nothing happened.
        code if *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => unavailable(error),
        // Connections, resources, the operator's doing: nothing of it is about the data.
        _ if matches!(class, "08" | "53" | "57") => unavailable(error),
        _ if class == "XX" => StorageError::Corrupt(format!("{text} (SQLSTATE {})", code.code())),
        _ => StorageError::Fatal(format!("{text} (SQLSTATE {})", code.code())),
    }
}

/// The same once a commit was sent with it: what would be out of reach is then in doubt.
pub(crate) fn after_commit_was_sent(error: StorageError) -> StorageError {
    match error {
        StorageError::Unavailable(why) => in_doubt(why),
        other => other,
    }
}

/// Another writer was in the way.
pub(crate) fn busy(cause: &'static str, text: impl Into<String>) -> StorageError {
    metrics::counter!("hexiao_storage_conflicts_total", "cause" => cause).increment(1);
    StorageError::Busy(text.into())
}

/// The outcome of a commit is not known.
pub(crate) fn in_doubt(why: impl Into<String>) -> StorageError {
    metrics::counter!("hexiao_storage_in_doubt_total").increment(1);
    StorageError::InDoubt(why.into())
}

fn unavailable(error: &Error) -> StorageError {
    metrics::counter!("hexiao_storage_unavailable_total").increment(1);
    StorageError::Unavailable(chain(error))
}

/// An error with its causes: the outermost alone says only "db error" or "error communicating".
pub(crate) fn chain(error: &Error) -> String {
    let mut text = error
        .as_db_error()
        .map_or_else(|| error.to_string(), |db| format!("{} ({})", db.message(), db.code().code()));
    if error.as_db_error().is_none() {
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
    }
    text
}

/// What is stored cannot be read as what it should be.
pub(crate) fn corrupt(what: impl Into<String>) -> StorageError {
    StorageError::Corrupt(what.into())
}

/// Describes the metrics of this store, for those who read them.
pub(crate) fn describe() {
    metrics::describe_counter!(
        "hexiao_storage_conflicts_total",
        "Batches refused because another writer came first"
    );
    metrics::describe_counter!("hexiao_storage_in_doubt_total", "Commits whose outcome is not known");
    metrics::describe_counter!(
        "hexiao_storage_unavailable_total",
        "Statements that did not reach the database"
    );
    metrics::describe_counter!("hexiao_storage_connections_total", "Connections opened");
}
