//! Reconciliation: files, their lines, their differences. Reading the log runs beside the writer, and what a
//! file adds is written in portions, so that sales wait for no more than one of them.

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
    SqliteStore,
    statements::{conflict, insert, list, one_more, page},
};

#[async_trait]
impl ReconciliationStore for SqliteStore {
    async fn begin_reconciliation(&self, reconciliation: &Reconciliation) -> Result<()> {
        let file = reconciliation.clone();
        self.write(move |connection| files::begin(connection, &file)).await
    }

    async fn append_reconciled_lines(
        &self,
        reconciliation: ReconciliationId,
        issuer: IssuerId,
        lines: &[ReconciledLine],
    ) -> Result<()> {
        let lines = lines.to_vec();
        self.write(move |connection| files::append(connection, (reconciliation, issuer), &lines)).await
    }

    async fn finish_reconciliation(
        &self,
        reconciliation: &Reconciliation,
        differences: &[DifferenceRecord],
        cleared: &[(DifferenceRecord, DifferenceEvent)],
    ) -> Result<()> {
        let (file, found, cleared) = (reconciliation.clone(), differences.to_vec(), cleared.to_vec());
        self.write(move |connection| {
            files::finish(connection, &file)?;
            differences::insert_all(connection, &found)?;
            cleared.iter().try_for_each(|(record, event)| differences::update(connection, record, event))
        })
        .await
    }

    async fn reconciliation(&self, id: ReconciliationId) -> Result<Option<Reconciliation>> {
        self.point(|connection| files::one(connection, id)).await
    }

    async fn reconciliation_of_file(
        &self,
        issuer: IssuerId,
        account: Account,
        digest: [u8; 32],
    ) -> Result<Option<Reconciliation>> {
        self.point(|connection| files::of_file(connection, issuer, account, digest)).await
    }

    async fn reconciliations(
        &self,
        issuer: IssuerId,
        before: Option<ReconciliationId>,
        limit: usize,
    ) -> Result<Page<Reconciliation>> {
        self.long(move |connection| files::newest(connection, issuer, before, limit)).await
    }

    async fn reconciled_lines(
        &self,
        reconciliation: ReconciliationId,
        after: u32,
        limit: usize,
    ) -> Result<Vec<ReconciledLine>> {
        self.long(move |connection| files::lines(connection, reconciliation, after, limit)).await
    }

    async fn own_records(&self, query: &OwnQuery, after: OperationId, limit: usize) -> Result<OwnRecords> {
        let query = *query;
        self.long(move |connection| own::records(connection, &query, after, limit)).await
    }

    async fn difference(&self, id: DifferenceId) -> Result<Option<DifferenceRecord>> {
        self.point(|connection| differences::one(connection, id)).await
    }

    async fn differences(
        &self,
        filter: &DifferenceFilter,
        before: Option<DifferenceId>,
        limit: usize,
    ) -> Result<Page<DifferenceRecord>> {
        let filter = *filter;
        self.long(move |connection| differences::newest(connection, &filter, before, limit)).await
    }

    async fn open_missing_there(
        &self,
        issuer: IssuerId,
        account: Account,
        after: Option<DifferenceId>,
        limit: usize,
    ) -> Result<Vec<DifferenceRecord>> {
        self.long(move |connection| differences::missing(connection, (issuer, account), after, limit)).await
    }

    async fn update_difference(&self, record: &DifferenceRecord, event: &DifferenceEvent) -> Result<()> {
        let (record, event) = (record.clone(), event.clone());
        self.write(move |connection| differences::update(connection, &record, &event)).await
    }

    async fn difference_events(&self, id: DifferenceId) -> Result<Vec<DifferenceEvent>> {
        self.long(move |connection| differences::events(connection, id)).await
    }

    async fn difference_ageing(&self, issuer: IssuerId, now: Timestamp) -> Result<Vec<Ageing>> {
        self.long(move |connection| differences::ageing(connection, issuer, now)).await
    }

    async fn unposted_corrections(&self, limit: usize) -> Result<Vec<DifferenceRecord>> {
        self.long(move |connection| differences::unposted(connection, limit)).await
    }

    async fn check_hour(&self, hour: i64) -> Result<HourCheck> {
        self.long(move |connection| crate::ledger::check_hour(connection, hour)).await
    }
}
