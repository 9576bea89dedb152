//! The books balance.

use serde_json::{Value, json};

use crate::world::{World, text};

fn line<'a>(balance: &'a Value, account: &str) -> &'a Value {
    let lines = balance["lines"].as_array().expect("lines");
    lines.iter().find(|line| line["account"] == account).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn the_trial_balance_balances_at_any_moment() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    world.clock.advance_seconds(3_600);
    world.redeem(one, &card, 300).await.approved();
    let now = world.get(&one.key, "/v1/ledger/trial-balance").await.ok(200);
    assert_eq!(
        (&now["totals"], &now["balanced"]),
        (&json!([{"currency": "CNY", "debits": 1_300, "credits": 1_300}]), &json!(true))
    );
    let merchant = format!("merchant:{}", one.merchant);
    assert_eq!(
        (&line(&now, &merchant)["balance"], &line(&now, &merchant)["normal_side"]),
        (&json!(300), &json!("credit"))
    );
    assert_eq!(line(&now, &format!("cards:{}", one.program))["balance"], 700);
    let channel = line(&now, "channel:api");
    assert_eq!((&channel["balance"], &channel["normal_side"]), (&json!(1_000), &json!("debit")));
    let then = world.get(&one.key, "/v1/ledger/trial-balance?at=2026-11-22T02:30:00Z").await.ok(200);
    assert_eq!((&then["totals"][0]["debits"], &then["balanced"]), (&json!(1_000), &json!(true)));
    let account = world.get(&one.key, &format!("/v1/ledger/accounts/{merchant}")).await.ok(200);
    let expected = json!([{"currency": "CNY", "debits": 0, "credits": 300, "balance": 300}]);
    assert_eq!((&account["totals"], &account["normal_side"]), (&expected, &json!("credit")));
    let path = format!("/v1/ledger/accounts/{merchant}?at=2026-11-22T02:30:00Z");
    assert_eq!(world.get(&one.key, &path).await.ok(200)["totals"], json!([]), "nothing had moved yet");
    let card_account = world.get(&one.key, &format!("/v1/ledger/accounts/card:{}", card.id)).await.ok(200);
    assert_eq!(card_account["totals"][0]["balance"], 700);
}

#[tokio::test]
async fn transfers_are_the_lines() {
    let world = World::new().await;
    let one = &world.one;
    let card = world.card(one, 1_000).await;
    let sale = text(&world.redeem(one, &card, 300).await.approved()["id"]);
    let path = format!("/v1/ledger/transfers?operation={sale}");
    let lines = world.get(&one.key, &path).await.ok(200)["items"].clone();
    assert_eq!(lines.as_array().expect("a list").len(), 1);
    assert_eq!(lines[0]["debit"], format!("card:{}", card.id));
    assert_eq!(lines[0]["credit"], format!("merchant:{}", one.merchant));
    assert_eq!(
        (&lines[0]["amount"], &lines[0]["kind"], &lines[0]["debit_lot"]),
        (&json!(300), &json!("redemption"), &json!(1))
    );
    assert_eq!(lines[0]["currency"], "CNY");
    let path = format!("/v1/ledger/transfers?account=card:{}&limit=1", card.id);
    let page = world.get(&one.key, &path).await.ok(200);
    let next = format!("{path}&cursor={}", text(&page["next_cursor"]));
    assert_eq!(world.get(&one.key, &next).await.ok(200)["items"][0]["kind"], "activation");
    let path = "/v1/ledger/transfers?from=2027-01-01T00:00:00Z";
    assert_eq!(world.get(&one.key, path).await.ok(200)["items"], json!([]));
}
