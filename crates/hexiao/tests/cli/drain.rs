//! SIGTERM under load: what was sent is answered, and nobody sees an error.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::json;

use crate::support::{Connection, Sandbox, Server, Shop, balance};

const VALUE: i64 = 1_000_000;
const TILLS: usize = 8;
/// How long the server answers as before once it was told to stop, in seconds: enough for all the tills to
/// notice on a machine that is busy with other things.
const DRAIN_SECONDS: &str = "4";
const DRAIN: Duration = Duration::from_secs(4);
/// Far above what anything here takes: it only ends a test that hangs.
const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn sigterm_under_load_answers_what_was_sent() {
    for sandbox in Sandbox::each() {
        check(&Shop::on(sandbox));
    }
}

fn check(shop: &Shop) {
    let server = Server::start_with(&shop.sandbox, &["--drain-delay", DRAIN_SECONDS]);
    let number = shop.card(&mut shop.connect(&server), VALUE).number;
    let load = Load {
        shop,
        address: server.address,
        number: &number,
        told: AtomicBool::new(false),
        end: AtomicBool::new(false),
        sold: AtomicU64::new(0),
        after: AtomicU64::new(0),
    };
    assert_eq!(load.readiness(), 200);
    thread::scope(|scope| {
        for till in 0..TILLS {
            let load = &load;
            scope.spawn(move || load.sell(till));
        }
        until("each till sells", || load.sold.load(Ordering::Relaxed) >= 4 * TILLS as u64);
        let began = Instant::now();
        server.signal(Signal::TERM);
        until("it says that it is not ready", || load.readiness() == 503);
        load.told.store(true, Ordering::Relaxed);
        until("what comes while others notice is answered", || {
            load.after.load(Ordering::Relaxed) >= 2 * TILLS as u64
        });
        load.end.store(true, Ordering::Relaxed);
        assert_eq!(server.ended(), Some(0));
        assert!(began.elapsed() >= DRAIN, "{:?}", began.elapsed());
    });
    let (sold, after) = (load.sold.into_inner(), load.after.into_inner());
    println!("{sold} sold, {after} of them after SIGTERM");
    let server = shop.serve();
    let left = balance(&mut shop.connect(&server), &number);
    assert_eq!(left, VALUE - i64::try_from(sold).expect("small"), "each answered sale once");
}

/// Tills that sell from one card.
struct Load<'a> {
    shop: &'a Shop,
    address: SocketAddr,
    number: &'a str,
    /// The server says that it is not ready.
    told: AtomicBool,
    /// Callers have noticed that, and stop.
    end: AtomicBool,
    sold: AtomicU64,
    /// Sales that were sent after `told`.
    after: AtomicU64,
}

impl Load<'_> {
    /// Sells until callers stop; then once more, on a connection that was taken in while others still were
    /// and says nothing until no more are: the moment at which a request is lost most easily.
    fn sell(&self, till: usize) {
        let mut n = 0;
        while !self.end.load(Ordering::Relaxed) {
            let mut connection = self.connect();
            while !connection.ended && !self.end.load(Ordering::Relaxed) {
                self.sell_once(&mut connection, &format!("drain-{till}-{n}"));
                n += 1;
            }
        }
        let mut last = self.connect();
        until("nobody is taken in", || Connection::open(self.address, &self.shop.secret).is_none());
        self.sell_once(&mut last, &format!("drain-{till}-last"));
        assert!(last.ended, "and says that it was the last");
    }

    fn sell_once(&self, connection: &mut Connection, key: &str) {
        let body = self.shop.sale(&json!({ "number": self.number }), 1);
        let late = self.told.load(Ordering::Relaxed);
        let answer = connection.post("/v1/redemptions", Some(key), &body);
        let answer = answer.unwrap_or_else(|| panic!("{key} was sent and not answered"));
        assert_eq!(answer.status, 201, "{answer:?}");
        self.sold.fetch_add(1, Ordering::Relaxed);
        self.after.fetch_add(u64::from(late), Ordering::Relaxed);
    }

    fn connect(&self) -> Connection {
        Connection::open(self.address, &self.shop.secret).expect("it listens")
    }

    fn readiness(&self) -> u16 {
        let answer = self.connect().get("/readyz").expect("an answer");
        if answer.status == 503 {
            assert_eq!(answer.body["code"], "stopped", "{answer:?}");
        }
        answer.status
    }
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
