//! Bringing the schema to the version this program knows, and refusing one it does not know.
//!
//! Nodes may start at the same time: one migrates, under a lock of the database, and the others wait for it.

use storage::{Result, StorageError};
use tokio_postgres::{Client, error::SqlState};

use crate::{
    Options,
    address::Address,
    connect::{APP_ROLE, Opened, Purpose},
    error::{IntoStorage, chain},
};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// "HEXIAO" in the keys of advisory locks, with what is locked.
const MIGRATION_LOCK: i64 = 0x4845_5849_414F_0001;

fn setup(why: impl Into<String>) -> StorageError {
    StorageError::Setup(why.into())
}

/// The newest version this program knows.
fn known() -> i64 {
    let runner = embedded::migrations::runner();
    runner.get_migrations().iter().map(|migration| i64::from(migration.version())).max().unwrap_or(0)
}

/// Makes or migrates the schema where that is needed and allowed.
pub(crate) async fn run(address: &Address, options: &Options) -> Result<()> {
    let owner = match &options.owner_url {
        Some(url) => Address::parse(url, options)?,
        None => address.clone(),
    };
    let Opened { mut client, task, .. } = owner.open(Purpose::Own, options).await?;
    let result = bring_up_to_date(&mut client, address.user(), options).await;
    task.abort();
    result
}

/// The same for the target of a move, which is not finished yet.
pub(crate) async fn run_for_move(address: &Address, options: &Options) -> Result<()> {
    let owner = match &options.owner_url {
        Some(url) => Address::parse(url, options)?,
        None => address.clone(),
    };
    let Opened { mut client, task, .. } = owner.open(Purpose::Own, options).await?;
    let result = migrate(&mut client, address.user(), options).await;
    task.abort();
    result
}

/// Whether this is the target of a move that is not finished.
pub(crate) async fn is_unfinished(client: &Client) -> Result<bool> {
    let sql = "SELECT to_regclass('public.relocation') IS NOT NULL";
    Ok(client.query_one(sql, &[]).await.stored()?.get(0))
}

/// Refuses a database of another version, or the unfinished target of a move.
pub(crate) async fn check_current(client: &Client, shown: &str) -> Result<()> {
    let version = current(client).await?;
    check_not_newer(version)?;
    if version < known() {
        return Err(setup(format!(
            "{shown} has schema version {version} and this program needs {}; start the server once to migrate it",
            known()
        )));
    }
    if is_unfinished(client).await? { Err(storage::relocation::unfinished(shown)) } else { Ok(()) }
}

async fn bring_up_to_date(client: &mut Client, user: &str, options: &Options) -> Result<()> {
    if is_unfinished(client).await? {
        return Err(storage::relocation::unfinished("the database"));
    }
    migrate(client, user, options).await
}

async fn migrate(client: &mut Client, user: &str, options: &Options) -> Result<()> {
    let version = current(client).await?;
    check_not_newer(version)?;
    if version == known() {
        return Ok(());
    }
    if !options.migrate {
        return Err(setup(format!(
            "the database has schema version {version} and this program needs {}; start the server once to \
             migrate it",
            known()
        )));
    }
    client.execute("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK]).await.stored()?;
    // Another node may have done it meanwhile.
    let version = current(client).await?;
    check_not_newer(version)?;
    if version == 0 {
        check_is_empty(client).await?;
    }
    make_role(client, user).await.map_err(|error| not_allowed(&error))?;
    let report = embedded::migrations::runner().run_async(client).await;
    report.map_err(|error| {
        setup(format!("migrating the database failed: {error}{}; {HINT}", cause_of(&error)))
    })?;
    Ok(())
}

const HINT: &str = "the address of the owner must be allowed to make tables and roles; give it as HEXIAO_DB_OWNER \
     if HEXIAO_DB is only the run-time user";

fn cause_of(error: &refinery::Error) -> String {
    let mut text = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(
            &cause.downcast_ref::<tokio_postgres::Error>().map_or_else(|| cause.to_string(), chain),
        );
        source = cause.source();
    }
    text
}

fn not_allowed(error: &tokio_postgres::Error) -> StorageError {
    setup(format!("the role {APP_ROLE} cannot be made: {}; {HINT}", chain(error)))
}

/// The version of a database; zero for a new one.
async fn current(client: &Client) -> Result<i64> {
    let there = "SELECT to_regclass('public.refinery_schema_history') IS NOT NULL";
    if !client.query_one(there, &[]).await.stored()?.get::<_, bool>(0) {
        return Ok(0);
    }
    let newest = "SELECT coalesce(max(version), 0)::bigint FROM public.refinery_schema_history";
    match client.query_one(newest, &[]).await {
        Ok(row) => Ok(row.get(0)),
        // A run-time user that does not inherit what its role may do.
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            client.batch_execute(&format!("SET ROLE {APP_ROLE}")).await.stored()?;
            Ok(client.query_one(newest, &[]).await.stored()?.get(0))
        }
        Err(error) => Err(error).stored(),
    }
}

/// Refuses a database that a newer program has migrated.
fn check_not_newer(current: i64) -> Result<()> {
    let known = known();
    if current > known {
        return Err(setup(format!(
            "the database has schema version {current}, this program knows versions up to {known}; use the \
             newer program that wrote it"
        )));
    }
    Ok(())
}

async fn check_is_empty(client: &Client) -> Result<()> {
    let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' \
                  AND relname <> 'refinery_schema_history'";
    if client.query_one(tables, &[]).await.stored()?.get::<_, i64>(0) == 0 {
        return Ok(());
    }
    Err(setup("the database belongs to another program; give the address of an empty one"))
}

/// The run-time role belongs to the whole cluster and may be there already, made for another database.
async fn make_role(client: &Client, user: &str) -> std::result::Result<(), tokio_postgres::Error> {
    let there = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)";
    if !client.query_one(there, &[&APP_ROLE]).await?.get::<_, bool>(0) {
        match client.batch_execute(&format!("CREATE ROLE {APP_ROLE} NOLOGIN")).await {
            // Another node, or another database of the cluster, came first.
            Err(error)
                if matches!(
                    error.code(),
                    Some(&SqlState::DUPLICATE_OBJECT | &SqlState::UNIQUE_VIOLATION)
                ) => {}
            done => done?,
        }
    }
    let member = "SELECT pg_has_role($1::text::name, $2::text::name, 'MEMBER'), quote_ident($1::text)";
    let row = client.query_one(member, &[&user, &APP_ROLE]).await?;
    if !row.get::<_, bool>(0) {
        let user: &str = row.get(1);
        client.batch_execute(&format!("GRANT {APP_ROLE} TO {user}")).await?;
    }
    Ok(())
}
