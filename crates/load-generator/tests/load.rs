//! Whole runs against real servers: an axum one that behaves, and raw sockets that do not.

mod servers;

use load_generator::{
    Config, Error, Fault, Report, Source, closed_loop, closed_loop_threads, open_loop, open_loop_threads,
    write_get, write_post,
};
use servers::{Client, Echo, raw};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A run that takes longer than this has not noticed that it is over.
const HANGS: Duration = Duration::from_mins(1);

/// Posts its sequence and expects it back; remembers what became of each sequence.
#[derive(Default)]
struct Ledger {
    path: &'static str,
    padding: usize,
    at_most: Option<u64>,
    started: Vec<(u64, usize, Instant)>,
    answered: Vec<u64>,
    unanswered: Vec<(u64, Fault)>,
    statuses: BTreeSet<u16>,
}

impl Ledger {
    fn new(path: &'static str) -> Self {
        Self { path, ..Self::default() }
    }
}

impl Source for Ledger {
    fn request(&mut self, connection: usize, sequence: u64, buffer: &mut Vec<u8>) {
        assert!(buffer.is_empty());
        if self.at_most.is_some_and(|most| self.started.len() as u64 == most) {
            return;
        }
        let body = format!("{sequence}{}", ".".repeat(self.padding));
        write_post(buffer, self.path, &[("content-type", "text/plain")], body.as_bytes());
        self.started.push((sequence, connection, Instant::now()));
    }

    fn response(&mut self, connection: usize, sequence: u64, status: u16, body: &[u8]) {
        let expect = format!("{sequence}{}", ".".repeat(self.padding));
        assert!(body == expect.as_bytes(), "connection {connection} got another request's answer");
        self.answered.push(sequence);
        self.statuses.insert(status);
    }

    fn unanswered(&mut self, _: usize, sequence: u64, fault: Fault) {
        self.unanswered.push((sequence, fault));
    }
}

/// Report and ledgers agree, and every request has exactly one end.
fn check_books(report: &Report, ledgers: &[Ledger]) {
    let all = |pick: fn(&Ledger) -> Vec<u64>| ledgers.iter().flat_map(pick).collect::<Vec<u64>>();
    let started = all(|ledger| ledger.started.iter().map(|(sequence, ..)| *sequence).collect());
    let answered = all(|ledger| ledger.answered.clone());
    let unanswered = all(|ledger| ledger.unanswered.iter().map(|(sequence, _)| *sequence).collect());
    assert_eq!(report.requests, started.len() as u64);
    assert_eq!(report.answered, answered.len() as u64);
    assert_eq!(report.unanswered(), unanswered.len() as u64);
    assert_eq!(report.latency.len(), report.answered);
    assert_eq!(report.by_class.iter().sum::<u64>(), report.answered);
    let ended: BTreeSet<u64> = answered.iter().chain(&unanswered).copied().collect();
    assert_eq!(ended.len(), answered.len() + unanswered.len(), "one end per request");
    assert_eq!(ended, started.iter().copied().collect());
    if ledgers.len() == 1 {
        assert_eq!(ended, (0..report.requests).collect(), "sequences without gaps");
    }
}

fn config(address: SocketAddr, connections: usize, milliseconds: u64) -> Config {
    Config::new(address, connections, Duration::from_millis(milliseconds))
}

fn counted(address: SocketAddr, connections: usize, requests: u64) -> Config {
    Config { requests: Some(requests), ..config(address, connections, 30_000) }
}

#[test]
fn only_loopback_is_ever_loaded() {
    let hosts = ["10.0.0.1", "0.0.0.0", "192.168.1.1", "8.8.8.8", "[::]", "[::ffff:127.0.0.1]", "[fe80::1]"];
    for host in hosts {
        let address: SocketAddr = format!("{host}:80").parse().unwrap();
        let error = closed_loop(&config(address, 1, 1), &mut Ledger::new("/")).unwrap_err();
        assert!(matches!(error, Error::NotLoopback { .. }), "{error}");
        assert!(error.to_string().contains("loopback"), "{error}");
        assert!(open_loop(&config(address, 1, 1), 1.0, &mut Ledger::new("/")).is_err());
    }
}

#[test]
fn figures_out_of_range_are_named() {
    let address = ([127, 0, 0, 1], 1).into();
    let good = config(address, 2, 1_000);
    let check = |config: Config, rate: f64, field: &str| {
        let error = open_loop(&config, rate, &mut Ledger::new("/")).unwrap_err().to_string();
        assert!(error.starts_with(field), "{error}");
    };
    check(Config { connections: 0, ..good.clone() }, 1.0, "connections");
    check(Config { connections: 100_000, ..good.clone() }, 1.0, "connections");
    check(Config { duration: Duration::ZERO, ..good.clone() }, 1.0, "duration");
    check(Config { duration: Duration::from_hours(24), ..good.clone() }, 1.0, "duration");
    check(Config { request_timeout: Duration::ZERO, ..good.clone() }, 1.0, "request_timeout");
    check(Config { requests: Some(0), ..good.clone() }, 1.0, "requests");
    check(Config { max_body_bytes: usize::MAX, ..good.clone() }, 1.0, "max_body_bytes");
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        check(good.clone(), rate, "rate_per_s");
    }
    let none = closed_loop_threads::<Ledger>(&good, &mut []).unwrap_err().to_string();
    assert!(none.starts_with("threads"), "{none}");
}

#[test]
fn no_server_is_an_error_before_the_run() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = closed_loop(&config(free, 1, 100), &mut Ledger::new("/")).unwrap_err();
    assert!(matches!(error, Error::Connect { number: 0, .. }), "{error}");
}

#[test]
fn counts_add_up_with_the_servers_own() {
    for (connections, threads, requests) in [(1, 1, 50), (16, 1, 5_000), (16, 3, 5_000), (64, 2, 10)] {
        let server = Echo::start();
        let mut ledgers: Vec<Ledger> = (0..threads).map(|_| Ledger::new("/echo")).collect();
        let report =
            closed_loop_threads(&counted(server.address, connections, requests), &mut ledgers).unwrap();
        check_books(&report, &ledgers);
        assert_eq!((report.requests, report.errors()), (requests, 0));
        assert_eq!((report.by_class[2], server.served()), (requests, requests));
        assert!(report.per_second > 0.0 && report.p50_ms() > 0.0);
        assert!(report.p50_ms() <= report.p99_ms() && report.p99_ms() <= report.p999_ms());
        assert!(report.p999_ms() <= report.max_ms() && report.reconnects == 0);
    }
}

#[test]
fn a_timed_run_ends_on_time_and_answers_everything() {
    let server = Echo::start();
    let mut ledger = Ledger::new("/echo");
    let report = closed_loop(&config(server.address, 8, 300), &mut ledger).unwrap();
    check_books(&report, std::slice::from_ref(&ledger));
    assert_eq!((report.errors(), report.answered), (0, server.served()));
    assert!(report.elapsed >= Duration::from_millis(300) && report.elapsed < HANGS);
    let used: BTreeSet<usize> = ledger.started.iter().map(|(_, connection, _)| *connection).collect();
    assert_eq!(used.len(), 8, "every connection takes part");
}

#[test]
fn statuses_are_answers_not_errors() {
    let server = Echo::start();
    let mut seen = Vec::new();
    let mut source = (
        |_, sequence: u64, buffer: &mut Vec<u8>| {
            write_get(buffer, if sequence.is_multiple_of(2) { "/missing" } else { "/busy" }, &[]);
        },
        |_, _, status: u16, _: &[u8]| seen.push(status),
    );
    let report = closed_loop(&counted(server.address, 2, 10), &mut source).unwrap();
    assert_eq!((report.answered, report.errors()), (10, 0));
    assert_eq!((report.by_class[4], report.by_class[5]), (5, 5));
    assert_eq!(seen.iter().filter(|status| **status == 503).count(), 5);
}

#[test]
fn the_open_loop_keeps_its_rate() {
    for threads in [1, 2] {
        let server = Echo::start();
        let mut ledgers: Vec<Ledger> = (0..threads).map(|_| Ledger::new("/echo")).collect();
        let before = Instant::now();
        let report = open_loop_threads(&config(server.address, 8, 1_000), 2_000.0, &mut ledgers).unwrap();
        check_books(&report, &ledgers);
        assert_eq!((report.requests, report.errors(), report.unsent), (2_000, 0, 0));
        assert!(report.elapsed >= Duration::from_micros(999_500), "{:?}", report.elapsed);
        let mut starts: Vec<_> = ledgers.iter().flat_map(|ledger| &ledger.started).collect();
        starts.sort_unstable_by_key(|(sequence, ..)| *sequence);
        check_lateness(before, &starts);
        let used: BTreeSet<usize> = starts.iter().map(|(_, connection, _)| *connection).collect();
        assert_eq!(used.len(), 8, "spread over all connections");
    }
}

/// Never early, and never drifting: a pacer that adds up its own delays would be half a second
/// late at the median. A tighter bound would test how busy the machine is.
fn check_lateness(before: Instant, starts: &[&(u64, usize, Instant)]) {
    let mut late = Vec::new();
    for (sequence, _, at) in starts {
        let due = before + Duration::from_micros(sequence * 500);
        late.push(at.checked_duration_since(due).expect("sent before it was due"));
    }
    late.sort_unstable();
    assert!(late[late.len() / 2] < Duration::from_millis(250), "median lateness {:?}", late[late.len() / 2]);
}

/// Two connections serve about 40 a second while 200 a second are due: the last of 100 requests
/// waits about two seconds although each is served within 50 ms.
#[test]
fn waiting_for_a_connection_counts_as_latency() {
    let server = Echo::start();
    let mut ledger = Ledger::new("/slow");
    let report = open_loop(&config(server.address, 2, 500), 200.0, &mut ledger).unwrap();
    check_books(&report, std::slice::from_ref(&ledger));
    assert_eq!((report.answered, report.errors(), report.unsent), (100, 0, 0));
    assert!(report.max_ms() > 1_800.0, "max {}", report.max_ms());
    assert!(report.p50_ms() > 800.0, "p50 {}", report.p50_ms());

    let closed = closed_loop(&counted(server.address, 2, 10), &mut Ledger::new("/slow")).unwrap();
    assert!(closed.p50_ms() >= 50.0 && closed.p50_ms() < report.p50_ms());
}

#[test]
fn what_patience_did_not_allow_is_unsent_and_unanswered() {
    let server = Echo::start();
    let mut ledger = Ledger::new("/slow");
    let short = Config { request_timeout: Duration::from_millis(300), ..config(server.address, 2, 500) };
    let report = open_loop(&short, 200.0, &mut ledger).unwrap();
    check_books(&report, std::slice::from_ref(&ledger));
    assert_eq!(report.requests + report.unsent, 100);
    assert!(report.unsent > 30 && report.answered > 5, "{report:?}");
    assert!(report.elapsed < HANGS);
}

#[test]
fn a_silent_server_times_out() {
    let address = raw(|mut client: Client, _| while client.read_request() {});
    let mut ledger = Ledger::new("/");
    let short = Config { request_timeout: Duration::from_millis(100), ..config(address, 3, 2_000) };
    let report = closed_loop(&short, &mut ledger).unwrap();
    check_books(&report, std::slice::from_ref(&ledger));
    assert_eq!((report.answered, report.faults.timed_out), (0, report.requests));
    assert!(report.requests >= 6, "timed-out connections are replaced and used again");
    assert!(report.elapsed < HANGS);
}

/// Each connection reads a fourth request and closes without an answer to it.
#[test]
fn an_unanswered_request_is_named_and_the_run_goes_on() {
    let address = raw(|mut client, _| {
        for _ in 0..3 {
            if !client.read_request() {
                return;
            }
            client.echo();
        }
        client.read_request();
    });
    let mut ledger = Ledger::new("/");
    let report = closed_loop(&counted(address, 4, 400), &mut ledger).unwrap();
    check_books(&report, std::slice::from_ref(&ledger));
    let mut expect = BTreeSet::new();
    for connection in 0..4 {
        let own = ledger.started.iter().filter(|(_, number, _)| *number == connection);
        expect.extend(own.skip(3).step_by(4).map(|(sequence, ..)| *sequence));
    }
    let named: BTreeSet<u64> = ledger.unanswered.iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!(named, expect, "every fourth request of each connection");
    assert!(ledger.unanswered.iter().all(|(_, fault)| *fault == Fault::Closed));
    assert_eq!((report.requests, report.errors()), (400, report.faults.closed));
    assert!(report.reconnects >= 93, "{}", report.reconnects);
}

#[test]
fn connection_close_is_honoured_without_an_error() {
    let address = raw(|mut client, _| {
        client.read_request();
        let body = client.body.clone();
        client
            .send(format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len()));
        client.send(body);
    });
    let mut ledger = Ledger::new("/");
    let report = closed_loop(&counted(address, 4, 200), &mut ledger).unwrap();
    check_books(&report, std::slice::from_ref(&ledger));
    assert_eq!((report.answered, report.errors()), (200, 0), "{:?}", report.faults);
    assert!(report.reconnects >= 196);
}

#[test]
fn an_answer_without_a_length_ends_with_the_connection() {
    let address = raw(|mut client, _| {
        client.read_request();
        client.send("HTTP/1.1 200 OK\r\n\r\n");
        client.send(client.body.clone());
    });
    let mut ledger = Ledger::new("/");
    let report = closed_loop(&counted(address, 2, 50), &mut ledger).unwrap();
    check_books(&report, std::slice::from_ref(&ledger));
    assert_eq!((report.answered, report.errors()), (50, 0), "{:?}", report.faults);
}

#[test]
fn split_and_chunked_answers_are_joined() {
    let address = raw(|mut client, number| {
        while client.read_request() {
            let body = String::from_utf8(client.body.clone()).unwrap();
            let answer = if number.is_multiple_of(2) {
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            } else {
                let chunks = body.chars().map(|letter| format!("1\r\n{letter}\r\n"));
                let chunks = chunks.collect::<Vec<_>>().concat();
                format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
            };
            for piece in answer.as_bytes().chunks(7) {
                client.send(piece);
                std::thread::yield_now();
            }
        }
    });
    let mut ledger = Ledger::new("/");
    let report = closed_loop(&counted(address, 4, 200), &mut ledger).unwrap();
    check_books(&report, std::slice::from_ref(&ledger));
    assert_eq!((report.answered, report.errors(), report.reconnects), (200, 0, 0));
}

#[test]
fn requests_and_answers_larger_than_the_sockets_buffers() {
    let server = Echo::start();
    let mut ledger = Ledger { padding: 6 << 20, ..Ledger::new("/echo") };
    let large = Config { max_body_bytes: 8 << 20, ..counted(server.address, 2, 6) };
    let report = closed_loop(&large, &mut ledger).unwrap();
    check_books(&report, std::slice::from_ref(&ledger));
    assert_eq!((report.answered, report.errors(), report.reconnects), (6, 0, 0), "{:?}", report.faults);
}

/// One bad answer per connection; the counter it belongs to takes all of them.
fn check_bad(answer: impl Into<Vec<u8>>, pick: fn(&Report) -> u64) {
    let answer = answer.into();
    let address = raw(move |mut client, _| {
        client.read_request();
        client.send(&answer);
        client.read_request();
    });
    let mut ledger = Ledger::new("/");
    let small = Config { max_body_bytes: 1_000, ..counted(address, 3, 30) };
    let report = closed_loop(&small, &mut ledger).unwrap();
    check_books(&report, std::slice::from_ref(&ledger));
    assert_eq!((report.requests, report.answered, pick(&report)), (30, 0, 30), "{:?}", report.faults);
    assert_eq!(report.errors(), 30);
}

#[test]
fn bad_answers_are_counted_by_cause() {
    check_bad("this is not HTTP\r\n\r\n", |report| report.faults.malformed);
    check_bad([0xff; 5_000], |report| report.faults.malformed);
    check_bad("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", |report| report.faults.malformed);
    check_bad("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n", |report| report.faults.too_long);
    check_bad(format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(20_000)), |report| report.faults.too_long);
    check_bad(format!("HTTP/1.1 200 OK\r\n\r\n{}", "b".repeat(2_000)), |report| report.faults.too_long);
}

#[test]
fn bytes_beyond_an_answer_are_an_error_of_the_connection() {
    let address = raw(|mut client, _| {
        client.read_request();
        let (length, body) = (client.body.len(), String::from_utf8(client.body.clone()).unwrap());
        client.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}HTTP/1.1 200 OK"));
        client.read_request();
    });
    let mut ledger = Ledger::new("/");
    let report = closed_loop(&counted(address, 2, 20), &mut ledger).unwrap();
    check_books(&report, std::slice::from_ref(&ledger));
    assert_eq!((report.answered, report.faults.surplus, report.errors()), (20, 20, 20));
}

/// The server goes away for good: the run still ends on time, and says what it does not know.
#[test]
fn a_server_that_dies_does_not_hang_the_run() {
    let server = Echo::start();
    let address = server.address;
    let killer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(800));
        drop(server);
    });
    let mut ledger = Ledger::new("/echo");
    let short = Config { request_timeout: Duration::from_secs(1), ..config(address, 4, 2_000) };
    let report = open_loop(&short, 1_000.0, &mut ledger);
    killer.join().unwrap();
    let report = report.unwrap();
    check_books(&report, std::slice::from_ref(&ledger));
    assert!(report.answered > 50 && report.faults.connect > 0 && report.unsent > 100, "{:?}", report.faults);
    assert!(report.elapsed < HANGS);
}

#[test]
fn a_source_that_runs_dry_ends_the_run() {
    let server = Echo::start();
    let mut ledger = Ledger { at_most: Some(25), ..Ledger::new("/echo") };
    let report = closed_loop(&config(server.address, 4, 20_000), &mut ledger).unwrap();
    check_books(&report, std::slice::from_ref(&ledger));
    assert_eq!((report.answered, report.errors(), report.unsent), (25, 0, 0));
    assert!(report.elapsed < HANGS);
    let mut ledger = Ledger { at_most: Some(25), ..Ledger::new("/echo") };
    let report = open_loop(&config(server.address, 4, 20_000), 1_000.0, &mut ledger).unwrap();
    assert_eq!((report.answered, report.unsent), (25, 0));
    assert!(report.elapsed < HANGS);
}
