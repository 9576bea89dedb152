//! Node numbers and jobs on loan. One process serves from a file, so there is rarely more than one node; but
//! the process before may have died a moment ago, and its ids must not come again.

use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use storage::{NodeLease, NodeStore, Result};

use crate::{SqliteStore, error::IntoStorage};

/// The database's clock is the machine's.
const NOW: &str = "SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER) * 1000";

/// The lowest free number, and where the moments of its last holder end.
const FREE: &str = "SELECT number, ids_until FROM node WHERE expires_at <= ?1 ORDER BY number LIMIT 1";

const LEASE: &str = "UPDATE node SET name = ?4, term = term + 1, expires_at = ?1 + ?2, \
     ids_until = max(?1, ?3, ids_until) + ?2 WHERE number = ?5 RETURNING term, ids_until";

const RENEW: &str = "UPDATE node SET expires_at = max(expires_at, ?1 + ?2), \
     ids_until = max(ids_until, max(?1, ?3) + ?2) WHERE number = ?4 AND term = ?5 RETURNING term, ids_until";

const LENT: &str = "SELECT count(*) FROM node WHERE expires_at > ?1";

/// The term moves on, so that a renewal that comes late finds nothing.
const RELEASE: &str = "UPDATE node SET expires_at = ?1, ids_until = ?2, term = term + 1 \
     WHERE number = ?3 AND term = ?4";

const HOLD: &str = "INSERT INTO job_lease (name, holder, expires_at) VALUES (?1, ?2, ?3 + ?4) \
     ON CONFLICT (name) DO UPDATE SET holder = ?2, expires_at = ?3 + ?4 \
     WHERE holder = ?2 OR expires_at <= ?3";

#[async_trait]
impl NodeStore for SqliteStore {
    async fn lease_node(&self, name: &str, at: Timestamp, time: Duration) -> Result<Option<NodeLease>> {
        let name = name.to_owned();
        self.write(move |connection| {
            let now = now(connection)?;
            let free = connection.query_row(FREE, [now], |row| Ok((row.get(0)?, row.get(1)?)));
            let Some((number, ids_from)) = free.optional().stored()? else { return Ok(None) };
            let ids_from = Timestamp::from_micros(ids_from);
            let values = params![now, micros(time), at.micros(), name, number];
            lease(connection, LEASE, values, (number, ids_from), now)
        })
        .await
    }

    async fn renew_node(&self, held: &NodeLease, at: Timestamp, time: Duration) -> Result<Option<NodeLease>> {
        let held = *held;
        self.write(move |connection| {
            let now = now(connection)?;
            let values = params![now, micros(time), at.micros(), held.node, held.term];
            lease(connection, RENEW, values, (held.node, held.ids_from), now)
        })
        .await
    }

    async fn release_node(&self, held: &NodeLease, ids_until: Timestamp) -> Result<()> {
        let held = *held;
        self.write(move |connection| {
            let values = params![now(connection)?, ids_until.micros(), held.node, held.term];
            connection.execute(RELEASE, values).stored()?;
            Ok(())
        })
        .await
    }

    async fn hold_leases(&self, names: &[&str], holder: &str, time: Duration) -> Result<Vec<bool>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let holder = holder.to_owned();
        self.write(move |connection| {
            let now = now(connection)?;
            let mut statement = connection.prepare_cached(HOLD).stored()?;
            let mut hold = |name: &String| {
                let changed = statement.execute(params![name, holder, now, micros(time)]).stored()?;
                Ok(changed == 1)
            };
            names.iter().map(&mut hold).collect()
        })
        .await
    }

    async fn release_leases(&self, holder: &str) -> Result<()> {
        let holder = holder.to_owned();
        self.write(move |connection| {
            connection.execute("DELETE FROM job_lease WHERE holder = ?1", [holder]).stored()?;
            Ok(())
        })
        .await
    }
}

/// The database's clock, in microseconds.
pub(crate) fn now(connection: &Connection) -> Result<i64> {
    let mut statement = connection.prepare_cached(NOW).stored()?;
    statement.query_row([], |row| row.get(0)).stored()
}

pub(crate) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 4)
}

fn lease(
    connection: &Connection,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
    (node, ids_from): (u16, Timestamp),
    now: i64,
) -> Result<Option<NodeLease>> {
    let mut statement = connection.prepare_cached(sql).stored()?;
    let written = statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?))).optional().stored()?;
    let Some((term, ids_until)) = written else { return Ok(None) };
    let mut lent = connection.prepare_cached(LENT).stored()?;
    let nodes = lent.query_row([now], |row| row.get(0)).stored()?;
    let (ids_until, now) = (Timestamp::from_micros(ids_until), Timestamp::from_micros(now));
    Ok(Some(NodeLease { node, term, ids_from, ids_until, now, nodes }))
}
