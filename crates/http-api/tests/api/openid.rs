//! Signing in through a company's identity provider: who is let in, and who is not, however the provider, the browser
//! or somebody between them behaves.

use std::time::{Duration, Instant};

use axum::{
    body::Body,
    http::{Method, Request},
};
use http_api::Options;
use identity::Policy;
use serde_json::{Value, json};

use crate::{
    openid_provider::{CLIENT, Fault, Provider, SECRET},
    people::person,
    world::{Answer, World, text},
};

const CALLBACK: &str = "/v1/sessions/openid/callback";
const COOKIE: &str = "__Host-hexiao-openid";

/// A server, a provider, and the provider's record at the server.
struct Scene {
    world: World,
    provider: Provider,
    id: String,
}

/// A browser that was sent to a provider.
struct Sent {
    cookie: String,
    code: String,
    state: String,
}

/// How long a provider may take, and what of it is surely too long.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(2);
const BOUNDED: Duration = Duration::from_secs(20);

fn options(second_factor_required: bool) -> Options {
    Options {
        sign_in: Policy { second_factor_required, ..Policy::default() },
        origin: "https://cards.example.com".to_owned(),
        provider_timeout: PROVIDER_TIMEOUT,
        providers_on_loopback: true,
        ..Options::default()
    }
}

fn entered(url: &str) -> Value {
    json!({"name": "Huadong 华东", "issuer_url": url, "client_id": CLIENT, "client_secret": SECRET})
}

impl Scene {
    async fn new() -> Self {
        Self::with(false, json!({})).await
    }

    async fn with(second_factor_required: bool, more: Value) -> Self {
        let world = World::with(options(second_factor_required)).await;
        let provider = Provider::start(world.engine.now().micros() / 1_000_000).await;
        let mut body = entered(&provider.url());
        for (name, value) in more.as_object().expect("fields") {
            body[name] = value.clone();
        }
        let made = world.post(&world.one.key, "/v1/identity-providers", body).await.ok(201);
        provider.say(json!({"email": "li.wei@example.com", "email_verified": true}));
        Self { id: text(&made["id"]), world, provider }
    }

    async fn begin(&self) -> Answer {
        let body = json!({"provider": self.id}).to_string();
        let request = Request::post("/v1/sessions/openid").header("content-type", "application/json");
        self.world.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Sends a browser to the provider, where its user signs in.
    async fn sent(&self) -> Sent {
        let answer = self.begin().await;
        let body = answer.ok(201);
        let cookie = answer.header("set-cookie");
        for part in [COOKIE, "Path=/", "HttpOnly", "Secure", "SameSite=Lax", "Max-Age=600"] {
            assert!(cookie.contains(part), "{part} in {cookie}");
        }
        let (cookie, _) = cookie.split_once(';').expect("attributes");
        let (code, state) = self.provider.sign_in(&text(&body["authorize_url"]));
        assert!(!text(&body["authorize_url"]).contains(cookie.split_once('=').expect("a value").1));
        Sent { cookie: cookie.to_owned(), code, state }
    }

    async fn back(&self, sent: &Sent) -> Answer {
        self.back_with(Some(&sent.cookie), &format!("code={}&state={}", sent.code, sent.state)).await
    }

    async fn back_with(&self, cookie: Option<&str>, query: &str) -> Answer {
        let mut request = Request::get(format!("{CALLBACK}?{query}"));
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        self.world.send(request.body(Body::empty()).expect("a request")).await
    }

    /// The whole way.
    async fn signs_in(&self) -> Answer {
        let sent = self.sent().await;
        self.back(&sent).await
    }

    async fn current(&self, cookie: &str) -> Answer {
        let request = Request::get("/v1/sessions/current").header("cookie", cookie);
        self.world.send(request.body(Body::empty()).expect("a request")).await
    }

    async fn patch(&self, change: Value) -> Answer {
        self.world.patch(&self.world.one.key, &format!("/v1/identity-providers/{}", self.id), change).await
    }

    fn pass(&self, seconds: i64) {
        self.world.clock.advance_seconds(seconds);
        self.provider.set_time(self.world.engine.now().micros() / 1_000_000);
    }
}

/// The session that an answer gives, which a page of our own goes on with.
#[track_caller]
fn let_in(answer: &Answer, leads_to: &str) -> String {
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let page = String::from_utf8_lossy(&answer.bytes);
    assert!(page.contains(&format!("content=\"0; url={leads_to}\"")) && !page.contains("<script"), "{page}");
    let cookies: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().expect("text")).collect();
    assert!(cookies.iter().any(|cookie| cookie.starts_with(&format!("{COOKIE}=;"))), "{cookies:?}");
    let session = cookies.iter().find(|cookie| cookie.starts_with("__Host-hexiao=")).expect("a session");
    assert!(session.contains("SameSite=Strict") && session.contains("HttpOnly"), "{session}");
    session.split_once(';').expect("attributes").0.to_owned()
}

/// The log-in page is told why.
#[track_caller]
fn turned_away(answer: &Answer, why: &str) {
    assert_eq!(answer.status.as_u16(), 303, "{answer:?}");
    assert_eq!(answer.header("location"), format!("/login?sign_in={why}"), "{answer:?}");
    let cookies: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().expect("text")).collect();
    assert!(cookies.iter().all(|cookie| !cookie.starts_with("__Host-hexiao=")), "no session");
    assert!(cookies.iter().any(|cookie| cookie.starts_with(&format!("{COOKIE}=;"))), "the cookie is taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_signs_in_through_his_company() {
    let scene = Scene::new().await;
    let user = person(&scene.world, "Li.Wei@example.com", "auditor", (None, None)).await;
    let options = format!("/v1/sign-in-options?issuer={}", scene.world.one.issuer);
    let options = scene.current_free(&options).await;
    assert_eq!(options, json!({"identity_providers": [{"provider": scene.id, "name": "Huadong 华东"}]}));
    let of_nobody = scene.current_free("/v1/sign-in-options").await;
    assert_eq!(of_nobody["identity_providers"], json!([]), "of several issuers, none is shown to strangers");

    let session = let_in(&scene.signs_in().await, "/");
    let current = scene.current(&session).await.ok(200);
    assert_eq!(current["user"]["login"], "li.wei@example.com");
    // From now on it is the subject that counts: an address may be given to somebody else.
    scene.provider.say(json!({"email": "other@example.com", "email_verified": false}));
    let session = let_in(&scene.signs_in().await, "/");
    assert_eq!(scene.current(&session).await.ok(200)["user"]["id"], user.id.to_string());
    scene.provider.say(json!({"sub": "s-2", "email": "li.wei@example.com", "email_verified": true}));
    turned_away(&scene.signs_in().await, "not_linked");

    let path = format!("/v1/identity-providers/{}/users", scene.id);
    let linked = scene.world.get(&scene.world.one.key, &path).await.ok(200);
    assert_eq!(linked["items"][0]["login"], "li.wei@example.com");
    assert_eq!(linked["items"][0]["subject"], "s-1");
    assert_eq!(linked["items"].as_array().expect("items").len(), 1);
    // All of it is on record.
    let trail =
        scene.world.get(&scene.world.one.key, "/v1/audit-events?action=GET%20/v1/sessions/openid/callback");
    let trail = trail.await.ok(200);
    let ends: Vec<&Value> =
        trail["items"].as_array().expect("items").iter().map(|event| &event["status"]).collect();
    assert_eq!(ends, [401, 200, 200]);
    assert_eq!(trail["items"][0]["code"], "not_linked");
    assert_eq!(trail["items"][1]["user"]["id"], user.id.to_string());
}

impl Scene {
    /// What anybody is told.
    async fn current_free(&self, path: &str) -> Value {
        self.world.call(&Method::GET, path, None, None, None).await.ok(200)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_counts_only_where_it_is_trusted_and_was_asked_for() {
    for (trusted, methods, leads_to) in [
        (false, json!(["pwd", "otp"]), "/login?sign_in=second_factor_enrolment_needed"),
        (true, json!(["pwd"]), "/login?sign_in=second_factor_enrolment_needed"),
        (true, json!(["pwd", "otp"]), "/"),
    ] {
        let scene = Scene::with(true, json!({"trusted_second_factor": trusted})).await;
        person(&scene.world, "li.wei@example.com", "auditor", (None, None)).await;
        let amr = json!({"email": "li.wei@example.com", "email_verified": true, "amr": methods});
        scene.provider.say(amr);
        let session = let_in(&scene.signs_in().await, leads_to);
        let current = scene.current(&session).await;
        if leads_to == "/" {
            current.ok(200);
        } else {
            current.is(401, "second_factor_needed");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_do_not_hold_let_nobody_in() {
    let scene = Scene::new().await;
    person(&scene.world, "li.wei@example.com", "auditor", (None, None)).await;
    let now = scene.world.engine.now().micros() / 1_000_000;
    let good = json!({"email": "li.wei@example.com", "email_verified": true});
    for (fault, claims) in [
        (Fault::None, json!({"nonce": "another"})),
        (Fault::None, json!({"nonce": null})),
        (Fault::None, json!({"aud": "another"})),
        (Fault::None, json!({"aud": [CLIENT, "another"]})),
        (Fault::None, json!({"iss": "https://id.example.com"})),
        (Fault::None, json!({"exp": now - 120, "iat": now - 300})),
        (Fault::None, json!({"iat": now - 3600})),
        (Fault::None, json!({"iat": now + 600})),
        (Fault::None, json!({"sub": ""})),
        (Fault::None, json!({"sub": "x".repeat(256)})),
        (Fault::ForgesSignature, json!({})),
        (Fault::Unsigned, json!({})),
        (Fault::SignsWithSecret, json!({})),
        (Fault::RefusesCodes, json!({})),
    ] {
        let mut said = good.clone();
        for (name, value) in claims.as_object().expect("claims") {
            said[name] = value.clone();
        }
        scene.provider.fail(fault);
        scene.provider.say(said);
        turned_away(&scene.signs_in().await, "provider_refused");
    }
    scene.provider.fail(Fault::None);
    scene.provider.say(good);
    let_in(&scene.signs_in().await, "/");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coming_back_works_once_in_time_and_in_the_same_browser() {
    let scene = Scene::new().await;
    person(&scene.world, "li.wei@example.com", "auditor", (None, None)).await;
    let (one, other) = (scene.sent().await, scene.sent().await);
    let query = |sent: &Sent| format!("code={}&state={}", sent.code, sent.state);
    turned_away(&scene.back_with(None, &query(&one)).await, "expired");
    turned_away(&scene.back_with(Some(&other.cookie), &query(&one)).await, "expired");
    for query in ["", "code=x", "state=x&code=x", "a=%ff&%", "state=%00", &format!("{0}&{0}", query(&one))] {
        turned_away(&scene.back_with(Some(&one.cookie), query).await, "expired");
    }
    // None of that used it up: what somebody else does to its address does not end a sign-in.
    let_in(&scene.back(&one).await, "/");
    turned_away(&scene.back(&one).await, "expired");
    scene.pass(601);
    turned_away(&scene.back(&other).await, "expired");
    // What the provider says against it counts.
    for query in [
        "error=access_denied",
        "error=access_denied&code=x",
        "code=x&iss=https%3A%2F%2Fid.example.com",
        "nothing=x",
    ] {
        let sent = scene.sent().await;
        let query = format!("{query}&state={}", sent.state);
        turned_away(&scene.back_with(Some(&sent.cookie), &query).await, "provider_refused");
    }
    // Who is sent is not sent by another site.
    let body = json!({"provider": scene.id}).to_string();
    let foreign = Request::post("/v1/sessions/openid")
        .header("content-type", "application/json")
        .header("sec-fetch-site", "cross-site");
    scene.world.send(foreign.body(Body::from(body)).expect("a request")).await.is(403, "csrf_token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_users_of_the_issuer_with_a_verified_address_are_let_in() {
    let scene = Scene::new().await;
    let world = &scene.world;
    person(world, "root@example.com", "platform_admin", (None, None)).await;
    let closed = person(world, "closed@example.com", "auditor", (None, None)).await;
    let path = format!("/v1/users/{}", closed.id);
    world.patch(&world.one.key, &path, json!({"version": 1, "status": "closed"})).await.ok(200);
    person(world, "li.wei@example.com", "auditor", (None, None)).await;
    for claims in [
        json!({"email": "li.wei@example.com"}),
        json!({"email": "li.wei@example.com", "email_verified": false}),
        json!({"email_verified": true}),
        json!({"email": "nobody@example.com", "email_verified": true}),
        json!({"email": "root@example.com", "email_verified": true}),
        json!({"email": "closed@example.com", "email_verified": true}),
    ] {
        scene.provider.say(claims);
        turned_away(&scene.signs_in().await, "not_linked");
    }
    let users = world.get(&world.one.key, "/v1/users").await.ok(200);
    assert_eq!(users["items"].as_array().expect("items").len(), 2, "nobody became a user by it");
    // A provider of another issuer reaches nobody here.
    let made =
        world.post(&world.two.key, "/v1/identity-providers", entered(&scene.provider.url())).await.ok(201);
    let theirs = Scene { id: text(&made["id"]), ..scene };
    theirs.provider.say(json!({"email": "li.wei@example.com", "email_verified": true}));
    turned_away(&theirs.signs_in().await, "not_linked");
    let path = format!("/v1/identity-providers/{}", theirs.id);
    theirs.world.get(&theirs.world.one.key, &path).await.is(404, "identity_provider_unknown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_end_with_the_provider_and_with_the_link() {
    let scene = Scene::new().await;
    let user = person(&scene.world, "li.wei@example.com", "auditor", (None, None)).await;
    let session = let_in(&scene.signs_in().await, "/");
    scene.current(&session).await.ok(200);
    let path = format!("/v1/identity-providers/{}/users/{}", scene.id, user.id);
    let unlinked = scene.world.call(&Method::DELETE, &path, Some(&scene.world.one.key), None, None).await;
    assert_eq!(unlinked.status.as_u16(), 204);
    scene
        .world
        .call(&Method::DELETE, &path, Some(&scene.world.one.key), None, None)
        .await
        .is(404, "user_unknown");
    scene.current(&session).await.is(401, "session_ended");

    let session = let_in(&scene.signs_in().await, "/");
    let on_its_way = scene.sent().await;
    scene.patch(json!({"version": 1, "status": "closed"})).await.ok(200);
    scene.current(&session).await.is(401, "session_ended");
    turned_away(&scene.back(&on_its_way).await, "not_linked");
    scene.begin().await.is(404, "identity_provider_unknown");
    let options = format!("/v1/sign-in-options?issuer={}", scene.world.one.issuer);
    assert_eq!(scene.current_free(&options).await["identity_providers"], json!([]));
    scene.patch(json!({"version": 2, "status": "active"})).await.ok(200);
    let_in(&scene.signs_in().await, "/");
    // Another client there may mean other people by the same names.
    scene.patch(json!({"version": 3, "client_id": "another"})).await.ok(200);
    let path = format!("/v1/identity-providers/{}/users", scene.id);
    assert_eq!(scene.world.get(&scene.world.one.key, &path).await.ok(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn providers_that_do_not_answer_cost_a_bounded_time() {
    for fault in [Fault::Hangs, Fault::Oversized, Fault::Redirects, Fault::Misnamed] {
        let scene = Scene::new().await;
        scene.provider.fail(fault);
        let began = Instant::now();
        scene.begin().await.is(503, "identity_provider_unreachable");
        assert!(began.elapsed() < BOUNDED, "{fault:?} took {:?}", began.elapsed());
        // The failure is kept for some seconds: many who try cost the provider and us nothing.
        let asked = scene.provider.descriptions_asked();
        scene.begin().await.is(503, "identity_provider_unreachable");
        assert_eq!(scene.provider.descriptions_asked(), asked, "{fault:?}");
        let path = format!("/v1/identity-providers/{}/check", scene.id);
        let check =
            scene.world.call(&Method::POST, &path, Some(&scene.world.one.key), None, None).await.ok(200);
        assert_eq!(check["works"], false);
        scene.provider.fail(Fault::None);
        scene.pass(6);
        let check =
            scene.world.call(&Method::POST, &path, Some(&scene.world.one.key), None, None).await.ok(200);
        assert_eq!(check, json!({"works": true}));
        scene.begin().await.ok(201);
    }
    let scene = Scene::new().await;
    person(&scene.world, "li.wei@example.com", "auditor", (None, None)).await;
    for fault in [Fault::HangsAtCodes, Fault::OversizedAtCodes] {
        let sent = scene.sent().await;
        scene.provider.fail(fault);
        let began = Instant::now();
        turned_away(&scene.back(&sent).await, "unreachable");
        assert!(began.elapsed() < BOUNDED, "{fault:?} took {:?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_keys_are_asked_for_but_not_at_will() {
    let scene = Scene::new().await;
    person(&scene.world, "li.wei@example.com", "auditor", (None, None)).await;
    let_in(&scene.signs_in().await, "/");
    let_in(&scene.signs_in().await, "/");
    assert_eq!(scene.provider.keys_asked(), 1, "they are kept");
    scene.provider.rotate("second");
    turned_away(&scene.signs_in().await, "provider_refused");
    assert_eq!(scene.provider.keys_asked(), 1, "not again within half a minute");
    scene.pass(31);
    let_in(&scene.signs_in().await, "/");
    assert_eq!(scene.provider.keys_asked(), 2);
    for _ in 0..5 {
        scene.provider.rotate("made up");
        turned_away(&scene.signs_in().await, "provider_refused");
    }
    assert_eq!(scene.provider.keys_asked(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn providers_are_entered_by_those_who_may_become_anybody() {
    let scene = Scene::new().await;
    let (world, key) = (&scene.world, &scene.world.one.key);
    let path = format!("/v1/identity-providers/{}", scene.id);
    let shown = world.get(key, &path).await;
    assert!(!String::from_utf8_lossy(&shown.bytes).contains("kettle"), "the secret is never shown");
    assert_eq!(shown.ok(200)["redirect_uri"], format!("https://cards.example.com{CALLBACK}"));
    let only_users = world.client(&world.one, &["users"], None).await;
    world.get(&only_users, &path).await.ok(200);
    world
        .post(&only_users, "/v1/identity-providers", entered("https://id.example.com"))
        .await
        .is(403, "not_permitted");
    world.patch(&only_users, &path, json!({"version": 1, "name": "x"})).await.is(403, "not_permitted");
    let bound = world.client(&world.one, &["users"], Some(&world.one.merchant)).await;
    world.get(&bound, "/v1/identity-providers").await.is(403, "not_permitted");
    world
        .post(&bound, "/v1/identity-providers", entered("https://id.example.com"))
        .await
        .is(403, "not_permitted");

    for address in
        ["http://id.example.com", "https://u:p@id.example.com", "https://id.example.com?a=b", "javascript:x"]
    {
        let refused = world.post(key, "/v1/identity-providers", entered(address)).await;
        assert_eq!(refused.is(409, "identity_provider_refused")["pointer"], "/issuer_url");
    }
    // Or who may change a provider would be sent its secret.
    let elsewhere = json!({"version": 1, "issuer_url": "https://id.example.com"});
    world.patch(key, &path, elsewhere.clone()).await.is(409, "identity_provider_refused");
    let mut again = elsewhere;
    again["client_secret"] = json!("another");
    assert_eq!(world.patch(key, &path, again.clone()).await.ok(200)["version"], 2);
    world.patch(key, &path, again).await.is(409, "version_conflict");
    for count in 2..=20 {
        world
            .post(key, "/v1/identity-providers", entered(&format!("https://id-{count}.example.com")))
            .await
            .ok(201);
    }
    world.post(key, "/v1/identity-providers", entered("https://id.example.com")).await.is(409, "no_room");
}
