//! Every route with the objects of another issuer: as if they did not exist.

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::{Answer, Card, World, text};

/// What the other issuer has.
struct Foreign {
    card: Card,
    stocked: Card,
    hold: String,
    redemption: String,
    batch: String,
    client: String,
}

async fn foreign(world: &World) -> Foreign {
    let two = &world.two;
    let card = world.card(two, 1_000).await;
    let body = json!({"card": {"id": card.id}, "amount": 10, "currency": "CNY", "store": two.store});
    let hold = text(&world.under(&two.key, "their-key", "/v1/holds", body).await.approved()["hold"]);
    let redemption = text(&world.redeem(two, &card, 10).await.approved()["id"]);
    let body = json!({"program": two.program, "count": 1});
    let batch = text(&world.keyed(&two.key, "/v1/batches", body).await.ok(202)["id"]);
    let clients = world.get(&two.key, "/v1/clients").await.ok(200);
    let stocked = world.stocked(two, &two.program).await;
    Foreign { card, stocked, hold, redemption, batch, client: text(&clients["items"][0]["id"]) }
}

/// Every route that names an object, with a foreign one.
fn requests(world: &World, theirs: &Foreign, own: &Card) -> Vec<(Method, String, Option<Value>)> {
    let (one, two) = (&world.one, &world.two);
    let (card, store) = (json!({"id": theirs.card.id}), &one.store);
    let (id, stocked) = (json!({"id": theirs.card.id}), json!({"id": theirs.stocked.id}));
    let number = json!({"number": theirs.card.number});
    let mine = json!({"id": own.id});
    let value = |extra: Value| {
        let mut body = json!({"card": card, "amount": 1, "currency": "CNY"});
        for (name, value) in extra.as_object().expect("fields") {
            body[name] = value.clone();
        }
        body
    };
    let post = |path: String, body: Value| (Method::POST, path, Some(body));
    let get = |path: String| (Method::GET, path, None);
    let patch = |path: String| (Method::PATCH, path, Some(json!({"version": 1})));
    let mut all = vec![
        post("/v1/activations".into(), value(json!({"card": stocked}))),
        post("/v1/loads".into(), value(json!({}))),
        post("/v1/redemptions".into(), value(json!({"store": store}))),
        post("/v1/redemptions".into(), value(json!({"store": store, "card": number}))),
        post("/v1/redemptions".into(), value(json!({"store": two.store, "card": mine}))),
        post("/v1/redemptions".into(), value(json!({"terminal": two.terminal, "card": mine}))),
        post("/v1/redemptions".into(), value(json!({"merchant": two.merchant, "card": mine}))),
        post("/v1/holds".into(), value(json!({"store": store}))),
        post(format!("/v1/holds/{}/captures", theirs.hold), json!({})),
        post(format!("/v1/holds/{}/releases", theirs.hold), json!({})),
        post(format!("/v1/redemptions/{}/refunds", theirs.redemption), json!({})),
        post("/v1/refunds".into(), value(json!({"store": store}))),
        post("/v1/adjustments".into(), value(json!({"direction": "credit", "reason": "r"}))),
        post("/v1/cash-outs".into(), json!({"card": id})),
        post("/v1/cards".into(), json!({"program": two.program})),
        post("/v1/cards/lookup".into(), number.clone()),
        post("/v1/batches".into(), json!({"program": two.program, "count": 1})),
        post("/v1/stores".into(), json!({"name": "s", "merchant": two.merchant})),
        post("/v1/terminals".into(), json!({"name": "t", "store": two.store})),
        post("/v1/clients".into(), json!({"name": "c", "scopes": ["redeem"], "issuer": two.issuer})),
        post("/v1/clients".into(), json!({"name": "c", "scopes": ["redeem"], "merchant": two.merchant})),
        post(format!("/v1/clients/{}/rotate-secret", theirs.client), json!({"version": 1})),
        post(format!("/v1/batches/{}/export", theirs.batch), json!({})),
        get(format!("/v1/batches/{}", theirs.batch)),
        get(format!("/v1/cards/{}", theirs.card.id)),
        get(format!("/v1/cards/{}/operations", theirs.card.id)),
        get(format!("/v1/operations/{}", theirs.redemption)),
        get(format!("/v1/ledger/accounts/card:{}", theirs.card.id)),
        get(format!("/v1/ledger/accounts/merchant:{}", two.merchant)),
        get(format!("/v1/ledger/accounts/bank:{}", two.issuer)),
        get(format!("/v1/ledger/transfers?account=card:{}", theirs.card.id)),
        get(format!("/v1/issuers/{}", two.issuer)),
    ];
    for route in ["transfers", "merges", "replacements"] {
        for (from, to) in [(&id, &mine), (&mine, &id), (&mine, &stocked)] {
            let mut body = json!({"from": from, "to": to});
            if route == "transfers" {
                body["amount"] = 1.into();
                body["currency"] = "CNY".into();
            }
            all.push(post(format!("/v1/{route}"), body));
        }
    }
    for (change, body) in [
        ("freeze", json!({"reason": "r"})),
        ("unfreeze", json!({})),
        ("report-lost", json!({})),
        ("reactivate", json!({})),
        ("close", json!({"reason": "r"})),
        ("bind", json!({"member": "m"})),
    ] {
        all.push(post(format!("/v1/cards/{}/{change}", theirs.card.id), body));
    }
    for (kind, id) in [
        ("programs", &two.program),
        ("merchants", &two.merchant),
        ("stores", &two.store),
        ("terminals", &two.terminal),
        ("clients", &theirs.client),
    ] {
        all.push(get(format!("/v1/{kind}/{id}")));
        all.push(patch(format!("/v1/{kind}/{id}")));
    }
    all
}

/// The same request about something that nobody has.
fn about_nothing(text: &str, world: &World, theirs: &Foreign) -> String {
    let mut text = text.to_owned();
    let two = &world.two;
    for id in [
        &theirs.card.id,
        &theirs.stocked.id,
        &theirs.hold,
        &theirs.redemption,
        &theirs.batch,
        &theirs.client,
        &two.program,
        &two.merchant,
        &two.store,
        &two.terminal,
        &two.issuer,
    ] {
        let (prefix, _) = id.split_once('_').expect("a prefix");
        text = text.replace(id.as_str(), &format!("{prefix}_00000003nqk8n"));
    }
    text.replace(&theirs.card.number, "8866000000000008")
}

fn without_id(answer: &Answer) -> Value {
    let mut problem = answer.json();
    problem["request_id"] = Value::Null;
    problem
}

#[tokio::test]
async fn foreign_objects_are_unknown_on_every_route() {
    let world = World::new().await;
    let theirs = foreign(&world).await;
    let own = world.card(&world.one, 1_000).await;
    let before = world.get(&world.two.key, "/v1/ledger/trial-balance").await.ok(200);
    for (method, path, body) in requests(&world, &theirs, &own) {
        let key = world.new_key();
        let send = |path: String, body: Option<String>| {
            let (world, method, key) = (&world, method.clone(), key.clone());
            let body = body.map(String::into_bytes);
            async move { world.call(&method, &path, Some(&world.one.key), Some(&key), body).await }
        };
        let text = body.as_ref().map(Value::to_string);
        let answer = send(path.clone(), text.clone()).await;
        assert_eq!(answer.status.as_u16(), 404, "{method} {path} {body:?}: {answer:?}");
        let unknown = text.map(|text| about_nothing(&text, &world, &theirs));
        let unknown = send(about_nothing(&path, &world, &theirs), unknown).await;
        assert_eq!(without_id(&answer), without_id(&unknown), "{method} {path} {body:?}");
    }
    assert_eq!(world.get(&world.two.key, "/v1/ledger/trial-balance").await.ok(200), before);
    let card = world.get(&world.two.key, &format!("/v1/cards/{}", theirs.card.id)).await.ok(200);
    assert_eq!(card["card"]["state"], "active");
}

#[tokio::test]
async fn lists_show_nothing_foreign() {
    let world = World::new().await;
    let theirs = foreign(&world).await;
    let foreign = [&theirs.card.id, &theirs.redemption, &theirs.batch, &theirs.client, &world.two.merchant];
    for path in [
        "/v1/operations",
        "/v1/batches",
        "/v1/clients",
        "/v1/programs",
        "/v1/merchants",
        "/v1/stores",
        "/v1/terminals",
        "/v1/issuers",
        "/v1/ledger/transfers",
        "/v1/ledger/trial-balance",
        "/v1/ledger/accounts/channel:api",
        &format!("/v1/operations?card={}", theirs.card.id),
        &format!("/v1/operations?merchant={}", world.two.merchant),
        &format!("/v1/operations?client={}", theirs.client),
        &format!("/v1/ledger/transfers?operation={}", theirs.redemption),
    ] {
        let answer = world.get(&world.one.key, path).await;
        let text = answer.ok(200).to_string();
        assert!(!text.contains(world.two.issuer.as_str()), "{path}: {text}");
        assert!(foreign.iter().all(|id| !text.contains(id.as_str())), "{path}: {text}");
    }
}

#[tokio::test]
async fn keys_of_another_client_reverse_nothing() {
    let world = World::new().await;
    let theirs = foreign(&world).await;
    let body = json!({"original_key": "their-key"});
    let reversal = world.keyed(&world.one.key, "/v1/reversals", body).await.approved();
    assert!(reversal.get("card").is_none(), "it found nothing of its own");
    let card = world.get(&world.two.key, &format!("/v1/cards/{}", theirs.card.id)).await.ok(200);
    assert_eq!(card["card"]["held"], 10);
}
