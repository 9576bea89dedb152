//! `keys`: rotation, and the ring that must not be lost.

use serde_json::json;

use crate::support::{Sandbox, Shop, balance};

#[test]
fn after_a_rotation_old_numbers_still_redeem_and_are_under_the_new_key() {
    for sandbox in Sandbox::each() {
        rotate(&Shop::on(sandbox));
    }
}

fn rotate(shop: &Shop) {
    let server = shop.serve();
    let mut till = shop.connect(&server);
    let cards: Vec<_> = (0..5).map(|_| shop.card(&mut till, 1000)).collect();
    let sale = shop.sale(&json!({ "number": cards[0].number }), 100);
    let first = till.post("/v1/redemptions", Some("before"), &sale).expect("an answer");
    let (code, why) = if shop.sandbox.is_shared() { (2, "stop them first") } else { (1, "another process") };
    shop.sandbox.run(&["keys", "rotate"]).refused(code, why);
    drop(till);
    assert_eq!(server.terminate(), Some(0));
    // Refused before anything was changed.
    assert_eq!(shop.sandbox.json(&["keys", "list"])["keys"], json!([1]));

    let done = shop.sandbox.json(&["keys", "rotate"]);
    assert_eq!((&done["current"], &done["rekeyed"]), (&json!(2), &json!(5)));
    let list = shop.sandbox.json(&["keys", "list"]);
    assert_eq!((&list["current"], &list["numbers_under_older_keys"]), (&json!(2), &json!(false)));
    shop.sandbox.verify();

    let server = shop.serve();
    let mut till = shop.connect(&server);
    let again = till.post("/v1/redemptions", Some("before"), &sale).expect("an answer");
    assert!(again.replayed, "a request digested under the old key is still recognised");
    assert_eq!(again.body, first.body);
    for (n, card) in cards.iter().enumerate() {
        let sale = shop.sale(&json!({ "number": card.number }), 10);
        let sold = till.post("/v1/redemptions", Some(&format!("after-{n}")), &sale).expect("an answer");
        assert_eq!(sold.body["status"], "approved", "{sold:?}");
    }
    let fresh = shop.card(&mut till, 500);
    assert_eq!(balance(&mut till, &fresh.number), 500);
}

#[test]
fn a_rotation_that_was_interrupted_is_gone_on_with() {
    for sandbox in Sandbox::each() {
        resume(&Shop::on(sandbox));
    }
}

fn resume(shop: &Shop) {
    let server = shop.serve();
    let mut till = shop.connect(&server);
    let card = shop.card(&mut till, 1000);
    drop(till);
    assert_eq!(server.terminate(), Some(0));
    // The ring has its new key, and no number is under it yet: as after a crash in between.
    let ring = shop.sandbox.keys();
    let mut keys: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&ring).expect("a ring")).expect("JSON");
    keys["keys"]["2"] = json!("zT1pQv7bK4m9XcR2sW8yN6fH3jL5gD0aEiUoPqBwVxY=");
    keys["current"] = json!(2);
    std::fs::write(&ring, keys.to_string()).expect("it writes");
    let server = shop.serve();
    assert_eq!(balance(&mut shop.connect(&server), &card.number), 1000, "both keys are tried");
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(shop.sandbox.json(&["keys", "list"])["numbers_under_older_keys"], true);
    let done = shop.sandbox.json(&["keys", "rotate", "--resume"]);
    assert_eq!((&done["current"], &done["rekeyed"]), (&json!(2), &json!(1)));
    assert_eq!(shop.sandbox.json(&["keys", "rotate", "--resume"])["rekeyed"], 0);
}

#[test]
fn no_fresh_ring_is_made_for_cards_that_have_one() {
    let shop = Shop::new();
    let server = shop.serve();
    shop.card(&mut shop.connect(&server), 1000);
    assert_eq!(server.terminate(), Some(0));
    let ring = shop.sandbox.path("hexiao.db.keys");
    let saved = std::fs::read_to_string(&ring).expect("a ring");
    std::fs::remove_file(&ring).expect("it is there");
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    shop.sandbox.run(&serve).refused(1, "hexiao.db.keys");
    assert!(!ring.exists(), "and none is made");
    // Another database's ring is refused as well, and the right one may come from the environment.
    let done = shop.sandbox.command(&["keys", "list", "--json"]).env("HEXIAO_KEYS", &saved).output();
    assert!(done.expect("it runs").status.success());
    let done =
        shop.sandbox.command(&["keys", "rotate"]).env("HEXIAO_KEYS", &saved).output().expect("it runs");
    assert_eq!(done.status.code(), Some(2), "a variable cannot be rotated from here");
}

#[test]
fn secrets_of_identity_providers_are_sealed_and_come_under_the_new_key() {
    const SECRET: &str = "moss-kettle-of-the-provider";
    let shop = Shop::new();
    let server = shop.serve();
    let provider = json!({
        "name": "Company", "issuer_url": "https://id.example.com", "client_id": "hexiao", "client_secret": SECRET,
    });
    let mut client = shop.connect(&server);
    let made = client.post("/v1/identity-providers", None, &provider).expect("an answer");
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(shop.sandbox.json(&["keys", "rotate"])["identity_providers"], 1);
    assert_eq!(shop.sandbox.json(&["keys", "rotate", "--resume"])["identity_providers"], 0);
    assert_eq!(shop.sandbox.json(&["keys", "list"])["numbers_under_older_keys"], false);
    for name in ["hexiao.db", "hexiao.db-wal"] {
        let bytes = std::fs::read(shop.sandbox.path(name)).unwrap_or_default();
        let found = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
        assert!(!found, "{name} holds the plain secret");
    }
}

#[test]
fn bank_accounts_of_merchants_are_sealed_and_come_under_the_new_key() {
    const NUMBER: &str = "6222021202012345678";
    let shop = Shop::new();
    let server = shop.serve();
    let payee = json!({
        "merchant": shop.merchant, "currency": "CNY", "effective_from": "2026-01-01", "holder_name": "Tea Ltd",
        "account_number": NUMBER, "bank_name": "ICBC", "clearing_code": "102331000019",
    });
    let made = shop.connect(&server).post("/v1/payees", None, &payee).expect("an answer");
    assert_eq!((made.status, &made.body["account_number"]), (201, &json!("***************5678")), "{made:?}");
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(shop.sandbox.json(&["keys", "list"])["numbers_under_older_keys"], false);
    assert_eq!(shop.sandbox.json(&["keys", "rotate"])["bank_accounts"], 1);
    assert_eq!(shop.sandbox.json(&["keys", "rotate", "--resume"])["bank_accounts"], 0);
    for name in ["hexiao.db", "hexiao.db-wal"] {
        let bytes = std::fs::read(shop.sandbox.path(name)).unwrap_or_default();
        let found = bytes.windows(NUMBER.len()).any(|part| part == NUMBER.as_bytes());
        assert!(!found, "{name} holds the plain number");
    }
}
