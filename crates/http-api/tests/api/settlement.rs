//! Settlement from the agreement to the bank.

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::{World, text};

const DAY: i64 = 86_400;

fn terms() -> Value {
    json!({
        "cycle": {"kind": "t_plus", "days": 1},
        "fees": {"basis_points": 100, "fixed": 2},
        "refunds_return_fee": true
    })
}

async fn agree(world: &World, terms: &Value, from: &str) -> crate::world::Answer {
    let body =
        json!({"merchant": world.one.merchant, "currency": "CNY", "effective_from": from, "terms": terms});
    world.post(&world.one.key, "/v1/agreements", body).await
}

/// A closed statement of one sale of 300 and a refund of 100; its payout.
async fn settled(world: &World) -> (Value, Value) {
    let one = &world.one;
    agree(world, &terms(), "2026-11-22").await.ok(201);
    let card = world.card(one, 1_000).await;
    let sale = text(&world.redeem(one, &card, 300).await.approved()["id"]);
    world
        .keyed(&one.key, &format!("/v1/redemptions/{sale}/refunds"), json!({"amount": 100}))
        .await
        .approved();
    let early = world.post(&one.key, "/v1/settlement-runs", json!({})).await.ok(200);
    assert_eq!((&early["lines"], &early["statements"]), (&json!(2), &json!(0)), "the day is not over");
    world.clock.advance_seconds(2 * DAY);
    let run = world.post(&one.key, "/v1/settlement-runs", json!({})).await.ok(200);
    assert_eq!((&run["statements"], &run["payouts"]), (&json!(1), &json!(1)));
    assert_eq!(run["amounts"], json!([{"currency": "CNY", "amount": 197}]));
    let statements = world.get(&one.key, "/v1/statements").await.ok(200);
    let payouts = world.get(&one.key, "/v1/payouts?status=proposed").await.ok(200);
    (statements["items"][0].clone(), payouts["items"][0].clone())
}

#[tokio::test]
async fn a_statement_is_what_was_sold_less_fees() {
    let world = World::new().await;
    let one = &world.one;
    let (statement, payout) = settled(&world).await;
    // The 22nd is a Sunday: it belongs to Friday's period and is due on Monday.
    let period = ["period_from", "period_to", "due_on"].map(|field| statement[field].clone());
    assert_eq!(period, ["2026-11-20", "2026-11-22", "2026-11-23"]);
    let figures = &statement["figures"];
    let got = ["sales", "refunds", "fees", "closing", "payout", "carried"].map(|name| figures[name].clone());
    // 3 + 2 on the sale, a third of it given back: 2 (1.67).
    assert_eq!(got, [300, -100, 3, 197, 197, 0].map(Value::from));
    assert_eq!((&statement["status"], &payout["amount"]), (&json!("closed"), &json!(197)));
    assert_eq!(payout["statement"], statement["id"]);
    assert_eq!(statement["digest"].as_str().map(str::len), Some(64));
    let path = format!("/v1/statements/{}/lines", text(&statement["id"]));
    let lines = world.get(&one.key, &path).await.ok(200)["items"].clone();
    let kinds: Vec<_> = lines.as_array().expect("lines").iter().map(|line| line["kind"].clone()).collect();
    assert_eq!(kinds, ["refund", "sale"]);
    assert_eq!((&lines[0]["fee"], &lines[0]["original"]), (&json!(-2), &lines[1]["operation"]));
    let read = world.get(&one.key, &format!("/v1/statements/{}", text(&statement["id"]))).await.ok(200);
    assert_eq!(read, statement);
    let again = world.post(&one.key, "/v1/settlement-runs", json!({})).await.ok(200);
    assert_eq!(again["statements"], 0);
    // The ledger owes what the statement pays.
    let path = format!("/v1/ledger/accounts/merchant:{}", one.merchant);
    let account = world.get(&one.key, &path).await.ok(200);
    assert_eq!(crate::world::only_balance(&account), 197);
}

#[tokio::test]
async fn a_payout_needs_a_second_client_and_a_bank_account() {
    let world = World::new().await;
    let one = &world.one;
    let (_, payout) = settled(&world).await;
    let ids = json!({"payouts": [payout["id"]]});
    world.post(&one.key, "/v1/payouts/approve", ids.clone()).await.is(409, "second_person_needed");
    let maker = world.client(one, &["settlement_read", "settlement_write"], None).await;
    world.post(&maker, "/v1/payouts/approve", ids.clone()).await.is(403, "scope_missing");
    let checker = world.client(one, &["settlement_read", "settlement_write", "payouts_approve"], None).await;
    let file = json!({"payouts": [payout["id"]], "execution": "2026-11-24",
        "payer": {"holder_name": "Issuer", "account_number": "110902000012345678", "clearing_code": "102331000019"}});
    world.post(&checker, "/v1/payouts/export", file.clone()).await.is(409, "payee_missing");
    let payee = json!({"merchant": one.merchant, "currency": "CNY", "effective_from": "2026-11-01",
        "holder_name": "Tea Ltd", "account_number": "6222021202012345678", "bank_name": "ICBC Hangzhou",
        "clearing_code": "102331000019"});
    let made = world.post(&checker, "/v1/payees", payee).await.ok(201);
    assert_eq!(made["account_number"], "***************5678");
    world.post(&checker, "/v1/payouts/export", file.clone()).await.is(409, "payout_status");
    let approved = world.post(&checker, "/v1/payouts/approve", ids.clone()).await.ok(200);
    assert_eq!(approved["items"][0]["status"], "approved");
    let sent = world.post(&checker, "/v1/payouts/export", file.clone()).await;
    assert_eq!((sent.status.as_u16(), sent.header("content-type")), (200, "application/xml"));
    let xml = String::from_utf8(sent.bytes.clone()).expect("a text");
    for part in ["pain.001.001.09", "6222021202012345678", "1.97", payout["id"].as_str().expect("an id")] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
    let again = world.post(&checker, "/v1/payouts/export", file).await;
    assert_eq!(again.status.as_u16(), 200, "a lost file can be had again");
    let path = format!("/v1/ledger/accounts/merchant:{}", one.merchant);
    let owed = crate::world::only_balance(&world.get(&one.key, &path).await.ok(200));
    assert_eq!(owed, 0, "posted once");
    let path = format!("/v1/payouts/{}", text(&payout["id"]));
    assert_eq!(world.get(&checker, &path).await.ok(200)["status"], "sent");
    let back = json!({"payouts": [payout["id"]], "reason": "no such account"});
    let back = world.post(&checker, "/v1/payouts/return", back).await.ok(200);
    assert_eq!(back["items"][0]["status"], "returned");
    world.post(&checker, "/v1/payouts/confirm", ids).await.is(409, "payout_status");
    world.clock.advance_seconds(2 * DAY);
    world.post(&one.key, "/v1/settlement-runs", json!({})).await.ok(200);
    let next = world.get(&one.key, "/v1/statements").await.ok(200)["items"][0].clone();
    let figures = ["opening", "payout_returns", "payout"].map(|name| next["figures"][name].clone());
    assert_eq!(figures, [0, 197, 197].map(Value::from), "payable again");
}

#[tokio::test]
async fn terms_out_of_bounds_name_the_field() {
    let world = World::new().await;
    let check = async |terms: Value, pointer: &str| {
        let problem = agree(&world, &terms, "2026-11-22").await.is(409, "terms_contradict");
        assert_eq!(problem["pointer"], pointer);
    };
    let t1 = json!({"kind": "t_plus", "days": 1});
    check(json!({"cycle": {"kind": "t_plus", "days": 31}}), "/terms/cycle/days").await;
    check(json!({"cycle": t1, "fees": {"floor": 10, "cap": 5}}), "/terms/fees/cap").await;
    check(json!({"cycle": t1, "splits": {"receivers": []}}), "/terms/splits/receivers").await;
    let foreign = json!({"merchant": world.two.merchant, "share": {"kind": "fixed", "amount": 1}});
    let pointer = "/terms/splits/receivers/0/merchant";
    check(json!({"cycle": t1, "splits": {"receivers": [foreign]}}), pointer).await;
    agree(&world, &terms(), "2026-12-01").await.ok(201);
    let again = agree(&world, &terms(), "2026-12-01").await.is(409, "terms_contradict");
    assert_eq!(again["pointer"], "/effective_from");
    agree(&world, &json!({"cycle": t1, "fees": {"share": 1}}), "2026-11-22").await.is(400, "unknown_field");
    agree(&world, &json!({"cycle": t1, "cut_off": "25:00"}), "2026-11-22").await.is(400, "invalid_field");
}

#[tokio::test]
async fn others_see_nothing_and_a_merchant_sees_its_own() {
    let world = World::new().await;
    let (statement, payout) = settled(&world).await;
    let (one, two) = (&world.one, &world.two);
    for (path, code) in [
        (format!("/v1/statements/{}", text(&statement["id"])), "statement_unknown"),
        (format!("/v1/statements/{}/lines", text(&statement["id"])), "statement_unknown"),
        (format!("/v1/payouts/{}", text(&payout["id"])), "payout_unknown"),
        (format!("/v1/agreements/{}", text(&statement["agreement"])), "agreement_unknown"),
    ] {
        world.get(&two.key, &path).await.is(404, code);
    }
    let own = world.client(one, &["settlement_read", "settlement_write"], Some(&one.merchant)).await;
    assert_eq!(world.get(&own, "/v1/statements").await.ok(200)["items"][0]["id"], statement["id"]);
    world.post(&own, "/v1/settlement-runs", json!({})).await.is(403, "not_permitted");
}

#[tokio::test]
async fn a_dry_run_compares_and_writes_nothing() {
    let world = World::new().await;
    let one = &world.one;
    settled(&world).await;
    let candidate = json!({"cycle": {"kind": "t_plus", "days": 1}, "fees": {"basis_points": 1000}});
    let body = json!({"from": "2026-11-01", "to": "2026-11-30", "terms": candidate});
    let compared = world.post(&one.key, "/v1/agreements/dry-run", body).await.ok(200);
    let expect = json!({"sales": 300, "sales_count": 1, "fees": 3, "candidate_fees": 30});
    assert_eq!(compared["total"], expect);
    assert_eq!(compared["merchants"][0]["merchant"], one.merchant);
    assert_eq!(
        world.get(&one.key, "/v1/agreements").await.ok(200)["items"].as_array().map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn a_statement_is_exported_in_each_form() {
    let world = World::new().await;
    let one = &world.one;
    let (statement, _) = settled(&world).await;
    let path = |query: &str| format!("/v1/statements/{}/export?{query}", text(&statement["id"]));
    let csv = world.get(&one.key, &path("format=csv&language=en")).await;
    assert_eq!((csv.status.as_u16(), csv.header("content-type")), (200, "text/csv; charset=utf-8"));
    let name = format!("attachment; filename=\"{}.csv\"", text(&statement["id"]));
    assert_eq!(csv.header("content-disposition"), name);
    let content = String::from_utf8(csv.bytes).expect("a text");
    for part in ["3.00", "-1.00", "1.97", "Payout"] {
        assert!(content.contains(part), "{part} in {content}");
    }
    for (format, begins) in [("pdf&language=zh", &b"%PDF"[..]), ("xlsx", &b"PK"[..])] {
        let document = world.get(&one.key, &path(&format!("format={format}"))).await;
        assert_eq!(document.status.as_u16(), 200, "{format}");
        assert!(document.bytes.starts_with(begins), "{format}");
    }
    world.get(&world.two.key, &path("format=csv")).await.is(404, "statement_unknown");
    world.get(&one.key, &path("format=doc")).await.is(400, "invalid_parameter");
}

#[tokio::test]
async fn a_calendar_is_built_in_and_can_be_imported() {
    let world = World::new().await;
    let one = &world.one;
    let built_in = world.get(&one.key, "/v1/calendar-days?year=2026").await.ok(200);
    assert_eq!((&built_in["imported"], &built_in["days"][0]["date"]), (&json!(false), &json!("2026-01-01")));
    let unknown = world.get(&one.key, "/v1/calendar-days?year=2031").await.ok(200);
    assert_eq!(unknown["days"], json!([]));
    let put = async |body: Value| {
        let body = Some(body.to_string().into_bytes());
        world.call(&Method::PUT, "/v1/calendar-days", Some(&one.key), None, body).await
    };
    let monday = json!([{"date": "2026-11-23", "working": false, "name": "Inventory"}]);
    put(json!({"year": 2026, "days": monday})).await.ok(200);
    let (statement, _) = settled(&world).await;
    assert_eq!(statement["due_on"], "2026-11-24", "Monday is off now");
    let twice = json!([{"date": "2026-11-23", "working": false, "name": "a"}, {"date": "2026-11-23", "working": true, "name": "b"}]);
    let problem = put(json!({"year": 2026, "days": twice})).await.is(409, "terms_contradict");
    assert_eq!(problem["pointer"], "/days/1/date");
}

#[tokio::test]
async fn a_sales_channel_pays_what_it_sold_for() {
    let world = World::new().await;
    let (one, two) = (&world.one, &world.two);
    let card = world.stocked(one, &one.program).await;
    let sale = json!({"card": {"id": card.id}, "amount": 500, "currency": "CNY", "channel": "web"});
    world.keyed(&one.key, "/v1/activations", sale).await.approved();
    let owes = async |key: &str| {
        crate::world::only_balance(&world.get(key, "/v1/ledger/accounts/channel:web").await.ok(200))
    };
    let before = owes(&one.key).await;
    assert_eq!(before.abs(), 500, "the channel holds the cash");
    let toward_nothing = |paid: i64| before - before.signum() * paid;
    let path = "/v1/channel-payments";
    let payment = json!({"channel": "web", "amount": 400, "currency": "CNY", "reference": "bank 17"});
    let paid = world.under(&one.key, "their-transfer", path, payment.clone()).await.approved();
    assert_eq!((&paid["kind"], &paid["channel"]), (&json!("channel_payment"), &json!("web")));
    assert_eq!(owes(&one.key).await, toward_nothing(400));
    let mut spelled = payment.clone();
    spelled["direction"] = "received".into();
    let again = world.under(&one.key, "their-transfer", path, spelled).await;
    assert_eq!((again.header("idempotent-replayed"), again.approved()), ("true", paid));
    assert_eq!(owes(&one.key).await, toward_nothing(400), "posted once");
    let mut other = payment.clone();
    other["amount"] = 401.into();
    world.under(&one.key, "their-transfer", path, other).await.is(409, "idempotency_key_reused");
    let back = json!({"channel": "web", "amount": 100, "currency": "CNY", "direction": "returned", "reason": "paid twice"});
    world.keyed(&one.key, path, back).await.approved();
    assert_eq!(owes(&one.key).await, toward_nothing(300));
    assert_eq!(owes(&two.key).await, 0, "another issuer's books are its own");
    world.post(&one.key, path, payment.clone()).await.is(400, "idempotency_key_missing");
    let with = |field: &str, value: Value| {
        let mut body = payment.clone();
        body[field] = value;
        body
    };
    let problem = world.keyed(&one.key, path, with("amount", 0.into())).await.is(400, "invalid_amount");
    assert_eq!(problem["pointer"], "/amount");
    let problem =
        world.keyed(&one.key, path, with("channel", "Web shop".into())).await.is(400, "invalid_field");
    assert_eq!(problem["pointer"], "/channel");
    let problem = world.keyed(&one.key, path, with("currency", "USD".into())).await;
    assert_eq!(problem.json()["pointer"], "/currency", "no program of this issuer is in it: {problem:?}");
    world.keyed(&one.key, path, with("direction", "sideways".into())).await.is(400, "invalid_field");
    let bound = world.client(one, &["settlement_write"], Some(&one.merchant)).await;
    world.keyed(&bound, path, payment.clone()).await.is(403, "not_permitted");
    let reader = world.client(one, &["settlement_read"], None).await;
    world.keyed(&reader, path, payment).await.is(403, "scope_missing");
}

#[tokio::test]
async fn a_run_that_takes_longer_than_an_answer_goes_on() {
    let mut world = World::new().await;
    let one = world.one.clone();
    let card = world.card(&one, 1_000).await;
    for _ in 0..5 {
        world.redeem(&one, &card, 100).await.approved();
    }
    world.clock.advance_seconds(2 * DAY);
    let hurried =
        http_api::Options { answer_timeout: std::time::Duration::ZERO, ..http_api::Options::default() };
    world.reopen(hurried);
    let begun = world.post(&one.key, "/v1/settlement-runs", json!({})).await.ok(202);
    assert_eq!((&begun["more"], &begun["statements"]), (&json!(true), &json!(0)));
    // A second request meanwhile does not begin a second run beside it.
    world.post(&one.key, "/v1/settlement-runs", json!({})).await.ok(202);
    let mut closed = Value::Null;
    for _ in 0..500 {
        closed = world.get(&one.key, "/v1/statements?status=closed").await.ok(200)["items"].clone();
        if closed != json!([]) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(closed[0]["figures"]["sales"], 500, "nobody had to ask again");
    world.reopen(http_api::Options::default());
    let again = world.post(&one.key, "/v1/settlement-runs", json!({})).await.ok(200);
    assert_eq!((&again["more"], &again["statements"]), (&json!(false), &json!(0)));
    assert_eq!(
        world.get(&one.key, "/v1/statements").await.ok(200)["items"].as_array().map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn the_books_of_one_merchant_can_be_closed_before_its_period_is_over() {
    let world = World::new().await;
    let one = &world.one;
    let other = text(&world.post(&one.key, "/v1/merchants", json!({"name": "stays"})).await.ok(201)["id"]);
    let card = world.card(one, 1_000).await;
    world.redeem(one, &card, 300).await.approved();
    let body = json!({"card": {"number": card.number}, "amount": 50, "currency": "CNY", "merchant": other});
    world.keyed(&one.key, "/v1/redemptions", body).await.approved();
    let close = json!({"through": "2026-11-22", "early": one.merchant});
    let foreign = json!({"early": world.two.merchant});
    world.post(&one.key, "/v1/settlement-runs", foreign).await.is(404, "merchant_unknown");
    let run = world.post(&one.key, "/v1/settlement-runs", close.clone()).await.ok(200);
    assert_eq!((&run["statements"], &run["payouts"]), (&json!(1), &json!(1)), "the other one's is open");
    let path = format!("/v1/statements?merchant={}", one.merchant);
    let first = world.get(&one.key, &path).await.ok(200)["items"][0].clone();
    assert_eq!((&first["status"], &first["figures"]["sales"]), (&json!("closed"), &json!(300)));
    world.redeem(one, &card, 200).await.approved();
    let again = world.post(&one.key, "/v1/settlement-runs", close).await.ok(200);
    assert_eq!((&again["lines"], &again["statements"]), (&json!(1), &json!(0)), "that period has not begun");
    world.clock.advance_seconds(3 * DAY);
    world.post(&one.key, "/v1/settlement-runs", json!({})).await.ok(200);
    let next = world.get(&one.key, &path).await.ok(200)["items"][0].clone();
    let figures = ["sales", "late_count", "payout"].map(|name| next["figures"][name].clone());
    assert_eq!(figures, [200, 1, 200].map(Value::from), "late, and not lost");
    assert_eq!((&next["previous"], &next["period_from"]), (&first["id"], &json!("2026-11-23")));
}

/// An approved payout of 197 with a bank account, and the request that sends it.
async fn approved(world: &World) -> (Value, Value, String) {
    let one = &world.one;
    let (_, payout) = settled(world).await;
    let checker = world.client(one, &["settlement_read", "settlement_write", "payouts_approve"], None).await;
    let payee = json!({"merchant": one.merchant, "currency": "CNY", "effective_from": "2026-11-01",
        "holder_name": "杭州某某茶业有限公司", "account_number": "6222021202012345678",
        "bank_name": "中国工商银行杭州分行", "clearing_code": "102331000019"});
    world.post(&checker, "/v1/payees", payee).await.ok(201);
    let ids = json!({"payouts": [payout["id"]]});
    world.post(&checker, "/v1/payouts/approve", ids).await.ok(200);
    let file = json!({"payouts": [payout["id"]], "execution": "2026-11-24",
        "payer": {"holder_name": "Issuer", "account_number": "110902000012345678", "clearing_code": "102331000019"}});
    (payout, file, checker)
}

#[tokio::test]
async fn a_bank_gets_its_own_format_by_a_template() {
    let world = World::new().await;
    let (payout, file, checker) = approved(&world).await;
    let with = |more: Value| {
        let mut body = file.clone();
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    let send = async |more| world.post(&checker, "/v1/payouts/export", with(more)).await;
    send(json!({"format": "template"})).await.is(409, "terms_contradict");
    send(json!({"built_in": "delimited"})).await.is(409, "terms_contradict");
    let wrong =
        send(json!({"format": "template", "template": {"id": "x"}})).await.is(409, "document_refused");
    assert_eq!(wrong["pointer"], "/template");
    let path = format!("/v1/payouts/{}", text(&payout["id"]));
    assert_eq!(world.get(&checker, &path).await.ok(200)["status"], "approved", "nothing of that was sent");
    let own = json!({"id": "own", "name": "own", "encoding": "utf-8", "line_ending": "lf", "separator": ";",
        "quoting": "none", "columns": [{"field": "payee_account"}, {"field": "payee_name"},
            {"field": "amount", "amount": "minor_units"}, {"field": "end_to_end_id"}]});
    let file = send(json!({"format": "template", "template": own})).await;
    assert_eq!((file.status.as_u16(), file.header("content-type")), (200, "text/csv"), "{file:?}");
    let expect = format!("6222021202012345678;杭州某某茶业有限公司;197;{}\n", text(&payout["id"]));
    assert_eq!(String::from_utf8(file.bytes).expect("a text"), expect);
    assert_eq!(world.get(&checker, &path).await.ok(200)["status"], "sent");
    // The same payout in another form: a lost file, or a bank that changed its mind. Nothing is posted twice.
    for built_in in ["delimited", "spreadsheet"] {
        let again = send(json!({"format": "template", "built_in": built_in})).await;
        assert_eq!(again.status.as_u16(), 200, "{built_in}: {again:?}");
        let found = again.bytes.windows(19).any(|part| part == b"6222021202012345678");
        assert!(found, "{built_in}");
    }
    let path = format!("/v1/ledger/accounts/merchant:{}", world.one.merchant);
    assert_eq!(crate::world::only_balance(&world.get(&world.one.key, &path).await.ok(200)), 0);
}

#[tokio::test]
async fn a_merchant_pays_what_its_statement_asked_for_once() {
    let world = World::new().await;
    let one = &world.one;
    let mut invoicing = terms();
    invoicing["negative"] = "invoice".into();
    agree(&world, &invoicing, "2026-11-22").await.ok(201);
    let card = world.card(one, 1_000).await;
    // A refund without a sale leaves the merchant owing.
    let body =
        json!({"card": {"number": card.number}, "amount": 400, "currency": "CNY", "merchant": one.merchant});
    world.keyed(&one.key, "/v1/refunds", body).await.approved();
    world.clock.advance_seconds(2 * DAY);
    world.post(&one.key, "/v1/settlement-runs", json!({})).await.ok(200);
    let statement = world.get(&one.key, "/v1/statements").await.ok(200)["items"][0].clone();
    assert_eq!(
        (&statement["figures"]["invoiced"], &statement["figures"]["carried"]),
        (&json!(400), &json!(0))
    );
    let pay = |amount: i64| json!({"statement": statement["id"], "amount": amount, "reference": "bank-77"});
    let problem = world.post(&one.key, "/v1/merchant-payments", pay(399)).await.is(409, "terms_contradict");
    assert_eq!(problem["pointer"], "/amount");
    world.post(&world.two.key, "/v1/merchant-payments", pay(400)).await.is(404, "statement_unknown");
    let reader = world.client(one, &["settlement_read"], None).await;
    world.post(&reader, "/v1/merchant-payments", pay(400)).await.is(403, "scope_missing");
    let paid = world.post(&one.key, "/v1/merchant-payments", pay(400)).await.approved();
    assert_eq!((&paid["kind"], &paid["reference"]), (&json!("merchant_payment"), &json!("bank-77")));
    // Another client that reports the same payment finds it posted.
    let other = world.client(one, &["settlement_write"], None).await;
    let again = world.post(&other, "/v1/merchant-payments", pay(400)).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.approved()["id"], paid["id"]);
    let path = format!("/v1/ledger/accounts/merchant:{}", one.merchant);
    assert_eq!(crate::world::only_balance(&world.get(&one.key, &path).await.ok(200)), 0, "nothing is owed");
    // It is on no statement: the invoice took it out of what is carried.
    world.clock.advance_seconds(2 * DAY);
    let run = world.post(&one.key, "/v1/settlement-runs", json!({})).await.ok(200);
    assert_eq!((&run["lines"], &run["statements"]), (&json!(0), &json!(0)));
}
