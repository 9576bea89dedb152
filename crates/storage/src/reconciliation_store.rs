//! Reconciliation: files that were compared with our books, their lines, and what came of each difference.
//!
//! A file is written in portions and becomes visible whole: its differences are written together with its
//! completion. One that was interrupted stays as it is, unfinished, and the same file may begin again.

use async_trait::async_trait;
use domain::{Account, ClientId, Currency, DifferenceId, IssuerId, OperationId, ReconciliationId, Timestamp};
use reconciliation::{Class, LineStatus, OwnRecord};

use crate::{Page, Result};

/// By what our records are called in the other side's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchOn {
    /// The caller's reference.
    Reference,
    /// Our own id of the operation.
    Operation,
    /// The idempotency key.
    Key,
}

impl MatchOn {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Reference, Self::Operation, Self::Key];

    /// The name in texts and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Operation => "operation",
            Self::Key => "key",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|on| on.name() == name)
    }
}

/// How far a reconciliation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconciliationStatus {
    /// Being written, or interrupted.
    Running,
    /// Done.
    Complete,
}

impl ReconciliationStatus {
    /// The name in texts and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Running, Self::Complete].into_iter().find(|status| status.name() == name)
    }
}

/// A file that was compared with our books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// Its id.
    pub id: ReconciliationId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// The account that the file speaks of: a merchant's, a channel's or the bank's.
    pub account: Account,
    /// The format of the file.
    pub format: String,
    /// What its owner calls the file.
    pub file_name: String,
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
    /// The currency of its amounts.
    pub currency: Currency,
    /// The first moment it speaks of.
    pub from: Timestamp,
    /// The last such moment.
    pub to: Timestamp,
    /// How far apart two sides of the same thing may be, in seconds.
    pub window_seconds: u32,
    /// What references are compared with.
    pub match_on: MatchOn,
    /// How far it is.
    pub status: ReconciliationStatus,
    /// Lines of the file that speak of money.
    pub lines: u32,
    /// Lines that do not.
    pub passed_over: u32,
    /// The sum of the lines that succeeded, in minor units.
    pub lines_sum: i64,
    /// Whether the file has totals of its own that agreed.
    pub totals_checked: bool,
    /// Own records of the period.
    pub records: u32,
    /// The sum of those that were approved, in minor units.
    pub records_sum: i64,
    /// Lines that agree with a record.
    pub matched: u32,
    /// Operations that cancelled out with their reversals.
    pub cancelled: u32,
    /// What does not agree.
    pub differences: u32,
    /// The client that sent the file.
    pub created_by: ClientId,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When it was done.
    pub completed_at: Option<Timestamp>,
}

/// A line of a file, with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconciledLine {
    /// Its position: 1, 2, 3 …
    pub number: u32,
    /// The line of the file.
    pub place: u32,
    /// What the file calls it by.
    pub reference: Box<str>,
    /// Minor units; below zero where money went back.
    pub amount: i64,
    /// The earliest moment at which it may have happened.
    pub from: Timestamp,
    /// The latest.
    pub to: Timestamp,
    /// What became of it by the file.
    pub status: LineStatus,
    /// The operation that it speaks of.
    pub operation: Option<OperationId>,
    /// How it differs, if it does.
    pub class: Option<Class>,
}

/// Where the work on a difference stands. Names never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferenceStatus {
    /// Nobody has said what to do.
    Open,
    /// A correction or an explanation waits for a second person.
    Proposed,
    /// A second person agreed.
    Approved,
    /// A later file brought what was missing.
    Cleared,
}

impl DifferenceStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Proposed, Self::Approved, Self::Cleared];

    /// The name in texts and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Cleared => "cleared",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether somebody still has to do something.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Proposed)
    }
}

/// What somebody wants done about a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Who.
    pub by: ClientId,
    /// When.
    pub at: Timestamp,
    /// What to move into the account, seen as its owner's file sees it; `None`: nothing, it is explained.
    pub correction: Option<i64>,
    /// Why.
    pub note: String,
}

/// A difference, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceRecord {
    /// Its id.
    pub id: DifferenceId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// The file that showed it.
    pub reconciliation: ReconciliationId,
    /// The account.
    pub account: Account,
    /// The currency.
    pub currency: Currency,
    /// How the sides disagree.
    pub class: Class,
    /// The line, where the file has one.
    pub line: Option<u32>,
    /// What the line, or our record, is called by.
    pub reference: String,
    /// The operation, where we have one.
    pub operation: Option<OperationId>,
    /// What moved by our books, in minor units.
    pub here: i64,
    /// What moved by theirs.
    pub there: i64,
    /// What would make the books agree, if they are right.
    pub suggested: i64,
    /// When it happened, by whoever has it.
    pub at: Timestamp,
    /// Where the work on it stands.
    pub status: DifferenceStatus,
    /// What was proposed last, unless that was rejected.
    pub proposal: Option<Proposal>,
    /// Who decided, when.
    pub decided: Option<(ClientId, Timestamp)>,
    /// The operation that corrects it.
    pub correction: Option<OperationId>,
    /// The file that brought what was missing.
    pub cleared_by: Option<ReconciliationId>,
    /// How often it was changed.
    pub version: u32,
}

/// What somebody did about a difference. Kept for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceEvent {
    /// The difference.
    pub difference: DifferenceId,
    /// The version that it made.
    pub version: u32,
    /// When.
    pub at: Timestamp,
    /// Who; nobody where a later file cleared it.
    pub by: Option<ClientId>,
    /// `proposed`, `approved`, `rejected`, `posted`, `returned` or `cleared`.
    pub action: String,
    /// Why, in their words.
    pub note: String,
}

/// Which differences to list. An absent field accepts all.
#[derive(Clone, Copy, Debug)]
pub struct DifferenceFilter {
    /// The issuer, always.
    pub issuer: IssuerId,
    /// One file's.
    pub reconciliation: Option<ReconciliationId>,
    /// Those in one state.
    pub status: Option<DifferenceStatus>,
    /// Those of one class.
    pub class: Option<Class>,
}

impl DifferenceFilter {
    /// All differences of an issuer.
    pub const fn all(issuer: IssuerId) -> Self {
        Self { issuer, reconciliation: None, status: None, class: None }
    }

    /// Whether it accepts a difference.
    pub fn accepts(&self, record: &DifferenceRecord) -> bool {
        record.issuer == self.issuer
            && self.reconciliation.is_none_or(|id| id == record.reconciliation)
            && self.status.is_none_or(|status| status == record.status)
            && self.class.is_none_or(|class| class == record.class)
    }
}

/// The ages, in days, up to which open differences are counted together; what is older comes last.
pub const DIFFERENCE_AGES: [i64; 3] = [7, 30, 90];

/// Which of the four ages a moment belongs to.
pub fn age_bucket(at: Timestamp, now: Timestamp) -> usize {
    let days = now.micros().saturating_sub(at.micros()).div_euclid(86_400_000_000);
    DIFFERENCE_AGES.iter().position(|bound| days <= *bound).unwrap_or(DIFFERENCE_AGES.len())
}

/// Open differences of one age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ageing {
    /// 0 to 3: up to 7, 30 and 90 days, and more.
    pub bucket: usize,
    /// The currency.
    pub currency: Currency,
    /// How many.
    pub count: u64,
    /// What our books would have to move in all, either way, in minor units.
    pub amount: i64,
}

/// Own records of a part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRecords {
    /// The records, in order of operations.
    pub items: Vec<OwnRecord>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<OperationId>,
}

/// Which own records a file is compared with.
#[derive(Clone, Copy, Debug)]
pub struct OwnQuery {
    /// The issuer.
    pub issuer: IssuerId,
    /// The account.
    pub account: Account,
    /// The currency.
    pub currency: Currency,
    /// What references are compared with.
    pub match_on: MatchOn,
    /// Below this operation.
    pub below: OperationId,
}

/// An hour of the log, added up again and held against the roll-up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HourCheck {
    /// Transfers that were added up.
    pub transfers: u64,
    /// Accounts that have them.
    pub accounts: u64,
    /// Accounts whose roll-up says otherwise.
    pub mismatches: Vec<Mismatch>,
}

/// An account whose roll-up does not say what its transfers say, in one hour and currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The issuer.
    pub issuer: IssuerId,
    /// The account.
    pub account: Account,
    /// The currency.
    pub currency: Currency,
    /// Credit less debit by the transfers.
    pub transfers: i64,
    /// Credit less debit by the roll-up.
    pub rolled_up: i64,
}

/// Where reconciliations are kept. Lists return at most `limit` items.
#[async_trait]
pub trait ReconciliationStore: Send + Sync {
    /// Records a file that is about to be written. Others of the same file may have begun and not finished.
    async fn begin_reconciliation(&self, reconciliation: &Reconciliation) -> Result<()>;

    /// Writes lines, in one transaction.
    async fn append_reconciled_lines(
        &self,
        reconciliation: ReconciliationId,
        issuer: IssuerId,
        lines: &[ReconciledLine],
    ) -> Result<()>;

    /// Writes the differences and the figures, clears what this file brought, and completes it, in one
    /// transaction. [`crate::StorageError::Conflict`] on `file` where the same file is complete for the same
    /// account; on `version` where one that is cleared was changed.
    async fn finish_reconciliation(
        &self,
        reconciliation: &Reconciliation,
        differences: &[DifferenceRecord],
        cleared: &[(DifferenceRecord, DifferenceEvent)],
    ) -> Result<()>;

    /// A reconciliation, complete or not.
    async fn reconciliation(&self, id: ReconciliationId) -> Result<Option<Reconciliation>>;

    /// The complete reconciliation of a file for an account.
    async fn reconciliation_of_file(
        &self,
        issuer: IssuerId,
        account: Account,
        digest: [u8; 32],
    ) -> Result<Option<Reconciliation>>;

    /// Reconciliations of an issuer, newest first, older than `before`.
    async fn reconciliations(
        &self,
        issuer: IssuerId,
        before: Option<ReconciliationId>,
        limit: usize,
    ) -> Result<Page<Reconciliation>>;

    /// Lines of a file by number, after `after`.
    async fn reconciled_lines(
        &self,
        reconciliation: ReconciliationId,
        after: u32,
        limit: usize,
    ) -> Result<Vec<ReconciledLine>>;

    /// What our log says of an account, after `after` and below the query's end, of at most `limit` operations
    /// of whatever account. Postings that correct and settle are ours alone and not among them.
    async fn own_records(&self, query: &OwnQuery, after: OperationId, limit: usize) -> Result<OwnRecords>;

    /// A difference.
    async fn difference(&self, id: DifferenceId) -> Result<Option<DifferenceRecord>>;

    /// Differences, newest first, older than `before`.
    async fn differences(
        &self,
        filter: &DifferenceFilter,
        before: Option<DifferenceId>,
        limit: usize,
    ) -> Result<Page<DifferenceRecord>>;

    /// Open differences of an account that say that the other side has nothing, by id, after `after`.
    async fn open_missing_there(
        &self,
        issuer: IssuerId,
        account: Account,
        after: Option<DifferenceId>,
        limit: usize,
    ) -> Result<Vec<DifferenceRecord>>;

    /// Replaces a difference whose stored version is one less than its own, and keeps what was done.
    /// [`crate::StorageError::Conflict`] on `version` otherwise.
    async fn update_difference(&self, record: &DifferenceRecord, event: &DifferenceEvent) -> Result<()>;

    /// What was done about a difference, oldest first.
    async fn difference_events(&self, id: DifferenceId) -> Result<Vec<DifferenceEvent>>;

    /// Differences of complete files that are open or proposed, by age and currency, in that order.
    async fn difference_ageing(&self, issuer: IssuerId, now: Timestamp) -> Result<Vec<Ageing>>;

    /// Approved corrections without an operation, by id: their posting was interrupted.
    async fn unposted_corrections(&self, limit: usize) -> Result<Vec<DifferenceRecord>>;

    /// Adds the transfers of an hour (counted from where ids begin) up again, as far as the roll-up has taken
    /// them in, and compares. All accounts but cards.
    async fn check_hour(&self, hour: i64) -> Result<HourCheck>;
}

/// What an operation is to the owner of an account's file: which kinds such a file speaks of.
pub fn own_kinds(account: Account) -> &'static [domain::OperationKind] {
    use domain::OperationKind as Kind;
    match account {
        Account::Merchant(_) => {
            &[Kind::Redemption, Kind::Capture, Kind::Reversal, Kind::Refund, Kind::UnlinkedRefund]
        }
        Account::Channel(_) => &[Kind::Activation, Kind::Load, Kind::Reversal],
        Account::Bank(_) => {
            &[Kind::CashOut, Kind::Payout, Kind::PayoutReturn, Kind::MerchantPayment, Kind::ChannelPayment]
        }
        _ => &[],
    }
}

/// What a declined operation would have moved, seen as the account's file sees it.
pub fn asked_for(kind: domain::OperationKind, requested: i64) -> i64 {
    use domain::OperationKind as Kind;
    let back = matches!(kind, Kind::Refund | Kind::UnlinkedRefund | Kind::CashOut | Kind::Payout);
    if back { requested.saturating_neg() } else { requested }
}

/// Whether the owner's file grows with what is credited to the account.
pub const fn grows_by_credit(account: Account) -> bool {
    matches!(account, Account::Merchant(_))
}
