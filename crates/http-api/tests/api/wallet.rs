//! Card holders over HTTP: signing in, cards, payment codes, gifts, and what nobody is told.

use axum::{
    body::Body,
    http::{Method, Request},
};
use http_api::{Options, WalletLimits};
use serde_json::{Value, json};
use wallet::{DeviceSecret, PaymentCode, code::step_of};

use crate::world::{Answer, Card, World, open_rules, text};

/// A holder's browser.
struct Browser {
    cookie: String,
    csrf: String,
}

struct Enrolled {
    tag: u32,
    secret: DeviceSecret,
    id: String,
}

async fn world() -> World {
    World::with(Options { demo: true, wallet: WalletLimits::UNLIMITED, ..Options::default() }).await
}

fn request(method: &Method, path: &str, browser: Option<&Browser>, body: Option<&Value>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(browser) = browser {
        request = request.header("cookie", format!("other=1; {}", browser.cookie));
        request = request.header("x-csrf-token", &browser.csrf);
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    request.body(Body::from(body)).expect("a request")
}

async fn ask(world: &World, browser: &Browser, method: &Method, path: &str, body: Option<Value>) -> Answer {
    world.send(request(method, path, Some(browser), body.as_ref())).await
}

async fn post(world: &World, browser: &Browser, path: &str, body: Option<Value>) -> Answer {
    ask(world, browser, &Method::POST, path, body).await
}

async fn get(world: &World, browser: &Browser, path: &str) -> Answer {
    ask(world, browser, &Method::GET, path, None).await
}

async fn sent_code(world: &World, phone: &str) -> String {
    let path = format!("/v1/wallet/outbox?phone={phone}&issuer={}", world.one.issuer);
    let sent = world.send(request(&Method::GET, &path, None, None)).await.ok(200);
    text(&sent["items"][0]["code"])
}

async fn sign_in(world: &World, phone: &str) -> Browser {
    let body = json!({"issuer": world.one.issuer, "phone": phone});
    world.send(request(&Method::POST, "/v1/wallet/codes", None, Some(&body))).await.ok(202);
    let code = sent_code(world, phone).await;
    let body = json!({"issuer": world.one.issuer, "phone": phone, "code": code});
    let answer = world.send(request(&Method::POST, "/v1/wallet/sessions", None, Some(&body))).await;
    let session = answer.ok(201);
    let set = answer.header("set-cookie");
    for part in ["__Host-hexiao-wallet=", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    let cookie = set.split(';').next().expect("a cookie").to_owned();
    Browser { cookie, csrf: text(&session["csrf_token"]) }
}

/// A card of a program that asks for PINs.
async fn card(world: &World) -> Card {
    let mut rules = open_rules();
    rules["pin"] = json!({"kind": "always"});
    rules["pin_issued"] = json!(true);
    let program = world.program(&world.one.key, rules).await;
    world.card_of(&world.one, &program, 10_000).await
}

async fn added(world: &World, browser: &Browser) -> Card {
    let card = card(world).await;
    let body = json!({"number": card.number, "pin": card.pin});
    let view = post(world, browser, "/v1/wallet/cards", Some(body)).await.ok(201);
    assert_eq!(view["id"], card.id);
    card
}

async fn enrol(world: &World, browser: &Browser, card: &Card) -> Enrolled {
    let path = format!("/v1/wallet/cards/{}/devices", card.id);
    let device = post(world, browser, &path, None).await.ok(201);
    let mut bytes = [0; 32];
    for (place, byte) in base64(&text(&device["secret"])).into_iter().enumerate() {
        bytes[place] = byte;
    }
    Enrolled {
        tag: text(&device["tag"]).parse().expect("digits"),
        secret: DeviceSecret::new(bytes),
        id: text(&device["device"]),
    }
}

/// Base64url without padding.
fn base64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let bits: Vec<bool> =
        text.bytes().flat_map(|c| (0..6).rev().map(move |bit| value(c) >> bit & 1 == 1)).collect();
    bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit))).collect()
}

fn code(world: &World, device: &Enrolled) -> String {
    PaymentCode::of(device.tag, &device.secret, step_of(world.engine.now())).digits().to_string()
}

fn payment(world: &World, code: &str, amount: i64) -> Value {
    json!({"card": {"code": code}, "amount": amount, "currency": "CNY", "store": world.one.store})
}

#[tokio::test]
async fn a_holder_signs_in_and_pays_with_a_code() {
    let world = world().await;
    let browser = sign_in(&world, "13800000001").await;
    let session = get(&world, &browser, "/v1/wallet/session").await.ok(200);
    assert_eq!(session["holder"]["last4"], "0001");
    let card = added(&world, &browser).await;
    let device = enrol(&world, &browser, &card).await;
    let code = code(&world, &device);
    let shown = world.post(&world.one.key, "/v1/cards/lookup", json!({"code": code})).await.ok(200);
    assert_eq!(shown["id"], card.id);
    // No PIN: the code stands for it.
    let first = world.under(&world.one.key, "sale", "/v1/redemptions", payment(&world, &code, 100)).await;
    first.approved();
    let again = world.under(&world.one.key, "sale", "/v1/redemptions", payment(&world, &code, 100)).await;
    assert_eq!((again.bytes.clone(), again.header("idempotent-replayed")), (first.bytes, "true"));
    world.keyed(&world.one.key, "/v1/redemptions", payment(&world, &code, 100)).await.is(409, "code_used");
    world.keyed(&world.one.key, "/v1/holds", payment(&world, &code, 100)).await.is(409, "code_used");
    world.clock.advance_seconds(100);
    let late = world.under(&world.one.key, "sale", "/v1/redemptions", payment(&world, &code, 100)).await;
    assert_eq!(late.bytes, again.bytes, "the stored answer, also when the code is old");
    world.keyed(&world.one.key, "/v1/redemptions", payment(&world, &code, 100)).await.is(409, "code_expired");
    let path = format!("/v1/wallet/cards/{}/operations", card.id);
    let operations = get(&world, &browser, &path).await.ok(200);
    let kinds: Vec<&str> =
        operations["items"].as_array().expect("a list").iter().filter_map(|o| o["kind"].as_str()).collect();
    assert_eq!(kinds, ["redemption", "member_binding"], "not the activation before it was the holder's");
    assert_eq!(operations["items"][0]["store_name"], "one");
}

#[tokio::test]
async fn codes_in_a_batch_are_used_like_alone() {
    let world = world().await;
    let browser = sign_in(&world, "13800000001").await;
    let mut items = Vec::new();
    for n in 0..12 {
        let card = added(&world, &browser).await;
        let device = enrol(&world, &browser, &card).await;
        let mut item = payment(&world, &code(&world, &device), 100);
        item["key"] = format!("item-{n}").into();
        items.push(item);
    }
    let mut twice = items[3].clone();
    twice["key"] = "twice".into();
    items.push(twice);
    let mut nobody = items[0].clone();
    (nobody["key"], nobody["card"]) = ("nobody".into(), json!({"code": "28000000004269497053"}));
    items.push(nobody);
    let body = json!({"items": items});
    let done = world.post(&world.one.key, "/v1/redemptions/batch", body.clone()).await.ok(200);
    let results = done["results"].as_array().expect("a list");
    assert!(results[..12].iter().all(|result| result["operation"]["status"] == "approved"), "{done}");
    assert_eq!(results[12]["problem"]["code"], "code_used");
    assert_eq!(results[12]["problem"]["pointer"], "/items/12/card/code");
    assert_eq!(results[13]["problem"]["code"], "code_unknown");
    let again = world.post(&world.one.key, "/v1/redemptions/batch", body).await.ok(200);
    assert_eq!(again["results"][5], done["results"][5], "replayed");
}

#[tokio::test]
async fn guesses_at_codes_are_limited() {
    let world = world().await;
    let browser = sign_in(&world, "13800000001").await;
    let card = added(&world, &browser).await;
    let device = enrol(&world, &browser, &card).await;
    let mut limited = 0;
    for n in 0..40_u8 {
        let guess = PaymentCode::of(device.tag, &DeviceSecret::new([n; 32]), step_of(world.engine.now()));
        let body = payment(&world, &guess.digits(), 100);
        let answer = world.keyed(&world.one.key, "/v1/redemptions", body).await;
        if answer.status.as_u16() == 404 {
            drop(answer.is(404, "code_unknown"));
        } else {
            answer.is(429, "rate_limited");
            limited += 1;
        }
    }
    assert_eq!(limited, 30, "ten guesses at a device within a minute");
    world.clock.advance_seconds(60);
    let body = payment(&world, &code(&world, &device), 100);
    world.keyed(&world.one.key, "/v1/redemptions", body).await.approved();
}

#[tokio::test]
async fn what_a_card_is_cannot_be_asked_without_its_pin() {
    let world = world().await;
    let browser = sign_in(&world, "13800000001").await;
    let (sold, stocked) = (card(&world).await, world.stocked(&world.one, &world.one.program).await);
    let foreign = world.card(&world.two, 100).await;
    let without_pin = world.card(&world.one, 100).await;
    let wrong = if sold.pin.as_deref() == Some("000000") { "111111" } else { "000000" };
    let mut bodies = Vec::new();
    for number in [
        "8866123456789011",
        "8866123456789012",
        &sold.number,
        &stocked.number,
        &foreign.number,
        &without_pin.number,
    ] {
        let body = json!({"number": number, "pin": wrong});
        let answer = post(&world, &browser, "/v1/wallet/cards", Some(body)).await;
        let mut problem = answer.is(404, "card_not_found");
        problem["request_id"] = Value::Null;
        bodies.push(problem.to_string());
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[tokio::test]
async fn only_the_own_page_of_a_signed_in_holder_changes_anything() {
    let world = world().await;
    let browser = sign_in(&world, "13800000001").await;
    let card = added(&world, &browser).await;
    for (method, path, operation) in crate::openapi::operations() {
        if !path.starts_with("/v1/wallet") || operation["security"].as_array().is_some_and(Vec::is_empty) {
            continue;
        }
        let at = crate::openapi::concrete(&path, &operation);
        let body = json!({});
        let body = operation.get("requestBody").is_some().then_some(&body);
        world.send(request(&method, &at, None, body)).await.is(401, "holder_session_missing");
        let forged = Browser { cookie: "__Host-hexiao-wallet=AAAA".to_owned(), csrf: String::new() };
        world.send(request(&method, &at, Some(&forged), body)).await.is(401, "holder_session_missing");
        if method != Method::GET {
            let other_page = Browser { cookie: browser.cookie.clone(), csrf: "no".to_owned() };
            world.send(request(&method, &at, Some(&other_page), body)).await.is(403, "csrf_token");
        }
    }
    let path = format!("/v1/wallet/cards/{}/report-lost", card.id);
    let mut elsewhere = request(&Method::POST, &path, Some(&browser), None);
    elsewhere.headers_mut().insert("sec-fetch-site", "cross-site".parse().expect("a header"));
    world.send(elsewhere).await.is(403, "csrf_token");
    ask(&world, &browser, &Method::DELETE, "/v1/wallet/session", None).await;
    get(&world, &browser, "/v1/wallet/cards").await.is(401, "holder_session_missing");
}

#[tokio::test]
async fn a_gift_goes_to_another_phone() {
    let world = world().await;
    let (giver, receiver) = (sign_in(&world, "13800000001").await, sign_in(&world, "13800000002").await);
    let card = added(&world, &giver).await;
    let device = enrol(&world, &giver, &card).await;
    let path = format!("/v1/wallet/cards/{}/gifts", card.id);
    let gift = post(&world, &giver, &path, Some(json!({"phone": "13800000002"}))).await.ok(201);
    assert_eq!((gift["direction"].as_str(), gift["other_last4"].as_str()), (Some("outgoing"), Some("0002")));
    post(&world, &giver, &path, Some(json!({"phone": "13800000003"}))).await.is(409, "gift_state");
    let accept = format!("/v1/wallet/gifts/{}/accept", text(&gift["id"]));
    post(&world, &giver, &accept, None).await.is(404, "gift_unknown");
    post(&world, &receiver, &accept, None).await.ok(200);
    post(&world, &receiver, &accept, None).await.is(409, "gift_state");
    let own = get(&world, &receiver, "/v1/wallet/cards").await.ok(200);
    assert_eq!(own["items"][0]["id"], card.id);
    assert_eq!(get(&world, &giver, "/v1/wallet/cards").await.ok(200)["items"], json!([]));
    get(&world, &giver, &format!("/v1/wallet/cards/{}", card.id)).await.is(404, "card_unknown");
    let body = payment(&world, &code(&world, &device), 100);
    world.keyed(&world.one.key, "/v1/redemptions", body).await.is(404, "code_unknown");
    let revoke = format!("/v1/wallet/devices/{}", device.id);
    ask(&world, &giver, &Method::DELETE, &revoke, None).await.is(404, "device_unknown");
}

#[tokio::test]
async fn sign_ins_are_limited_and_tell_nothing() {
    let limits = WalletLimits { failures_overall: 8, ..WalletLimits::UNLIMITED };
    let world = World::with(Options { demo: true, wallet: limits, ..Options::default() }).await;
    let try_in = |phone: &str| {
        let body = json!({"issuer": world.one.issuer, "phone": phone, "code": "000000"});
        world.send(request(&Method::POST, "/v1/wallet/sessions", None, Some(&body)))
    };
    for _ in 0..8 {
        try_in("13800000009").await.is(401, "sign_in_failed");
    }
    try_in("13800000009").await.is(429, "rate_limited");
    let body = json!({"issuer": "iss_00000003nqk8n", "phone": "13800000009"});
    world.send(request(&Method::POST, "/v1/wallet/codes", None, Some(&body))).await.ok(202);
    let world = World::new().await;
    let path = "/v1/wallet/outbox?phone=13800000009";
    world.send(request(&Method::GET, path, None, None)).await.is(404, "route_unknown");
}
