//! Reading for screens and reports, on connections of their own.

use async_trait::async_trait;
use domain::{
    Account, Card, CardId, ClientId, Hold, HoldId, IdempotencyKey, IssuerId, MerchantId, Operation,
    OperationId, OperationKind, StoreId, TerminalId, Timestamp, command::NumberIndex, ids::floor_of,
};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use storage::{
    AccountTotals, BalanceLine, ExpirySpan, OperationFilter, Page, Queries, Result, TransferFilter,
    TransferRow, queries::MAX_EXAMINED,
};

use crate::{
    SqliteStore,
    error::IntoStorage,
    fields::Fields,
    jobs::clamp,
    ledger::{self, SLACK_SECONDS},
    rows::{card, hold, operation, transfer},
};

/// How many operations are looked at first: where most fit, that is enough.
const FIRST_STRETCH: usize = 500;

#[async_trait]
impl Queries for SqliteStore {
    async fn card(&self, id: CardId) -> Result<Option<Card>> {
        self.point(|connection| first(connection, card::BY_ID, [id.get()], card::read)).await
    }

    async fn card_by_number(&self, indexes: &[NumberIndex]) -> Result<Option<Card>> {
        self.point(|connection| {
            for index in indexes {
                let found = first(connection, card::BY_NUMBER, [&index.0[..]], card::read)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        })
        .await
    }

    async fn expiring_cards(&self, span: &ExpirySpan, limit: usize) -> Result<Vec<Card>> {
        let (after, until, issuer) = (span.after, span.until.micros(), span.issuer.get());
        self.long(move |connection| {
            let values = params![after.0.micros(), after.1.get(), until, issuer, clamp(limit)];
            let mut statement = connection.prepare_cached(card::EXPIRING).stored()?;
            let mut rows = statement.query(values).stored()?;
            let mut cards = Vec::new();
            while let Some(row) = rows.next().stored()? {
                cards.push(card::read(row)?);
            }
            Ok(cards)
        })
        .await
    }

    async fn holds_of(&self, card: CardId, limit: usize) -> Result<Vec<Hold>> {
        self.long(move |connection| {
            let mut statement = connection.prepare_cached(hold::OF_CARD).stored()?;
            let mut rows = statement.query(params![card.get(), clamp(limit)]).stored()?;
            let mut holds = Vec::new();
            while let Some(row) = rows.next().stored()? {
                holds.push(hold::read(row)?);
            }
            Ok(holds)
        })
        .await
    }

    async fn hold(&self, id: HoldId) -> Result<Option<Hold>> {
        self.point(|connection| first(connection, hold::BY_ID, [id.get()], hold::read)).await
    }

    async fn newest_operation(&self) -> Result<Option<OperationId>> {
        let read = |row: &Row<'_>| Ok(Fields::new(row).opt_int()?.map(OperationId::new));
        self.point(|connection| Ok(first(connection, "SELECT max(id) FROM operation", [], read)?.flatten()))
            .await
    }

    async fn operation(&self, id: OperationId) -> Result<Option<Operation>> {
        self.point(|connection| read_operation(connection, id.get())).await
    }

    async fn operation_by_key(&self, client: ClientId, key: &IdempotencyKey) -> Result<Option<Operation>> {
        self.point(|connection| {
            let named = params![client.get(), &key.bytes()[..]];
            first(connection, operation::BY_KEY, named, operation::read)
        })
        .await
    }

    async fn operations(
        &self,
        filter: &OperationFilter,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<Operation>> {
        let filter = *filter;
        self.long(move |connection| match filter.card {
            Some(card) => operations_of_card(connection, &filter, card, before, limit),
            None => operations_downward(connection, &filter, before, limit),
        })
        .await
    }

    async fn transfers(
        &self,
        filter: &TransferFilter,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<TransferRow>> {
        let filter = *filter;
        self.long(move |connection| match (filter.operation, filter.account) {
            (None, Some(Account::Card(card))) => transfers_of_card(connection, &filter, card, before, limit),
            _ => transfers_downward(connection, &filter, before, limit),
        })
        .await
    }

    async fn trial_balance(&self, issuer: IssuerId, at: Option<Timestamp>) -> Result<Vec<BalanceLine>> {
        self.long(move |connection| ledger::balances(connection, issuer, None, at)).await
    }

    async fn account_totals(
        &self,
        issuer: IssuerId,
        account: Account,
        at: Option<Timestamp>,
    ) -> Result<Vec<AccountTotals>> {
        self.long(move |connection| ledger::account_totals(connection, issuer, account, at)).await
    }
}

fn first<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut statement = connection.prepare_cached(sql).stored()?;
    let mut rows = statement.query(params).stored()?;
    rows.next().stored()?.map(read).transpose()
}

fn read_operation(connection: &Connection, id: i64) -> Result<Option<Operation>> {
    first(connection, operation::BY_ID, [id], operation::read)
}

/// A card's operations, newest first: a walk along primary keys.
pub(crate) struct Chain {
    card: CardId,
    next: Option<OperationId>,
}

impl Chain {
    /// From the newest operation, or from the one before `before` where that is one of the card's.
    pub(crate) fn new(connection: &Connection, card: CardId, before: Option<OperationId>) -> Result<Self> {
        if let Some(before) = before
            && let Some(operation) = read_operation(connection, before.get())?
            && names(&operation, card)
        {
            return Ok(Self { card, next: previous(&operation, card) });
        }
        let newest = "SELECT last_operation_id FROM card WHERE id = ?1";
        let mut statement = connection.prepare_cached(newest).stored()?;
        let newest: Option<Option<i64>> =
            statement.query_row([card.get()], |row| row.get(0)).optional().stored()?;
        Ok(Self { card, next: newest.flatten().map(OperationId::new) })
    }

    pub(crate) fn next(&mut self, connection: &Connection) -> Result<Option<Operation>> {
        let Some(id) = self.next else { return Ok(None) };
        let Some(operation) = read_operation(connection, id.get())? else { return Ok(None) };
        // Damaged data must not make a loop.
        self.next = previous(&operation, self.card).filter(|previous| *previous < id);
        Ok(Some(operation))
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
        if found.peek().is_some() {
            if self.items.len() >= self.limit {
                self.next = self.last_item.or(Some(operation.get().saturating_add(1)));
                return false;
            }
            self.items.extend(found);
            self.last_item = Some(operation.get());
        }
        self.examined += 1;
        if self.examined >= MAX_EXAMINED {
            self.next = Some(operation.get());
            return false;
        }
        true
    }

    fn page(self) -> Page<T> {
        Page { items: self.items, next: self.next }
    }
}

fn operations_downward(
    connection: &Connection,
    filter: &OperationFilter,
    before: Option<OperationId>,
    limit: usize,
) -> Result<Page<Operation>> {
    let mut span = Span::of(filter.from, filter.to, before);
    let (mut items, mut examined) = (Vec::new(), 0);
    while examined < MAX_EXAMINED {
        let most = if examined == 0 { FIRST_STRETCH } else { MAX_EXAMINED - examined };
        let lowest = further_down(connection, &span, most)?;
        let stretch = Span { from: lowest.unwrap_or(span.from), below: span.below };
        let wanted = limit.saturating_sub(items.len()).saturating_add(1);
        items.extend(matching(connection, filter, &stretch, wanted)?);
        if items.len() > limit {
            items.truncate(limit);
            let next = items.last().map(|operation: &Operation| operation.id.get());
            return Ok(Page { next: next.or(Some(span.below)), items });
        }
        let Some(lowest) = lowest else { return Ok(Page { items, next: None }) };
        examined += most;
        span.below = lowest;
    }
    Ok(Page { items, next: Some(span.below) })
}

/// The id of the last of the next `most` operations, of whatever issuer; `None` if there are fewer.
fn further_down(connection: &Connection, span: &Span, most: usize) -> Result<Option<i64>> {
    let mut statement = connection.prepare_cached(operation::FURTHER_DOWN).stored()?;
    let offset = i64::try_from(most).unwrap_or(i64::MAX).saturating_sub(1);
    statement.query_row([span.below, span.from, offset], |row| row.get(0)).optional().stored()
}

fn matching(
    connection: &Connection,
    filter: &OperationFilter,
    stretch: &Span,
    most: usize,
) -> Result<Vec<Operation>> {
    let mut statement = connection.prepare_cached(operation::DOWNWARD).stored()?;
    let values = params![
        stretch.below,
        stretch.from,
        i64::try_from(most).unwrap_or(i64::MAX),
        filter.issuer.get(),
        filter.kind.map(OperationKind::number),
        filter.approved,
        filter.merchant.map(MerchantId::get),
        filter.store.map(StoreId::get),
        filter.terminal.map(TerminalId::get),
        filter.client.map(ClientId::get),
        filter.from.map(Timestamp::micros),
        filter.to.map(Timestamp::micros),
    ];
    let mut rows = statement.query(values).stored()?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().stored()? {
        found.push(operation::read(row)?);
    }
    Ok(found)
}

fn operations_of_card(
    connection: &Connection,
    filter: &OperationFilter,
    card: CardId,
    before: Option<OperationId>,
    limit: usize,
) -> Result<Page<Operation>> {
    let mut pager = Pager::new(limit);
    let mut chain = Chain::new(connection, card, before)?;
    while let Some(operation) = chain.next(connection)? {
        let id = operation.id;
        let wanted = |operation: &Operation| before.is_none_or(|end| id < end) && accepts(filter, operation);
        if !pager.take(id, Some(operation).filter(wanted)) {
            break;
        }
    }
    Ok(pager.page())
}

fn transfers_downward(
    connection: &Connection,
    filter: &TransferFilter,
    before: Option<OperationId>,
    limit: usize,
) -> Result<Page<TransferRow>> {
    let mut span = Span::of(filter.from, filter.to, before);
    if let Some(only) = filter.operation {
        span.from = span.from.max(only.get());
        span.below = span.below.min(only.get().saturating_add(1));
    }
    let mut statement = connection.prepare_cached(transfer::DOWNWARD).stored()?;
    let mut rows = statement.query([span.below, span.from]).stored()?;
    let mut pager = Pager::new(limit);
    let mut group: Vec<TransferRow> = Vec::new();
    let mut group_id = None;
    while let Some(row) = rows.next().stored()? {
        let mut fields = Fields::new(row);
        let found = transfer::read(&mut fields)?;
        let id = found.operation;
        if let Some(done) = group_id.replace(id).filter(|done| *done != id)
            && !pager.take(done, group.drain(..).rev())
        {
            return Ok(pager.page());
        }
        let kind = fields.coded(domain::OperationKind::from_number)?;
        let (at, issuer) = (fields.time()?, IssuerId::new(fields.int()?));
        if issuer == filter.issuer && within(filter.from, filter.to, at) && involves(filter, &found) {
            let currency = ledger::currency(ledger::currency_code(&mut fields)?)?;
            group.push(TransferRow { transfer: found, currency, kind, at });
        }
    }
    if let Some(done) = group_id {
        pager.take(done, group.drain(..).rev());
    }
    Ok(pager.page())
}

fn involves(filter: &TransferFilter, transfer: &domain::Transfer) -> bool {
    filter.account.is_none_or(|account| transfer.debit == account || transfer.credit == account)
}

fn transfers_of_card(
    connection: &Connection,
    filter: &TransferFilter,
    card: CardId,
    before: Option<OperationId>,
    limit: usize,
) -> Result<Page<TransferRow>> {
    let mut pager = Pager::new(limit);
    let mut statement = connection.prepare_cached(transfer::OF_OPERATION).stored()?;
    let mut chain = Chain::new(connection, card, before)?;
    while let Some(operation) = chain.next(connection)? {
        let wanted = operation.issuer == filter.issuer
            && before.is_none_or(|end| operation.id < end)
            && within(filter.from, filter.to, operation.at);
        let mut found = Vec::new();
        if wanted {
            found = crate::transaction::read_transfers(&mut statement, operation.id)?;
            found.retain(|transfer| involves(filter, transfer));
        }
        let (kind, at) = (operation.kind, operation.at);
        let mut rows = Vec::with_capacity(found.len());
        for transfer in found {
            rows.push(TransferRow { transfer, currency: ledger::currency_of(&operation)?, kind, at });
        }
        if !pager.take(operation.id, rows) {
            break;
        }
    }
    Ok(pager.page())
}
