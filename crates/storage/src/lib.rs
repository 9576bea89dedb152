//! What the engine and the API ask of a database, without saying which.
//!
//! Ports are traits with boxed futures at batch granularity: one call moves a whole batch, so the box
//! costs nothing that can be measured, and the database is chosen at run time.

pub mod accounting_store;
pub mod audit;
pub mod catalog_store;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod error;
pub mod issue_store;
pub mod jobs_store;
pub mod key_store;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
pub mod node_store;
pub mod queries;
pub mod reconciliation_store;
pub mod relocation;
pub mod settlement_store;
pub mod transactions;
pub mod usage_store;

pub use accounting_store::{
    AGE_BOUNDS, AccountingStore, AgedValue, Days, Figure, FigureKind, JournalLine, JournalTotal, MAX_FIGURES,
    Setting,
};
pub use audit::{Audit, AuditReport, Violation};
pub use catalog_store::{CatalogEntry, CatalogStore};
pub use error::{Result, StorageError};
pub use issue_store::{Batch, BatchStatus, ExportRow, IssueStore, NewCard, Sealed};
pub use jobs_store::{DueHold, JobsStore, RollUp};
pub use key_store::{KeyStore, Rekeyed, StoredNumber};
pub use node_store::{NODES, NodeLease, NodeStore};
pub use queries::{
    AccountTotals, BalanceLine, ExpirySpan, LedgerLine, OperationFilter, Page, Queries, TransferFilter,
    TransferRow,
};
pub use reconciliation_store::{
    Ageing, DIFFERENCE_AGES, DifferenceEvent, DifferenceFilter, DifferenceRecord, DifferenceStatus,
    HourCheck, MatchOn, Mismatch, OwnQuery, OwnRecords, Proposal, ReconciledLine, Reconciliation,
    ReconciliationStatus, ReconciliationStore,
};
pub use relocation::{RelocationSource, RelocationTarget};
pub use settlement_store::{
    Accrual, Closed, Closing, LogPosition, MovementPage, OpenSums, PayoutFilter, Settled, SettlementProgress,
    SettlementStore, StatementFilter,
};
pub use transactions::{Durable, Transaction, Transactions, durable_already};
pub use usage_store::{Usage, UsageKey, UsageStore};

/// A database that offers everything.
pub trait Store:
    Transactions
    + AccountingStore
    + CatalogStore
    + IssueStore
    + JobsStore
    + KeyStore
    + NodeStore
    + Queries
    + ReconciliationStore
    + SettlementStore
    + UsageStore
    + Audit
{
}

impl<S> Store for S where
    S: Transactions
        + AccountingStore
        + CatalogStore
        + IssueStore
        + JobsStore
        + KeyStore
        + NodeStore
        + Queries
        + ReconciliationStore
        + SettlementStore
        + UsageStore
        + Audit
{
}
