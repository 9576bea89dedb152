//! The counts are what a plain recount of the same operations says, however they are cut into parts and whenever old
//! ones are forgotten.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use activity::{Fold, Follower, Of, Sums};
use domain::{Currency, Decline, IssuerId, MerchantId, OperationId, OperationKind, Timestamp};
use storage::{Activity, memory::MemoryStore};

const KINDS: [(OperationKind, Option<OperationKind>); 9] = [
    (OperationKind::Redemption, None),
    (OperationKind::Capture, None),
    (OperationKind::Hold, None),
    (OperationKind::Refund, None),
    (OperationKind::UnlinkedRefund, None),
    (OperationKind::Reversal, Some(OperationKind::Redemption)),
    (OperationKind::Reversal, Some(OperationKind::Refund)),
    (OperationKind::Reversal, Some(OperationKind::Activation)),
    (OperationKind::Reversal, None),
];

fn start() -> Timestamp {
    Timestamp::parse_rfc3339("2026-03-07T16:00:00Z").expect("a moment")
}

/// Numbers that repeat with the seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) % bound).expect("small")
    }

    fn activity(&mut self, id: i64) -> Activity {
        let (kind, reversed) = KINDS[usize::try_from(self.below(9)).expect("small")];
        let declined = self.below(4) == 0;
        let currency = if self.below(3) == 0 { "HKD" } else { "CNY" };
        Activity {
            operation: OperationId::new(id),
            issuer: IssuerId::new(1 + self.below(2)),
            kind,
            reversed,
            merchant: Some(MerchantId::new(1 + self.below(3))).filter(|_| self.below(5) > 0),
            currency: Some(Currency::parse(currency).expect("a currency")),
            approved: if declined { 0 } else { 1 + self.below(100_000) },
            decline: declined.then(|| Decline::ALL[usize::try_from(self.below(5)).expect("small")]),
            at: start().plus_seconds(self.below(48 * 3600)),
        }
    }
}

fn is(item: &Activity, of: Of) -> bool {
    match of {
        Of::Issuer(issuer) => item.issuer == issuer,
        Of::Merchant(merchant) => item.merchant == Some(merchant),
    }
}

/// The plain way.
fn recount(items: &[Activity], of: Of, from: Timestamp, until: Timestamp) -> BTreeMap<Currency, Sums> {
    let mut sums: BTreeMap<Currency, Sums> = BTreeMap::new();
    for item in items.iter().filter(|item| is(item, of) && (from..until).contains(&item.at)) {
        let (Some(currency), None) = (item.currency, item.decline) else { continue };
        let is_sale = |kind| matches!(kind, OperationKind::Redemption | OperationKind::Capture);
        let is_refund = |kind| matches!(kind, OperationKind::Refund | OperationKind::UnlinkedRefund);
        let before = sums.get(&currency).copied().unwrap_or_default();
        let mut after = before;
        if is_sale(item.kind) {
            (after.sales, after.count) = (before.sales + item.approved, before.count + 1);
        } else if is_refund(item.kind) {
            (after.refunds, after.refund_count) = (before.refunds + item.approved, before.refund_count + 1);
        } else if item.reversed.is_some_and(is_sale) {
            (after.reversed, after.reversed_count) =
                (before.reversed + item.approved, before.reversed_count + 1);
        } else if item.reversed.is_some_and(is_refund) {
            (after.refunds, after.refund_count) = (before.refunds - item.approved, before.refund_count - 1);
        } else {
            continue;
        }
        sums.insert(currency, after);
    }
    sums
}

fn recount_declines(items: &[Activity], of: Of, from: Timestamp, until: Timestamp) -> BTreeMap<i64, i64> {
    let mut counts = BTreeMap::new();
    let sales = [OperationKind::Redemption, OperationKind::Capture, OperationKind::Hold];
    for item in items.iter().filter(|item| is(item, of) && (from..until).contains(&item.at)) {
        if let Some(decline) = item.decline.filter(|_| sales.contains(&item.kind)) {
            *counts.entry(decline.number()).or_default() += 1;
        }
    }
    counts
}

fn check(fold: &Fold, items: &[Activity], from: Timestamp, until: Timestamp) {
    let whose = [
        Of::Issuer(IssuerId::new(1)),
        Of::Issuer(IssuerId::new(2)),
        Of::Issuer(IssuerId::new(3)),
        Of::Merchant(MerchantId::new(1)),
        Of::Merchant(MerchantId::new(3)),
    ];
    for of in whose {
        let figures = fold.figures(of).expect("counted");
        assert_eq!(figures.sums(from, until), recount(items, of, from, until), "{of:?}");
        let found: BTreeMap<i64, i64> =
            figures.declines(from, until).iter().map(|(decline, count)| (decline.number(), *count)).collect();
        assert_eq!(found, recount_declines(items, of, from, until), "{of:?}");
    }
}

#[test]
fn counts_are_those_of_a_plain_recount() {
    for seed in 1..=20 {
        let mut dice = Dice(seed);
        let items: Vec<Activity> = (0..2_000).map(|id| dice.activity(id)).collect();
        let mut fold = Fold::default();
        let mut rest = items.as_slice();
        while !rest.is_empty() {
            let (part, later) =
                rest.split_at(rest.len().min(1 + usize::try_from(dice.below(300)).expect("small")));
            fold.take(part, start());
            rest = later;
        }
        for _ in 0..30 {
            // Days and hours of any zone begin at quarters of an hour.
            let from = start().plus_seconds(900 * dice.below(192));
            check(&fold, &items, from, from.plus_seconds(900 * dice.below(192)));
        }
        let kept = start().plus_seconds(900 * dice.below(192));
        fold.forget(kept);
        check(&fold, &items, kept, start().plus_seconds(48 * 3600));
    }
}

#[test]
fn what_is_too_old_is_not_counted() {
    let mut dice = Dice(7);
    let items: Vec<Activity> = (0..2_000).map(|id| dice.activity(id)).collect();
    let mut fold = Fold::default();
    let from = start().plus_seconds(24 * 3600);
    fold.take(&items, from);
    let recent: Vec<Activity> = items.into_iter().filter(|item| item.at >= from).collect();
    check(&fold, &recent, start(), start().plus_seconds(48 * 3600));
}

#[tokio::test]
async fn a_follower_says_when_it_has_read_everything() {
    let follower = Follower::new(Arc::new(MemoryStore::new()));
    let of = Of::Issuer(IssuerId::new(1));
    assert!(!follower.view(of).is_complete);
    assert!(follower.catch_up(start(), Duration::from_secs(5)).await.expect("read"));
    let view = follower.view(of);
    assert!(view.is_complete);
    assert!(view.figures.expect("none yet").sums(start(), start().plus_seconds(60)).is_empty());
}
