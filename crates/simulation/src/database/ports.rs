//! The ports beside the write path. What a node reads when it starts and what jobs look for is simulated;
//! the rest is left to the store in memory, and nothing in a simulation asks for it.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    Account, BatchId, Card, CardId, Catalog, ClientId, Hold, HoldId, IdempotencyKey, IssuerId, Operation,
    OperationId, Timestamp, UserId, account::AccountKind, card::StateCode, command::NumberIndex,
    hold::HoldStatus,
};
use storage::{
    AGE_BOUNDS, AccountTotals, AccountingStore, ActivityPage, ActivityStore, AgedValue, Audit, AuditReport,
    BalanceLine, Batch, CatalogEntry, CatalogStore, Days, DueHold, ExportRow, Figure, FigureKind, IssueStore,
    JobsStore, JournalLine, JournalTotal, KeyStore, LogPosition, NewCard, NodeLease, NodeStore,
    OperationFilter, Page, Queries, Rekeyed, Result, RollUp, Sealed, Setting, StoredNumber, TransferFilter,
    TransferRow, Usage, UsageStore,
};

use super::{Connection, unavailable};

impl Connection {
    /// Before anything is read: the database may be away.
    async fn reach(&self) -> Result<()> {
        let environment = &self.database.environment;
        environment.pause().await;
        if environment.strikes(environment.profile.faults.unavailable, "unavailable") {
            return unavailable();
        }
        if !self.is_alive() {
            return unavailable();
        }
        self.database.check_up()
    }
}

#[async_trait]
impl CatalogStore for Connection {
    async fn load_catalog(&self) -> Result<Catalog> {
        self.reach().await?;
        Ok(self.database.state().catalog.clone())
    }

    async fn put_catalog(&self, entry: &CatalogEntry) -> Result<()> {
        self.database.rest.put_catalog(entry).await
    }

    async fn catalog_revision(&self) -> Result<i64> {
        self.database.rest.catalog_revision().await
    }

    async fn await_catalog_change(&self, seen: i64, patience: Duration) -> Result<i64> {
        self.database.rest.await_catalog_change(seen, patience).await
    }
}

#[async_trait]
impl JobsStore for Connection {
    async fn due_holds(&self, now: Timestamp, limit: usize) -> Result<Vec<DueHold>> {
        self.reach().await?;
        let state = self.database.state();
        let holds = state.holds.values().map(|row| &row.value);
        let mut due: Vec<&Hold> =
            holds.filter(|hold| hold.status == HoldStatus::Open && hold.expires_at <= now).collect();
        due.sort_by_key(|hold| (hold.expires_at, hold.id));
        Ok(due.iter().take(limit).map(|hold| DueHold { hold: hold.id, issuer: hold.issuer }).collect())
    }

    async fn due_cards(
        &self,
        now: Timestamp,
        after: Option<CardId>,
        limit: usize,
    ) -> Result<Vec<(CardId, IssuerId)>> {
        self.reach().await?;
        let state = self.database.state();
        let cards = state.cards.values().map(|row| &row.value);
        let mut due: Vec<(CardId, IssuerId)> = cards
            .filter(|card| after.is_none_or(|after| card.id > after) && is_due(card, now))
            .map(|card| (card.id, card.issuer))
            .collect();
        due.sort_unstable();
        due.truncate(limit);
        Ok(due)
    }

    async fn roll_up(&self, limit: usize) -> Result<RollUp> {
        self.database.rest.roll_up(limit).await
    }
}

fn is_due(card: &Card, now: Timestamp) -> bool {
    let live = matches!(card.state.code(), StateCode::Active | StateCode::Frozen);
    let lot_due = card.lots.iter().any(|lot| !lot.remaining.is_zero() && !lot.usable_at(now));
    live && (lot_due || (card.is_past_validity(now) && card.held.is_zero()))
}

/// Figures of the day follow the log beside the write path.
#[async_trait]
impl ActivityStore for Connection {
    async fn activity_start(&self, from: Timestamp) -> Result<LogPosition> {
        self.database.rest.activity_start(from).await
    }

    async fn activity(&self, after: LogPosition, limit: usize) -> Result<ActivityPage> {
        self.database.rest.activity(after, limit).await
    }
}

/// Accounting derives what it says from the log, beside the write path.
#[async_trait]
impl AccountingStore for Connection {
    async fn roll_up_journal(&self, limit: usize) -> Result<RollUp> {
        self.database.rest.roll_up_journal(limit).await
    }

    async fn journal(&self, issuer: IssuerId, days: Days) -> Result<Vec<JournalLine>> {
        self.database.rest.journal(issuer, days).await
    }

    async fn journal_totals(&self, issuer: IssuerId, days: Days) -> Result<Vec<JournalTotal>> {
        self.database.rest.journal_totals(issuer, days).await
    }

    async fn balances_of_kind(
        &self,
        issuer: IssuerId,
        kind: AccountKind,
        before: Timestamp,
    ) -> Result<Vec<BalanceLine>> {
        self.database.rest.balances_of_kind(issuer, kind, before).await
    }

    async fn ageing(&self, issuer: IssuerId, bounds: [Timestamp; AGE_BOUNDS]) -> Result<Vec<AgedValue>> {
        self.database.rest.ageing(issuer, bounds).await
    }

    async fn enter_figure(&self, figure: &Figure) -> Result<Figure> {
        self.database.rest.enter_figure(figure).await
    }

    async fn figures(&self, issuer: IssuerId, kind: FigureKind, from: i32, to: i32) -> Result<Vec<Figure>> {
        self.database.rest.figures(issuer, kind, from, to).await
    }

    async fn enter_setting(&self, setting: &Setting) -> Result<Setting> {
        self.database.rest.enter_setting(setting).await
    }

    async fn setting(&self, issuer: IssuerId, name: &str) -> Result<Option<Setting>> {
        self.database.rest.setting(issuer, name).await
    }
}

#[async_trait]
impl Queries for Connection {
    async fn card(&self, id: CardId) -> Result<Option<Card>> {
        self.reach().await?;
        Ok(self.database.card(id))
    }

    async fn card_by_number(&self, indexes: &[NumberIndex]) -> Result<Option<Card>> {
        self.database.rest.card_by_number(indexes).await
    }

    async fn expiring_cards(&self, span: &storage::ExpirySpan, limit: usize) -> Result<Vec<Card>> {
        self.database.rest.expiring_cards(span, limit).await
    }

    async fn holds_of(&self, card: CardId, limit: usize) -> Result<Vec<Hold>> {
        self.database.rest.holds_of(card, limit).await
    }

    async fn hold(&self, id: HoldId) -> Result<Option<Hold>> {
        self.database.rest.hold(id).await
    }

    async fn newest_operation(&self) -> Result<Option<OperationId>> {
        self.reach().await?;
        Ok(self.database.state().newest)
    }

    async fn operation(&self, id: OperationId) -> Result<Option<Operation>> {
        self.reach().await?;
        let state = self.database.state();
        Ok(state.operations.get(&id).map(|row| Operation::clone(&row.value.operation)))
    }

    async fn operation_by_key(&self, client: ClientId, key: &IdempotencyKey) -> Result<Option<Operation>> {
        self.reach().await?;
        let state = self.database.state();
        let id = state.keys.get(&(client, key.clone()));
        let row = id.and_then(|id| state.operations.get(id));
        Ok(row.map(|row| Operation::clone(&row.value.operation)))
    }

    async fn operations(
        &self,
        filter: &OperationFilter,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<Operation>> {
        self.database.rest.operations(filter, before, limit).await
    }

    async fn transfers(
        &self,
        filter: &TransferFilter,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<TransferRow>> {
        self.database.rest.transfers(filter, before, limit).await
    }

    async fn trial_balance(&self, issuer: IssuerId, at: Option<Timestamp>) -> Result<Vec<BalanceLine>> {
        self.database.rest.trial_balance(issuer, at).await
    }

    async fn account_totals(
        &self,
        issuer: IssuerId,
        account: Account,
        at: Option<Timestamp>,
    ) -> Result<Vec<AccountTotals>> {
        self.database.rest.account_totals(issuer, account, at).await
    }
}

#[async_trait]
impl KeyStore for Connection {
    async fn numbers_not_under(
        &self,
        current: u8,
        after: Option<CardId>,
        limit: usize,
    ) -> Result<Vec<StoredNumber>> {
        self.database.rest.numbers_not_under(current, after, limit).await
    }

    async fn rekey(&self, cards: &[Rekeyed]) -> Result<()> {
        self.database.rest.rekey(cards).await
    }

    async fn totp_not_under(
        &self,
        current: u8,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, Sealed)>> {
        self.database.rest.totp_not_under(current, after, limit).await
    }

    async fn rekey_totp(&self, secrets: &[(UserId, Sealed)]) -> Result<()> {
        self.database.rest.rekey_totp(secrets).await
    }

    async fn key_ids_in_use(&self) -> Result<Vec<u8>> {
        self.reach().await?;
        self.database.rest.key_ids_in_use().await
    }
}

#[async_trait]
impl IssueStore for Connection {
    async fn create_batch(&self, batch: &Batch) -> Result<()> {
        self.database.rest.create_batch(batch).await
    }

    async fn batch(&self, id: BatchId) -> Result<Option<Batch>> {
        self.database.rest.batch(id).await
    }

    async fn batch_by_key(&self, client: ClientId, key: &str) -> Result<Option<Batch>> {
        self.database.rest.batch_by_key(client, key).await
    }

    async fn batches(&self, issuer: IssuerId, before: Option<BatchId>, limit: usize) -> Result<Page<Batch>> {
        self.database.rest.batches(issuer, before, limit).await
    }

    async fn running_batches(&self) -> Result<Vec<Batch>> {
        self.database.rest.running_batches().await
    }

    async fn insert_cards(&self, cards: &[NewCard], progress: Option<&Batch>) -> Result<Vec<usize>> {
        self.database.rest.insert_cards(cards, progress).await
    }

    async fn batch_cards(&self, id: BatchId, after: Option<CardId>, limit: usize) -> Result<Vec<ExportRow>> {
        self.database.rest.batch_cards(id, after, limit).await
    }

    async fn claim_export(&self, id: BatchId, at: Timestamp, lapsed: Timestamp) -> Result<bool> {
        self.database.rest.claim_export(id, at, lapsed).await
    }

    async fn release_export(&self, id: BatchId, claimed_at: Timestamp) -> Result<()> {
        self.database.rest.release_export(id, claimed_at).await
    }

    async fn finish_export(&self, id: BatchId, claimed_at: Timestamp, at: Timestamp) -> Result<bool> {
        self.database.rest.finish_export(id, claimed_at, at).await
    }

    async fn erase_pins(&self, id: BatchId) -> Result<()> {
        self.database.rest.erase_pins(id).await
    }
}

#[async_trait]
impl NodeStore for Connection {
    async fn lease_node(&self, name: &str, at: Timestamp, time: Duration) -> Result<Option<NodeLease>> {
        self.database.rest.lease_node(name, at, time).await
    }

    async fn renew_node(
        &self,
        lease: &NodeLease,
        at: Timestamp,
        time: Duration,
    ) -> Result<Option<NodeLease>> {
        self.database.rest.renew_node(lease, at, time).await
    }

    async fn release_node(&self, lease: &NodeLease, ids_until: Timestamp) -> Result<()> {
        self.database.rest.release_node(lease, ids_until).await
    }

    async fn hold_leases(&self, names: &[&str], holder: &str, time: Duration) -> Result<Vec<bool>> {
        self.database.rest.hold_leases(names, holder, time).await
    }

    async fn release_leases(&self, holder: &str) -> Result<()> {
        self.database.rest.release_leases(holder).await
    }
}

#[async_trait]
impl UsageStore for Connection {
    async fn share_usage(&self, used: &[Usage], keep: Duration) -> Result<Vec<i64>> {
        self.database.rest.share_usage(used, keep).await
    }
}

#[async_trait]
impl Audit for Connection {
    async fn audit(&self) -> Result<AuditReport> {
        self.database.rest.audit().await
    }
}
