//! Moving a whole database off a server, or onto one, by COPY in its binary form. SQL is made from the one
//! description of the tables that both kinds of database share.

mod copy;
mod source;
mod target;

pub use source::PostgresRelocationSource;
pub use target::PostgresRelocationTarget;

use std::{sync::Arc, time::Duration};

use storage::{
    Result, StorageError,
    relocation::{CurrencyOf, Sum, Table},
};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::{
    Options,
    address::Address,
    connect::{Opened, Purpose},
    error::{IntoStorage, corrupt},
};

/// The same text as the embedded store makes: a target that is finished and not yet used has its source's.
const MARK: &str = "SELECT 'revision ' || (SELECT revision FROM catalog_revision) \
     || ', terms ' || (SELECT coalesce(sum(term), 0)::bigint FROM node) \
     || ', first issuer ' || (SELECT coalesce(min(id), 0) FROM issuer) \
     || ', last card ' || (SELECT coalesce(max(id), 0) FROM card) \
     || ', last operation ' || (SELECT coalesce(max(id), 0) FROM operation)";

/// Nodes that serve, as far as their leases tell.
const LEASED: &str =
    "SELECT count(*) FROM node WHERE expires_at > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// A session of its own, outside the pools: it lasts as long as the move.
struct Line {
    client: Client,
    task: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    async fn open(address: &Address, options: &Options) -> Result<Self> {
        let Opened { client, task, .. } = address.open(Purpose::Own, options).await?;
        let settings = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
             SET standard_conforming_strings = on; SET hexiao.issuer = '*'; \
             SET max_parallel_workers_per_gather = 0; SET jit = off; SET lock_timeout = '10s'";
        client.batch_execute(settings).await.stored()?;
        Ok(Self { client, task })
    }
}

/// Options for sessions that work for minutes.
fn patient(options: Options) -> Options {
    Options { write_timeout: Duration::from_hours(1), read_timeout: Duration::from_hours(1), ..options }
}

async fn refuse_nodes(client: &Client, shown: &str) -> Result<()> {
    let leased: i64 = client.query_one(LEASED, &[]).await.stored()?.get(0);
    if leased == 0 {
        return Ok(());
    }
    Err(StorageError::Setup(format!(
        "{leased} server(s) serve from {shown}, or were killed less than 30 seconds ago: stop them first"
    )))
}

fn quoted(names: &[&str], prefix: &str) -> String {
    names.iter().map(|name| format!("{prefix}\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// How a table's rows get to the currency of their amounts.
fn currency(table: &Table) -> (&'static str, &'static str) {
    match table.currency {
        CurrencyOf::None => ("''::text", ""),
        CurrencyOf::Own => ("coalesce(t.currency, '')", ""),
        CurrencyOf::Program => ("coalesce(p.currency, '')", "LEFT JOIN program p ON p.id = t.program_id"),
        CurrencyOf::Operation => {
            ("coalesce(o.currency, '')", "LEFT JOIN operation o ON o.id = t.operation_id")
        }
        CurrencyOf::Card => (
            "coalesce(p.currency, '')",
            "LEFT JOIN card c ON c.id = t.card_id LEFT JOIN program p ON p.id = c.program_id",
        ),
    }
}

async fn sums(client: &Client, table: &Table) -> Result<Vec<Sum>> {
    let amount = |name: &&str| format!(", coalesce(sum(t.\"{name}\"), 0)::text");
    let amounts: String = table.amounts.iter().map(amount).collect();
    let (code, join) = currency(table);
    let sql = format!(
        "SELECT {code} COLLATE \"C\", count(*){amounts} FROM \"{}\" t {join} GROUP BY 1 ORDER BY 1",
        table.name
    );
    let rows = client.query(&sql, &[]).await.stored()?;
    let sum = |row: &tokio_postgres::Row| {
        let amount = |at: usize| {
            let text: &str = row.get(at + 2);
            text.parse().map_err(|_| corrupt("a sum exceeds 128 bits"))
        };
        let amounts = (0..table.amounts.len()).map(amount).collect::<Result<_>>()?;
        Ok(Sum { currency: row.get(0), rows: row.get(1), amounts })
    };
    rows.iter().map(sum).collect()
}

/// A pool of lines, one for each table that is worked on at once.
struct Lines {
    lines: Vec<Arc<tokio::sync::Mutex<Line>>>,
}

impl Lines {
    async fn open(count: usize, address: &Address, options: &Options) -> Result<Self> {
        let mut lines = Vec::with_capacity(count);
        for _ in 0..count {
            lines.push(Arc::new(tokio::sync::Mutex::new(Line::open(address, options).await?)));
        }
        Ok(Self { lines })
    }

    async fn get(&self) -> Result<tokio::sync::OwnedMutexGuard<Line>> {
        if let Some(free) = self.lines.iter().find_map(|line| Arc::clone(line).try_lock_owned().ok()) {
            return Ok(free);
        }
        match self.lines.first() {
            Some(first) => Ok(Arc::clone(first).lock_owned().await),
            None => Err(corrupt("no connection")),
        }
    }
}
