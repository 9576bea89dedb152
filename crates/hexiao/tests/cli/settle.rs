//! `settle`: a run that is killed with SIGKILL at any moment, and started again, ends with the statements, payouts
//! and balances of a run that nobody disturbed.
//!
//! HEXIAO_SETTLE_KILLS says how often (8).

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Connection, Sandbox, Server, Shop};

const MERCHANTS: usize = 6;
const CARDS: usize = 20;
/// Sales of one request.
const TOGETHER: usize = 1000;
const REQUESTS: usize = 6;
const SETTLE: [&str; 6] = ["settle", "--early", "all", "--json", "--log", "error"];

#[test]
fn kill_nine_anywhere_in_a_run_on_a_file_changes_no_statement() {
    check(Sandbox::new(), 1);
}

#[test]
fn kill_nine_anywhere_in_a_run_on_a_server_changes_no_statement() {
    check(Sandbox::on_postgres(), 2);
}

/// Runs one of `part` of the kills.
fn check(sandbox: Sandbox, part: u32) {
    let kills = std::env::var("HEXIAO_SETTLE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(8);
    let kills: u32 = kills / part;
    let (shop, merchants) = sold(sandbox);
    let undisturbed = shop.sandbox.copy();
    let began = Instant::now();
    let report = undisturbed.run(&SETTLE);
    let whole = began.elapsed();
    assert_eq!(report.code, 0, "{report:?}");
    let expect = outcome(&undisturbed, &shop.secret, &merchants);
    let closed = |text: &Value| text.as_str().is_some_and(|text| text.contains("\"closed\""));
    let closed = expect["statements"].as_array().expect("a list").iter().filter(|text| closed(text)).count();
    assert_eq!(closed, MERCHANTS, "{expect}");
    let mut struck = 0;
    for kill in 1..=kills {
        let copy = shop.sandbox.copy();
        // Spread over the whole run: while it starts, takes in, fixes figures, posts, closes.
        struck += u32::from(run_and_kill(&copy, whole * kill / (kills + 1)));
        let again = copy.run(&SETTLE);
        assert_eq!(again.code, 0, "{again:?}");
        assert_eq!(outcome(&copy, &shop.secret, &merchants), expect, "killed after {kill} of {kills} parts");
        copy.verify();
    }
    assert!(struck * 2 >= kills, "only {struck} of {kills} runs were killed before their end");
}

/// Whether it was killed before its end.
fn run_and_kill(sandbox: &Sandbox, after: Duration) -> bool {
    let mut command = sandbox.command(&SETTLE);
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    std::thread::sleep(after);
    let ended = running.try_wait().expect("ours").is_some();
    running.kill().expect("ours");
    running.wait().expect("it ends");
    !ended
}

/// A shop whose merchants have sold under terms with fees and parts, mostly not taken into statements yet.
fn sold(sandbox: Sandbox) -> (Shop, Vec<String>) {
    let shop = Shop::on(sandbox);
    let server = shop.serve();
    let mut till = shop.connect(&server);
    let mut merchants = vec![shop.merchant.clone()];
    for number in 1..MERCHANTS {
        let made = till.post("/v1/merchants", None, &json!({ "name": format!("Merchant {number}") }));
        merchants.push(made.expect("an answer").body["id"].as_str().expect("an id").to_owned());
    }
    let terms = json!({
        "cycle": { "kind": "t_plus", "days": 1 },
        "fees": { "basis_points": 100, "fixed": 1 },
        "splits": { "base": "net", "receivers": [
            { "merchant": merchants[0], "share": { "kind": "percent", "basis_points": 1000 } } ] },
    });
    let agreement = json!({ "currency": "CNY", "effective_from": "2020-01-01", "terms": terms });
    let made = till.post("/v1/agreements", None, &agreement).expect("an answer");
    assert_eq!(made.status, 201, "{made:?}");
    let cards: Vec<String> = (0..CARDS).map(|_| shop.card(&mut till, 10_000_000).number).collect();
    drop(till);
    assert_eq!(server.terminate(), Some(0));
    // A fresh server settles what is there at its start, and not again for some seconds.
    let server = shop.serve();
    sell(&mut shop.connect(&server), &merchants, &cards);
    assert_eq!(server.terminate(), Some(0));
    (shop, merchants)
}

fn sell(till: &mut Connection, merchants: &[String], cards: &[String]) {
    for request in 0..REQUESTS {
        let item = |n: usize| {
            json!({
                "key": format!("sale-{request}-{n}"),
                "card": { "number": cards[n % CARDS] },
                "amount": 100 + n % 37,
                "currency": "CNY",
                "merchant": merchants[n % MERCHANTS],
            })
        };
        let body = json!({ "items": (0..TOGETHER).map(item).collect::<Vec<_>>() });
        let answer = till.post("/v1/redemptions/batch", None, &body).expect("an answer");
        let results = answer.body["results"].as_array().expect("results");
        assert!(results.iter().all(|result| result["operation"]["status"] == "approved"), "{:?}", results[0]);
    }
}

/// Statements, payouts and balances, without ids that differ between runs.
fn outcome(sandbox: &Sandbox, secret: &str, merchants: &[String]) -> Value {
    let server = Server::start(sandbox);
    let mut till = server.connect(secret);
    let statements = list(&mut till, "/v1/statements", |s| {
        json!({ "merchant": s["merchant"], "status": s["status"], "from": s["period_from"],
            "to": s["period_to"], "figures": s["figures"] })
    });
    let payouts = list(
        &mut till,
        "/v1/payouts",
        |p| json!({ "merchant": p["merchant"], "amount": p["amount"], "status": p["status"] }),
    );
    let balance = |merchant: &String| {
        let path = format!("/v1/ledger/accounts/merchant:{merchant}");
        till.get(&path).expect("an answer").body["totals"].clone()
    };
    let balances: Vec<Value> = merchants.iter().map(balance).collect();
    assert_eq!(server.terminate(), Some(0));
    json!({ "statements": statements, "payouts": payouts, "balances": balances })
}

fn list(till: &mut Connection, path: &str, show: impl Fn(&Value) -> Value) -> Vec<String> {
    let page = till.get(&format!("{path}?limit=200")).expect("an answer");
    assert_eq!((page.status, &page.body["next_cursor"]), (200, &Value::Null), "one page: {page:?}");
    let items = page.body["items"].as_array().expect("a list");
    let mut shown: Vec<String> = items.iter().map(|item| show(item).to_string()).collect();
    shown.sort_unstable();
    shown
}
