//! Approvals are decided by people, and nothing in a simulation asks for them: they are left to the store in
//! memory.

use async_trait::async_trait;
use domain::{ApprovalId, BusinessDate, ClientId, Currency, IssuerId, Timestamp, role::LimitKind};
use storage::{
    Approval, ApprovalEvent, ApprovalFilter, ApprovalStore, Counted, Counting, Page, Result, UseStatus,
};

use super::Connection;

#[async_trait]
impl ApprovalStore for Connection {
    async fn count_use(&self, counting: &Counting) -> Result<Counted> {
        self.database.rest.count_use(counting).await
    }

    async fn uncount_use(&self, maker: ClientId, key: &str, attempt: u32, status: UseStatus) -> Result<()> {
        self.database.rest.uncount_use(maker, key, attempt, status).await
    }

    async fn used(
        &self,
        maker: ClientId,
        kind: LimitKind,
        currency: Currency,
        day: BusinessDate,
    ) -> Result<i64> {
        self.database.rest.used(maker, kind, currency, day).await
    }

    async fn approval(&self, id: ApprovalId) -> Result<Option<Approval>> {
        self.database.rest.approval(id).await
    }

    async fn approvals(
        &self,
        filter: &ApprovalFilter,
        before: Option<ApprovalId>,
        limit: usize,
    ) -> Result<Page<Approval>> {
        self.database.rest.approvals(filter, before, limit).await
    }

    async fn pending_approvals(&self, issuer: IssuerId) -> Result<u64> {
        self.database.rest.pending_approvals(issuer).await
    }

    async fn update_approval(&self, approval: &Approval, event: &ApprovalEvent) -> Result<()> {
        self.database.rest.update_approval(approval, event).await
    }

    async fn approval_events(&self, id: ApprovalId) -> Result<Vec<ApprovalEvent>> {
        self.database.rest.approval_events(id).await
    }

    async fn overdue_approvals(&self, now: Timestamp, limit: usize) -> Result<Vec<Approval>> {
        self.database.rest.overdue_approvals(now, limit).await
    }

    async fn unfinished_approvals(&self, decided_before: Timestamp, limit: usize) -> Result<Vec<Approval>> {
        self.database.rest.unfinished_approvals(decided_before, limit).await
    }
}
