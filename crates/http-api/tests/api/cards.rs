//! Cards: making one, reading it, changing it.

use serde_json::json;

use crate::world::{World, open_rules, text};

#[tokio::test]
async fn a_card_is_made_and_read() {
    let world = World::new().await;
    let one = &world.one;
    let body = json!({"program": one.program, "face_value": 5_000});
    let made = world.post(&one.key, "/v1/cards", body).await.ok(201);
    assert_eq!(made["card"]["state"], "stocked");
    assert_eq!(made["card"]["face_value"], 5_000);
    let number = text(&made["number"]);
    assert_eq!((number.len(), &number[..4]), (16, "8866"));
    assert_eq!(text(&made["card"]["last4"]), number[12..]);
    let id = text(&made["card"]["id"]);
    let activation = json!({"card": {"id": id}, "currency": "CNY"});
    world.keyed(&one.key, "/v1/activations", activation).await.approved();
    let hold = json!({"card": {"id": id}, "amount": 100, "currency": "CNY", "store": one.store});
    world.keyed(&one.key, "/v1/holds", hold).await.approved();
    let card = world.get(&one.key, &format!("/v1/cards/{id}")).await.ok(200);
    assert_eq!(card["card"]["available"], 4_900);
    assert_eq!(card["lots"][0]["remaining"], 5_000);
    assert_eq!(card["holds"][0]["remaining"], 100);
    assert!(!card.to_string().contains(&number));
    let operations = world.get(&one.key, &format!("/v1/cards/{id}/operations")).await.ok(200);
    assert_eq!(operations["items"][0]["kind"], "hold");
    assert_eq!(operations["items"][1]["kind"], "activation");
    world.get(&one.key, "/v1/cards/card_00000003nqk8n").await.is(404, "card_unknown");
    world.get(&one.key, "/v1/cards/card_00000003nqk8n/operations").await.is(404, "card_unknown");
}

#[tokio::test]
async fn cards_are_made_within_the_rules() {
    let world = World::new().await;
    let one = &world.one;
    let make = |program: &str, face_value: i64| {
        world.post(&one.key, "/v1/cards", json!({"program": program, "face_value": face_value}))
    };
    let problem = make(&one.program, 1_000_001).await.is(409, "denomination_not_allowed");
    assert_eq!(problem["pointer"], "/face_value");
    make("prog_00000003nqk8n", 1).await.is(404, "program_unknown");
    make(&world.two.program, 1).await.is(404, "program_unknown");
    let path = format!("/v1/programs/{}", one.program);
    world.patch(&one.key, &path, json!({"version": 1, "status": "closed"})).await.ok(200);
    make(&one.program, 1).await.is(409, "program_closed");
}

#[tokio::test]
async fn cards_change_their_state() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    let change = |what: &str, body: serde_json::Value| {
        let path = format!("/v1/cards/{}/{what}", card.id);
        let world = &world;
        async move { world.keyed(&one.key, &path, body).await }
    };
    let frozen = change("freeze", json!({"reason": "suspicion"})).await.approved();
    assert_eq!((&frozen["card"]["state"], &frozen["reason"]), (&json!("frozen"), &json!("suspicion")));
    world.redeem(one, &card, 1).await.declined("card_frozen");
    assert_eq!(change("unfreeze", json!({})).await.approved()["card"]["state"], "active");
    change("unfreeze", json!({})).await.declined("card_not_frozen");
    assert_eq!(change("bind", json!({"member": "m-1"})).await.approved()["member"], "m-1");
    change("bind", json!({"member": "m-2"})).await.declined("member_already_bound");
    change("reactivate", json!({})).await.declined("nothing_to_claim");
    change("close", json!({"reason": "returned"})).await.declined("balance_remaining");
    assert_eq!(change("report-lost", json!({})).await.approved()["card"]["state"], "lost");
    change("freeze", json!({})).await.is(400, "missing_field");
    let path = "/v1/cards/card_00000003nqk8n/freeze";
    let problem = world.keyed(&one.key, path, json!({"reason": "r"})).await.is(404, "card_unknown");
    assert!(problem.get("pointer").is_none(), "the path names the card, not the body");
}

#[tokio::test]
async fn a_pin_is_asked_for_and_locks() {
    let world = World::new().await;
    let one = &world.one;
    let mut rules = open_rules();
    rules["pin"] = json!({"kind": "always"});
    rules["pin_issued"] = true.into();
    let program = world.program(&one.key, rules).await;
    let card = world.card_of(one, &program, 1_000).await;
    let pin = card.pin.clone().expect("a PIN");
    let wrong = if pin == "000000" { "111111" } else { "000000" };
    world.redeem(one, &card, 1).await.declined("pin_required");
    let redeem = |pin: &str| {
        let body = json!({
            "card": {"number": card.number}, "amount": 1, "currency": "CNY", "store": one.store, "pin": pin
        });
        world.keyed(&one.key, "/v1/redemptions", body)
    };
    redeem(&pin).await.approved();
    for _ in 0..5 {
        redeem(wrong).await.declined("pin_wrong");
    }
    redeem(&pin).await.declined("pin_locked");
    let read = world.get(&one.key, &format!("/v1/cards/{}", card.id)).await.ok(200);
    assert_eq!(read["card"]["pin_locked"], true);
    world.keyed(&one.key, &format!("/v1/cards/{}/unfreeze", card.id), json!({})).await.approved();
    redeem(&pin).await.approved();
}
