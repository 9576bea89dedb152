//! From sales to statements.

use settlement::StatementStatus;

use crate::world::{Database, World, day, mer};

on_both!(
    sales_before_the_holidays_are_due_after_them,
    a_statement_closed_early_through_a_day,
    an_agreement_cannot_reach_back_behind_a_statement,
);

const SPLIT: &str = r#"{"cycle":{"kind":"t_plus","days":1},"fees":{"basis_points":100},
    "refunds_return_fee":true,"splits":{"base":"gross","receivers":
    [{"merchant":"mer_0000000000036","share":{"kind":"percent","basis_points":2000}}]}}"#;

async fn sales_before_the_holidays_are_due_after_them(database: Database) {
    assert_eq!(mer(2).to_string(), "mer_0000000000036");
    let world = World::begin_on(database, "2026-09-30T12:00:00").await;
    world.agree(Some(1), "2026-09-30", SPLIT).await;
    let sale = world.sale(1, 10_000).await;
    world.sale(3, 500).await;
    let (_, key) = world.sale_with_key(1, 700).await;
    world.reverse(key).await;
    assert_eq!(world.settle().await.statements, 0, "the day is not over");
    world.at("2026-10-02T09:00:00");
    world.refund(sale, 2_500).await;
    world.at("2026-10-07T23:59:00");
    assert_eq!(world.settle().await.statements, 0);
    world.at("2026-10-08T00:00:10");
    let report = world.settle().await;
    assert_eq!((report.statements, report.payouts), (2, 2));
    let statements = world.statements().await;
    let first = statements.iter().find(|s| s.merchant == mer(1)).expect("a statement");
    assert_eq!(first.status, StatementStatus::Closed);
    assert_eq!((first.period_from, first.period_to), (day("2026-09-30"), day("2026-10-07")));
    assert_eq!(first.due_on, day("2026-10-08"));
    let f = first.figures;
    assert_eq!((f.sums.sales, f.sums.refunds, f.sums.reversals), (10_700, -2_500, -700));
    assert_eq!((f.sums.fees, f.sums.splits_out), (75, 1_500));
    assert_eq!(f.payout.get(), 7_500 - 75 - 1_500);
    // The ledger says the same, and the receiver has its part on a statement of the day of the posting.
    assert_eq!(world.owed(1).await, f.payout.get());
    assert_eq!(world.owed(2).await, 1_500);
    assert_eq!(world.settle().await.statements, 0, "a second run finds nothing to do");
    world.at("2026-10-09T00:00:10");
    assert_eq!(world.settle().await.statements, 1);
    let statements = world.statements().await;
    let part = statements.iter().find(|s| s.merchant == mer(2)).expect("a statement");
    assert_eq!((part.figures.sums.split_in, part.figures.payout.get()), (1_500, 1_500));
}

async fn a_statement_closed_early_through_a_day(database: Database) {
    let world = World::begin_on(database, "2026-11-16T12:00:00").await;
    for number in 16..=19 {
        world.at(&format!("2026-11-{number}T12:30:00"));
        world.sale(1, 100).await;
    }
    world.at("2026-11-20T12:00:00");
    let run =
        |through| finance::settlement::run(&world.engine, crate::world::ISSUER, through, crate::world::MAKER);
    let report = run(Some(day("2026-11-17"))).await.expect("a run");
    assert_eq!(report.statements, 2);
    let report = run(None).await.expect("a run");
    assert_eq!(report.statements, 2);
    let statements = world.statements().await;
    assert_eq!(statements.len(), 4);
    for pair in statements.windows(2) {
        assert_eq!(pair[1].previous, Some(pair[0].id), "statements of a merchant are a chain");
        let digest = settlement::closing::digest(&pair[1], pair[0].digest);
        assert_eq!(pair[1].digest, Some(digest));
    }
}

async fn an_agreement_cannot_reach_back_behind_a_statement(database: Database) {
    let world = World::begin_on(database, "2026-11-16T12:00:00").await;
    world.sale(1, 100).await;
    world.settle().await;
    let terms = serde_json::from_str(SPLIT).expect("terms");
    let new = |from| finance::settlement::NewAgreement {
        merchant: Some(mer(1)),
        currency: domain::Currency::CNY,
        effective_from: day(from),
        terms: settlement::Terms::clone(&terms),
    };
    let (issuer, maker) = (crate::world::ISSUER, crate::world::MAKER);
    let refused = finance::settlement::add_agreement(&world.engine, issuer, maker, new("2026-11-16")).await;
    let refused = refused.expect_err("there is a statement").to_string();
    assert!(refused.starts_with("/effective_from"), "{refused}");
    finance::settlement::add_agreement(&world.engine, issuer, maker, new("2026-11-17"))
        .await
        .expect("tomorrow");
    let again = finance::settlement::add_agreement(&world.engine, issuer, maker, new("2026-11-17")).await;
    assert!(again.is_err(), "one version for a day");
    world.at("2026-11-17T12:00:00");
    world.sale(1, 1_000).await;
    world.at("2026-11-18T12:00:00");
    world.settle().await;
    let fees: Vec<i64> = world
        .statements()
        .await
        .iter()
        .filter(|s| s.merchant == mer(1))
        .map(|s| s.figures.sums.fees)
        .collect();
    assert_eq!(fees, [0, 10]);
}
