//! An issuer with a client, a merchant, a program and cards, made as a user would make them.

use serde_json::{Value, json};

use super::{Connection, Sandbox, Server};

pub(crate) struct Shop {
    pub(crate) sandbox: Sandbox,
    pub(crate) issuer: String,
    pub(crate) secret: String,
    pub(crate) merchant: String,
    pub(crate) program: String,
}

/// A card as it was made.
#[derive(Clone, Debug)]
pub(crate) struct MadeCard {
    pub(crate) id: String,
    pub(crate) number: String,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::on(Sandbox::new())
    }

    /// The same in this sandbox.
    pub(crate) fn on(sandbox: Sandbox) -> Self {
        let made = sandbox.json(&[
            "client",
            "create",
            "--name",
            "office",
            "--new-issuer",
            "Shop",
            "--time-zone",
            "Asia/Shanghai",
            "--all-scopes",
        ]);
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        let mut shop = Self {
            issuer: text("issuer"),
            secret: text("secret"),
            sandbox,
            merchant: String::new(),
            program: String::new(),
        };
        let server = shop.serve();
        let mut till = shop.connect(&server);
        shop.merchant = make(&mut till, "/v1/merchants", &json!({ "name": "Till" }));
        let program = json!({
            "name": "Plain", "currency": "CNY", "number_prefix": "9585", "number_length": 16,
            "rules": {
                "denominations": { "kind": "free", "min": 0, "max": 100_000_000 },
                "validity": { "kind": "months", "months": 12 },
                "balance_cap": 50_000_000,
                "reloadable": true,
            },
        });
        shop.program = make(&mut till, "/v1/programs", &program);
        drop(till);
        assert_eq!(server.terminate(), Some(0));
        shop
    }

    pub(crate) fn serve(&self) -> Server {
        Server::start(&self.sandbox)
    }

    pub(crate) fn connect(&self, server: &Server) -> Connection {
        server.connect(&self.secret)
    }

    /// A card with value.
    pub(crate) fn card(&self, till: &mut Connection, value: i64) -> MadeCard {
        let made = till.post("/v1/cards", None, &json!({ "program": self.program })).expect("an answer");
        assert_eq!(made.status, 201, "{made:?}");
        let text =
            |pointer: &str| made.body.pointer(pointer).and_then(Value::as_str).expect("a text").to_owned();
        let card = MadeCard { id: text("/card/id"), number: text("/number") };
        let body = json!({ "card": { "id": card.id }, "amount": value, "currency": "CNY" });
        let key = format!("activate-{}", card.id);
        let sold = till.post("/v1/activations", Some(&key), &body).expect("an answer");
        assert_eq!(sold.body["status"], "approved", "{sold:?}");
        card
    }

    /// The body of a sale.
    pub(crate) fn sale(&self, card: &Value, minor: i64) -> Value {
        json!({ "card": card, "amount": minor, "currency": "CNY", "merchant": self.merchant })
    }
}

/// What can be spent.
pub(crate) fn balance(till: &mut Connection, number: &str) -> i64 {
    let found = till.post("/v1/cards/lookup", None, &json!({ "number": number })).expect("an answer");
    assert_eq!(found.status, 200, "{found:?}");
    found.body["available"].as_i64().expect("a balance")
}

fn make(till: &mut Connection, path: &str, body: &Value) -> String {
    let made = till.post(path, None, body).expect("an answer");
    assert_eq!(made.status, 201, "{path}: {made:?}");
    made.body["id"].as_str().expect("an id").to_owned()
}
