//! The golden table of refunds, and what holds for any of them.

use proptest::prelude::*;

use super::*;
use crate::policy::{PackId, find};

fn amount(minor: i64) -> Amount {
    Amount::new(minor).expect("an amount")
}

fn moment(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a moment")
}

fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").expect("bundled")
}

fn policy(pack: &str, on: Timestamp) -> InForce {
    let pack = find(&PackId::parse(pack).expect("a name")).expect("a pack");
    InForce::on(pack, BusinessDate::of(on, &zone()))
}

fn value(paid: i64, bonus: i64, used: i64) -> Value {
    let left = amount(paid + bonus - used);
    Value { paid: amount(paid), bonus: amount(bonus), used: amount(used), left }
}

const SOLD: &str = "2026-11-01T12:00:00+08:00";

struct Case {
    pack: &'static str,
    value: Value,
    claim: Claim,
    now: &'static str,
}

fn case(cause: Cause, value: Value) -> Case {
    let claim = Claim { cause, rescinded_on: None, rate: None, cost: None };
    Case { pack: "cn-single-purpose", value, claim, now: "2026-11-22T10:00:00+08:00" }
}

/// Principal, interest and forfeited, in minor units.
fn check(case: &Case, expect: Result<(i64, i64, i64), &str>) {
    let now = moment(case.now);
    let zone = zone();
    let at = Moment { now, paid_at: Some(moment(SOLD)), zone: &zone };
    let found = calculate(&policy(case.pack, now), &case.value, &case.claim, &at);
    let plain = found.map(|c| {
        let of = |item| c.amount(item).get();
        assert_eq!(of(Item::Refund), of(Item::Principal) + of(Item::Interest));
        (of(Item::Principal), of(Item::Interest), of(Item::Forfeited))
    });
    let plain = plain.map_err(|failure| match failure {
        Failure::NotProvided => "not provided".to_owned(),
        Failure::Broken(breach) => breach.rule.name.name().to_owned(),
        Failure::RescindedInTheFuture => "in the future".to_owned(),
        Failure::CostNotAllowed => "cost".to_owned(),
        Failure::Overflow => "overflow".to_owned(),
    });
    assert_eq!(plain, expect.map_err(ToOwned::to_owned), "{:?}", case.claim);
}

#[test]
fn the_golden_table() {
    use Cause::{CoolingOff, Holder, Operator};
    // Paid 1,000 and bonus 200, used 600.
    check(&case(Operator, value(100_000, 20_000, 60_000)), Ok((50_000, 0, 10_000)));
    check(&case(Holder, value(100_000, 20_000, 60_000)), Ok((40_000, 0, 20_000)));
    // Unused, used up, used beyond what was paid.
    check(&case(Operator, value(100_000, 20_000, 0)), Ok((100_000, 0, 20_000)));
    check(&case(Holder, value(100_000, 20_000, 0)), Ok((100_000, 0, 20_000)));
    check(&case(Operator, value(100_000, 20_000, 120_000)), Ok((0, 0, 0)));
    check(&case(Holder, value(100_000, 20_000, 110_000)), Ok((0, 0, 10_000)));
    check(&case(Operator, value(100_000, 20_000, 110_000)), Ok((8_333, 0, 1_667)));
    // Nothing but bonus, and nothing at all.
    check(&case(Operator, value(0, 500, 100)), Ok((0, 0, 400)));
    check(&case(Operator, value(0, 0, 0)), Ok((0, 0, 0)));
    // Half a minor unit goes to the even one: 1 × 1 / 2, and 3 × 1 / 2.
    check(&case(Operator, value(1, 1, 1)), Ok((1, 0, 0)));
    check(&case(Operator, value(2, 2, 3)), Ok((0, 0, 1)));
    // The third week after the sale.
    check(&case(CoolingOff, value(100_000, 0, 0)), Err("cooling_off"));
}

#[test]
fn interest_runs_from_the_day_of_rescission() {
    let from = |date: i32, rate: Option<u32>| {
        let mut it = case(Cause::Operator, value(100_000, 20_000, 60_000));
        it.claim.rescinded_on = Some(BusinessDate::from_stored(date));
        it.claim.rate = rate;
        it
    };
    // 500.00 at 3.00 % over 365 of 365 days, and over 21: 0.863 rounds to 0.86.
    check(&from(20_251_122, None), Ok((50_000, 1_500, 10_000)));
    check(&from(20_261_101, None), Ok((50_000, 86, 10_000)));
    check(&from(20_261_122, None), Ok((50_000, 0, 10_000)));
    check(&from(20_251_122, Some(0)), Ok((50_000, 0, 10_000)));
    check(&from(20_251_122, Some(365)), Ok((50_000, 1_825, 10_000)));
    check(&from(20_261_123, None), Err("in the future"));
    check(&from(20_261_301, None), Err("in the future"));
}

#[test]
fn an_unused_card_goes_back_within_days_of_payment() {
    let at = |pack, now, used, cost: Option<i64>| {
        let mut it = case(Cause::CoolingOff, value(100_000, 20_000, used));
        (it.pack, it.now, it.claim.cost) = (pack, now, cost.map(amount));
        it
    };
    let (day_7, day_8) = ("2026-11-08T23:59:59+08:00", "2026-11-09T00:00:00+08:00");
    let (day_15, day_16) = ("2026-11-16T23:59:59+08:00", "2026-11-17T00:00:00+08:00");
    check(&at("cn-single-purpose", day_7, 0, None), Ok((100_000, 0, 20_000)));
    check(&at("cn-single-purpose", day_8, 0, None), Err("cooling_off"));
    check(&at("cn-single-purpose", day_7, 1, None), Err("cooling_off"));
    check(&at("cn-single-purpose", day_7, 0, Some(1)), Err("cost"));
    check(&at("cn-jiangsu", day_7, 0, None), Ok((100_000, 0, 20_000)));
    check(&at("cn-jiangsu", day_7, 0, Some(1)), Err("cost"));
    check(&at("cn-jiangsu", day_8, 0, Some(500)), Ok((99_500, 0, 20_500)));
    check(&at("cn-jiangsu", day_15, 0, Some(100_001)), Err("cost"));
    check(&at("cn-jiangsu", day_16, 0, None), Err("cooling_off_at_cost"));
}

#[test]
fn a_refund_says_where_it_is_written_and_by_when() {
    let now = moment("2026-11-02T10:00:00+08:00");
    let zone = zone();
    let at = Moment { now, paid_at: Some(moment(SOLD)), zone: &zone };
    let claim = Claim { cause: Cause::Operator, rescinded_on: None, rate: None, cost: None };
    let found = calculate(&policy("cn-beijing", now), &value(100, 0, 0), &claim, &at).expect("a refund");
    let principal = found.lines.iter().find(|line| line.item == Item::Principal).expect("a line");
    assert_eq!(principal.article.as_deref(), Some("18"));
    assert_eq!(found.pay_by.map(|date| date.to_string()).as_deref(), Some("2026-11-17"));
    let unused = Claim { cause: Cause::CoolingOff, ..claim };
    let found = calculate(&policy("cn-beijing", now), &value(100, 0, 0), &unused, &at).expect("a refund");
    assert_eq!(found.pay_by.map(|date| date.to_string()).as_deref(), Some("2026-11-07"));
    let early = moment("2025-04-30T10:00:00+08:00");
    let before = calculate(&policy("cn-single-purpose", early), &value(100, 0, 0), &claim, &at);
    assert!(matches!(before, Err(Failure::NotProvided)), "before the interpretation");
}

proptest! {
    #[test]
    fn a_principal_is_never_more_than_was_paid_or_than_is_left(
        paid in 0..1_000_000_i64, bonus in 0..1_000_000_i64, share in 0..=1_000_i64,
        cause in prop::sample::select(vec![Cause::Operator, Cause::Holder]),
    ) {
        let value = value(paid, bonus, (paid + bonus) * share / 1_000);
        let now = moment("2026-11-22T10:00:00+08:00");
        let zone = zone();
        let at = Moment { now, paid_at: Some(moment(SOLD)), zone: &zone };
        let claim = Claim { cause, rescinded_on: None, rate: None, cost: None };
        let found = calculate(&policy("cn-single-purpose", now), &value, &claim, &at).expect("a refund");
        let principal = found.amount(Item::Principal);
        prop_assert!(principal <= value.paid && principal <= value.left);
        prop_assert_eq!(found.amount(Item::Forfeited).checked_add(principal), Some(value.left));
        // The holder's wish is never better than the operator's fault.
        let other = Claim { cause: Cause::Operator, ..claim };
        let other = calculate(&policy("cn-single-purpose", now), &value, &other, &at).expect("a refund");
        prop_assert!(principal <= other.amount(Item::Principal));
    }
}
