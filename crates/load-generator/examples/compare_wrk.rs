//! Compares the generator with wrk against the same server: an axum route that answers "ok".
//!
//! `cargo run --release -p load-generator --example compare_wrk [seconds] [rounds]`
//!
//! Both take turns, so that whatever else the machine does meets both alike.

use axum::{Router, routing::get};
use load_generator::{Config, Report, closed_loop, open_loop, write_get};
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u32>().expect("a whole number"));
    let seconds = arguments.next().unwrap_or(5);
    let rounds = arguments.next().unwrap_or(1);
    let address = start_server();
    for connections in [64, 256] {
        for _ in 0..rounds {
            compare(address, connections, seconds);
        }
    }
    let half = run(address, 256, seconds).per_second / 2.0;
    print_open(address, half, seconds);
    print_open(address, 5_000.0, seconds);
}

fn compare(address: SocketAddr, connections: usize, seconds: u32) {
    let ours = run(address, connections, seconds);
    print!(
        "{connections} connections: {:.0}/s, {} errors, p50 {:.2} p99 {:.2} p99.9 {:.2} max {:.2} ms",
        ours.per_second,
        ours.errors(),
        ours.p50_ms(),
        ours.p99_ms(),
        ours.p999_ms(),
        ours.max_ms(),
    );
    match wrk(address, connections, seconds) {
        Some(theirs) => println!("; wrk {theirs:.0}/s; ratio {:.2}", ours.per_second / theirs),
        None => println!("; wrk is not installed"),
    }
}

fn print_open(address: SocketAddr, rate: f64, seconds: u32) {
    let config = Config::new(address, 64, Duration::from_secs(seconds.into()));
    let report = open_loop(&config, rate, &mut source()).expect("the server is up");
    println!(
        "open loop at {rate:.0}/s: {:.0}/s answered, {} errors, {} unsent, p50 {:.2} p99 {:.2} max {:.2} ms",
        report.per_second,
        report.errors(),
        report.unsent,
        report.p50_ms(),
        report.p99_ms(),
        report.max_ms(),
    );
}

fn run(address: SocketAddr, connections: usize, seconds: u32) -> Report {
    let config = Config::new(address, connections, Duration::from_secs(seconds.into()));
    closed_loop(&config, &mut source()).expect("the server is up")
}

fn source() -> impl load_generator::Source {
    (
        |_, _, buffer: &mut Vec<u8>| write_get(buffer, "/ok", &[]),
        |_, _, status: u16, body: &[u8]| assert!(status == 200 && body == b"ok"),
    )
}

fn start_server() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket can be non-blocking");
    let address = listener.local_addr().expect("a bound socket has an address");
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads are available");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("inside a runtime");
            let router = Router::new().route("/ok", get(async || "ok"));
            axum::serve(listener, router).await.expect("serving ends with the process");
        });
    });
    address
}

/// `None` where wrk is not installed.
fn wrk(address: SocketAddr, connections: usize, seconds: u32) -> Option<f64> {
    let output = Command::new("wrk")
        .args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), &format!("http://{address}/ok")])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"))?;
    line.trim().parse().ok()
}
