//! Bad bodies: each mistake has its own code, names the field, and stores nothing.

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn every_mistake_has_its_code() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    let good = json!({"card": {"id": card.id}, "amount": 1, "currency": "CNY", "store": one.store});
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let mut without = good.clone();
    without.as_object_mut().expect("fields").remove("amount");
    let cases = [
        (without, "missing_field", "/amount"),
        (with("amounts", json!(1)), "unknown_field", "/amounts"),
        (with("amount", json!(0)), "invalid_amount", "/amount"),
        (with("amount", json!(-1)), "invalid_amount", "/amount"),
        (with("amount", json!(1.5)), "invalid_amount", "/amount"),
        (with("amount", json!("1")), "invalid_amount", "/amount"),
        (with("amount", json!(9_007_199_254_740_992_i64)), "invalid_amount", "/amount"),
        (with("amount", json!(u64::MAX)), "invalid_amount", "/amount"),
        (with("amount", json!(null)), "invalid_amount", "/amount"),
        (with("currency", json!("cny")), "invalid_field", "/currency"),
        (with("currency", json!("QQQ")), "invalid_field", "/currency"),
        (with("card", json!([card.id])), "invalid_field", "/card"),
        (with("card", json!({})), "invalid_field", "/card"),
        (with("card", json!({"id": card.id, "number": card.number})), "invalid_field", "/card"),
        (with("card", json!({"id": null})), "invalid_field", "/card/id"),
        (with("card", json!({"id": "card_1"})), "invalid_field", "/card/id"),
        (with("card", json!({"number": "88660000"})), "invalid_field", "/card/number"),
        (with("card", json!({"number": 8_866_000_000_000_000_i64})), "invalid_field", "/card/number"),
        (with("store", json!(one.merchant)), "invalid_field", "/store"),
        (with("channel", json!("WEB")), "invalid_field", "/channel"),
        (with("trace", json!(1_000_000)), "invalid_field", "/trace"),
        (with("pin", json!("12a4")), "invalid_field", "/pin"),
        (with("pin", json!(1234)), "invalid_field", "/pin"),
        (with("reference", json!("")), "invalid_field", "/reference"),
        (with("reference", json!("x".repeat(129))), "invalid_field", "/reference"),
        (with("reference", json!("a\u{0}b")), "invalid_field", "/reference"),
        (with("metadata", json!({"a": 1})), "invalid_field", "/metadata/a"),
        (with("metadata", json!({"a b": "1"})), "invalid_field", "/metadata"),
        (with("metadata", json!({"a": "x".repeat(81)})), "invalid_field", "/metadata"),
    ];
    for (body, code, pointer) in cases {
        let problem = world.under(&one.key, "k", "/v1/redemptions", body.clone()).await.is(400, code);
        assert_eq!(problem["pointer"], pointer, "{body} {problem}");
    }
    // The key is still free.
    world.under(&one.key, "k", "/v1/redemptions", good).await.approved();
}

#[tokio::test]
async fn unknown_cards_are_unknown_even_if_the_number_is_impossible() {
    let world = World::new().await;
    let one = &world.one;
    for number in ["8866000000000000", "8866000000000008"] {
        let body = json!({"card": {"number": number}, "amount": 1, "currency": "CNY", "store": one.store});
        let problem = world.keyed(&one.key, "/v1/redemptions", body).await.is(404, "card_unknown");
        assert_eq!(problem["pointer"], "/card");
    }
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    let world = World::new().await;
    let send = |kind: Option<&'static str>, body: Vec<u8>| {
        let mut request =
            Request::post("/v1/merchants").header("authorization", format!("Bearer {}", world.one.key));
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        world.send(request.body(Body::from(body)).expect("a request"))
    };
    let json_type = Some("application/json");
    send(json_type, b"{".to_vec()).await.is(400, "malformed_json");
    send(json_type, Vec::new()).await.is(400, "malformed_json");
    send(json_type, b"{\"name\":\"\xff\"}".to_vec()).await.is(400, "malformed_json");
    send(json_type, "[".repeat(100_000).into_bytes()).await.is(400, "malformed_json");
    send(json_type, b"{\"name\":\"a\"} {}".to_vec()).await.is(400, "malformed_json");
    send(json_type, b"{\"name\":\"a\",\"name\":\"b\"}".to_vec()).await.is(400, "invalid_field");
    send(json_type, b"[\"a\"]".to_vec()).await.is(400, "invalid_field");
    send(json_type, b"null".to_vec()).await.is(400, "invalid_field");
    send(None, b"{}".to_vec()).await.is(415, "media_type_unsupported");
    send(Some("text/plain"), b"{}".to_vec()).await.is(415, "media_type_unsupported");
    send(Some("application/json; charset=utf-8"), b"{\"name\":\"a\"}".to_vec()).await.ok(201);
}

#[tokio::test]
async fn bodies_are_bounded() {
    let world = World::new().await;
    let padded = |size: usize| format!("{{\"items\":[{}]}}", " ".repeat(size)).into_bytes();
    let key = Some(world.one.key.as_str());
    let path = "/v1/merchants";
    let answer = world.call(&Method::POST, path, key, None, Some(padded(256 * 1024))).await;
    answer.is(413, "body_too_large");
    let path = "/v1/redemptions/batch";
    let answer = world.call(&Method::POST, path, key, None, Some(padded(256 * 1024))).await;
    answer.is(400, "too_many_items");
    let answer = world.call(&Method::POST, path, key, None, Some(padded(1024 * 1024))).await;
    answer.is(413, "body_too_large");
}

#[tokio::test]
async fn queries_are_checked() {
    let world = World::new().await;
    for (path, name) in [
        ("/v1/operations?limit=0", "limit"),
        ("/v1/operations?limit=201", "limit"),
        ("/v1/operations?limit=+5", "limit"),
        ("/v1/operations?cursor=x", "cursor"),
        ("/v1/operations?card=x", "card"),
        ("/v1/operations?kind=x", "kind"),
        ("/v1/operations?status=x", "status"),
        ("/v1/operations?from=yesterday", "from"),
        ("/v1/operations?colour=red", "colour"),
        ("/v1/merchants?limit=1&limit=2", "twice"),
        ("/v1/ledger/trial-balance?at=1", "at"),
        ("/v1/ledger/transfers?account=x", "account"),
    ] {
        let problem = world.get(&world.one.key, path).await.is(400, "invalid_parameter");
        assert!(problem["detail"].as_str().expect("a text").contains(name), "{path}: {problem}");
    }
    world.get(&world.one.key, "/v1/ledger/accounts/x").await.is(400, "invalid_parameter");
    world.get(&world.one.key, "/v1/cards/card_%ff").await.is(400, "invalid_parameter");
}
