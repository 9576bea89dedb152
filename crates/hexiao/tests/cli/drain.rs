//! SIGTERM under load: what was sent is answered, and nobody sees an error.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::json;

use crate::support::{Connection, Sandbox, Server, Shop, balance};

const VALUE: i64 = 1_000_000;

#[test]
fn sigterm_under_load_answers_what_was_sent() {
    for sandbox in Sandbox::each() {
        check(&Shop::on(sandbox));
    }
}

fn check(shop: &Shop) {
    let server = Server::start_with(&shop.sandbox, &["--drain-delay", "2"]);
    let address = server.address;
    let number = shop.card(&mut shop.connect(&server), VALUE).number;
    let (told, sold, after) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let sell = |till: usize| {
        for n in 0_u64.. {
            // Refused: it has stopped, and nothing was sent.
            let Some(mut connection) = Connection::open(address, &shop.secret) else { return };
            while !connection.ended {
                let key = format!("drain-{till}-{n}-{}", sold.load(Ordering::Relaxed));
                let body = shop.sale(&json!({ "number": number }), 1);
                let late = told.load(Ordering::Relaxed);
                let answer = connection.post("/v1/redemptions", Some(&key), &body);
                let answer = answer.unwrap_or_else(|| panic!("{key} was sent and not answered"));
                assert_eq!(answer.status, 201, "{answer:?}");
                sold.fetch_add(1, Ordering::Relaxed);
                after.fetch_add(u64::from(late), Ordering::Relaxed);
            }
        }
    };
    let mut probe = Connection::open(address, &shop.secret).expect("it listens");
    assert_eq!(probe.get("/readyz").expect("an answer").status, 200);
    thread::scope(|scope| {
        for till in 0..8 {
            scope.spawn(move || sell(till));
        }
        thread::sleep(Duration::from_secs(1));
        told.store(true, Ordering::Relaxed);
        let began = Instant::now();
        server.signal(Signal::TERM);
        until_not_ready(&shop.secret, address);
        assert!(began.elapsed() < Duration::from_secs(1), "not ready at once");
        assert_eq!(server.ended(), Some(0));
        assert!((2..8).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    });
    let (sold, after) = (sold.into_inner(), after.into_inner());
    println!("{sold} sold, {after} of them after SIGTERM");
    assert!(after > 100, "what comes while others notice is answered: {after} of {sold}");
    let server = shop.serve();
    let left = balance(&mut shop.connect(&server), &number);
    assert_eq!(left, VALUE - i64::try_from(sold).expect("small"), "each answered sale once");
}

fn until_not_ready(secret: &str, address: std::net::SocketAddr) {
    loop {
        let mut probe = Connection::open(address, secret).expect("it still answers");
        let answer = probe.get("/readyz").expect("an answer");
        if answer.status == 503 {
            assert_eq!(answer.body["code"], "stopped", "{answer:?}");
            return;
        }
        assert_eq!(answer.status, 200);
        thread::sleep(Duration::from_millis(10));
    }
}
