//! How the server is doing, for people who look after it.

use std::sync::Arc;

use domain::Timestamp;
use http_api::{JobReport, Options};
use serde_json::json;

use crate::world::World;

fn jobs() -> Vec<JobReport> {
    let at =
        |seconds| Timestamp::parse_rfc3339("2026-11-22T01:59:00Z").expect("a moment").plus_seconds(seconds);
    let base = JobReport { is_here: true, every_seconds: 5, ..JobReport::default() };
    let run = JobReport {
        last_run: Some(at(58)),
        last_success: Some(at(58)),
        caught_up: Some(at(30)),
        done: 12,
        took_ms: 3,
        ..base.clone()
    };
    let failed = JobReport {
        name: "settle",
        last_run: Some(at(59)),
        last_error: Some((at(59), "the database was away".to_owned())),
        failures: 2,
        ..base.clone()
    };
    vec![
        JobReport { name: "roll_up", ..run },
        failed,
        JobReport { name: "expire_cards", is_here: false, ..base },
    ]
}

#[tokio::test]
async fn jobs_tell_how_they_are() {
    let world = World::with(Options { jobs: Some(Arc::new(jobs)), ..Options::default() }).await;
    let operator = world.client(&world.one, &["service_read"], None).await;
    let answer = world.get(&operator, "/v1/service/jobs").await.ok(200);
    let items = answer["items"].as_array().expect("items");
    let words: Vec<_> = items.iter().map(|item| item["status"].as_str().expect("a word")).collect();
    assert_eq!(words, ["ok", "failing", "elsewhere"]);
    assert_eq!((&items[0]["lag_seconds"], &items[0]["done"]), (&json!(30), &json!(12)));
    assert_eq!(
        (&items[1]["last_error"], &items[1]["failures"]),
        (&json!("the database was away"), &json!(2))
    );
    let till = world.client(&world.one, &["redeem"], None).await;
    for path in ["/v1/service/jobs", "/v1/service/health"] {
        world.get(&till, path).await.is(403, "scope_missing");
    }
}

#[tokio::test]
async fn health_is_that_of_the_worst_part() {
    let well = World::new().await;
    let operator = well.client(&well.one, &["service_read"], None).await;
    let answer = well.get(&operator, "/v1/service/health").await.ok(200);
    assert_eq!((&answer["status"], &answer["nodes"]), (&json!("ok"), &json!(1)), "{answer}");
    let names: Vec<_> =
        answer["checks"].as_array().expect("checks").iter().map(|c| c["name"].clone()).collect();
    assert_eq!(names, ["database", "engine", "membership", "jobs", "dashboard"]);

    let failing = World::with(Options { jobs: Some(Arc::new(jobs)), ..Options::default() }).await;
    let operator = failing.client(&failing.one, &["service_read"], None).await;
    let answer = failing.get(&operator, "/v1/service/health").await.ok(200);
    assert_eq!(answer["status"], "degraded");
    assert_eq!(answer["checks"][3]["detail"], "settle");
}
