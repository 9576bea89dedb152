//! Maker and checker: what goes beyond a user's limits waits for a second person, whatever he tries.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request},
};
use domain::{
    Amount, ApprovalId, Command, Currency, IssuerId, MerchantId, Role, RoleId, SessionId, Timestamp, UserId,
    catalog::Scope,
    command::{Actor, Adjust, CardRef, Direction},
    program::Status,
    role::{Limit, LimitKind, Limits},
};
use engine::{Intent, issue::job_key};
use identity::Token;
use serde_json::{Value, json};
use storage::{Session, SessionStage, User};
use tokio::task::JoinSet;
use vault::OsRandomness;

use crate::world::{Answer, Card, World, open_rules, text};

/// Each test on each kind of database: the limits of a day are kept under locks that each has in its own way.
macro_rules! on_each_database {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::World::new().await).await; })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::World::on_postgres().await).await; })+
        }
    };
}

on_each_database! {
    what_fits_is_done_and_splitting_does_not_help,
    every_kind_of_request_waits_and_is_done_when_approved,
    nobody_decides_what_he_asked_for_nor_without_the_permission,
    what_is_old_or_of_somebody_dismissed_is_not_approved,
    of_thirty_at_once_exactly_what_fits_goes_through,
    keys_are_replayed_and_what_comes_to_nothing_counts_no_more,
    what_was_approved_is_done_once_whatever_breaks,
    what_turns_out_impossible_fails_and_is_listed,
}

/// Somebody who is signed in.
#[derive(Clone)]
struct Person {
    user: User,
    token: Token,
}

fn amount(minor: i64) -> Amount {
    Amount::new(minor).expect("an amount")
}

/// Up to 100 at once and 250 a day, of every kind; no terms.
fn small() -> Limits {
    let limit = Limit { per_operation: amount(100), per_day: amount(250) };
    Limits { issue: limit, adjust: limit, unlinked_refund: limit, terms: Limit::NONE }
}

const MAKER: &[Scope] = &[
    Scope::CardsIssue,
    Scope::CardsExport,
    Scope::CardsRead,
    Scope::Load,
    Scope::Adjust,
    Scope::RefundUnlinked,
    Scope::SettlementWrite,
];
const CHECKER: &[Scope] = &[
    Scope::ApproveIssue,
    Scope::ApproveAdjust,
    Scope::ApproveRefund,
    Scope::ApproveTerms,
    Scope::Adjust,
    Scope::CardsIssue,
];

async fn person(world: &World, scopes: &[Scope], limits: Limits, merchant: Option<&str>) -> Person {
    person_of(world, &world.one.issuer, scopes, limits, merchant).await
}

async fn person_of(
    world: &World,
    issuer: &str,
    scopes: &[Scope],
    limits: Limits,
    merchant: Option<&str>,
) -> Person {
    let (engine, store) = (&world.engine, world.engine.store());
    let id = engine.next_id();
    let issuer = Some(IssuerId::parse(issuer).expect("an issuer"));
    let role = Role {
        id: RoleId::new(id),
        issuer,
        code: format!("role{id}"),
        name_zh: "角色".to_owned(),
        name_en: "role".to_owned(),
        permissions: scopes.iter().copied().collect::<BTreeSet<Scope>>(),
        limits,
        created_at: engine.now(),
        version: 1,
    };
    store.put_role(&role).await.expect("a role");
    let user = User {
        id: UserId::new(engine.next_id()),
        issuer,
        merchant: merchant.map(|merchant| MerchantId::parse(merchant).expect("a merchant")),
        store: None,
        login: format!("user{id}@example.com"),
        name: "某人".to_owned(),
        status: Status::Active,
        roles: vec![role.id],
        created_at: engine.now(),
        version: 1,
    };
    store.put_user(&user, None).await.expect("a user");
    signed_in(world, user).await
}

async fn signed_in(world: &World, user: User) -> Person {
    let token = Token::generate(&mut OsRandomness::new());
    let now = world.engine.now();
    let session = Session {
        id: SessionId::new(world.engine.next_id()),
        user: user.id,
        issuer: user.issuer,
        token_hash: token.hash(),
        stage: SessionStage::Complete,
        address: None,
        agent: None,
        created_at: now,
        last_seen_at: now,
        expires_at: now.plus_seconds(3600),
        ended_at: None,
        provider: None,
    };
    world.engine.store().open_session(&session).await.expect("a session");
    Person { user, token }
}

impl Person {
    fn request(&self, method: Method, path: &str, key: Option<&str>, body: Option<&Value>) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("cookie", format!("__Host-hexiao={}", self.token.expose()))
            .header("x-csrf-token", self.token.csrf());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = body.map(Value::to_string);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        request.body(Body::from(body.unwrap_or_default())).expect("a request")
    }

    async fn get(&self, world: &World, path: &str) -> Answer {
        world.send(self.request(Method::GET, path, None, None)).await
    }

    async fn post(&self, world: &World, path: &str, body: Value) -> Answer {
        world.send(self.request(Method::POST, path, Some(&world.new_key()), Some(&body))).await
    }

    async fn under(&self, world: &World, key: &str, path: &str, body: Value) -> Answer {
        world.send(self.request(Method::POST, path, Some(key), Some(&body))).await
    }

    /// Asks for something that waits, and returns the approval's id.
    async fn asks(&self, world: &World, path: &str, body: Value) -> String {
        let asked = self.post(world, path, body).await.ok(202);
        assert_eq!(asked["approval"]["state"], "pending", "{asked}");
        text(&asked["approval"]["id"])
    }

    async fn decides(&self, world: &World, id: &str, step: &str, body: Value) -> Answer {
        self.post(world, &format!("/v1/approvals/{id}/{step}"), body).await
    }
}

fn adjust(card: &Card, minor: i64) -> Value {
    json!({"card": {"number": card.number}, "direction": "credit", "amount": minor, "currency": "CNY", "reason": "更正"})
}

async fn balance(world: &World, card: &Card) -> i64 {
    let card =
        world.engine.store().card(card.id.parse().expect("an id")).await.expect("read").expect("there");
    card.lots.iter().map(|lot| lot.remaining.get()).sum()
}

async fn used(world: &World, maker: &Person) -> i64 {
    let day = domain::BusinessDate::of(world.engine.now(), &jiff_zone());
    let store = world.engine.store();
    store.used(maker.user.id.principal(), LimitKind::Adjust, Currency::CNY, day).await.expect("a sum")
}

fn jiff_zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get("Asia/Shanghai").expect("bundled")
}

async fn what_fits_is_done_and_splitting_does_not_help(world: World) {
    let card = world.card(&world.one, 1_000).await;
    let maker = person(&world, MAKER, small(), None).await;
    let post = |minor| maker.post(&world, "/v1/adjustments", adjust(&card, minor));
    post(100).await.approved();
    post(101).await.ok(202);
    assert_eq!(balance(&world, &card).await, 1_100, "what waits is not done");
    for minor in [49, 1] {
        let answer = post(minor).await;
        // 100 were done and 101 wait: 49 are left of the day.
        assert_eq!(answer.status, if minor == 49 { 201 } else { 202 }, "{minor}: {answer:?}");
    }
    assert_eq!(balance(&world, &card).await, 1_149);
    assert_eq!(used(&world, &maker).await, 251);
    let client = world.post(&world.one.key, "/v1/adjustments", adjust(&card, 100_000)).await;
    client.is(400, "idempotency_key_missing");
    world.keyed(&world.one.key, "/v1/adjustments", adjust(&card, 900)).await.approved();
    world.clock.advance_seconds(24 * 3600);
    let maker = signed_in(&world, maker.user).await;
    maker.post(&world, "/v1/adjustments", adjust(&card, 100)).await.approved();
}

async fn every_kind_of_request_waits_and_is_done_when_approved(world: World) {
    let (maker, checker) =
        (person(&world, MAKER, small(), None).await, person(&world, CHECKER, Limits::NONE, None).await);
    let card = world.card(&world.one, 1_000).await;
    let fresh = world.stocked(&world.one, &world.one.program).await;
    let named = |card: &Card| json!({"number": card.number});
    for (path, body, result) in [
        ("/v1/batches", json!({"program": world.one.program, "count": 3, "face_value": 100}), "batch_"),
        ("/v1/cards", json!({"program": world.one.program, "face_value": 101}), "batch_"),
        (
            "/v1/activations",
            json!({"card": named(&fresh), "amount": 90, "currency": "CNY", "bonus": {"amount": 11}}),
            "op_",
        ),
        ("/v1/loads", json!({"card": named(&card), "amount": 101, "currency": "CNY"}), "op_"),
        ("/v1/adjustments", adjust(&card, 500), "op_"),
        (
            "/v1/agreements",
            json!({
                "merchant": world.one.merchant, "currency": "CNY", "effective_from": "2026-12-01",
                "terms": {"cycle": {"kind": "t_plus", "days": 1}, "fees": {"basis_points": 100, "fixed": 2}}
            }),
            "agr_",
        ),
        (
            "/v1/refunds",
            json!({"card": named(&card), "amount": 300, "currency": "CNY", "store": world.one.store}),
            "op_",
        ),
    ] {
        let asked = maker.post(&world, path, body).await;
        let location = asked.header("location").to_owned();
        let approval = asked.ok(202)["approval"].clone();
        let shown = approval.to_string();
        assert!(!shown.contains(&card.number) && !shown.contains(&fresh.number), "{shown}");
        let id = text(&approval["id"]);
        assert_eq!(location, format!("/v1/approvals/{id}"));
        let done = checker.decides(&world, &id, "approve", json!({})).await.ok(200);
        assert_eq!(done["state"], "approved", "{path}: {done}");
        let made = text(&done["result"]);
        assert!(made.starts_with(result), "{path}: {done}");
        if result == "op_" {
            let operation = world.get(&world.one.key, &format!("/v1/operations/{made}")).await.ok(200);
            let principal = maker.user.id.principal().to_string();
            assert_eq!(operation["client"], principal, "in the maker's name: {operation}");
        }
        let record = checker.get(&world, &location).await.ok(200);
        let steps: Vec<&str> = record["events"]
            .as_array()
            .expect("events")
            .iter()
            .filter_map(|e| e["action"].as_str())
            .collect();
        assert_eq!(steps, ["asked", "approved", "done"], "{path}");
    }
    assert_eq!(balance(&world, &card).await, 1_000 + 101 + 500 + 300);
    assert_eq!(balance(&world, &fresh).await, 101);
}

async fn nobody_decides_what_he_asked_for_nor_without_the_permission(world: World) {
    let card = world.card(&world.one, 1_000).await;
    let both: Vec<Scope> = [MAKER, CHECKER].concat();
    let maker = person(&world, &both, small(), None).await;
    let id = maker.asks(&world, "/v1/adjustments", adjust(&card, 500)).await;
    let approve = |person: Person, id: String| {
        let world = &world;
        async move { person.decides(world, &id, "approve", json!({})).await }
    };
    approve(maker.clone(), id.clone()).await.is(409, "second_person_needed");
    maker.decides(&world, &id, "reject", json!({"note": "no"})).await.is(409, "second_person_needed");
    let other_kind = person(&world, &[Scope::ApproveIssue, Scope::AuditRead], small(), None).await;
    approve(other_kind, id.clone()).await.is(403, "scope_missing");
    let stranger = person(&world, MAKER, small(), None).await;
    approve(stranger.clone(), id.clone()).await.is(403, "scope_missing");
    stranger.get(&world, &format!("/v1/approvals/{id}")).await.is(404, "approval_unknown");
    let elsewhere = person_of(&world, &world.two.issuer, CHECKER, small(), None).await;
    approve(elsewhere, id.clone()).await.is(404, "approval_unknown");
    let bound = person(&world, CHECKER, small(), Some(&world.one.merchant)).await;
    approve(bound, id.clone()).await.is(403, "not_permitted");
    let machine = world.post(&world.one.key, &format!("/v1/approvals/{id}/approve"), json!({})).await;
    machine.is(403, "not_permitted");
    assert_eq!(balance(&world, &card).await, 1_000);
    let checker = person(&world, CHECKER, small(), None).await;
    checker.decides(&world, &id, "withdraw", json!({})).await.is(403, "not_permitted");
    approve(checker.clone(), id.clone()).await.ok(200);
    approve(checker.clone(), id.clone()).await.ok(200);
    checker.decides(&world, &id, "reject", json!({"note": "late"})).await.is(409, "approval_state");
    maker.decides(&world, &id, "withdraw", json!({})).await.is(409, "approval_state");
    assert_eq!(balance(&world, &card).await, 1_500, "done once");
}

async fn what_is_old_or_of_somebody_dismissed_is_not_approved(world: World) {
    let card = world.card(&world.one, 1_000).await;
    let maker = person(&world, MAKER, small(), None).await;
    let stale = maker.asks(&world, "/v1/adjustments", adjust(&card, 500)).await;
    world.clock.advance_seconds(71 * 3600);
    let maker = signed_in(&world, maker.user).await;
    let fresh = maker.asks(&world, "/v1/adjustments", adjust(&card, 400)).await;
    world.clock.advance_seconds(3600);
    let checker = person(&world, CHECKER, small(), None).await;
    checker.decides(&world, &stale, "approve", json!({})).await.is(409, "approval_stale");
    let read = checker.get(&world, &format!("/v1/approvals/{stale}")).await.ok(200);
    assert_eq!(read["approval"]["state"], "expired");
    let closed = User { status: Status::Closed, version: 2, ..maker.user.clone() };
    world.engine.store().put_user(&closed, None).await.expect("closed");
    checker.decides(&world, &fresh, "approve", json!({})).await.is(409, "approval_maker");
    let rejected = checker.decides(&world, &fresh, "reject", json!({"note": "离职"})).await.ok(200);
    assert_eq!((&rejected["state"], &rejected["note"]), (&json!("rejected"), &json!("离职")));
    assert_eq!(balance(&world, &card).await, 1_000);
}

async fn of_thirty_at_once_exactly_what_fits_goes_through(world: World) {
    let world = Arc::new(world);
    let card = world.card(&world.one, 1_000).await;
    let half = Limit { per_operation: amount(100), per_day: amount(200) };
    let maker = person(&world, MAKER, Limits { adjust: half, ..Limits::NONE }, None).await;
    let mut asking = JoinSet::new();
    for _ in 0..30 {
        let (world, maker, body) = (Arc::clone(&world), maker.clone(), adjust(&card, 100));
        asking.spawn(async move { maker.post(&world, "/v1/adjustments", body).await.status.as_u16() });
    }
    let mut all = asking.join_all().await;
    all.sort_unstable();
    assert_eq!(all, [vec![201; 2], vec![202; 28]].concat());
    assert_eq!(balance(&world, &card).await, 1_200);
}

async fn keys_are_replayed_and_what_comes_to_nothing_counts_no_more(world: World) {
    let card = world.card(&world.one, 1_000).await;
    let maker = person(&world, MAKER, small(), None).await;
    let under = |key: &'static str, body: Value| maker.under(&world, key, "/v1/adjustments", body);
    let first = under("one", adjust(&card, 60)).await.approved();
    let again = under("one", adjust(&card, 60)).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.approved()["id"], first["id"]);
    under("one", adjust(&card, 61)).await.is(409, "idempotency_key_reused");
    assert_eq!(used(&world, &maker).await, 60);
    let waits = under("two", adjust(&card, 500)).await.ok(202);
    let again = under("two", adjust(&card, 500)).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.ok(202)["approval"]["id"], waits["approval"]["id"]);
    under("two", adjust(&card, 499)).await.is(409, "idempotency_key_reused");
    let id = text(&waits["approval"]["id"]);
    let withdrawn = maker.decides(&world, &id, "withdraw", json!({"note": "错了"})).await.ok(200);
    assert_eq!(withdrawn["state"], "withdrawn");
    assert_eq!(used(&world, &maker).await, 60);
    let off = |minor: i64| json!({"card": {"id": card.id}, "direction": "debit", "amount": minor, "currency": "CNY", "reason": "更正"});
    under("three", json!({"card": {"id": card.id}, "direction": "debit", "amount": 90, "currency": "USD", "reason": "x"}))
        .await;
    assert_eq!(used(&world, &maker).await, 60, "refused or declined");
    let empty = world.card(&world.one, 10).await;
    let too_much = json!({"card": {"id": empty.id}, "direction": "debit", "amount": 90, "currency": "CNY", "reason": "x"});
    let declined = under("four", too_much.clone()).await.ok(201);
    assert_eq!(declined["status"], "declined");
    assert_eq!(used(&world, &maker).await, 60);
    assert_eq!(under("four", too_much).await.ok(201)["id"], declined["id"]);
    under("five", off(100)).await.approved();
    assert_eq!(used(&world, &maker).await, 160);
}

async fn what_was_approved_is_done_once_whatever_breaks(world: World) {
    let card = world.card(&world.one, 1_000).await;
    let maker = person(&world, MAKER, small(), None).await;
    let checker = person(&world, CHECKER, small(), None).await;
    let store = world.engine.store();
    let by = checker.user.id.principal();
    // The server dies after the decision; the one who approved tries again, twice at once.
    let id = maker.asks(&world, "/v1/adjustments", adjust(&card, 500)).await;
    approve_and_die(&world, &id, by).await;
    let (one, two) = tokio::join!(
        checker.decides(&world, &id, "approve", json!({})),
        checker.decides(&world, &id, "approve", json!({}))
    );
    assert_eq!(one.ok(200)["result"], two.ok(200)["result"]);
    assert_eq!(balance(&world, &card).await, 1_500);
    // It dies after the work, before that is noted.
    let id = maker.asks(&world, "/v1/adjustments", adjust(&card, 300)).await;
    let approval = approve_and_die(&world, &id, by).await;
    let intent = Intent {
        actor: Actor { client: approval.maker, issuer: approval.issuer, merchant: None },
        key: job_key(approval.id.get(), u64::from_be_bytes(*b"approval")).expect("a key"),
        canonical: format!("approval:{}", approval.id).into_bytes().into_boxed_slice(),
        command: Command::Adjust(Adjust {
            card: CardRef::Id(card.id.parse().expect("a card")),
            direction: Direction::Credit,
            amount: amount(300),
            currency: Currency::CNY,
            reason: "更正".to_owned(),
        }),
        trace: None,
        reference: None,
        metadata: None,
    };
    let done = world.engine.submit(intent).await.expect("taken").expect("decided").operation.id.to_string();
    assert_eq!(checker.decides(&world, &id, "approve", json!({})).await.ok(200)["result"], done);
    assert_eq!(balance(&world, &card).await, 1_800);
    // Nobody comes back: the server goes on by itself.
    let id = maker
        .asks(&world, "/v1/batches", json!({"program": world.one.program, "count": 9, "face_value": 90}))
        .await;
    approve_and_die(&world, &id, by).await;
    world.clock.advance_seconds(31);
    let mut result = None;
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let approval =
            store.approval(ApprovalId::parse(&id).expect("an id")).await.expect("read").expect("there");
        result = approval.result;
        if result.is_some() {
            break;
        }
    }
    assert!(result.expect("taken up").starts_with("batch_"));
}

async fn approve_and_die(world: &World, id: &str, by: domain::ClientId) -> storage::Approval {
    let store = world.engine.store();
    let found = store.approval(ApprovalId::parse(id).expect("an id")).await.expect("read").expect("there");
    let step = identity::approvals::approve(found, by, true, now(world), None);
    let (approved, event) = step.expect("approved");
    store.update_approval(&approved, &event).await.expect("stored");
    approved
}

fn now(world: &World) -> Timestamp {
    world.engine.now()
}

async fn what_turns_out_impossible_fails_and_is_listed(world: World) {
    let program = world.program(&world.one.key, open_rules()).await;
    let card = world.card_of(&world.one, &program, 1_000).await;
    let maker = person(&world, MAKER, small(), None).await;
    let checker = person(&world, CHECKER, small(), None).await;
    let debit = json!({"card": {"id": card.id}, "direction": "debit", "amount": 5_000, "currency": "CNY", "reason": "x"});
    let id = maker.asks(&world, "/v1/adjustments", debit).await;
    let failed = checker.decides(&world, &id, "approve", json!({"note": "好"})).await.ok(200);
    assert_eq!(failed["state"], "failed", "{failed}");
    assert!(failed["failure"].is_string(), "{failed}");
    assert_eq!(used(&world, &maker).await, 0, "it counts no more");
    let waiting = maker.asks(&world, "/v1/adjustments", adjust(&card, 101)).await;
    let ids = |answer: Answer| -> Vec<String> {
        let page = answer.ok(200);
        page["items"].as_array().expect("items").iter().map(|item| text(&item["id"])).collect()
    };
    for (path, expect) in [
        ("/v1/approvals", vec![waiting.clone(), id.clone()]),
        ("/v1/approvals?state=pending", vec![waiting.clone()]),
        ("/v1/approvals?state=failed&kind=adjust", vec![id.clone()]),
        ("/v1/approvals?kind=issue", vec![]),
    ] {
        assert_eq!(ids(checker.get(&world, path).await), expect, "{path}");
        assert_eq!(ids(maker.get(&world, path).await), expect, "{path}");
    }
    assert!(ids(checker.get(&world, "/v1/approvals?own=true").await).is_empty());
    let stranger = person(&world, MAKER, small(), None).await;
    assert!(ids(stranger.get(&world, "/v1/approvals").await).is_empty());
    checker.get(&world, "/v1/approvals?state=done").await.is(400, "invalid_parameter");
    let refused = checker.decides(&world, &waiting, "reject", json!({})).await;
    refused.is(400, "missing_field");
}
