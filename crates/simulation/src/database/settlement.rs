//! Settlement follows the log beside the write path, and nothing in a simulation asks for it: it is left to the
//! store in memory.

use async_trait::async_trait;
use domain::{
    AgreementId, BusinessDate, Currency, IssuerId, MerchantId, OperationId, PayeeId, PayoutId, StatementId,
};
use settlement::{Agreement, CalendarDay, Line, Payee, Payout, Statement};
use storage::{
    Accrual, Closed, Closing, LogPosition, MovementPage, OpenSums, Page, PayoutFilter, Result, Settled,
    SettledBalances, SettlementProgress, SettlementStore, StatementFilter,
};

use super::Connection;

#[async_trait]
impl SettlementStore for Connection {
    async fn settled_balances(&self, issuer: IssuerId) -> Result<SettledBalances> {
        self.database.rest.settled_balances(issuer).await
    }

    async fn put_calendar_year(&self, issuer: IssuerId, year: i16, days: &[CalendarDay]) -> Result<()> {
        self.database.rest.put_calendar_year(issuer, year, days).await
    }

    async fn calendar_days(&self, issuer: IssuerId, from: i16, to: i16) -> Result<Vec<CalendarDay>> {
        self.database.rest.calendar_days(issuer, from, to).await
    }

    async fn append_agreement(&self, agreement: &Agreement) -> Result<()> {
        self.database.rest.append_agreement(agreement).await
    }

    async fn agreement(&self, id: AgreementId) -> Result<Option<Agreement>> {
        self.database.rest.agreement(id).await
    }

    async fn agreements(
        &self,
        issuer: IssuerId,
        merchant: Option<MerchantId>,
        before: Option<AgreementId>,
        limit: usize,
    ) -> Result<Page<Agreement>> {
        self.database.rest.agreements(issuer, merchant, before, limit).await
    }

    async fn append_payee(&self, payee: &Payee) -> Result<()> {
        self.database.rest.append_payee(payee).await
    }

    async fn payee(&self, id: PayeeId) -> Result<Option<Payee>> {
        self.database.rest.payee(id).await
    }

    async fn payees(
        &self,
        issuer: IssuerId,
        merchant: MerchantId,
        before: Option<PayeeId>,
        limit: usize,
    ) -> Result<Page<Payee>> {
        self.database.rest.payees(issuer, merchant, before, limit).await
    }

    async fn accounts_not_under(
        &self,
        current: u8,
        after: Option<PayeeId>,
        limit: usize,
    ) -> Result<Vec<Payee>> {
        self.database.rest.accounts_not_under(current, after, limit).await
    }

    async fn seal_accounts(&self, payees: &[Payee]) -> Result<()> {
        self.database.rest.seal_accounts(payees).await
    }

    async fn payees_in_force(
        &self,
        issuer: IssuerId,
        merchants: &[MerchantId],
        on: BusinessDate,
    ) -> Result<Vec<Payee>> {
        self.database.rest.payees_in_force(issuer, merchants, on).await
    }

    async fn settlement_progress(&self, issuer: IssuerId) -> Result<SettlementProgress> {
        self.database.rest.settlement_progress(issuer).await
    }

    async fn movements(&self, issuer: IssuerId, after: LogPosition, limit: usize) -> Result<MovementPage> {
        self.database.rest.movements(issuer, after, limit).await
    }

    async fn accrue(&self, accrual: &Accrual) -> Result<()> {
        self.database.rest.accrue(accrual).await
    }

    async fn unfinished_statements(
        &self,
        issuer: IssuerId,
        after: Option<StatementId>,
        limit: usize,
    ) -> Result<Vec<Statement>> {
        self.database.rest.unfinished_statements(issuer, after, limit).await
    }

    async fn open_sums(&self, issuer: IssuerId) -> Result<Vec<OpenSums>> {
        self.database.rest.open_sums(issuer).await
    }

    async fn latest_statements(
        &self,
        issuer: IssuerId,
        after: Option<(MerchantId, Currency)>,
        limit: usize,
    ) -> Result<Vec<Statement>> {
        self.database.rest.latest_statements(issuer, after, limit).await
    }

    async fn settled(&self, keys: &[(OperationId, MerchantId)]) -> Result<Vec<Settled>> {
        self.database.rest.settled(keys).await
    }

    async fn begin_closing(&self, closing: &Closing) -> Result<()> {
        self.database.rest.begin_closing(closing).await
    }

    async fn finish_closing(&self, closed: &[Closed]) -> Result<()> {
        self.database.rest.finish_closing(closed).await
    }

    async fn receivers(
        &self,
        issuer: IssuerId,
        statements: &[StatementId],
    ) -> Result<Vec<(StatementId, MerchantId, i64)>> {
        self.database.rest.receivers(issuer, statements).await
    }

    async fn statement(&self, id: StatementId) -> Result<Option<Statement>> {
        self.database.rest.statement(id).await
    }

    async fn statements(
        &self,
        filter: &StatementFilter,
        before: Option<StatementId>,
        limit: usize,
    ) -> Result<Page<Statement>> {
        self.database.rest.statements(filter, before, limit).await
    }

    async fn statement_lines(
        &self,
        statement: StatementId,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<Settled>> {
        self.database.rest.statement_lines(statement, before, limit).await
    }

    async fn lines(
        &self,
        issuer: IssuerId,
        after: (OperationId, MerchantId),
        below: OperationId,
        limit: usize,
    ) -> Result<Vec<Line>> {
        self.database.rest.lines(issuer, after, below, limit).await
    }

    async fn payout(&self, id: PayoutId) -> Result<Option<Payout>> {
        self.database.rest.payout(id).await
    }

    async fn payouts(
        &self,
        filter: &PayoutFilter,
        before: Option<PayoutId>,
        limit: usize,
    ) -> Result<Page<Payout>> {
        self.database.rest.payouts(filter, before, limit).await
    }

    async fn uncredited_payouts(
        &self,
        issuer: IssuerId,
        after: Option<PayoutId>,
        limit: usize,
    ) -> Result<Vec<Payout>> {
        self.database.rest.uncredited_payouts(issuer, after, limit).await
    }

    async fn update_payouts(&self, payouts: &[Payout]) -> Result<()> {
        self.database.rest.update_payouts(payouts).await
    }
}
