//! `backup` while serving, then `restore` and `verify`.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::json;

use crate::support::{Shop, balance};

#[test]
fn a_backup_under_load_is_one_sound_moment() {
    let shop = Shop::new();
    let server = shop.serve();
    let mut till = shop.connect(&server);
    let card = shop.card(&mut till, 1_000_000);
    let enough = AtomicBool::new(false);
    let sold = thread::scope(|scope| {
        let seller = scope.spawn(|| {
            let mut till = shop.connect(&server);
            let mut sold = 0;
            while !enough.load(Ordering::Relaxed) {
                let sale = shop.sale(&json!({ "id": card.id }), 1);
                let answer = till.post("/v1/redemptions", Some(&format!("s-{sold}")), &sale);
                assert_eq!(answer.expect("an answer").status, 201);
                sold += 1;
            }
            sold
        });
        thread::sleep(std::time::Duration::from_millis(100));
        let made = shop.sandbox.json(&["backup", "--to", "copy.db"]);
        assert!(made["bytes"].as_u64().expect("a size") > 0);
        thread::sleep(std::time::Duration::from_millis(50));
        enough.store(true, Ordering::Relaxed);
        seller.join().expect("it sells")
    });
    drop(till);
    drop(server);
    assert!(sold > 2, "there was load");
    restored(&shop, &card.number, sold);
}

fn restored(shop: &Shop, number: &str, sold: i64) {
    let copy = std::fs::read(shop.sandbox.path("copy.db")).expect("a copy");
    let plain = copy.windows(number.len()).any(|window| window == number.as_bytes());
    assert!(!plain, "no plain number in a backup");
    shop.sandbox.run(&["restore", "--from", "copy.db"]).refused(2, "move it away");
    for name in ["hexiao.db", "hexiao.db-wal", "hexiao.db-shm"] {
        let path = shop.sandbox.path(name);
        if path.exists() {
            std::fs::rename(&path, shop.sandbox.path(&format!("old-{name}"))).expect("it moves");
        }
    }
    let done = shop.sandbox.json(&["restore", "--from", "copy.db"]);
    assert_eq!(done["key_ring_found"], true);
    shop.sandbox.verify();
    let server = shop.serve();
    let mut till = shop.connect(&server);
    let left = balance(&mut till, number);
    assert!((1_000_000 - sold..1_000_000).contains(&left), "some of the sales, none twice: {left}");
    // What came after the backup can be sent again: what is there replays, the rest is done.
    for n in 0..sold {
        let cards = till.post("/v1/cards/lookup", None, &json!({ "number": number })).expect("an answer");
        let sale = shop.sale(&json!({ "id": cards.body["id"] }), 1);
        till.post("/v1/redemptions", Some(&format!("s-{n}")), &sale).expect("an answer");
    }
    assert_eq!(balance(&mut till, number), 1_000_000 - sold);
}

#[test]
fn refusals() {
    let shop = Shop::new();
    shop.sandbox.write("there.db", "something");
    shop.sandbox.run(&["backup", "--to", "there.db"]).refused(2, "exists");
    let elsewhere = ["--db", "sqlite:new.db"];
    shop.sandbox.run(&[&["restore", "--from", "there.db"], &elsewhere[..]].concat()).refused(1, "there.db");
    shop.sandbox.run(&[&["restore", "--from", "absent.db"], &elsewhere[..]].concat()).refused(1, "absent.db");
    assert!(!shop.sandbox.path("new.db").exists(), "no half database is left");
    shop.sandbox.run(&["backup", "--to", "x.db", "--db", "sqlite:absent.db"]).refused(1, "absent.db");
}
