//! Node numbers and jobs on loan. The clock is the database's, so that nodes whose clocks differ agree.

use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;
use storage::{NodeLease, NodeStore, Result};
use tokio_postgres::Row;

use crate::{
    PostgresStore,
    fields::Fields,
    session::Param,
    store::{Scope, Writing},
};

/// The database's clock in microseconds, as it is when the statement runs.
macro_rules! clock {
    () => {
        "(SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now)"
    };
}

/// The lowest free number. Numbers that another node is taking at this moment are passed over.
const LEASE: &str = concat!(
    "WITH clock AS MATERIALIZED ",
    clock!(),
    ", free AS MATERIALIZED ( \
         SELECT node.number, node.ids_until FROM node, clock WHERE node.expires_at <= clock.now \
         ORDER BY node.number LIMIT 1 FOR UPDATE OF node SKIP LOCKED) \
     UPDATE node SET name = $3, term = node.term + 1, expires_at = clock.now + $1, \
         ids_until = greatest(clock.now, $2, free.ids_until) + $1 \
     FROM free, clock WHERE node.number = free.number \
     RETURNING node.number, node.term, free.ids_until, node.ids_until, clock.now"
);

const RENEW: &str = concat!(
    "WITH clock AS MATERIALIZED ",
    clock!(),
    " UPDATE node SET expires_at = greatest(node.expires_at, clock.now + $1), \
         ids_until = greatest(node.ids_until, greatest(clock.now, $2) + $1) \
     FROM clock WHERE node.number = $3 AND node.term = $4 \
     RETURNING node.number, node.term, $5::bigint, node.ids_until, clock.now"
);

const LENT: &str = "SELECT count(*) FROM node WHERE expires_at > $1";

/// The term moves on, so that a renewal that comes late finds nothing.
const RELEASE: &str = concat!(
    "UPDATE node SET expires_at = clock.now, ids_until = $1, term = node.term + 1 FROM ",
    clock!(),
    " AS clock WHERE node.number = $2 AND node.term = $3"
);

/// Names in one order, so that nodes that ask for the same ones do not wait for each other in a ring.
const HOLD: &str = concat!(
    "INSERT INTO job_lease (name, holder, expires_at) \
     SELECT asked.name, $2, clock.now + $3 FROM (SELECT DISTINCT unnest($1::text[]) AS name ORDER BY 1) AS asked, ",
    clock!(),
    " AS clock \
     ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at \
     WHERE job_lease.holder = excluded.holder OR job_lease.expires_at <= excluded.expires_at - $3 \
     RETURNING name"
);

#[async_trait]
impl NodeStore for PostgresStore {
    async fn lease_node(&self, name: &str, at: Timestamp, time: Duration) -> Result<Option<NodeLease>> {
        let writing = self.writing(Scope::All).await?;
        let rows = writing.query(LEASE, &[&micros(time), &at.micros(), &name]).await?;
        finish(writing, &rows).await
    }

    async fn renew_node(&self, held: &NodeLease, at: Timestamp, time: Duration) -> Result<Option<NodeLease>> {
        let writing = self.writing(Scope::All).await?;
        let params: [Param<'_>; 5] =
            [&micros(time), &at.micros(), &i32::from(held.node), &held.term, &held.ids_from.micros()];
        let rows = writing.query(RENEW, &params).await?;
        finish(writing, &rows).await
    }

    async fn release_node(&self, held: &NodeLease, ids_until: Timestamp) -> Result<()> {
        let writing = self.writing(Scope::All).await?;
        writing.query(RELEASE, &[&ids_until.micros(), &i32::from(held.node), &held.term]).await?;
        writing.commit().await
    }

    async fn hold_leases(&self, names: &[&str], holder: &str, time: Duration) -> Result<Vec<bool>> {
        let writing = self.writing(Scope::All).await?;
        let rows = writing.query(HOLD, &[&names, &holder, &micros(time)]).await?;
        writing.commit().await?;
        let held: Vec<&str> = rows.iter().map(|row| Fields::new(row).text()).collect::<Result<_>>()?;
        Ok(names.iter().map(|name| held.contains(name)).collect())
    }

    async fn release_leases(&self, holder: &str) -> Result<()> {
        let writing = self.writing(Scope::All).await?;
        writing.query("DELETE FROM job_lease WHERE holder = $1", &[&holder]).await?;
        writing.commit().await
    }
}

pub(crate) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 4)
}

async fn finish(writing: Writing, rows: &[Row]) -> Result<Option<NodeLease>> {
    let Some(row) = rows.first() else {
        writing.roll_back().await?;
        return Ok(None);
    };
    let mut f = Fields::new(row);
    let (node, term) = (f.narrow()?, f.int()?);
    let (ids_from, ids_until, now) = (f.time()?, f.time()?, f.time()?);
    let lent = writing.query(LENT, &[&now.micros()]).await?;
    let nodes = lent.first().map_or(Ok(1), |row| Fields::new(row).narrow())?;
    writing.commit().await?;
    Ok(Some(NodeLease { node, term, ids_from, ids_until, now, nodes }))
}
