//! Cases that were worked out by hand.

use std::collections::BTreeMap;

use domain::{Account, OperationKind};
use settlement::{Calendar, MovementKind, StatementStatus, closing, dry_run::DryRun};

use crate::world::{CNY, ISSUER, World, agreement, amount, at, day, mer, terms};

const NOON: &str = "2026-03-02T12:00:00";

/// The fees of sales of these amounts, in order.
fn fees(json: &str, sales: &[i64], expect: &[i64]) {
    let mut world = World::of(json);
    for sale in sales {
        world.sale(NOON, *sale);
    }
    world.take(usize::MAX);
    let got: Vec<i64> = world.order.iter().map(|line| line.fee).collect();
    assert_eq!(got, expect, "{json} {sales:?}");
}

#[test]
fn fees_of_each_kind() {
    // Percentage, half to even: 60 bp of 1.25 is 0.0075, of 25.00 is 0.15; 0.5 and 1.5 fen go to 0 and 2.
    fees(r#"{"fees":{"basis_points":60}}"#, &[2_500, 10_000, 125, 1], &[15, 60, 1, 0]);
    fees(r#"{"fees":{"basis_points":50}}"#, &[100, 300, 500, 101], &[0, 2, 2, 1]);
    fees(r#"{"fees":{"fixed":30}}"#, &[1, 100_000], &[30, 30]);
    // 60 bp of 49.99 is 29.994 fen, and 30 fixed.
    fees(r#"{"fees":{"basis_points":60,"fixed":30}}"#, &[4_999, 10_000], &[60, 90]);
    fees(
        r#"{"fees":{"basis_points":60,"floor":10,"cap":5000}}"#,
        &[100, 10_000, 1_000_000],
        &[10, 60, 5_000],
    );
    // The floor and cap hold for percentage and fixed part together.
    fees(
        r#"{"fees":{"basis_points":100,"fixed":5,"floor":8,"cap":20}}"#,
        &[100, 1_000, 10_000],
        &[8, 15, 20],
    );
    fees("{}", &[100], &[0]);
}

#[test]
fn tiers_cut_the_volume_of_the_month() {
    // To 1,000.00 at 100 bp, to 5,000.00 at 80 bp, beyond at 50 bp.
    let json = r#"{"fees":{"tiers":[{"from":0,"basis_points":100},{"from":100000,"basis_points":80},
                  {"from":500000,"basis_points":50}]}}"#;
    // 800: 8.00. 400: 200 at 1 % and 200 at 0.8 %. 5,000: 3,800 at 0.8 % and 1,200 at 0.5 %.
    fees(json, &[80_000, 40_000, 500_000], &[800, 360, 3_640]);
    fees(json, &[1_000_000], &[1_000 + 3_200 + 2_500]);
    // A new month begins at the first tier again, a statement does not.
    let mut world = World::of(json);
    world.sale("2026-03-30T12:00:00", 100_000);
    world.sale("2026-03-31T12:00:00", 100_000);
    world.sale("2026-04-01T12:00:00", 100_000);
    assert_eq!(world.close_once("2026-03-31T00:00:00", &BTreeMap::new()), 1);
    world.take(usize::MAX);
    let got: Vec<i64> = world.order.iter().map(|line| line.fee).collect();
    assert_eq!(got, [1_000, 800, 1_000]);
    let mut again = World::of(json);
    again.sale("2026-03-30T12:00:00", 100_000);
    assert_eq!(again.close_once("2026-03-31T00:00:00", &BTreeMap::new()), 1);
    again.restart();
    again.sale("2026-03-31T12:00:00", 100_000);
    again.take(usize::MAX);
    assert_eq!(
        again.order.last().map(|line| line.fee),
        Some(800),
        "the volume survives statements and restarts"
    );
}

#[test]
fn rounding_on_the_statement_rounds_the_sum_once() {
    // Each 0.3 fen: on each operation nothing; together 0.3, 0.6, 0.9, 1.2, 1.5 (to even: 2), 1.8.
    fees(r#"{"fees":{"basis_points":30}}"#, &[100; 6], &[0; 6]);
    let json = r#"{"fees":{"basis_points":30},"fee_rounding":"per_statement"}"#;
    fees(json, &[100; 6], &[0, 1, 0, 0, 1, 0]);
    // The next statement begins anew.
    let mut world = World::of(json);
    world.sale("2026-03-02T12:00:00", 100);
    world.sale("2026-03-03T12:00:00", 100);
    world.take(usize::MAX);
    assert_eq!(world.order.iter().map(|line| (line.fee, line.residue)).collect::<Vec<_>>(), [(0, 3_000); 2]);
}

#[test]
fn refunds_give_the_fee_back_or_not() {
    let check = |json: &str, expect: [i64; 3]| {
        let mut world = World::of(json);
        // 60 bp of 99.99 is 59.994 fen: 60. A third, another third, the rest.
        let sale = world.sale(NOON, 9_999);
        for _ in 0..3 {
            world.refund(NOON, 3_333, sale);
        }
        world.take(usize::MAX);
        let fees: Vec<i64> = world.order.iter().skip(1).map(|line| line.fee).collect();
        assert_eq!(fees, expect, "{json}");
    };
    check(r#"{"fees":{"basis_points":60}}"#, [0, 0, 0]);
    check(r#"{"fees":{"basis_points":60},"refunds_return_fee":true}"#, [-20, -20, -20]);
    // A fee of 1 fen: 0.33 is nothing yet, 0.67 is one, then nothing is left.
    check(r#"{"fees":{"fixed":1},"refunds_return_fee":true}"#, [0, -1, 0]);
}

#[test]
fn reversals_undo_the_fee_whatever_the_agreement_says() {
    use MovementKind::{Refund, Reversal, Sale};
    let mut world = World::of(
        r#"{"fees":{"basis_points":100},"splits":{"base":"gross","receivers":
        [{"merchant":"mer_0000000000002","share":{"kind":"percent","basis_points":3000}}]}}"#,
    );
    let sale = world.sale(NOON, 1_000);
    world.op(OperationKind::Reversal, 1, NOON, -1_000, Some(sale));
    let second = world.sale(NOON, 1_000);
    let refund = world.refund(NOON, 400, second);
    world.take(3);
    world.op(OperationKind::Reversal, 1, NOON, 400, Some(refund));
    world.refund(NOON, 1_000, second);
    world.take(2);
    world.take(2);
    let fees: Vec<i64> = world.order.iter().map(|line| line.fee).collect();
    assert_eq!(fees, [10, -10, 10, 0, 0, 0]);
    let parts: Vec<i64> = world.parts.iter().map(|part| part.amount).collect();
    assert_eq!(parts, [300, -300, 300, -120, 120, -300]);
    let before: Vec<i64> = world.order.iter().map(|line| line.refunded_before.get()).collect();
    assert_eq!(before, [0, 0, 0, 0, 400, 0]);
    let kinds: Vec<MovementKind> = world.order.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, [Sale, Reversal, Sale, Refund, Reversal, Refund]);
}

#[test]
fn splits_divide_the_sale_and_are_clawed_back() {
    let check = |json: &str, sale: i64, refunds: &[i64], expect: &[&[i64]]| {
        let mut world = World::of(json);
        let id = world.sale(NOON, sale);
        for refund in refunds {
            world.refund(NOON, *refund, id);
        }
        world.take(usize::MAX);
        for (line, expect) in world.order.iter().zip(expect) {
            let of = |p: &&settlement::SplitPart| p.operation == line.operation;
            let got: Vec<i64> = world.parts.iter().filter(of).map(|p| p.amount).collect();
            assert_eq!(got, *expect, "{json} {sale} {refunds:?}");
        }
        assert_eq!(world.order.len(), expect.len());
    };
    let percent = r#"{"merchant":"mer_0000000000002","share":{"kind":"percent","basis_points":3333}}"#;
    let other = r#"{"merchant":"mer_0000000000003","share":{"kind":"percent","basis_points":3333}}"#;
    let fixed = r#"{"merchant":"mer_0000000000004","share":{"kind":"fixed","amount":50}}"#;
    let of = |base: &str, receivers: &str, rest: &str| {
        format!(
            r#"{{"fees":{{"basis_points":1000}},"splits":{{"base":"{base}","receivers":[{receivers}]{rest}}}}}"#
        )
    };
    // 33.33 % of 100 twice, 33.34 % stays: 33.33 → 33 each, the remainders give 1 to the rest.
    check(
        &of("gross", &format!("{percent},{other}"), ""),
        100,
        &[50, 50],
        &[&[33, 33], &[-17, -16], &[-16, -17]],
    );
    // Of 90 after the fee of 10: 29.997 each (30 by remainder), 30.006.
    check(&of("net", &format!("{percent},{other}"), ""), 100, &[], &[&[30, 30]]);
    // The fixed part takes what the percentage leaves, as far as it goes; the rest goes to merchant 5.
    let rest = r#","rest":"mer_0000000000005""#;
    check(
        &of("gross", &format!("{percent},{fixed}"), rest),
        1_000,
        &[1_000],
        &[&[333, 50, 617], &[-333, -50, -617]],
    );
    check(&of("gross", &format!("{percent},{fixed}"), rest), 60, &[], &[&[20, 40]]);
    // A rest that goes to a receiver too is one part.
    check(&of("gross", percent, r#","rest":"mer_0000000000002""#), 100, &[], &[&[100]]);
    // Itself: nothing moves.
    let itself = r#"{"merchant":"mer_0000000000001","share":{"kind":"percent","basis_points":5000}}"#;
    check(&of("gross", itself, ""), 100, &[], &[&[]]);
}

#[test]
fn a_statement_adds_up_and_posts() {
    let json = r#"{"fees":{"basis_points":100,"yearly":1200},"splits":{"base":"gross","receivers":
        [{"merchant":"mer_0000000000002","share":{"kind":"percent","basis_points":2000}}]}}"#;
    let mut world = World::of(json);
    let sale = world.sale("2026-09-30T12:00:00", 10_000);
    world.refund("2026-10-03T12:00:00", 5_000, sale);
    world.op(OperationKind::UnlinkedRefund, 1, "2026-10-04T12:00:00", -700, None);
    world.op(OperationKind::Correction, 1, "2026-10-05T12:00:00", 33, None);
    assert_eq!(world.close_once("2026-10-07T23:59:59", &BTreeMap::new()), 0, "the period is not over");
    assert_eq!(world.close_once("2026-10-08T00:00:00", &BTreeMap::new()), 1);
    let statement = world.closed[0].clone();
    assert_eq!(statement.status, StatementStatus::Closed);
    assert_eq!((statement.period_from, statement.period_to), (day("2026-09-30"), day("2026-10-07")));
    assert_eq!((statement.due_on, statement.due_estimated), (day("2026-10-08"), false));
    let f = statement.figures;
    assert_eq!((f.sums.sales, f.sums.refunds, f.sums.corrections), (10_000, -5_700, 33));
    assert_eq!((f.sums.fees, f.sums.splits_out, f.yearly_fee.get()), (100, 2_000 - 1_000, 1_200));
    assert_eq!(f.closing, 10_000 - 5_700 + 33 - 100 - 1_000 - 1_200);
    assert_eq!((f.payout.get(), f.carried), (2_033, 0));
    let posted: Vec<_> = world.posted[0].1.iter().map(|t| (t.debit, t.credit, t.amount.get())).collect();
    let own = Account::Merchant(mer(1));
    assert_eq!(posted, [(own, Account::Fees(ISSUER), 1_300), (own, Account::Merchant(mer(2)), 1_000)]);
    // The receiver's part is on its own statement of the day on which it was posted. Its own is not.
    world.take(usize::MAX);
    let last = world.order.last().expect("a line");
    assert_eq!((last.merchant, last.kind, last.amount), (mer(2), MovementKind::SplitIn, 1_000));
    assert_eq!(last.day, day("2026-10-08"));
    // The digest covers every figure.
    let mut forged = statement.clone();
    forged.figures.carried += 1;
    assert_eq!(statement.digest, Some(closing::digest(&statement, None)));
    assert_ne!(statement.digest, Some(closing::digest(&forged, None)));
    assert_ne!(statement.digest, Some(closing::digest(&statement, Some([1; 32]))));
}

#[test]
fn little_is_carried_and_less_than_nothing_is_carried_or_invoiced() {
    let none = BTreeMap::new();
    let mut world = World::of(r#"{"minimum_payout":1000}"#);
    world.sale("2026-03-02T12:00:00", 999);
    world.sale("2026-03-03T12:00:00", 1);
    assert_eq!(world.close_once("2026-03-04T00:00:00", &none), 1, "one of a merchant at a time");
    assert_eq!(world.close_once("2026-03-04T00:00:00", &none), 1);
    let got = world.closed.iter().map(|s| (s.figures.opening, s.figures.payout.get(), s.figures.carried));
    assert_eq!(got.collect::<Vec<_>>(), [(0, 0, 999), (999, 1_000, 0)]);
    assert_eq!(world.closed[1].previous, Some(world.closed[0].id));

    let mut world = World::of(r#"{"negative":"carry"}"#);
    world.op(OperationKind::UnlinkedRefund, 1, "2026-03-02T12:00:00", -500, None);
    world.sale("2026-03-03T12:00:00", 800);
    world.close_once("2026-03-03T00:00:00", &none);
    world.close_once("2026-03-04T00:00:00", &none);
    let got = world.closed.iter().map(|s| (s.figures.closing, s.figures.payout.get(), s.figures.carried));
    assert_eq!(got.collect::<Vec<_>>(), [(-500, 0, -500), (300, 300, 0)]);

    let mut world = World::of(r#"{"negative":"invoice"}"#);
    world.op(OperationKind::UnlinkedRefund, 1, "2026-03-02T12:00:00", -500, None);
    world.op(OperationKind::MerchantPayment, 1, "2026-03-03T12:00:00", 500, None);
    world.close_once("2026-03-04T00:00:00", &none);
    assert_eq!(world.closed.len(), 1, "the payment of an invoice is no line");
    let f = world.closed[0].figures;
    assert_eq!((f.invoiced.get(), f.payout.get(), f.carried), (500, 0, 0));
}

#[test]
fn what_is_carried_makes_a_statement_only_when_something_is_paid() {
    let none = BTreeMap::new();
    let mut world = World::of(r#"{"minimum_payout":1000}"#);
    world.sale("2026-03-02T12:00:00", 900);
    world.close_once("2026-03-03T00:00:00", &none);
    assert_eq!(world.close_idle("2026-03-10T00:00:00", &none), 0);
    // A payout that was rejected is payable again, together with what was carried.
    let rejected = BTreeMap::from([((mer(1), CNY), amount(200))]);
    assert_eq!(world.close_idle("2026-03-10T00:00:00", &rejected), 1);
    let statement = &world.closed[1];
    let f = statement.figures;
    assert_eq!((f.opening, f.payouts_rejected.get(), f.payout.get(), f.carried), (900, 200, 1_100, 0));
    assert_eq!((statement.period_from, statement.period_to), (day("2026-03-09"), day("2026-03-09")));
    assert_eq!(world.close_idle("2026-03-10T00:00:00", &none), 0);
}

#[test]
fn the_yearly_fee_is_charged_once_a_year_also_without_sales() {
    let none = BTreeMap::new();
    let mut world = World::of(r#"{"fees":{"yearly":36500}}"#);
    assert_eq!(world.close_idle("2026-03-10T00:00:00", &none), 1);
    assert_eq!(world.close_idle("2026-06-10T00:00:00", &none), 0);
    world.sale("2026-07-01T12:00:00", 100_000);
    world.close_once("2026-07-02T00:00:00", &none);
    // The first period of 2027 has the days 1 to 3: as far as is known, Monday the 4th is the next working day.
    assert_eq!(world.close_idle("2027-01-03T23:59:59", &none), 0);
    assert_eq!(world.close_idle("2027-01-04T00:00:00", &none), 1);
    let got: Vec<_> = world.closed.iter().map(|s| (s.figures.yearly_fee.get(), s.figures.closing)).collect();
    assert_eq!(got, [(36_500, -36_500), (0, 63_500), (36_500, -36_500)]);
}

#[test]
fn the_version_in_force_on_the_day_of_the_sale_applies_to_its_refund() {
    let versions = vec![
        agreement(1, None, "2026-01-01", terms(r#"{"fees":{"basis_points":100}}"#)),
        agreement(
            2,
            Some(1),
            "2026-03-03",
            terms(r#"{"fees":{"basis_points":200},"refunds_return_fee":true}"#),
        ),
        agreement(3, Some(1), "2026-03-04", terms(r#"{"cut_off":"18:00","fees":{"fixed":7}}"#)),
    ];
    let mut world = World::new(versions);
    let old = world.sale("2026-03-02T23:59:59", 1_000);
    let new = world.sale("2026-03-03T00:00:00", 1_000);
    world.sale("2026-03-03T18:00:00", 1_000);
    world.refund("2026-03-05T12:00:00", 1_000, old);
    world.refund("2026-03-05T12:00:00", 1_000, new);
    world.take(usize::MAX);
    let got: Vec<_> = world
        .order
        .iter()
        .map(|l| (l.day.get() % 100, l.fee, l.agreement.map(domain::AgreementId::get)))
        .collect();
    let expect = [(2, 10, Some(1)), (3, 20, Some(2)), (4, 7, Some(3)), (5, 0, Some(1)), (5, -20, Some(2))];
    assert_eq!(got, expect);
}

#[test]
fn what_comes_after_its_statement_was_closed_is_late_on_the_next() {
    let none = BTreeMap::new();
    let mut world = World::of("{}");
    world.sale("2026-03-02T12:00:00", 100);
    world.close_once("2026-03-03T00:00:00", &none);
    world.sale("2026-03-02T23:59:59", 50);
    world.sale("2026-03-03T00:00:01", 20);
    world.take(usize::MAX);
    let got: Vec<_> = world.order.iter().map(|l| (l.day.get() % 100, l.late)).collect();
    assert_eq!(got, [(2, false), (2, true), (3, false)]);
    assert_eq!(world.order[1].statement, world.order[2].statement);
    world.close_once("2026-03-04T00:00:00", &none);
    assert_eq!((world.closed[1].figures.closing, world.closed[1].figures.sums.late_count), (70, 1));
}

#[test]
fn a_cycle_that_changes_leaves_no_day_in_two_statements() {
    let versions = vec![
        agreement(1, Some(1), "2026-01-01", terms(r#"{"cycle":{"kind":"monthly","day":"last"}}"#)),
        agreement(2, Some(1), "2026-03-11", terms(r#"{"cycle":{"kind":"weekly","weekday":"sunday"}}"#)),
    ];
    let mut world = World::new(versions);
    for moment in ["2026-03-02T12:00:00", "2026-03-12T12:00:00", "2026-03-31T12:00:00", "2026-04-01T12:00:00"]
    {
        world.sale(moment, 100);
    }
    world.take(usize::MAX);
    let got: Vec<_> = world.opened.iter().map(|s| (s.period_from, s.period_to)).collect();
    let expect = [("2026-03-01", "2026-03-31"), ("2026-04-01", "2026-04-05")];
    assert_eq!(got, expect.map(|(from, to)| (day(from), day(to))), "the month runs out first");
}

#[test]
fn due_dates_of_the_holidays() {
    let check = |sale: &str, due: &str| {
        let mut world = World::of("{}");
        world.sale(sale, 100);
        world.take(usize::MAX);
        assert_eq!(world.opened[0].due_on, day(due), "{sale}");
    };
    check("2026-09-30T12:00:00", "2026-10-08");
    check("2026-02-13T12:00:00", "2026-02-14");
    assert!(Calendar::mainland_china().after(day("2026-12-31").to_date().expect("a date"), 1).estimated);
    assert!(at("2026-02-13T12:00:00") < at("2026-02-14T00:00:00"));
}

#[test]
fn a_dry_run_under_the_same_terms_is_what_was_charged() {
    let json = r#"{"fees":{"basis_points":60,"fixed":1},"refunds_return_fee":true}"#;
    let mut world = World::of(json);
    let first = world.sale(NOON, 9_999);
    let second = world.sale(NOON, 5_000);
    world.refund(NOON, 3_333, first);
    world.op(OperationKind::Reversal, 1, NOON, -5_000, Some(second));
    world.sale(NOON, 20_000);
    world.take(usize::MAX);
    let check = |candidate: &str, expect: (i64, i64)| {
        let terms = terms(candidate);
        let mut run = DryRun::new(&terms);
        for line in &world.order {
            run.find(line).expect("few");
        }
        for line in &world.order {
            run.compare(line).expect("amounts that fit");
        }
        let compared = run.finish()[&mer(1)];
        assert_eq!((compared.sales, compared.sales_count), (34_999, 3));
        assert_eq!((compared.fees, compared.candidate_fees), expect, "{candidate}");
    };
    // 61 − 20 of the first, nothing of the second, 121 of the third.
    check(json, (162, 162));
    // 1 %: 100 − 33, nothing, 200. Not given back: 100, nothing, 200.
    check(r#"{"fees":{"basis_points":100},"refunds_return_fee":true}"#, (162, 267));
    check(r#"{"fees":{"basis_points":100}}"#, (162, 300));
}

/// Of docs/settlement.md.
#[test]
fn the_worked_example() {
    let mut world = World::of(
        r#"{"fees":{"basis_points":60,"fixed":1},"refunds_return_fee":true,"splits":{"base":"gross","receivers":
            [{"merchant":"mer_0000000000002","share":{"kind":"percent","basis_points":2000}}]}}"#,
    );
    let first = world.sale(NOON, 9_999);
    let second = world.sale(NOON, 5_000);
    world.refund(NOON, 3_333, first);
    world.op(OperationKind::Reversal, 1, NOON, -5_000, Some(second));
    assert_eq!(world.close_once("2026-03-03T00:00:00", &BTreeMap::new()), 1);
    let of_merchant = world.order.iter().filter(|line| line.merchant == mer(1));
    assert_eq!(of_merchant.map(|line| line.fee).collect::<Vec<_>>(), [61, 31, -20, -31]);
    assert_eq!(world.parts.iter().map(|part| part.amount).collect::<Vec<_>>(), [2_000, 1_000, -667, -1_000]);
    let f = world.closed[0].figures;
    assert_eq!((f.sums.fees, f.sums.splits_out, f.payout.get()), (41, 1_333, 5_292));
}
