//! A database on a server that is moved away. Its node numbers are locked meanwhile, so that no server can
//! become a node of it, and nothing is written.

use std::fmt::Write as _;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use storage::{
    RelocationSource, Result, StorageError,
    relocation::{Column, Key, KeyPart, Kind, Place, Rows, Sum, Table},
};

use crate::{Options, address::Address, connect::APP_ROLE, error::IntoStorage, migrate};

use super::{Line, Lines, MARK, copy::decode, patient, quoted, refuse_nodes, sums};

const READERS: usize = 3;

/// Plans go by the key, in its order.
const BY_KEY: &str = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; \
     SET enable_hashjoin = off; SET enable_mergejoin = off";

/// Whether everything in the log is in the roll-ups. Only then do their cursors say the same in ids as in
/// transactions.
const ROLLED_UP: &str = "SELECT NOT EXISTS (SELECT 1 FROM (VALUES ('roll_up'), ('journal')) AS job (name) \
     WHERE EXISTS (SELECT 1 FROM operation o WHERE (o.xid, o.id) > \
         (coalesce((SELECT c.xid FROM job_cursor c WHERE c.name = job.name), '0'), \
          coalesce((SELECT c.position FROM job_cursor c WHERE c.name = job.name), -1))))";

/// Operations that settlement has not taken in, though it has taken in later ones: there its place is no id.
const PASSED_OVER: &str = "SELECT count(*) FROM settlement_cursor s WHERE EXISTS (SELECT 1 FROM operation o \
     WHERE (o.xid, o.id) > (s.xid, s.position) AND o.id <= s.highest)";

/// A database on a server from which everything is taken.
pub struct PostgresRelocationSource {
    lines: Lines,
    /// Holds the lock, and is asked at the end whether it still does.
    guard: Line,
    address: Address,
}

impl std::fmt::Debug for PostgresRelocationSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresRelocationSource")
            .field("database", &self.address.shown())
            .finish_non_exhaustive()
    }
}

impl PostgresRelocationSource {
    /// Opens an existing database of the current schema that no node serves from.
    pub async fn open(url: &str) -> Result<Self> {
        let options = patient(Options::default());
        let address = Address::parse(url, &options)?;
        let guard = Line::open(&address, &options).await?;
        migrate::check_current(&guard.client, address.shown()).await?;
        become_reader(&guard).await?;
        guard.client.batch_execute("BEGIN; LOCK TABLE node IN SHARE MODE").await.map_err(|_| {
            StorageError::Busy(
                "servers are using the source: stop them first, then run the move again".to_owned(),
            )
        })?;
        refuse_nodes(&guard.client, address.shown()).await?;
        let lines = Lines::open(READERS, &address, &options).await?;
        for line in &lines.lines {
            let line = line.lock().await;
            become_reader(&line).await?;
            line.client.batch_execute(BY_KEY).await.stored()?;
        }
        Ok(Self { lines, guard, address })
    }
}

/// Owners read past the policies. Others take the role that sees what the policies show.
async fn become_reader(line: &Line) -> Result<()> {
    let owns =
        "SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = 'operation'::regclass";
    if line.client.query_one(owns, &[]).await.stored()?.get::<_, bool>(0) {
        return Ok(());
    }
    line.client.batch_execute(&format!("SET ROLE {APP_ROLE}")).await.stored()
}

#[async_trait]
impl RelocationSource for PostgresRelocationSource {
    async fn mark(&self) -> Result<String> {
        Ok(self.guard.client.query_one(MARK, &[]).await.stored()?.get(0))
    }

    async fn omitted(&self) -> Result<Vec<&'static str>> {
        let passed_over: i64 = self.guard.client.query_one(PASSED_OVER, &[]).await.stored()?.get(0);
        if passed_over > 0 {
            return Err(StorageError::Setup(
                "settlement has not yet taken in operations that became visible late: start the server until it \
                 has, then run the move again"
                    .to_owned(),
            ));
        }
        let rolled_up: bool = self.guard.client.query_one(ROLLED_UP, &[]).await.stored()?.get(0);
        Ok(if rolled_up { Vec::new() } else { vec!["account_rollup", "journal_rollup", "job_cursor"] })
    }

    async fn read(&self, table: &'static Table, after: Option<&Key>, limit: usize) -> Result<Rows> {
        let line = self.lines.get().await?;
        let sql = select(table, after, limit);
        let copied = line.client.copy_out(&sql).await.stored()?;
        let chunks = copied.try_fold(Vec::new(), |mut all, chunk| async move {
            all.extend_from_slice(&chunk);
            Ok(all)
        });
        decode(table, &chunks.await.stored()?, limit)
    }

    async fn sums(&self, table: &'static Table) -> Result<Vec<Sum>> {
        let line = self.lines.get().await?;
        line.client.batch_execute("RESET ALL; SET hexiao.issuer = '*'; SET jit = off").await.stored()?;
        sums(&line.client, table).await
    }

    async fn check_undisturbed(&self) -> Result<()> {
        self.guard.client.batch_execute("COMMIT").await.map_err(|_| {
            StorageError::Unavailable(
                "the connection that kept servers away from the source was lost".to_owned(),
            )
        })
    }
}

/// Numbers come 64 bits wide. The cursor of a job is past the whole log, or it is not moved at all: in ids it
/// is the last one.
fn expression(table: &Table, column: &Column) -> String {
    let name = column.name;
    match (table.name, name, column.kind, column.place) {
        ("job_cursor", "position", ..) => "(SELECT coalesce(max(o.id), -1) FROM operation o)".to_owned(),
        // All up to the highest are taken in.
        ("settlement_cursor", "position", ..) => "t.highest".to_owned(),
        (_, _, _, Place::BothOrZero | Place::OfOperation) => format!("nullif(t.\"{name}\", 0)"),
        (_, _, Kind::Bool, _) => format!("t.\"{name}\"::integer::bigint"),
        (_, _, Kind::Int, _) => format!("t.\"{name}\"::bigint"),
        _ => format!("t.\"{name}\""),
    }
}

fn select(table: &Table, after: Option<&Key>, limit: usize) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| expression(table, column)).collect();
    let key = quoted(table.key, "t.");
    let after = after.map_or_else(String::new, |after| {
        let values: Vec<String> = after.0.iter().map(literal).collect();
        format!(" WHERE ({key}) > ({})", values.join(", "))
    });
    format!(
        "COPY (SELECT {} FROM \"{}\" t{after} ORDER BY {key} LIMIT {limit}) TO STDOUT (FORMAT binary)",
        columns.join(", "),
        table.name
    )
}

/// COPY takes no parameters.
fn literal(part: &KeyPart) -> String {
    match part {
        KeyPart::Int(number) => format!("'{number}'::bigint"),
        KeyPart::Text(text) => format!("'{}'", text.replace('\'', "''")),
        KeyPart::Bytes(bytes) => {
            let mut text = String::from("'\\x");
            for byte in bytes {
                // Writing to a string cannot fail.
                let _ = write!(text, "{byte:02x}");
            }
            text.push_str("'::bytea");
            text
        }
    }
}
