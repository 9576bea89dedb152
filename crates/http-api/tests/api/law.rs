//! Policy packs over HTTP: programs, sales, refunds by law, exchanges, whom to warn, and evidence.

use serde_json::{Value, json};

use crate::world::{Card, Tenant, World, text};

const ACCOUNT: &str = "6222020200012345678";

fn rules(tenant: &Tenant, change: impl Fn(&mut Value)) -> Value {
    let mut rules = json!({
        "denominations": {"kind": "free", "min": 0, "max": 500_000}, "validity": {"kind": "unlimited"},
        "acceptance": {"merchants": [tenant.merchant]}, "reloadable": true, "registered": true,
        "cash_out": true, "policy_pack": "cn-single-purpose"
    });
    change(&mut rules);
    rules
}

fn funding() -> Value {
    json!({
        "kind": "person", "face_to_face": false, "payment": "bank_transfer", "payer_account": ACCOUNT,
        "payee_account": "6222020200087654321", "identity_verified": true
    })
}

/// Paid 1,000.00 and a bonus of 200.00, of which 600.00 were used.
async fn used(world: &World, tenant: &Tenant) -> Card {
    let program = world.program(&tenant.key, rules(tenant, |_| ())).await;
    let card = world.stocked(tenant, &program).await;
    let body = json!({
        "card": {"id": card.id}, "amount": 100_000, "currency": "CNY", "bonus": {"amount": 20_000},
        "funding": funding()
    });
    let sold = world.keyed(&tenant.key, "/v1/activations", body).await.approved();
    assert_eq!(sold["funding"]["payer_account_ending"], "5678");
    assert!(!sold.to_string().contains(ACCOUNT), "{sold}");
    world.redeem(tenant, &card, 60_000).await.approved();
    card
}

#[tokio::test]
async fn a_program_is_refused_with_the_article() {
    let world = World::new().await;
    let one = &world.one;
    let check = async |change: &dyn Fn(&mut Value), code: &str, pointer: &str, article: Option<&str>| {
        let body = json!({
            "name": "gift", "currency": "CNY", "number_prefix": "8866", "number_length": 16,
            "rules": rules(one, change)
        });
        let problem = world.post(&one.key, "/v1/programs", body).await;
        let status = if code == "policy_pack_unknown" { 404 } else { 409 };
        let problem = problem.is(status, code);
        assert_eq!(problem["pointer"], pointer, "{problem}");
        assert_eq!(problem["policy_rule"]["article"].as_str(), article, "{problem}");
    };
    let broken = "policy_rule_broken";
    check(
        &|r| r["validity"] = json!({"kind": "months", "months": 36}),
        broken,
        "/rules/validity",
        Some("19"),
    )
    .await;
    check(&|r| r["denominations"]["max"] = 500_001.into(), broken, "/rules/denominations/max", Some("18"))
        .await;
    check(&|r| r["balance_cap"] = 500_001.into(), broken, "/rules/balance_cap", Some("18")).await;
    check(&|r| r["acceptance"] = json!({}), broken, "/rules/acceptance/merchants", Some("6, 15")).await;
    check(&|r| r["residual"] = "breakage".into(), broken, "/rules/residual", Some("19")).await;
    let short = |r: &mut Value| {
        (r["registered"], r["denominations"]["max"]) = (false.into(), 100_000.into());
        r["validity"] = json!({"kind": "days", "days": 1_095});
    };
    check(&short, broken, "/rules/validity", Some("19")).await;
    let pack = "/rules/policy_pack";
    check(&|r| r["policy_pack"] = "cn-atlantis".into(), "policy_pack_unknown", pack, None).await;
    check(&|r| r["legal_class"] = "multi_licensed".into(), "policy_pack_unsuited", pack, None).await;
    let program = world.program(&one.key, rules(one, |_| ())).await;
    let read = world.get(&one.key, &format!("/v1/programs/{program}")).await.ok(200);
    assert_eq!(read["rules"]["policy_pack"], "cn-single-purpose");
    let other = rules(one, |r| r["policy_pack"] = "cn-beijing".into());
    let path = format!("/v1/programs/{program}");
    let changed = world.patch(&one.key, &path, json!({"version": 1, "rules": other})).await;
    changed.is(409, "policy_pack_fixed");
    let made = json!({"program": program, "face_value": 600_000});
    world.post(&one.key, "/v1/cards", made).await.is(409, "denomination_not_allowed");
    let batch = json!({"program": program, "count": 2, "face_value": 100, "activate": true});
    world.keyed(&one.key, "/v1/batches", batch).await.is(409, "policy_pack_unsuited");
}

#[tokio::test]
async fn rules_are_tried_without_being_saved() {
    let world = World::new().await;
    let one = &world.one;
    let check = async |program: Option<&str>, change: &dyn Fn(&mut Value), expect: &[(&str, &str)]| {
        let mut body = json!({"currency": "CNY", "rules": rules(one, change)});
        program.inspect(|id| body["program"] = (*id).into());
        let answer = world.post(&one.key, "/v1/programs/check", body).await.ok(200);
        let found = answer["findings"].as_array().expect("findings");
        let found: Vec<_> = found.iter().map(|it| (text(&it["code"]), text(&it["pointer"]))).collect();
        let expect: Vec<_> = expect.iter().map(|(code, at)| ((*code).to_owned(), (*at).to_owned())).collect();
        assert_eq!(found, expect, "{answer}");
        assert_eq!(answer["acceptable"], expect.is_empty());
        answer
    };
    check(None, &|_| (), &[]).await;
    let many = |r: &mut Value| {
        (r["validity"], r["residual"]) = (json!({"kind": "months", "months": 36}), "breakage".into());
        (r["denominations"]["max"], r["balance_cap"]) = (500_001.into(), 500_002.into());
        (r["acceptance"], r["pin"]) = (json!({}), json!({"kind": "always"}));
    };
    let law = "policy_rule_broken";
    let all = [
        ("rules_contradict", "/rules/pin_issued"),
        (law, "/rules/acceptance/merchants"),
        (law, "/rules/denominations/max"),
        (law, "/rules/balance_cap"),
        (law, "/rules/validity"),
        (law, "/rules/residual"),
    ];
    let answer = check(None, &many, &all).await;
    assert_eq!(answer["findings"][4]["policy_rule"]["article"], "19");
    assert!(text(&answer["findings"][4]["text"]["zh"]).contains("记名卡"), "{answer}");
    let pack = "/rules/policy_pack";
    check(None, &|r| r["policy_pack"] = "cn-atlantis".into(), &[("policy_pack_unknown", pack)]).await;
    check(None, &|r| r["legal_class"] = "multi_licensed".into(), &[("policy_pack_unsuited", pack)]).await;
    let program = world.program(&one.key, rules(one, |_| ())).await;
    let beijing = |r: &mut Value| r["policy_pack"] = "cn-beijing".into();
    check(Some(&program), &beijing, &[("policy_pack_fixed", pack)]).await;
    check(Some(&program), &|_| (), &[]).await;
    let strange = json!({"currency": "CNY", "program": program, "rules": rules(one, |_| ())});
    world.post(&world.two.key, "/v1/programs/check", strange).await.is(404, "program_unknown");
    let read = world.get(&one.key, &format!("/v1/programs/{program}")).await.ok(200);
    assert_eq!(read["version"], 1);
}

#[tokio::test]
async fn packs_are_read_with_their_sources() {
    let world = World::new().await;
    let one = &world.one;
    let all = world.get(&one.key, "/v1/policy-packs").await.ok(200);
    assert_eq!(all["items"].as_array().map(Vec::len), Some(6));
    let pack = world.get(&one.key, "/v1/policy-packs/cn-single-purpose").await.ok(200);
    let rules = pack["versions"][0]["rules"].as_array().expect("rules");
    let cap = rules.iter().find(|rule| rule["rule"] == "balance_cap_anonymous").expect("a cap");
    assert_eq!((&cap["article"], &cap["number"], &cap["mark"]), (&"18".into(), &100_000.into(), &"S".into()));
    world.get(&one.key, "/v1/policy-packs/cn-atlantis").await.is(404, "policy_pack_unknown");
}

#[tokio::test]
async fn a_quote_is_what_the_refund_then_is() {
    let world = World::new().await;
    let one = &world.one;
    for (cause, refund) in [("operator", 51_500), ("holder", 40_600)] {
        let card = used(&world, one).await;
        let path = format!("/v1/cards/{}/holder-refund-quotes", card.id);
        let asked = json!({"cause": cause, "rescinded_on": "2025-11-22"});
        let quote = world.post(&one.key, &path, asked).await.ok(200);
        assert_eq!(quote["status"], "approved", "{quote}");
        let body = json!({
            "card": {"id": card.id}, "cause": cause, "rescinded_on": "2025-11-22",
            "payout": {"payment": "bank_transfer", "identity_verified": true, "same_name": true, "account": ACCOUNT}
        });
        let paid = world.keyed(&one.key, "/v1/holder-refunds", body).await.approved();
        assert_eq!(paid["approved"], refund);
        assert_eq!(paid["refund"], quote["refund"]);
        assert_eq!(paid["card"]["state"], "closed");
        assert_eq!(paid["payout"]["account_ending"], "5678");
        let line = |item: &str| {
            let mut lines = paid["refund"]["lines"].as_array().expect("lines").iter();
            lines.rfind(|line| line["item"] == item).cloned().expect("a line")
        };
        assert_eq!(line("paid")["amount"], 100_000);
        assert_eq!(line("principal")["article"], if cause == "operator" { "18" } else { "19-20" });
        let again = world.post(&one.key, &path, json!({"cause": cause})).await.ok(200);
        assert_eq!((&again["status"], &again["decline"]), (&"declined".into(), &"card_closed".into()));
    }
    let card = used(&world, one).await;
    let body = json!({"card": {"id": card.id}, "cause": "holder"});
    let declined = world.keyed(&one.key, "/v1/holder-refunds", body).await.declined("policy_rule_broken");
    assert_eq!(declined["policy_rule"]["rule"], "payout_identity");
    let path = format!("/v1/cards/{}/holder-refund-quotes", card.id);
    let body = json!({"cause": "holder", "rescinded_on": "2026-11-23"});
    world.post(&one.key, &path, body).await.is(409, "rescission_in_the_future");
    world.post(&world.two.key, &path, json!({"cause": "holder"})).await.is(404, "card_unknown");
}

#[tokio::test]
async fn cards_that_expire_soon_are_listed_and_exchanged() {
    let world = World::new().await;
    let one = &world.one;
    let program = world.program(&one.key, {
        let mut rules = crate::world::open_rules();
        rules["validity"] = json!({"kind": "days", "days": 30});
        rules
    });
    let program = program.await;
    let mut cards = Vec::new();
    for amount in [100, 200, 300] {
        cards.push(world.card_of(one, &program, amount).await);
    }
    let none = world.get(&one.key, "/v1/cards/expiring?within_days=29").await.ok(200);
    assert_eq!(none["items"], json!([]));
    let (mut found, mut path) = (Vec::new(), "/v1/cards/expiring?within_days=31&limit=2".to_owned());
    loop {
        let page = world.get(&one.key, &path).await.ok(200);
        found.extend(page["items"].as_array().expect("items").iter().map(|card| text(&card["id"])));
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/cards/expiring?within_days=31&limit=2&cursor={next}");
    }
    assert_eq!(found, cards.iter().map(|card| card.id.clone()).collect::<Vec<_>>());
    world.get(&one.key, "/v1/cards/expiring?within_days=0").await.is(400, "invalid_parameter");
    world.get(&one.key, "/v1/cards/expiring").await.is(400, "invalid_parameter");
    let foreign = world.get(&world.two.key, "/v1/cards/expiring?within_days=3660").await.ok(200);
    assert_eq!(foreign["items"], json!([]));
    world.clock.advance_seconds(32 * 86_400);
    let new = world.stocked(one, &program).await;
    let body = json!({"from": {"id": cards[2].id}, "to": {"id": new.id}});
    let done = world.keyed(&one.key, "/v1/exchanges", body).await.approved();
    assert_eq!((&done["approved"], &done["to"]["available"]), (&300.into(), &300.into()));
}

#[tokio::test]
async fn evidence_is_everything_and_opens_accounts() {
    let world = World::new().await;
    let one = &world.one;
    let card = used(&world, one).await;
    let path = format!("/v1/cards/{}/evidence", card.id);
    let answer = world.get(&one.key, &path).await;
    let lines = String::from_utf8(answer.bytes).expect("text");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let records: Vec<&str> = lines.iter().filter_map(|line| line["record"].as_str()).collect();
    assert_eq!(records, ["card", "operation", "operation", "end"]);
    assert_eq!(lines[0]["policy_pack"], "cn-single-purpose");
    assert_eq!(lines[1]["kind"], "redemption");
    assert_eq!(lines[1]["transfers"].as_array().map(Vec::len), Some(2));
    assert_eq!(lines[2]["accounts"]["payer"], ACCOUNT);
    assert_eq!((&lines[3]["operations"], &lines[3]["transfers"]), (&2.into(), &4.into()));
    let reader = world.client(one, &["cards_read"], None).await;
    world.get(&reader, &path).await.is(403, "scope_missing");
    world.get(&world.two.key, &path).await.is(404, "card_unknown");
}

#[test]
fn every_rule_is_documented_with_its_source_and_mark() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/policy-packs.md");
    let docs = std::fs::read_to_string(docs).expect("the page");
    for pack in domain::policy::packs() {
        let section = docs.split("\n### ").find(|it| it.starts_with(&format!("`{}`", pack.id)));
        let section = section.unwrap_or_else(|| panic!("no section of {}", pack.id));
        for rule in pack.versions.iter().flat_map(|version| &version.rules) {
            let article = rule.article.as_deref().unwrap_or_default();
            let number = match rule.unit.name() {
                "flag" => String::new(),
                unit => format!("{} {unit}", rule.number),
            };
            let row = format!(
                "| `{}` | {article} | {number} | {} | {} | {}; {} |",
                rule.name.name(),
                rule.mark.name(),
                rule.source,
                rule.en,
                rule.zh
            );
            assert!(section.contains(&row), "{}: missing in docs/policy-packs.md: {row}", pack.id);
        }
    }
}
