//! Limits: rates of clients, a full queue, answers and bodies that take too long.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, http::Request};
use http_api::Options;
use serde_json::json;

use crate::world::{World, text};

#[tokio::test]
async fn a_client_has_its_own_rate() {
    let world = World::new().await;
    let one = &world.one;
    let body = json!({"name": "slow", "scopes": ["catalog_read"], "rate_per_second": 2});
    let slow = text(&world.post(&one.key, "/v1/clients", body).await.ok(201)["secret"]);
    let mut limited = 0;
    for _ in 0..10 {
        let answer = world.get(&slow, "/v1/merchants").await;
        if answer.status.as_u16() == 429 {
            answer.is(429, "rate_limited");
            assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1));
            limited += 1;
        }
    }
    assert!(limited >= 5, "{limited} of 10 at 2 a second");
    world.get(&one.key, "/v1/merchants").await.ok(200);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_found_under_its_key() {
    let mut world = World::new().await;
    let card = world.card(&world.one, 1_000).await;
    let body = json!({"card": {"id": card.id}, "amount": 400, "currency": "CNY", "store": world.one.store});
    world.reopen(Options { answer_timeout: Duration::from_millis(50), ..Options::default() });
    let key = world.one.key.clone();
    let in_the_way = world.engine.store().begin().await.expect("a transaction");
    world.under(&key, "k", "/v1/redemptions", body.clone()).await.is(504, "outcome_unknown");
    drop(in_the_way);
    world.reopen(Options::default());
    let answer = world.under(&key, "k", "/v1/redemptions", body).await;
    assert_eq!(answer.approved()["card"]["available"], 600);
    assert_eq!(answer.header("idempotent-replayed"), "true");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_queue_turns_away_and_loses_nothing() {
    let world = Arc::new(World::build(Options::default(), 1).await);
    let card = world.card(&world.one, 1_000).await;
    let send = |number: i32| {
        let (world, id) = (Arc::clone(&world), card.id.clone());
        tokio::spawn(async move {
            let one = &world.one;
            let body = json!({"card": {"id": id}, "amount": 1, "currency": "CNY", "store": one.store});
            let answer = world.under(&one.key, &format!("sale-{number}"), "/v1/redemptions", body).await;
            if answer.status.as_u16() == 201 {
                answer.approved();
                return true;
            }
            answer.is(503, "queue_full");
            assert_eq!(answer.header("retry-after"), "1");
            false
        })
    };
    let mut waiting: Vec<i32> = (0..300).collect();
    let mut turned_away = 0;
    while !waiting.is_empty() {
        let batch: Vec<_> = waiting.drain(..).map(|number| (number, send(number))).collect();
        for (number, answer) in batch {
            if !answer.await.expect("an answer") {
                turned_away += 1;
                waiting.push(number);
            }
        }
    }
    assert!(turned_away > 0, "the queue was never full");
    let read = world.get(&world.one.key, &format!("/v1/cards/{}", card.id)).await.ok(200);
    assert_eq!(read["card"]["available"], 700);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let options = Options { body_timeout: Duration::from_millis(20), ..Options::default() };
    let world = World::with(options).await;
    let request = Request::post("/v1/merchants")
        .header("authorization", format!("Bearer {}", world.one.key))
        .header("content-type", "application/json")
        .body(Body::from_stream(Never))
        .expect("a request");
    world.send(request).await.is(408, "body_timeout");
}

/// A body of which nothing ever comes.
struct Never;

impl futures_core::Stream for Never {
    type Item = std::io::Result<axum::body::Bytes>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Pending
    }
}
