//! The catalog: create, list, read, change.

use serde_json::{Value, json};

use crate::world::{World, open_rules, text};

#[tokio::test]
async fn merchants_stores_and_terminals_change() {
    let world = World::new().await;
    let one = &world.one;
    for (kind, id, code) in [
        ("merchants", &one.merchant, "merchant_unknown"),
        ("stores", &one.store, "store_unknown"),
        ("terminals", &one.terminal, "terminal_unknown"),
    ] {
        let path = format!("/v1/{kind}/{id}");
        assert_eq!(world.get(&one.key, &path).await.ok(200)["version"], 1);
        let changed = world.patch(&one.key, &path, json!({"version": 1, "name": "新店"})).await.ok(200);
        assert_eq!((&changed["name"], &changed["version"]), (&json!("新店"), &json!(2)));
        assert_eq!(world.get(&one.key, &path).await.ok(200), changed);
        let problem = world.patch(&one.key, &path, json!({"version": 1, "name": "x"})).await;
        assert_eq!(problem.is(409, "version_conflict")["pointer"], "/version");
        world.patch(&one.key, &path, json!({"version": 0})).await.is(400, "invalid_field");
        world.patch(&one.key, &path, json!({"name": "x"})).await.is(400, "missing_field");
        world.patch(&one.key, &path, json!({"version": 2, "status": "gone"})).await.is(400, "invalid_field");
        let prefix = id.split_once('_').expect("a prefix").0;
        let nowhere = format!("/v1/{kind}/{prefix}_00000003nqk8n");
        world.get(&one.key, &nowhere).await.is(404, code);
        world.patch(&one.key, &nowhere, json!({"version": 1})).await.is(404, code);
        world.post(&one.key, &format!("/v1/{kind}"), json!({"name": ""})).await.status.is_client_error();
    }
    let body = json!({"name": "s", "merchant": "mer_00000003nqk8n"});
    assert_eq!(
        world.post(&one.key, "/v1/stores", body).await.is(404, "merchant_unknown")["pointer"],
        "/merchant"
    );
    let body = json!({"name": "t", "store": "store_00000003nqk8n"});
    assert_eq!(
        world.post(&one.key, "/v1/terminals", body).await.is(404, "store_unknown")["pointer"],
        "/store"
    );
}

#[tokio::test]
async fn issuers_are_managed_by_the_platform() {
    let world = World::new().await;
    let body = |zone: &str| json!({"name": "three", "time_zone": zone});
    let problem = world.post(&world.platform, "/v1/issuers", body("Asia/Nowhere")).await;
    assert_eq!(problem.is(409, "time_zone_unknown")["pointer"], "/time_zone");
    let made = world.post(&world.platform, "/v1/issuers", body("Europe/Berlin")).await.ok(201);
    assert_eq!(made["time_zone"], "Europe/Berlin");
    let path = format!("/v1/issuers/{}", text(&made["id"]));
    world.get(&world.one.key, &path).await.is(404, "issuer_unknown");
    world.get(&world.one.key, &format!("/v1/issuers/{}", world.one.issuer)).await.ok(200);
    let own = world.get(&world.one.key, "/v1/issuers").await.ok(200);
    assert_eq!(own["items"].as_array().expect("a list").len(), 1);
    let all = world.get(&world.platform, "/v1/issuers").await.ok(200);
    assert_eq!(all["items"].as_array().expect("a list").len(), 3);
    world.patch(&world.platform, &path, json!({"version": 1, "name": "drei"})).await.ok(200);
    world.patch(&world.platform, &path, json!({"version": 1})).await.is(409, "version_conflict");
    world.get(&world.platform, "/v1/issuers/iss_00000003nqk8n").await.is(404, "issuer_unknown");
    let own = format!("/v1/issuers/{}", world.one.issuer);
    world.patch(&world.one.key, &own, json!({"version": 1})).await.is(403, "scope_missing");
    world.post(&world.one.key, "/v1/issuers", body("UTC")).await.is(403, "scope_missing");
}

#[tokio::test]
async fn programs_keep_their_rules() {
    let world = World::new().await;
    let one = &world.one;
    let rules = json!({
        "denominations": {"kind": "fixed", "amounts": [1_000, 5_000]},
        "validity": {"kind": "until", "at": "2030-01-01T00:00:00Z"},
        "acceptance": {"merchants": [one.merchant], "stores": [one.store], "channels": ["web"]},
        "redemption_min": 1, "redemption_max": 5_000, "daily_count": 3, "daily_amount": 9_000,
        "balance_cap": 100_000, "reloadable": true, "registered": true,
        "pin": {"kind": "above", "amount": 2_000}, "pin_issued": true, "member_required": true,
        "lot_order": "bonus_first", "residual": "breakage", "legal_class": "brand", "transferable": true,
        "cash_out": true, "hold_seconds": 60, "refund_days": 90, "reversal_seconds": 600
    });
    let id = world.program(&one.key, rules.clone()).await;
    let with_points = json!({
        "denominations": {"kind": "free", "min": 1.0, "max": 5e3}, "validity": {"kind": "days", "days": 30.0},
        "daily_count": 3.0, "hold_seconds": 60.0
    });
    world.program(&one.key, with_points).await;
    let path = format!("/v1/programs/{id}");
    let program = world.get(&one.key, &path).await.ok(200);
    assert_eq!(program["rules"], rules);
    assert_eq!(program["currency_exponent"], 2);
    let changed = world.patch(&one.key, &path, json!({"version": 1, "rules": open_rules()})).await.ok(200);
    assert_eq!(changed["rules"]["validity"]["kind"], "months");
    world.patch(&one.key, &path, json!({"version": 1, "name": "x"})).await.is(409, "version_conflict");
    world.get(&one.key, "/v1/programs/prog_00000003nqk8n").await.is(404, "program_unknown");
    let listed = world.get(&one.key, "/v1/programs").await.ok(200);
    assert_eq!(listed["items"].as_array().expect("a list").len(), 3);
}

#[tokio::test]
async fn rules_that_contradict_each_other_are_refused() {
    let world = World::new().await;
    let one = &world.one;
    let with = |name: &str, value: Value| {
        let mut rules = open_rules();
        rules[name] = value;
        let body = json!({
            "name": "p", "currency": "CNY", "number_prefix": "8866", "number_length": 16, "rules": rules
        });
        world.post(&one.key, "/v1/programs", body)
    };
    let contradictions = [
        ("denominations", json!({"kind": "free", "min": 2, "max": 1}), "/rules/denominations/min"),
        ("pin", json!({"kind": "always"}), "/rules/pin_issued"),
    ];
    for (name, value, pointer) in contradictions {
        assert_eq!(with(name, value).await.is(409, "rules_contradict")["pointer"], pointer);
    }
    for (name, value) in [
        ("denominations", json!({"kind": "fixed", "amounts": []})),
        ("denominations", json!({"kind": "free", "min": 1, "max": 2, "step": 1})),
        ("denominations", json!(["free", 1, 2])),
        ("validity", json!({"kind": "unlimited", "days": 3})),
        ("validity", json!({"kind": "days", "days": 0})),
        ("validity", json!({"kind": "until", "at": "soon"})),
        ("pin", json!({"kind": "never", "amount": 1})),
        ("pin", json!("never")),
        ("hold_seconds", json!(0)),
        ("hold_seconds", json!(2_592_001)),
        ("acceptance", json!([])),
        ("acceptance", json!({"merchants": ["store_00000003nqk8n"]})),
        ("daily_count", json!(-1)),
        ("reloadable", json!("yes")),
        ("lot_order", json!("random")),
    ] {
        let answer = with(name, value.clone()).await;
        assert_eq!(answer.status.as_u16(), 400, "{name} {value}: {answer:?}");
        let pointer = text(&answer.json()["pointer"]);
        assert!(pointer.starts_with(&format!("/rules/{name}")), "{name} {value}: {answer:?}");
    }
    let body = |name: &str, value: Value| {
        let mut body = json!({
            "name": "p", "currency": "CNY", "number_prefix": "8866", "number_length": 16,
            "rules": open_rules()
        });
        body[name] = value;
        world.post(&one.key, "/v1/programs", body)
    };
    for (name, value) in [
        ("number_prefix", json!("8")),
        ("number_prefix", json!("88a6")),
        ("number_length", json!(15)),
        ("number_length", json!(20)),
        ("currency", json!("XYZ")),
        ("name", json!("a\nb")),
        ("rules", json!([])),
    ] {
        assert_eq!(body(name, value).await.is(400, "invalid_field")["pointer"], format!("/{name}"));
    }
}

#[tokio::test]
async fn lists_are_paged_in_order() {
    let world = World::new().await;
    let one = &world.one;
    for number in 0..7 {
        world.post(&one.key, "/v1/merchants", json!({"name": format!("m{number}")})).await.ok(201);
    }
    let (mut path, mut found) = ("/v1/merchants?limit=3".to_owned(), Vec::new());
    loop {
        let page = world.get(&one.key, &path).await.ok(200);
        let items = page["items"].as_array().expect("a list").clone();
        assert!(items.len() <= 3);
        found.extend(items.iter().map(|item| text(&item["id"])));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/merchants?limit=3&cursor={cursor}");
    }
    assert_eq!(found.len(), 8);
    assert!(found.is_sorted());
}
