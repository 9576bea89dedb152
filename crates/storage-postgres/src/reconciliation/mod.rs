//! Reconciliation: files, their lines, their differences. What a file adds is written by a constant number of
//! statements over arrays for each portion.

mod differences;
mod files;
mod own;
mod rows;

use async_trait::async_trait;
use domain::{Account, DifferenceId, IssuerId, OperationId, ReconciliationId, Timestamp};
use storage::{
    Ageing, DifferenceEvent, DifferenceFilter, DifferenceRecord, HourCheck, OwnQuery, OwnRecords, Page,
    ReconciledLine, Reconciliation, ReconciliationStore, Result, StorageError,
};
use tokio_postgres::Row;

use crate::{
    PostgresStore,
    fields::Fields,
    jobs::clamp,
    store::{Scope, Writing},
};

/// One more than asked for, to see whether more follows.
fn one_more(limit: usize) -> i64 {
    clamp(limit).saturating_add(1)
}

/// A page of what was read with [`one_more`].
fn page<T>(mut items: Vec<T>, limit: usize, id: impl Fn(&T) -> i64) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(id) } else { None };
    Page { items, next }
}

fn each<T>(found: &[Row], read: fn(&mut Fields<'_>) -> Result<T>) -> Result<Vec<T>> {
    found.iter().map(|row| read(&mut Fields::new(row))).collect()
}

fn conflict<T>(what: &'static str) -> Result<T> {
    Err(StorageError::Conflict { what })
}

/// Commits what was done, or leaves no trace of it.
async fn ended(writing: Writing, done: Result<()>) -> Result<()> {
    match done {
        Ok(()) => writing.commit().await,
        Err(error) => {
            writing.roll_back().await?;
            Err(error)
        }
    }
}

#[async_trait]
impl ReconciliationStore for PostgresStore {
    async fn begin_reconciliation(&self, reconciliation: &Reconciliation) -> Result<()> {
        let writing = self.writing(Scope::One(reconciliation.issuer)).await?;
        let done = files::begin(&writing, reconciliation).await;
        ended(writing, done).await
    }

    async fn append_reconciled_lines(
        &self,
        reconciliation: ReconciliationId,
        issuer: IssuerId,
        lines: &[ReconciledLine],
    ) -> Result<()> {
        let writing = self.writing(Scope::One(issuer)).await?;
        let done = files::append(&writing, (reconciliation, issuer), lines).await;
        ended(writing, done).await
    }

    async fn finish_reconciliation(
        &self,
        reconciliation: &Reconciliation,
        differences: &[DifferenceRecord],
        cleared: &[(DifferenceRecord, DifferenceEvent)],
    ) -> Result<()> {
        let writing = self.writing(Scope::One(reconciliation.issuer)).await?;
        let done = async {
            files::finish(&writing, reconciliation).await?;
            differences::insert_all(&writing, differences).await?;
            for (record, event) in cleared {
                differences::update(&writing, record, event).await?;
            }
            Ok(())
        };
        let done = done.await;
        ended(writing, done).await
    }

    async fn reconciliation(&self, id: ReconciliationId) -> Result<Option<Reconciliation>> {
        files::one(self, id).await
    }

    async fn reconciliation_of_file(
        &self,
        issuer: IssuerId,
        account: Account,
        digest: [u8; 32],
    ) -> Result<Option<Reconciliation>> {
        files::of_file(self, issuer, account, digest).await
    }

    async fn reconciliations(
        &self,
        issuer: IssuerId,
        before: Option<ReconciliationId>,
        limit: usize,
    ) -> Result<Page<Reconciliation>> {
        files::newest(self, issuer, before, limit).await
    }

    async fn reconciled_lines(
        &self,
        reconciliation: ReconciliationId,
        after: u32,
        limit: usize,
    ) -> Result<Vec<ReconciledLine>> {
        files::lines(self, reconciliation, after, limit).await
    }

    async fn own_records(&self, query: &OwnQuery, after: OperationId, limit: usize) -> Result<OwnRecords> {
        own::records(self, query, after, limit).await
    }

    async fn difference(&self, id: DifferenceId) -> Result<Option<DifferenceRecord>> {
        differences::one(self, id).await
    }

    async fn differences(
        &self,
        filter: &DifferenceFilter,
        before: Option<DifferenceId>,
        limit: usize,
    ) -> Result<Page<DifferenceRecord>> {
        differences::newest(self, filter, before, limit).await
    }

    async fn open_missing_there(
        &self,
        issuer: IssuerId,
        account: Account,
        after: Option<DifferenceId>,
        limit: usize,
    ) -> Result<Vec<DifferenceRecord>> {
        differences::missing(self, (issuer, account), after, limit).await
    }

    async fn update_difference(&self, record: &DifferenceRecord, event: &DifferenceEvent) -> Result<()> {
        let writing = self.writing(Scope::One(record.issuer)).await?;
        let done = differences::update(&writing, record, event).await;
        ended(writing, done).await
    }

    async fn difference_events(&self, id: DifferenceId) -> Result<Vec<DifferenceEvent>> {
        differences::events(self, id).await
    }

    async fn difference_ageing(&self, issuer: IssuerId, now: Timestamp) -> Result<Vec<Ageing>> {
        differences::ageing(self, issuer, now).await
    }

    async fn unposted_corrections(&self, limit: usize) -> Result<Vec<DifferenceRecord>> {
        differences::unposted(self, limit).await
    }

    async fn check_hour(&self, hour: i64) -> Result<HourCheck> {
        crate::ledger::check_hour(self, hour).await
    }
}
