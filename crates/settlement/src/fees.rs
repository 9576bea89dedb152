//! Fee schedules: percentage, fixed, both, tiers by monthly volume, floor, cap, and a flat fee for a year.

use domain::Amount;
use serde::{Deserialize, Serialize};

use crate::agreement::TermError;

/// The most tiers of a schedule.
pub const MAX_TIERS: usize = 20;
/// The whole, in basis points.
pub const WHOLE: u16 = 10_000;

/// What a merchant pays. Without anything given, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeSchedule {
    /// A share of each sale, in basis points, 0 to 10000.
    #[serde(default)]
    pub basis_points: u16,
    /// For each sale, in minor units.
    #[serde(default)]
    pub fixed: Amount,
    /// Shares by the merchant's sales in the calendar month, refunds not deducted. Each applies to the part
    /// of the volume that lies in its tier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
    /// The least for one sale, in minor units.
    #[serde(default, deserialize_with = "crate::agreement::given", skip_serializing_if = "Option::is_none")]
    pub floor: Option<Amount>,
    /// The most for one sale, in minor units.
    #[serde(default, deserialize_with = "crate::agreement::given", skip_serializing_if = "Option::is_none")]
    pub cap: Option<Amount>,
    /// For each calendar year, charged with its first statement, in minor units.
    #[serde(default)]
    pub yearly: Amount,
}

/// A share of the volume from an amount on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// The volume of the month from which it applies, in minor units. The first tier begins at 0.
    pub from: Amount,
    /// The share, in basis points, 0 to 10000.
    pub basis_points: u16,
}

/// Where fees are rounded, half to even.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeRounding {
    /// On each operation.
    #[default]
    PerOperation,
    /// On the sum of a statement. A line then shows by how much the rounded sum grew.
    PerStatement,
}

/// A fee before it is rounded, in ten-thousandths of a minor unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExactFee(pub i128);

/// Rounds `numerator / denominator` half to even.
pub(crate) fn half_even(numerator: i128, denominator: i128) -> Option<i128> {
    let floor = numerator.checked_div_euclid(denominator)?;
    let twice = numerator.checked_rem_euclid(denominator)?.checked_mul(2)?;
    let up = twice > denominator || (twice == denominator && floor.checked_rem_euclid(2)? == 1);
    if up { floor.checked_add(1) } else { Some(floor) }
}

impl FeeSchedule {
    /// Finds values out of bounds.
    pub fn check(&self) -> Result<(), TermError> {
        if self.basis_points > WHOLE {
            return TermError::new("/fees/basis_points", "give 0 to 10000 basis points");
        }
        if self.cap.is_some_and(|cap| cap < self.floor.unwrap_or(Amount::ZERO)) {
            return TermError::new("/fees/cap", "must not be below the floor");
        }
        self.check_tiers()
    }

    fn check_tiers(&self) -> Result<(), TermError> {
        let Some(first) = self.tiers.first() else { return Ok(()) };
        if self.basis_points != 0 {
            return TermError::new(
                "/fees/basis_points",
                "give the shares in the tiers, or leave the tiers out",
            );
        }
        if self.tiers.len() > MAX_TIERS {
            return TermError::new("/fees/tiers", "give at most 20 tiers");
        }
        if !first.from.is_zero() {
            return TermError::new("/fees/tiers/0/from", "the first tier begins at 0");
        }
        for (position, pair) in self.tiers.windows(2).enumerate() {
            if let [before, after] = pair
                && after.from <= before.from
            {
                let position = position.saturating_add(1);
                let pointer = format!("/fees/tiers/{position}/from");
                return TermError::new(pointer, "must be above the tier before it");
            }
        }
        match self.tiers.iter().position(|tier| tier.basis_points > WHOLE) {
            Some(position) => {
                let pointer = format!("/fees/tiers/{position}/basis_points");
                TermError::new(pointer, "give 0 to 10000 basis points")
            }
            None => Ok(()),
        }
    }

    /// The fee for a sale that follows on a volume of `before` in its month.
    pub(crate) fn exact(&self, sale: Amount, before: i64) -> Option<ExactFee> {
        let share = if self.tiers.is_empty() {
            i128::from(sale.get()).checked_mul(i128::from(self.basis_points))?
        } else {
            self.graduated(sale, before)?
        };
        let exact = share.checked_add(scaled(self.fixed)?)?;
        let exact = self.floor.and_then(scaled).map_or(exact, |floor| exact.max(floor));
        Some(ExactFee(self.cap.and_then(scaled).map_or(exact, |cap| exact.min(cap))))
    }

    /// The part of the volume that this sale adds, cut at the tiers.
    fn graduated(&self, sale: Amount, before: i64) -> Option<i128> {
        let (start, end) = (i128::from(before), i128::from(before).checked_add(i128::from(sale.get()))?);
        let mut sum: i128 = 0;
        for (position, tier) in self.tiers.iter().enumerate() {
            let next =
                self.tiers.get(position.saturating_add(1)).map_or(i128::MAX, |t| i128::from(t.from.get()));
            let from = start.max(i128::from(tier.from.get()));
            let part = end.min(next).checked_sub(from)?.max(0);
            sum = sum.checked_add(part.checked_mul(i128::from(tier.basis_points))?)?;
        }
        Some(sum)
    }
}

fn scaled(amount: Amount) -> Option<i128> {
    i128::from(amount.get()).checked_mul(i128::from(WHOLE))
}

impl ExactFee {
    /// Rounded to minor units, half to even.
    pub(crate) fn rounded(self) -> Option<i64> {
        half_even(self.0, i128::from(WHOLE)).and_then(|fee| i64::try_from(fee).ok())
    }

    /// By how much the rounded sum of a statement grows, and what is left of it: `sum` and `residue` are the
    /// same before this fee. Never less than nothing.
    pub(crate) fn rounded_onto(self, sum: i64, residue: i32) -> Option<(i64, i32)> {
        let whole = i128::from(WHOLE);
        let own = self.0.checked_add(i128::from(residue))?;
        let total = i128::from(sum).checked_mul(whole)?.checked_add(own)?;
        let fee = half_even(total, whole)?.checked_sub(i128::from(sum))?.max(0);
        let left = own.checked_sub(fee.checked_mul(whole)?)?;
        Some((i64::try_from(fee).ok()?, i32::try_from(left).ok()?))
    }
}
