//! What is counted for one issuer or one merchant.

use std::collections::BTreeMap;

use domain::{Currency, Decline, OperationKind, Timestamp};
use storage::Activity;

const MICROS: i64 = 1_000_000;

/// What a span of time comes to, in one currency. Sums are in minor units, and signed: what is turned round today
/// may have been done yesterday.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Redemptions and captures.
    pub sales: i64,
    /// How many.
    pub count: i64,
    /// Sales that were reversed, at the moment of the reversal.
    pub reversed: i64,
    /// How many.
    pub reversed_count: i64,
    /// Refunds, less those that were reversed.
    pub refunds: i64,
    /// How many.
    pub refund_count: i64,
}

impl Sums {
    /// Adds what another span came to.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.sales, other.sales),
            (&mut self.count, other.count),
            (&mut self.reversed, other.reversed),
            (&mut self.reversed_count, other.reversed_count),
            (&mut self.refunds, other.refunds),
            (&mut self.refund_count, other.refund_count),
        ];
        for (sum, more) in pairs {
            // A figure on a screen: at the end of the numbers it stays there.
            *sum = sum.saturating_add(more);
        }
    }
}

/// What an approved operation adds. None: nothing that is shown.
fn worth(item: &Activity) -> Option<Sums> {
    let amount = item.approved;
    let sums = match (item.kind, item.reversed) {
        (OperationKind::Redemption | OperationKind::Capture, _) => {
            Sums { sales: amount, count: 1, ..Sums::default() }
        }
        (OperationKind::Refund | OperationKind::UnlinkedRefund, _) => {
            Sums { refunds: amount, refund_count: 1, ..Sums::default() }
        }
        (OperationKind::Reversal, Some(OperationKind::Redemption | OperationKind::Capture)) => {
            Sums { reversed: amount, reversed_count: 1, ..Sums::default() }
        }
        (OperationKind::Reversal, Some(OperationKind::Refund | OperationKind::UnlinkedRefund)) => {
            Sums { refunds: amount.saturating_neg(), refund_count: -1, ..Sums::default() }
        }
        _ => return None,
    };
    Some(sums)
}

/// Whether a decline of this kind is one of a sale.
const fn asks_for_a_sale(kind: OperationKind) -> bool {
    matches!(kind, OperationKind::Redemption | OperationKind::Hold | OperationKind::Capture)
}

/// Cells of some minutes with what happened in them. Cells in which nothing did are not kept.
#[derive(Clone, Debug)]
pub struct Figures {
    step: i64,
    sums: BTreeMap<(i64, Currency), Sums>,
    declines: BTreeMap<(i64, Decline), i64>,
}

impl Figures {
    /// None yet, in cells of so many seconds. Offsets of time zones are multiples of 900.
    pub(crate) const fn new(seconds: i64) -> Self {
        Self { step: seconds * MICROS, sums: BTreeMap::new(), declines: BTreeMap::new() }
    }

    fn cell(&self, at: Timestamp) -> i64 {
        at.micros().div_euclid(self.step)
    }

    /// The beginning of the cell of a moment: up to there, sums are exact.
    pub fn whole_until(&self, at: Timestamp) -> Timestamp {
        Timestamp::from_micros(self.cell(at).saturating_mul(self.step))
    }

    /// Counts an operation.
    pub(crate) fn take(&mut self, item: &Activity) {
        let cell = self.cell(item.at);
        match (item.decline, item.currency) {
            (Some(decline), _) if asks_for_a_sale(item.kind) => {
                *self.declines.entry((cell, decline)).or_default() += 1;
            }
            (None, Some(currency)) => {
                if let Some(worth) = worth(item) {
                    self.sums.entry((cell, currency)).or_default().add(&worth);
                }
            }
            _ => {}
        }
    }

    /// Forgets what was before a moment.
    pub(crate) fn forget(&mut self, before: Timestamp) {
        let first = self.cell(before);
        while self.sums.first_key_value().is_some_and(|((cell, _), _)| *cell < first) {
            self.sums.pop_first();
        }
        while self.declines.first_key_value().is_some_and(|((cell, _), _)| *cell < first) {
            self.declines.pop_first();
        }
    }

    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.sums.is_empty() && self.declines.is_empty()
    }

    /// What the cells that begin in a span come to, by currency.
    pub fn sums(&self, from: Timestamp, until: Timestamp) -> BTreeMap<Currency, Sums> {
        let mut found: BTreeMap<Currency, Sums> = BTreeMap::new();
        let first = self.first_from(from);
        let cells = self.sums.iter().skip_while(|((cell, _), _)| *cell < first);
        for ((_, currency), sums) in cells.take_while(|((cell, _), _)| *cell < self.first_from(until)) {
            found.entry(*currency).or_default().add(sums);
        }
        found
    }

    /// How often what was declined in the cells that begin in a span, the most frequent first.
    pub fn declines(&self, from: Timestamp, until: Timestamp) -> Vec<(Decline, i64)> {
        let mut found: BTreeMap<i64, (Decline, i64)> = BTreeMap::new();
        let (first, end) = (self.first_from(from), self.first_from(until));
        for ((cell, decline), count) in &self.declines {
            if (first..end).contains(cell) {
                found.entry(decline.number()).or_insert((*decline, 0)).1 += count;
            }
        }
        let mut found: Vec<_> = found.into_values().collect();
        found.sort_by_key(|(decline, count)| (std::cmp::Reverse(*count), decline.number()));
        found
    }

    /// The first cell that begins at a moment or later.
    fn first_from(&self, at: Timestamp) -> i64 {
        let cell = self.cell(at);
        if cell.saturating_mul(self.step) == at.micros() { cell } else { cell.saturating_add(1) }
    }
}
