//! Splits (分账): other merchants have a part in each sale of a merchant.

use std::collections::BTreeSet;

use domain::{Amount, MerchantId, allocate::largest_remainder};
use serde::{Deserialize, Serialize};

use crate::{
    agreement::TermError,
    fees::{WHOLE, half_even},
};

/// The most receivers of a split, besides the one of the rest.
pub const MAX_RECEIVERS: usize = 20;

/// How each sale is divided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Splits {
    /// What is divided.
    #[serde(default)]
    pub base: SplitBase,
    /// Who receives a part, 1 to 20.
    pub receivers: Vec<Receiver>,
    /// Who receives what the parts leave; without one, the merchant itself.
    #[serde(default, deserialize_with = "crate::agreement::given", skip_serializing_if = "Option::is_none")]
    pub rest: Option<MerchantId>,
}

/// What is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitBase {
    /// The sale.
    Gross,
    /// The sale less its fee.
    #[default]
    Net,
}

/// Someone who receives a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// The merchant.
    pub merchant: MerchantId,
    /// How much of each sale.
    pub share: Share,
}

/// A part of each sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Share {
    /// A share of the base.
    Percent {
        /// In basis points, 1 to 10000.
        basis_points: u16,
    },
    /// The same of each sale, as far as the percentages leave that much.
    Fixed {
        /// In minor units, at least 1.
        amount: Amount,
    },
}

impl Splits {
    /// Finds values out of bounds.
    pub fn check(&self) -> Result<(), TermError> {
        if self.receivers.is_empty() || self.receivers.len() > MAX_RECEIVERS {
            return TermError::new("/splits/receivers", "give 1 to 20 receivers, or leave the splits out");
        }
        let mut seen = BTreeSet::new();
        let mut sum: u32 = 0;
        for (position, receiver) in self.receivers.iter().enumerate() {
            let pointer = |field: &str| format!("/splits/receivers/{position}/{field}");
            if !seen.insert(receiver.merchant) {
                return TermError::new(pointer("merchant"), "give each receiver once");
            }
            match receiver.share {
                Share::Percent { basis_points } if basis_points == 0 || basis_points > WHOLE => {
                    return TermError::new(pointer("share/basis_points"), "give 1 to 10000 basis points");
                }
                Share::Percent { basis_points } => sum = sum.saturating_add(u32::from(basis_points)),
                Share::Fixed { amount } if amount.is_zero() => {
                    return TermError::new(pointer("share/amount"), "give at least one minor unit");
                }
                Share::Fixed { .. } => {}
            }
        }
        if sum > u32::from(WHOLE) {
            return TermError::new("/splits/receivers", "the percentages exceed 10000 basis points together");
        }
        Ok(())
    }

    /// Divides the base: the part of each receiver, and the rest. They add up to it.
    pub(crate) fn divide(&self, base: Amount) -> Option<(Vec<Amount>, Amount)> {
        let points = |receiver: &Receiver| match receiver.share {
            Share::Percent { basis_points } => i64::from(basis_points),
            Share::Fixed { .. } => 0,
        };
        let mut weights: Vec<i64> = self.receivers.iter().map(points).collect();
        let given = weights.iter().try_fold(0_i64, |sum, w| sum.checked_add(*w))?;
        weights.push(i64::from(WHOLE).checked_sub(given)?);
        let weights: Option<Vec<Amount>> = weights.into_iter().map(|w| Amount::new(w).ok()).collect();
        let mut parts = largest_remainder(base, &weights?)?;
        let mut rest = parts.pop()?;
        for (part, receiver) in parts.iter_mut().zip(&self.receivers) {
            if let Share::Fixed { amount } = receiver.share {
                *part = amount.min(rest);
                rest = rest.checked_sub(*part)?;
            }
        }
        Some((parts, rest))
    }
}

/// What of parts is given back once `back` of a sale of `whole` was given back: of their sum in the same
/// proportion, half to even, divided by largest remainder. All of them when all is given back.
pub(crate) fn returned(parts: &[Amount], back: Amount, whole: Amount) -> Option<Vec<Amount>> {
    let sum = Amount::checked_sum(parts.iter().copied())?;
    largest_remainder(proportion(sum, back, whole)?, parts)
}

/// `amount × back / whole`, half to even.
pub(crate) fn proportion(amount: Amount, back: Amount, whole: Amount) -> Option<Amount> {
    if back >= whole {
        return Some(amount);
    }
    let product = i128::from(amount.get()).checked_mul(i128::from(back.get()))?;
    let part = half_even(product, i128::from(whole.get()))?;
    Amount::new(i64::try_from(part).ok()?).ok()
}
