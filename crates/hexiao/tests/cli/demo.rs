//! `serve --demo`.

use serde_json::{Value, json};

use crate::support::{Connection, Sandbox, Server};

fn demo(sandbox: &Sandbox) -> (Server, Value) {
    let mut server = Server::start_with(sandbox, &["--demo"]);
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
    let mut command = sandbox.command(&["serve", "--demo", "--listen", "127.0.0.1:0", "--log", "error"]);
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
