//! Batches: asked for, made, exported once.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    http::{Method, Request, StatusCode},
};
use domain::BatchId;
use http_api::Options;
use serde_json::json;
use tokio::time::sleep;

use crate::world::{Answer, World, open_rules, text};

async fn run(world: &World, id: &str) {
    let id = BatchId::parse(id).expect("an id");
    let batch = world.engine.store().batch(id).await.expect("read").expect("there");
    world.engine.run_batch(batch).await.expect("made");
}

#[tokio::test]
async fn a_batch_is_made_and_exported_once() {
    let woken = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&woken);
    let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let world = World::with(Options { wake_issuing: Some(wake), ..Options::default() }).await;
    let one = &world.one;
    let mut rules = open_rules();
    rules["pin_issued"] = true.into();
    let program = world.program(&one.key, rules).await;
    let body = json!({"program": program, "count": 1_500, "face_value": 1_000, "activate": true});
    let asked = world.under(&one.key, "b", "/v1/batches", body.clone()).await;
    let id = text(&asked.ok(202)["id"]);
    let path = format!("/v1/batches/{id}");
    assert_eq!(asked.header("location"), path);
    assert_eq!(woken.load(Ordering::Relaxed), 1);
    assert_eq!(world.get(&one.key, &path).await.ok(200)["status"], "running");
    let export = format!("{path}/export");
    let take = |key: String| {
        let (world, export) = (&world, export.clone());
        async move { world.call(&Method::POST, &export, Some(&key), None, None).await }
    };
    take(one.key.clone()).await.is(409, "batch_not_complete");
    run(&world, &id).await;
    let again = world.under(&one.key, "b", "/v1/batches", body).await;
    assert_eq!((again.status, &again.bytes), (asked.status, &asked.bytes));
    assert_eq!(again.header("idempotent-replayed"), "true");
    let other = json!({"program": program, "count": 1});
    world.under(&one.key, "b", "/v1/batches", other).await.is(409, "idempotency_key_reused");
    let batch = world.get(&one.key, &path).await.ok(200);
    assert_eq!(
        (&batch["status"], &batch["issued"], &batch["activated"]),
        (&json!("complete"), &json!(1_500), &json!(1_500))
    );
    take(world.two.key.clone()).await.is(404, "batch_unknown");
    let csv = take(one.key.clone()).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.header("cache-control"), "no-store");
    let text = String::from_utf8(csv.bytes.clone()).expect("UTF-8");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!((rows.len(), &rows[0]), (1_501, &vec!["card", "number", "pin", "face_value"]));
    let lookup = json!({"number": rows[1_500][1], "pin": rows[1_500][2]});
    let card = world.post(&one.key, "/v1/cards/lookup", lookup).await.ok(200);
    assert_eq!((&card["id"], &card["available"]), (&json!(rows[1_500][0]), &json!(1_000)));
    take(one.key.clone()).await.is(409, "already_exported");
    assert!(world.get(&one.key, &path).await.ok(200)["exported_at"].is_string());
    assert_eq!(world.get(&one.key, "/v1/batches").await.ok(200)["items"][0]["id"], id.as_str());
}

/// A batch of cards with PINs that is made.
async fn made(world: &World, count: u32) -> BatchId {
    let mut rules = open_rules();
    rules["pin_issued"] = true.into();
    let program = world.program(&world.one.key, rules).await;
    let body = json!({"program": program, "count": count});
    let id = text(&world.keyed(&world.one.key, "/v1/batches", body).await.ok(202)["id"]);
    run(world, &id).await;
    BatchId::parse(&id).expect("an id")
}

async fn export(world: &World, id: BatchId) -> Answer {
    world.call(&Method::POST, &format!("/v1/batches/{id}/export"), Some(&world.one.key), None, None).await
}

/// How many of its PINs are still there.
async fn pins(world: &World, id: BatchId) -> usize {
    let rows = world.engine.store().batch_cards(id, None, 100_000).await.expect("read");
    rows.iter().filter(|row| row.pin.is_some()).count()
}

/// An export of which only the beginning is read.
async fn begun(world: &World, id: BatchId) -> Body {
    let request = Request::post(format!("/v1/batches/{id}/export"));
    let request = request.header("authorization", format!("Bearer {}", world.one.key));
    let answer = world.begin(request.body(Body::empty()).expect("a request")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let mut body = answer.into_body();
    let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
    let first = frame.expect("a chunk").expect("no error").into_data().expect("data");
    assert!(first.starts_with(b"card,number,pin,"));
    body
}

#[tokio::test]
async fn an_export_that_broke_off_is_repeated() {
    let world = World::new().await;
    // More than lies between the database and the connection.
    let id = made(&world, 4_500).await;
    let reading = begun(&world, id).await;
    export(&world, id).await.is(409, "export_under_way");
    drop(reading);
    let whole = loop {
        let answer = export(&world, id).await;
        if answer.status == StatusCode::OK {
            break answer;
        }
        answer.is(409, "export_under_way");
        assert_eq!(pins(&world, id).await, 4_500, "PINs stay until all have left");
        sleep(Duration::from_millis(5)).await;
    };
    let rows = String::from_utf8(whole.bytes).expect("UTF-8");
    let with_pin = rows.lines().skip(1).filter(|row| row.split(',').nth(2).is_some_and(|pin| pin.len() >= 4));
    assert_eq!(with_pin.count(), 4_500);
    export(&world, id).await.is(409, "already_exported");
}

#[tokio::test]
async fn the_claim_of_a_dead_server_lapses() {
    let world = World::new().await;
    let id = made(&world, 1).await;
    let now = world.engine.now();
    let store = world.engine.store();
    assert!(store.claim_export(id, now.plus_seconds(-590), now).await.expect("an answer"));
    export(&world, id).await.is(409, "export_under_way");
    assert!(store.claim_export(id, now.plus_seconds(-601), now).await.expect("an answer"));
    assert_eq!(export(&world, id).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_sealed_pins_are_erased() {
    let world = World::new().await;
    let id = made(&world, 3).await;
    assert_eq!(pins(&world, id).await, 3);
    assert_eq!(export(&world, id).await.status, StatusCode::OK);
    for _ in 0..100 {
        if pins(&world, id).await == 0 {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("the PINs are still there");
}

#[tokio::test]
async fn two_exports_at_once_give_one() {
    let world = Arc::new(World::new().await);
    let body = json!({"program": world.one.program, "count": 10});
    let id = text(&world.keyed(&world.one.key, "/v1/batches", body).await.ok(202)["id"]);
    run(&world, &id).await;
    let path = format!("/v1/batches/{id}/export");
    let exports: Vec<_> = (0..10)
        .map(|_| {
            let (world, path) = (Arc::clone(&world), path.clone());
            tokio::spawn(async move {
                world.call(&Method::POST, &path, Some(&world.one.key), None, None).await.status.as_u16()
            })
        })
        .collect();
    let mut given = 0;
    for export in exports {
        given += u32::from(export.await.expect("an answer") == 200);
    }
    assert_eq!(given, 1);
}

#[tokio::test]
async fn batches_are_checked_up_front() {
    let world = World::new().await;
    let one = &world.one;
    let ask = |body| world.keyed(&one.key, "/v1/batches", body);
    ask(json!({"program": one.program, "count": 0})).await.is(400, "invalid_field");
    ask(json!({"program": one.program, "count": 1_000_001})).await.is(400, "invalid_field");
    ask(json!({"program": world.two.program, "count": 1})).await.is(404, "program_unknown");
    ask(json!({"program": one.program, "count": 1, "activate": true})).await.is(409, "face_value_required");
    let too_much = json!({"program": one.program, "count": 1, "face_value": 2_000_000});
    ask(too_much).await.is(409, "denomination_not_allowed");
    world.get(&one.key, "/v1/batches/batch_00000003nqk8n").await.is(404, "batch_unknown");
}
