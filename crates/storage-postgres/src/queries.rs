//! Reading for screens and reports, on connections of their own.
//!
//! Where a port names an issuer, the session sees that issuer's rows only. Lists still look at a bounded
//! number of rows of all issuers: the bounds of each stretch are found first, as ids alone.

use async_trait::async_trait;
use domain::{
    Account, Card, CardId, ClientId, Hold, HoldId, IdempotencyKey, IssuerId, MerchantId, Operation,
    OperationId, OperationKind, StoreId, TerminalId, Timestamp, command::NumberIndex, ids::floor_of,
};
use storage::{
    AccountTotals, BalanceLine, ExpirySpan, OperationFilter, Page, Queries, Result, TransferFilter,
    TransferRow, queries::MAX_EXAMINED,
};

use crate::{
    PostgresStore,
    fields::Fields,
    jobs::clamp,
    ledger::{self, SLACK_SECONDS},
    rows::{card, hold, operation, transfer},
    session::Param,
    store::{Reading, SET_SCOPE, Scope},
};

/// Operations that one statement looks at, for the first page and for those after it.
const FIRST_STRETCH: usize = 500;
const STRETCH: usize = 4_000;
/// The same where what does not fit stays in the database.
const FILTERED_STRETCH: usize = MAX_EXAMINED;
/// Links of a card's chain that one statement follows.
const LINKS: i64 = 200;

#[async_trait]
impl Queries for PostgresStore {
    async fn card(&self, id: CardId) -> Result<Option<Card>> {
        let rows = self.one(Scope::All, card::BY_ID, &[&id.get()]).await?;
        rows.first().map(card::read).transpose()
    }

    async fn card_by_number(&self, indexes: &[NumberIndex]) -> Result<Option<Card>> {
        let numbers: Vec<&[u8]> = indexes.iter().map(|index| &index.0[..]).collect();
        let rows = self.one(Scope::All, card::BY_NUMBERS, &[&numbers]).await?;
        rows.first().map(card::read).transpose()
    }

    async fn expiring_cards(&self, span: &ExpirySpan, limit: usize) -> Result<Vec<Card>> {
        let (end, id) = (span.after.0.micros(), span.after.1.get());
        let (until, issuer) = (span.until.micros(), span.issuer.get());
        let rows = self.one(Scope::All, card::EXPIRING, &[&end, &id, &until, &issuer, &clamp(limit)]).await?;
        rows.iter().map(card::read).collect()
    }

    async fn holds_of(&self, card: CardId, limit: usize) -> Result<Vec<Hold>> {
        let rows = self.one(Scope::All, hold::OF_CARD, &[&card.get(), &clamp(limit)]).await?;
        rows.iter().map(hold::read).collect()
    }

    async fn hold(&self, id: HoldId) -> Result<Option<Hold>> {
        let rows = self.one(Scope::All, hold::BY_IDS, &[&vec![id.get()]]).await?;
        rows.first().map(hold::read).transpose()
    }

    async fn newest_operation(&self) -> Result<Option<OperationId>> {
        let rows = self.one(Scope::All, "SELECT max(id) FROM operation", &[]).await?;
        let newest = rows.first().map(|row| Fields::new(row).opt_int()).transpose()?;
        Ok(newest.flatten().map(OperationId::new))
    }

    async fn operation(&self, id: OperationId) -> Result<Option<Operation>> {
        let rows = self.one(Scope::All, operation::BY_IDS, &[&vec![id.get()]]).await?;
        rows.first().map(operation::read).transpose()
    }

    async fn operation_by_key(&self, client: ClientId, key: &IdempotencyKey) -> Result<Option<Operation>> {
        let (clients, keys) = (vec![client.get()], vec![&key.bytes()[..]]);
        let rows = self.one(Scope::All, operation::BY_KEYS, &[&clients, &keys]).await?;
        rows.first().map(operation::read).transpose()
    }

    async fn operations(
        &self,
        filter: &OperationFilter,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<Operation>> {
        let reading = self.reading(Scope::One(filter.issuer)).await?;
        let page = match filter.card {
            Some(card) => operations_of_card(&reading, filter, card, before, limit).await?,
            None => operations_downward(&reading, filter, before, limit).await?,
        };
        reading.finish().await?;
        Ok(page)
    }

    async fn transfers(
        &self,
        filter: &TransferFilter,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<TransferRow>> {
        let reading = self.reading(Scope::One(filter.issuer)).await?;
        let page = match (filter.operation, filter.account) {
            (None, Some(Account::Card(card))) => {
                transfers_of_card(&reading, filter, card, before, limit).await?
            }
            _ => transfers_downward(&reading, filter, before, limit).await?,
        };
        reading.finish().await?;
        Ok(page)
    }

    async fn trial_balance(&self, issuer: IssuerId, at: Option<Timestamp>) -> Result<Vec<BalanceLine>> {
        ledger::balances(self, issuer, None, at).await
    }

    async fn account_totals(
        &self,
        issuer: IssuerId,
        account: Account,
        at: Option<Timestamp>,
    ) -> Result<Vec<AccountTotals>> {
        ledger::account_totals(self, issuer, account, at).await
    }
}

/// A card's operations, newest first: a walk along primary keys, many links at a time.
pub(crate) struct Chain {
    card: CardId,
    next: Option<OperationId>,
}

impl Chain {
    /// From the newest operation, or from the one before `before` where that is one of the card's.
    pub(crate) async fn new(reading: &Reading, card: CardId, before: Option<OperationId>) -> Result<Self> {
        if let Some(before) = before {
            let rows = reading.query(operation::BY_IDS, &[&vec![before.get()]]).await?;
            if let Some(operation) = rows.first().map(operation::read).transpose()?
                && names(&operation, card)
            {
                return Ok(Self { card, next: previous(&operation, card) });
            }
        }
        let newest = "SELECT last_operation_id FROM card WHERE id = $1";
        let rows = reading.query(newest, &[&card.get()]).await?;
        let newest = rows.first().map(|row| Fields::new(row).opt_int()).transpose()?;
        Ok(Self { card, next: newest.flatten().map(OperationId::new) })
    }

    /// The next operations; empty at the end.
    pub(crate) async fn next(&mut self, reading: &Reading) -> Result<Vec<Operation>> {
        let Some(from) = self.next.take() else { return Ok(Vec::new()) };
        let rows = reading.query(operation::CHAIN, &[&self.card.get(), &from.get(), &LINKS]).await?;
        let operations: Vec<Operation> = rows.iter().map(operation::read).collect::<Result<_>>()?;
        if let Some(last) = operations.last() {
            // Damaged data must not make a loop.
            self.next = previous(last, self.card).filter(|previous| *previous < last.id);
        }
        Ok(operations)
    }
}

fn names(operation: &Operation, card: CardId) -> bool {
    [operation.card, operation.counterpart].into_iter().flatten().any(|after| after.id == card)
}

fn previous(operation: &Operation, card: CardId) -> Option<OperationId> {
    let after = [operation.card, operation.counterpart].into_iter().flatten().find(|after| after.id == card);
    after.and_then(|after| after.previous)
}

/// The ids among which operations of a span of time are.
struct Span {
    from: i64,
    below: i64,
}

impl Span {
    fn of(from: Option<Timestamp>, to: Option<Timestamp>, before: Option<OperationId>) -> Self {
        let from = from.map_or(i64::MIN, |at| floor_of(at.plus_seconds(-SLACK_SECONDS)));
        let below = to.map_or(i64::MAX, |at| floor_of(at.plus_seconds(SLACK_SECONDS)).saturating_add(1));
        Self { from, below: below.min(before.map_or(i64::MAX, OperationId::get)) }
    }

    /// The newest part of it that holds at most `most` operations, of whatever issuer, and how many those
    /// are. What is before that part remains.
    async fn stretch(&mut self, reading: &Reading, issuer: IssuerId, most: usize) -> Result<(Span, usize)> {
        // Ids of other issuers are looked at here, to bound the work, and nothing else of them.
        reading.query(SET_SCOPE, &[&Scope::All.setting()]).await?;
        let sql = "SELECT count(*), min(id) FROM (SELECT o.id FROM operation o WHERE o.id < $1 AND o.id >= $2 \
                   ORDER BY o.id DESC LIMIT $3) AS stretch";
        let rows = reading.query(sql, &[&self.below, &self.from, &clamp(most)]).await?;
        reading.query(SET_SCOPE, &[&Scope::One(issuer).setting()]).await?;
        let mut count = 0;
        let mut lowest = self.from;
        if let Some(row) = rows.first() {
            let mut f = Fields::new(row);
            count = f.narrow()?;
            lowest = f.opt_int()?.unwrap_or(self.from);
        }
        let stretch = Span { from: lowest, below: self.below };
        self.below = lowest;
        Ok((stretch, count))
    }
}

fn within(from: Option<Timestamp>, to: Option<Timestamp>, at: Timestamp) -> bool {
    from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to)
}

fn accepts(filter: &OperationFilter, operation: &Operation) -> bool {
    fn same<T: PartialEq + Copy>(wanted: Option<T>, found: Option<T>) -> bool {
        wanted.is_none() || wanted == found
    }
    operation.issuer == filter.issuer
        && same(filter.kind, Some(operation.kind))
        && same(filter.approved, Some(operation.is_approved()))
        && same(filter.merchant, operation.merchant)
        && same(filter.store, operation.store)
        && same(filter.terminal, operation.terminal)
        && same(filter.client, Some(operation.client))
        && within(filter.from, filter.to, operation.at)
}

/// Collects a page: items until there are enough and one more is known to follow, or until too much was
/// looked at.
struct Pager<T> {
    items: Vec<T>,
    limit: usize,
    examined: usize,
    /// The operation of the newest items, where the page may end.
    last_item: Option<i64>,
    next: Option<i64>,
}

impl<T> Pager<T> {
    fn new(limit: usize) -> Self {
        Self { items: Vec::new(), limit, examined: 0, last_item: None, next: None }
    }

    /// Takes what an operation gives, perhaps nothing. `false` when the page is finished.
    fn take(&mut self, operation: OperationId, found: impl IntoIterator<Item = T>) -> bool {
        let mut found = found.into_iter().peekable();
        if found.peek().is_none() {
            return true;
        }
        if self.items.len() >= self.limit {
            self.next = self.last_item.or(Some(operation.get().saturating_add(1)));
            return false;
        }
        self.items.extend(found);
        self.last_item = Some(operation.get());
        true
    }

    /// How many operations the next statement should look at.
    fn appetite(&self) -> usize {
        self.appetite_of(STRETCH)
    }

    fn appetite_of(&self, stretch: usize) -> usize {
        let stretch = if self.examined == 0 { FIRST_STRETCH } else { stretch };
        stretch.min(MAX_EXAMINED - self.examined.min(MAX_EXAMINED))
    }

    /// Counts what was looked at, down to `lowest`. `false` when that is enough for one page.
    fn looked_at(&mut self, operations: usize, lowest: i64) -> bool {
        self.examined += operations;
        if self.examined >= MAX_EXAMINED {
            self.next = Some(lowest);
            return false;
        }
        true
    }

    fn page(self) -> Page<T> {
        Page { items: self.items, next: self.next }
    }
}

async fn operations_downward(
    reading: &Reading,
    filter: &OperationFilter,
    before: Option<OperationId>,
    limit: usize,
) -> Result<Page<Operation>> {
    let mut span = Span::of(filter.from, filter.to, before);
    let mut pager = Pager::new(limit);
    loop {
        let most = pager.appetite_of(FILTERED_STRETCH);
        let (stretch, count) = span.stretch(reading, filter.issuer, most).await?;
        if count == 0 {
            return Ok(pager.page());
        }
        let wanted = limit.saturating_sub(pager.items.len()).saturating_add(1);
        for operation in matching(reading, filter, &stretch, wanted).await? {
            let id = operation.id;
            if !pager.take(id, Some(operation)) {
                return Ok(pager.page());
            }
        }
        if !pager.looked_at(count, stretch.from) || count < most {
            return Ok(pager.page());
        }
    }
}

async fn matching(
    reading: &Reading,
    filter: &OperationFilter,
    stretch: &Span,
    most: usize,
) -> Result<Vec<Operation>> {
    let values: [Param<'_>; 12] = [
        &stretch.below,
        &stretch.from,
        &clamp(most),
        &filter.issuer.get(),
        &filter.kind.map(OperationKind::number),
        &filter.approved,
        &filter.merchant.map(MerchantId::get),
        &filter.store.map(StoreId::get),
        &filter.terminal.map(TerminalId::get),
        &filter.client.map(ClientId::get),
        &filter.from.map(Timestamp::micros),
        &filter.to.map(Timestamp::micros),
    ];
    reading.query(operation::DOWNWARD, &values).await?.iter().map(operation::read).collect()
}

async fn operations_of_card(
    reading: &Reading,
    filter: &OperationFilter,
    card: CardId,
    before: Option<OperationId>,
    limit: usize,
) -> Result<Page<Operation>> {
    let mut pager = Pager::new(limit);
    let mut chain = Chain::new(reading, card, before).await?;
    loop {
        let operations = chain.next(reading).await?;
        let (count, last) = (operations.len(), operations.last().map(|operation| operation.id.get()));
        let Some(last) = last else { return Ok(pager.page()) };
        for operation in operations {
            let id = operation.id;
            let wanted =
                |operation: &Operation| before.is_none_or(|end| id < end) && accepts(filter, operation);
            if !pager.take(id, Some(operation).filter(wanted)) {
                return Ok(pager.page());
            }
        }
        if !pager.looked_at(count, last) {
            return Ok(pager.page());
        }
    }
}

async fn transfers_downward(
    reading: &Reading,
    filter: &TransferFilter,
    before: Option<OperationId>,
    limit: usize,
) -> Result<Page<TransferRow>> {
    let mut span = Span::of(filter.from, filter.to, before);
    if let Some(only) = filter.operation {
        span.from = span.from.max(only.get());
        span.below = span.below.min(only.get().saturating_add(1));
    }
    let mut pager = Pager::new(limit);
    loop {
        let most = pager.appetite();
        let (stretch, count) = span.stretch(reading, filter.issuer, most).await?;
        if count == 0 {
            return Ok(pager.page());
        }
        let rows = reading.query(transfer::DOWNWARD, &[&stretch.below, &stretch.from]).await?;
        let mut rows = rows.iter().peekable();
        while let Some((id, group)) = next_group(&mut rows, filter)? {
            if !pager.take(id, group) {
                return Ok(pager.page());
            }
        }
        if !pager.looked_at(count, stretch.from) || count < most {
            return Ok(pager.page());
        }
    }
}

/// The transfers of the next operation, as far as they are asked for.
fn next_group<'r>(
    rows: &mut std::iter::Peekable<impl Iterator<Item = &'r tokio_postgres::Row>>,
    filter: &TransferFilter,
) -> Result<Option<(OperationId, Vec<TransferRow>)>> {
    let operation_of = |row: &tokio_postgres::Row| Fields::new(row).int();
    let Some(first) = rows.peek() else { return Ok(None) };
    let id = operation_of(first)?;
    let mut group = Vec::new();
    while let Some(row) = rows.next_if(|row| operation_of(row).is_ok_and(|other| other == id)) {
        let mut fields = Fields::new(row);
        let found = transfer::read(&mut fields)?;
        let kind = fields.coded(domain::OperationKind::from_number)?;
        let (at, issuer) = (fields.time()?, IssuerId::new(fields.int()?));
        if issuer == filter.issuer && within(filter.from, filter.to, at) && involves(filter, &found) {
            let currency = ledger::currency(ledger::currency_code(&mut fields)?)?;
            group.push(TransferRow { transfer: found, currency, kind, at });
        }
    }
    Ok(Some((OperationId::new(id), group)))
}

fn involves(filter: &TransferFilter, transfer: &domain::Transfer) -> bool {
    filter.account.is_none_or(|account| transfer.debit == account || transfer.credit == account)
}

async fn transfers_of_card(
    reading: &Reading,
    filter: &TransferFilter,
    card: CardId,
    before: Option<OperationId>,
    limit: usize,
) -> Result<Page<TransferRow>> {
    let mut pager = Pager::new(limit);
    let mut chain = Chain::new(reading, card, before).await?;
    loop {
        let operations = chain.next(reading).await?;
        let (count, last) = (operations.len(), operations.last().map(|operation| operation.id.get()));
        let Some(last) = last else { return Ok(pager.page()) };
        let ids: Vec<i64> = operations.iter().map(|operation| operation.id.get()).collect();
        let mut found: std::collections::HashMap<OperationId, Vec<domain::Transfer>> =
            std::collections::HashMap::default();
        for row in &reading.query(transfer::OF_OPERATIONS, &[&ids]).await? {
            let transfer = transfer::read_row(row)?;
            found.entry(transfer.operation).or_default().push(transfer);
        }
        for operation in &operations {
            let mut transfers = found.remove(&operation.id).unwrap_or_default();
            let wanted = operation.issuer == filter.issuer
                && before.is_none_or(|end| operation.id < end)
                && within(filter.from, filter.to, operation.at);
            transfers.retain(|transfer| wanted && involves(filter, transfer));
            if !pager.take(operation.id, transfer_rows(operation, transfers)?) {
                return Ok(pager.page());
            }
        }
        if !pager.looked_at(count, last) {
            return Ok(pager.page());
        }
    }
}

fn transfer_rows(operation: &Operation, transfers: Vec<domain::Transfer>) -> Result<Vec<TransferRow>> {
    let (kind, at) = (operation.kind, operation.at);
    let row = |transfer| Ok(TransferRow { transfer, currency: ledger::currency_of(operation)?, kind, at });
    transfers.into_iter().map(row).collect()
}
