//! A loaded server is killed without warning, again and again. No answered operation may be lost or
//! doubled: sent again with its key, each gives the same answer, and the balances are what the answers
//! say.
//!
//! HEXIAO_KILL_ROUNDS says how often (100). Note that a kill leaves the system's page cache alone: this
//! tests our order of writing and answering, not the disk.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::support::{Answer, Connection, Sandbox, Server, Shop, balance};

const CARDS: usize = 8;
const SELLERS: usize = 6;
const VALUE: i64 = 10_000_000;
/// The longest time from the start of the load to the kill.
const LONGEST_LOAD_MS: u64 = 250;

/// A request with what is known of it.
struct Sale {
    key: String,
    card: usize,
    amount: i64,
    /// Absent if the server died before it answered.
    answer: Option<Answer>,
}

#[test]
fn kill_nine_of_a_loaded_server_loses_and_doubles_nothing() {
    check(&Shop::new(), 1);
}

#[test]
fn kill_nine_of_a_loaded_node_loses_and_doubles_nothing() {
    check(&Shop::on(Sandbox::on_postgres()), 4);
}

/// Runs one of `part` of the rounds.
fn check(shop: &Shop, part: u64) {
    let rounds = std::env::var("HEXIAO_KILL_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    let rounds = rounds / part;
    let server = shop.serve();
    let cards: Vec<Value> = {
        let mut till = shop.connect(&server);
        (0..CARDS).map(|_| json!({ "number": shop.card(&mut till, VALUE).number })).collect()
    };
    let mut trial = Trial { shop, cards, spent: HashMap::new(), answered: 0, doubtful: 0 };
    let mut server = server;
    let mut random = seed();
    println!("seed {random}, {rounds} rounds");
    for round in 0..rounds {
        let sales = trial.load_and_kill(server, round, &mut random);
        server = shop.serve();
        trial.check(&server, sales);
        if round % 100 == 99 {
            println!("round {}: {} answered, {} in doubt", round + 1, trial.answered, trial.doubtful);
        }
    }
    drop(server);
    assert!(trial.answered > rounds, "the server was loaded: {} answers", trial.answered);
    shop.sandbox.verify();
    println!(
        "{rounds} rounds: {} answered, {} in doubt, none lost or doubled",
        trial.answered, trial.doubtful
    );
}

/// Different kills in every run; printed, so that a failure can be looked into.
#[expect(clippy::disallowed_methods, reason = "only to vary the moment of the kill")]
fn seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| u64::from(since.subsec_nanos()) | 1)
}

struct Trial<'a> {
    shop: &'a Shop,
    cards: Vec<Value>,
    /// What each card spent, by the answers.
    spent: HashMap<usize, i64>,
    answered: u64,
    doubtful: u64,
}

impl Trial<'_> {
    /// Sells from several connections at once until the server is gone.
    fn load_and_kill(&self, server: Server, round: u64, random: &mut u64) -> Vec<Sale> {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let until = Duration::from_millis(1 + (*random >> 33) % LONGEST_LOAD_MS);
        let (sales, next) = (Mutex::new(Vec::new()), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..SELLERS {
                let till = self.shop.connect(&server);
                scope.spawn(|| self.sell(till, round, &next, &sales));
            }
            thread::sleep(until);
            server.kill_hard();
        });
        sales.into_inner().expect("no seller panicked")
    }

    fn sell(&self, mut till: Connection, round: u64, next: &AtomicU64, sales: &Mutex<Vec<Sale>>) {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            // Keys of all forms: as UUIDs they are stored in order, as texts they are hashed.
            let key = match n % 2 {
                0 => format!("round-{round}-{n}"),
                _ => format!("{round:08x}-0000-7000-8000-{n:012x}"),
            };
            let card = usize::try_from(n).expect("small") % CARDS;
            let amount = i64::try_from(n % 50).expect("small") + 1;
            let body = self.shop.sale(&self.cards[card], amount);
            let answer = till.post("/v1/redemptions", Some(&key), &body);
            let gone = answer.is_none();
            sales.lock().expect("no seller panicked").push(Sale { key, card, amount, answer });
            if gone {
                return;
            }
        }
    }

    /// Sends everything again to the restarted server and compares.
    fn check(&mut self, server: &Server, sales: Vec<Sale>) {
        let mut till = self.shop.connect(server);
        for sale in sales {
            let body = self.shop.sale(&self.cards[sale.card], sale.amount);
            let mut again = || till.post("/v1/redemptions", Some(&sale.key), &body).expect("an answer");
            let replay = again();
            if let Some(answer) = &sale.answer {
                assert!(replay.replayed, "answered, so it is stored: {}", sale.key);
                assert_eq!((replay.status, &replay.body), (answer.status, &answer.body), "{}", sale.key);
                self.answered += 1;
            } else {
                let third = again();
                assert!(third.replayed, "{}", sale.key);
                assert_eq!(third.body, replay.body, "in doubt, so done at most once: {}", sale.key);
                self.doubtful += 1;
            }
            assert_eq!(replay.body["status"], "approved", "{}: {replay:?}", sale.key);
            *self.spent.entry(sale.card).or_default() += sale.amount;
        }
        for (card, number) in self.cards.iter().enumerate() {
            let number = number["number"].as_str().expect("a number");
            let spent = self.spent.get(&card).copied().unwrap_or(0);
            assert_eq!(balance(&mut till, number), VALUE - spent, "card {card}: each sale once");
        }
    }
}
