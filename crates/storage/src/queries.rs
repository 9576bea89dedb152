//! Reading for screens and reports, never through the write path.

use async_trait::async_trait;
use domain::{
    Account, Card, CardId, ClientId, Currency, Hold, HoldId, IdempotencyKey, IssuerId, MerchantId, Operation,
    OperationId, OperationKind, ProgramId, StoreId, TerminalId, Timestamp, Transfer, account::AccountKind,
    command::NumberIndex,
};

use crate::Result;

/// A page of a list, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The value of the id to go on after; `None` at the end. A page may be short, or even empty, while
    /// there is more: at most [`MAX_EXAMINED`] rows are looked at for one page.
    pub next: Option<i64>,
}

/// The most rows that are examined for one page of a filtered list.
pub const MAX_EXAMINED: usize = 20_000;

/// Which operations to list. An absent field accepts all.
#[derive(Clone, Copy, Debug)]
pub struct OperationFilter {
    /// The issuer, always.
    pub issuer: IssuerId,
    /// A card, as first or second card. The list then follows the card's own chain.
    pub card: Option<CardId>,
    /// A kind.
    pub kind: Option<OperationKind>,
    /// Approved or declined.
    pub approved: Option<bool>,
    /// A merchant.
    pub merchant: Option<MerchantId>,
    /// A store.
    pub store: Option<StoreId>,
    /// A terminal.
    pub terminal: Option<TerminalId>,
    /// A client.
    pub client: Option<ClientId>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

/// Which transfers to list.
#[derive(Clone, Copy, Debug)]
pub struct TransferFilter {
    /// The issuer, always.
    pub issuer: IssuerId,
    /// An account on either side.
    pub account: Option<Account>,
    /// An operation.
    pub operation: Option<OperationId>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

/// A transfer with what its operation says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferRow {
    /// The transfer.
    pub transfer: Transfer,
    /// The currency of its amount.
    pub currency: Currency,
    /// What the operation did.
    pub kind: OperationKind,
    /// When.
    pub at: Timestamp,
}

/// What a line of a trial balance is about. Cards are shown by program: there are millions of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LedgerLine {
    /// All cards of a program.
    Cards(ProgramId),
    /// One account.
    Account(Account),
}

impl LedgerLine {
    /// The kind of its account, or of its accounts.
    pub const fn kind(self) -> AccountKind {
        match self {
            Self::Cards(_) => AccountKind::Card,
            Self::Account(account) => account.kind(),
        }
    }
}

/// The totals of a line in one currency. A line that moved value in several has as many of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceLine {
    /// What it is about.
    pub line: LedgerLine,
    /// The currency of both sums.
    pub currency: Currency,
    /// Sum of what it gave, in minor units.
    pub debits: i64,
    /// Sum of what it received, in minor units.
    pub credits: i64,
}

/// The totals of an account, or of all accounts, in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountTotals {
    /// The currency of both sums.
    pub currency: Currency,
    /// Sum of what it gave, in minor units.
    pub debits: i64,
    /// Sum of what it received, in minor units.
    pub credits: i64,
}

/// When validity ends, and where a page of such cards begins.
#[derive(Clone, Copy, Debug)]
pub struct ExpirySpan {
    /// The issuer of the cards.
    pub issuer: IssuerId,
    /// After this moment and card: the end of the page before, or the moment from which on to look, with the
    /// largest id.
    pub after: (Timestamp, CardId),
    /// Up to this moment.
    pub until: Timestamp,
}

/// Reading.
#[async_trait]
pub trait Queries: Send + Sync {
    /// A card by id.
    async fn card(&self, id: CardId) -> Result<Option<Card>>;

    /// A card by the first of these indexes that exists.
    async fn card_by_number(&self, indexes: &[NumberIndex]) -> Result<Option<Card>>;

    /// Cards in use that have value and whose validity ends in this span, in the order of their ends and then of
    /// their ids.
    async fn expiring_cards(&self, span: &ExpirySpan, limit: usize) -> Result<Vec<Card>>;

    /// The holds of a card, newest first, at most `limit`.
    async fn holds_of(&self, card: CardId, limit: usize) -> Result<Vec<Hold>>;

    /// A hold.
    async fn hold(&self, id: HoldId) -> Result<Option<Hold>>;

    /// The newest operation, from which the engine's ids go on.
    async fn newest_operation(&self) -> Result<Option<OperationId>>;

    /// An operation.
    async fn operation(&self, id: OperationId) -> Result<Option<Operation>>;

    /// The operation that a client named by this key.
    async fn operation_by_key(&self, client: ClientId, key: &IdempotencyKey) -> Result<Option<Operation>>;

    /// Operations, newest first, older than `before`.
    async fn operations(
        &self,
        filter: &OperationFilter,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<Operation>>;

    /// Transfers by operation, newest operation first, older than `before`. A page ends between
    /// operations: all transfers of its last operation are on it.
    async fn transfers(
        &self,
        filter: &TransferFilter,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<TransferRow>>;

    /// The totals of all accounts of an issuer, of all operations before `at` (now, without it). Each line
    /// comes once for each currency in which it moved value, ordered by line and then by currency code:
    /// programs of one issuer may have different currencies, whose minor units are never added together.
    async fn trial_balance(&self, issuer: IssuerId, at: Option<Timestamp>) -> Result<Vec<BalanceLine>>;

    /// The totals of one account before `at`, one for each currency in which it moved value, by currency
    /// code. Empty if it never did.
    async fn account_totals(
        &self,
        issuer: IssuerId,
        account: Account,
        at: Option<Timestamp>,
    ) -> Result<Vec<AccountTotals>>;
}
