//! Batches: asked for, made, exported once.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::http::Method;
use domain::BatchId;
use http_api::Options;
use serde_json::json;

use crate::world::{World, open_rules, text};

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

#[tokio::test]
async fn the_sealed_pins_are_erased() {
    let world = World::new().await;
    let one = &world.one;
    let mut rules = open_rules();
    rules["pin_issued"] = true.into();
    let program = world.program(&one.key, rules).await;
    let body = json!({"program": program, "count": 3});
    let id = text(&world.keyed(&one.key, "/v1/batches", body).await.ok(202)["id"]);
    run(&world, &id).await;
    let rows = || async {
        let id = BatchId::parse(&id).expect("an id");
        world.engine.store().batch_cards(id, None, 10).await.expect("read")
    };
    assert!(rows().await.iter().all(|row| row.pin.is_some()));
    let path = format!("/v1/batches/{id}/export");
    world.call(&Method::POST, &path, Some(&one.key), None, None).await;
    for _ in 0..100 {
        if rows().await.iter().all(|row| row.pin.is_none()) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
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
