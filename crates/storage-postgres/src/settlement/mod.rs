//! Settlement: agreements, statements with their lines, payouts.
//!
//! What the log adds is written by a constant number of statements over arrays, under the lock of the issuer's
//! cursor, which no sale takes.

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
    SettledBalances, SettlementProgress, SettlementStore, StatementFilter, queries::MAX_EXAMINED,
};

use crate::{
    PostgresStore,
    fields::Fields,
    jobs::clamp,
    statements::{conflict, ended, one_more, page},
    store::{Reading, Scope},
};

pub(crate) use movements::FOLLOWING;

/// Rows are reached by their indexes, whatever the tables held when statistics were last gathered.
pub(crate) async fn by_index(reading: &Reading) -> Result<()> {
    let sql = "SELECT set_config(name, 'off', true) FROM unnest(ARRAY['enable_seqscan', 'enable_bitmapscan', \
               'enable_hashjoin', 'enable_mergejoin']) AS name";
    reading.query(sql, &[]).await.map(drop)
}

/// A list in the order of ids downward.
struct Downward<'a> {
    table: &'a str,
    columns: &'a str,
    issuer: IssuerId,
    merchant: Option<MerchantId>,
    status: Option<i64>,
    /// The column that lies between `from` and `to`.
    day: &'a str,
    from: Option<BusinessDate>,
    to: Option<BusinessDate>,
    before: i64,
    limit: usize,
}

/// A page of what is accepted, of at most [`MAX_EXAMINED`] rows.
async fn downward<T>(
    store: &PostgresStore,
    down: &Downward<'_>,
    read: fn(&mut Fields<'_>) -> Result<T>,
    id: impl Fn(&T) -> i64,
) -> Result<Page<T>> {
    let Downward { table, columns, day, .. } = down;
    let place = if down.merchant.is_some() { "merchant_id" } else { "issuer_id" };
    let of = down.merchant.map_or(down.issuer.get(), MerchantId::get);
    let reading = store.reading(Scope::One(down.issuer)).await?;
    let stretch = format!(
        "SELECT count(*), min(id) FROM (SELECT id FROM {table} WHERE {place} = $1 AND id < $2 \
         ORDER BY id DESC LIMIT $3) AS stretch"
    );
    let found = reading.query(&stretch, &[&of, &down.before, &clamp(MAX_EXAMINED)]).await?;
    let (mut examined, mut lowest) = (0, None);
    if let Some(row) = found.first() {
        let mut f = Fields::new(row);
        (examined, lowest) = (f.narrow::<usize>()?, f.opt_int()?);
    }
    let sql = format!(
        "SELECT {columns} FROM {table} WHERE {place} = $1 AND id < $2 AND id >= $3 \
         AND ($4::bigint IS NULL OR status = $4) AND ($5::integer IS NULL OR {day} >= $5) \
         AND ($6::integer IS NULL OR {day} <= $6) ORDER BY id DESC LIMIT $7"
    );
    let from = lowest.unwrap_or(i64::MAX);
    let (first, last) = (down.from.map(BusinessDate::get), down.to.map(BusinessDate::get));
    let most = one_more(down.limit);
    let params: [crate::session::Param<'_>; 7] =
        [&of, &down.before, &from, &down.status, &first, &last, &most];
    let found = reading.query(&sql, &params).await?;
    reading.finish().await?;
    let items = found.iter().map(|row| read(&mut Fields::new(row))).collect::<Result<Vec<T>>>()?;
    let mut page = page(items, down.limit, id);
    page.next = page.next.or(lowest.filter(|_| examined >= MAX_EXAMINED));
    Ok(page)
}

#[async_trait]
impl SettlementStore for PostgresStore {
    async fn settled_balances(&self, issuer: IssuerId) -> Result<SettledBalances> {
        balances::read(self, issuer).await
    }

    async fn put_calendar_year(&self, issuer: IssuerId, year: i16, days: &[CalendarDay]) -> Result<()> {
        agreements::put_year(self, issuer, year, days).await
    }

    async fn calendar_days(&self, issuer: IssuerId, from: i16, to: i16) -> Result<Vec<CalendarDay>> {
        agreements::days(self, issuer, from, to).await
    }

    async fn append_agreement(&self, agreement: &Agreement) -> Result<()> {
        agreements::append(self, agreement).await
    }

    async fn agreement(&self, id: AgreementId) -> Result<Option<Agreement>> {
        agreements::one(self, id).await
    }

    async fn agreements(
        &self,
        issuer: IssuerId,
        merchant: Option<MerchantId>,
        before: Option<AgreementId>,
        limit: usize,
    ) -> Result<Page<Agreement>> {
        agreements::newest(self, issuer, merchant, before, limit).await
    }

    async fn append_payee(&self, payee: &Payee) -> Result<()> {
        agreements::append_payee(self, payee).await
    }

    async fn payee(&self, id: PayeeId) -> Result<Option<Payee>> {
        agreements::payee(self, id).await
    }

    async fn payees(
        &self,
        issuer: IssuerId,
        merchant: MerchantId,
        before: Option<PayeeId>,
        limit: usize,
    ) -> Result<Page<Payee>> {
        agreements::payees(self, issuer, merchant, before, limit).await
    }

    async fn accounts_not_under(
        &self,
        current: u8,
        after: Option<PayeeId>,
        limit: usize,
    ) -> Result<Vec<Payee>> {
        agreements::not_under(self, current, after, limit).await
    }

    async fn seal_accounts(&self, payees: &[Payee]) -> Result<()> {
        agreements::seal(self, payees).await
    }

    async fn payees_in_force(
        &self,
        issuer: IssuerId,
        merchants: &[MerchantId],
        on: BusinessDate,
    ) -> Result<Vec<Payee>> {
        agreements::in_force(self, issuer, merchants, on).await
    }

    async fn settlement_progress(&self, issuer: IssuerId) -> Result<SettlementProgress> {
        let found = self.one(Scope::One(issuer), accrual::CURSOR, &[&issuer.get()]).await?;
        Ok(accrual::read_cursor(&found)?.0)
    }

    async fn movements(&self, issuer: IssuerId, after: LogPosition, limit: usize) -> Result<MovementPage> {
        movements::read(self, issuer, after, limit).await
    }

    async fn accrue(&self, accrual: &Accrual) -> Result<()> {
        accrual::write(self, accrual).await
    }

    async fn unfinished_statements(
        &self,
        issuer: IssuerId,
        after: Option<StatementId>,
        limit: usize,
    ) -> Result<Vec<Statement>> {
        statements::unfinished(self, issuer, after, limit).await
    }

    async fn open_sums(&self, issuer: IssuerId) -> Result<Vec<OpenSums>> {
        statements::open_sums(self, issuer).await
    }

    async fn latest_statements(
        &self,
        issuer: IssuerId,
        after: Option<(MerchantId, Currency)>,
        limit: usize,
    ) -> Result<Vec<Statement>> {
        statements::latest(self, issuer, after, limit).await
    }

    async fn settled(&self, keys: &[(OperationId, MerchantId)]) -> Result<Vec<Settled>> {
        statements::settled(self, keys).await
    }

    async fn begin_closing(&self, closing: &Closing) -> Result<()> {
        closing::begin(self, closing).await
    }

    async fn finish_closing(&self, closed: &[Closed]) -> Result<()> {
        closing::finish(self, closed).await
    }

    async fn receivers(
        &self,
        issuer: IssuerId,
        statements: &[StatementId],
    ) -> Result<Vec<(StatementId, MerchantId, i64)>> {
        statements::receivers(self, issuer, statements).await
    }

    async fn statement(&self, id: StatementId) -> Result<Option<Statement>> {
        statements::one(self, id).await
    }

    async fn statements(
        &self,
        filter: &StatementFilter,
        before: Option<StatementId>,
        limit: usize,
    ) -> Result<Page<Statement>> {
        statements::newest(self, filter, before, limit).await
    }

    async fn statement_lines(
        &self,
        statement: StatementId,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<Settled>> {
        statements::lines_of(self, statement, before, limit).await
    }

    async fn lines(
        &self,
        issuer: IssuerId,
        after: (OperationId, MerchantId),
        below: OperationId,
        limit: usize,
    ) -> Result<Vec<Line>> {
        statements::lines(self, issuer, after, below, limit).await
    }

    async fn payout(&self, id: PayoutId) -> Result<Option<Payout>> {
        payouts::one(self, id).await
    }

    async fn payouts(
        &self,
        filter: &PayoutFilter,
        before: Option<PayoutId>,
        limit: usize,
    ) -> Result<Page<Payout>> {
        payouts::newest(self, filter, before, limit).await
    }

    async fn uncredited_payouts(
        &self,
        issuer: IssuerId,
        after: Option<PayoutId>,
        limit: usize,
    ) -> Result<Vec<Payout>> {
        payouts::uncredited(self, issuer, after, limit).await
    }

    async fn update_payouts(&self, payouts: &[Payout]) -> Result<()> {
        payouts::update(self, payouts).await
    }
}
