//! Settlement: agreements, statements with their lines, payouts.
//!
//! Reading the log runs on reading connections beside the writer; what is written of it is one append to the
//! lines and one row of the cursor, so that sales wait for no more than that.

mod accrual;
mod agreements;
pub(crate) mod balances;
mod closing;
mod movements;
mod payouts;
pub(crate) mod rows;
mod statements;

use async_trait::async_trait;
use domain::{
    AgreementId, BusinessDate, Currency, IssuerId, MerchantId, OperationId, PayeeId, PayoutId, StatementId,
};
use settlement::{Agreement, CalendarDay, Line, Payee, Payout, Statement};
use storage::{
    Accrual, Closed, Closing, LogPosition, MovementPage, OpenSums, Page, PayoutFilter, Result, Settled,
    SettledBalances, SettlementProgress, SettlementStore, StatementFilter,
};

use crate::{
    SqliteStore,
    statements::{conflict, list, one_more, page},
};

#[async_trait]
impl SettlementStore for SqliteStore {
    async fn settled_balances(&self, issuer: IssuerId) -> Result<SettledBalances> {
        self.long(move |connection| balances::read(connection, issuer)).await
    }

    async fn put_calendar_year(&self, issuer: IssuerId, year: i16, days: &[CalendarDay]) -> Result<()> {
        let days = days.to_vec();
        self.write(move |connection| agreements::put_year(connection, issuer, year, &days)).await
    }

    async fn calendar_days(&self, issuer: IssuerId, from: i16, to: i16) -> Result<Vec<CalendarDay>> {
        self.long(move |connection| agreements::days(connection, issuer, from, to)).await
    }

    async fn append_agreement(&self, agreement: &Agreement) -> Result<()> {
        let agreement = agreement.clone();
        self.write(move |connection| agreements::append(connection, &agreement)).await
    }

    async fn agreement(&self, id: AgreementId) -> Result<Option<Agreement>> {
        self.point(|connection| agreements::one(connection, id)).await
    }

    async fn agreements(
        &self,
        issuer: IssuerId,
        merchant: Option<MerchantId>,
        before: Option<AgreementId>,
        limit: usize,
    ) -> Result<Page<Agreement>> {
        self.long(move |connection| agreements::newest(connection, issuer, merchant, before, limit)).await
    }

    async fn append_payee(&self, payee: &Payee) -> Result<()> {
        let payee = payee.clone();
        self.write(move |connection| agreements::append_payee(connection, &payee)).await
    }

    async fn payee(&self, id: PayeeId) -> Result<Option<Payee>> {
        self.point(|connection| agreements::payee(connection, id)).await
    }

    async fn payees(
        &self,
        issuer: IssuerId,
        merchant: MerchantId,
        before: Option<PayeeId>,
        limit: usize,
    ) -> Result<Page<Payee>> {
        self.long(move |connection| agreements::payees(connection, issuer, merchant, before, limit)).await
    }

    async fn accounts_not_under(
        &self,
        current: u8,
        after: Option<PayeeId>,
        limit: usize,
    ) -> Result<Vec<Payee>> {
        self.long(move |connection| agreements::not_under(connection, current, after, limit)).await
    }

    async fn seal_accounts(&self, payees: &[Payee]) -> Result<()> {
        let payees = payees.to_vec();
        self.write(move |connection| agreements::seal(connection, &payees)).await
    }

    async fn payees_in_force(
        &self,
        issuer: IssuerId,
        merchants: &[MerchantId],
        on: BusinessDate,
    ) -> Result<Vec<Payee>> {
        let merchants = merchants.to_vec();
        self.long(move |connection| agreements::in_force(connection, issuer, &merchants, on)).await
    }

    async fn settlement_progress(&self, issuer: IssuerId) -> Result<SettlementProgress> {
        self.point(|connection| Ok(accrual::cursor(connection, issuer)?.0)).await
    }

    async fn movements(&self, issuer: IssuerId, after: LogPosition, limit: usize) -> Result<MovementPage> {
        self.long(move |connection| movements::read(connection, issuer, after, limit)).await
    }

    async fn accrue(&self, accrual: &Accrual) -> Result<()> {
        let accrual = accrual.clone();
        self.write(move |connection| accrual::write(connection, &accrual)).await
    }

    async fn unfinished_statements(
        &self,
        issuer: IssuerId,
        after: Option<StatementId>,
        limit: usize,
    ) -> Result<Vec<Statement>> {
        self.long(move |connection| statements::unfinished(connection, issuer, after, limit)).await
    }

    async fn open_sums(&self, issuer: IssuerId) -> Result<Vec<OpenSums>> {
        self.long(move |connection| statements::open_sums(connection, issuer)).await
    }

    async fn latest_statements(
        &self,
        issuer: IssuerId,
        after: Option<(MerchantId, Currency)>,
        limit: usize,
    ) -> Result<Vec<Statement>> {
        self.long(move |connection| statements::latest(connection, issuer, after, limit)).await
    }

    async fn settled(&self, keys: &[(OperationId, MerchantId)]) -> Result<Vec<Settled>> {
        let keys = keys.to_vec();
        self.long(move |connection| statements::settled(connection, &keys)).await
    }

    async fn begin_closing(&self, closing: &Closing) -> Result<()> {
        let closing = closing.clone();
        self.write(move |connection| closing::begin(connection, &closing)).await
    }

    async fn finish_closing(&self, closed: &[Closed]) -> Result<()> {
        let closed = closed.to_vec();
        self.write(move |connection| closing::finish(connection, &closed)).await
    }

    async fn receivers(
        &self,
        issuer: IssuerId,
        statements: &[StatementId],
    ) -> Result<Vec<(StatementId, MerchantId, i64)>> {
        let ids = statements.to_vec();
        self.long(move |connection| statements::receivers(connection, issuer, &ids)).await
    }

    async fn statement(&self, id: StatementId) -> Result<Option<Statement>> {
        self.point(|connection| statements::one(connection, id)).await
    }

    async fn statements(
        &self,
        filter: &StatementFilter,
        before: Option<StatementId>,
        limit: usize,
    ) -> Result<Page<Statement>> {
        let filter = *filter;
        self.long(move |connection| statements::newest(connection, &filter, before, limit)).await
    }

    async fn statement_lines(
        &self,
        statement: StatementId,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<Settled>> {
        self.long(move |connection| statements::lines_of(connection, statement, before, limit)).await
    }

    async fn lines(
        &self,
        issuer: IssuerId,
        after: (OperationId, MerchantId),
        below: OperationId,
        limit: usize,
    ) -> Result<Vec<Line>> {
        self.long(move |connection| statements::lines(connection, issuer, after, below, limit)).await
    }

    async fn payout(&self, id: PayoutId) -> Result<Option<Payout>> {
        self.point(|connection| payouts::one(connection, id)).await
    }

    async fn payouts(
        &self,
        filter: &PayoutFilter,
        before: Option<PayoutId>,
        limit: usize,
    ) -> Result<Page<Payout>> {
        let filter = *filter;
        self.long(move |connection| payouts::newest(connection, &filter, before, limit)).await
    }

    async fn uncredited_payouts(
        &self,
        issuer: IssuerId,
        after: Option<PayoutId>,
        limit: usize,
    ) -> Result<Vec<Payout>> {
        self.long(move |connection| payouts::uncredited(connection, issuer, after, limit)).await
    }

    async fn update_payouts(&self, payouts: &[Payout]) -> Result<()> {
        let payouts = payouts.to_vec();
        self.write(move |connection| payouts::update(connection, &payouts)).await
    }
}
