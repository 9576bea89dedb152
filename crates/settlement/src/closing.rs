//! Closing a statement: its figures, what it posts, and the digest that seals it.

use std::collections::BTreeMap;

use domain::{
    Account, Amount, BusinessDate, Currency, IssuerId, MerchantId, OperationId, PostedTransfer, StatementId,
    Timestamp,
};
use sha2::{Digest, Sha256};

use crate::{
    Books, Negative, Statement, StatementStatus, Terms,
    fold::{Fold, Open},
    statement::Figures,
};

/// Fixes the figures of a statement: `last` is the one before it, `rejected` the payouts that it takes up
/// again. `None` where a sum leaves the range of amounts.
pub fn freeze(open: &Open, last: Option<&Statement>, rejected: Amount, terms: &Terms) -> Option<Statement> {
    let before = last.map(|last| last.figures).unwrap_or_default();
    let year = open.statement.period_to.year();
    let charged = !terms.fees.yearly.is_zero() && before.yearly_through < year;
    let yearly_fee = if charged { terms.fees.yearly } else { Amount::ZERO };
    let sums = open.statement.figures.sums;
    let closing = before.carried.checked_add(rejected.get())?.checked_add(sums.net()?)?;
    let closing = closing.checked_sub(yearly_fee.get())?;
    let owed = Amount::new(closing).ok();
    let payout = owed.filter(|owed| *owed >= terms.minimum_payout).unwrap_or(Amount::ZERO);
    let invoiced = match terms.negative {
        Negative::Invoice if closing < 0 => Amount::new(closing.checked_neg()?).ok()?,
        _ => Amount::ZERO,
    };
    let (volume_month, volume) = volume(open, &before)?;
    let figures = Figures {
        opening: before.carried,
        payouts_rejected: rejected,
        sums,
        yearly_fee,
        closing,
        payout,
        invoiced,
        carried: closing.checked_sub(payout.get())?.checked_add(invoiced.get())?,
        volume_month,
        volume,
        yearly_through: if charged { year } else { before.yearly_through },
    };
    Some(Statement {
        status: StatementStatus::Closing,
        newest_line: open.newest,
        figures,
        previous: last.map(|last| last.id),
        ..open.statement.clone()
    })
}

/// The latest month with sales, and the sales in it.
fn volume(open: &Open, before: &Figures) -> Option<(i32, i64)> {
    match open.volumes.last_key_value() {
        Some((month, volume)) if *month > before.volume_month => Some((*month, *volume)),
        Some(_) => {
            let more = open.volumes.get(&before.volume_month).copied().unwrap_or(0);
            Some((before.volume_month, before.volume.checked_add(more)?))
        }
        None => Some((before.volume_month, before.volume)),
    }
}

/// What a statement posts: its fees, and the parts of others. A negative sum goes the other way.
pub fn transfers(
    statement: &Statement,
    receivers: &BTreeMap<MerchantId, i64>,
) -> Option<Vec<PostedTransfer>> {
    let own = Account::Merchant(statement.merchant);
    let fees = statement.figures.sums.fees.checked_add(statement.figures.yearly_fee.get())?;
    let fees = (Account::Fees(statement.issuer), fees);
    let receivers = receivers.iter().map(|(receiver, sum)| (Account::Merchant(*receiver), *sum));
    let posted = std::iter::once(fees).chain(receivers).filter(|(_, sum)| *sum != 0);
    let transfer = |(other, sum): (Account, i64)| {
        let amount = Amount::new(sum.checked_abs()?).ok()?;
        let (debit, credit) = if sum > 0 { (own, other) } else { (other, own) };
        Some(PostedTransfer { debit, credit, amount })
    };
    posted.map(transfer).collect()
}

/// A statement whose posting is done.
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "the statement before it is no more")]
pub fn close(
    statement: Statement,
    operation: Option<OperationId>,
    last_digest: Option<[u8; 32]>,
    now: Timestamp,
) -> Statement {
    let closed = Statement { status: StatementStatus::Closed, operation, closed_at: Some(now), ..statement };
    let digest = digest(&closed, last_digest);
    Statement { digest: Some(digest), ..closed }
}

/// SHA-256 over [`canonical`].
pub fn digest(statement: &Statement, last_digest: Option<[u8; 32]>) -> [u8; 32] {
    Sha256::digest(canonical(statement, last_digest)).into()
}

/// The content of a statement as text, a field on each line, that its digest is made from. With the digest
/// of the statement before it, so that none can be taken out of the row unnoticed.
pub fn canonical(statement: &Statement, last_digest: Option<[u8; 32]>) -> String {
    use std::fmt::Write;
    let mut text = String::from("hexiao statement 1\n");
    let mut field = |name: &str, value: &dyn std::fmt::Display| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}={value}");
    };
    let s = statement;
    let f = &s.figures;
    field("id", &s.id);
    field("issuer", &s.issuer);
    field("merchant", &s.merchant);
    field("currency", &s.currency);
    field("period_from", &s.period_from);
    field("period_to", &s.period_to);
    field("due_on", &s.due_on);
    field("due_estimated", &s.due_estimated);
    field("agreement", &optional(s.agreement));
    field("first_line", &optional(s.first_line));
    field("newest_line", &optional(s.newest_line));
    field("previous", &optional(s.previous));
    field("operation", &optional(s.operation));
    let sums = &f.sums;
    for (name, count) in [
        ("lines", sums.lines),
        ("sales_count", sums.sales_count),
        ("refunds_count", sums.refunds_count),
        ("late_count", sums.late_count),
    ] {
        field(name, &count);
    }
    for (name, amount) in [
        ("opening", f.opening),
        ("payouts_rejected", f.payouts_rejected.get()),
        ("sales", sums.sales),
        ("refunds", sums.refunds),
        ("reversals", sums.reversals),
        ("split_in", sums.split_in),
        ("payout_returns", sums.payout_returns),
        ("corrections", sums.corrections),
        ("funding", sums.funding),
        ("fees", sums.fees),
        ("splits_out", sums.splits_out),
        ("yearly_fee", f.yearly_fee.get()),
        ("closing", f.closing),
        ("payout", f.payout.get()),
        ("invoiced", f.invoiced.get()),
        ("carried", f.carried),
    ] {
        field(name, &amount);
    }
    field("previous_digest", &last_digest.map(hex).unwrap_or_default());
    text
}

fn optional(value: Option<impl std::fmt::Display>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A digest in hexadecimal.
pub fn hex(digest: [u8; 32]) -> String {
    use std::fmt::Write;
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A statement whose figures are fixed, with what its posting needs.
#[derive(Clone, Debug)]
pub struct Frozen {
    /// The statement.
    pub statement: Statement,
    /// What goes to each receiver; not known of a statement that was opened before this process.
    pub receivers: Option<BTreeMap<MerchantId, i64>>,
    /// The digest of the statement before it.
    pub last_digest: Option<[u8; 32]>,
}

/// When a statement may be closed.
#[derive(Clone, Copy, Debug)]
pub struct Until {
    /// Periods that were over at this moment.
    pub moment: Timestamp,
    /// Periods that end on this day or earlier.
    pub day: BusinessDate,
    /// Whose periods that have begun are closed too, though they are not over.
    pub early: Option<Early>,
}

/// Closes books before their period is over, as when a merchant leaves. What is still sold in that period comes
/// late, onto the next statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Early {
    /// Those of one merchant; of all without.
    pub merchant: Option<MerchantId>,
    /// Periods that began on this day or earlier.
    pub begun: BusinessDate,
}

impl Until {
    /// Whether an open statement may be closed; `ends_at` is when its period is over.
    fn allows(&self, statement: &Statement, ends_at: Timestamp) -> bool {
        let over = ends_at <= self.moment && statement.period_to <= self.day;
        let begun = |early: Early| {
            let meant = early.merchant.is_none_or(|merchant| merchant == statement.merchant);
            meant && statement.period_from <= early.begun
        };
        over || self.early.is_some_and(begun)
    }
}

impl Fold {
    /// The open statements whose period is over, the first of each merchant and currency, with the figures
    /// that they close with. `rejected` are the payouts of a merchant and currency to take up again.
    pub fn due(
        &self,
        books: &Books,
        until: Until,
        rejected: &BTreeMap<(MerchantId, Currency), Amount>,
    ) -> Option<Vec<Statement>> {
        let mut due = Vec::new();
        for ((merchant, currency), account) in &self.accounts {
            let Some((to, open)) = account.open.first_key_value() else { continue };
            let in_force = books.on(*merchant, *currency, *to);
            // A later version may have moved the cut-off after the statement was opened.
            let ends_at = in_force.terms().cut_off.end_of(*to, books.zone()).max(open.statement.ends_at);
            if !until.allows(&open.statement, ends_at) {
                continue;
            }
            let again = rejected.get(&(*merchant, *currency)).copied().unwrap_or(Amount::ZERO);
            let open = Open {
                statement: Statement { agreement: in_force.id(), ..open.statement.clone() },
                ..open.clone()
            };
            due.push(freeze(&open, account.last.as_ref(), again, in_force.terms())?);
        }
        due.sort_unstable_by_key(|statement| statement.id);
        Some(due)
    }

    /// Statements without lines that are due all the same: where something that was carried is now to be paid
    /// out or invoiced, or a yearly fee is to be charged. Only where nothing is open.
    pub fn idle(
        &self,
        books: &Books,
        until: Until,
        rejected: &BTreeMap<(MerchantId, Currency), Amount>,
        now: Timestamp,
        next_id: &mut (dyn FnMut() -> StatementId + Send),
    ) -> Option<Vec<Statement>> {
        let own = books.parties().filter_map(|(merchant, currency)| Some((merchant?, currency)));
        let keys: std::collections::BTreeSet<(MerchantId, Currency)> =
            self.accounts.keys().copied().chain(own).chain(rejected.keys().copied()).collect();
        let mut due = Vec::new();
        for key in keys {
            let account = self.accounts.get(&key);
            if account.is_some_and(|account| !account.open.is_empty()) {
                continue;
            }
            let last = account.and_then(|account| account.last.as_ref());
            let Some((mut statement, terms)) = last_ended(books, key, until, now) else { continue };
            if last.is_some_and(|last| last.period_to >= statement.period_to) {
                continue;
            }
            let again = rejected.get(&key).copied().unwrap_or(Amount::ZERO);
            let last_day = last.and_then(|last| last.period_to.to_date()?.tomorrow().ok());
            let first = last_day.map_or(statement.period_from, BusinessDate::from_date);
            statement.period_from = statement.period_from.max(first);
            let frozen = freeze(&Open::new(statement), last, again, &terms)?;
            let figures = &frozen.figures;
            if !(figures.payout.is_zero() && figures.invoiced.is_zero() && figures.yearly_fee.is_zero()) {
                due.push(Statement { id: next_id(), ..frozen });
            }
        }
        Some(due)
    }

    /// Takes note that the figures of these statements are fixed.
    pub fn frozen(&mut self, statements: Vec<Statement>) -> Vec<Frozen> {
        let note = |statement: Statement| {
            let account = self.accounts.entry((statement.merchant, statement.currency)).or_default();
            let open = account.open.remove(&statement.period_to);
            let last_digest = account.last.as_ref().and_then(|last| last.digest);
            account.last = Some(statement.clone());
            let receivers = open.map_or_else(|| Some(BTreeMap::new()), |open| open.receivers);
            Frozen { statement, receivers, last_digest }
        };
        statements.into_iter().map(note).collect()
    }

    /// Takes note that these statements are closed.
    pub fn closed(&mut self, statements: &[Statement]) {
        for statement in statements {
            if let Some(account) = self.accounts.get_mut(&(statement.merchant, statement.currency))
                && account.last.as_ref().is_some_and(|last| last.id == statement.id)
            {
                account.last = Some(statement.clone());
            }
        }
    }
}

/// A statement for the last period that is over, without an id.
fn last_ended(
    books: &Books,
    (merchant, currency): (MerchantId, Currency),
    until: Until,
    now: Timestamp,
) -> Option<(Statement, Terms)> {
    let (running, _) = books.at(merchant, currency, until.moment);
    let mut day = running.yesterday().ok()?.min(until.day.to_date()?);
    // A period that holds the running day is not over: the one before it is.
    for _ in 0..2 {
        let in_force = books.on(merchant, currency, BusinessDate::from_date(day));
        let period = in_force.terms().cycle.period_of(day, books.calendar());
        let at_end = books.on(merchant, currency, period.to);
        let ends_at = at_end.terms().cut_off.end_of(period.to, books.zone());
        if ends_at <= until.moment && period.to <= until.day {
            let statement = empty(books.issuer, (merchant, currency), &period, ends_at, now);
            let statement = Statement { agreement: at_end.id(), ..statement };
            return Some((statement, at_end.terms().clone()));
        }
        day = period.from.to_date()?.yesterday().ok()?;
    }
    None
}

fn empty(
    issuer: IssuerId,
    (merchant, currency): (MerchantId, Currency),
    period: &crate::Period,
    ends_at: Timestamp,
    now: Timestamp,
) -> Statement {
    Statement {
        id: StatementId::new(0),
        issuer,
        merchant,
        currency,
        status: StatementStatus::Open,
        period_from: period.from,
        period_to: period.to,
        ends_at,
        due_on: period.due_on,
        due_estimated: period.due_estimated,
        agreement: None,
        first_line: None,
        newest_line: None,
        figures: Figures::default(),
        previous: None,
        operation: None,
        digest: None,
        created_at: now,
        closed_at: None,
    }
}
