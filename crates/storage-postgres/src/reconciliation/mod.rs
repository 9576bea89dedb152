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
    ReconciledLine, Reconciliation, ReconciliationStore, Result,
};

use crate::{
    PostgresStore,
    statements::{conflict, each, ended, one_more, page},
    store::Scope,
};

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
