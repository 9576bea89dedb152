//! A run that is dropped at any point, and started again, ends with the same statements.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use domain::MerchantId;
use finance::settlement::run;
use settlement::{StatementStatus, statement::Figures};

use crate::world::{Database, ISSUER, MAKER, World};

on_both!(a_run_that_is_killed_anywhere_ends_with_the_same_statements, two_runs_at_once_do_nothing_twice,);

/// Polls a future so often and no more.
struct Budget<F> {
    inner: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for Budget<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.inner.as_mut().poll(context).map(Some)
    }
}

const TERMS: &str = r#"{"cycle":{"kind":"t_plus","days":1},"minimum_payout":500,
    "fees":{"tiers":[{"from":0,"basis_points":100},{"from":20000,"basis_points":50}],"yearly":100},
    "fee_rounding":"per_statement","refunds_return_fee":true,"splits":{"base":"net","receivers":
    [{"merchant":"mer_0000000000036","share":{"kind":"percent","basis_points":2500}},
     {"merchant":"mer_0000000000037","share":{"kind":"fixed","amount":7}}]}}"#;

type Content = (MerchantId, i32, i32, Figures, bool);

/// Three days of business; after each, a run that is cut off after `polls`, until one ends, with `growth` more each
/// time. None: never.
async fn play(
    database: Database,
    polls: Option<usize>,
    growth: usize,
) -> (Vec<Content>, Vec<(MerchantId, i64)>, Vec<i64>, usize) {
    let world = World::begin_on(database, "2026-11-16T08:00:00").await;
    world.agree(None, "2026-11-16", TERMS).await;
    let mut cut = 0;
    let mut last = None;
    for number in 16..=19 {
        world.at(&format!("2026-11-{number}T09:00:00"));
        for step in 0..12_i64 {
            let sale = world.sale(1 + step % 4, 1_000 + 333 * step).await;
            if step % 3 == 0 {
                world.refund(sale, 100 + step).await;
            }
            if let Some(sale) = last.replace(sale).filter(|_| step == 0) {
                world.refund(sale, 50).await;
            }
        }
        world.at(&format!("2026-11-{}T00:00:30", number + 1));
        let mut budget = polls;
        loop {
            let future = run(&world.engine, ISSUER, None, MAKER);
            let Some(polls) = &mut budget else {
                future.await.expect("a run");
                break;
            };
            let run = Budget { inner: Box::pin(future), polls: *polls };
            if let Some(result) = pin!(run).await {
                result.expect("a run");
                break;
            }
            cut += 1;
            // More each time, or a run that needs more polls than that would never end.
            *polls += growth;
        }
    }
    let mut statements: Vec<Content> = Vec::new();
    for s in world.statements().await {
        statements.push((s.merchant, s.period_from.get(), s.period_to.get(), s.figures, s.digest.is_some()));
    }
    statements.sort_by_key(|(merchant, _, to, ..)| (*merchant, *to));
    let mut payouts: Vec<_> = world.payouts().await.iter().map(|p| (p.merchant, p.amount.get())).collect();
    payouts.sort_unstable();
    assert_eq!(world.statements_are_the_ledger().await, 4);
    let mut owed = Vec::new();
    for merchant in 1..=4 {
        owed.push(world.owed(merchant).await);
    }
    (statements, payouts, owed, cut)
}

async fn a_run_that_is_killed_anywhere_ends_with_the_same_statements(database: Database) {
    // A run on a server takes more polls: it waits for each answer.
    let (begin, growth): (&[usize], usize) = match database {
        Database::Sqlite => (&[1, 2, 3, 5, 7, 9], 1),
        Database::Postgres => (&[1, 4, 10], 5),
    };
    let (statements, payouts, owed, _) = play(database, None, growth).await;
    assert!(statements.len() >= 12 && payouts.len() >= 8, "{} {}", statements.len(), payouts.len());
    let mut cuts = 0;
    for polls in begin.iter().copied() {
        let (again, paid, owing, cut) = play(database, Some(polls), growth).await;
        for (one, other) in again.iter().zip(&statements) {
            assert_eq!(one, other, "cut after {polls}");
        }
        assert_eq!(again.len(), statements.len(), "cut after {polls}");
        assert_eq!((paid, owing), (payouts.clone(), owed.clone()), "cut after {polls}");
        cuts += cut;
    }
    assert!(cuts > 50, "runs were cut off {cuts} times");
}

async fn two_runs_at_once_do_nothing_twice(database: Database) {
    let world = World::begin_on(database, "2026-11-16T08:00:00").await;
    world.agree(None, "2026-11-16", TERMS).await;
    for step in 0..200_i64 {
        world.sale(1 + step % 4, 1_000 + step).await;
    }
    world.at("2026-11-17T00:00:30");
    let runs = (0..4).map(|_| {
        let engine = world.engine.clone();
        tokio::spawn(async move { run(&engine, ISSUER, None, MAKER).await })
    });
    let mut closed = 0;
    for task in runs.collect::<Vec<_>>() {
        match task.await.expect("no panic") {
            Ok(report) => closed += report.statements,
            // One that comes second to a statement finds it closed, and may be started again.
            Err(error) => assert!(error.to_string().contains("conflict"), "{error}"),
        }
    }
    closed += world.settle().await.statements;
    let mut statements = world.statements().await;
    statements.retain(|s| s.status == StatementStatus::Closed);
    assert_eq!(statements.len(), 4);
    assert!(closed >= 4);
    assert_eq!(world.payouts().await.len(), 4);
    let sold: i64 = (0..200).map(|step| 1_000 + step).sum();
    assert_eq!(statements.iter().map(|s| s.figures.sums.sales).sum::<i64>(), sold);
}
