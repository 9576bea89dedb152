//! People over HTTP: signing in, what a stolen cookie is worth, lock-outs, who may call what.

use std::fmt::Write;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use http_api::{AppState, Options};
use identity::{Granter, Policy, password::Password, totp};
use serde_json::{Value, json};
use storage::User;

use crate::world::{Answer, World, text};

pub(crate) const PASSWORD: &str = "tr4vel-kettle-moss";

/// A browser: a cookie and a token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Browser {
    pub(crate) fn take(&mut self, answer: &Answer) {
        let set = answer.header("set-cookie").to_owned();
        if let Some((cookie, _)) = set.split_once(';') {
            cookie.clone_into(&mut self.cookie);
        }
    }

    pub(crate) async fn call(
        &self,
        world: &World,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        self.with(world, method, path, body, &[("x-csrf-token", &self.csrf)]).await
    }

    pub(crate) async fn with(
        &self,
        world: &World,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("cookie", &self.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request = request.header("idempotency-key", world.new_key());
        let body = body.map(|body| body.to_string());
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        world.send(request.body(Body::from(body.unwrap_or_default())).expect("a request")).await
    }

    pub(crate) async fn get(&self, world: &World, path: &str) -> Answer {
        self.call(world, Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, world: &World, path: &str, body: Value) -> Answer {
        self.call(world, Method::POST, path, Some(body)).await
    }
}

/// Everybody signs in without a second factor unless he has one.
async fn relaxed() -> World {
    let policy = Policy { second_factor_required: false, ..Policy::default() };
    World::with(Options { sign_in: policy, ..Options::default() }).await
}

pub(crate) async fn person(
    world: &World,
    login: &str,
    role: &str,
    bound: (Option<&str>, Option<&str>),
) -> User {
    let options = Options::default();
    let identity = AppState::new(world.engine.clone(), options).identity().clone();
    let issuer = if role == "platform_admin" { None } else { Some(world.one.issuer.parse().expect("an id")) };
    let permissions = domain::catalog::Scope::ALL.into_iter();
    let permissions = permissions
        .filter(|scope| (*scope == domain::catalog::Scope::Platform) == issuer.is_none())
        .collect();
    let by = Granter { principal: domain::ClientId::new(0), issuer, merchant: None, permissions };
    let user = User {
        id: domain::UserId::new(0),
        issuer,
        merchant: bound.0.map(|id| id.parse().expect("an id")),
        store: bound.1.map(|id| id.parse().expect("an id")),
        login: login.to_owned(),
        name: login.to_owned(),
        status: domain::program::Status::Active,
        roles: Vec::new(),
        created_at: domain::Timestamp::from_micros(0),
        version: 1,
    };
    let password = Password::new(PASSWORD.to_owned());
    identity.create_user(&by, user, &[role.to_owned()], &password).await.expect("a user")
}

pub(crate) async fn try_in(world: &World, login: &str, password: &str) -> Answer {
    let body = json!({"login": login, "password": password}).to_string();
    let request = Request::post("/v1/sessions").header("content-type", "application/json");
    world.send(request.body(Body::from(body)).expect("a request")).await
}

pub(crate) async fn signed_in(world: &World, login: &str) -> Browser {
    let answer = try_in(world, login, PASSWORD).await;
    let body = answer.ok(201);
    assert_eq!(body["status"], "complete", "{answer:?}");
    let mut browser = Browser { csrf: text(&body["csrf_token"]), ..Browser::default() };
    browser.take(&answer);
    browser
}

fn pass(world: &World, seconds: i64) {
    world.clock.advance_seconds(seconds);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_says_who_it_is() {
    let world = relaxed().await;
    person(&world, "Cashier", "cashier", (Some(&world.one.merchant), Some(&world.one.store))).await;
    let answer = try_in(&world, " CASHIER ", PASSWORD).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-hexiao="), "{cookie}");
    for part in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let browser = signed_in(&world, "cashier").await;
    let session = browser.get(&world, "/v1/sessions/current").await.ok(200);
    assert_eq!(session["user"]["login"], "cashier");
    assert_eq!(session["issuer"]["time_zone"], "Asia/Shanghai");
    assert_eq!(session["issuer"]["currency"], "CNY");
    assert_eq!(session["merchant"]["id"], world.one.merchant);
    assert_eq!(session["store"]["id"], world.one.store);
    assert_eq!(session["roles"][0]["code"], "cashier");
    assert_eq!(session["permissions"], json!(["catalog_read", "cards_read", "load", "redeem", "refund"]));
    assert_eq!(session["csrf_token"], browser.csrf);
    assert_eq!(session["demo"], false);
    let list = browser.get(&world, "/v1/sessions").await.ok(200);
    assert_eq!(list["items"].as_array().expect("items").len(), 2);
    // A key says more than a cookie, and is no person.
    let both = [("authorization", format!("Bearer {}", world.one.key))];
    let both: Vec<(&str, &str)> = both.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.with(&world, Method::GET, "/v1/sessions/current", None, &both).await.is(403, "session_missing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stolen_cookie_changes_nothing() {
    let world = relaxed().await;
    person(&world, "manager", "program_manager", (None, None)).await;
    let browser = signed_in(&world, "manager").await;
    let body = || Some(json!({"name": "new"}));
    let post = async |headers: &[(&str, &str)]| {
        browser.with(&world, Method::POST, "/v1/merchants", body(), headers).await
    };
    post(&[]).await.is(403, "csrf_token");
    post(&[("x-csrf-token", "")]).await.is(403, "csrf_token");
    post(&[("x-csrf-token", &"A".repeat(43))]).await.is(403, "csrf_token");
    // What the browser itself says of the origin is no token.
    post(&[("sec-fetch-site", "same-origin")]).await.is(403, "csrf_token");
    let token = ("x-csrf-token", browser.csrf.as_str());
    for foreign in ["cross-site", "same-site", "none"] {
        post(&[token, ("sec-fetch-site", foreign)]).await.is(403, "csrf_token");
    }
    post(&[token, ("origin", "https://evil.example"), ("host", "hexiao.example")])
        .await
        .is(403, "csrf_token");
    post(&[token, ("sec-fetch-site", "same-origin")]).await.ok(201);
    // Signing in and accepting an invitation have no session yet; another site is refused all the same.
    let request = Request::post("/v1/sessions")
        .header("content-type", "application/json")
        .header("sec-fetch-site", "cross-site");
    let body = json!({"login": "manager", "password": PASSWORD}).to_string();
    let answer = world.send(request.body(Body::from(body)).expect("a request")).await;
    answer.is(403, "csrf_token");
    // The token of one session is none of another.
    let other = signed_in(&world, "manager").await;
    let crossed = Browser { csrf: other.csrf, ..browser };
    crossed.post(&world, "/v1/merchants", json!({"name": "x"})).await.is(403, "csrf_token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_end() {
    let world = relaxed().await;
    let user = person(&world, "manager", "program_manager", (None, None)).await;
    let alive = async |browser: &Browser| browser.get(&world, "/v1/merchants").await.status == StatusCode::OK;
    let ended = async |browser: &Browser| browser.get(&world, "/v1/merchants").await.is(401, "session_ended");
    // Signing out, at once, although the session was looked up a moment ago.
    let browser = signed_in(&world, "manager").await;
    assert!(alive(&browser).await);
    let out = browser.call(&world, Method::DELETE, "/v1/sessions/current", None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    ended(&browser).await;
    // Revoked from elsewhere.
    let (one, other) = (signed_in(&world, "manager").await, signed_in(&world, "manager").await);
    assert!(alive(&one).await);
    let list = other.get(&world, "/v1/sessions").await.ok(200);
    let items = list["items"].as_array().expect("items");
    let id = items.iter().find(|item| item["current"] == false).map(|item| text(&item["id"]));
    let path = format!("/v1/sessions/{}", id.expect("the other one"));
    assert_eq!(other.call(&world, Method::DELETE, &path, None).await.status, StatusCode::NO_CONTENT);
    ended(&one).await;
    other.call(&world, Method::DELETE, &path, None).await.is(404, "session_unknown");
    // Idle: fifteen minutes without a request. Asking who one is, and what a page does by itself, is none.
    pass(&world, 14 * 60);
    assert!(alive(&other).await);
    pass(&world, 14 * 60);
    other.get(&world, "/v1/sessions/current").await.ok(200);
    other.with(&world, Method::GET, "/v1/merchants", None, &[("x-background", "1")]).await.ok(200);
    pass(&world, 61);
    ended(&other).await;
    // Twelve hours in any case.
    let busy = signed_in(&world, "manager").await;
    for _ in 0..71 {
        pass(&world, 600);
        assert!(alive(&busy).await);
    }
    pass(&world, 600);
    ended(&busy).await;
    // A change of rights ends all sessions, a new password all others.
    let (one, other) = (signed_in(&world, "manager").await, signed_in(&world, "manager").await);
    let new = json!({"current": PASSWORD, "new": "another-kettle-of-fish"});
    let wrong = json!({"current": "wrong", "new": "another-kettle-of-fish"});
    one.post(&world, "/v1/me/password", wrong).await.is(409, "password_wrong");
    let weak = json!({"current": PASSWORD, "new": "short"});
    one.post(&world, "/v1/me/password", weak).await.is(409, "password_weak");
    assert_eq!(one.post(&world, "/v1/me/password", new).await.status, StatusCode::NO_CONTENT);
    assert!(alive(&one).await);
    ended(&other).await;
    let path = format!("/v1/users/{}", user.id);
    let body = json!({"version": 1, "roles": ["auditor"]});
    world.patch(&world.one.key, &path, body).await.ok(200);
    ended(&one).await;
    // A closed user is told nothing else than a stranger.
    world.patch(&world.one.key, &path, json!({"version": 2, "status": "closed"})).await.ok(200);
    try_in(&world, "manager", "another-kettle-of-fish").await.is(401, "login_failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_passwords_are_alike_and_few() {
    let world = relaxed().await;
    person(&world, "admin", "issuer_admin", (None, None)).await;
    let (wrong, unknown) =
        (try_in(&world, "admin", "wrong").await, try_in(&world, "nobody-at-all", "wrong").await);
    let (mut one, mut other) = (wrong.is(401, "login_failed"), unknown.is(401, "login_failed"));
    (one["request_id"], other["request_id"]) = (Value::Null, Value::Null);
    assert_eq!(one, other);
    // Fifty at once: four tries are left.
    for login in ["admin", "nobody-at-all"] {
        let tries = (0..50).map(|_| try_in(&world, login, "wrong"));
        let answers = futures(tries).await;
        let judged = answers.iter().filter(|answer| answer.status == StatusCode::UNAUTHORIZED).count();
        let locked = answers.iter().filter(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS).count();
        assert_eq!((judged, locked), (4, 46), "{login}");
        // Locked: the right password is not judged either.
        let answer = try_in(&world, login, PASSWORD).await;
        answer.is(429, "login_locked");
        assert_eq!(answer.header("retry-after"), "30");
    }
    pass(&world, 30);
    signed_in(&world, "admin").await;
    // And counting begins anew after it.
    for _ in 0..5 {
        try_in(&world, "admin", "wrong").await.is(401, "login_failed");
    }
    try_in(&world, "admin", PASSWORD).await.is(429, "login_locked");
}

/// Runs all at once.
async fn futures<T>(work: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pinned: Vec<_> = work.map(|work| (Box::pin(work), None)).collect();
    std::future::poll_fn(|context| {
        let mut waiting = false;
        for (work, done) in &mut pinned {
            if done.is_none() {
                match work.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *done = Some(value),
                    std::task::Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    pinned.into_iter().filter_map(|(_, done)| done).collect()
}

/// The shortest of some times: the one that was disturbed least.
fn shortest(times: &[std::time::Duration]) -> f64 {
    times.iter().min().expect("some").as_secs_f64()
}

/// Whether there is such a user cannot be told from how long the answer takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_users_take_as_long() {
    let world = relaxed().await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for n in 0..9 {
        person(&world, &format!("user{n}"), "auditor", (None, None)).await;
    }
    try_in(&world, "warm-up", "wrong").await;
    for n in 0..9 {
        for (times, login) in [(&mut known, format!("user{n}")), (&mut unknown, format!("none{n}"))] {
            let started = tokio::time::Instant::now();
            try_in(&world, &login, "wrong").await.is(401, "login_failed");
            times.push(started.elapsed());
        }
    }
    // An answer without hashing would take a hundredth.
    let ratio = shortest(&unknown) / shortest(&known);
    assert!((0.2..5.0).contains(&ratio), "unknown users take {ratio} of the time of known ones");
}

fn code(world: &World, secret: &str, offset: i64) -> String {
    let secret = totp::Secret::from_base32(secret).expect("Base32");
    totp::code_at(&secret, world.engine.now().micros() / 1_000_000 + offset).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_is_set_up_and_asked_for() {
    let world = World::new().await;
    person(&world, "maker", "finance_maker", (None, None)).await;
    let answer = try_in(&world, "maker", PASSWORD).await;
    let body = answer.ok(201);
    assert_eq!(body["status"], "second_factor_enrolment_needed");
    assert_eq!(body["second_factors"], json!([]));
    let mut browser = Browser { csrf: text(&body["csrf_token"]), ..Browser::default() };
    browser.take(&answer);
    // A password alone opens nothing, and is no session to show.
    browser.get(&world, "/v1/merchants").await.is(401, "second_factor_needed");
    browser.get(&world, "/v1/sessions/current").await.is(401, "second_factor_needed");
    browser
        .post(&world, "/v1/sessions/second-factor", json!({"totp": "123456"}))
        .await
        .is(409, "second_factor_state");
    let confirm = json!({"code": "123456"});
    browser.post(&world, "/v1/me/totp/confirm", confirm).await.is(409, "second_factor_state");
    // A page that signs in has no token yet; the browser's word for the origin will do, but no silence.
    let begin = async |headers: &[(&str, &str)]| {
        browser.with(&world, Method::POST, "/v1/me/totp", Some(json!({})), headers).await
    };
    begin(&[]).await.is(403, "csrf_token");
    begin(&[("sec-fetch-site", "cross-site")]).await.is(403, "csrf_token");
    let offer = begin(&[("sec-fetch-site", "same-origin")]).await.ok(200);
    let secret = text(&offer["secret"]);
    assert!(text(&offer["otpauth_uri"]).contains(&secret));
    let wrong = json!({"code": code(&world, &secret, 90)});
    browser.post(&world, "/v1/me/totp/confirm", wrong).await.is(401, "second_factor_wrong");
    let before = browser.clone();
    let confirm = json!({"code": code(&world, &secret, 0)});
    let answer = browser.post(&world, "/v1/me/totp/confirm", confirm).await;
    let codes = answer.ok(200)["recovery_codes"].clone();
    let codes: Vec<String> = codes.as_array().expect("codes").iter().map(text).collect();
    assert_eq!(codes.len(), 10);
    browser.take(&answer);
    assert_ne!(browser.cookie, before.cookie, "a session that gains rights has a new token");
    before.get(&world, "/v1/merchants").await.is(401, "session_ended");
    let session = browser.get(&world, "/v1/sessions/current").await.ok(200);
    assert_eq!(session["second_factors"], json!(["totp"]));
    browser.csrf = text(&session["csrf_token"]);
    // The last second factor stays.
    browser.call(&world, Method::DELETE, "/v1/me/totp", None).await.is(409, "second_factor_state");
    browser.post(&world, "/v1/me/totp", json!({})).await.is(409, "second_factor_state");

    let second = async || {
        let answer = try_in(&world, "maker", PASSWORD).await;
        let body = answer.ok(201);
        assert_eq!(body["status"], "second_factor_needed");
        assert_eq!(body["second_factors"], json!(["totp", "recovery_code"]));
        let mut browser = Browser { csrf: text(&body["csrf_token"]), ..Browser::default() };
        browser.take(&answer);
        browser
    };
    let give =
        async |browser: &Browser, body: Value| browser.post(&world, "/v1/sessions/second-factor", body).await;
    let waiting = second().await;
    // Who has a second factor does not set another up instead.
    waiting.post(&world, "/v1/me/totp", json!({})).await.is(401, "second_factor_needed");
    let replay = json!({"totp": code(&world, &secret, 0)});
    give(&waiting, replay).await.is(401, "second_factor_wrong");
    pass(&world, 30);
    let fresh = json!({"totp": code(&world, &secret, 0)});
    let both = json!({"totp": code(&world, &secret, 0), "recovery_code": codes[0]});
    give(&waiting, both).await.is(409, "second_factor_state");
    assert_eq!(give(&waiting, fresh.clone()).await.ok(200)["status"], "complete");
    let again = second().await;
    give(&again, fresh).await.is(401, "second_factor_wrong");
    let recovery = json!({"recovery_code": codes[3].to_uppercase()});
    assert_eq!(give(&again, recovery.clone()).await.ok(200)["status"], "complete");
    let third = second().await;
    give(&third, recovery).await.is(401, "second_factor_wrong");
    // Six digits can be guessed: five tries, then a wait.
    for _ in 0..4 {
        give(&third, json!({"totp": "000000"})).await.is(401, "second_factor_wrong");
    }
    give(&third, json!({"totp": code(&world, &secret, 30)})).await.is(429, "login_locked");
    // Signing in ends after ten minutes.
    pass(&world, 601);
    give(&third, json!({"totp": code(&world, &secret, 0)})).await.is(401, "session_ended");
    // An administrator helps who has lost all.
    let users = world.get(&world.one.key, "/v1/users").await.ok(200);
    let user = &users["items"][0];
    assert_eq!(user["second_factor"], true);
    let path = format!("/v1/users/{}/reset-second-factor", text(&user["id"]));
    assert_eq!(world.post(&world.one.key, &path, json!({})).await.ok(200)["second_factor"], false);
    browser.get(&world, "/v1/merchants").await.is(401, "session_ended");
    assert_eq!(try_in(&world, "maker", PASSWORD).await.ok(201)["status"], "second_factor_enrolment_needed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invitations_make_users() {
    let world = relaxed().await;
    let bound = (Some(world.one.merchant.as_str()), None);
    person(&world, "boss", "merchant_manager", bound).await;
    let boss = signed_in(&world, "boss").await;
    let invite = async |body: Value| boss.post(&world, "/v1/invitations", body).await;
    let new =
        json!({"login": "Wang@example.com", "name": "王芳", "roles": ["cashier"], "store": world.one.store});
    let made = invite(new.clone()).await.ok(201);
    assert_eq!(made["link"], format!("/invitation#token={}", text(&made["token"])));
    // Nobody gives what he does not have, to nobody elsewhere, and no role that is not there.
    let with = |field: &str, value: Value| {
        let mut body = new.clone();
        body[field] = value;
        body
    };
    invite(with("roles", json!(["issuer_admin"]))).await.is(403, "not_permitted");
    invite(with("roles", json!(["platform_admin"]))).await.is(404, "role_unknown");
    invite(with("roles", json!(["nothing"]))).await.is(404, "role_unknown");
    invite(with("store", json!(world.two.store))).await.is(403, "not_permitted");
    invite(with("merchant", json!(world.two.merchant))).await.is(403, "not_permitted");
    invite(with("login", json!("boss"))).await.is(409, "login_refused");
    invite(with("login", json!("two words"))).await.is(409, "login_refused");
    let accept = async |token: &str, password: &str| {
        let body = json!({"token": token, "password": password}).to_string();
        let request = Request::post("/v1/invitations/accept").header("content-type", "application/json");
        world.send(request.body(Body::from(body)).expect("a request")).await
    };
    let token = text(&made["token"]);
    accept(&"A".repeat(43), PASSWORD).await.is(404, "invitation_ended");
    accept(&token, "password1234").await.is(409, "password_weak");
    assert_eq!(accept(&token, PASSWORD).await.ok(201)["login"], "wang@example.com");
    accept(&token, PASSWORD).await.is(404, "invitation_ended");
    let user = signed_in(&world, "wang@example.com").await;
    let session = user.get(&world, "/v1/sessions/current").await.ok(200);
    assert_eq!(session["store"]["id"], world.one.store);
    let late = invite(with("login", json!("late"))).await.ok(201);
    pass(&world, 72 * 3600);
    accept(&text(&late["token"]), PASSWORD).await.is(404, "invitation_ended");
    // A merchant's manager sees his own people only.
    person(&world, "elsewhere", "auditor", (None, None)).await;
    let boss = signed_in(&world, "boss").await;
    let users = boss.get(&world, "/v1/users").await.ok(200);
    let logins: Vec<String> =
        users["items"].as_array().expect("items").iter().map(|user| text(&user["login"])).collect();
    assert_eq!(logins, ["boss", "wang@example.com"]);
    assert_eq!(world.get(&world.two.key, "/v1/users").await.ok(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_raises_himself() {
    let world = relaxed().await;
    let admin = person(&world, "admin", "issuer_admin", (None, None)).await;
    let browser = signed_in(&world, "admin").await;
    let own = format!("/v1/users/{}", admin.id);
    let patch = async |path: &str, body: Value| browser.call(&world, Method::PATCH, path, Some(body)).await;
    patch(&own, json!({"version": 1, "roles": ["auditor"]})).await.is(409, "own_rights");
    patch(&own, json!({"version": 1, "status": "active"})).await.is(409, "own_rights");
    let role = json!({
        "code": "clerk", "name_zh": "职员", "name_en": "Clerk", "permissions": ["cards_read"],
        "limits": {"adjust": {"per_operation": 100, "per_day": 500}}
    });
    let made = browser.post(&world, "/v1/roles", role.clone()).await.ok(201);
    assert_eq!(made["limits"]["adjust"], json!({"per_operation": 100, "per_day": 500}));
    assert_eq!(made["limits"]["issue"], json!({"per_operation": 0, "per_day": 0}));
    browser.post(&world, "/v1/roles", role.clone()).await.is(409, "role_code_taken");
    let mut platform = role.clone();
    platform["code"] = "root".into();
    platform["permissions"] = json!(["platform"]);
    browser.post(&world, "/v1/roles", platform).await.is(403, "not_permitted");
    let clerk = person(&world, "clerk", &text(&made["id"]), (None, None)).await;
    let mut change = role.clone();
    change["version"] = 1.into();
    change["permissions"] = json!(["cards_read", "users"]);
    let at = format!("/v1/roles/{}", text(&made["id"]));
    let put = async |browser: &Browser, path: &str, body: Value| {
        browser.call(&world, Method::PUT, path, Some(body)).await
    };
    put(&browser, &at, change.clone()).await.ok(200);
    put(&browser, &at, change.clone()).await.is(409, "version_conflict");
    // Now the clerk manages users, and still gives nothing that he does not have, nor changes his own role.
    let clerks = signed_in(&world, "clerk").await;
    change["version"] = 2.into();
    put(&clerks, &at, change.clone()).await.is(409, "own_rights");
    change["permissions"] = json!(["cards_read", "users", "adjust"]);
    put(&clerks, &at, change).await.is(403, "not_permitted");
    let body = json!({"version": 1, "status": "closed"});
    clerks.call(&world, Method::PATCH, &own, Some(body)).await.is(403, "not_permitted");
    let body = json!({"login": "friend", "name": "x", "roles": ["issuer_admin"]});
    clerks.post(&world, "/v1/invitations", body).await.is(403, "not_permitted");
    // Roles that come with the program are read, not changed.
    let roles = browser.get(&world, "/v1/roles").await.ok(200);
    let built_in = &roles["items"][0];
    assert_eq!(
        (built_in["built_in"].clone(), built_in["code"].clone()),
        (true.into(), "issuer_admin".into())
    );
    let mut change = role;
    change["version"] = built_in["version"].clone();
    put(&browser, &format!("/v1/roles/{}", text(&built_in["id"])), change).await.is(409, "role_built_in");
    let _ = clerk;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cashier_sells_in_his_own_store() {
    let world = relaxed().await;
    let body = json!({"name": "second", "merchant": world.one.merchant});
    let elsewhere = text(&world.post(&world.one.key, "/v1/stores", body).await.ok(201)["id"]);
    person(&world, "cashier", "cashier", (Some(&world.one.merchant), Some(&elsewhere))).await;
    let browser = signed_in(&world, "cashier").await;
    let card = world.card(&world.one, 10_000).await;
    let sale = |extra: Value| {
        let mut body = json!({"card": {"number": card.number}, "amount": 100, "currency": "CNY"});
        for (name, value) in extra.as_object().expect("fields") {
            body[name] = value.clone();
        }
        body
    };
    let sell = async |extra: Value| browser.post(&world, "/v1/redemptions", sale(extra)).await;
    assert_eq!(sell(json!({})).await.approved()["store"], elsewhere);
    assert_eq!(sell(json!({"store": elsewhere})).await.approved()["store"], elsewhere);
    let refused = sell(json!({"store": world.one.store})).await.is(403, "not_permitted");
    assert_eq!(refused["pointer"], "/store");
    let refused = sell(json!({"terminal": world.one.terminal})).await.is(403, "not_permitted");
    assert_eq!(refused["pointer"], "/terminal");
    let mut items = vec![sale(json!({"key": "a"})), sale(json!({"key": "b", "store": world.one.store}))];
    let answer = browser.post(&world, "/v1/redemptions/batch", json!({"items": items})).await.ok(200);
    assert_eq!(answer["results"][0]["operation"]["store"], elsewhere);
    assert_eq!(answer["results"][1]["problem"]["code"], "not_permitted");
    items.clear();
    // Who sold it is on the operation, as with every client.
    let operation = sell(json!({})).await.approved();
    let id = text(&operation["id"]);
    browser.get(&world, &format!("/v1/operations/{id}")).await.ok(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_tells_who_did_what() {
    let world = relaxed().await;
    let admin = person(&world, "admin", "issuer_admin", (None, None)).await;
    try_in(&world, "admin", "wrong").await.is(401, "login_failed");
    try_in(&world, "nobody", "wrong").await.is(401, "login_failed");
    let browser = signed_in(&world, "admin").await;
    let made = browser.post(&world, "/v1/merchants", json!({"name": "new"})).await.ok(201);
    let path = format!("/v1/merchants/{}", text(&made["id"]));
    let body = json!({"version": 7, "name": "x"});
    browser.call(&world, Method::PATCH, &path, Some(body)).await.is(409, "version_conflict");
    browser.with(&world, Method::POST, "/v1/merchants", Some(json!({})), &[]).await.is(403, "csrf_token");
    browser.get(&world, "/v1/merchants").await.ok(200);
    let events = browser.get(&world, "/v1/audit-events").await.ok(200);
    let told: Vec<_> = events["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|event| {
            let part = |name: &str| event[name].as_str().unwrap_or("-").to_owned();
            (part("action"), part("object"), part("outcome"), part("code"))
        })
        .collect();
    let row = |a: &str, b: &str, c: &str, d: &str| (a.to_owned(), b.to_owned(), c.to_owned(), d.to_owned());
    let id = text(&made["id"]);
    assert_eq!(
        told,
        [
            row("POST /v1/merchants", "-", "refused", "csrf_token"),
            row("PATCH /v1/merchants/{id}", &id, "refused", "version_conflict"),
            row("POST /v1/merchants", &id, "succeeded", "-"),
            row("POST /v1/sessions", "-", "succeeded", "-"),
            row("POST /v1/sessions", "-", "refused", "login_failed"),
        ]
    );
    assert_eq!(events["items"][0]["user"]["name"], "admin");
    let filter = format!("/v1/audit-events?user={}&action=POST%20/v1/sessions&limit=1", admin.id);
    let page = browser.get(&world, &filter).await.ok(200);
    assert_eq!(page["items"].as_array().expect("items").len(), 1);
    assert!(page["next_cursor"].is_string());
    // Another issuer sees nothing of it, and tries with a name that nobody has are the platform's to see.
    assert_eq!(world.get(&world.two.key, "/v1/audit-events").await.ok(200)["items"], json!([]));
    let platform = world.get(&world.platform, "/v1/audit-events").await.ok(200);
    assert_eq!(platform["items"].as_array().expect("items").len(), 1);
    assert_eq!(
        (&platform["items"][0]["code"], &platform["items"][0]["user"]),
        (&json!("login_failed"), &Value::Null)
    );
}

/// How often the trail has this action and code.
async fn told(browser: &Browser, world: &World, action: &str, code: &str) -> usize {
    let page = browser.get(world, "/v1/audit-events?limit=200").await.ok(200);
    let items = page["items"].as_array().expect("items");
    items.iter().filter(|event| event["action"] == action && event["code"] == code).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn misused_sessions_are_told_and_do_not_fill_the_trail() {
    let world = relaxed().await;
    let admin = person(&world, "admin", "issuer_admin", (None, None)).await;
    let browser = signed_in(&world, "admin").await;
    let misuse = async |count: usize| {
        for _ in 0..count {
            let body = Some(json!({"name": "x"}));
            let headers = [("x-csrf-token", browser.csrf.as_str()), ("sec-fetch-site", "cross-site")];
            browser.with(&world, Method::POST, "/v1/merchants", body, &headers).await.is(403, "csrf_token");
        }
    };
    misuse(20).await;
    assert_eq!(told(&browser, &world, "POST /v1/merchants", "csrf_token").await, 1);
    let page = browser.get(&world, "/v1/audit-events?action=POST%20/v1/merchants").await.ok(200);
    assert_eq!(page["items"][0]["user"]["id"], admin.id.to_string());
    assert!(page["items"][0]["session"].is_string());
    // Another session of the same person is told of by itself, and this one again after its minute.
    let other = signed_in(&world, "admin").await;
    let refused = other.with(&world, Method::DELETE, "/v1/sessions/current", None, &[]).await;
    refused.is(403, "csrf_token");
    assert_eq!(told(&browser, &world, "DELETE /v1/sessions/current", "csrf_token").await, 1);
    pass(&world, 60);
    misuse(20).await;
    assert_eq!(told(&browser, &world, "POST /v1/merchants", "csrf_token").await, 2);
    // Who has no session is nobody: there is nothing to tell.
    let stranger = Browser { cookie: format!("__Host-hexiao={}", "A".repeat(43)), ..Browser::default() };
    stranger.post(&world, "/v1/merchants", json!({"name": "x"})).await.is(401, "session_ended");
    assert_eq!(told(&browser, &world, "POST /v1/merchants", "session_ended").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_leave_no_trail() {
    let world = relaxed().await;
    person(&world, "manager", "program_manager", (None, None)).await;
    person(&world, "admin", "issuer_admin", (None, None)).await;
    let (manager, admin) = (signed_in(&world, "manager").await, signed_in(&world, "admin").await);
    let length = async || {
        let page = admin.get(&world, "/v1/audit-events?limit=200").await.ok(200);
        page["items"].as_array().expect("items").len()
    };
    let before = length().await;
    // A rule editor asks at every change, with rules that may be good or not.
    for _ in 0..10 {
        let answer = manager.post(&world, "/v1/programs/check", json!({"name": "x"})).await;
        assert!([200, 400].contains(&answer.status.as_u16()), "{answer:?}");
    }
    assert_eq!(length().await, before);
    // What changes something, or would have, is told, done or not.
    manager.post(&world, "/v1/programs", json!({"name": "x"})).await;
    manager.post(&world, "/v1/merchants", json!({"name": "x"})).await.ok(201);
    assert_eq!(length().await, before + 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invitations_are_withdrawn() {
    let world = relaxed().await;
    person(&world, "admin", "issuer_admin", (None, None)).await;
    let bound = (Some(world.one.merchant.as_str()), None);
    person(&world, "boss", "merchant_manager", bound).await;
    person(&world, "maker", "finance_maker", (None, None)).await;
    let boss = signed_in(&world, "boss").await;
    let invite = async |login: &str| {
        let body = json!({"login": login, "name": login, "roles": ["cashier"], "store": world.one.store});
        boss.post(&world, "/v1/invitations", body).await.ok(201)
    };
    let open = async |browser: &Browser| {
        let page = browser.get(&world, "/v1/invitations?status=open").await.ok(200);
        page["items"].as_array().expect("items").iter().map(|item| text(&item["login"])).collect::<Vec<_>>()
    };
    let accept = async |token: &Value| {
        let body = json!({"token": token, "password": PASSWORD}).to_string();
        let request = Request::post("/v1/invitations/accept").header("content-type", "application/json");
        world.send(request.body(Body::from(body)).expect("a request")).await
    };
    let (late, taken) = (invite("late").await, invite("taken").await);
    accept(&taken["token"]).await.ok(201);
    pass(&world, 71 * 3600);
    let (admin, boss) = (signed_in(&world, "admin").await, signed_in(&world, "boss").await);
    let body =
        |login: &str| json!({"login": login, "name": login, "roles": ["cashier"], "store": world.one.store});
    let made = boss.post(&world, "/v1/invitations", body("wrong")).await.ok(201);
    let kept =
        admin.post(&world, "/v1/invitations", json!({"login": "kept", "name": "kept", "roles": ["auditor"]}));
    let kept = kept.await.ok(201);
    assert_eq!(open(&boss).await, ["wrong", "late"]);
    assert_eq!(open(&admin).await, ["kept", "wrong", "late"]);
    let path = |of: &Value| format!("/v1/invitations/{}", text(&of["invitation"]["id"]));
    let withdraw =
        async |browser: &Browser, of: &Value| browser.call(&world, Method::DELETE, &path(of), None).await;
    // Not by whom it does not concern, not from elsewhere, and a merchant's manager not the issuer's.
    withdraw(&signed_in(&world, "maker").await, &made).await.is(403, "scope_missing");
    let request = Request::delete(path(&made)).header("authorization", format!("Bearer {}", world.two.key));
    world.send(request.body(Body::empty()).expect("a request")).await.is(404, "invitation_ended");
    withdraw(&boss, &kept).await.is(404, "invitation_ended");
    withdraw(&boss, &taken).await.is(404, "invitation_ended");
    assert_eq!(withdraw(&boss, &made).await.status, StatusCode::NO_CONTENT);
    withdraw(&boss, &made).await.is(404, "invitation_ended");
    accept(&made["token"]).await.is(404, "invitation_ended");
    assert_eq!(open(&boss).await, ["late"]);
    pass(&world, 3600);
    let boss = signed_in(&world, "boss").await;
    assert_eq!(open(&boss).await, [""; 0], "it ran out: {late}");
    let all = boss.get(&world, "/v1/invitations").await.ok(200);
    let withdrawn = all["items"].as_array().expect("items").iter().find(|item| item["login"] == "wrong");
    assert!(withdrawn.expect("it stays in the list")["withdrawn_at"].is_string());
    boss.get(&world, "/v1/invitations?status=accepted").await.is(400, "invalid_parameter");
    // On record, with who did it.
    let admin = signed_in(&world, "admin").await;
    let page = admin.get(&world, "/v1/audit-events?action=DELETE%20/v1/invitations/%7Bid%7D").await.ok(200);
    let done: Vec<_> =
        page["items"].as_array().expect("items").iter().filter(|e| e["outcome"] == "succeeded").collect();
    assert_eq!(done.len(), 1);
    assert_eq!((&done[0]["object"], &done[0]["user"]["name"]), (&made["invitation"]["id"], &json!("boss")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_are_ones_own() {
    let world = relaxed().await;
    for login in ["one", "two"] {
        person(&world, login, "auditor", (None, None)).await;
    }
    let (one, two) = (signed_in(&world, "one").await, signed_in(&world, "two").await);
    let body = json!({"name": "退款", "page": "operations", "query": "kind=refund"});
    let made = one.post(&world, "/v1/views", body.clone()).await.ok(201);
    one.post(&world, "/v1/views", body.clone()).await.is(409, "no_room");
    two.post(&world, "/v1/views", body).await.ok(201);
    let list = one.get(&world, "/v1/views?page=operations").await.ok(200);
    assert_eq!(list["items"], json!([made]));
    assert_eq!(one.get(&world, "/v1/views?page=cards").await.ok(200)["items"], json!([]));
    let path = format!("/v1/views/{}", text(&made["id"]));
    two.call(&world, Method::DELETE, &path, None).await.is(404, "view_unknown");
    assert_eq!(one.call(&world, Method::DELETE, &path, None).await.status, StatusCode::NO_CONTENT);
    world.get(&world.one.key, "/v1/views").await.is(403, "session_missing");
}

/// Who may call what: every route with every role that comes with the program, as the gate decides. A route or a role
/// that changes shows in this file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_call_what() {
    let world = relaxed().await;
    let roles: Vec<&str> = identity::roles::BUILT_IN.iter().map(|role| role.code).collect();
    let mut browsers = Vec::new();
    for role in &roles {
        person(&world, role, role, (None, None)).await;
        browsers.push(signed_in(&world, role).await);
    }
    let mut table = String::from("| route |");
    for role in &roles {
        let _ = write!(table, " {role} |");
    }
    table.push('\n');
    for (method, path) in routes() {
        let url = concrete(&path);
        let _ = write!(table, "| {method} {path} |");
        for browser in &browsers {
            let _ = write!(
                table,
                " {} |",
                if lets_in(&world, browser, &method, &url).await { "yes" } else { "-" }
            );
        }
        table.push('\n');
    }
    insta::assert_snapshot!("who_may_call_what", table);
}

/// Whether the gate lets a request through to its handler.
async fn lets_in(world: &World, browser: &Browser, method: &Method, url: &str) -> bool {
    loop {
        let mut request = Request::builder().method(method).uri(url).header("cookie", &browser.cookie);
        request = request.header("x-csrf-token", &browser.csrf).header("idempotency-key", world.new_key());
        let has_body = !matches!(*method, Method::GET | Method::DELETE);
        let body = if has_body { Body::from(json!({"nonsense": 1}).to_string()) } else { Body::empty() };
        let request = request.header("content-type", "application/json").body(body).expect("a request");
        // Only the beginning of what was let in: some answers never end.
        let response = world.begin(request).await;
        if response.status().is_success() {
            return true;
        }
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        let problem: Value = serde_json::from_slice(&bytes).expect("a problem");
        match problem["code"].as_str().unwrap_or_default() {
            "rate_limited" => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
            "scope_missing" | "session_missing" => return false,
            // Or the rest of the table says nothing.
            code @ ("csrf_token" | "session_ended" | "second_factor_needed") => {
                panic!("{method} {url}: {code}")
            }
            _ => return true,
        }
    }
}

/// All routes of people and clients, but for those that end the session that asks.
fn routes() -> Vec<(Method, String)> {
    let document = serde_json::to_value(http_api::openapi()).expect("JSON");
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let open = operation["security"].as_array().is_some_and(Vec::is_empty);
            let own_end = path == "/v1/sessions/current" && method == "delete";
            if path.starts_with("/v1/") && !path.starts_with("/v1/wallet") && !open && !own_end {
                all.push((method.to_uppercase().parse().expect("a method"), path.clone()));
            }
        }
    }
    all.sort_by(|a: &(Method, String), b| (&a.1, a.0.as_str()).cmp(&(&b.1, b.0.as_str())));
    all
}

/// A path with something in each place that cannot be the id of anything.
fn concrete(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "nothing".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
