//! Lots: value of one source on one card, and the order in which they are consumed.

use serde::{Deserialize, Serialize};

use crate::{Amount, LotNo, MerchantId, Timestamp, allocate::largest_remainder};

/// Where a lot's value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LotSource {
    /// Paid by the buyer.
    Paid,
    /// Paid by an employer for its people.
    EmployerFunded,
    /// Given by a merchant, at its own cost.
    MerchantFunded,
    /// Given by the issuer as a promotion.
    Bonus,
}

impl LotSource {
    /// All sources, in the order in which `paid_first` consumes them.
    pub const ALL: [Self; 4] = [Self::Paid, Self::EmployerFunded, Self::MerchantFunded, Self::Bonus];

    /// The name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::EmployerFunded => "employer_funded",
            Self::MerchantFunded => "merchant_funded",
            Self::Bonus => "bonus",
        }
    }

    /// The source with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

/// Value of one source on one card.
///
/// `remaining` is the posted balance of the lot; `expired` is what it lost to the residual (or breakage)
/// account and can still be claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Its number on the card.
    pub no: LotNo,
    /// Where the value came from.
    pub source: LotSource,
    /// The merchant that gave it, for [`LotSource::MerchantFunded`].
    pub funder: Option<MerchantId>,
    /// All value granted into it, less what was moved on or taken back: what is neither left nor expired of
    /// it was used.
    pub granted: Amount,
    /// What is left.
    pub remaining: Amount,
    /// What has expired out of it and was not claimed back.
    pub expired: Amount,
    /// Whether what expired was recognised as breakage instead of kept as residual.
    pub expired_to_breakage: bool,
    /// When it expires before the card does.
    pub expires_at: Option<Timestamp>,
}

impl Lot {
    /// Whether it can be spent at a moment.
    pub fn usable_at(&self, at: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > at)
    }
}

/// The order in which a program consumes the lots of a card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LotOrder {
    /// From every source in proportion to what it has left.
    #[default]
    ProRata,
    /// Paid, employer funded, merchant funded, bonus.
    PaidFirst,
    /// Bonus, merchant funded, employer funded, paid.
    BonusFirst,
}

/// A part of a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LotPart {
    /// Which lot.
    pub lot: LotNo,
    /// How much of it.
    pub amount: Amount,
}

/// The sum of what is left in all lots: the posted balance.
pub fn posted(lots: &[Lot]) -> Amount {
    Amount::checked_sum(lots.iter().map(|lot| lot.remaining)).unwrap_or(Amount::MAX)
}

/// The part of the posted balance that can be spent at a moment.
pub fn usable(lots: &[Lot], at: Timestamp) -> Amount {
    Amount::checked_sum(lots.iter().filter(|lot| lot.usable_at(at)).map(|lot| lot.remaining))
        .unwrap_or(Amount::MAX)
}

/// Says which lots give `amount`, in the program's order; lots that expire earlier go first within a
/// source. `None` if the lots usable at `at` do not hold that much.
pub fn consumption(lots: &[Lot], order: LotOrder, amount: Amount, at: Timestamp) -> Option<Vec<LotPart>> {
    let mut open: Vec<&Lot> =
        lots.iter().filter(|lot| lot.usable_at(at) && !lot.remaining.is_zero()).collect();
    // Nearly every card has one lot: nothing to sort or split.
    if let [only] = open.as_slice() {
        return (only.remaining >= amount).then(|| part(only.no, amount));
    }
    open.sort_by_key(|lot| (lot.source, lot.expires_at.unwrap_or(Timestamp::MAX), lot.no));
    match order {
        LotOrder::ProRata => pro_rata(&open, amount),
        LotOrder::PaidFirst => in_turn(open.into_iter(), amount),
        LotOrder::BonusFirst => {
            open.sort_by_key(|lot| std::cmp::Reverse(lot.source));
            in_turn(open.into_iter(), amount)
        }
    }
}

fn part(lot: LotNo, amount: Amount) -> Vec<LotPart> {
    if amount.is_zero() { Vec::new() } else { vec![LotPart { lot, amount }] }
}

fn pro_rata(open: &[&Lot], amount: Amount) -> Option<Vec<LotPart>> {
    let mut weights = [Amount::ZERO; LotSource::ALL.len()];
    for lot in open {
        let position = LotSource::ALL.iter().position(|source| *source == lot.source)?;
        let weight = weights.get_mut(position)?;
        *weight = weight.checked_add(lot.remaining)?;
    }
    if Amount::checked_sum(weights)? < amount {
        return None;
    }
    let shares = largest_remainder(amount, &weights)?;
    let mut parts = Vec::with_capacity(open.len());
    for (source, share) in LotSource::ALL.into_iter().zip(shares) {
        parts.extend(in_turn(open.iter().copied().filter(|lot| lot.source == source), share)?);
    }
    Some(parts)
}

fn in_turn<'a>(lots: impl Iterator<Item = &'a Lot>, amount: Amount) -> Option<Vec<LotPart>> {
    let mut left = amount;
    let mut parts = Vec::new();
    for lot in lots {
        if left.is_zero() {
            break;
        }
        let take = left.min(lot.remaining);
        left = left.checked_sub(take)?;
        parts.extend(part(lot.no, take));
    }
    left.is_zero().then_some(parts)
}

/// Says which lots a refund restores: the parts of the original consumption, newest first, after what
/// earlier refunds already gave back. `None` if `amount` exceeds what is left to refund.
pub fn restoration(consumed: &[LotPart], already: Amount, amount: Amount) -> Option<Vec<LotPart>> {
    let (mut skip, mut left) = (already, amount);
    let mut parts = Vec::new();
    for taken in consumed.iter().rev() {
        let skipped = skip.min(taken.amount);
        skip = skip.checked_sub(skipped)?;
        let give = left.min(taken.amount.checked_sub(skipped)?);
        left = left.checked_sub(give)?;
        parts.extend(part(taken.lot, give));
    }
    left.is_zero().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lot(no: u16, source: LotSource, remaining: i64, expires: Option<i64>) -> Lot {
        let remaining = Amount::new(remaining).expect("an amount");
        Lot {
            no: LotNo(no),
            source,
            funder: None,
            granted: remaining,
            remaining,
            expired: Amount::ZERO,
            expired_to_breakage: false,
            expires_at: expires.map(Timestamp::from_micros),
        }
    }

    fn plain(parts: Option<Vec<LotPart>>) -> Option<Vec<(u16, i64)>> {
        parts.map(|p| p.into_iter().map(|p| (p.lot.0, p.amount.get())).collect())
    }

    #[test]
    fn order_of_consumption() {
        use LotOrder::{BonusFirst, PaidFirst, ProRata};
        use LotSource::{Bonus, Paid};
        let lots = [
            lot(1, Paid, 1000, None),
            lot(2, Bonus, 200, None),
            lot(3, Paid, 500, Some(50)),
            lot(4, Bonus, 100, Some(5)),
        ];
        let check = |order, amount: i64, expect: Option<&[(u16, i64)]>| {
            let got = consumption(
                &lots,
                order,
                Amount::new(amount).expect("an amount"),
                Timestamp::from_micros(10),
            );
            assert_eq!(plain(got), expect.map(<[_]>::to_vec), "{order:?} {amount}");
        };
        check(PaidFirst, 600, Some(&[(3, 500), (1, 100)]));
        check(BonusFirst, 600, Some(&[(2, 200), (3, 400)]));
        // 1,500 paid and 200 bonus are usable at 10: 170 splits 150 / 20.
        check(ProRata, 170, Some(&[(3, 150), (2, 20)]));
        check(ProRata, 1700, Some(&[(3, 500), (1, 1000), (2, 200)]));
        check(ProRata, 1701, None);
        check(PaidFirst, 0, Some(&[]));
    }

    #[test]
    fn refunds_give_back_newest_first() {
        let part = |lot, amount| LotPart { lot: LotNo(lot), amount: Amount::new(amount).expect("an amount") };
        let consumed = [part(1, 500), part(2, 100)];
        let check = |already: i64, amount: i64, expect: Option<&[(u16, i64)]>| {
            let amount_of = |n| Amount::new(n).expect("an amount");
            let got = restoration(&consumed, amount_of(already), amount_of(amount));
            assert_eq!(plain(got), expect.map(<[_]>::to_vec), "{already} {amount}");
        };
        check(0, 50, Some(&[(2, 50)]));
        check(50, 100, Some(&[(2, 50), (1, 50)]));
        check(0, 600, Some(&[(2, 100), (1, 500)]));
        check(150, 451, None);
    }

    proptest! {
        #[test]
        fn consumption_takes_exactly_the_amount_and_refunds_restore_it(
            lots in prop::collection::vec((0..4_usize, 0..10_000_i64, prop::option::of(0..20_i64)), 1..8),
            share in 0..=100_i64, first in 0..=100_i64,
        ) {
            let lots: Vec<Lot> = lots.iter().zip(1_u16..)
                .map(|((s, r, e), no)| lot(no, LotSource::ALL[*s], *r, *e)).collect();
            let at = Timestamp::from_micros(10);
            let amount = Amount::new(usable(&lots, at).get() * share / 100).expect("an amount");
            for order in [LotOrder::ProRata, LotOrder::PaidFirst, LotOrder::BonusFirst] {
                let parts = consumption(&lots, order, amount, at).expect("enough value");
                prop_assert_eq!(Amount::checked_sum(parts.iter().map(|p| p.amount)), Some(amount));
                for p in &parts {
                    let from = lots.iter().find(|l| l.no == p.lot).expect("a lot of the card");
                    prop_assert!(from.usable_at(at) && p.amount <= from.remaining);
                }
                let one = Amount::new(amount.get() * first / 100).expect("an amount");
                let two = amount.checked_sub(one).expect("a part");
                let mut back = restoration(&parts, Amount::ZERO, one).expect("within");
                back.extend(restoration(&parts, one, two).expect("within"));
                for p in &parts {
                    let given = Amount::checked_sum(back.iter().filter(|b| b.lot == p.lot).map(|b| b.amount));
                    prop_assert_eq!(given, Some(p.amount));
                }
            }
        }
    }
}
