//! What the engine and the API ask of a database, without saying which.
//!
//! Ports are traits with boxed futures at batch granularity: one call moves a whole batch, so the box
//! costs nothing that can be measured, and the database is chosen at run time.

pub mod accounting_store;
pub mod activity_store;
pub mod approval_store;
pub mod audit;
pub mod catalog_store;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod error;
pub mod holder_store;
pub mod identity_store;
pub mod issue_store;
pub mod jobs_store;
pub mod key_store;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
pub mod node_store;
pub mod passkey_store;
pub mod provider_store;
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
pub use activity_store::{Activity, ActivityPage, ActivityStore};
pub use approval_store::{
    Approval, ApprovalEvent, ApprovalFilter, ApprovalState, ApprovalStore, ApprovalSubject, Counted,
    Counting, UseStatus,
};
pub use audit::{Audit, AuditReport, Violation};
pub use catalog_store::{CatalogEntry, CatalogStore};
pub use error::{Result, StorageError};
pub use holder_store::{
    CodeUse, Device, Gift, GiftState, HeldCard, Holder, HolderPurge, HolderSession, HolderStore,
    LoginAttempt, LoginCode, LoginLimits, LoginState, OutboxMessage, PhoneIndex, RekeyedPhone, StoredPhone,
};
pub use identity_store::{
    Allowance, AuditEvent, AuditFilter, Guard, GuardKey, IdentityStore, Invitation, RecoveryCode, SavedView,
    Session, SessionStage, SessionsOf, StoredTotp, User, UserFilter,
};
pub use issue_store::{Batch, BatchStatus, ExportRow, IssueStore, NewCard, Sealed};
pub use jobs_store::{DueHold, JobsStore, RollUp};
pub use key_store::{Fate, KEY_COLUMNS, KeyStore, Rekeyed, StoredNumber};
pub use node_store::{NODES, NodeLease, NodeStore};
pub use passkey_store::{AnsweredChallenge, Passkey, PasskeyRemoval, PasskeyStore, PasskeyUse};
pub use provider_store::{
    IdentityProvider, LinkedIdentity, ProviderChangeEffect, ProviderStore, SignInFlow, SignInPage,
};
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
    Accrual, Closed, Closing, LogPosition, MovementPage, OpenSums, PayoutFilter, Settled, SettledBalance,
    SettledBalances, SettlementProgress, SettlementStore, StatementFilter,
};
pub use transactions::{Durable, Transaction, Transactions, durable_already};
pub use usage_store::{Usage, UsageKey, UsageStore};

/// A database that offers everything.
pub trait Store:
    Transactions
    + AccountingStore
    + ActivityStore
    + ApprovalStore
    + CatalogStore
    + HolderStore
    + IdentityStore
    + IssueStore
    + JobsStore
    + KeyStore
    + NodeStore
    + PasskeyStore
    + ProviderStore
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
        + ActivityStore
        + ApprovalStore
        + CatalogStore
        + HolderStore
        + IdentityStore
        + IssueStore
        + JobsStore
        + KeyStore
        + NodeStore
        + PasskeyStore
        + ProviderStore
        + Queries
        + ReconciliationStore
        + SettlementStore
        + UsageStore
        + Audit
{
}
