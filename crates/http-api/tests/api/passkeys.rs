//! Passkeys over HTTP, with an authenticator in software: adding, signing in with and without a password, and all that
//! must not work.

use axum::{
    body::Body,
    http::{Method, Request},
};
use base64ct::{Base64UrlUnpadded, Encoding};
use http_api::Options;
use identity::Policy;
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};

use crate::{
    people::{Browser, PASSWORD, person, signed_in, try_in},
    world::{Answer, World, text},
};

/// Makes an authenticator do something wrong.
type Turn = fn(&mut Authenticator);

const HERE: &str = "https://cards.example.com";
const PRESENT: u8 = 1;
const VERIFIED: u8 = 4;

fn base64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// A passkey with the device and the browser around it. Fields say what it will do next: honest, unless a test turns
/// one.
#[derive(Clone)]
struct Authenticator {
    pkcs8: Vec<u8>,
    id: Vec<u8>,
    user: String,
    counter: u32,
    flags: u8,
    origin: String,
    host: String,
}

impl Authenticator {
    fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
        let mut id = vec![0; 24];
        random.fill(&mut id).expect("randomness");
        Self {
            pkcs8: pkcs8.as_ref().to_vec(),
            id,
            user: String::new(),
            counter: 1,
            flags: PRESENT | VERIFIED,
            origin: HERE.to_owned(),
            host: "cards.example.com".to_owned(),
        }
    }

    fn key(&self) -> EcdsaKeyPair {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.pkcs8, &SystemRandom::new())
            .expect("a key")
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let hash = digest(&SHA256, self.host.as_bytes());
        [hash.as_ref(), &[flags], &self.counter.to_be_bytes()].concat()
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let data = json!({"type": kind, "challenge": options["challenge"], "origin": self.origin});
        data.to_string().into_bytes()
    }

    /// Makes the passkey.
    fn create(&mut self, answer: &Value) -> Value {
        let options = &answer["options"];
        assert_eq!(options["rp"]["id"], self.host);
        self.user = text(&options["user"]["id"]);
        let key = self.key();
        let point = key.public_key().as_ref();
        let length = u16::try_from(self.id.len()).expect("short").to_be_bytes();
        let cose = [
            &[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32][..],
            &point[1..33],
            &[0x22, 0x58, 32],
            &point[33..],
        ]
        .concat();
        let data = [&self.data(self.flags | 0x40)[..], &[0; 16], &length, &self.id, &cose].concat();
        let object = [
            &[0xa3, 0x63][..],
            b"fmt",
            &[0x64],
            b"none",
            &[0x67],
            b"attStmt",
            &[0xa0, 0x68],
            b"authData",
            &[0x58, u8::try_from(data.len()).expect("short")],
            &data,
        ]
        .concat();
        json!({
            "id": base64(&self.id), "type": "public-key",
            "response": {
                "clientDataJSON": base64(&self.client_data("webauthn.create", options)),
                "attestationObject": base64(&object),
            }
        })
    }

    /// Uses it.
    fn assert(&mut self, answer: &Value) -> Value {
        let options = &answer["options"];
        self.counter += 1;
        let (data, client) = (self.data(self.flags), self.client_data("webauthn.get", options));
        let message = [&data[..], digest(&SHA256, &client).as_ref()].concat();
        let signature = self.key().sign(&SystemRandom::new(), &message).expect("a signature");
        json!({
            "id": base64(&self.id), "type": "public-key",
            "response": {
                "clientDataJSON": base64(&client),
                "authenticatorData": base64(&data),
                "signature": base64(signature.as_ref()),
                "userHandle": self.user,
            }
        })
    }
}

async fn world(required: bool) -> World {
    let policy = Policy { second_factor_required: required, ..Policy::default() };
    let origins = [HERE, "http://localhost:8080"].map(|origin| origin.parse().expect("an origin"));
    World::with(Options { sign_in: policy, passkey_origins: origins.into(), ..Options::default() }).await
}

/// A request of a page of ours, or of another one, without a session.
async fn send(world: &World, origin: &str, path: &str, body: Option<Value>) -> Answer {
    let request = Request::post(path).header("origin", origin).header("host", "cards.example.com");
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    world.send(request.expect("a request")).await
}

async fn challenge(world: &World) -> Value {
    send(world, HERE, "/v1/sessions/passkey-challenges", None).await.ok(200)
}

async fn enter(world: &World, credential: Value) -> Answer {
    send(world, HERE, "/v1/sessions/passkeys", Some(json!({ "credential": credential }))).await
}

async fn begin(world: &World, browser: &Browser, body: Value) -> Answer {
    let headers = [("x-csrf-token", browser.csrf.as_str()), ("origin", HERE), ("host", "cards.example.com")];
    browser.with(world, Method::POST, "/v1/me/passkeys/challenges", Some(body), &headers).await
}

async fn add(world: &World, browser: &Browser, device: &mut Authenticator, name: &str) -> Value {
    let offer = begin(world, browser, json!({})).await.ok(200);
    let body = json!({"name": name, "credential": device.create(&offer)});
    browser.post(world, "/v1/me/passkeys", body).await.ok(201)
}

fn browser_of(answer: &Answer) -> Browser {
    let mut browser = Browser { csrf: text(&answer.json()["csrf_token"]), ..Browser::default() };
    browser.take(answer);
    browser
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_signs_in_without_a_password() {
    let world = world(false).await;
    person(&world, "li.wei", "auditor", (None, None)).await;
    let browser = signed_in(&world, "li.wei").await;
    let mut device = Authenticator::new();
    let added = add(&world, &browser, &mut device, "办公室").await;
    assert_eq!((&added["name"], &added["host"]), (&json!("办公室"), &json!("cards.example.com")));
    assert!(added.get("last_used_at").is_none());

    let offer = challenge(&world).await;
    assert_eq!(offer["options"]["userVerification"], "required");
    assert_eq!(offer["options"]["allowCredentials"], json!([]), "strangers learn nothing");
    let answer = enter(&world, device.assert(&offer)).await;
    assert_eq!(answer.ok(201)["status"], "complete");
    let session = browser_of(&answer).get(&world, "/v1/sessions/current").await.ok(200);
    assert_eq!(
        (&session["user"]["login"], &session["second_factors"]),
        (&json!("li.wei"), &json!(["passkey"]))
    );
    let list = browser.get(&world, "/v1/me/passkeys").await.ok(200);
    assert!(list["items"][0]["last_used_at"].is_string(), "{list}");

    let id = text(&added["id"]);
    let path = format!("/v1/me/passkeys/{id}");
    let gone = browser.call(&world, Method::DELETE, &path, None).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    browser.call(&world, Method::DELETE, &path, None).await.is(404, "passkey_unknown");
    enter(&world, device.assert(&challenge(&world).await)).await.is(401, "login_failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_is_a_second_factor() {
    let world = world(true).await;
    person(&world, "li.wei", "auditor", (None, None)).await;
    let begun = try_in(&world, "li.wei", PASSWORD).await;
    assert_eq!(begun.ok(201)["status"], "second_factor_enrolment_needed");
    let mut browser = browser_of(&begun);
    let offer = begin(&world, &browser, json!({})).await.ok(200);
    let mut device = Authenticator::new();
    // A key that was only touched is enough beside a password.
    device.flags = PRESENT;
    let body = json!({"name": "key", "credential": device.create(&offer)});
    let added = browser.post(&world, "/v1/me/passkeys", body).await;
    let id = text(&added.ok(201)["id"]);
    browser.take(&added);
    let session = browser.get(&world, "/v1/sessions/current").await.ok(200);
    browser.csrf = text(&session["csrf_token"]);
    let path = format!("/v1/me/passkeys/{id}");
    let kept = browser.call(&world, Method::DELETE, &path, None).await;
    kept.is(409, "second_factor_state");

    let begun = try_in(&world, "li.wei", PASSWORD).await;
    assert_eq!(begun.ok(201)["status"], "second_factor_needed");
    assert_eq!(begun.json()["second_factors"], json!(["passkey"]));
    let half = browser_of(&begun);
    half.get(&world, "/v1/me/passkeys").await.is(401, "second_factor_needed");
    begin(&world, &half, json!({})).await.is(401, "second_factor_needed");
    let path = "/v1/sessions/second-factor/challenges";
    let offer = half.call(&world, Method::POST, path, None).await.ok(200);
    assert_eq!(offer["options"]["allowCredentials"][0]["id"], base64(&device.id));
    // A challenge is good for the one who asked for it, for what he asked it for.
    let elsewhere = browser_of(&try_in(&world, "li.wei", PASSWORD).await);
    let factor = "/v1/sessions/second-factor";
    let proof = device.assert(&offer);
    let other = elsewhere.post(&world, factor, json!({ "passkey": proof })).await;
    other.is(401, "second_factor_wrong");
    enter(&world, proof.clone()).await.is(401, "login_failed");
    let done = half.post(&world, factor, json!({ "passkey": proof })).await;
    assert_eq!(done.ok(200)["status"], "complete");
    browser_of(&done).get(&world, "/v1/sessions/current").await.ok(200);
    // Without a password touching is not enough.
    enter(&world, device.assert(&challenge(&world).await)).await.is(401, "login_failed");
}

/// Whatever is wrong, strangers are told the same, and nobody is let in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_answers_are_refused_alike() {
    let world = world(false).await;
    person(&world, "li.wei", "auditor", (None, None)).await;
    let browser = signed_in(&world, "li.wei").await;
    let mut device = Authenticator::new();
    add(&world, &browser, &mut device, "one").await;
    let stranger = Authenticator { user: device.user.clone(), ..Authenticator::new() };
    let turns: [(&str, Turn); 5] = [
        ("another page", |device| device.origin = "https://evil.example".to_owned()),
        ("another page of ours", |device| device.origin = "http://localhost:8080".to_owned()),
        ("another host", |device| device.host = "evil.example".to_owned()),
        ("nobody there", |device| device.flags = VERIFIED),
        ("owner not made sure of", |device| device.flags = PRESENT),
    ];
    let mut bodies = Vec::new();
    for (what, turn) in turns {
        let mut turned = device.clone();
        turn(&mut turned);
        let answer = enter(&world, turned.assert(&challenge(&world).await)).await;
        bodies.push((what, answer.is(401, "login_failed")["detail"].clone()));
        world.clock.advance_seconds(3_700);
    }
    let offer = challenge(&world).await;
    let answer = enter(&world, stranger.clone().assert(&offer)).await;
    bodies.push(("unknown passkey", answer.is(401, "login_failed")["detail"].clone()));
    let mut forged = stranger.clone().assert(&offer);
    forged["id"] = json!(base64(&device.id));
    let answer = enter(&world, forged).await;
    bodies.push(("signature of another key", answer.is(401, "login_failed")["detail"].clone()));
    let mut nameless = device.assert(&offer);
    nameless["response"].as_object_mut().expect("a response").remove("userHandle");
    let answer = enter(&world, nameless).await;
    bodies.push(("nobody named", answer.is(401, "login_failed")["detail"].clone()));
    let own = json!({"options": {"challenge": base64(&[7; 41])}});
    let answer = enter(&world, device.assert(&own)).await;
    bodies.push(("a challenge of one's own", answer.is(401, "login_failed")["detail"].clone()));
    world.clock.advance_seconds(301);
    let answer = enter(&world, device.assert(&offer)).await;
    bodies.push(("too late", answer.is(401, "login_failed")["detail"].clone()));
    for (what, detail) in &bodies {
        assert_eq!(detail, &bodies[0].1, "{what}");
    }
    world.clock.advance_seconds(3_700);
    let proof = device.assert(&challenge(&world).await);
    assert_eq!(enter(&world, proof.clone()).await.status, 201, "honest at last");
    enter(&world, proof).await.is(401, "login_failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copied_passkey_is_refused_and_noted() {
    let world = world(false).await;
    person(&world, "li.wei", "auditor", (None, None)).await;
    person(&world, "boss", "issuer_admin", (None, None)).await;
    let browser = signed_in(&world, "li.wei").await;
    let mut device = Authenticator::new();
    let id = text(&add(&world, &browser, &mut device, "one").await["id"]);
    let mut copy = device.clone();
    for _ in 0..2 {
        assert_eq!(enter(&world, device.assert(&challenge(&world).await)).await.status, 201);
    }
    enter(&world, copy.assert(&challenge(&world).await)).await.is(401, "login_failed");
    let boss = signed_in(&world, "boss").await;
    let path = "/v1/audit-events?action=passkey.counted_back";
    let events = boss.get(&world, path).await.ok(200);
    assert_eq!(events["items"].as_array().expect("events").len(), 1, "{events}");
    assert_eq!(events["items"][0]["object"], json!(id));
    let tries = boss.get(&world, "/v1/audit-events?action=POST%20%2Fv1%2Fsessions%2Fpasskeys").await.ok(200);
    assert_eq!(tries["items"].as_array().expect("events").len(), 3, "{tries}");
    assert_eq!(enter(&world, device.assert(&challenge(&world).await)).await.status, 201, "the first goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_are_counted_as_for_passwords() {
    let world = world(false).await;
    person(&world, "li.wei", "auditor", (None, None)).await;
    let browser = signed_in(&world, "li.wei").await;
    let mut device = Authenticator::new();
    add(&world, &browser, &mut device, "one").await;
    let mut thief =
        Authenticator { id: device.id.clone(), user: device.user.clone(), ..Authenticator::new() };
    for _ in 0..5 {
        enter(&world, thief.assert(&challenge(&world).await)).await.is(401, "login_failed");
    }
    let locked = enter(&world, device.assert(&challenge(&world).await)).await;
    locked.is(429, "login_locked");
    assert_eq!(locked.header("retry-after"), "30");
    assert_eq!(try_in(&world, "li.wei", PASSWORD).await.status, 201, "the password is counted by itself");
    world.clock.advance_seconds(31);
    assert_eq!(enter(&world, device.assert(&challenge(&world).await)).await.status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn adding_needs_a_fresh_session_and_there_is_room_for_ten() {
    let world = world(false).await;
    person(&world, "li.wei", "auditor", (None, None)).await;
    let browser = signed_in(&world, "li.wei").await;
    let mut device = Authenticator::new();
    add(&world, &browser, &mut device, "0").await;
    let offer = begin(&world, &browser, json!({})).await.ok(200);
    assert_eq!(offer["options"]["excludeCredentials"][0]["id"], base64(&device.id));
    let again = json!({"name": "again", "credential": device.create(&offer)});
    browser.post(&world, "/v1/me/passkeys", again).await.is(409, "passkey_refused");
    let mut other = Authenticator::new();
    let made = other.create(&offer);
    let body = json!({"name": "other", "credential": made});
    browser.post(&world, "/v1/me/passkeys", body.clone()).await.ok(201);
    browser.post(&world, "/v1/me/passkeys", body).await.is(409, "passkey_refused");
    for number in 2..10 {
        add(&world, &browser, &mut Authenticator::new(), &number.to_string()).await;
    }
    begin(&world, &browser, json!({})).await.is(409, "no_room");
    let id = text(&browser.get(&world, "/v1/me/passkeys").await.ok(200)["items"][9]["id"]);
    let gone = browser.call(&world, Method::DELETE, &format!("/v1/me/passkeys/{id}"), None).await;
    assert_eq!(gone.status, 204, "{gone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_session_gives_the_password_again() {
    let world = world(false).await;
    person(&world, "li.wei", "auditor", (None, None)).await;
    let browser = signed_in(&world, "li.wei").await;
    world.clock.advance_seconds(601);
    begin(&world, &browser, json!({})).await.is(409, "password_needed");
    begin(&world, &browser, json!({"password": "not-this-one-at-all"})).await.is(409, "password_wrong");
    let offer = begin(&world, &browser, json!({"password": PASSWORD})).await.ok(200);
    let body = json!({"name": "one", "credential": Authenticator::new().create(&offer)});
    browser.post(&world, "/v1/me/passkeys", body).await.ok(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_no_passkeys_elsewhere() {
    let world = world(false).await;
    let answer =
        send(&world, "https://cards.example.com:8443", "/v1/sessions/passkey-challenges", None).await;
    answer.is(403, "csrf_token");
    let request = Request::post("/v1/sessions/passkey-challenges")
        .header("origin", "http://127.0.0.1:8080")
        .header("host", "127.0.0.1:8080");
    let problem =
        world.send(request.body(Body::empty()).expect("a request")).await.is(409, "passkeys_elsewhere");
    assert!(text(&problem["detail"]).contains(HERE), "{problem}");
    let request = Request::get("/v1/passkey-origins").body(Body::empty()).expect("a request");
    let origins = world.send(request).await.ok(200);
    assert_eq!(origins["origins"], json!([HERE, "http://localhost:8080"]));
    let without = World::new().await;
    let request = Request::post("/v1/sessions/passkey-challenges").body(Body::empty()).expect("a request");
    without.send(request).await.is(409, "passkeys_elsewhere");
}
