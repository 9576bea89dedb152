//! The dashboard: its figures against a plain recount of the log, what each caller sees of it, and its events.

use std::{collections::BTreeMap, time::Duration};

use axum::{body::Body, http::Request};
use domain::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::world::{Card, World};

/// Moves the clock.
fn pass(world: &World, seconds: i64) {
    world.clock.advance_seconds(seconds);
}

async fn sell(world: &World, card: &Card, amount: i64) -> Value {
    let tenant = &world.one;
    let body = json!({"card": {"id": card.id}, "amount": amount, "currency": "CNY", "store": tenant.store});
    world.keyed(&tenant.key, "/v1/redemptions", body).await.ok(201)
}

/// Every operation of the log, oldest first.
async fn log(world: &World) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&world.one.key, &format!("/v1/operations?limit=200{cursor}")).await.ok(200);
        all.extend(page["items"].as_array().expect("items").iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    all.reverse();
    all
}

/// Sales, their count, reversals, their count, refunds, their count; and declines.
type Recount = ([i64; 6], BTreeMap<String, i64>);

/// The plain way: reads the log of a day, in the order of time.
fn recount(log: &[Value], from: Timestamp, until: Timestamp) -> Recount {
    let by_id: BTreeMap<&str, &Value> = log.iter().map(|o| (o["id"].as_str().expect("an id"), o)).collect();
    let (mut sums, mut declines) = ([0; 6], BTreeMap::new());
    for operation in log {
        let at = Timestamp::parse_rfc3339(operation["at"].as_str().expect("a moment")).expect("a moment");
        if !(from..until).contains(&at) {
            continue;
        }
        let kind = operation["kind"].as_str().expect("a kind");
        if let Some(code) = operation["decline"]["code"].as_str() {
            if matches!(kind, "redemption" | "capture" | "hold") {
                *declines.entry(code.to_owned()).or_default() += 1;
            }
            continue;
        }
        let amount = operation["approved"].as_i64().unwrap_or(0);
        let original = operation["original"].as_str().and_then(|id| by_id.get(id));
        let reversed = original.and_then(|original| original["kind"].as_str()).filter(|_| kind == "reversal");
        let place = match (kind, reversed) {
            ("redemption" | "capture", _) => 0,
            (_, Some("redemption" | "capture")) => 2,
            ("refund" | "unlinked_refund", _) => 4,
            _ => continue,
        };
        sums[place] += amount;
        sums[place + 1] += 1;
    }
    (sums, declines)
}

fn told(day: &Value) -> Recount {
    let total = day["totals"].as_array().expect("totals").first().cloned().unwrap_or_default();
    let sums = ["sales", "count", "reversed", "reversed_count", "refunds", "refund_count"]
        .map(|name| total[name].as_i64().unwrap_or(0));
    let declines = day["declined"].as_array().expect("declines").iter();
    let declines = declines
        .map(|line| {
            (line["code"].as_str().expect("a code").to_owned(), line["count"].as_i64().expect("a count"))
        })
        .collect();
    (sums, declines)
}

fn midnight(date: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{date}T00:00:00+08:00")).expect("a moment")
}

/// Two days of sales, refunds, reversals and declines.
async fn two_days(world: &World) -> Card {
    let card = world.card(&world.one, 100_000).await;
    for day in 0..2 {
        for hour in 0..3 {
            let sale = sell(world, &card, 100 + 10 * day + hour).await;
            let path = format!("/v1/redemptions/{}/refunds", sale["id"].as_str().expect("an id"));
            world.keyed(&world.one.key, &path, json!({"amount": 7})).await.approved();
            let declined = sell(world, &card, 10_000_000).await;
            assert_eq!(declined["status"], "declined", "{declined}");
            pass(world, 3600);
        }
        if day == 0 {
            pass(world, 21 * 3600);
        }
    }
    card
}

#[tokio::test]
async fn figures_are_those_of_a_plain_recount() {
    let world = World::new().await;
    two_days(&world).await;
    let seen = world.get(&world.one.key, "/v1/dashboard").await.ok(200);
    assert_eq!((&seen["complete"], &seen["time_zone"]), (&json!(true), &json!("Asia/Shanghai")));
    let log = log(&world).await;
    for (name, date, next) in
        [("yesterday", "2026-11-22", "2026-11-23"), ("today", "2026-11-23", "2026-11-24")]
    {
        assert_eq!(seen[name]["date"], date);
        let expected = recount(&log, midnight(date), midnight(next));
        assert!(expected.0[1] == 3 && expected.0[5] == 3 && !expected.1.is_empty(), "{expected:?}");
        assert_eq!(told(&seen[name]), expected, "{name}");
        let hours = seen[name]["by_hour"].as_array().expect("hours");
        let summed: i64 = hours
            .iter()
            .flat_map(|hour| hour["totals"].as_array().expect("totals"))
            .map(|total| total["sales"].as_i64().expect("a sum"))
            .sum();
        assert_eq!(summed, expected.0[0], "the hours of {name} add up to it");
    }
    assert_eq!(seen["yesterday"]["by_hour"].as_array().map(Vec::len), Some(24));
    let until = seen["yesterday_by_now"]["until"].as_str().expect("a moment");
    let until = Timestamp::parse_rfc3339(until).expect("a moment");
    let (sums, _) = recount(&log, midnight("2026-11-22"), until);
    assert_eq!(seen["yesterday_by_now"]["totals"][0]["sales"], sums[0]);
}

#[tokio::test]
async fn what_is_added_is_seen_at_once_and_after_a_restart() {
    let mut world = World::new().await;
    let card = two_days(&world).await;
    let before = world.get(&world.one.key, "/v1/dashboard").await.ok(200);
    sell(&world, &card, 55).await;
    let after = world.get(&world.one.key, "/v1/dashboard").await.ok(200);
    let sales = |seen: &Value| seen["today"]["totals"][0]["sales"].as_i64().expect("a sum");
    assert_eq!(sales(&after), sales(&before) + 55);
    // Another process on the same database has counted nothing yet.
    world.reopen(http_api::Options::default());
    let again = world.get(&world.one.key, "/v1/dashboard").await.ok(200);
    for name in ["today", "yesterday", "yesterday_by_now"] {
        assert_eq!(again[name], after[name], "{name}");
    }
}

#[tokio::test]
async fn a_reversed_sale_is_shown_as_reversed() {
    let world = World::new().await;
    let card = world.card(&world.one, 10_000).await;
    let body = json!({
        "card": {"id": card.id}, "amount": 300, "currency": "CNY", "store": world.one.store
    });
    let key = "to-be-reversed";
    world.under(&world.one.key, key, "/v1/redemptions", body).await.approved();
    let body = json!({"original_key": key});
    world.keyed(&world.one.key, "/v1/reversals", body).await.approved();
    let seen = world.get(&world.one.key, "/v1/dashboard").await.ok(200);
    let (sums, _) = told(&seen["today"]);
    assert_eq!(sums, [300, 1, 300, 1, 0, 0]);
}

#[tokio::test]
async fn each_caller_sees_what_its_scopes_allow() {
    let world = World::new().await;
    two_days(&world).await;
    let all = world.get(&world.one.key, "/v1/dashboard").await.ok(200);
    for name in ["liability", "settlement", "today"] {
        assert!(!all[name].is_null(), "{name}: {all}");
    }
    assert!(all["latency"]["count"].as_u64().expect("a count") > 0);
    let owed = all["liability"][0]["amount"].as_i64().expect("a sum");
    let books = world.get(&world.one.key, "/v1/ledger/trial-balance").await.ok(200);
    let lines = books["lines"].as_array().expect("lines");
    let cards: i64 = lines
        .iter()
        .filter(|line| line["account"].as_str().is_some_and(|name| name.starts_with("cards")))
        .map(|line| line["credits"].as_i64().unwrap_or(0) - line["debits"].as_i64().unwrap_or(0))
        .sum();
    assert_eq!(owed, cards, "{books}");
    let reader = world.client(&world.one, &["cards_read"], None).await;
    let few = world.get(&reader, "/v1/dashboard").await.ok(200);
    for name in ["liability", "settlement", "approvals_pending", "latency"] {
        assert!(few[name].is_null(), "{name}: {few}");
    }
    let bound = world.client(&world.one, &["cards_read", "ledger_read"], Some(&world.one.merchant)).await;
    let own = world.get(&bound, "/v1/dashboard").await.ok(200);
    assert_eq!(told(&own["today"]), told(&all["today"]), "all of it is this merchant's");
    assert!(own["liability"].is_null());
    let other = world.get(&world.two.key, "/v1/dashboard").await.ok(200);
    assert_eq!(told(&other["today"]).0, [0; 6], "nothing of another issuer's");
    let till = world.client(&world.one, &["redeem"], None).await;
    world.get(&till, "/v1/dashboard").await.is(403, "scope_missing");
    world.get(&world.platform, "/v1/dashboard").await.is(403, "scope_missing");
}

/// The next event of a stream, or its end.
async fn event(body: &mut Body) -> Option<String> {
    let frame = tokio::time::timeout(Duration::from_secs(10), http_body_util::BodyExt::frame(body)).await;
    let frame = frame.expect("in time")?.expect("a frame");
    Some(String::from_utf8_lossy(frame.data_ref().expect("data")).into_owned())
}

async fn listen(world: &World, key: &str) -> axum::response::Response {
    let request =
        Request::builder().uri("/v1/dashboard/events").header("authorization", format!("Bearer {key}"));
    let request = request.body(Body::empty()).expect("a request");
    world.router.clone().oneshot(request).await.expect("an answer")
}

#[tokio::test]
async fn a_page_is_told_that_there_is_something_new() {
    let world = World::new().await;
    let card = world.card(&world.one, 10_000).await;
    let response = listen(&world, &world.one.key).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let mut body = response.into_body();
    assert!(event(&mut body).await.expect("an event").contains("event: tick"), "at once");
    sell(&world, &card, 100).await;
    let told = event(&mut body).await.expect("an event");
    assert!(told.contains("event: tick") && !told.contains("100"), "{told}");
}

#[tokio::test]
async fn streams_are_bounded() {
    let world = World::new().await;
    let mut open = Vec::new();
    for _ in 0..8 {
        let response = listen(&world, &world.one.key).await;
        assert_eq!(response.status().as_u16(), 200);
        open.push(response);
    }
    assert_eq!(listen(&world, &world.one.key).await.status().as_u16(), 429);
    assert_eq!(listen(&world, &world.two.key).await.status().as_u16(), 200, "others may");
    open.pop();
    assert_eq!(listen(&world, &world.one.key).await.status().as_u16(), 200, "a place was given back");
}
