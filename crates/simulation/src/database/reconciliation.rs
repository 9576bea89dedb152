//! Reconciliation reads the log beside the write path, and nothing in a simulation asks for it: it is left to
//! the store in memory.

use async_trait::async_trait;
use domain::{Account, DifferenceId, IssuerId, OperationId, ReconciliationId, Timestamp};
use storage::{
    Ageing, DifferenceEvent, DifferenceFilter, DifferenceRecord, HourCheck, OwnQuery, OwnRecords, Page,
    ReconciledLine, Reconciliation, ReconciliationStore, Result,
};

use super::Connection;

#[async_trait]
impl ReconciliationStore for Connection {
    async fn begin_reconciliation(&self, reconciliation: &Reconciliation) -> Result<()> {
        self.database.rest.begin_reconciliation(reconciliation).await
    }

    async fn append_reconciled_lines(
        &self,
        reconciliation: ReconciliationId,
        issuer: IssuerId,
        lines: &[ReconciledLine],
    ) -> Result<()> {
        self.database.rest.append_reconciled_lines(reconciliation, issuer, lines).await
    }

    async fn finish_reconciliation(
        &self,
        reconciliation: &Reconciliation,
        differences: &[DifferenceRecord],
        cleared: &[(DifferenceRecord, DifferenceEvent)],
    ) -> Result<()> {
        self.database.rest.finish_reconciliation(reconciliation, differences, cleared).await
    }

    async fn reconciliation(&self, id: ReconciliationId) -> Result<Option<Reconciliation>> {
        self.database.rest.reconciliation(id).await
    }

    async fn reconciliation_of_file(
        &self,
        issuer: IssuerId,
        account: Account,
        digest: [u8; 32],
    ) -> Result<Option<Reconciliation>> {
        self.database.rest.reconciliation_of_file(issuer, account, digest).await
    }

    async fn reconciliations(
        &self,
        issuer: IssuerId,
        before: Option<ReconciliationId>,
        limit: usize,
    ) -> Result<Page<Reconciliation>> {
        self.database.rest.reconciliations(issuer, before, limit).await
    }

    async fn reconciled_lines(
        &self,
        reconciliation: ReconciliationId,
        after: u32,
        limit: usize,
    ) -> Result<Vec<ReconciledLine>> {
        self.database.rest.reconciled_lines(reconciliation, after, limit).await
    }

    async fn own_records(&self, query: &OwnQuery, after: OperationId, limit: usize) -> Result<OwnRecords> {
        self.database.rest.own_records(query, after, limit).await
    }

    async fn difference(&self, id: DifferenceId) -> Result<Option<DifferenceRecord>> {
        self.database.rest.difference(id).await
    }

    async fn differences(
        &self,
        filter: &DifferenceFilter,
        before: Option<DifferenceId>,
        limit: usize,
    ) -> Result<Page<DifferenceRecord>> {
        self.database.rest.differences(filter, before, limit).await
    }

    async fn open_missing_there(
        &self,
        issuer: IssuerId,
        account: Account,
        after: Option<DifferenceId>,
        limit: usize,
    ) -> Result<Vec<DifferenceRecord>> {
        self.database.rest.open_missing_there(issuer, account, after, limit).await
    }

    async fn update_difference(&self, record: &DifferenceRecord, event: &DifferenceEvent) -> Result<()> {
        self.database.rest.update_difference(record, event).await
    }

    async fn difference_events(&self, id: DifferenceId) -> Result<Vec<DifferenceEvent>> {
        self.database.rest.difference_events(id).await
    }

    async fn difference_ageing(&self, issuer: IssuerId, now: Timestamp) -> Result<Vec<Ageing>> {
        self.database.rest.difference_ageing(issuer, now).await
    }

    async fn unposted_corrections(&self, limit: usize) -> Result<Vec<DifferenceRecord>> {
        self.database.rest.unposted_corrections(limit).await
    }

    async fn check_hour(&self, hour: i64) -> Result<HourCheck> {
        self.database.rest.check_hour(hour).await
    }
}
