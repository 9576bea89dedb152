//! The same key: the same answer to the byte, or a conflict.

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn a_replay_is_the_same_to_the_byte() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    for (key, amount) in [("approved", 400), ("declined", 4_000)] {
        let body = json!({
            "card": {"number": card.number}, "amount": amount, "currency": "CNY", "store": one.store,
            "metadata": {"b": "2", "a": "1"}, "reference": "r"
        });
        let first = world.under(&one.key, key, "/v1/redemptions", body).await;
        assert_eq!(first.header("idempotent-replayed"), "");
        // Another order of fields, and nothing said in other words.
        let again = format!(
            "{{\"reference\":\"r\", \"metadata\":{{\"a\":\"1\",\"b\":\"2\"}}, \"store\":\"{}\",\n\"currency\":\
             \"CNY\",\"pin\":null,\"partial\":false,\"amount\":{amount},\"card\":{{\"number\":\"{}\"}}}}",
            one.store, card.number
        );
        let again = again.into_bytes();
        world.redeem(one, &card, 100).await.approved();
        let second =
            world.call(&Method::POST, "/v1/redemptions", Some(&one.key), Some(key), Some(again)).await;
        assert_eq!(second.status, first.status);
        assert_eq!(second.bytes, first.bytes);
        assert_eq!(second.header("idempotent-replayed"), "true");
    }
}

#[tokio::test]
async fn another_request_under_the_key_is_a_conflict() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    let body = |amount: i64| -> Value {
        json!({"card": {"id": card.id}, "amount": amount, "currency": "CNY", "store": one.store})
    };
    world.under(&one.key, "k", "/v1/redemptions", body(1)).await.approved();
    world.under(&one.key, "k", "/v1/redemptions", body(2)).await.is(409, "idempotency_key_reused");
    world.under(&one.key, "k", "/v1/holds", body(1)).await.is(409, "idempotency_key_reused");
    let other = json!({"reason": "r"});
    let path = format!("/v1/cards/{}/freeze", card.id);
    world.under(&one.key, "k", &path, other).await.is(409, "idempotency_key_reused");
    // Keys of different clients never meet.
    let till = world.client(one, &["redeem"], None).await;
    world.under(&till, "k", "/v1/redemptions", body(2)).await.approved();
}

#[tokio::test]
async fn routes_that_need_a_key_say_so() {
    let world = World::new().await;
    let card = world.card(&world.one, 1_000).await;
    for (method, path, operation) in crate::openapi::operations() {
        let needed = operation["parameters"]
            .as_array()
            .is_some_and(|list| list.iter().any(|parameter| parameter["name"] == "Idempotency-Key"));
        if !needed {
            continue;
        }
        let at = crate::openapi::concrete(&path, &operation).replace("card_00000003nqk8n", &card.id);
        let key = Some(world.one.key.as_str());
        let body = || Some(b"{}".to_vec());
        world.call(&method, &at, key, None, body()).await.is(400, "idempotency_key_missing");
        world.call(&method, &at, key, Some("a b"), body()).await.is(400, "idempotency_key_invalid");
        let long = "x".repeat(129);
        world.call(&method, &at, key, Some(&long), body()).await.is(400, "idempotency_key_invalid");
    }
}
