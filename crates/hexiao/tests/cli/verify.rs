//! `verify` finds what somebody changed behind its back.

use rusqlite::Connection as Database;
use serde_json::json;

use crate::support::Shop;

/// Some business on a card.
fn shop_with_business() -> Shop {
    let shop = Shop::new();
    let server = shop.serve();
    let mut till = shop.connect(&server);
    let card = shop.card(&mut till, 10_000);
    let sale = shop.sale(&json!({ "number": card.number }), 2500);
    let sold = till.post("/v1/redemptions", Some("sale"), &sale).expect("an answer");
    let path = format!("/v1/redemptions/{}/refunds", sold.body["id"].as_str().expect("an id"));
    let back = till.post(&path, Some("refund"), &json!({ "amount": 500 })).expect("an answer");
    assert_eq!(back.body["status"], "approved", "{back:?}");
    drop(till);
    assert_eq!(server.terminate(), Some(0));
    shop
}

#[test]
fn sound_books_pass_and_every_invariant_is_named() {
    let shop = shop_with_business();
    let report = shop.sandbox.verify();
    assert_eq!((&report["operations"], &report["transfers"]), (&json!(3), &json!(3)));
    let totals = json!([{ "currency": "CNY", "debits_minor": 13_000, "credits_minor": 13_000 }]);
    assert_eq!(report["totals"], totals);
    let done = shop.sandbox.run(&["verify"]);
    for invariant in report["checked"].as_array().expect("a list") {
        assert!(done.out.contains(invariant.as_str().expect("a name")), "{}", done.out);
    }
}

#[test]
fn tampering_is_found_and_named() {
    let check = |what: &str, sql: &str| {
        let shop = shop_with_business();
        let database = Database::open(shop.sandbox.path("hexiao.db")).expect("a database");
        // Triggers are no obstacle to somebody who has the file.
        for table in ["operation", "transfer"] {
            for change in ["update", "delete"] {
                let drop = format!("DROP TRIGGER {table}_is_append_only_{change}");
                database.execute_batch(&drop).expect("it is there");
            }
        }
        let changed = database.execute(sql, []).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(changed > 0, "{what}");
        drop(database);
        let done = shop.sandbox.run(&["verify", "--json"]);
        assert_eq!(done.code, 1, "{what}: {done:?}");
        let report: serde_json::Value = serde_json::from_str(&done.out).expect("JSON");
        assert_eq!(report["ok"], false, "{what}");
        let first = report["violations"][0]["invariant"].as_str().expect("a name").to_owned();
        assert!(done.err.contains(&first), "{what}: the first violation is named: {done:?}");
    };
    check("a card is richer", "UPDATE card SET lots = replace(lots, '8000', '9000'), posted = 9000");
    check("its repeated sum differs", "UPDATE card SET posted = posted + 1");
    check(
        "a transfer is larger",
        "UPDATE transfer SET amount = amount + 1 WHERE operation_id = (SELECT max(operation_id) FROM transfer)",
    );
    check(
        "a transfer is gone",
        "DELETE FROM transfer WHERE operation_id = (SELECT max(operation_id) FROM transfer)",
    );
    check("an operation is gone", "DELETE FROM operation WHERE id = (SELECT max(id) FROM operation)");
    check("more was refunded than is on record", "UPDATE compensation SET refunded = 3000");
    check("a refund is forgotten", "DELETE FROM compensation");
}
