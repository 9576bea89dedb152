//! Thirty clients at one card at the same moment: value is neither spent twice nor lost.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::world::{Answer, Card, World, only_balance, open_rules, text};

const CLIENTS: usize = 30;

/// A request under a key.
struct Sent {
    key: String,
    path: String,
    body: Value,
}

/// Sends them all at once, each from a task of its own. The answers are in the order of the requests.
async fn at_once(world: &Arc<World>, requests: Vec<Sent>) -> Vec<Answer> {
    let gate = Arc::new(Barrier::new(requests.len()));
    let send = |Sent { key, path, body }| {
        let (world, gate) = (Arc::clone(world), Arc::clone(&gate));
        tokio::spawn(async move {
            gate.wait().await;
            world.under(&world.one.key, &key, &path, body).await
        })
    };
    let tasks: Vec<_> = requests.into_iter().map(send).collect();
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        answers.push(task.await.expect("an answer"));
    }
    answers
}

/// Sends these requests, over and over until there are thirty, each under a key of its own.
async fn race(world: &Arc<World>, of: &[(String, Value)]) -> Tally {
    race_of(world, CLIENTS, of).await
}

async fn race_of(world: &Arc<World>, clients: usize, of: &[(String, Value)]) -> Tally {
    let requests = of.iter().cycle().take(clients);
    let send = |(path, body): &(String, Value)| Sent {
        key: world.new_key(),
        path: path.clone(),
        body: body.clone(),
    };
    Tally::of(&at_once(world, requests.map(send).collect()).await)
}

/// What became of a race.
#[derive(Debug, Default)]
struct Tally {
    /// Approved operations that are no replay, by kind.
    approved: BTreeMap<String, Vec<Value>>,
    /// Declined operations, by code.
    declined: BTreeMap<String, usize>,
    replayed: usize,
}

impl Tally {
    #[track_caller]
    fn of(answers: &[Answer]) -> Self {
        let mut tally = Self::default();
        for answer in answers {
            let operation = answer.ok(201);
            if answer.header("idempotent-replayed") == "true" {
                tally.replayed += 1;
            } else if operation["status"] == "approved" {
                tally.approved.entry(text(&operation["kind"])).or_default().push(operation);
            } else {
                *tally.declined.entry(text(&operation["decline"]["code"])).or_default() += 1;
            }
        }
        tally
    }

    /// How many of a kind were approved.
    fn count(&self, kind: &str) -> usize {
        self.approved.get(kind).map_or(0, Vec::len)
    }

    /// How much of a kind was approved.
    fn sum(&self, kind: &str) -> i64 {
        let amount = |operation: &Value| operation["approved"].as_i64().expect("an amount");
        self.approved.get(kind).map_or(0, |operations| operations.iter().map(amount).sum())
    }

    /// Asserts that all that were not approved were declined for these reasons.
    #[track_caller]
    fn declined_only(&self, codes: &[&str]) {
        assert!(self.declined.keys().all(|code| codes.contains(&code.as_str())), "{self:?}");
    }

    /// Asserts that these many were declined for this reason and none for another.
    #[track_caller]
    fn declined(&self, code: &str, times: usize) {
        let expected: BTreeMap<_, _> = (times > 0).then(|| (code.to_owned(), times)).into_iter().collect();
        assert_eq!(self.declined, expected, "{self:?}");
    }
}

/// Balance, held and available.
async fn worth(world: &World, card: &Card) -> (i64, i64, i64) {
    let read = world.get(&world.one.key, &format!("/v1/cards/{}", card.id)).await.ok(200);
    let amount = |name: &str| read["card"][name].as_i64().expect("an amount");
    (amount("balance"), amount("held"), amount("available"))
}

/// What the merchant is owed.
async fn owed(world: &World) -> i64 {
    let path = format!("/v1/ledger/accounts/merchant:{}", world.one.merchant);
    only_balance(&world.get(&world.one.key, &path).await.ok(200))
}

/// How many operations of this kind are stored with this card, approved and declined.
async fn stored(world: &World, card: &Card, kind: &str) -> (usize, usize) {
    let (mut approved, mut declined) = (0, 0);
    let path = format!("/v1/cards/{}/operations?limit=200", card.id);
    let mut next = Some(path.clone());
    while let Some(at) = next {
        let page = world.get(&world.one.key, &at).await.ok(200);
        for operation in page["items"].as_array().expect("a list").iter().filter(|item| item["kind"] == kind)
        {
            if operation["status"] == "approved" { approved += 1 } else { declined += 1 }
        }
        next = page["next_cursor"].as_str().map(|cursor| format!("{path}&cursor={cursor}"));
    }
    (approved, declined)
}

/// Asserts that the stored data agrees with itself and that the books balance.
async fn audited(world: &World) {
    let report = world.engine.store().audit().await.expect("an audit");
    assert_eq!(report.violations, []);
    assert!(!report.totals.is_empty(), "{report:?}");
    for totals in &report.totals {
        assert_eq!(totals.debits, totals.credits, "{totals:?}");
    }
    assert!(report.cards > 0 && report.transfers > 0 && !report.checked.is_empty(), "{report:?}");
    let balance = world.get(&world.one.key, "/v1/ledger/trial-balance").await.ok(200);
    assert_eq!(balance["balanced"], true);
}

async fn world() -> Arc<World> {
    Arc::new(World::new().await)
}

fn payment(world: &World, card: &Card, amount: i64) -> Value {
    json!({"card": {"number": card.number}, "amount": amount, "currency": "CNY", "store": world.one.store})
}

fn redemption(world: &World, card: &Card, amount: i64) -> (String, Value) {
    ("/v1/redemptions".to_owned(), payment(world, card, amount))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redemptions_never_overspend() {
    let world = world().await;
    let mut owed_before = 0;
    for (value, amount) in [(10_000, 700), (30, 1), (29, 1), (10_000, 3_334), (10_000, 10_001)] {
        let card = world.card(&world.one, value).await;
        let tally = race(&world, &[redemption(&world, &card, amount)]).await;
        let approved = usize::try_from(value / amount).expect("a count").min(CLIENTS);
        assert_eq!(tally.count("redemption"), approved, "{value} {amount}");
        tally.declined("insufficient_funds", CLIENTS - approved);
        let spent = i64::try_from(approved).expect("a count") * amount;
        assert_eq!(worth(&world, &card).await.0, value - spent);
        assert_eq!(stored(&world, &card, "redemption").await, (approved, CLIENTS - approved));
        assert_eq!(owed(&world).await, owed_before + spent);
        owed_before += spent;
    }
    audited(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redemptions_in_part_share_what_is_there() {
    let world = world().await;
    let card = world.card(&world.one, 10_000).await;
    let mut part = redemption(&world, &card, 700);
    part.1["partial"] = true.into();
    let tally = race(&world, &[part]).await;
    assert_eq!((tally.count("redemption"), tally.sum("redemption")), (15, 10_000));
    tally.declined("insufficient_funds", 15);
    assert_eq!(worth(&world, &card).await.0, 0);
    audited(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_never_give_back_more_than_was_paid() {
    let world = world().await;
    // The parts, and what they must come to, where that does not depend on who is first.
    let whole = json!({});
    let part = |amount: i64| json!({"amount": amount, "currency": "CNY"});
    let cases = [
        (vec![whole.clone()], Some((1, 1_000))),
        (vec![part(37)], Some((27, 999))),
        (vec![part(1_000)], Some((1, 1_000))),
        (vec![part(1_001)], Some((0, 0))),
        (vec![part(37), part(411), part(3)], None),
        (vec![part(37), whole], None),
    ];
    for (parts, expected) in cases {
        let card = world.card(&world.one, 1_500).await;
        let sale = text(&world.redeem(&world.one, &card, 1_000).await.approved()["id"]);
        let owed_before = owed(&world).await;
        let path = format!("/v1/redemptions/{sale}/refunds");
        let requests: Vec<_> = parts.into_iter().map(|body| (path.clone(), body)).collect();
        let tally = race(&world, &requests).await;
        tally.declined_only(&["refund_exceeds_redemption"]);
        let refunded = tally.sum("refund");
        assert!((0..=1_000).contains(&refunded), "{tally:?}");
        if let Some(expected) = expected {
            assert_eq!((tally.count("refund"), refunded), expected);
        }
        assert_eq!(worth(&world, &card).await.0, 500 + refunded);
        assert_eq!(owed(&world).await, owed_before - refunded);
        assert_eq!(stored(&world, &card, "refund").await.0, tally.count("refund"));
    }
    audited(&world).await;
}

/// A hold of 600 on a card of 1,000, and the requests that race for it.
async fn held(world: &Arc<World>, of: &[(&str, Value)]) -> (Card, Tally) {
    let card = world.card(&world.one, 1_000).await;
    let hold = world.keyed(&world.one.key, "/v1/holds", payment(world, &card, 600)).await.approved();
    let hold = text(&hold["hold"]);
    let request = |(what, body): &(&str, Value)| (format!("/v1/holds/{hold}/{what}"), body.clone());
    let tally = race(world, &of.iter().map(request).collect::<Vec<_>>()).await;
    (card, tally)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn captures_never_take_more_than_the_hold() {
    let world = world().await;
    let part = |is_final: bool| json!({"amount": 41, "currency": "CNY", "final": is_final});
    // The captures; how many are approved for how much, why the rest is declined, what stays held.
    let cases = [
        (json!({}), (1, 600), "hold_closed", 0),
        (part(true), (1, 41), "hold_closed", 0),
        (part(false), (14, 574), "capture_exceeds_hold", 26),
    ];
    for (capture, expected, code, still_held) in cases {
        let (card, tally) = held(&world, &[("captures", capture)]).await;
        assert_eq!((tally.count("capture"), tally.sum("capture")), expected);
        tally.declined(code, CLIENTS - expected.0);
        let balance = 1_000 - expected.1;
        assert_eq!(worth(&world, &card).await, (balance, still_held, balance - still_held));
    }
    audited(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn captures_and_releases_share_the_hold() {
    let world = world().await;
    let capture = ("captures", json!({"amount": 41, "currency": "CNY", "final": false}));
    let release = ("releases", json!({}));
    for order in [[capture.clone(), release.clone()], [release.clone(), capture.clone()]] {
        let (card, tally) = held(&world, &order).await;
        tally.declined_only(&["hold_closed", "capture_exceeds_hold"]);
        assert_eq!(tally.count("release"), 1, "{tally:?}");
        assert_eq!(tally.sum("capture") + tally.sum("release"), 600, "{tally:?}");
        let left = 1_000 - tally.sum("capture");
        assert_eq!(worth(&world, &card).await, (left, 0, left));
    }
    for order in [[("captures", json!({})), release.clone()], [release, ("captures", json!({}))]] {
        let (card, tally) = held(&world, &order).await;
        assert_eq!(tally.count("capture") + tally.count("release"), 1, "{tally:?}");
        tally.declined("hold_closed", CLIENTS - 1);
        assert_eq!(worth(&world, &card).await.0, 1_000 - tally.sum("capture"));
    }
    audited(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn value_that_moves_is_never_doubled() {
    let world = world().await;
    let (mut targets, mut owed_before) = (Vec::new(), 0);
    for _ in 0..5 {
        targets.push(world.card(&world.one, 10).await);
    }
    // How many of thirty requests are transfers and merges; the rest are redemptions.
    for (transfers, merges) in [(15, 0), (0, 15), (10, 10), (30, 0), (0, 30)] {
        let source = world.card(&world.one, 1_000).await;
        let mut before = 1_000;
        for target in &targets {
            before += worth(&world, target).await.0;
        }
        let requests: Vec<_> = (0..CLIENTS)
            .map(|n| {
                let to = json!({"from": {"id": source.id}, "to": {"id": targets[n % 5].id}});
                // Spreads the kinds evenly, so that none is always first.
                match n * 7 % CLIENTS {
                    n if n < transfers => {
                        let mut body = to;
                        body["amount"] = 130.into();
                        body["currency"] = "CNY".into();
                        ("/v1/transfers".to_owned(), body)
                    }
                    n if n < transfers + merges => ("/v1/merges".to_owned(), to),
                    _ => redemption(&world, &source, 90),
                }
            })
            .collect();
        let tally = race(&world, &requests).await;
        tally.declined_only(&["insufficient_funds", "card_closed"]);
        assert_eq!(tally.count("merge"), usize::from(merges > 0), "{tally:?}");
        let left = worth(&world, &source).await.0;
        let gone = tally.sum("transfer") + tally.sum("merge") + tally.sum("redemption");
        assert_eq!(left, 1_000 - gone, "{tally:?}");
        let mut after = left;
        for target in &targets {
            after += worth(&world, target).await.0;
        }
        assert_eq!(after, before - tally.sum("redemption"), "{tally:?}");
        owed_before += tally.sum("redemption");
        assert_eq!(owed(&world).await, owed_before);
    }
    audited(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transfers_in_a_ring_neither_block_nor_lose() {
    let world = world().await;
    let mut ring = Vec::new();
    for _ in 0..3 {
        ring.push(world.card(&world.one, 100).await);
    }
    let step = |n: usize| {
        let (from, to) = (&ring[n % 3].id, &ring[(n + 1) % 3].id);
        let body = json!({"from": {"id": from}, "to": {"id": to}, "amount": 60, "currency": "CNY"});
        ("/v1/transfers".to_owned(), body)
    };
    let tally = race(&world, &[step(0), step(1), step(2)]).await;
    tally.declined_only(&["insufficient_funds"]);
    assert!(tally.count("transfer") > 0);
    let mut sum = 0;
    for card in &ring {
        sum += worth(&world, card).await.0;
    }
    assert_eq!(sum, 300);
    audited(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sale_is_reversed_or_refunded_and_never_both() {
    let world = world().await;
    for round in 0..8 {
        let card = world.card(&world.one, 1_000).await;
        let key = world.new_key();
        let sale = world.under(&world.one.key, &key, "/v1/redemptions", payment(&world, &card, 800)).await;
        let sale = text(&sale.approved()["id"]);
        let mut requests = [
            ("/v1/reversals".to_owned(), json!({"original_key": key})),
            (format!("/v1/redemptions/{sale}/refunds"), json!({})),
        ];
        if round % 2 == 1 {
            requests.reverse();
        }
        let tally = race(&world, &requests).await;
        let (reversals, refunds) = (tally.count("reversal"), tally.count("refund"));
        assert_eq!(reversals + refunds, 1, "{tally:?}");
        // Reversals after the first are its replays; refunds after the first find nothing left.
        let (replayed, expected) = if reversals == 1 {
            (CLIENTS / 2 - 1, vec![("already_reversed", CLIENTS / 2)])
        } else {
            let refused = [("already_refunded", CLIENTS / 2), ("refund_exceeds_redemption", CLIENTS / 2 - 1)];
            (0, refused.to_vec())
        };
        let expected: BTreeMap<_, _> = expected.into_iter().map(|(c, n)| (c.to_owned(), n)).collect();
        assert_eq!((tally.replayed, &tally.declined), (replayed, &expected));
        assert_eq!(worth(&world, &card).await, (1_000, 0, 1_000));
        assert_eq!(owed(&world).await, 0);
    }
    audited(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_is_one_operation() {
    let world = world().await;
    let card = world.card(&world.one, 100_000).await;
    let other = world.card(&world.one, 1).await;
    let pay = |amount| payment(&world, &card, amount);
    let load = json!({"card": {"id": card.id}, "amount": 10, "currency": "CNY"});
    let transfer = json!({
        "from": {"id": card.id}, "to": {"id": other.id}, "amount": 10, "currency": "CNY"
    });
    // The request, the kind of its operation, and whether it is approved.
    let cases = [
        ("/v1/redemptions", pay(700), "redemption", (1, 0)),
        ("/v1/redemptions", pay(900_000), "redemption", (1, 1)),
        ("/v1/holds", pay(600), "hold", (1, 0)),
        ("/v1/loads", load, "load", (1, 0)),
        ("/v1/transfers", transfer, "transfer", (1, 0)),
    ];
    for (path, body, kind, expected) in cases {
        let key = world.new_key();
        let sent = || Sent { key: key.clone(), path: path.to_owned(), body: body.clone() };
        let answers = at_once(&world, (0..CLIENTS).map(|_| sent()).collect()).await;
        assert!(answers.iter().all(|answer| answer.bytes == answers[0].bytes), "{path}");
        assert_eq!(Tally::of(&answers).replayed, CLIENTS - 1, "{path}");
        assert_eq!(stored(&world, &card, kind).await, expected, "{path}");
    }
    assert_eq!(worth(&world, &card).await, (99_300, 600, 98_700));
    audited(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_pins_are_evaluated_five_times() {
    let world = world().await;
    let mut rules = open_rules();
    rules["pin"] = json!({"kind": "always"});
    rules["pin_issued"] = true.into();
    let program = world.program(&world.one.key, rules).await;
    for clients in [CLIENTS, 1_000] {
        let card = world.card_of(&world.one, &program, 1_000).await;
        let pin = card.pin.clone().expect("a PIN");
        let mut attempt = redemption(&world, &card, 1);
        attempt.1["pin"] = if pin == "000000" { "111111" } else { "000000" }.into();
        let tally = race_of(&world, clients, std::slice::from_ref(&attempt)).await;
        let expected = [("pin_locked", clients - 5), ("pin_wrong", 5)].map(|(c, n)| (c.to_owned(), n));
        assert_eq!((tally.count("redemption"), &tally.declined), (0, &expected.into()));
        attempt.1["pin"] = pin.into();
        world.keyed(&world.one.key, &attempt.0, attempt.1).await.declined("pin_locked");
        assert_eq!(worth(&world, &card).await.0, 1_000);
    }
    audited(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_is_activated_once() {
    let world = world().await;
    let card = world.stocked(&world.one, &world.one.program).await;
    let body = json!({"card": {"number": card.number}, "amount": 1_000, "currency": "CNY"});
    let tally = race(&world, &[("/v1/activations".to_owned(), body)]).await;
    assert_eq!((tally.count("activation"), tally.sum("activation")), (1, 1_000));
    tally.declined("card_already_active", CLIENTS - 1);
    assert_eq!(worth(&world, &card).await, (1_000, 0, 1_000));
    assert_eq!(stored(&world, &card, "activation").await, (1, CLIENTS - 1));
    let channel = world.get(&world.one.key, "/v1/ledger/accounts/channel:api").await.ok(200);
    assert_eq!(channel["totals"][0]["debits"], 1_000);
    audited(&world).await;
}
