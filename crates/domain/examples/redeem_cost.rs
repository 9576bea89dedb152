//! What it costs to decide a redemption, without any I/O: `cargo run --release -p domain --example redeem_cost`.
//!
//! Prints nanoseconds per `plan`, per `decide`, and per decision with `apply` and `changes`, over batches
//! of 256 on 100,000 cards. The target for `decide` is a microsecond.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement, not a part of the product"
)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use domain::{
    CardId, Catalog, Command, IdempotencyKey, OperationId, Request,
    command::{CardRef, Payment},
    decide::{Context, Verdict, decide},
    plan::plan,
    working::{KeyState, Touched, Working},
};
use domain_testing::fixture::{TestSecrets, active, catalog, free_rules, noon, payment, request};

const CARDS: usize = 100_000;
const BATCH: usize = 256;

#[derive(Default)]
struct Spent {
    plan: Duration,
    decide: Duration,
    apply: Duration,
    decisions: u32,
}

fn main() {
    let mut rules = free_rules();
    rules.daily_count = Some(1_000);
    rules.daily_amount = Some(domain_testing::fixture::amount(1_000_000));
    let catalog = catalog(&rules);
    let template = request("template", Command::Redeem(payment(1, 1)));
    let mut spent = Spent::default();
    for round in 0..(CARDS * 4 / BATCH) {
        batch(round, &template, &catalog, &mut spent);
    }
    let each = |spent_on: Duration| spent_on.as_nanos() / u128::from(spent.decisions);
    println!("decisions            {:>8}", spent.decisions);
    println!("plan                 {:>8} ns each", each(spent.plan));
    println!("decide               {:>8} ns each", each(spent.decide));
    println!("apply and changes    {:>8} ns each", each(spent.apply));
}

fn batch(round: usize, template: &Request, catalog: &Catalog, spent: &mut Spent) {
    let requests: Vec<Request> = (0..BATCH).map(|item| one(template, round * BATCH + item)).collect();
    let mut working = Working::default();
    let mut needs = Vec::new();
    let start = Instant::now();
    for request in &requests {
        plan(request, &working, catalog, noon(), &mut needs);
    }
    spent.plan += start.elapsed();
    for (request, id) in requests.iter().zip(card_ids(round)) {
        working.keys.insert((request.actor.client, request.key.clone()), KeyState::Free);
        working.cards.insert(CardId::new(id), Some(active(id, 100_000)));
    }
    let mut touched = Touched::default();
    for (request, id) in requests.iter().zip(1_i64..) {
        let context = Context { catalog, now: noon(), id: OperationId::new(id), secrets: &TestSecrets };
        let start = Instant::now();
        let verdict = decide(black_box(request), &working, &context);
        let decided = Instant::now();
        let Ok(Verdict::Decided(decision)) = verdict else { panic!("a redemption is approved: {verdict:?}") };
        assert!(decision.operation.is_approved());
        working.apply(*decision, &mut touched);
        spent.decide += decided - start;
        spent.apply += decided.elapsed();
        spent.decisions += 1;
    }
    let start = Instant::now();
    black_box(working.changes(touched));
    spent.apply += start.elapsed();
}

fn card_ids(round: usize) -> impl Iterator<Item = i64> {
    let first = round * BATCH;
    (first..first + BATCH).map(|item| i64::try_from(item * 7_919 % CARDS).expect("few cards"))
}

fn one(template: &Request, item: usize) -> Request {
    let time_ordered = format!("0192f3a4-5b6c-7d8e-9fa0-{item:012x}");
    let id = i64::try_from(item * 7_919 % CARDS).expect("few cards");
    let card = CardRef::Id(CardId::new(id));
    Request {
        key: IdempotencyKey::parse(&time_ordered).expect("a key"),
        command: Command::Redeem(Payment { card, ..payment(1, 1) }),
        ..template.clone()
    }
}
