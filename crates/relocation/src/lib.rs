//! Moves everything from one database to another through the ports that both kinds have for it.
//!
//! A table is read ahead of being written, a few portions at most, so that both databases work at once and
//! memory stays bounded whatever the size. Each portion is written together with how far the table is, so a
//! move that was killed goes on after the last portion that was committed. At the end every table's count and
//! sums are compared; only then does the target become a database that a server starts on.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use storage::{
    RelocationSource, RelocationTarget, Result, StorageError,
    relocation::{Rows, Sum, TABLES, Table, TableProgress},
};
use tokio::sync::mpsc;

/// Rows of one portion. Some megabytes, whichever table they are of.
const PORTION: usize = 10_000;
/// Portions that are read ahead.
const AHEAD: usize = 2;
/// The table that everything else is measured by, and the longest: it is begun first.
const LOG: &str = "operation";
/// Tables that others refer to. They are written one after the other before the rest.
const REFERRED: [&str; 7] =
    ["catalog_revision", "issuer", "program", "merchant", "store", "terminal", "client"];

/// What a move did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Tables.
    pub tables: usize,
    /// Operations in the target.
    pub operations: u64,
    /// Operations that were written this time.
    pub operations_now: u64,
    /// Rows in the target.
    pub rows: u64,
    /// Whether it went on with a move that was interrupted.
    pub resumed: bool,
    /// Tables that the target has to make anew, such as roll-ups of the log.
    pub omitted: usize,
    /// How long copying took.
    pub copying: Duration,
    /// How long comparing took.
    pub comparing: Duration,
}

/// Who wants to know how many more rows were written.
pub type Watch<'a> = &'a (dyn Fn(u64) + Send + Sync);

/// Moves everything from `source` to `target`, or goes on with that.
pub async fn relocate(
    source: Arc<dyn RelocationSource>,
    target: Arc<dyn RelocationTarget>,
    watch: Watch<'_>,
) -> Result<Report> {
    let began = Instant::now();
    let mark = source.mark().await?;
    let omitted = source.omitted().await?;
    let found = target.begin(&mark).await?;
    let resumed = found.is_some();
    let before: HashMap<String, TableProgress> = found.unwrap_or_default().into_iter().collect();
    let tables: Vec<&'static Table> = TABLES.iter().filter(|table| !omitted.contains(&table.name)).collect();
    let work = Work {
        source,
        target,
        before,
        watch,
        rows: AtomicU64::new(0),
        log: AtomicU64::new(0),
        failed: AtomicBool::new(false),
    };
    work.copy(&tables).await?;
    let copying = began.elapsed();
    let began = Instant::now();
    let (rows, operations) = work.compare(&tables).await?;
    if work.source.mark().await? != mark {
        return Err(changed());
    }
    work.source.check_undisturbed().await?;
    work.target.finish().await?;
    Ok(Report {
        tables: tables.len(),
        operations,
        operations_now: work.log.load(Ordering::Relaxed),
        rows,
        resumed,
        omitted: omitted.len(),
        copying,
        comparing: began.elapsed(),
    })
}

fn changed() -> StorageError {
    StorageError::Setup(
        "the source changed during the move: stop whatever writes to it, delete the target and begin again"
            .to_owned(),
    )
}

struct Work<'a> {
    source: Arc<dyn RelocationSource>,
    target: Arc<dyn RelocationTarget>,
    before: HashMap<String, TableProgress>,
    watch: Watch<'a>,
    rows: AtomicU64,
    log: AtomicU64,
    /// Whether some table failed, so that the others need not go on.
    failed: AtomicBool,
}

impl Work<'_> {
    async fn copy(&self, tables: &[&'static Table]) -> Result<()> {
        let (first, mut rest): (Vec<_>, Vec<_>) =
            tables.iter().copied().partition(|table| REFERRED.contains(&table.name));
        for table in first {
            self.table(table).await?;
        }
        rest.sort_by_key(|table| table.name != LOG);
        let queue = Mutex::new(VecDeque::from(rest));
        let lanes = (0..self.target.lanes().max(1)).map(|_| self.lane(&queue));
        // All come to an end, so that nothing is still reading or writing when this returns.
        join_all(lanes).await.into_iter().collect()
    }

    /// One table after the other until none is left.
    async fn lane(&self, queue: &Mutex<VecDeque<&'static Table>>) -> Result<()> {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match next {
                Some(table) if !self.failed.load(Ordering::Relaxed) => {
                    let done = self.table(table).await;
                    self.failed.fetch_or(done.is_err(), Ordering::Relaxed);
                    done?;
                }
                _ => return Ok(()),
            }
        }
    }

    async fn table(&self, table: &'static Table) -> Result<()> {
        let mut progress = self.before.get(table.name).cloned().unwrap_or_default();
        if progress.done {
            return Ok(());
        }
        let (send, portions) = mpsc::channel(AHEAD);
        let (source, after) = (Arc::clone(&self.source), progress.after.clone());
        let reading = tokio::spawn(read_ahead(source, table, after, send));
        let written = self.write_all(table, portions, &mut progress).await;
        reading.await.map_err(|_| StorageError::Unavailable("reading ended before its end".to_owned()))?;
        written?;
        if progress.done || self.failed.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(StorageError::Corrupt(format!("reading {} ended before its end", table.name)))
    }

    /// Writes what comes, until its end or until another table failed.
    async fn write_all(
        &self,
        table: &'static Table,
        mut portions: mpsc::Receiver<Result<Rows>>,
        progress: &mut TableProgress,
    ) -> Result<()> {
        while let Some(portion) = portions.recv().await {
            let portion = portion?;
            let count = portion.len() as u64;
            progress.done = portion.len() < PORTION;
            progress.rows += count;
            progress.after = portion.last_key(&table.key_columns())?.or_else(|| progress.after.take());
            self.target.write(table, portion, progress).await?;
            self.count(table, count);
            if self.failed.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn count(&self, table: &Table, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
        if table.name == LOG {
            self.log.fetch_add(rows, Ordering::Relaxed);
        }
        (self.watch)(rows);
    }

    /// Count and sums of every table, here and there. Returns all rows, and operations.
    async fn compare(&self, tables: &[&'static Table]) -> Result<(u64, u64)> {
        let (mut rows, mut operations) = (0, 0);
        for table in tables {
            let (here, there) = tokio::try_join!(self.source.sums(table), self.target.sums(table))?;
            let (here, there) = (sorted(here), sorted(there));
            if here != there {
                return Err(StorageError::Corrupt(format!(
                    "the move lost or changed something in {}: the source has {here:?}, the target {there:?}. The \
                     target is not usable: delete it and begin again",
                    table.name
                )));
            }
            let count = there.iter().map(|sum| u64::try_from(sum.rows).unwrap_or(0)).sum::<u64>();
            rows += count;
            if table.name == LOG {
                operations = count;
            }
        }
        Ok((rows, operations))
    }
}

fn sorted(mut sums: Vec<Sum>) -> Vec<Sum> {
    sums.sort();
    sums
}

/// Reads until the end, until it fails, or until nobody wants more.
async fn read_ahead(
    source: Arc<dyn RelocationSource>,
    table: &'static Table,
    mut after: Option<storage::relocation::Key>,
    send: mpsc::Sender<Result<Rows>>,
) {
    loop {
        let portion = source.read(table, after.as_ref(), PORTION).await;
        let key = portion.as_ref().map(|rows| rows.last_key(&table.key_columns()));
        let last = match key {
            Ok(Ok(Some(key))) => {
                after = Some(key);
                portion.as_ref().is_ok_and(|rows| rows.len() < PORTION)
            }
            _ => true,
        };
        if send.send(portion).await.is_err() || last {
            return;
        }
    }
}
