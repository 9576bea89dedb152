//! The one place that knows which databases there are. Everything else sees ports, and asks here for what only
//! one of them can do.

use std::sync::Arc;

use storage::{RelocationSource, RelocationTarget, Store};
use storage_postgres::{PostgresRelocationSource, PostgresRelocationTarget, PostgresStore};
use storage_sqlite::{SqliteRelocationSource, SqliteRelocationTarget, SqliteStore};

use crate::{
    cli::Global,
    database_url::DatabaseUrl,
    failure::{Failure, Result},
};

/// An open database.
#[derive(Clone)]
pub(crate) enum Database {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
}

/// What a database is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To serve, or to change a lot: makes it if there is none, and migrates it. A file is then this
    /// process's alone.
    Write,
    /// To read beside whoever else uses it.
    Read,
}

impl Database {
    /// Opens what the options name.
    pub(crate) async fn open(global: &Global, purpose: Purpose) -> Result<Self> {
        let write = purpose == Purpose::Write;
        match global.database() {
            DatabaseUrl::Sqlite(_) => {
                let url = global.database().expose();
                let options = storage_sqlite::Options { exclusive: write, ..Default::default() };
                let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&url, options)).await?;
                Ok(Self::Sqlite(opened?))
            }
            DatabaseUrl::Postgres(url) => {
                let options = storage_postgres::Options {
                    owner_url: global.db_owner.as_ref().map(DatabaseUrl::expose),
                    migrate: write,
                    ..Default::default()
                };
                Ok(Self::Postgres(PostgresStore::connect(&url, options).await?))
            }
        }
    }

    /// As ports.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(store.clone()),
        }
    }

    /// Whether several processes may write to it at once.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// The file, for what is done with files.
    pub(crate) fn file(&self, command: &str, instead: &str) -> Result<&SqliteStore> {
        match self {
            Self::Sqlite(store) => Ok(store),
            Self::Postgres(_) => Err(only_files(command, instead)),
        }
    }
}

/// A database that everything is taken from.
pub(crate) async fn relocation_source(url: &DatabaseUrl) -> Result<Arc<dyn RelocationSource>> {
    Ok(match url {
        DatabaseUrl::Sqlite(_) => {
            let url = url.expose();
            Arc::new(tokio::task::spawn_blocking(move || SqliteRelocationSource::open(&url)).await??)
        }
        DatabaseUrl::Postgres(url) => Arc::new(PostgresRelocationSource::open(url).await?),
    })
}

/// A database that everything is put into.
pub(crate) async fn relocation_target(
    url: &DatabaseUrl,
    owner: Option<&DatabaseUrl>,
) -> Result<Arc<dyn RelocationTarget>> {
    Ok(match url {
        DatabaseUrl::Sqlite(_) => {
            let url = url.expose();
            Arc::new(tokio::task::spawn_blocking(move || SqliteRelocationTarget::open(&url)).await??)
        }
        DatabaseUrl::Postgres(url) => {
            let owner = owner.map(DatabaseUrl::expose);
            Arc::new(PostgresRelocationTarget::open(url, owner).await?)
        }
    })
}

/// Says that a command is for databases in a file.
pub(crate) fn only_files(command: &str, instead: &str) -> Failure {
    Failure::usage(format!("{command} is for databases in a file (sqlite:); for PostgreSQL, {instead}"))
}
