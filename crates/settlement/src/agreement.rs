//! The settlement agreement (结算协议): the terms on which a merchant is settled, in versions by effective date.

use domain::{AgreementId, Amount, BusinessDate, ClientId, Currency, IssuerId, MerchantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{CutOff, Cycle, FeeRounding, FeeSchedule, Splits};

/// A term that contradicts another or leaves its bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermError {
    /// Which term, as a JSON pointer below the terms.
    pub pointer: String,
    /// What is wrong and how to mend it.
    pub message: &'static str,
}

impl TermError {
    pub(crate) fn new<T>(pointer: impl Into<String>, message: &'static str) -> Result<T, Self> {
        Err(Self { pointer: pointer.into(), message })
    }
}

/// For a field that may be absent, but not null.
pub(crate) fn given<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// What becomes of a negative balance: more refunds than sales.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Negative {
    /// It is carried into the next statement.
    #[default]
    Carry,
    /// The merchant is asked to pay it.
    Invoice,
}

/// The terms of an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// How often the merchant is settled.
    pub cycle: Cycle,
    /// When a settlement day ends, in the issuer's time zone.
    #[serde(default)]
    pub cut_off: CutOff,
    /// The smallest payout, in minor units. Less is carried into the next statement.
    #[serde(default)]
    pub minimum_payout: Amount,
    /// What becomes of a negative balance.
    #[serde(default)]
    pub negative: Negative,
    /// What the merchant pays for each operation, and for a year.
    #[serde(default)]
    pub fees: FeeSchedule,
    /// Whether fees are rounded on each operation or on each statement.
    #[serde(default)]
    pub fee_rounding: FeeRounding,
    /// Whether a refund gives the fee of what it refunds back. A reversal always does.
    #[serde(default)]
    pub refunds_return_fee: bool,
    /// Who else has a part in each sale.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub splits: Option<Splits>,
}

impl Terms {
    /// The terms without an agreement: T+1, no fees, no splits, everything is paid out.
    pub fn standard() -> Self {
        Self {
            cycle: Cycle::TPlus { days: 1 },
            cut_off: CutOff::MIDNIGHT,
            minimum_payout: Amount::ZERO,
            negative: Negative::Carry,
            fees: FeeSchedule::default(),
            fee_rounding: FeeRounding::PerOperation,
            refunds_return_fee: false,
            splits: None,
        }
    }

    /// Finds terms that contradict each other or leave their bounds.
    pub fn check(&self) -> Result<(), TermError> {
        self.cycle.check()?;
        self.fees.check()?;
        self.splits.as_ref().map_or(Ok(()), Splits::check)
    }
}

/// A version of an agreement. It is never changed: a change is a new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Its id.
    pub id: AgreementId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// Its merchant; without one it is for all merchants of the issuer that have none of their own.
    pub merchant: Option<MerchantId>,
    /// The currency that it settles, and of its amounts.
    pub currency: Currency,
    /// The first settlement day on which it applies.
    pub effective_from: BusinessDate,
    /// The terms.
    pub terms: Terms,
    /// Who made it.
    pub created_by: ClientId,
    /// When it was made.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_terms_are_the_standard_ones() {
        let terms: Terms = serde_json::from_str(r#"{"cycle":{"kind":"t_plus","days":1}}"#).expect("terms");
        assert_eq!(terms, Terms::standard());
        assert_eq!(terms.check(), Ok(()));
        let text = serde_json::to_string(&terms).expect("JSON");
        assert_eq!(serde_json::from_str::<Terms>(&text).expect("what it wrote"), terms);
        assert!(serde_json::from_str::<Terms>(r#"{"cycle":{"kind":"t_plus","days":1},"tax":1}"#).is_err());
    }
}
