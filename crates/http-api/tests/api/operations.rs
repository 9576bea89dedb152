//! Operations: reading one, listing many.

use serde_json::{Value, json};

use crate::world::{World, text};

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().expect("a list").iter().map(|item| text(&item["id"])).collect()
}

#[tokio::test]
async fn an_operation_is_read_as_it_was_answered() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    let body = json!({"card": {"id": card.id}, "amount": 5, "currency": "CNY", "store": one.store});
    let answered = world.under(&one.key, "the-key", "/v1/redemptions", body).await.approved();
    let path = format!("/v1/operations/{}", text(&answered["id"]));
    let mut read = world.get(&one.key, &path).await.ok(200);
    assert_eq!(read["key"], "the-key");
    assert!(text(&read["client"]).starts_with("client_"));
    for name in ["key", "client"] {
        read.as_object_mut().expect("fields").remove(name);
    }
    assert_eq!(read, answered);
    world.get(&one.key, "/v1/operations/op_00000003nqk8n").await.is(404, "operation_unknown");
}

#[tokio::test]
async fn an_operation_is_found_by_its_own_key_only() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    let asked = |key: &'static str| json!({"key": key});
    let path = "/v1/operations/lookup";
    world.post(&one.key, path, asked("till-7")).await.is(404, "operation_unknown");
    let body = json!({"card": {"id": card.id}, "amount": 5, "currency": "CNY", "store": one.store});
    let answered = world.under(&one.key, "till-7", "/v1/redemptions", body).await.approved();
    let found = world.post(&one.key, path, asked("till-7")).await.ok(200);
    assert_eq!((&found["id"], &found["key"]), (&answered["id"], &json!("till-7")));
    world.post(&world.two.key, path, asked("till-7")).await.is(404, "operation_unknown");
    world.post(&one.key, path, json!({"key": "with space"})).await.is(400, "invalid_field");
}

#[tokio::test]
async fn filters_are_named_as_the_fields() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    let other = world.card(one, 1_000).await;
    world.clock.advance_seconds(100);
    let sale = text(&world.redeem(one, &card, 100).await.approved()["id"]);
    world.clock.advance_seconds(100);
    let declined = text(&world.redeem(one, &card, 100_000).await.declined("insufficient_funds")["id"]);
    let list = |query: String| {
        let world = &world;
        async move { ids(&world.get(&one.key, &format!("/v1/operations?{query}")).await.ok(200)) }
    };
    assert_eq!(list("kind=redemption".to_owned()).await, [declined.clone(), sale.clone()]);
    assert_eq!(list("status=declined".to_owned()).await, std::slice::from_ref(&declined));
    assert_eq!(
        list(format!("card={}&status=approved&kind=redemption", card.id)).await,
        std::slice::from_ref(&sale)
    );
    assert_eq!(list(format!("card={}", other.id)).await.len(), 1);
    assert_eq!(list(format!("merchant={}", one.merchant)).await.len(), 2);
    assert_eq!(list(format!("store={}", one.store)).await.len(), 2);
    assert_eq!(list(format!("terminal={}", one.terminal)).await.len(), 0);
    assert_eq!(
        list("from=2026-11-22T02:01:00Z&to=2026-11-22T02:03:00Z".to_owned()).await,
        std::slice::from_ref(&sale)
    );
    assert_eq!(
        list("from=2026-11-22T10%3A03%3A00%2B08%3A00".to_owned()).await,
        std::slice::from_ref(&declined)
    );
    let client = text(&world.get(&one.key, &format!("/v1/operations/{sale}")).await.ok(200)["client"]);
    assert_eq!(list(format!("client={client}")).await.len(), 4);
    let page = world.get(&one.key, "/v1/operations?limit=1").await.ok(200);
    assert_eq!(ids(&page), [declined]);
    let cursor = text(&page["next_cursor"]);
    assert_eq!(list(format!("limit=1&cursor={cursor}")).await, [sale]);
}

/// Value that moved without a card: no card, no program, and everything else as of any operation.
#[tokio::test]
async fn a_posting_is_read_and_listed_and_never_reversed() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    world.redeem(one, &card, 400).await.approved();
    let issuer = domain::IssuerId::parse(&one.issuer).expect("an id");
    let merchant = domain::MerchantId::parse(&one.merchant).expect("an id");
    let bound = world.get(&one.key, "/v1/operations?kind=redemption").await.ok(200);
    let client = domain::ClientId::parse(&text(&bound["items"][0]["client"])).expect("an id");
    let actor = domain::command::Actor { client, issuer, merchant: None };
    let posting = domain::Posting {
        kind: domain::PostingKind::Payout,
        currency: domain::Currency::CNY,
        merchant: Some(merchant),
        transfers: vec![domain::PostedTransfer {
            debit: domain::Account::Merchant(merchant),
            credit: domain::Account::Bank(issuer),
            amount: domain::Amount::new(300).expect("an amount"),
        }],
        reason: Some("September".to_owned()),
    };
    let key = domain::IdempotencyKey::parse("payout-1").expect("a key");
    let intent = engine::Intent::post(actor, key, posting, Some("stm 1".to_owned()));
    let done = world.engine.submit(intent).await.expect("taken").expect("decided");
    let read = world.get(&one.key, &format!("/v1/operations/{}", done.operation.id)).await.ok(200);
    let expected = json!({
        "id": done.operation.id.to_string(), "kind": "payout", "status": "approved",
        "requested": 300, "approved": 300, "outstanding": 0, "currency": "CNY",
        "merchant": one.merchant, "reference": "stm 1", "reason": "September",
        "client": client.to_string(), "key": "payout-1",
        "business_date": read["business_date"], "at": read["at"],
    });
    assert_eq!(read, expected);
    let listed = world.get(&one.key, "/v1/operations?kind=payout").await.ok(200);
    assert_eq!(listed["items"], json!([expected]));
    let path = format!("/v1/ledger/transfers?account=merchant:{}", one.merchant);
    let moved = world.get(&one.key, &path).await.ok(200);
    assert_eq!(moved["items"][0]["credit"], format!("bank:{}", one.issuer));
    let balance = world.get(&one.key, "/v1/ledger/trial-balance").await.ok(200);
    assert_eq!(balance["balanced"], true);
    let body = json!({"original_key": "payout-1"});
    let refused =
        world.under(&one.key, "undo", "/v1/reversals", body).await.is(409, "posting_not_reversible");
    assert_eq!(refused["pointer"], "/original_key");
}

#[tokio::test]
async fn operations_are_exported_with_the_filters_of_the_list() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 10_000).await;
    for (amount, reference) in [(100, "=HYPERLINK(\"x\",1)"), (200, "收据, 7")] {
        let body = json!({
            "card": {"number": card.number}, "amount": amount, "currency": "CNY", "store": one.store,
            "reference": reference
        });
        world.keyed(&one.key, "/v1/redemptions", body).await.approved();
    }
    let export = async |key: &str, query: &str| {
        let answer = world.get(key, &format!("/v1/operations.csv{query}")).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/csv; charset=utf-8"));
        String::from_utf8(answer.bytes).expect("text")
    };
    let all = export(&one.key, "").await;
    let rows: Vec<&str> = all.lines().collect();
    assert!(
        rows[0].starts_with("id,at,business_date,kind,status,decline,currency,requested,approved,card,last4")
    );
    assert_eq!(rows.len(), 4, "{all}");
    assert!(rows[1].ends_with(",\"收据, 7\""), "newest first: {all}");
    assert!(rows[2].ends_with(",\"'=HYPERLINK(\"\"x\"\",1)\""), "no formula: {all}");
    assert!(!all.contains(&card.number), "no number of a card");
    let sales = export(&one.key, &format!("?kind=redemption&store={}", one.store)).await;
    assert_eq!(sales.lines().count(), 3, "{sales}");
    assert_eq!(export(&one.key, "?status=declined").await.lines().count(), 1);
    assert_eq!(export(&world.two.key, "").await.lines().count(), 1, "nothing of others");
    world.get(&one.key, "/v1/operations.csv?limit=5").await.is(400, "invalid_parameter");
}
