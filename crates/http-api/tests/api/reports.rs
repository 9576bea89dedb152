//! Reports of accounting: the worked example of `docs/accounting.md`, to the cent; formats, scopes, bounds.

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::{Tenant, World, text};

async fn put(world: &World, key: &str, path: &str, body: Value) -> crate::world::Answer {
    world.call(&Method::PUT, path, Some(key), None, Some(body.to_string().into_bytes())).await
}

/// Sold 1,000.00 and 500.00, loaded 200.00, redeemed 300.00 and refunded 100.00 of it; the next day redeemed
/// 50.00, and sold 80.00 but undid that.
async fn two_days(world: &World, one: &Tenant) -> String {
    let first = world.card(one, 100_000).await;
    let second = world.card(one, 50_000).await;
    let load = json!({"card": {"number": second.number}, "amount": 20_000, "currency": "CNY"});
    world.keyed(&one.key, "/v1/loads", load).await.approved();
    let sale = text(&world.redeem(one, &first, 30_000).await.approved()["id"]);
    let refund = json!({"amount": 10_000});
    world.keyed(&one.key, &format!("/v1/redemptions/{sale}/refunds"), refund).await.approved();
    world.clock.advance_seconds(86_400);
    world.redeem(one, &second, 5_000).await.approved();
    let undone = world.stocked(one, &one.program).await;
    let body = json!({"card": {"id": undone.id}, "amount": 8_000, "currency": "CNY"});
    world.under(&one.key, "sold-in-error", "/v1/activations", body).await.approved();
    let body = json!({"original_key": "sold-in-error"});
    text(&world.keyed(&one.key, "/v1/reversals", body).await.approved()["id"])
}

fn cards(report: &Value) -> &Value {
    let lines = report["items"].as_array().expect("lines");
    lines.iter().find(|line| line["liability"] == "cards").expect("a line of cards")
}

#[expect(clippy::too_many_lines, reason = "one story, told in order")]
#[tokio::test]
async fn the_worked_example() {
    let world = World::new().await;
    let one = &world.one;
    let reversal = two_days(&world, one).await;
    let get = async |path: &str| world.get(&one.key, path).await.ok(200);

    let day = get("/v1/reports/liability?from=2026-11-22&to=2026-11-22").await;
    let line = cards(&day);
    for (column, expect) in [
        ("opening", 0),
        ("issued", 150_000),
        ("loaded", 20_000),
        ("redeemed", -30_000),
        ("refunded", 10_000),
        ("closing", 150_000),
        ("difference", 0),
        ("cards_issued", 2),
    ] {
        assert_eq!(line[column], expect, "{column} of the first day");
    }
    let next = get("/v1/reports/liability?from=2026-11-23&to=2026-11-23").await;
    let line = cards(&next);
    for (column, expect) in [
        ("opening", 150_000),
        ("issued", 0),
        ("redeemed", -5_000),
        ("closing", 145_000),
        ("difference", 0),
        ("cards_issued", 0),
    ] {
        assert_eq!(line[column], expect, "{column} of the second day");
    }

    let aged = get("/v1/reports/ageing").await;
    let all: i64 =
        aged["items"].as_array().expect("ages").iter().map(|a| a["remaining"].as_i64().expect("a sum")).sum();
    assert_eq!(all, 145_000);
    assert!(aged["items"].as_array().expect("ages").iter().all(|age| age["age"] == "under_3_months"));

    let balance = json!({"day": "2026-11-23", "currency": "CNY", "amount": 30_000, "note": "对账单"});
    let entered = put(&world, &one.key, "/v1/reports/custody/balance", balance.clone()).await.ok(200);
    assert_eq!((&entered["version"], &entered["amount"]), (&json!(1), &json!(30_000)));
    let again = put(&world, &one.key, "/v1/reports/custody/balance", balance).await.ok(200);
    assert_eq!(again, entered, "nothing is written twice");
    let quarter = get("/v1/reports/quarterly?quarter=2026-Q4").await;
    let line = &quarter["lines"][0];
    for (column, expect) in [
        ("cards_issued", 2),
        ("opening", 0),
        ("issued", 170_000),
        ("prepaid", 170_000),
        ("redeemed", 25_000),
        ("refunded", 0),
        ("other", 0),
        ("balance", 145_000),
        // 300.00 of 1,450.00 is 20.68 %.
        ("custody_bp", 2_068),
    ] {
        assert_eq!(line[column], expect, "{column} of the quarter");
    }
    assert_eq!((&quarter["ended"], &quarter["due_estimated"]), (&json!(false), &json!(true)));

    let custody = get("/v1/reports/custody").await;
    assert_eq!((&custody["base_day"], &custody["custody"]["base"]), (&json!("2026-09-30"), &json!(0)));
    assert_eq!(
        (&custody["custody"]["limit_bp"], &custody["custody"]["standing"]),
        (&json!(2_000), &json!("met"))
    );
    assert_eq!(
        (&custody["prepaid_balance"], &custody["prepaid"]["standing"]),
        (&json!(145_000), &json!("unknown"))
    );
    let revenue = json!({"year": 2025, "currency": "CNY", "amount": 362_500});
    put(&world, &one.key, "/v1/reports/custody/revenue", revenue).await.ok(200);
    let custody = get("/v1/reports/custody").await;
    // 1,450.00 of 3,625.00 is 40 % to the cent: not more than the limit, but near it.
    assert_eq!(
        (&custody["prepaid"]["ratio_bp"], &custody["prepaid"]["standing"]),
        (&json!(4_000), &json!("near"))
    );

    let off = get("/v1/reports/breakage").await;
    assert_eq!(off["items"][0]["estimate"], Value::Null, "off until finance turns it on");
    let on = json!({"expected_redemption_bp": {one.program.clone(): 9_000}});
    put(&world, &one.key, "/v1/reports/settings", on).await.ok(200);
    let estimate = get("/v1/reports/breakage").await["items"][0].clone();
    assert_eq!((&estimate["granted"], &estimate["redeemed"]), (&json!(170_000), &json!(25_000)));
    // 10 % of 1,700.00 stay; 250.00 of the 1,530.00 that will be redeemed were: 170 × 250 ÷ 1,530 = 27.78.
    assert_eq!(
        estimate["estimate"],
        json!({"expected_redemption_bp": 9_000, "expected": 17_000, "earned": 2_778, "difference": 2_778})
    );

    let journal = get("/v1/reports/journal?from=2026-11-22&to=2026-11-23").await;
    let entries = journal["items"].as_array().expect("entries");
    let sums: i64 = entries.iter().map(|entry| entry["amount"].as_i64().expect("a sum")).sum();
    assert_eq!(sums, 150_000 + 20_000 + 30_000 + 10_000 + 5_000 + 8_000 + 8_000);
    let sold = entries.iter().find(|entry| entry["kind"] == "activation").expect("a sale");
    assert_eq!((&sold["debit"]["code"], &sold["credit"]["code"]), (&json!("1122"), &json!("2205")));
    assert_eq!((&sold["operations"], &sold["amount"]), (&json!(2), &json!(150_000)));
    let undone = entries.iter().find(|entry| entry["kind"] == "reversal").expect("a reversal");
    assert_eq!((&undone["reversed"], &undone["amount"]), (&json!("activation"), &json!(8_000)));

    let invoices = get("/v1/reports/invoices?from=2026-11-22&to=2026-11-23&kind=sale").await;
    let amounts: Vec<_> =
        invoices["items"].as_array().expect("rows").iter().map(|row| row["amount"].clone()).collect();
    assert_eq!(amounts, [json!(8_000), json!(50_000), json!(100_000)]);
    assert_eq!(
        (&invoices["items"][0]["item_code"], &invoices["items"][0]["item_name"]),
        (&json!("601"), &json!("预付卡销售和充值"))
    );
    let red = get("/v1/reports/invoices?from=2026-11-22&to=2026-11-23&kind=reversal").await;
    assert_eq!(
        (&red["items"][0]["operation"], &red["items"][0]["amount"]),
        (&json!(reversal), &json!(-8_000))
    );
}

#[tokio::test]
async fn tables_for_other_ledgers() {
    let world = World::new().await;
    let one = &world.one;
    two_days(&world, one).await;
    let chart = json!({"chart": {
        format!("merchant:{}", one.merchant): {"code": "6001", "name": "主营业务收入"},
        "channel": {"code": "1002", "name": "=1+1"}
    }});
    put(&world, &one.key, "/v1/reports/settings", chart).await.ok(200);
    let csv = async |path: &str| {
        let answer = world.get(&one.key, path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "text/csv; charset=utf-8"),
            "{path}"
        );
        String::from_utf8(answer.bytes).expect("UTF-8")
    };
    let journal = csv("/v1/reports/journal?from=2026-11-22&to=2026-11-22&format=csv").await;
    let sale = format!(
        "2026-11-22,redemption,,{},2205,合同负债,cards:{},6001,主营业务收入,merchant:{},CNY,300.00,1\r\n",
        one.program, one.program, one.merchant
    );
    assert!(journal.contains(&sale), "{journal}");
    assert!(journal.contains(",1002,'=1+1,channel:api,"), "no formula: {journal}");
    assert_eq!(journal.lines().count(), 5, "a head and four lines: {journal}");
    for path in [
        "/v1/reports/liability?from=2026-11-22&to=2026-11-23&format=csv",
        "/v1/reports/ageing?format=csv",
        "/v1/reports/breakage?format=csv",
        "/v1/reports/quarterly?quarter=2026-Q4&format=csv",
        "/v1/reports/custody?format=csv",
        "/v1/reports/invoices?from=2026-11-22&to=2026-11-23&kind=load&format=csv",
    ] {
        let table = csv(path).await;
        let columns = table.lines().next().expect("a head").split(',').count();
        assert!(table.lines().count() > 1, "{path}");
        assert!(table.lines().all(|line| line.split(',').count() == columns), "{path}: {table}");
    }
}

#[tokio::test]
async fn reports_are_the_issuers_own_and_need_their_scopes() {
    let world = World::new().await;
    let (one, two) = (&world.one, &world.two);
    two_days(&world, one).await;
    let path = "/v1/reports/liability?from=2026-11-22&to=2026-11-23";
    assert_eq!(world.get(&two.key, path).await.ok(200)["items"], json!([]), "nothing of another issuer");
    let reader = world.client(one, &["accounting_read"], None).await;
    world.get(&reader, path).await.ok(200);
    let body = json!({"day": "2026-11-22", "currency": "CNY", "amount": 1});
    put(&world, &reader, "/v1/reports/custody/balance", body).await.is(403, "scope_missing");
    let ledger = world.client(one, &["ledger_read"], None).await;
    world.get(&ledger, path).await.is(403, "scope_missing");
    let bound = world.client(one, &["accounting_read"], Some(&one.merchant)).await;
    world.get(&bound, path).await.is(403, "not_permitted");
}

#[tokio::test]
async fn what_is_asked_wrongly_is_said_so() {
    let world = World::new().await;
    let one = &world.one;
    let wrong = async |path: &str| world.get(&one.key, path).await.is(400, "invalid_parameter");
    for period in ["from=2026-11-23&to=2026-11-22", "from=2001-01-01&to=2026-11-22"] {
        let path = format!("/v1/reports/liability?{period}");
        world.get(&one.key, &path).await.is(409, "terms_contradict");
    }
    wrong("/v1/reports/liability?from=2026-02-30&to=2026-03-01").await;
    wrong("/v1/reports/quarterly?quarter=2026-Q5").await;
    world.get(&one.key, "/v1/reports/quarterly?quarter=2008-Q1").await.is(409, "terms_contradict");
    wrong("/v1/reports/invoices?from=2026-11-22&to=2026-11-22&kind=gift").await;
    let future = json!({"day": "2027-01-01", "currency": "CNY", "amount": 1});
    let problem =
        put(&world, &one.key, "/v1/reports/custody/balance", future).await.is(409, "terms_contradict");
    assert_eq!(problem["pointer"], "/day");
    let rate = json!({"expected_redemption_bp": {one.program.clone(): 10_001}});
    put(&world, &one.key, "/v1/reports/settings", rate).await.is(409, "terms_contradict");
    let chart = json!({"chart": {"gold": {"code": "1", "name": "x"}}});
    let problem = put(&world, &one.key, "/v1/reports/settings", chart).await.is(409, "terms_contradict");
    assert_eq!(problem["pointer"], "/chart");
}
