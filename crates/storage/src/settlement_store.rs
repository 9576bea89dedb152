//! Settlement: what a store keeps of agreements, statements and payouts, and how the log is followed for them.
//!
//! Whatever changes open statements of an issuer (lines, closings) is decided on what is in memory, and
//! written only if nobody else has changed them since: each such change names the revision that it was
//! decided on, and raises it by one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use async_trait::async_trait;
use domain::{
    AgreementId, BusinessDate, Currency, IssuerId, MerchantId, OperationId, PayeeId, PayoutId, StatementId,
};
use settlement::{
    Agreement, CalendarDay, Line, Movement, MovementKind, Payee, Payout, PayoutStatus, Refunded, SplitPart,
    Statement, StatementStatus, StatementSums, fold::add_line,
};

use crate::{Page, Result, StorageError};

/// A place in the log, in the order in which operations became visible. Where one writer commits after the
/// other that is the order of their ids, and `transaction` is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPosition {
    /// The transaction that wrote the operation.
    pub transaction: u64,
    /// The operation.
    pub operation: OperationId,
}

impl LogPosition {
    /// Before the first operation.
    pub const START: Self = Self { transaction: 0, operation: OperationId::new(-1) };
}

/// How far an issuer's settlement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlementProgress {
    /// The last operation that was taken in.
    pub position: LogPosition,
    /// Grows with every change of open statements.
    pub revision: i64,
}

impl SettlementProgress {
    /// Nothing yet.
    pub const START: Self = Self { position: LogPosition::START, revision: 0 };
}

/// A part of the log, as movements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovementPage {
    /// The movements, in the order of the log. What gives back or undoes an operation comes after it.
    pub items: Vec<Movement>,
    /// Where the part ends: where the next begins.
    pub position: LogPosition,
    /// How many operations were looked at.
    pub operations: u64,
    /// Whether nothing more was there. Where it is not and no operation was looked at, some that are there may
    /// still have others before them: ask again later.
    pub caught_up: bool,
}

/// What a part of the log adds to statements. Written whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accrual {
    /// The issuer.
    pub issuer: IssuerId,
    /// The revision it was decided on.
    pub expected: i64,
    /// How far the log is taken in with it.
    pub position: LogPosition,
    /// Statements that it opens.
    pub statements: Vec<Statement>,
    /// Lines, in the order in which they were made.
    pub lines: Vec<Line>,
    /// Their parts that go to others.
    pub parts: Vec<SplitPart>,
    /// What was given back in all of each sale of which it gives something back.
    pub refunded: Vec<Refunded>,
}

/// A line that was written, with what is known about it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The line.
    pub line: Line,
    /// Its parts that go to others, by receiver.
    pub parts: Vec<SplitPart>,
    /// What was given back of it, if anything was.
    pub refunded: Option<Refunded>,
}

/// What the lines of an open statement add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSums {
    /// The statement.
    pub statement: StatementId,
    /// The sums.
    pub sums: StatementSums,
    /// The newest line.
    pub newest: Line,
    /// Sales by month (`YYYYMM`) of their settlement days.
    pub volumes: Vec<(i32, i64)>,
}

/// Statements whose figures become fixed, with the payouts that they take up again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The issuer.
    pub issuer: IssuerId,
    /// The revision it was decided on.
    pub expected: i64,
    /// The statements with their figures, in status `closing`: open ones, or new ones without lines. At most
    /// one of a merchant and currency; `previous` is the one before it that was closed.
    pub statements: Vec<Statement>,
    /// Rejected payouts, and which of the statements takes their amount up.
    pub credited: Vec<(PayoutId, StatementId)>,
}

/// A statement whose posting is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The statement, in status `closed`, with its operation, digest and moment.
    pub statement: Statement,
    /// What it pays out, if anything.
    pub payout: Option<Payout>,
}

/// Which statements to list. An absent field accepts all.
#[derive(Clone, Copy, Debug)]
pub struct StatementFilter {
    /// The issuer, always.
    pub issuer: IssuerId,
    /// A merchant.
    pub merchant: Option<MerchantId>,
    /// A status.
    pub status: Option<StatementStatus>,
    /// Periods that end on this day or later.
    pub from: Option<BusinessDate>,
    /// Periods that end on this day or earlier.
    pub to: Option<BusinessDate>,
}

impl StatementFilter {
    /// All statements of an issuer.
    pub const fn all(issuer: IssuerId) -> Self {
        Self { issuer, merchant: None, status: None, from: None, to: None }
    }

    /// Whether it accepts a statement.
    pub fn accepts(&self, statement: &Statement) -> bool {
        statement.issuer == self.issuer
            && self.merchant.is_none_or(|merchant| merchant == statement.merchant)
            && self.status.is_none_or(|status| status == statement.status)
            && self.from.is_none_or(|from| from <= statement.period_to)
            && self.to.is_none_or(|to| statement.period_to <= to)
    }
}

/// Which payouts to list. An absent field accepts all.
#[derive(Clone, Copy, Debug)]
pub struct PayoutFilter {
    /// The issuer, always.
    pub issuer: IssuerId,
    /// A merchant.
    pub merchant: Option<MerchantId>,
    /// A status.
    pub status: Option<PayoutStatus>,
    /// Due on this day or later.
    pub due_from: Option<BusinessDate>,
    /// Due on this day or earlier.
    pub due_to: Option<BusinessDate>,
}

impl PayoutFilter {
    /// All payouts of an issuer.
    pub const fn all(issuer: IssuerId) -> Self {
        Self { issuer, merchant: None, status: None, due_from: None, due_to: None }
    }

    /// Whether it accepts a payout.
    pub fn accepts(&self, payout: &Payout) -> bool {
        payout.issuer == self.issuer
            && self.merchant.is_none_or(|merchant| merchant == payout.merchant)
            && self.status.is_none_or(|status| status == payout.status)
            && self.due_from.is_none_or(|from| from <= payout.due_on)
            && self.due_to.is_none_or(|to| payout.due_on <= to)
    }
}

/// A merchant's account in the ledger, beside what its statements make of it, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledBalance {
    /// The merchant.
    pub merchant: MerchantId,
    /// The currency.
    pub currency: Currency,
    /// What it is owed by the ledger, without what statements have not taken in yet.
    pub ledger: i64,
    /// What it is owed by its statements: what was carried forward last, the lines of what is open, and payouts
    /// that were not sent, less what it was asked for and has not paid.
    pub statements: i64,
}

/// What a comparison of all merchants of an issuer came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettledBalances {
    /// Accounts that were compared. Those without a statement, or with one that is just being closed, are left out.
    pub accounts: u64,
    /// The first of those that differ, at most [`MAX_DIFFERENCES`].
    pub differences: Vec<SettledBalance>,
}

/// The most accounts that a comparison names.
pub const MAX_DIFFERENCES: usize = 20;

impl SettledBalances {
    /// Takes an account in.
    pub fn take(&mut self, balance: SettledBalance) {
        self.accounts += 1;
        if balance.ledger != balance.statements && self.differences.len() < MAX_DIFFERENCES {
            self.differences.push(balance);
        }
    }
}

/// Where settlement is kept. Lists return at most `limit` items.
#[async_trait]
pub trait SettlementStore: Send + Sync {
    /// Replaces what the notice of a year says. No days: the notice is not known.
    async fn put_calendar_year(&self, issuer: IssuerId, year: i16, days: &[CalendarDay]) -> Result<()>;

    /// What the notices of these years say, both included, by year and date.
    async fn calendar_days(&self, issuer: IssuerId, from: i16, to: i16) -> Result<Vec<CalendarDay>>;

    /// Adds a version. [`crate::StorageError::Conflict`] on `effective_from` where the merchant (or the issuer)
    /// has one from that day in that currency.
    async fn append_agreement(&self, agreement: &Agreement) -> Result<()>;

    /// An agreement.
    async fn agreement(&self, id: AgreementId) -> Result<Option<Agreement>>;

    /// Agreements, newest first, older than `before`; of one merchant where one is named.
    async fn agreements(
        &self,
        issuer: IssuerId,
        merchant: Option<MerchantId>,
        before: Option<AgreementId>,
        limit: usize,
    ) -> Result<Page<Agreement>>;

    /// Adds a bank account.
    async fn append_payee(&self, payee: &Payee) -> Result<()>;

    /// A bank account.
    async fn payee(&self, id: PayeeId) -> Result<Option<Payee>>;

    /// Bank accounts of a merchant, newest first, older than `before`.
    async fn payees(
        &self,
        issuer: IssuerId,
        merchant: MerchantId,
        before: Option<PayeeId>,
        limit: usize,
    ) -> Result<Page<Payee>>;

    /// Bank accounts, of all issuers, whose number is plain or under another key than `current`, by id after
    /// `after`.
    async fn accounts_not_under(
        &self,
        current: u8,
        after: Option<PayeeId>,
        limit: usize,
    ) -> Result<Vec<Payee>>;

    /// Stores the numbers of these accounts as they are sealed now. Nothing else of them changes.
    async fn seal_accounts(&self, payees: &[Payee]) -> Result<()>;

    /// The accounts in force on a day, one for each merchant and currency that has one: the latest effective
    /// date, and of that the newest.
    async fn payees_in_force(
        &self,
        issuer: IssuerId,
        merchants: &[MerchantId],
        on: BusinessDate,
    ) -> Result<Vec<Payee>>;

    /// How far an issuer's settlement is.
    async fn settlement_progress(&self, issuer: IssuerId) -> Result<SettlementProgress>;

    /// The issuer's movements after a place in the log, of at most about `limit` operations of whatever issuer.
    /// Stops before what an operation may still come before.
    async fn movements(&self, issuer: IssuerId, after: LogPosition, limit: usize) -> Result<MovementPage>;

    /// Writes what a part of the log adds. [`crate::StorageError::Conflict`] on `revision` where somebody else
    /// has changed the issuer's statements since.
    async fn accrue(&self, accrual: &Accrual) -> Result<()>;

    /// Statements that are open or being closed, by id, after `after`.
    async fn unfinished_statements(
        &self,
        issuer: IssuerId,
        after: Option<StatementId>,
        limit: usize,
    ) -> Result<Vec<Statement>>;

    /// What the lines of all open statements of an issuer add up to, by statement. Reads the log of lines from
    /// the first of them on: for the start of a process.
    async fn open_sums(&self, issuer: IssuerId) -> Result<Vec<OpenSums>>;

    /// The newest statement whose figures are fixed, of each merchant and currency after `after`, in that order.
    async fn latest_statements(
        &self,
        issuer: IssuerId,
        after: Option<(MerchantId, Currency)>,
        limit: usize,
    ) -> Result<Vec<Statement>>;

    /// The lines of these operations and merchants, where there are any, in any order.
    async fn settled(&self, keys: &[(OperationId, MerchantId)]) -> Result<Vec<Settled>>;

    /// Fixes figures. [`crate::StorageError::Conflict`] on `revision` as for [`Self::accrue`]; on `statement`
    /// where one is not open, or does not follow the one before it; on `payout` where one is not rejected or
    /// was taken up already.
    async fn begin_closing(&self, closing: &Closing) -> Result<()>;

    /// Closes statements whose figures are fixed, and proposes their payouts.
    /// [`crate::StorageError::Conflict`] on `statement` where one is not being closed.
    async fn finish_closing(&self, closed: &[Closed]) -> Result<()>;

    /// What goes to each receiver in all of these statements of an issuer, as far as they have parts.
    async fn receivers(
        &self,
        issuer: IssuerId,
        statements: &[StatementId],
    ) -> Result<Vec<(StatementId, MerchantId, i64)>>;

    /// A statement.
    async fn statement(&self, id: StatementId) -> Result<Option<Statement>>;

    /// Statements, newest first, older than `before`.
    async fn statements(
        &self,
        filter: &StatementFilter,
        before: Option<StatementId>,
        limit: usize,
    ) -> Result<Page<Statement>>;

    /// The lines of a closed statement (or one being closed) with their parts, newest first, older than the
    /// line `before`. `next` is the last line of the page.
    async fn statement_lines(
        &self,
        statement: StatementId,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Page<Settled>>;

    /// Lines of an issuer by operation and merchant, after `after` and below the operation `below`.
    async fn lines(
        &self,
        issuer: IssuerId,
        after: (OperationId, MerchantId),
        below: OperationId,
        limit: usize,
    ) -> Result<Vec<Line>>;

    /// A payout.
    async fn payout(&self, id: PayoutId) -> Result<Option<Payout>>;

    /// Payouts, newest first, older than `before`.
    async fn payouts(
        &self,
        filter: &PayoutFilter,
        before: Option<PayoutId>,
        limit: usize,
    ) -> Result<Page<Payout>>;

    /// Rejected payouts that no statement has taken up, by id, after `after`.
    async fn uncredited_payouts(
        &self,
        issuer: IssuerId,
        after: Option<PayoutId>,
        limit: usize,
    ) -> Result<Vec<Payout>>;

    /// Holds all merchants' accounts in the ledger against their statements, on one view of the data. Reads the
    /// journal, what came after it, and the lines of what is open: not for every few seconds.
    async fn settled_balances(&self, issuer: IssuerId) -> Result<SettledBalances>;

    /// Replaces payouts whose stored version is one less than their own, all or none.
    /// [`crate::StorageError::Conflict`] on `version` otherwise, and on `status` for a step that
    /// [`PayoutStatus::may_become`] does not allow.
    async fn update_payouts(&self, payouts: &[Payout]) -> Result<()>;
}

/// Moves what gives back or undoes an operation after it, where another order of transactions put it before.
pub fn originals_first(movements: &mut Vec<Movement>) {
    let wanted: HashSet<OperationId> = movements.iter().filter_map(|m| m.original).collect();
    if wanted.is_empty() {
        return;
    }
    let mut waiting: HashMap<OperationId, Vec<Movement>> = HashMap::new();
    let named = |movements: &[Movement]| -> HashSet<OperationId> {
        movements.iter().map(|m| m.operation).filter(|id| wanted.contains(id)).collect()
    };
    let mut later = named(movements);
    let mut sorted = Vec::with_capacity(movements.len());
    let all = std::mem::take(movements);
    let mut rest = all.into_iter().peekable();
    while let Some(movement) = rest.next() {
        let id = movement.operation;
        if let Some(original) =
            movement.original.filter(|original| later.contains(original) && *original != id)
        {
            waiting.entry(original).or_default().push(movement);
            continue;
        }
        sorted.push(movement);
        if rest.peek().is_none_or(|next| next.operation != id) && later.remove(&id) {
            release(id, &mut waiting, &mut later, &mut sorted);
        }
    }
    // Damaged data: operations that name each other.
    sorted.extend(waiting.into_values().flatten());
    *movements = sorted;
}

/// What waited for this operation, and what waited for that.
fn release(
    id: OperationId,
    waiting: &mut HashMap<OperationId, Vec<Movement>>,
    later: &mut HashSet<OperationId>,
    sorted: &mut Vec<Movement>,
) {
    let mut ready = vec![id];
    while let Some(id) = ready.pop() {
        for movement in waiting.remove(&id).unwrap_or_default() {
            sorted.push(movement);
            if later.remove(&movement.operation) {
                ready.push(movement.operation);
            }
        }
    }
}

/// Whether statements could be closed together: no two of one merchant and currency.
pub fn one_each(statements: &[Statement]) -> bool {
    let mut seen = BTreeSet::new();
    statements.iter().all(|statement| seen.insert((statement.merchant, statement.currency)))
}

/// Adds up the lines of open statements while they are read, in any order.
#[derive(Debug, Default)]
pub struct OpenFold {
    open: HashMap<StatementId, OpenStatement>,
}

/// What is known of an open statement while its lines are read.
#[derive(Debug)]
struct OpenStatement {
    merchant: MerchantId,
    sums: StatementSums,
    /// Every line but the newest is named by one other, so that of all ids, each combined with those that are
    /// named, the newest is left.
    newest: i64,
    volumes: BTreeMap<i32, i64>,
}

impl OpenFold {
    /// Of these statements.
    pub fn new(open: impl IntoIterator<Item = (StatementId, MerchantId)>) -> Self {
        let empty = |merchant| OpenStatement {
            merchant,
            sums: StatementSums::default(),
            newest: 0,
            volumes: BTreeMap::new(),
        };
        Self { open: open.into_iter().map(|(id, merchant)| (id, empty(merchant))).collect() }
    }

    /// Takes a line in, if it is of one of them.
    pub fn take(&mut self, line: &Line) -> Result<()> {
        let Some(open) = self.open.get_mut(&line.statement) else { return Ok(()) };
        add_line(&mut open.sums, line).ok_or_else(too_much)?;
        open.newest ^= line.operation.get() ^ line.previous.map_or(0, OperationId::get);
        if line.kind == MovementKind::Sale {
            let volume = open.volumes.entry(line.day.month()).or_default();
            *volume = volume.checked_add(line.amount).ok_or_else(too_much)?;
        }
        Ok(())
    }

    /// Takes parts of its lines in, if it is one of them.
    pub fn take_parts(&mut self, statement: StatementId, sum: i64) -> Result<()> {
        let Some(open) = self.open.get_mut(&statement) else { return Ok(()) };
        open.sums.splits_out = open.sums.splits_out.checked_add(sum).ok_or_else(too_much)?;
        Ok(())
    }

    /// The newest line of each, by operation and merchant.
    pub fn newest(&self) -> Vec<(OperationId, MerchantId)> {
        let any = self.open.values().filter(|open| open.sums.lines > 0);
        any.map(|open| (OperationId::new(open.newest), open.merchant)).collect()
    }

    /// The sums of each that has lines, given the newest lines. Fails where a chain is broken.
    pub fn finish(self, newest: impl IntoIterator<Item = Line>) -> Result<Vec<OpenSums>> {
        let lines: HashMap<StatementId, Line> =
            newest.into_iter().map(|line| (line.statement, line)).collect();
        let mut found = Vec::with_capacity(self.open.len());
        for (statement, open) in self.open {
            if open.sums.lines == 0 {
                continue;
            }
            let newest = lines.get(&statement).filter(|line| line.operation.get() == open.newest);
            let newest = *newest
                .ok_or_else(|| StorageError::Corrupt(format!("the chain of {statement} is broken")))?;
            let volumes = open.volumes.into_iter().collect();
            found.push(OpenSums { statement, sums: open.sums, newest, volumes });
        }
        found.sort_unstable_by_key(|sums| sums.statement);
        Ok(found)
    }
}

fn too_much() -> StorageError {
    StorageError::Corrupt("the sum of a statement exceeds 64 bits".to_owned())
}

#[cfg(test)]
mod tests {
    use domain::{OperationKind, Timestamp};

    use super::*;

    fn movement(n: i64, original: Option<i64>) -> Movement {
        Movement {
            operation: OperationId::new(n),
            kind: OperationKind::Reversal,
            at: Timestamp::from_micros(n),
            issuer: IssuerId::new(1),
            merchant: MerchantId::new(1),
            named: None,
            currency: Currency::CNY,
            delta: 1,
            original: original.map(OperationId::new),
        }
    }

    fn check(movements: &[(i64, Option<i64>)], expect: &[i64]) {
        let mut sorted: Vec<Movement> =
            movements.iter().map(|(n, original)| movement(*n, *original)).collect();
        originals_first(&mut sorted);
        assert_eq!(sorted.iter().map(|m| m.operation.get()).collect::<Vec<_>>(), expect, "{movements:?}");
    }

    #[test]
    fn what_gives_back_comes_after_what_it_gives_back() {
        check(&[(1, None), (2, Some(1)), (3, Some(9))], &[1, 2, 3]);
        check(&[(5, Some(7)), (6, None), (7, None), (8, None)], &[6, 7, 5, 8]);
        // A refund, its reversal, and what they are about, all the wrong way round.
        check(&[(3, Some(2)), (2, Some(1)), (4, Some(1)), (1, None)], &[1, 2, 4, 3]);
        // An operation of several merchants keeps its movements together.
        check(&[(2, Some(1)), (2, Some(1)), (1, None), (1, None)], &[1, 1, 2, 2]);
        // Damaged data loses nothing.
        check(&[(1, Some(1)), (2, None)], &[1, 2]);
        let mut ring = vec![movement(1, Some(2)), movement(2, Some(1))];
        originals_first(&mut ring);
        assert_eq!(ring.len(), 2);
    }
}
