//! What accounting asks of a store: the journal by business day, balances of the liability, the age of what is
//! on cards, and the figures and settings that finance enters.

use async_trait::async_trait;
use domain::{
    Amount, BusinessDate, ClientId, Currency, IssuerId, OperationKind, ProgramId, Timestamp,
    account::AccountKind, lot::LotSource,
};

use crate::{BalanceLine, LedgerLine, Result, RollUp};

/// Business days, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub from: BusinessDate,
    /// The last.
    pub to: BusinessDate,
}

impl Days {
    /// Whether a day is one of them.
    pub fn contain(&self, day: BusinessDate) -> bool {
        self.from <= day && day <= self.to
    }
}

/// Everything of one day that moved value of one kind from one account to another. All cards of a program are
/// one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JournalLine {
    /// The business day.
    pub day: BusinessDate,
    /// The program of the operations' cards; none where no card took part.
    pub program: Option<ProgramId>,
    /// What the operations did.
    pub kind: OperationKind,
    /// What the operations undid had done, where they are reversals.
    pub reversed: Option<OperationKind>,
    /// The account that gave.
    pub debit: LedgerLine,
    /// The account that received.
    pub credit: LedgerLine,
    /// The currency.
    pub currency: Currency,
    /// How many operations have their first transfer here, so that the sum over lines is the number of
    /// operations.
    pub operations: i64,
    /// How much, in minor units.
    pub amount: i64,
}

/// The same over many days, with all accounts of a kind as one: few lines, however many merchants there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JournalTotal {
    /// See [`JournalLine::program`].
    pub program: Option<ProgramId>,
    /// See [`JournalLine::kind`].
    pub kind: OperationKind,
    /// See [`JournalLine::reversed`].
    pub reversed: Option<OperationKind>,
    /// The kind of the accounts that gave.
    pub debit: AccountKind,
    /// The kind of the accounts that received.
    pub credit: AccountKind,
    /// The currency.
    pub currency: Currency,
    /// See [`JournalLine::operations`].
    pub operations: i64,
    /// How much, in minor units.
    pub amount: i64,
}

/// How many moments part the ages of [`AccountingStore::ageing`].
pub const AGE_BOUNDS: usize = 6;

/// What cards of one program and age hold from one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgedValue {
    /// The program.
    pub program: ProgramId,
    /// Where the value came from.
    pub source: LotSource,
    /// How many of the bounds the activation lies before: 0 is the youngest.
    pub age: usize,
    /// Cards with such value.
    pub cards: i64,
    /// What is on them, in minor units.
    pub remaining: i64,
    /// What expired, is not yet income and can still be claimed, in minor units.
    pub claimable: i64,
}

/// What a figure says. Numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FigureKind {
    /// The balance of the custody account at the end of a day; the period is that day.
    CustodyBalance,
    /// The revenue of the main business in a year; the period is the year.
    MainRevenue,
}

impl FigureKind {
    /// All kinds, in the order of their numbers (1, 2, …).
    pub const ALL: [Self; 2] = [Self::CustodyBalance, Self::MainRevenue];

    /// The number it is stored under.
    pub const fn number(self) -> i64 {
        match self {
            Self::CustodyBalance => 1,
            Self::MainRevenue => 2,
        }
    }

    /// The kind with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// A figure that finance enters. A correction is a new version; none is ever changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Whose.
    pub issuer: IssuerId,
    /// What it says.
    pub kind: FigureKind,
    /// About when: a day as `YYYYMMDD`, or a year as `YYYY`.
    pub period: i32,
    /// The currency.
    pub currency: Currency,
    /// 1, 2, 3 …: the highest counts.
    pub version: u32,
    /// How much.
    pub amount: Amount,
    /// Where the figure is from, such as a bank statement.
    pub note: Option<String>,
    /// Who entered it.
    pub client: ClientId,
    /// When.
    pub entered_at: Timestamp,
}

/// A setting of an issuer's accounting, as text. A change is a new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Whose.
    pub issuer: IssuerId,
    /// Which.
    pub name: String,
    /// 1, 2, 3 …: the highest counts.
    pub version: u32,
    /// What it is set to.
    pub value: String,
    /// Who set it.
    pub client: ClientId,
    /// When.
    pub entered_at: Timestamp,
}

/// What accounting needs.
#[async_trait]
pub trait AccountingStore: Send + Sync {
    /// Takes the next operations, at most `limit`, into the journal's roll-up, and moves its cursor, in one
    /// transaction.
    async fn roll_up_journal(&self, limit: usize) -> Result<RollUp>;

    /// The journal of some days, in order. Exact whether or not it is rolled up.
    async fn journal(&self, issuer: IssuerId, days: Days) -> Result<Vec<JournalLine>>;

    /// The journal of some days in sum, in order. Exact whether or not it is rolled up.
    async fn journal_totals(&self, issuer: IssuerId, days: Days) -> Result<Vec<JournalTotal>>;

    /// What all accounts of one kind gave and received by operations before a moment, all cards of a program
    /// as one; in order.
    async fn balances_of_kind(
        &self,
        issuer: IssuerId,
        kind: AccountKind,
        before: Timestamp,
    ) -> Result<Vec<BalanceLine>>;

    /// What is on cards now, by program, source and age since activation, in order. `bounds` are moments, the
    /// newest first. Lines without value are left out.
    async fn ageing(&self, issuer: IssuerId, bounds: [Timestamp; AGE_BOUNDS]) -> Result<Vec<AgedValue>>;

    /// Enters the next version of a figure and returns it with its number; what `version` is given is of no
    /// account. Where the newest has the same amount and note, that one is returned and nothing is written.
    async fn enter_figure(&self, figure: &Figure) -> Result<Figure>;

    /// The newest version of each figure of a kind whose period lies within these, both included, by period
    /// and currency. At most [`MAX_FIGURES`].
    async fn figures(&self, issuer: IssuerId, kind: FigureKind, from: i32, to: i32) -> Result<Vec<Figure>>;

    /// Enters the next version of a setting and returns it with its number; what `version` is given is of no
    /// account. Where the newest has the same value, that one is returned and nothing is written.
    async fn enter_setting(&self, setting: &Setting) -> Result<Setting>;

    /// The newest version of a setting.
    async fn setting(&self, issuer: IssuerId, name: &str) -> Result<Option<Setting>>;
}

/// The most figures that are returned at once: some years of days, in several currencies.
pub const MAX_FIGURES: usize = 4_000;
