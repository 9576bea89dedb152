//! `import`: cards of another system move in, whole files or nothing.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::support::{Sandbox, Shop, balance};

/// A number with a right check digit (Luhn, ISO/IEC 7812-1).
pub(crate) fn number(n: u64) -> String {
    let body = format!("95850000{n:07}");
    let doubled = |(position, digit): (usize, u32)| match (position % 2 == 0, digit * 2) {
        (true, twice) if twice > 9 => twice - 9,
        (true, twice) => twice,
        (false, _) => digit,
    };
    let digits = body.chars().rev().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits.enumerate().map(doubled).sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

fn import(shop: &Shop, file: &str, more: &[&str]) -> Value {
    shop.sandbox.json(&[&["import", file, "--program", &shop.program], more].concat())
}

#[test]
fn a_good_file_moves_in_once() {
    for sandbox in Sandbox::each() {
        good_file(&Shop::on(sandbox));
    }
}

fn good_file(shop: &Shop) {
    let rows = format!(
        "number,balance,currency,expires_at,state,pin,reference\n\
         {},10000,CNY,,,,first\n{},0,,2099-12-31,active,1234,\n{},500,CNY,2099-12-31T23:59:59+08:00,frozen,,\n\
         {},7700,,,stocked,,\n",
        number(1),
        number(2),
        number(3),
        number(4)
    );
    shop.sandbox.write("cards.csv", &rows);
    let dry = import(shop, "cards.csv", &["--dry-run"]);
    assert_eq!((&dry["imported"], &dry["liability_after_minor"]), (&json!(0), &Value::Null));
    let done = import(shop, "cards.csv", &[]);
    assert_eq!(
        (&done["rows"], &done["imported"], &done["already_imported"]),
        (&json!(4), &json!(4), &json!(0))
    );
    let liability = (&done["liability_before_minor"], &done["liability_after_minor"]);
    assert_eq!(liability, (&json!(0), &json!(10_500)), "what is stocked is not owed yet");
    let operations = shop.sandbox.verify()["operations"].clone();

    let again = import(shop, "cards.csv", &[]);
    assert_eq!((&again["imported"], &again["already_imported"]), (&json!(0), &json!(4)));
    assert_eq!(again["liability_after_minor"], 10_500);
    assert_eq!(shop.sandbox.verify()["operations"], operations, "a second run changes nothing");
    used(shop);
}

/// The imported cards are cards like others.
fn used(shop: &Shop) {
    let server = shop.serve();
    let mut till = shop.connect(&server);
    assert_eq!(balance(&mut till, &number(1)), 10_000);
    let mut sell = |key: &str, n: u64| {
        let sale = shop.sale(&json!({ "number": number(n) }), 500);
        let answer = till.post("/v1/redemptions", Some(key), &sale).expect("an answer");
        answer.body["decline"]["code"].as_str().unwrap_or("approved").to_owned()
    };
    assert_eq!(sell("a", 1), "approved");
    assert_eq!(sell("b", 2), "insufficient_funds");
    assert_eq!(sell("c", 3), "card_frozen");
    assert_eq!(sell("d", 4), "card_not_activated");
    let end = till.post("/v1/cards/lookup", None, &json!({ "number": number(3) })).expect("an answer");
    assert_eq!(end.body["expires_at"], "2099-12-31T15:59:59Z", "{end:?}");
    let balance = till.get("/v1/ledger/accounts/channel:import").expect("an answer");
    assert_eq!(
        balance.body["totals"][0]["balance"], 10_500,
        "what was taken over shows in the books: {balance:?}"
    );
}

#[test]
fn one_bad_row_and_nothing_is_imported() {
    for sandbox in Sandbox::each() {
        bad_row(&Shop::on(sandbox));
    }
}

fn bad_row(shop: &Shop) {
    let check = |rows: &str, line: u64, reason: &str| {
        shop.sandbox.write("bad.csv", &format!("number,balance,currency,expires_at,state,pin\n{rows}"));
        let done = shop.sandbox.run(&["import", "bad.csv", "--program", &shop.program, "--json"]);
        assert_eq!(done.code, 1, "{rows}: {done:?}");
        let report: Value = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{rows}: {done:?}"));
        let found = &report["bad"][0];
        assert_eq!(found["line"], line, "{rows}: {report}");
        assert!(found["reason"].as_str().expect("a reason").contains(reason), "{rows}: {report}");
        assert_eq!(report["imported"], 0);
    };
    let good = format!("{},100,,,,\n", number(1));
    let digits = number(2);
    check(&format!("{good}{},100,,,,\n", &digits[..15]), 3, "16 to 19 digits");
    check(&format!("{good}{},100,,,,\n", digits.replace('9', "8")), 3, "check digit");
    check(&format!("{good}{digits},1.50,,,,\n"), 3, "minor units");
    check(&format!("{good}{digits},-1,,,,\n"), 3, "minor units");
    check(&format!("{good}{digits},+1,,,,\n"), 3, "minor units");
    check(&format!("{good}{digits},50000001,,,,\n"), 3, "cap");
    check(&format!("{good}{digits},100000001,,,,\n"), 3, "denominations");
    check(&format!("{good}{digits},1,USD,,,\n"), 3, "CNY");
    check(&format!("{good}{digits},1,,2001-01-01,,\n"), 3, "passed");
    check(&format!("{good}{digits},1,,soon,,\n"), 3, "RFC 3339");
    check(&format!("{good}{digits},1,,,lost,\n"), 3, "stocked");
    check(&format!("{good}{digits},1,,,,12\n"), 3, "4 to 12");
    check(&format!("{good}{good}"), 3, "twice");
    check("", 2, "no rows");
    assert_eq!(shop.sandbox.verify()["cards"], 0, "nothing half-imported");
}

#[test]
fn files_of_the_wrong_form_are_refused_without_quoting_numbers() {
    let shop = Shop::new();
    let check = |content: &[u8], with: &str| {
        std::fs::write(shop.sandbox.path("odd.csv"), content).expect("a file");
        let done = shop.sandbox.run(&["import", "odd.csv", "--program", &shop.program]);
        done.refused(1, with);
        assert!(!done.err.contains(&number(1)) && !done.out.contains(&number(1)), "{done:?}");
    };
    let digits = number(1);
    check(b"number\n1\n", "balance is missing");
    check(b"number,balance,colour\n", "colour");
    check(format!("{digits},100\n").as_bytes(), "columns are");
    check(b"number,balance,number\n", "two columns number");
    check(format!("number,balance\n{digits}\n").as_bytes(), "line 2: has 1 fields");
    check(&[b"number,balance\n".as_slice(), &[0xff, 0xfe], b",1\n"].concat(), "UTF-8");
    check(&[b"number,balance\n".as_slice(), &vec![b'1'; 100_000]].concat(), "longer than");
    shop.sandbox.run(&["import", "absent.csv", "--program", &shop.program]).refused(1, "absent.csv");
    let unknown = ["import", "odd.csv", "--program", "prog_0000000000007"];
    shop.sandbox.run(&unknown).refused(2, "no such program");
}

#[test]
fn a_number_that_is_here_already_is_a_bad_row() {
    for sandbox in Sandbox::each() {
        known_number(&Shop::on(sandbox));
    }
}

fn known_number(shop: &Shop) {
    shop.sandbox.write("one.csv", &format!("number,balance\n{},100\n", number(1)));
    import(shop, "one.csv", &[]);
    shop.sandbox.write("two.csv", &format!("number,balance\n{},100\n{},100\n", number(2), number(1)));
    let done = shop.sandbox.run(&["import", "two.csv", "--program", &shop.program]);
    done.refused(1, "1 of 2 rows");
    assert!(done.out.contains("line 3: number: a card has it already"), "{done:?}");
    assert_eq!(shop.sandbox.verify()["cards"], 1);
}

#[test]
fn many_rows_and_an_interruption() {
    const ROWS: u64 = 50_000;
    let shop = Shop::new();
    let mut rows = "\u{feff}number,balance\r\n".to_owned();
    for n in 0..ROWS {
        write!(rows, "{},{}\r\n", number(n), n % 100).expect("a text takes every line");
    }
    shop.sandbox.write("many.csv", &rows);
    let args = ["import", "many.csv", "--program", &shop.program, "--log", "error"];
    let mut running =
        shop.sandbox.command(&args).stdout(std::process::Stdio::null()).spawn().expect("it starts");
    // Stopped as soon as the first cards are there, or when it is done after all.
    let rows_there = || {
        let database = rusqlite::Connection::open(shop.sandbox.path("hexiao.db")).expect("a database");
        database.query_row("SELECT count(*) FROM card", [], |row| row.get::<_, i64>(0)).unwrap_or(0)
    };
    while rows_there() == 0 && running.try_wait().expect("ours").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    running.kill().expect("ours");
    running.wait().expect("it ends");
    let there = rows_there();
    assert!(there > 0 && there < 50_000, "{there}: it was interrupted in the middle");
    let done = import(&shop, "many.csv", &[]);
    assert_eq!(done["rows"], ROWS);
    let balances: u64 = (0..ROWS).map(|n| n % 100).sum();
    assert_eq!(done["liability_after_minor"], balances);
    assert_eq!(shop.sandbox.verify()["cards"], ROWS);
}
