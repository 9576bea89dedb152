//! What the replay needs on the server: a program without limits, a merchant, and a card for each
//! customer.
//!
//! A card's activation has the key `replay:{file}:{customer}`, which is how a later run finds it: making a
//! card has no key. A run that is interrupted between making a card and activating it leaves a stocked
//! card behind, which is worth nothing.

use std::collections::HashMap;

use domain::{Amount, Currency};
use serde_json::{Value, json};

use super::invoices::{Customer, Invoices};
use crate::{
    failure::{Failure, Result},
    http_client::{Answer, ApiClient, ServerUrl},
    progress::Progress,
};

const NAME: &str = "Replay";
/// The code of an answer to a key that was used with another intent: here, for another card.
const KEY_REUSED: &str = "idempotency_key_reused";
/// Pages of operations that are looked through for the cards of an earlier run.
const MAX_PAGES: u32 = 1_000_000;

/// A server with what the replay needs there.
pub(super) struct Shop {
    server: ServerUrl,
    key: String,
    program: String,
    pub(super) merchant: String,
    pub(super) currency: Currency,
}

/// All debits and all credits of the issuer in the currency of the replay, in minor units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Books {
    pub(super) debits: i64,
    pub(super) credits: i64,
}

impl Shop {
    /// Finds the program and the merchant, or makes them.
    pub(super) async fn open(server: &ServerUrl, key: &str, currency: Currency) -> Result<Self> {
        let mut client = ApiClient::new(server, key)?;
        let program = format!("{NAME} {currency}");
        let body = json!({
            "name": program,
            "currency": currency.code(),
            "number_prefix": "9587",
            "number_length": 19,
            "rules": {
                "denominations": { "kind": "free", "min": 0, "max": Amount::MAX.get() },
                "validity": { "kind": "unlimited" },
                "reloadable": false,
                "registered": false,
            },
        });
        let program = find_or_make(&mut client, "/v1/programs", &program, &body).await?;
        let merchant = find_or_make(&mut client, "/v1/merchants", NAME, &json!({ "name": NAME })).await?;
        Ok(Self { server: server.clone(), key: key.to_owned(), program, merchant, currency })
    }

    /// A caller of its own for a task.
    pub(super) fn caller(&self) -> Result<ApiClient> {
        Ok(ApiClient::new(&self.server, &self.key)?)
    }

    /// The card of each customer, in the customers' order.
    pub(super) async fn cards(&self, invoices: &Invoices, concurrency: u16) -> Result<Vec<String>> {
        let mut known = self.known_cards(&invoices.digest).await?;
        let missing = invoices.customers.iter().filter(|customer| !known.contains_key(&customer.name));
        let missing: Vec<&Customer> = missing.collect();
        let progress = Progress::new("cards", Some(missing.len() as u64));
        let made = in_parallel(concurrency, &missing, |part| async {
            let mut client = self.caller()?;
            let mut cards = Vec::with_capacity(part.len());
            for customer in part {
                cards.push((customer.name.clone(), self.card_for(&mut client, invoices, customer).await?));
                progress.add(1);
            }
            Ok(cards)
        })
        .await?;
        progress.finish();
        known.extend(made.into_iter().flatten());
        let of = |customer: &Customer| known.remove(&customer.name);
        let cards: Option<Vec<String>> = invoices.customers.iter().map(of).collect();
        cards.ok_or_else(|| Failure::new("a customer has no card"))
    }

    async fn card_for(
        &self,
        client: &mut ApiClient,
        invoices: &Invoices,
        customer: &Customer,
    ) -> Result<String> {
        let made = client.post("/v1/cards", None, &json!({ "program": self.program })).await?;
        let made = expect(made, 201, "making a card")?;
        let card = text(&made.body, "/card/id").or_else(|_| text(&made.body, "/id"))?.to_owned();
        let body = json!({
            "card": { "id": card },
            "amount": customer.needs()?.get(),
            "currency": self.currency.code(),
            "reference": customer.name,
        });
        let key = card_key(&invoices.digest, &customer.name);
        let sold = client.post("/v1/activations", Some(&key), &body).await?;
        if sold.status.as_u16() == 409 && sold.body["code"] == KEY_REUSED {
            // What an earlier run had sent when it was killed was stored after this run had looked.
            let known = self.known_cards(&invoices.digest).await?.remove(&customer.name);
            return known.ok_or_else(|| Failure::new(format!("activating a card: {}", sold.problem())));
        }
        let sold = expect(sold, 201, "activating a card")?;
        match text(&sold.body, "/status")? {
            "approved" => Ok(card),
            _ => Err(Failure::new(format!("a card was not activated: {}", sold.body["decline"]["code"]))),
        }
    }

    /// The cards that an earlier run of this file activated, by customer.
    async fn known_cards(&self, digest: &str) -> Result<HashMap<String, String>> {
        let mut client = self.caller()?;
        let (mut known, mut cursor) = (HashMap::new(), String::new());
        let prefix = card_key(digest, "");
        for _ in 0..MAX_PAGES {
            let path = format!("/v1/operations?kind=activation&status=approved&limit=200{cursor}");
            let page = expect(client.get(&path).await?, 200, "looking for earlier cards")?;
            for operation in page.body["items"].as_array().into_iter().flatten() {
                let key = operation["key"].as_str().unwrap_or_default();
                if let (Some(customer), Ok(card)) = (key.strip_prefix(&prefix), text(operation, "/card/id")) {
                    known.insert(customer.to_owned(), card.to_owned());
                }
            }
            match page.body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(known),
            }
        }
        Err(Failure::new("the server has too many operations to look for earlier cards"))
    }

    /// The issuer's trial balance in the currency of the replay. Programs of other currencies that the issuer
    /// may have are no part of it.
    pub(super) async fn books(&self) -> Result<Books> {
        let mut client = self.caller()?;
        let answer = expect(client.get("/v1/ledger/trial-balance").await?, 200, "reading the trial balance")?;
        let missing = |what: &str| Failure::new(format!("the trial balance has no {what}"));
        let totals = answer.body["totals"].as_array().ok_or_else(|| missing("totals"))?;
        let Some(ours) = totals.iter().find(|total| total["currency"] == self.currency.code()) else {
            return Ok(Books { debits: 0, credits: 0 });
        };
        let sum = |name: &str| ours[name].as_i64().ok_or_else(|| missing(name));
        Ok(Books { debits: sum("debits")?, credits: sum("credits")? })
    }
}

fn card_key(digest: &str, customer: &str) -> String {
    format!("replay:{digest}:{customer}")
}

/// The id of what has this name in a list, made if it is not there.
async fn find_or_make(client: &mut ApiClient, path: &str, name: &str, body: &Value) -> Result<String> {
    let mut cursor = String::new();
    for _ in 0..MAX_PAGES {
        let page = expect(client.get(&format!("{path}?limit=200{cursor}")).await?, 200, path)?;
        let mut items = page.body["items"].as_array().into_iter().flatten();
        let ours = |item: &&Value| item["name"] == name && item["status"] == "active";
        if let Some(found) = items.find(ours) {
            return Ok(text(found, "/id")?.to_owned());
        }
        let Some(next) = page.body["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let made = expect(client.post(path, None, body).await?, 201, path)?;
    Ok(text(&made.body, "/id")?.to_owned())
}

/// The answer, if it has this status.
pub(super) fn expect(answer: Answer, status: u16, what: &str) -> Result<Answer> {
    if answer.status.as_u16() == status {
        Ok(answer)
    } else {
        Err(Failure::new(format!("{what}: {}", answer.problem())))
    }
}

/// A text within an answer.
pub(super) fn text<'a>(body: &'a Value, pointer: &str) -> Result<&'a str> {
    let found = body.pointer(pointer).and_then(Value::as_str);
    found.ok_or_else(|| Failure::new(format!("the server's answer has no {pointer}; is it a Hexiao server?")))
}

/// Divides items among some tasks and collects what they make of their parts.
pub(super) async fn in_parallel<'a, T, R, F>(
    tasks: u16,
    items: &'a [T],
    work: impl Fn(Vec<&'a T>) -> F,
) -> Result<Vec<R>>
where
    F: Future<Output = Result<R>>,
{
    let tasks = usize::from(tasks).min(items.len());
    let part = |task| work(items.iter().skip(task).step_by(tasks).collect());
    let running: Vec<F> = (0..tasks).map(part).collect();
    futures_util::future::try_join_all(running).await
}
