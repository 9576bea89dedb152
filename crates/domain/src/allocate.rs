//! Splitting an amount so that the parts always add up to the whole (largest remainder).

use crate::Amount;

/// Splits `amount` in proportion to `weights` by largest remainder; the parts add up to `amount`.
///
/// Ties go to the earlier weight. No part exceeds its weight as long as `amount` does not exceed their
/// sum, which is what lets a balance be consumed pro rata. Returns `None` if all weights are zero and
/// there is something to split.
pub fn largest_remainder(amount: Amount, weights: &[Amount]) -> Option<Vec<Amount>> {
    let total: i128 = weights.iter().map(|w| i128::from(w.get())).sum();
    if total == 0 {
        return amount.is_zero().then(|| vec![Amount::ZERO; weights.len()]);
    }
    let whole = i128::from(amount.get());
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut given: i128 = 0;
    for (position, weight) in weights.iter().enumerate() {
        // 2^53 × 2^53 fits an i128; the total is not zero.
        let product = whole.checked_mul(i128::from(weight.get()))?;
        let floor = product.checked_div(total)?;
        given = given.checked_add(floor)?;
        parts.push(floor);
        remainders.push((product.checked_rem(total)?, position));
    }
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let left = usize::try_from(whole.checked_sub(given)?).ok()?;
    for (_, position) in remainders.into_iter().take(left) {
        let part = parts.get_mut(position)?;
        *part = part.checked_add(1)?;
    }
    parts.into_iter().map(|p| i64::try_from(p).ok().and_then(|p| Amount::new(p).ok())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amounts(values: &[i64]) -> Vec<Amount> {
        values.iter().map(|v| Amount::new(*v).expect("an amount")).collect()
    }

    #[test]
    fn table() {
        let check = |amount: i64, weights: &[i64], expect: &[i64]| {
            let got = largest_remainder(Amount::new(amount).expect("an amount"), &amounts(weights));
            assert_eq!(got, Some(amounts(expect)), "{amount} over {weights:?}");
        };
        check(100, &[1, 1, 1], &[34, 33, 33]);
        check(600, &[1000, 200], &[500, 100]);
        check(1, &[1, 1], &[1, 0]);
        check(0, &[0, 0], &[0, 0]);
        check(7, &[0, 7], &[0, 7]);
        assert_eq!(largest_remainder(Amount::new(1).expect("an amount"), &amounts(&[0])), None);
    }

    proptest! {
        #[test]
        fn parts_add_up_and_stay_within_their_weight(
            weights in prop::collection::vec(0..=Amount::MAX.get() / 8, 1..8),
            share in 0..=1000_i64,
        ) {
            let weights = amounts(&weights);
            let total = Amount::checked_sum(weights.iter().copied()).expect("bounded");
            let amount = Amount::new(total.get() / 1000 * share).expect("bounded");
            if let Some(parts) = largest_remainder(amount, &weights) {
                prop_assert_eq!(Amount::checked_sum(parts.iter().copied()), Some(amount));
                prop_assert!(parts.iter().zip(&weights).all(|(p, w)| p <= w));
            } else {
                prop_assert!(total.is_zero() && !amount.is_zero());
            }
        }
    }
}
