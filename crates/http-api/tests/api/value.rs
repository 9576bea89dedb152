//! Moving value: every route, its happy path and what it refuses of its own.

use serde_json::json;

use crate::world::{World, text};

#[tokio::test]
async fn activations_book_the_first_value() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.stocked(one, &one.program).await;
    let body = json!({
        "card": {"number": card.number}, "amount": 10_000, "currency": "CNY", "channel": "web",
        "bonus": {"amount": 500, "expires_at": "2027-01-01T00:00:00Z"}, "reference": "order 1",
        "metadata": {"till": "3"}
    });
    let operation = world.keyed(&one.key, "/v1/activations", body.clone()).await.approved();
    assert_eq!(operation["card"]["balance"], 10_500);
    assert_eq!(operation["card"]["state"], "active");
    assert_eq!(operation["channel"], "web");
    assert_eq!(operation["reference"], "order 1");
    assert_eq!(operation["metadata"]["till"], "3");
    world.keyed(&one.key, "/v1/activations", body).await.declined("card_already_active");
    let other = world.stocked(one, &one.program).await;
    let body = json!({"card": {"id": other.id}, "currency": "CNY"});
    world.keyed(&one.key, "/v1/activations", body).await.is(409, "amount_required");
    let body = json!({
        "card": {"id": other.id}, "amount": 1, "currency": "CNY",
        "bonus": {"amount": 1, "expires_at": "2020-01-01T00:00:00Z"}
    });
    let problem = world.keyed(&one.key, "/v1/activations", body).await.is(409, "moment_in_the_past");
    assert_eq!(problem["pointer"], "/expires_at");
}

#[tokio::test]
async fn loads_add_value() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    let body = json!({"card": {"number": card.number}, "amount": 500, "currency": "CNY"});
    let operation = world.keyed(&one.key, "/v1/loads", body).await.approved();
    assert_eq!(operation["card"]["available"], 1_500);
    let body = json!({
        "card": {"number": card.number}, "amount": 100, "currency": "CNY", "source": "merchant_funded",
        "merchant": one.merchant
    });
    world.keyed(&one.key, "/v1/loads", body).await.approved();
    let body = json!({"card": {"number": card.number}, "amount": 500, "currency": "USD"});
    let problem = world.keyed(&one.key, "/v1/loads", body).await.is(409, "currency_mismatch");
    assert_eq!(problem["pointer"], "/currency");
}

#[tokio::test]
async fn redemptions_pay() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 10_000).await;
    let operation = world.redeem(one, &card, 3_500).await.approved();
    assert_eq!(operation["approved"], 3_500);
    assert_eq!(operation["outstanding"], 0);
    assert_eq!(operation["card"]["available"], 6_500);
    assert_eq!(operation["merchant"], one.merchant.as_str());
    let declined = world.redeem(one, &card, 7_000).await.declined("insufficient_funds");
    assert_eq!(declined["outstanding"], 7_000);
    assert_eq!(declined["decline"]["retryable"], false);
    let body = json!({
        "card": {"id": card.id}, "amount": 7_000, "currency": "CNY", "terminal": one.terminal,
        "trace": 7, "partial": true
    });
    let operation = world.keyed(&one.key, "/v1/redemptions", body).await.approved();
    assert_eq!((&operation["approved"], &operation["outstanding"]), (&json!(6_500), &json!(500)));
    assert_eq!(operation["trace"], 7);
}

#[tokio::test]
async fn redemptions_name_what_is_wrong_with_the_place() {
    let world = World::new().await;
    let (one, two) = (&world.one, &world.two);
    let card = world.card(one, 10_000).await;
    let at = |place: serde_json::Value| {
        let mut body = json!({"card": {"id": card.id}, "amount": 1, "currency": "CNY"});
        for (name, value) in place.as_object().expect("fields") {
            body[name] = value.clone();
        }
        world.keyed(&one.key, "/v1/redemptions", body)
    };
    at(json!({})).await.is(409, "merchant_required");
    at(json!({"merchant": two.merchant})).await.is(404, "merchant_unknown");
    at(json!({"store": two.store})).await.is(404, "store_unknown");
    at(json!({"terminal": two.terminal})).await.is(404, "terminal_unknown");
    at(json!({"merchant": one.merchant, "trace": 1})).await.is(409, "trace_without_terminal");
    let other = world.post(&one.key, "/v1/merchants", json!({"name": "other"})).await.ok(201);
    at(json!({"merchant": other["id"], "store": one.store})).await.is(409, "place_mismatch");
    let change = json!({"version": 1, "status": "closed"});
    world.patch(&one.key, &format!("/v1/terminals/{}", one.terminal), change.clone()).await.ok(200);
    at(json!({"terminal": one.terminal})).await.is(409, "terminal_closed");
    world.patch(&one.key, &format!("/v1/stores/{}", one.store), change.clone()).await.ok(200);
    at(json!({"store": one.store})).await.is(409, "store_closed");
    world.patch(&one.key, &format!("/v1/merchants/{}", one.merchant), change).await.ok(200);
    at(json!({"merchant": one.merchant})).await.is(409, "merchant_closed");
}

#[tokio::test]
async fn batches_answer_each_item() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    let item = |key: &str, amount: i64| json!({"key": key, "card": {"id": card.id}, "amount": amount, "currency": "CNY", "store": one.store});
    let mut unknown = item("e", 1);
    unknown["card"] = json!({"number": "8866000000000000"});
    let mut keyless = item("f", 1);
    keyless.as_object_mut().expect("fields").remove("key");
    let items =
        json!([item("a", 600), item("b", 600), item("c", -1), item("a", 600), unknown, keyless, {"x": 1}]);
    let answer = world.post(&one.key, "/v1/redemptions/batch", json!({"items": items})).await;
    let results = answer.ok(200)["results"].clone();
    assert_eq!(results[0]["operation"]["status"], "approved");
    assert_eq!(results[1]["operation"]["decline"]["code"], "insufficient_funds");
    assert_eq!(results[2]["problem"]["code"], "invalid_amount");
    assert_eq!(results[2]["problem"]["pointer"], "/items/2/amount");
    assert_eq!(results[3]["operation"], results[0]["operation"]);
    assert_eq!(results[4]["problem"]["code"], "card_unknown");
    assert_eq!(results[4]["problem"]["pointer"], "/items/4/card");
    assert_eq!(results[5]["problem"]["code"], "idempotency_key_missing");
    assert_eq!(results[6]["problem"]["code"], "unknown_field");
    assert_eq!(results[6]["problem"]["pointer"], "/items/6/x");
    // Alone, the same key and request is the same request.
    let alone = json!({"card": {"id": card.id}, "amount": 600, "currency": "CNY", "store": one.store});
    let answer = world.under(&one.key, "a", "/v1/redemptions", alone).await;
    assert_eq!(answer.header("idempotent-replayed"), "true");
    assert_eq!(answer.approved(), results[0]["operation"]);
}

#[tokio::test]
async fn batches_are_bounded() {
    let world = World::new().await;
    let one = &world.one;
    let many = |count: usize| json!({"items": vec![json!({}); count]});
    world.post(&one.key, "/v1/redemptions/batch", many(0)).await.is(400, "too_many_items");
    world.post(&one.key, "/v1/redemptions/batch", many(1001)).await.is(400, "too_many_items");
    let results = world.post(&one.key, "/v1/redemptions/batch", many(1000)).await.ok(200);
    assert_eq!(results["results"].as_array().expect("a list").len(), 1000);
    world.post(&one.key, "/v1/redemptions/batch", json!({"items": [1]})).await.is(400, "invalid_field");
    world.post(&one.key, "/v1/redemptions/batch", json!({"things": []})).await.is(400, "unknown_field");
    world.post(&one.key, "/v1/redemptions/batch", json!({})).await.is(400, "missing_field");
    let single = json!({
        "key": "k", "card": {"id": "card_00000003nqk8n"}, "amount": 1, "currency": "CNY"
    });
    world.keyed(&one.key, "/v1/redemptions", single).await.is(400, "unknown_field");
}

#[tokio::test]
async fn refunds_give_back() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    let redemption = text(&world.redeem(one, &card, 800).await.approved()["id"]);
    let path = format!("/v1/redemptions/{redemption}/refunds");
    let operation = world.keyed(&one.key, &path, json!({"amount": 300, "currency": "CNY"})).await.approved();
    assert_eq!(operation["destination"], "card");
    assert_eq!(operation["original"], redemption.as_str());
    assert_eq!(world.keyed(&one.key, &path, json!({})).await.approved()["approved"], 500);
    world.keyed(&one.key, &path, json!({"amount": 1})).await.declined("refund_exceeds_redemption");
    let load = json!({"card": {"id": card.id}, "amount": 1, "currency": "CNY"});
    let load = text(&world.keyed(&one.key, "/v1/loads", load).await.approved()["id"]);
    let path = format!("/v1/redemptions/{load}/refunds");
    world.keyed(&one.key, &path, json!({})).await.is(409, "not_a_redemption");
    let path = "/v1/redemptions/op_00000003nqk8n/refunds";
    world.keyed(&one.key, path, json!({})).await.is(404, "operation_unknown");
    let body = json!({"card": {"id": card.id}, "amount": 5, "currency": "CNY", "store": one.store});
    world.keyed(&one.key, "/v1/refunds", body).await.approved();
}

#[tokio::test]
async fn holds_are_captured_and_released() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    let body = json!({
        "card": {"id": card.id}, "amount": 600, "currency": "CNY", "store": one.store,
        "expires_in_seconds": 60
    });
    let operation = world.keyed(&one.key, "/v1/holds", body.clone()).await.approved();
    assert_eq!(operation["card"]["held"], 600);
    assert_eq!(operation["expires_at"], "2026-11-22T02:01:00Z");
    let hold = text(&operation["hold"]);
    world.redeem(one, &card, 600).await.declined("held_elsewhere");
    let path = format!("/v1/holds/{hold}/captures");
    let part = json!({"amount": 200, "currency": "CNY", "final": false});
    assert_eq!(world.keyed(&one.key, &path, part).await.approved()["card"]["held"], 400);
    let path = format!("/v1/holds/{hold}/releases");
    assert_eq!(world.keyed(&one.key, &path, json!({})).await.approved()["card"]["held"], 0);
    world.keyed(&one.key, &path, json!({})).await.declined("hold_closed");
    let second = text(&world.keyed(&one.key, "/v1/holds", body).await.approved()["hold"]);
    world.clock.advance_seconds(61);
    let path = format!("/v1/holds/{second}/captures");
    world.keyed(&one.key, &path, json!({})).await.declined("hold_expired");
    let path = "/v1/holds/hold_00000003nqk8n/captures";
    world.keyed(&one.key, path, json!({})).await.is(404, "hold_unknown");
    let path = "/v1/holds/nonsense/releases";
    world.keyed(&one.key, path, json!({})).await.is(400, "invalid_parameter");
}

#[tokio::test]
async fn reversals_undo_and_leave_tombstones() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    let body = json!({"card": {"id": card.id}, "amount": 600, "currency": "CNY", "store": one.store});
    world.under(&one.key, "sale", "/v1/redemptions", body.clone()).await.approved();
    let reversal = json!({"original_key": "sale"});
    let first = world.keyed(&one.key, "/v1/reversals", reversal.clone()).await;
    assert_eq!(first.approved()["card"]["available"], 1_000);
    let second = world.keyed(&one.key, "/v1/reversals", reversal).await;
    assert_eq!(second.bytes, first.bytes);
    assert_eq!(second.header("idempotent-replayed"), "true");
    let unknown = world.keyed(&one.key, "/v1/reversals", json!({"original_key": "late"})).await.approved();
    assert!(unknown.get("card").is_none());
    world.under(&one.key, "late", "/v1/redemptions", body).await.declined("reversed_before_arrival");
    world.keyed(&one.key, "/v1/reversals", json!({"original_key": "a b"})).await.is(400, "invalid_field");
}

#[tokio::test]
async fn adjustments_correct() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    let body = |direction: &str| {
        json!({
            "card": {"id": card.id}, "direction": direction, "amount": 100, "currency": "CNY",
            "reason": "counted wrongly"
        })
    };
    let operation = world.keyed(&one.key, "/v1/adjustments", body("credit")).await.approved();
    assert_eq!(operation["card"]["balance"], 1_100);
    assert_eq!(
        (&operation["direction"], &operation["reason"]),
        (&json!("credit"), &json!("counted wrongly"))
    );
    let operation = world.keyed(&one.key, "/v1/adjustments", body("debit")).await.approved();
    assert_eq!(operation["card"]["balance"], 1_000);
    world.keyed(&one.key, "/v1/adjustments", body("sideways")).await.is(400, "invalid_field");
}

#[tokio::test]
async fn value_moves_between_cards() {
    let world = World::new().await;
    let one = &world.one;
    let (first, second) = (world.card(one, 1_000).await, world.card(one, 1_000).await);
    let pair = |from: &str, to: &str| json!({"from": {"id": from}, "to": {"id": to}});
    let mut body = pair(&first.id, &second.id);
    body["amount"] = 300.into();
    body["currency"] = "CNY".into();
    let operation = world.keyed(&one.key, "/v1/transfers", body).await.approved();
    assert_eq!((&operation["card"]["balance"], &operation["to"]["balance"]), (&json!(700), &json!(1_300)));
    let same = world.keyed(&one.key, "/v1/merges", pair(&first.id, &first.id)).await;
    assert_eq!(same.is(409, "same_card")["pointer"], "/to");
    let unknown = world.keyed(&one.key, "/v1/merges", pair("card_00000003nqk8n", &first.id)).await;
    assert_eq!(unknown.is(404, "card_unknown")["pointer"], "/from");
    let operation = world.keyed(&one.key, "/v1/merges", pair(&first.id, &second.id)).await.approved();
    assert_eq!(operation["card"]["state"], "closed");
    assert_eq!(operation["to"]["balance"], 2_000);
    let stocked = world.stocked(one, &one.program).await;
    let operation = world.keyed(&one.key, "/v1/replacements", pair(&second.id, &stocked.id)).await.approved();
    assert_eq!(operation["to"]["balance"], 2_000);
    let body = json!({"card": {"id": stocked.id}});
    let operation = world.keyed(&one.key, "/v1/cash-outs", body).await.approved();
    assert_eq!((&operation["approved"], &operation["forfeited"]), (&json!(2_000), &json!(0)));
}
