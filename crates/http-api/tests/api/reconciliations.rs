//! Sending a file, reading what does not agree, and having it corrected by two clients.

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::json;

use crate::world::{Answer, Tenant, World, text};

const MAPPING: &str =
    "%7B%22columns%22:%7B%22reference%22:%22order%22,%22amount%22:%22yuan%22,%22at%22:%22at%22%7D%7D";

async fn send(world: &World, key: &str, query: &str, body: &[u8]) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("/v1/reconciliations?{query}"))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "text/csv")
        .body(Body::from(body.to_vec()));
    world.send(request.expect("a request")).await
}

fn query(one: &Tenant) -> String {
    format!("account=merchant:{}&format=csv&match_on=operation&mapping={MAPPING}", one.merchant)
}

async fn owed(world: &World, one: &Tenant) -> i64 {
    let account =
        world.get(&one.key, &format!("/v1/ledger/accounts/merchant:{}", one.merchant)).await.ok(200);
    crate::world::only_balance(&account)
}

#[tokio::test]
async fn a_difference_is_corrected_by_two_clients() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 100_000).await;
    let sale = text(&world.redeem(one, &card, 1_000).await.approved()["id"]);
    let file = format!("order,yuan,at\n{sale},12.50,2026-11-22\n");
    let sent = send(&world, &one.key, &query(one), file.as_bytes()).await.ok(201);
    assert_eq!(
        (&sent["lines"], &sent["differences"], &sent["status"]),
        (&json!(1), &json!(1), &json!("complete"))
    );
    let again = send(&world, &one.key, &query(one), file.as_bytes()).await.ok(200);
    assert_eq!(again, sent);
    let id = text(&sent["id"]);
    assert_eq!(world.get(&one.key, &format!("/v1/reconciliations/{id}")).await.ok(200), sent);
    assert_eq!(world.get(&one.key, "/v1/reconciliations").await.ok(200)["items"], json!([sent]));
    let lines = world.get(&one.key, &format!("/v1/reconciliations/{id}/lines")).await.ok(200);
    assert_eq!(lines["items"][0]["class"], "amount_differs");

    let found = world.get(&one.key, "/v1/reconciliation-differences?status=open").await.ok(200);
    let difference = &found["items"][0];
    assert_eq!(
        (&difference["here"], &difference["there"], &difference["suggested"]),
        (&json!(1_000), &json!(1_250), &json!(250))
    );
    assert_eq!(world.get(&one.key, "/v1/reconciliation-ageing").await.ok(200)["ages"][0]["count"], 1);
    let path = format!("/v1/reconciliation-differences/{}", text(&difference["id"]));
    let proposal = json!({"correction": 250, "note": "their till is right"});
    world.post(&one.key, &format!("{path}/propose"), proposal.clone()).await.ok(200);
    world.post(&one.key, &format!("{path}/propose"), proposal).await.is(409, "difference_status");
    world.post(&one.key, &format!("{path}/approve"), json!({})).await.is(409, "second_person_needed");
    assert_eq!(owed(&world, one).await, 1_000);
    let checker = world.client(one, &["reconciliation_read", "reconciliation_approve"], None).await;
    world.post(&checker, &format!("{path}/propose"), json!({"note": "x"})).await.is(403, "scope_missing");
    let approved = world.post(&checker, &format!("{path}/approve"), json!({})).await.ok(200);
    assert_eq!(approved["status"], "approved");
    assert_eq!(owed(&world, one).await, 1_250);
    let with_history = world.get(&checker, &path).await.ok(200);
    let actions: Vec<&str> = with_history["history"]
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|e| e["action"].as_str())
        .collect();
    assert_eq!(actions, ["proposed", "approved", "posted"]);

    // Of another issuer it does not exist.
    world.get(&world.two.key, &path).await.is(404, "reconciliation_unknown");
    world.get(&world.two.key, &format!("/v1/reconciliations/{id}")).await.is(404, "reconciliation_unknown");
}

#[tokio::test]
async fn files_that_are_refused() {
    let world = World::new().await;
    let one = &world.one;
    let check = async |query: &str, body: &[u8], status, code: &str, says: &str| {
        let problem = send(&world, &one.key, query, body).await.is(status, code);
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(says), "{detail}");
    };
    let good = query(one);
    check(&good, b"", 409, "file_refused", "empty").await;
    check(&good, b"order,yuan,at\nx,1,2026-02-30\n", 409, "file_refused", "line 2, column at").await;
    check(&good, b"order,yuan,at\n", 409, "terms_contradict", "no lines").await;
    check(&good.replace("format=csv", "format=wechat"), b"x", 409, "terms_contradict", "mapping").await;
    check(&good.replace("format=csv", "format=pdf"), b"x", 400, "invalid_parameter", "a format is").await;
    check(&good.replace("columns", "colums"), b"x", 409, "terms_contradict", "mapping").await;
    check(&good.replace("merchant:mer_", "merchant:mer_z"), b"x", 400, "invalid_parameter", "an account")
        .await;
    check(
        &format!("{good}&expected_sum=5"),
        b"order,yuan,at\nx,1,2026-11-22\n",
        409,
        "terms_contradict",
        "100 minor",
    )
    .await;
    let bound = world.client(one, &["reconciliation_write"], Some(&one.merchant)).await;
    send(&world, &bound, &good, b"x").await.is(403, "not_permitted");
    let none = world.get(&one.key, "/v1/reconciliations").await.ok(200);
    assert_eq!(none["items"], json!([]));
}
