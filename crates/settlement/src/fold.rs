//! The fold: movements in, lines of statements out.
//!
//! Holds the open statements of one issuer in memory. A portion of movements yields what is to be written in
//! one transaction; if that is not written, the fold is to be made again from the store. Nothing depends on
//! where the portions are cut.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{Amount, BusinessDate, Currency, MerchantId, OperationId, StatementId, Timestamp};

use crate::{
    Line, Movement, MovementKind, Refunded, SplitPart, Statement, StatementStatus, StatementSums,
    agreement::Terms,
    books::{Books, InForce},
    fees::FeeRounding,
    splits::{SplitBase, proportion, returned},
    statement::Figures,
};

/// Movements that cannot be folded. The log or what is stored of it is damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// A sum left the range of amounts.
    #[error("the amounts of operation {0} do not fit")]
    Overflow(OperationId),
    /// An agreement that a line names is not known.
    #[error("the agreement of operation {0} is not known")]
    AgreementUnknown(OperationId),
}

/// A line that was written, by what refunds need to know of it.
pub type Key = (OperationId, MerchantId);

/// What is known of the sales that a portion gives back.
#[derive(Clone, Debug, Default)]
pub struct Originals {
    lines: HashMap<Key, Line>,
    parts: HashMap<Key, Vec<SplitPart>>,
    refunded: HashMap<Key, Refunded>,
}

/// What a portion adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Portion {
    /// Statements that it opens.
    pub statements: Vec<Statement>,
    /// Lines.
    pub lines: Vec<Line>,
    /// Parts of others.
    pub parts: Vec<SplitPart>,
    /// What was given back of sales, as it is now.
    pub refunded: Vec<Refunded>,
}

/// An open statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The statement; its figures have the sums so far.
    pub statement: Statement,
    /// The newest line.
    pub newest: Option<OperationId>,
    /// What rounding per statement has left.
    pub residue: i32,
    /// Sales by month.
    pub volumes: BTreeMap<i32, i64>,
    /// What goes to each receiver; not known of a statement that was opened before this process.
    pub receivers: Option<BTreeMap<MerchantId, i64>>,
}

impl Open {
    /// A statement without lines.
    pub fn new(statement: Statement) -> Self {
        let (volumes, receivers) = (BTreeMap::new(), Some(BTreeMap::new()));
        Self { statement, newest: None, residue: 0, volumes, receivers }
    }
}

/// What is known of a merchant in a currency.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// The newest statement whose figures are fixed.
    pub(crate) last: Option<Statement>,
    /// Open ones, by the last day of their periods.
    pub(crate) open: BTreeMap<BusinessDate, Open>,
}

/// The open statements of an issuer.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    pub(crate) accounts: HashMap<(MerchantId, Currency), Account>,
}

/// What a portion is folded with.
pub struct With<'a> {
    /// Agreements, calendar, time zone.
    pub books: &'a Books,
    /// The sales that it gives back.
    pub originals: Originals,
    /// When it is folded: the moment that new statements are stamped with.
    pub now: Timestamp,
    /// The next id of a statement.
    pub next_id: &'a mut (dyn FnMut() -> StatementId + Send),
}

impl Originals {
    /// What these movements need to know of lines that were written before.
    pub fn needed(movements: &[Movement]) -> Vec<Key> {
        let wanted: HashSet<Key> = movements.iter().filter_map(gives_back).collect();
        let mut wanted: Vec<Key> = wanted.into_iter().collect();
        wanted.sort_unstable();
        wanted
    }

    /// Adds a line that was written. Returns the sale that is needed too, if the line gave one back.
    pub fn add(&mut self, line: Line, parts: Vec<SplitPart>, refunded: Option<Refunded>) -> Option<Key> {
        let key = (line.operation, line.merchant);
        self.lines.insert(key, line);
        self.parts.insert(key, parts);
        if let Some(refunded) = refunded {
            self.refunded.insert(key, refunded);
        }
        line.original.map(|original| (original, line.merchant)).filter(|sale| !self.lines.contains_key(sale))
    }
}

fn gives_back(movement: &Movement) -> Option<Key> {
    let kind = movement.line_kind()?;
    let original =
        movement.original.filter(|_| matches!(kind, MovementKind::Refund | MovementKind::Reversal))?;
    Some((original, movement.merchant))
}

/// Fee and parts of a line.
#[derive(Default)]
struct Shares {
    fee: i64,
    residue: i32,
    parts: BTreeMap<MerchantId, i64>,
    original: Option<OperationId>,
    refunded_before: Amount,
}

impl Fold {
    /// Nothing open.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what the store has: the newest statement with fixed figures of a merchant and currency.
    pub fn resume_last(&mut self, statement: Statement) {
        let key = (statement.merchant, statement.currency);
        self.accounts.entry(key).or_default().last = Some(statement);
    }

    /// Adds what the store has: an open statement with what its lines add up to.
    pub fn resume_open(&mut self, open: Open) {
        let key = (open.statement.merchant, open.statement.currency);
        self.accounts.entry(key).or_default().open.insert(open.statement.period_to, open);
    }

    /// The open statements, in no order.
    pub fn open(&self) -> impl Iterator<Item = &Open> {
        self.accounts.values().flat_map(|account| account.open.values())
    }

    /// Folds a portion of the log.
    pub fn portion(&mut self, movements: &[Movement], mut with: With<'_>) -> Result<Portion, FoldError> {
        let wanted: HashSet<Key> = Originals::needed(movements).into_iter().collect();
        let mut portion = Portion::default();
        let mut touched = Vec::new();
        for movement in movements {
            let Some(kind) = movement.line_kind() else { continue };
            self.movement(movement, kind, &wanted, &mut with, &mut portion, &mut touched)
                .ok_or(FoldError::Overflow(movement.operation))??;
        }
        touched.sort_unstable();
        touched.dedup();
        portion.refunded =
            touched.iter().filter_map(|key| with.originals.refunded.get(key)).copied().collect();
        Ok(portion)
    }

    fn movement(
        &mut self,
        movement: &Movement,
        kind: MovementKind,
        wanted: &HashSet<Key>,
        with: &mut With<'_>,
        portion: &mut Portion,
        touched: &mut Vec<Key>,
    ) -> Option<Result<(), FoldError>> {
        let (day, in_force) = with.books.at(movement.merchant, movement.currency, movement.at);
        let day = BusinessDate::from_date(day);
        let account = self.accounts.entry((movement.merchant, movement.currency)).or_default();
        let (to, late) = account.place(movement, day, &in_force, with, &mut portion.statements)?;
        let volume = account.volume(day.month())?;
        let open = account.open.get_mut(&to)?;
        let mut agreement = in_force.id();
        let shares = match kind {
            MovementKind::Sale => sale_shares(movement, in_force.terms(), volume, open)?,
            MovementKind::Refund | MovementKind::Reversal => {
                let Some((line, sale)) = given_back(movement, &with.originals) else {
                    let line =
                        line_of(movement, kind, day, late, open, agreement, &Shares::none(open.residue));
                    return Some(Ok(open.take(line, BTreeMap::new(), portion)?));
                };
                agreement = sale.agreement;
                let Some(terms) = with.books.terms_of(agreement) else {
                    return Some(Err(FoldError::AgreementUnknown(movement.operation)));
                };
                touched.push((sale.operation, sale.merchant));
                let whole = line.kind == MovementKind::Sale && kind == MovementKind::Reversal;
                give_back(movement, &sale, terms, whole, open.residue, &mut with.originals)?
            }
            _ => Shares::none(open.residue),
        };
        let line = line_of(movement, kind, day, late, open, agreement, &shares);
        open.take(line, shares.parts, portion)?;
        let key = (movement.operation, movement.merchant);
        if wanted.contains(&key) {
            let count = portion.parts.iter().rev().take_while(|p| (p.operation, p.merchant) == key).count();
            let parts = portion.parts.get(portion.parts.len().checked_sub(count)?..)?.to_vec();
            with.originals.add(line, parts, None);
        }
        Some(Ok(()))
    }
}

impl Shares {
    fn none(residue: i32) -> Self {
        Self { residue, ..Self::default() }
    }
}

/// The line that a movement gives back or undoes, and the sale behind it.
fn given_back(movement: &Movement, originals: &Originals) -> Option<(Line, Line)> {
    let line = *originals.lines.get(&gives_back(movement)?)?;
    let sale = match line.original {
        Some(original) => *originals.lines.get(&(original, line.merchant))?,
        None => line,
    };
    (sale.kind == MovementKind::Sale && sale.amount > 0).then_some((line, sale))
}

fn line_of(
    movement: &Movement,
    kind: MovementKind,
    day: BusinessDate,
    late: bool,
    open: &Open,
    agreement: Option<domain::AgreementId>,
    shares: &Shares,
) -> Line {
    Line {
        operation: movement.operation,
        merchant: movement.merchant,
        statement: open.statement.id,
        previous: open.newest,
        kind,
        day,
        amount: movement.delta,
        fee: shares.fee,
        agreement,
        original: shares.original,
        refunded_before: shares.refunded_before,
        residue: shares.residue,
        late,
    }
}

/// Fee and parts of a sale that follows on `volume` in its month.
fn sale_shares(movement: &Movement, terms: &Terms, volume: i64, open: &Open) -> Option<Shares> {
    let sale = Amount::new(movement.delta).ok()?;
    let exact = terms.fees.exact(sale, volume)?;
    let (fee, residue) = match terms.fee_rounding {
        FeeRounding::PerOperation => (exact.rounded()?, open.residue),
        FeeRounding::PerStatement => exact.rounded_onto(open.statement.figures.sums.fees, open.residue)?,
    };
    let mut parts = BTreeMap::new();
    if let Some(splits) = &terms.splits {
        let base = match splits.base {
            SplitBase::Gross => sale,
            SplitBase::Net => Amount::new(movement.delta.checked_sub(fee)?).unwrap_or(Amount::ZERO),
        };
        let (shares, rest) = splits.divide(base)?;
        let receivers = splits.receivers.iter().map(|receiver| Some(receiver.merchant)).chain([splits.rest]);
        for (receiver, part) in receivers.zip(shares.into_iter().chain([rest])) {
            if let Some(receiver) = receiver.filter(|r| *r != movement.merchant && !part.is_zero()) {
                let sum: &mut i64 = parts.entry(receiver).or_default();
                *sum = sum.checked_add(part.get())?;
            }
        }
    }
    Some(Shares { fee, residue, parts, ..Shares::default() })
}

/// Fee and parts that go back with a refund or reversal: what is given back of them after it, less what was
/// before. With `whole` all that is left, the fee whatever the agreement says.
fn give_back(
    movement: &Movement,
    sale: &Line,
    terms: &Terms,
    whole: bool,
    residue: i32,
    originals: &mut Originals,
) -> Option<Shares> {
    let key = (sale.operation, sale.merchant);
    let amount = Amount::new(sale.amount).ok()?;
    let fee = Amount::new(sale.fee).ok()?;
    let nothing =
        Refunded { original: key.0, merchant: key.1, refunded: Amount::ZERO, fee_returned: Amount::ZERO };
    let before = originals.refunded.get(&key).copied().unwrap_or(nothing);
    let back = before.refunded.get().checked_sub(movement.delta)?.clamp(0, sale.amount);
    let refunded = if whole { amount } else { Amount::new(back).ok()? };
    let fee_returned = match (whole, terms.refunds_return_fee) {
        (true, _) => fee,
        (false, true) => proportion(fee, refunded, amount)?,
        (false, false) => Amount::ZERO,
    };
    let owed = originals.parts.get(&key).map_or(&[][..], Vec::as_slice);
    let weights: Option<Vec<Amount>> = owed.iter().map(|part| Amount::new(part.amount).ok()).collect();
    let weights = weights?;
    let was = returned(&weights, before.refunded, amount)?;
    let is = returned(&weights, refunded, amount)?;
    let mut parts = BTreeMap::new();
    for (part, (was, is)) in owed.iter().zip(was.into_iter().zip(is)) {
        let change = was.get().checked_sub(is.get())?;
        if change != 0 {
            parts.insert(part.receiver, change);
        }
    }
    originals.refunded.insert(key, Refunded { refunded, fee_returned, ..before });
    Some(Shares {
        fee: before.fee_returned.get().checked_sub(fee_returned.get())?,
        residue,
        parts,
        original: Some(sale.operation),
        refunded_before: before.refunded,
    })
}

impl Account {
    /// The sales in a month so far.
    fn volume(&self, month: i32) -> Option<i64> {
        let last = self.last.as_ref().map(|last| &last.figures);
        let before = last.filter(|last| last.volume_month == month).map_or(0, |last| last.volume);
        let open = self.open.values().filter_map(|open| open.volumes.get(&month));
        open.copied().try_fold(before, i64::checked_add)
    }

    /// The statement for a day, opened if there is none. What belongs to one that is closed comes late, onto
    /// the next. Returns the last day of its period.
    fn place(
        &mut self,
        movement: &Movement,
        day: BusinessDate,
        in_force: &InForce,
        with: &mut With<'_>,
        opened: &mut Vec<Statement>,
    ) -> Option<(BusinessDate, bool)> {
        let closed = self.last.as_ref().map(|last| last.period_to);
        let late = closed.is_some_and(|closed| day <= closed);
        let date = match closed.filter(|_| late) {
            Some(closed) => closed.to_date()?.tomorrow().ok()?,
            None => day.to_date()?,
        };
        let on = BusinessDate::from_date(date);
        if let Some(open) = self.open.range(on..).next().map(|(_, open)| &open.statement)
            && open.period_from <= on
        {
            return Some((open.period_to, late));
        }
        let statement = self.opening(movement, date, in_force, with);
        let to = statement.period_to;
        opened.push(statement.clone());
        self.open.insert(to, Open::new(statement));
        Some((to, late))
    }

    fn opening(
        &self,
        movement: &Movement,
        date: jiff::civil::Date,
        in_force: &InForce,
        with: &mut With<'_>,
    ) -> Statement {
        let (merchant, currency) = (movement.merchant, movement.currency);
        let period = in_force.terms().cycle.period_of(date, with.books.calendar());
        // A cycle that changed begins after the last period of the one before it, and ends before what is open.
        let on = BusinessDate::from_date(date);
        let before = self.open.range(..on).next_back().map(|(to, _)| *to);
        let before = before.max(self.last.as_ref().map(|last| last.period_to));
        let next = |day: BusinessDate| day.to_date()?.tomorrow().ok().map(BusinessDate::from_date);
        let from = before.and_then(next).map_or(period.from, |first| first.max(period.from));
        let after = self.open.range(on..).next().map(|(_, open)| open.statement.period_from);
        let yesterday = |day: BusinessDate| day.to_date()?.yesterday().ok().map(BusinessDate::from_date);
        let to = after.and_then(yesterday).map_or(period.to, |last| last.min(period.to));
        let at_end = with.books.on(merchant, currency, to);
        Statement {
            id: (with.next_id)(),
            issuer: movement.issuer,
            merchant,
            currency,
            status: StatementStatus::Open,
            period_from: from,
            period_to: to,
            ends_at: at_end.terms().cut_off.end_of(to, with.books.zone()),
            due_on: period.due_on,
            due_estimated: period.due_estimated,
            agreement: at_end.id(),
            first_line: Some(movement.operation),
            newest_line: None,
            figures: Figures::default(),
            previous: None,
            operation: None,
            digest: None,
            created_at: with.now,
            closed_at: None,
        }
    }
}

impl Open {
    /// Puts a line on the statement.
    fn take(&mut self, line: Line, parts: BTreeMap<MerchantId, i64>, portion: &mut Portion) -> Option<()> {
        self.newest = Some(line.operation);
        self.residue = line.residue;
        if line.kind == MovementKind::Sale {
            let volume = self.volumes.entry(line.day.month()).or_default();
            *volume = volume.checked_add(line.amount)?;
        }
        let sums = &mut self.statement.figures.sums;
        add_line(sums, &line)?;
        for (receiver, amount) in parts {
            sums.splits_out = sums.splits_out.checked_add(amount)?;
            if let Some(receivers) = &mut self.receivers {
                let sum = receivers.entry(receiver).or_default();
                *sum = sum.checked_add(amount)?;
            }
            let (operation, merchant, statement) = (line.operation, line.merchant, line.statement);
            portion.parts.push(SplitPart { operation, merchant, receiver, statement, amount });
        }
        portion.lines.push(line);
        Some(())
    }
}

/// Adds a line to the sums of its statement, without its parts.
pub fn add_line(sums: &mut StatementSums, line: &Line) -> Option<()> {
    sums.lines = sums.lines.checked_add(1)?;
    sums.sales_count = sums.sales_count.checked_add(u64::from(line.kind == MovementKind::Sale))?;
    sums.refunds_count = sums.refunds_count.checked_add(u64::from(line.kind == MovementKind::Refund))?;
    sums.late_count = sums.late_count.checked_add(u64::from(line.late))?;
    sums.add(line.kind, line.amount)?;
    sums.fees = sums.fees.checked_add(line.fee)?;
    Some(())
}
