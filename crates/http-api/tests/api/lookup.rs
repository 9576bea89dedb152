//! Look-ups by number tell a guesser nothing.

use std::time::{Duration, Instant};

use http_api::{LookupLimits, Options};
use serde_json::{Value, json};

use crate::world::{Answer, World, open_rules};

async fn pin_program(world: &World) -> String {
    let mut rules = open_rules();
    rules["pin"] = json!({"kind": "card_not_present"});
    rules["pin_issued"] = true.into();
    world.program(&world.one.key, rules).await
}

fn without_id(answer: &Answer) -> Value {
    let mut problem = answer.is(404, "card_not_found");
    problem["request_id"] = Value::Null;
    problem
}

#[tokio::test]
async fn failures_answer_alike() {
    let options = Options { lookups: LookupLimits::UNLIMITED, ..Options::default() };
    let world = World::with(options).await;
    let one = &world.one;
    let program = pin_program(&world).await;
    let sold = world.card_of(one, &program, 1_000).await;
    let unsold = world.stocked(one, &program).await;
    let foreign = world.card(&world.two, 1_000).await;
    let pin = sold.pin.clone().expect("a PIN");
    let wrong = if pin == "000000" { "111111" } else { "000000" };
    let lookup = |body: Value| world.post(&one.key, "/v1/cards/lookup", body);
    let found = lookup(json!({"number": sold.number, "pin": pin})).await.ok(200);
    assert_eq!(found["available"], 1_000);
    let cases = [
        json!({"number": "8866000000000008", "pin": pin}),
        json!({"number": "8866000000000000", "pin": pin}),
        json!({"number": unsold.number, "pin": unsold.pin}),
        json!({"number": foreign.number}),
        json!({"number": sold.number}),
        json!({"number": sold.number, "pin": wrong}),
    ];
    let mut first = None;
    for body in cases {
        let started = Instant::now();
        let answer = lookup(body.clone()).await;
        assert!(started.elapsed() >= Duration::from_millis(40), "{body}");
        let problem = without_id(&answer);
        assert_eq!(
            *first.get_or_insert((problem.clone(), answer.bytes.len())),
            (problem, answer.bytes.len())
        );
    }
}

#[tokio::test]
async fn wrong_pins_count_together_with_those_of_redemptions() {
    let world = World::new().await;
    let one = &world.one;
    let program = pin_program(&world).await;
    let card = world.card_of(one, &program, 1_000).await;
    let pin = card.pin.clone().expect("a PIN");
    let wrong = if pin == "000000" { "111111" } else { "000000" };
    for _ in 0..5 {
        let body = json!({"number": card.number, "pin": wrong});
        world.post(&one.key, "/v1/cards/lookup", body).await.is(404, "card_not_found");
    }
    let body = json!({"number": card.number, "pin": pin});
    world.post(&one.key, "/v1/cards/lookup", body).await.is(404, "card_not_found");
    let body = json!({
        "card": {"number": card.number}, "amount": 1, "currency": "CNY", "store": one.store, "pin": pin
    });
    world.keyed(&one.key, "/v1/redemptions", body).await.declined("pin_locked");
}

#[tokio::test]
async fn a_thousand_parallel_guesses_are_five() {
    let options = Options { lookups: LookupLimits::UNLIMITED, ..Options::default() };
    let world = std::sync::Arc::new(World::with(options).await);
    let program = pin_program(&world).await;
    let card = world.card_of(&world.one, &program, 1_000).await;
    let pin = card.pin.clone().expect("a PIN");
    let wrong = if pin == "000000" { "111111" } else { "000000" };
    let guesses: Vec<_> = (0..1000)
        .map(|_| {
            let world = std::sync::Arc::clone(&world);
            let body = json!({"number": card.number, "pin": wrong});
            tokio::spawn(async move {
                world.post(&world.one.key, "/v1/cards/lookup", body).await.is(404, "card_not_found");
            })
        })
        .collect();
    for guess in guesses {
        guess.await.expect("an answer");
    }
    let path = format!("/v1/cards/{}/operations?limit=200", card.id);
    let (mut next, mut evaluated) = (Some(path.clone()), 0);
    while let Some(at) = next {
        let page = world.get(&world.one.key, &at).await.ok(200);
        let items = page["items"].as_array().expect("a list");
        evaluated += items.iter().filter(|item| item["decline"]["code"] == "pin_wrong").count();
        next = page["next_cursor"].as_str().map(|cursor| format!("{path}&cursor={cursor}"));
    }
    assert_eq!(evaluated, 5);
}

#[tokio::test]
async fn failures_are_limited_and_successes_are_not() {
    let lookups = LookupLimits { per_client: 3, ..LookupLimits::default() };
    let world = World::with(Options { lookups, ..Options::default() }).await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    for _ in 0..10 {
        world.post(&one.key, "/v1/cards/lookup", json!({"number": card.number})).await.ok(200);
    }
    for number in ["8866000000000008", "8866000000000016", "8866000000000024"] {
        world.post(&one.key, "/v1/cards/lookup", json!({"number": number})).await.is(404, "card_not_found");
    }
    let answer = world.post(&one.key, "/v1/cards/lookup", json!({"number": card.number})).await;
    answer.is(429, "rate_limited");
    assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds <= 60));
    world.clock.advance_seconds(60);
    world.post(&one.key, "/v1/cards/lookup", json!({"number": card.number})).await.ok(200);
}
