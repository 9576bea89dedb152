//! `serve --demo`.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Connection, Sandbox, Server};

/// With cards and users only.
fn demo(sandbox: &Sandbox) -> (Server, Value) {
    demo_of_days(sandbox, "0")
}

fn demo_of_days(sandbox: &Sandbox, days: &str) -> (Server, Value) {
    let mut server = Server::start_with(sandbox, &["--demo", "--demo-days", days]);
    let page = server.line();
    (server, page)
}

fn text<'a>(page: &'a Value, pointer: &str) -> &'a str {
    page.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}: {page}"))
}

fn debits(till: &mut Connection) -> i64 {
    let books = till.get("/v1/ledger/trial-balance").expect("an answer").body;
    let totals = books["totals"].as_array().expect("totals");
    assert_eq!((totals.len(), &totals[0]["currency"]), (1, &json!("CNY")), "{books}");
    totals[0]["debits"].as_i64().expect("a sum")
}

#[test]
fn what_it_prints_works_and_a_second_start_adds_nothing() {
    for sandbox in Sandbox::each() {
        start_twice(&sandbox);
    }
}

fn start_twice(sandbox: &Sandbox) {
    let (server, page) = demo(sandbox);
    let mut manager = server.connect(text(&page, "/key"));
    let before = debits(&mut manager);
    assert!(before > 0, "there is business to look at");
    let number = text(&page, "/cards/gift/11/number");
    let sale = json!({
        "card": { "number": number }, "amount": 3500, "currency": "CNY", "store": text(&page, "/store"),
    });
    let sold = manager.post("/v1/redemptions", Some("k1"), &sale).expect("an answer");
    assert_eq!((sold.status, &sold.body["status"]), (201, &json!("approved")), "{sold:?}");
    let mut cashier = server.connect(text(&page, "/cashier_key"));
    let sold = cashier.post("/v1/redemptions", Some("k1"), &sale).expect("an answer");
    assert_eq!(sold.body["status"], "approved", "{sold:?}");
    let after = debits(&mut manager);
    assert_eq!(after, before + 7000);
    assert_eq!(server.terminate(), Some(0));

    let (server, again) = demo(sandbox);
    assert_eq!(text(&again, "/cards/gift/11/number"), number, "the same cards");
    assert_ne!(text(&again, "/key"), text(&page, "/key"), "secrets cannot be shown twice");
    let mut manager = server.connect(text(&again, "/key"));
    assert_eq!(debits(&mut manager), after);
    let mut earlier = server.connect(text(&page, "/key"));
    assert_eq!(earlier.get("/v1/operations").expect("an answer").status, 401);
    assert_eq!(server.terminate(), Some(0));
    sandbox.verify();
}

/// The items of a list, as many as a page has.
fn items(till: &mut Connection, path: &str) -> Vec<Value> {
    let answer = till.get(path).expect("an answer");
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body["items"].as_array().expect("items").clone()
}

/// The dashboard, once the server has counted what was before its start.
fn counted(till: &mut Connection) -> Value {
    let began = Instant::now();
    loop {
        let board = till.get("/v1/dashboard").expect("an answer").body;
        if board["complete"] == true {
            return board;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{board}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_chain_has_a_past_and_its_books_hold() {
    for sandbox in Sandbox::each() {
        look_back(&sandbox);
        sandbox.verify();
    }
}

fn look_back(sandbox: &Sandbox) {
    let (server, page) = demo_of_days(sandbox, "30");
    let mut issuer = server.connect(text(&page, "/key"));
    let closed = items(&mut issuer, "/v1/statements?status=closed&limit=200");
    assert!(closed.len() > 30, "{} statements", closed.len());
    let figure = |name: &str| closed.iter().filter_map(|one| one["figures"][name].as_i64()).sum::<i64>();
    assert!(figure("fees") > 0 && figure("refunds") < 0 && figure("splits_out") > 0, "{closed:?}");
    for status in ["proposed", "approved", "sent", "confirmed", "returned"] {
        let found = items(&mut issuer, &format!("/v1/payouts?status={status}"));
        assert!(!found.is_empty(), "no payout is {status}");
    }
    let differences = items(&mut issuer, "/v1/reconciliation-differences?limit=200");
    let classes: BTreeSet<&str> = differences.iter().filter_map(|one| one["class"].as_str()).collect();
    assert!(classes.len() >= 4, "{classes:?}");
    let declined = items(&mut issuer, "/v1/operations?status=declined&limit=200");
    let codes: BTreeSet<&str> = declined.iter().filter_map(|one| one["decline"]["code"].as_str()).collect();
    for code in ["insufficient_funds", "pin_wrong", "merchant_not_accepted", "card_frozen", "card_expired"] {
        assert!(codes.contains(code), "no decline of {code}: {codes:?}");
    }
    let yesterday = counted(&mut issuer)["yesterday"]["totals"][0]["count"].as_i64();
    assert!(yesterday.is_some_and(|sales| sales > 50), "{yesterday:?} sales yesterday");
    // A second start goes on with what is there.
    let before = debits(&mut issuer);
    assert_eq!(server.terminate(), Some(0));
    let (server, again) = demo_of_days(sandbox, "30");
    let mut issuer = server.connect(text(&again, "/key"));
    assert_eq!(debits(&mut issuer), before);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_benefit_card_asks_for_its_pin_where_no_till_reads_it() {
    let sandbox = Sandbox::new();
    let (server, page) = demo(&sandbox);
    let mut manager = server.connect(text(&page, "/key"));
    let card = json!({ "number": text(&page, "/cards/benefit/11/number") });
    let mut sell = |key: &str, pin: Option<&str>| {
        let mut sale = json!({ "card": card, "amount": 100, "currency": "CNY", "merchant": text(&page, "/merchants/0") });
        if let Some(pin) = pin {
            sale["pin"] = json!(pin);
        }
        let answer = manager.post("/v1/redemptions", Some(key), &sale).expect("an answer");
        answer.body["decline"]["code"].as_str().unwrap_or("approved").to_owned()
    };
    assert_eq!(sell("a", None), "pin_required");
    assert_eq!(sell("b", Some(text(&page, "/cards/benefit/11/pin"))), "approved");
}

#[test]
fn the_page_for_people_has_lines_to_paste() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&[
        "serve",
        "--demo",
        "--demo-days",
        "0",
        "--listen",
        "127.0.0.1:0",
        "--log",
        "error",
    ]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("it starts");
    let out = std::io::BufReader::new(child.stdout.take().expect("its output"));
    let mut page = String::new();
    for line in std::io::BufRead::lines(out) {
        let line = line.expect("a line");
        page.push_str(&line);
        page.push('\n');
        if line.contains("Ctrl-C") {
            break;
        }
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    for part in [
        "http://127.0.0.1:",
        "KEY=hx_",
        "/v1/activations",
        "/v1/redemptions",
        "/refunds",
        "trial-balance",
        "核销",
        "PIN ",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}
