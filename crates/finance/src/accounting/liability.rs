//! The roll-forward of the contract liability: what was owed to holders at the beginning of a period, what
//! changed it and why, and what is owed at its end.
//!
//! Opening and closing come from the ledger, the changes from the journal. They must meet to the cent:
//! [`RollForward::difference`] is zero, or the journal is wrong.

use std::collections::BTreeMap;

use domain::{Currency, OperationKind, ProgramId, Timestamp, account::AccountKind};
use storage::{Days, JournalTotal, LedgerLine};

use super::{
    Accounting, AccountingError, Result, sum,
    table::{self, Table},
};

/// Why a liability changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Cards were sold, with what was given on top.
    Issued,
    /// Cards were loaded, with what was given on top.
    Loaded,
    /// Holders paid merchants.
    Redeemed,
    /// Merchants gave back.
    Refunded,
    /// Cards or lots expired. Leaves the cards; stays owed in the residual account, or becomes income.
    Expired,
    /// What had expired was put on a card again.
    Reactivated,
    /// Value moved from card to card. Zero, except where it moves between programs.
    Transferred,
    /// Holders were paid out.
    PaidOut,
    /// Bonus value that a holder lost when paid out.
    Forfeited,
    /// Corrections by the issuer.
    Adjusted,
    /// Recognised as income from value that nobody will claim.
    Breakage,
    /// Anything else.
    Other,
}

impl Change {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::Issued,
        Self::Loaded,
        Self::Redeemed,
        Self::Refunded,
        Self::Expired,
        Self::Reactivated,
        Self::Transferred,
        Self::PaidOut,
        Self::Forfeited,
        Self::Adjusted,
        Self::Breakage,
        Self::Other,
    ];

    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Loaded => "loaded",
            Self::Redeemed => "redeemed",
            Self::Refunded => "refunded",
            Self::Expired => "expired",
            Self::Reactivated => "reactivated",
            Self::Transferred => "transferred",
            Self::PaidOut => "paid_out",
            Self::Forfeited => "forfeited",
            Self::Adjusted => "adjusted",
            Self::Breakage => "breakage",
            Self::Other => "other",
        }
    }

    /// Why an operation of this kind changes a liability whose other side is an account of this kind. What
    /// undoes an operation has that operation's reason, with the other sign.
    fn of(kind: OperationKind, other_side: AccountKind, liability: AccountKind) -> Self {
        use OperationKind as Kind;
        match kind {
            Kind::Activation => Self::Issued,
            Kind::Load => Self::Loaded,
            Kind::Redemption | Kind::Capture => Self::Redeemed,
            Kind::Refund | Kind::UnlinkedRefund => Self::Refunded,
            Kind::Expiry => Self::Expired,
            Kind::Reactivation | Kind::Exchange => Self::Reactivated,
            Kind::Replacement | Kind::Transfer | Kind::Merge => Self::Transferred,
            Kind::CashOut | Kind::HolderRefund if other_side == AccountKind::Promotion => Self::Forfeited,
            Kind::CashOut | Kind::HolderRefund => Self::PaidOut,
            Kind::Adjustment => Self::Adjusted,
            _ if liability == AccountKind::Residual && other_side == AccountKind::Breakage => Self::Breakage,
            _ => Self::Other,
        }
    }
}

/// What is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Liability {
    /// Value on the cards of a program.
    Cards(ProgramId),
    /// Value that expired and can still be claimed, of all programs.
    Residual,
}

/// One liability in one currency over a period. Amounts are minor units; changes are signed and add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollForward {
    /// What is owed.
    pub liability: Liability,
    /// The currency.
    pub currency: Currency,
    /// What the ledger says was owed when the period began.
    pub opening: i64,
    /// What changed it, in the order of [`Change::ALL`].
    pub changes: [i64; Change::ALL.len()],
    /// What the ledger says is owed when the period has ended.
    pub closing: i64,
    /// Of what was issued and loaded, what the issuer gave on top at its own cost.
    pub bonus: i64,
    /// Cards sold, less sales undone.
    pub cards_issued: i64,
    /// Of what left, what became income because it will not be given back.
    pub into_income: i64,
}

impl RollForward {
    fn new(liability: Liability, currency: Currency) -> Self {
        let changes = [0; Change::ALL.len()];
        Self {
            liability,
            currency,
            opening: 0,
            changes,
            closing: 0,
            bonus: 0,
            cards_issued: 0,
            into_income: 0,
        }
    }

    /// What one reason changed.
    pub fn change(&self, reason: Change) -> i64 {
        Change::ALL.iter().zip(self.changes).filter(|(other, _)| **other == reason).map(|(_, sum)| sum).sum()
    }

    /// The opening with all changes. `None` if that is too large.
    pub fn rolled_forward(&self) -> Option<i64> {
        self.changes.iter().try_fold(self.opening, |sum, change| sum.checked_add(*change))
    }

    /// What the ledger says more than opening and changes explain: zero.
    pub fn difference(&self) -> i64 {
        let rolled = i128::from(self.opening) + self.changes.iter().copied().map(i128::from).sum::<i128>();
        i64::try_from(i128::from(self.closing) - rolled).unwrap_or(i64::MAX)
    }

    fn take(&mut self, total: &JournalTotal, onto: i64, other_side: AccountKind) -> Result<()> {
        let kind = total.reversed.unwrap_or(total.kind);
        let side = match self.liability {
            Liability::Cards(_) => AccountKind::Card,
            Liability::Residual => AccountKind::Residual,
        };
        let reason = Change::of(kind, other_side, side);
        for (change, slot) in Change::ALL.iter().zip(&mut self.changes) {
            if *change == reason {
                *slot = sum(*slot, onto)?;
            }
        }
        let is_sale = matches!(kind, OperationKind::Activation | OperationKind::Load);
        if is_sale && other_side == AccountKind::Promotion {
            self.bonus = sum(self.bonus, onto)?;
        }
        if other_side == AccountKind::Breakage {
            self.into_income = sum(self.into_income, onto.checked_neg().ok_or(AccountingError::TooLarge)?)?;
        }
        if kind == OperationKind::Activation && side == AccountKind::Card {
            self.cards_issued = sum(self.cards_issued, total.operations * onto.signum())?;
        }
        Ok(())
    }
}

/// Rolls liabilities forward: `opening` and `closing` from the ledger, `journal` of the days between.
pub(super) fn roll_forward(
    opening: &[End],
    journal: &[JournalTotal],
    closing: &[End],
) -> Result<Vec<RollForward>> {
    let mut lines: BTreeMap<(Liability, Currency), RollForward> = BTreeMap::new();
    for total in journal {
        for (side, other, sign) in [(total.credit, total.debit, 1), (total.debit, total.credit, -1)] {
            let Some(liability) = liability_of(side, total.program) else { continue };
            let key = (liability, total.currency);
            let line = lines.entry(key).or_insert_with(|| RollForward::new(liability, total.currency));
            line.take(total, total.amount * sign, other)?;
        }
    }
    for (ends, at_opening) in [(opening, true), (closing, false)] {
        for end in ends {
            let key = (end.liability, end.currency);
            let line = lines.entry(key).or_insert_with(|| RollForward::new(end.liability, end.currency));
            *(if at_opening { &mut line.opening } else { &mut line.closing }) = end.amount;
        }
    }
    Ok(lines.into_values().collect())
}

fn liability_of(side: AccountKind, program: Option<ProgramId>) -> Option<Liability> {
    match side {
        AccountKind::Card => program.map(Liability::Cards),
        AccountKind::Residual => Some(Liability::Residual),
        _ => None,
    }
}

/// What the ledger says of a liability at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) liability: Liability,
    pub(super) currency: Currency,
    pub(super) amount: i64,
}

impl Accounting {
    /// The roll-forward of every liability over some business days, both included.
    pub async fn liability(&self, days: Days) -> Result<Vec<RollForward>> {
        let opening = self.liabilities(self.start_of(days.from)?).await?;
        let journal = self.store.journal_totals(self.issuer.id, days).await?;
        let closing = self.liabilities(self.end_of(days.to)?).await?;
        roll_forward(&opening, &journal, &closing)
    }

    /// What the ledger says that is owed before a moment.
    pub(super) async fn liabilities(&self, before: Timestamp) -> Result<Vec<End>> {
        let mut found = Vec::new();
        for kind in [AccountKind::Card, AccountKind::Residual] {
            for line in self.store.balances_of_kind(self.issuer.id, kind, before).await? {
                let liability = match line.line {
                    LedgerLine::Cards(program) => Liability::Cards(program),
                    LedgerLine::Account(_) => Liability::Residual,
                };
                let amount = line.credits.checked_sub(line.debits).ok_or(AccountingError::TooLarge)?;
                found.push(End { liability, currency: line.currency, amount });
            }
        }
        Ok(found)
    }

    /// The roll-forward as a table.
    pub fn liability_table(&self, lines: &[RollForward]) -> Table {
        let mut columns = vec!["liability", "program", "name", "currency", "opening"];
        columns.extend(Change::ALL.iter().map(|change| change.name()));
        columns.extend(["closing", "difference", "bonus", "cards_issued"]);
        let mut table = Table::new("liability", columns);
        for line in lines {
            let money = |minor| table::money(minor, line.currency);
            let mut row = match line.liability {
                Liability::Cards(program) => {
                    vec!["cards".to_owned(), program.to_string(), table::safe(&self.program_name(program))]
                }
                Liability::Residual => vec!["residual".to_owned(), String::new(), String::new()],
            };
            row.extend([line.currency.code().to_owned(), money(line.opening)]);
            row.extend(line.changes.iter().map(|change| money(*change)));
            row.extend([money(line.closing), money(line.difference()), money(line.bonus)]);
            row.push(line.cards_issued.to_string());
            table.rows.push(row);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn total(kind: OperationKind, debit: AccountKind, credit: AccountKind, amount: i64) -> JournalTotal {
        let (program, currency) = (Some(ProgramId::new(1)), Currency::CNY);
        JournalTotal { program, kind, reversed: None, debit, credit, currency, operations: 1, amount }
    }

    fn undone(of: JournalTotal) -> JournalTotal {
        let (kind, reversed) = (OperationKind::Reversal, Some(of.kind));
        JournalTotal { kind, reversed, debit: of.credit, credit: of.debit, ..of }
    }

    /// Each kind of operation has its reason, and what undoes it has the same with the other sign.
    #[test]
    fn reasons() {
        use AccountKind as A;
        use OperationKind as K;
        let cases = [
            (K::Activation, A::Channel, A::Card, Change::Issued, 1),
            (K::Activation, A::Promotion, A::Card, Change::Issued, 1),
            (K::Load, A::Channel, A::Card, Change::Loaded, 1),
            (K::Redemption, A::Card, A::Merchant, Change::Redeemed, -1),
            (K::Capture, A::Card, A::Merchant, Change::Redeemed, -1),
            (K::Refund, A::Merchant, A::Card, Change::Refunded, 1),
            (K::UnlinkedRefund, A::Merchant, A::Card, Change::Refunded, 1),
            (K::Expiry, A::Card, A::Breakage, Change::Expired, -1),
            (K::CashOut, A::Card, A::Bank, Change::PaidOut, -1),
            (K::CashOut, A::Card, A::Promotion, Change::Forfeited, -1),
            (K::HolderRefund, A::Card, A::Bank, Change::PaidOut, -1),
            (K::Adjustment, A::Suspense, A::Card, Change::Adjusted, 1),
            (K::Correction, A::Card, A::Suspense, Change::Other, -1),
        ];
        for (kind, debit, credit, reason, sign) in cases {
            let of = total(kind, debit, credit, 70);
            for (journal, expect) in [(of, 70 * sign), (undone(of), -70 * sign)] {
                let lines = roll_forward(&[], &[journal], &[]).expect("in range");
                assert_eq!(lines.len(), 1, "{kind:?}");
                assert_eq!(lines[0].change(reason), expect, "{kind:?}");
                assert_eq!(lines[0].changes.iter().sum::<i64>(), expect, "{kind:?}: no other reason");
            }
        }
        let moved = roll_forward(&[], &[total(K::Transfer, A::Card, A::Card, 70)], &[]).expect("in range");
        assert_eq!(moved[0].changes, [0; Change::ALL.len()], "within a program nothing changes");
        let income = roll_forward(&[], &[total(K::Breakage, A::Residual, A::Breakage, 70)], &[]);
        assert_eq!(income.expect("in range")[0].change(Change::Breakage), -70);
        let expired =
            roll_forward(&[], &[total(K::Expiry, A::Card, A::Residual, 70)], &[]).expect("in range");
        let of = |n: usize| (expired[n].liability, expired[n].change(Change::Expired));
        assert_eq!(of(0), (Liability::Cards(ProgramId::new(1)), -70), "it leaves the cards");
        assert_eq!(of(1), (Liability::Residual, 70), "and stays owed");
    }

    #[test]
    fn sales_are_counted_once_and_bonus_is_told() {
        use AccountKind as A;
        let paid = total(OperationKind::Activation, A::Channel, A::Card, 1_000);
        let bonus =
            JournalTotal { operations: 0, ..total(OperationKind::Activation, A::Promotion, A::Card, 200) };
        let line = |journal: &[JournalTotal]| roll_forward(&[], journal, &[]).expect("in range")[0];
        let sold = line(&[paid, bonus]);
        assert_eq!((sold.change(Change::Issued), sold.bonus, sold.cards_issued), (1_200, 200, 1));
        let none = line(&[paid, bonus, undone(paid), undone(bonus)]);
        assert_eq!((none.change(Change::Issued), none.bonus, none.cards_issued), (0, 0, 0));
    }

    proptest! {
        /// Whatever moves, the changes are all that the liability gained and lost, and nothing is counted twice.
        #[test]
        fn changes_are_all_that_moved(
            moves in prop::collection::vec((0..31_usize, 0..9_usize, 0..9_usize, 1..1_000_000_i64, any::<bool>()), 0..60),
            opening in 0..1_000_000_i64,
        ) {
            let mut owed = BTreeMap::from([(AccountKind::Card, opening), (AccountKind::Residual, 0)]);
            let mut journal = Vec::new();
            for (kind, debit, credit, amount, undo) in moves {
                let kind = OperationKind::ALL[kind % OperationKind::ALL.len()];
                let (debit, credit) = (AccountKind::ALL[debit], AccountKind::ALL[credit]);
                let of = total(kind, debit, credit, amount);
                let of = if undo { undone(of) } else { of };
                journal.push(of);
                *owed.entry(of.credit).or_default() += amount;
                *owed.entry(of.debit).or_default() -= amount;
            }
            let end = |liability, amount| End { liability, currency: Currency::CNY, amount };
            let cards = Liability::Cards(ProgramId::new(1));
            let closing = [end(cards, owed[&AccountKind::Card]), end(Liability::Residual, owed[&AccountKind::Residual])];
            let lines = roll_forward(&[end(cards, opening)], &journal, &closing).expect("in range");
            for line in lines {
                prop_assert_eq!(line.difference(), 0);
                prop_assert_eq!(line.rolled_forward(), Some(line.closing));
            }
        }
    }
}
