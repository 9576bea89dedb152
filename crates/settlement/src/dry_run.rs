//! Dry run: what a candidate agreement would have cost on lines of the past. Writes nothing.
//!
//! Two passes over the same lines, in the order of the log: the first finds which sales were given back, so
//! that the second needs to remember only those. Fees that are rounded per statement are rounded here over the
//! whole period, and the volume of a month that began before the period counts from its beginning.

use std::collections::{BTreeMap, HashMap};

use domain::{Amount, MerchantId};

use crate::{Line, MovementKind, Terms, fees::FeeRounding, fold::Key, splits::proportion};

/// The most sales that were given back in part or whole, in one dry run.
pub const MAX_GIVEN_BACK: usize = 1_000_000;

/// What a merchant paid, and what it would have paid, in minor units. Without yearly fees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Sales in the period.
    pub sales: i64,
    /// How many.
    pub sales_count: u64,
    /// Fees that were charged less those that were given back.
    pub fees: i64,
    /// The same under the candidate.
    pub candidate_fees: i64,
}

/// Why a dry run cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DryRunError {
    /// More sales were given back than can be kept in mind.
    #[error("more than {MAX_GIVEN_BACK} sales of the period were given back: choose a shorter period")]
    TooMuch,
    /// A sum left the range of amounts.
    #[error("the fees of the period do not fit")]
    Overflow,
}

#[derive(Clone, Copy, Default)]
struct Sale {
    amount: i64,
    fee: i64,
    returned: i64,
}

/// A dry run of candidate terms.
pub struct DryRun<'a> {
    terms: &'a Terms,
    given_back: HashMap<Key, Option<Sale>>,
    volumes: HashMap<(MerchantId, i32), i64>,
    residues: HashMap<MerchantId, i32>,
    compared: BTreeMap<MerchantId, Compared>,
}

impl<'a> DryRun<'a> {
    /// Nothing compared yet.
    pub fn new(terms: &'a Terms) -> Self {
        Self {
            terms,
            given_back: HashMap::new(),
            volumes: HashMap::new(),
            residues: HashMap::new(),
            compared: BTreeMap::new(),
        }
    }

    /// First pass.
    pub fn find(&mut self, line: &Line) -> Result<(), DryRunError> {
        if let Some(original) = line.original {
            self.given_back.insert((original, line.merchant), None);
        }
        if self.given_back.len() > MAX_GIVEN_BACK { Err(DryRunError::TooMuch) } else { Ok(()) }
    }

    /// Second pass.
    pub fn compare(&mut self, line: &Line) -> Result<(), DryRunError> {
        let candidate = match line.kind {
            MovementKind::Sale => self.sale(line),
            MovementKind::Refund | MovementKind::Reversal => self.give_back(line),
            _ => Some(line.fee),
        };
        let candidate = candidate.ok_or(DryRunError::Overflow)?;
        self.add(line, candidate).ok_or(DryRunError::Overflow)
    }

    /// What was compared, by merchant.
    pub fn finish(self) -> BTreeMap<MerchantId, Compared> {
        self.compared
    }

    fn add(&mut self, line: &Line, candidate: i64) -> Option<()> {
        let compared = self.compared.entry(line.merchant).or_default();
        if line.kind == MovementKind::Sale {
            compared.sales = compared.sales.checked_add(line.amount)?;
            compared.sales_count = compared.sales_count.checked_add(1)?;
        }
        compared.fees = compared.fees.checked_add(line.fee)?;
        compared.candidate_fees = compared.candidate_fees.checked_add(candidate)?;
        Some(())
    }

    fn sale(&mut self, line: &Line) -> Option<i64> {
        let volume = self.volumes.entry((line.merchant, line.day.month())).or_default();
        let exact = self.terms.fees.exact(Amount::new(line.amount).ok()?, *volume)?;
        *volume = volume.checked_add(line.amount)?;
        let fee = match self.terms.fee_rounding {
            FeeRounding::PerOperation => exact.rounded()?,
            FeeRounding::PerStatement => {
                let sum = self.compared.get(&line.merchant).map_or(0, |compared| compared.candidate_fees);
                let residue = self.residues.entry(line.merchant).or_default();
                let (fee, left) = exact.rounded_onto(sum, *residue)?;
                *residue = left;
                fee
            }
        };
        if let Some(sale) = self.given_back.get_mut(&(line.operation, line.merchant)) {
            *sale = Some(Sale { amount: line.amount, fee, returned: 0 });
        }
        Some(fee)
    }

    /// What is given back of a sale before the period is given back as it was.
    fn give_back(&mut self, line: &Line) -> Option<i64> {
        let found = line.original.and_then(|original| self.given_back.get_mut(&(original, line.merchant)));
        let Some(Some(sale)) = found else { return Some(line.fee) };
        let refunded = line.refunded_before.get().checked_sub(line.amount)?.clamp(0, sale.amount);
        let fee = Amount::new(sale.fee).ok()?;
        let all = line.kind == MovementKind::Reversal && line.amount < 0;
        let returned = if all {
            sale.fee
        } else if self.terms.refunds_return_fee {
            proportion(fee, Amount::new(refunded).ok()?, Amount::new(sale.amount).ok()?)?.get()
        } else {
            0
        };
        let change = sale.returned.checked_sub(returned)?;
        sale.returned = returned;
        Some(change)
    }
}
