//! The main bodies, to the letter. What differs from run to run is masked.

use serde_json::{Value, json};

use crate::world::World;

/// Masks what is random: numbers, PINs, API keys.
fn masked(mut value: Value) -> String {
    fn mask(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if matches!(name.as_str(), "number" | "pin" | "secret" | "last4") && value.is_string() {
                        *value = "[masked]".into();
                    }
                    mask(value);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(mask),
            _ => {}
        }
    }
    mask(&mut value);
    serde_json::to_string_pretty(&value).expect("JSON")
}

#[tokio::test]
async fn bodies() {
    let world = World::new().await;
    let one = &world.one;
    let program = world.get(&one.key, &format!("/v1/programs/{}", one.program)).await.ok(200);
    insta::assert_snapshot!("program", masked(program));
    let made = world.post(&one.key, "/v1/cards", json!({"program": one.program})).await.ok(201);
    insta::assert_snapshot!("issued_card", masked(made.clone()));
    let body = json!({
        "card": {"number": made["number"]}, "amount": 10_000, "currency": "CNY", "channel": "web",
        "bonus": {"amount": 500, "expires_at": "2027-01-01T00:00:00+08:00"}
    });
    insta::assert_snapshot!(
        "activation",
        masked(world.keyed(&one.key, "/v1/activations", body).await.approved())
    );
    let pay = |amount: i64| {
        json!({
            "card": {"number": made["number"]}, "amount": amount, "currency": "CNY",
            "terminal": one.terminal, "trace": amount, "reference": "receipt 17", "metadata": {"till": "3"}
        })
    };
    let sale = world.keyed(&one.key, "/v1/redemptions", pay(3_500)).await.approved();
    insta::assert_snapshot!("redemption", masked(sale.clone()));
    let declined = world.keyed(&one.key, "/v1/redemptions", pay(99_999)).await;
    insta::assert_snapshot!("declined", masked(declined.declined("insufficient_funds")));
    let path = format!("/v1/redemptions/{}/refunds", sale["id"].as_str().expect("an id"));
    insta::assert_snapshot!(
        "refund",
        masked(world.keyed(&one.key, &path, json!({"amount": 100})).await.approved())
    );
    let path = format!("/v1/cards/{}", made["card"]["id"].as_str().expect("an id"));
    insta::assert_snapshot!("card", masked(world.get(&one.key, &path).await.ok(200)));
    let balance = world.get(&one.key, "/v1/ledger/trial-balance").await.ok(200);
    insta::assert_snapshot!("trial_balance", masked(balance));
    let mut problem = world.keyed(&one.key, "/v1/redemptions", json!({"amount": 0})).await.json();
    problem["request_id"] = "req_…".into();
    insta::assert_snapshot!("problem", masked(problem));
}
