//! `move`: real processes that are killed at any moment, in both directions, and what is refused.

use std::{fmt::Write, path::Path, process::Stdio, time::Duration};

use postgres_testing::Cluster;
use serde_json::{Value, json};

use crate::{
    import::number,
    support::{Sandbox, Shop, balance},
};

const ROWS: u64 = 30_000;

/// A shop with many cards that moved in.
fn shop() -> Shop {
    let shop = Shop::new();
    let mut file = String::from("number,balance\n");
    for n in 0..ROWS {
        writeln!(file, "{},{}", number(n), 100 + n % 900).expect("a string takes it");
    }
    shop.sandbox.write("cards.csv", &file);
    let done = shop.sandbox.json(&["import", "cards.csv", "--program", &shop.program]);
    assert_eq!(done["imported"], ROWS);
    shop
}

/// Kills the command later and later until it gets to its end.
fn moved_in_spite_of_kills(sandbox: &Sandbox, from: &str, to: &str) -> Value {
    let args = ["move", "--from", from, "--to", to, "--json", "--log", "warn"];
    for round in 1.. {
        let mut command = sandbox.command(&args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(120 * round));
        if child.try_wait().expect("ours").is_none() {
            child.kill().expect("it runs");
            child.wait().expect("it ends");
            continue;
        }
        let output = child.wait_with_output().expect("its output");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(round > 2, "it was killed at least twice");
        return serde_json::from_slice(&output.stdout).expect("its report");
    }
    unreachable!("it comes to an end")
}

#[test]
fn killed_again_and_again_there_and_back() {
    let shop = shop();
    let before = shop.sandbox.verify();
    let url = Cluster::shared().create_database();
    let there = moved_in_spite_of_kills(&shop.sandbox, "sqlite:hexiao.db", &url);
    assert_eq!((&there["resumed"], &there["operations"]), (&json!(true), &before["operations"]), "{there}");
    let back = moved_in_spite_of_kills(&shop.sandbox, &url, "sqlite:back.db");
    assert_eq!((&back["resumed"], &back["rows"]), (&json!(true), &there["rows"]), "{back}");
    for place in [url.as_str(), "sqlite:back.db"] {
        let report = shop.sandbox.json(&["verify", "--db", place]);
        assert_eq!(report, before, "{place}");
    }
    used(shop, &url);
}

/// Sales go on where everything was moved to, with the same keys and the same client.
fn used(shop: Shop, url: &str) {
    std::fs::rename(shop.sandbox.keys(), shop.sandbox.path("hexiao.keys")).expect("the key ring moves");
    let shop = Shop { sandbox: shop.sandbox.with_database(url.to_owned()), ..shop };
    let server = shop.serve();
    let mut till = shop.connect(&server);
    assert_eq!(balance(&mut till, &number(7)), 107);
    let sale = shop.sale(&json!({ "number": number(7) }), 7);
    let sold = till.post("/v1/redemptions", Some("after-the-move"), &sale).expect("an answer");
    assert_eq!(sold.body["status"], "approved", "{sold:?}");
    assert_eq!(balance(&mut till, &number(7)), 100);
}

#[test]
fn refusals() {
    let shop = Shop::new();
    let refused = |from: &str, to: &str, code: i32, why: &str| {
        shop.sandbox.run(&["move", "--from", from, "--to", to]).refused(code, why);
    };
    refused("sqlite:hexiao.db", "sqlite:hexiao.db", 2, "the same database");
    refused("sqlite:absent.db", "sqlite:new.db", 1, "there is no database absent.db");
    refused("mysql://x", "sqlite:new.db", 2, "sqlite:");
    refused("sqlite:hexiao.db", "postgres://nobody@127.0.0.1:1/none", 1, "127.0.0.1:1");
    assert!(!Path::exists(&shop.sandbox.path("new.db")), "no target is made for a source that is not there");
    let server = shop.serve();
    refused("sqlite:hexiao.db", "sqlite:new.db", 1, "another process serves");
    assert_eq!(server.terminate(), Some(0));
    let done = shop.sandbox.json(&["move", "--from", "sqlite:hexiao.db", "--to", "sqlite:new.db"]);
    assert_eq!(done["resumed"], false, "{done}");
    let again = shop.sandbox.json(&["move", "--from", "sqlite:hexiao.db", "--to", "sqlite:new.db"]);
    assert_eq!((&again["resumed"], &again["rows"]), (&json!(true), &done["rows"]), "{again}");
    assert_eq!(shop.serve().terminate(), Some(0));
    refused("sqlite:hexiao.db", "sqlite:new.db", 1, "is not empty");
}
