//! Tills that sell from a few cards for as long as they are told to, at any of several servers, and send every
//! sale again under its key until it is answered: what a till with a good client does when nodes, databases
//! and connections fail. Afterwards every sale must have happened once.

use std::{
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Answer, Connection, Shop, balance};

const CARDS: usize = 4;
const VALUE: i64 = 10_000_000;
/// The longest that a sale may take, however often it is sent again.
const PATIENCE: Duration = Duration::from_mins(1);

/// Cards, and what was sold.
pub(crate) struct Sales<'a> {
    shop: &'a Shop,
    servers: Vec<SocketAddr>,
    numbers: Vec<String>,
    done: Mutex<Vec<Sale>>,
    next: AtomicU64,
    stop: AtomicBool,
    /// Attempts that came to nothing, and were repeated.
    pub(crate) repeated: AtomicU64,
}

struct Sale {
    key: String,
    card: usize,
    amount: i64,
    answer: Answer,
    took: Duration,
}

impl<'a> Sales<'a> {
    /// Makes cards at the first server.
    pub(crate) fn new(shop: &'a Shop, servers: &[SocketAddr]) -> Self {
        let mut till = Connection::open(servers[0], &shop.secret).expect("it listens");
        let numbers = (0..CARDS).map(|_| shop.card(&mut till, VALUE).number).collect();
        Self {
            shop,
            servers: servers.to_vec(),
            numbers,
            done: Mutex::default(),
            next: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            repeated: AtomicU64::new(0),
        }
    }

    /// Sells from so many tills while `trouble` goes on.
    pub(crate) fn sell_during(&self, tills: usize, trouble: impl FnOnce()) {
        thread::scope(|scope| {
            for till in 0..tills {
                scope.spawn(move || self.sell(till));
            }
            // Even if the trouble panics: the scope waits for the tills.
            let _stop = Stop(&self.stop);
            trouble();
        });
    }

    /// Sales so far.
    pub(crate) fn count(&self) -> usize {
        self.done.lock().expect("no till panicked").len()
    }

    fn sell(&self, till: usize) {
        let mut line = Line { server: till, connection: None };
        while !self.stop.load(Ordering::Relaxed) {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            let (card, amount) =
                (usize::try_from(n).expect("small") % CARDS, i64::try_from(n % 50).expect("small") + 1);
            let key = format!("{n:08x}-0000-7000-8000-000000000000");
            let began = Instant::now();
            let answer = self.until_answered(&mut line, &key, card, amount);
            let sale = Sale { key, card, amount, answer, took: began.elapsed() };
            self.done.lock().expect("no till panicked").push(sale);
        }
    }

    /// Sends a sale until it is answered, each time at another server.
    fn until_answered(&self, line: &mut Line, key: &str, card: usize, amount: i64) -> Answer {
        let body = self.body(card, amount);
        let began = Instant::now();
        loop {
            let answer = line.post(&self.servers, &self.shop.secret, key, &body);
            match answer {
                Some(answer) if answer.status == 201 => return answer,
                Some(answer) => assert!(matches!(answer.status, 503 | 504), "{key}: {answer:?}"),
                None => {}
            }
            self.repeated.fetch_add(1, Ordering::Relaxed);
            assert!(began.elapsed() < PATIENCE, "{key} is never answered");
            line.turn();
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn body(&self, card: usize, amount: i64) -> Value {
        self.shop.sale(&json!({ "number": self.numbers[card] }), amount)
    }

    /// Every answered sale is stored as it was answered, and each happened once. Returns the longest that one
    /// took.
    pub(crate) fn check(&self, server: SocketAddr) -> Duration {
        let mut till = Connection::open(server, &self.shop.secret).expect("it listens");
        let done = self.done.lock().expect("no till panicked");
        let mut spent = [0; CARDS];
        for sale in done.iter() {
            let body = self.body(sale.card, sale.amount);
            let again = till.post("/v1/redemptions", Some(&sale.key), &body).expect("an answer");
            assert!(again.replayed, "answered, so it is stored: {}", sale.key);
            assert_eq!((again.status, &again.body), (sale.answer.status, &sale.answer.body), "{}", sale.key);
            assert_eq!(again.body["status"], "approved", "{again:?}");
            spent[sale.card] += sale.amount;
        }
        for (card, number) in self.numbers.iter().enumerate() {
            assert_eq!(balance(&mut till, number), VALUE - spent[card], "card {card}: each sale once");
        }
        done.iter().map(|sale| sale.took).max().unwrap_or_default()
    }
}

/// Has the tills stop when it is dropped.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A till's connection to one of the servers.
struct Line {
    server: usize,
    connection: Option<Connection>,
}

impl Line {
    fn post(&mut self, servers: &[SocketAddr], secret: &str, key: &str, body: &Value) -> Option<Answer> {
        if self.connection.as_ref().is_none_or(|connection| connection.ended) {
            self.connection = Connection::open(servers[self.server % servers.len()], secret);
        }
        let answer = self.connection.as_mut()?.post("/v1/redemptions", Some(key), body);
        if answer.is_none() {
            self.connection = None;
        }
        answer
    }

    /// Tries the next server.
    fn turn(&mut self) {
        self.server += 1;
        self.connection = None;
    }
}
