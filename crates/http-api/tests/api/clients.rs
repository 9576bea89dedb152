//! API clients: secrets shown once, and nobody grants more than he has.

use serde_json::json;

use crate::world::{World, text};

#[tokio::test]
async fn a_secret_is_shown_once_and_can_be_exchanged() {
    let world = World::new().await;
    let one = &world.one;
    let body = json!({"name": "till", "scopes": ["catalog_read"], "rate_per_second": 50});
    let made = world.post(&one.key, "/v1/clients", body).await.ok(201);
    let (secret, path) = (text(&made["secret"]), format!("/v1/clients/{}", text(&made["client"]["id"])));
    assert!(secret.starts_with("hx_client_"));
    let read = world.get(&one.key, &path).await;
    assert_eq!(read.ok(200), made["client"]);
    assert!(!String::from_utf8_lossy(&read.bytes).contains(&secret));
    world.get(&secret, "/v1/merchants").await.ok(200);
    let rotate = format!("{path}/rotate-secret");
    let rotated = world.post(&one.key, &rotate, json!({"version": 1})).await.ok(200);
    let fresh = text(&rotated["secret"]);
    world.get(&secret, "/v1/merchants").await.is(401, "credentials_invalid");
    world.get(&fresh, "/v1/merchants").await.ok(200);
    world.post(&one.key, &rotate, json!({"version": 1})).await.is(409, "version_conflict");
    world.get(&one.key, "/v1/clients/client_00000003nqk8n").await.is(404, "client_unknown");
    let nowhere = "/v1/clients/client_00000003nqk8n/rotate-secret";
    world.post(&one.key, nowhere, json!({"version": 1})).await.is(404, "client_unknown");
}

#[tokio::test]
async fn nobody_grants_more_than_he_has() {
    let world = World::new().await;
    let one = &world.one;
    let small = world.client(one, &["clients", "catalog_read"], None).await;
    let ask = |key: &str, scopes: &[&str]| {
        let body = json!({"name": "c", "scopes": scopes});
        let (world, key) = (&world, key.to_owned());
        async move { world.post(&key, "/v1/clients", body).await }
    };
    let made = ask(&small, &["catalog_read"]).await.ok(201);
    let problem = ask(&small, &["catalog_read", "redeem"]).await.is(403, "not_permitted");
    assert_eq!(problem["pointer"], "/scopes");
    ask(&one.key, &["platform"]).await.is(403, "not_permitted");
    ask(&world.platform, &["redeem"]).await.is(403, "not_permitted");
    ask(&world.platform, &["platform"]).await.ok(201);
    ask(&one.key, &[]).await.is(400, "invalid_field");
    ask(&one.key, &["everything"]).await.is(400, "invalid_field");
    let path = format!("/v1/clients/{}", text(&made["client"]["id"]));
    let more = json!({"version": 1, "scopes": ["catalog_read", "redeem"]});
    world.patch(&small, &path, more.clone()).await.is(403, "not_permitted");
    world.patch(&one.key, &path, more).await.ok(200);
    // A client that now has more than its maker can no longer be changed, nor its key taken, by him.
    world.patch(&small, &path, json!({"version": 2, "name": "x"})).await.is(403, "not_permitted");
    let rotate = format!("{path}/rotate-secret");
    world.post(&small, &rotate, json!({"version": 2})).await.is(403, "not_permitted");
}

#[tokio::test]
async fn the_platform_makes_the_first_client_and_nothing_else() {
    let world = World::new().await;
    let one = &world.one;
    let body = json!({"issuer": one.issuer, "name": "c", "scopes": ["platform"]});
    world.post(&world.platform, "/v1/clients", body).await.is(403, "not_permitted");
    let body = json!({"issuer": "iss_00000003nqk8n", "name": "c", "scopes": ["redeem"]});
    world.post(&world.platform, "/v1/clients", body).await.is(404, "issuer_unknown");
    let body = json!({"issuer": world.two.issuer, "name": "c", "scopes": ["redeem"]});
    world.post(&one.key, "/v1/clients", body).await.is(404, "issuer_unknown");
    for path in ["/v1/cards", "/v1/merchants", "/v1/programs"] {
        world.post(&world.platform, path, json!({})).await.is(403, "scope_missing");
    }
    let all = world.get(&world.platform, "/v1/clients").await.ok(200);
    assert_eq!(all["items"].as_array().expect("a list").len(), 3);
    let own = world.get(&one.key, "/v1/clients").await.ok(200);
    assert_eq!(own["items"].as_array().expect("a list").len(), 1);
}

#[tokio::test]
async fn a_client_bound_to_a_merchant_stays_with_it() {
    let world = World::new().await;
    let one = &world.one;
    let other = text(&world.post(&one.key, "/v1/merchants", json!({"name": "other"})).await.ok(201)["id"]);
    let body = json!({"name": "store", "merchant": other});
    let other_store = text(&world.post(&one.key, "/v1/stores", body).await.ok(201)["id"]);
    let scopes = crate::world::all_scopes();
    let bound = world.client(one, &scopes, Some(&one.merchant)).await;
    let card = world.card(one, 1_000).await;
    let pay = |key: &str, place: serde_json::Value| {
        let mut body = json!({"card": {"id": card.id}, "amount": 10, "currency": "CNY"});
        for (name, value) in place.as_object().expect("fields") {
            body[name] = value.clone();
        }
        let (world, key) = (&world, key.to_owned());
        async move { world.keyed(&key, "/v1/redemptions", body).await }
    };
    let own = pay(&bound, json!({})).await.approved();
    assert_eq!(own["merchant"], one.merchant.as_str());
    pay(&bound, json!({"merchant": other})).await.is(404, "merchant_unknown");
    pay(&bound, json!({"store": other_store})).await.is(404, "store_unknown");
    let foreign = pay(&one.key, json!({"store": other_store})).await.approved();
    let id = |operation: &serde_json::Value| text(&operation["id"]);
    world.get(&bound, &format!("/v1/operations/{}", id(&own))).await.ok(200);
    world.get(&bound, &format!("/v1/operations/{}", id(&foreign))).await.is(404, "operation_unknown");
    let refund = format!("/v1/redemptions/{}/refunds", id(&foreign));
    world.keyed(&bound, &refund, json!({})).await.is(404, "operation_unknown");
    for path in ["/v1/operations".to_owned(), format!("/v1/cards/{}/operations", card.id)] {
        let listed = world.get(&bound, &path).await.ok(200);
        let items = listed["items"].as_array().expect("a list");
        assert!(!items.is_empty() && items.iter().all(|item| item["merchant"] == one.merchant.as_str()));
    }
    let none = world.get(&bound, &format!("/v1/operations?merchant={other}")).await.ok(200);
    assert_eq!(none["items"], json!([]));
    world.get(&bound, &format!("/v1/merchants/{other}")).await.is(404, "merchant_unknown");
    world.get(&bound, &format!("/v1/stores/{other_store}")).await.is(404, "store_unknown");
    let listed = world.get(&bound, "/v1/stores").await.ok(200);
    assert_eq!(listed["items"].as_array().expect("a list").len(), 1);
    world.get(&bound, &format!("/v1/ledger/accounts/merchant:{}", one.merchant)).await.ok(200);
    world.get(&bound, &format!("/v1/ledger/accounts/merchant:{other}")).await.is(404, "account_unknown");
    world.get(&bound, "/v1/ledger/trial-balance").await.is(403, "not_permitted");
    world.post(&bound, "/v1/merchants", json!({"name": "m"})).await.is(403, "not_permitted");
    world.post(&bound, "/v1/cards", json!({"program": one.program})).await.is(403, "not_permitted");
    let body = json!({"name": "c", "scopes": ["redeem"], "merchant": other});
    world.post(&bound, "/v1/clients", body).await.is(404, "merchant_unknown");
    let made = world.post(&bound, "/v1/clients", json!({"name": "c", "scopes": ["redeem"]})).await.ok(201);
    assert_eq!(made["client"]["merchant"], one.merchant.as_str());
}
