//! `replay`: the main job on real input.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Generated, Sandbox, Shop, generate};

const FIELDS: [&str; 11] = [
    "invoices",
    "sales",
    "returns",
    "approved",
    "declined",
    "redeemed_minor",
    "refunded_linked_minor",
    "refunded_unlinked_minor",
    "debits_minor",
    "credits_minor",
    "balanced",
];

fn replay(sandbox: &Sandbox, file: &Path, more: &[&str]) -> Value {
    let file = file.to_str().expect("a path");
    let summary = sandbox.json(&[&["replay", file], more].concat());
    let mut names: Vec<&String> = summary.as_object().expect("an object").keys().collect();
    let mut expect = FIELDS.to_vec();
    names.sort();
    expect.sort_unstable();
    assert_eq!(names, expect, "exactly these fields");
    summary
}

fn check(summary: &Value, made: &Generated) {
    let number = |name: &str| summary[name].as_i64().unwrap_or_else(|| panic!("{name}: {summary}"));
    let counts =
        (number("invoices"), number("sales"), number("returns"), number("approved"), number("declined"));
    let (sales, returns) =
        (i64::try_from(made.sales).expect("few"), i64::try_from(made.returns).expect("few"));
    assert_eq!(counts, (sales + returns, sales, returns, sales + returns, 0));
    let sums = (number("redeemed_minor"), number("refunded_linked_minor"), number("refunded_unlinked_minor"));
    assert_eq!(sums, (made.sold, made.linked, made.unlinked));
    assert_eq!(summary["balanced"], true);
    // The cards are loaded with what their customers buy; each sale and refund moves it once more.
    let moved = made.sold * 2 + made.linked + made.unlinked;
    assert_eq!((number("debits_minor"), number("credits_minor")), (moved, moved));
}

#[test]
fn a_generated_file_twice_on_a_server_of_its_own() {
    let made = generate(7, 400, 60);
    assert!(made.linked > 0 && made.unlinked > 0, "both kinds of return occur");
    let summaries = Sandbox::each().map(|sandbox| {
        let file = sandbox.write("invoices.csv", &made.csv);
        let first = replay(&sandbox, &file, &[]);
        check(&first, &made);
        let operations = sandbox.verify()["operations"].clone();
        assert_eq!(replay(&sandbox, &file, &["--concurrency", "3"]), first);
        assert_eq!(sandbox.verify()["operations"], operations, "the second run adds nothing");
        first
    });
    assert_eq!(summaries[0], summaries[1], "whatever the database");
}

/// The statements that a replay prints before its summary.
fn statements(sandbox: &Sandbox, file: &Path) -> Vec<Value> {
    let file = file.to_str().expect("a path");
    let done = sandbox.run(&["replay", file, "--json", "--statements", "--log", "warn"]);
    assert_eq!(done.code, 0, "{done:?}");
    let lines: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2, "statements, then the summary: {done:?}");
    lines[0]["statements"].as_array().expect("statements").clone()
}

#[test]
fn the_day_is_closed_and_its_statement_says_what_was_sold() {
    for sandbox in Sandbox::each() {
        let made = generate(23, 150, 30);
        let file = sandbox.write("invoices.csv", &made.csv);
        let first = statements(&sandbox, &file);
        assert_eq!((first.len(), &first[0]["status"]), (1, &Value::from("closed")), "{first:?}");
        let figure = |name: &str| first[0]["figures"][name].as_i64().expect("a figure");
        assert_eq!(figure("sales"), made.sold);
        assert_eq!(figure("refunds"), -(made.linked + made.unlinked));
        // Under the standard terms nothing is taken from it.
        assert_eq!(figure("closing"), made.sold - made.linked - made.unlinked);
        assert_eq!(statements(&sandbox, &file), first, "a second run finds the day closed");
        let text = sandbox.run(&["replay", "invoices.csv", "--language", "zh", "--log", "warn"]);
        assert!(text.out.contains("期末余额") && text.out.contains("books balance"), "{text:?}");
        // What comes after the day was closed is late: on the next statement, and not lost.
        let late = generate(24, 10, 5).csv;
        let late: Vec<String> = late.lines().map(|line| line.replacen("00,", "00,late-", 1)).collect();
        let late = late.join("\n");
        let late = sandbox.write("late.csv", &late);
        let both = statements(&sandbox, &late);
        assert_eq!((both.len(), &both[0], &both[1]["status"]), (2, &first[0], &Value::from("open")));
        sandbox.verify();
    }
}

#[test]
fn on_a_running_server() {
    let made = generate(11, 120, 20);
    let shop = Shop::new();
    let file = shop.sandbox.write("invoices.csv", &made.csv);
    let server = shop.serve();
    // The issuer also sells cards in yuan: the summary is about the currency of the file alone.
    shop.card(&mut shop.connect(&server), 700);
    let url = server.url();
    let there = ["--server", &url, "--key", &shop.secret];
    let first = replay(&shop.sandbox, &file, &there);
    check(&first, &made);
    assert_eq!(replay(&shop.sandbox, &file, &there), first);
    let wrong = shop.sandbox.run(&["replay", "invoices.csv", "--server", &url, "--key", "hx_nobody"]);
    wrong.refused(1, "credentials_invalid");
}

#[test]
fn an_interrupted_run_is_gone_on_with() {
    for sandbox in Sandbox::each() {
        interrupt(&Shop::on(sandbox));
    }
}

fn interrupt(shop: &Shop) {
    let made = generate(13, 300, 40);
    let file = shop.sandbox.write("invoices.csv", &made.csv);
    let server = shop.serve();
    let url = server.url();
    let there = ["replay", "invoices.csv", "--server", &url, "--key", &shop.secret, "--log", "error"];
    let mut running =
        shop.sandbox.command(&there).stderr(std::process::Stdio::null()).spawn().expect("it starts");
    // Wherever this strikes: before, between or after the sales.
    std::thread::sleep(std::time::Duration::from_millis(60));
    running.kill().expect("it runs");
    running.wait().expect("it ends");
    check(&replay(&shop.sandbox, &file, &there[2..6]), &made);
}

#[test]
fn two_runs_at_once_share_the_cards() {
    for sandbox in Sandbox::each() {
        let shop = Shop::on(sandbox);
        let made = generate(17, 200, 30);
        let file = shop.sandbox.write("invoices.csv", &made.csv);
        let server = shop.serve();
        let url = server.url();
        let there = ["--server", &url, "--key", &shop.secret];
        // The program and the merchant are there, the cards are not.
        let first = shop.sandbox.write("first.csv", &generate(18, 1, 1).csv.replace("536365", "first"));
        replay(&shop.sandbox, &first, &there);
        let moved = |summary: &Value| summary["debits_minor"].as_i64().expect("a sum");
        let before = moved(&replay(&shop.sandbox, &first, &there));
        std::thread::scope(|scope| {
            let runs = [0, 1].map(|_| scope.spawn(|| replay(&shop.sandbox, &file, &there)));
            for run in runs {
                assert_eq!(run.join().expect("it ends")["redeemed_minor"], made.sold);
            }
        });
        let after = moved(&replay(&shop.sandbox, &file, &there));
        assert_eq!(after - before, made.sold * 2 + made.linked + made.unlinked, "nothing twice");
    }
}

#[test]
fn bad_files_are_refused_by_row() {
    let sandbox = Sandbox::new();
    let head = "time,invoice,customer,country,kind,amount_minor,lines\n";
    let file = sandbox.write("bad.csv", &format!("{head}t,1,a,UK,sale,5,1\nt,2,a,UK,sale,0,1\n"));
    sandbox.run(&["replay", file.to_str().expect("a path")]).refused(1, "row 3: amount_minor");
    sandbox.run(&["replay", "absent.csv"]).refused(1, "absent.csv");
    assert!(!sandbox.path("hexiao.db").exists(), "nothing is made for a file that cannot be read");
}

/// The invoices of a real retailer, where they lie beside the checkout.
fn real_invoices() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/retail-invoices.csv");
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there; the generated file stands in for it", path.display());
    None
}

#[test]
fn real_invoices_twice() {
    let Some(file) = real_invoices() else { return };
    let text = std::fs::read_to_string(&file).expect("a file");
    let sum = |kind: &str| -> i64 {
        let rows = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        rows.filter(|row| row[4] == kind).map(|row| row[5].parse::<i64>().expect("a number")).sum()
    };
    let sandbox = Sandbox::new();
    let first = replay(&sandbox, &file, &[]);
    assert_eq!(first["redeemed_minor"], sum("sale"));
    let refunded = |name: &str| first[name].as_i64().expect("a sum");
    let refunded = refunded("refunded_linked_minor") + refunded("refunded_unlinked_minor");
    assert_eq!(refunded, sum("return"));
    assert_eq!(first["approved"], text.lines().count() - 1);
    assert_eq!(replay(&sandbox, &file, &[]), first);
    sandbox.verify();
}
