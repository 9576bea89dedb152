//! The arithmetic that a statement is held against before it is written: its figures among themselves, and its
//! lines against its figures.

use super::{LineKind, StatementLine, Totals};
use crate::error::DocumentError;

/// Sums over lines, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) lines: u64,
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    pub(crate) split: i64,
    pub(crate) net: i64,
}

impl Sums {
    pub(crate) fn add(&mut self, line: &StatementLine) -> Result<(), DocumentError> {
        self.lines += 1;
        add(&mut self.amount, line.amount, "amount")?;
        add(&mut self.fee, line.fee, "fee")?;
        add(&mut self.split, line.split, "split")?;
        add(&mut self.net, line.net()?, "net")
    }
}

/// Sums over all lines, by kind too.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LineSums {
    pub(crate) all: Sums,
    by_kind: [i64; 6],
}

impl LineSums {
    pub(crate) fn add(&mut self, line: &StatementLine) -> Result<(), DocumentError> {
        self.all.add(line)?;
        add(&mut self.by_kind[slot(line.kind)], line.amount, "amount")
    }

    /// Whether the lines give the figures.
    pub(crate) fn check(&self, totals: &Totals) -> Result<(), DocumentError> {
        let of = |kind: LineKind| self.by_kind[slot(kind)];
        let fees = checked(self.all.fee.checked_add(totals.fee_rounding), "fees")?;
        same("sales", totals.sales, of(LineKind::Sale))?;
        same("refunds", totals.refunds, of(LineKind::Refund))?;
        same("reversals", totals.reversals, of(LineKind::Reversal))?;
        same("splits_in", totals.splits_in, of(LineKind::SplitIn))?;
        same("corrections", totals.corrections, of(LineKind::Correction))?;
        same("payout_returns", totals.payout_returns, of(LineKind::PayoutReturn))?;
        same("fees", totals.fees, fees)?;
        same("splits_out", totals.splits_out, self.all.split)
    }
}

impl StatementLine {
    /// What the line adds to the balance.
    pub(crate) fn net(&self) -> Result<i64, DocumentError> {
        let net = self.amount.checked_sub(self.fee).and_then(|rest| rest.checked_sub(self.split));
        checked(net, "net")
    }
}

impl Totals {
    /// Whether the figures follow from each other.
    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        let added = [
            self.opening,
            self.sales,
            self.refunds,
            self.reversals,
            self.splits_in,
            self.corrections,
            self.payout_returns,
        ];
        let taken = [self.fees, self.yearly_fee, self.splits_out];
        let sum = added.iter().try_fold(0i64, |sum, part| sum.checked_add(*part));
        let closing = taken.iter().try_fold(checked(sum, "closing")?, |sum, part| sum.checked_sub(*part));
        same("closing", self.closing, checked(closing, "closing")?)?;
        let carried = self.closing.checked_sub(self.payout).and_then(|rest| rest.checked_add(self.invoiced));
        same("carried", self.carried, checked(carried, "carried")?)
    }
}

fn slot(kind: LineKind) -> usize {
    match kind {
        LineKind::Sale => 0,
        LineKind::Refund => 1,
        LineKind::Reversal => 2,
        LineKind::SplitIn => 3,
        LineKind::Correction => 4,
        LineKind::PayoutReturn => 5,
    }
}

fn add(sum: &mut i64, part: i64, what: &'static str) -> Result<(), DocumentError> {
    *sum = checked(sum.checked_add(part), what)?;
    Ok(())
}

fn checked(sum: Option<i64>, what: &'static str) -> Result<i64, DocumentError> {
    sum.ok_or(DocumentError::OutOfRange(what))
}

fn same(figure: &'static str, stated: i64, computed: i64) -> Result<(), DocumentError> {
    if stated == computed { Ok(()) } else { Err(DocumentError::DoesNotAddUp { figure, stated, computed }) }
}
