//! Measures the write path beside pgbench on one cluster of its own, with the same durability:
//!
//!     cargo run --release -p storage-postgres --example write_path -- --cards 100000 --seconds 10
//!
//! `--url postgres://…` measures an existing, empty database instead, without pgbench.

#[path = "driver.rs"]
mod driver;

use std::{
    process::Command,
    time::{Duration, Instant},
};

use domain::Request;
use driver::{Driver, ISSUER, Times};
use postgres_testing::{Cluster, Durability};
use storage::{Audit, JobsStore, Queries};
use storage_postgres::{Options, PostgresStore};

struct Arguments {
    cards: u64,
    seconds: u64,
    writers: usize,
    batches: Vec<u64>,
    pgbench: bool,
    audit: bool,
    by_id: bool,
    url: Option<String>,
}

fn arguments() -> Arguments {
    let mut found = Arguments {
        cards: 100_000,
        seconds: 8,
        writers: 2,
        batches: vec![100, 500, 1000, 2000],
        pgbench: true,
        audit: true,
        by_id: false,
        url: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value"));
        let number = |text: &str| text.parse::<u32>().expect("a number");
        match word.as_str() {
            "--cards" => found.cards = number(&value()).into(),
            "--seconds" => found.seconds = number(&value()).into(),
            "--writers" => found.writers = usize::try_from(number(&value())).expect("a number"),
            "--batches" => found.batches = value().split(',').map(|size| number(size).into()).collect(),
            "--no-pgbench" => found.pgbench = false,
            "--no-audit" => found.audit = false,
            "--by-id" => found.by_id = true,
            "--url" => found.url = Some(value()),
            other => panic!("unknown option {other}"),
        }
    }
    found
}

/// Redemptions in batches of one size by several writers for some seconds. Returns how many a second.
async fn redeem(drivers: &mut Vec<Driver>, cards: u64, size: u64, seconds: u64, ordered: bool) -> f64 {
    let began = Instant::now();
    let until = began + Duration::from_secs(seconds);
    let mut running = Vec::new();
    for mut driver in drivers.drain(..) {
        running.push(tokio::spawn(async move {
            let (mut times, mut done) = (Times::default(), 0_u64);
            while Instant::now() < until {
                let requests: Vec<Request> = (0..size).map(|_| driver.redemption(cards, ordered)).collect();
                driver.run(&requests, &mut times).await.expect("committed");
                done += size;
            }
            (driver, times, done)
        }));
    }
    let (mut done, mut times) = (0, Times::default());
    for one in running {
        let (driver, own, count) = one.await.expect("a writer");
        drivers.push(driver);
        done += count;
        times.load += own.load;
        times.decide += own.decide;
        times.commit += own.commit;
        times.again += own.again;
    }
    let count = f64::from(u32::try_from(done).expect("a count"));
    let rate = count / began.elapsed().as_secs_f64();
    let each = |time: Duration| time.as_secs_f64() * 1e6 / count;
    println!(
        "batches of {size:>4}, {} keys: {rate:>7.0}/s  µs each: load {:5.1} decide {:4.1} commit {:5.1}  tried again {}",
        if ordered { "ordered" } else { "random " },
        each(times.load),
        each(times.decide),
        each(times.commit),
        times.again
    );
    rate
}

/// Transactions a second of pgbench's TPC-B-like script: prepared, 64 clients, scale 50.
fn pgbench(cluster: &Cluster, seconds: u64) -> f64 {
    let url = cluster.create_database();
    let program = cluster.programs().join("pgbench");
    let run = |arguments: &[&str]| {
        let output = Command::new(&program).args(arguments).arg(&url).output().expect("pgbench");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    run(&["-i", "-q", "-s", "50"]);
    let seconds = seconds.to_string();
    let report = run(&["-M", "prepared", "-c", "64", "-j", "2", "-T", &seconds]);
    let line = report.lines().find_map(|line| line.strip_prefix("tps = ")).expect("a rate");
    line.split_whitespace().next().and_then(|rate| rate.parse().ok()).expect("a number")
}

async fn make_cards(driver: &mut Driver, cards: u64) {
    let began = Instant::now();
    driver.make_cards(cards).await;
    println!("made {cards} cards in {:.1} s", began.elapsed().as_secs_f64());
    let (began, mut times) = (Instant::now(), Times::default());
    for first in (0..cards).step_by(2000) {
        let requests: Vec<Request> = (first..cards.min(first + 2000)).map(|n| driver.activation(n)).collect();
        driver.run(&requests, &mut times).await.expect("committed");
    }
    println!("activated them in {:.1} s", began.elapsed().as_secs_f64());
}

fn sizes(cluster: &Cluster, database: &str) {
    let sql = "SELECT relname, reltuples::bigint, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class \
               WHERE relname IN ('card', 'card_secret', 'operation', 'transfer') ORDER BY 1";
    cluster.psql(database, "VACUUM ANALYZE").expect("statistics");
    println!("table|rows|bytes|bytes of indexes\n{}", cluster.psql(database, sql).expect("sizes"));
}

async fn finish(store: &PostgresStore) {
    let began = Instant::now();
    let mut steps = 0;
    while store.roll_up(20_000).await.expect("a roll-up").behind > 0 {
        steps += 1;
    }
    println!("rolled up in {:.1} s, {steps} steps", began.elapsed().as_secs_f64());
    let began = Instant::now();
    let lines = store.trial_balance(ISSUER, None).await.expect("a trial balance");
    println!("trial balance of {} lines in {:.1} ms", lines.len(), began.elapsed().as_secs_f64() * 1e3);
    let began = Instant::now();
    let report = store.audit().await.expect("an audit");
    println!(
        "audited {} cards, {} operations, {} transfers in {:.1} s: {} violations",
        report.cards,
        report.operations,
        report.transfers,
        began.elapsed().as_secs_f64(),
        report.violations.len()
    );
    assert_eq!(report.violations, Vec::new());
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments = arguments();
    let settings = postgres_testing::Options { durability: Durability::Real, ..Default::default() };
    let cluster = arguments.url.is_none().then(|| Cluster::start(&settings).expect("a cluster"));
    let baseline = match &cluster {
        Some(cluster) if arguments.pgbench => {
            let rate = pgbench(cluster, arguments.seconds);
            println!("pgbench TPC-B-like, prepared, 64 clients, scale 50: {rate:.0}/s");
            Some(rate)
        }
        _ => None,
    };
    let database = cluster.as_ref().map(|cluster| {
        let url = cluster.create_database();
        url.rsplit('/').next().expect("a name").to_owned()
    });
    let url = match (&cluster, &database, &arguments.url) {
        (Some(cluster), Some(database), _) => cluster.socket_url(database),
        (_, _, Some(url)) => url.clone(),
        _ => unreachable!("one of them is there"),
    };
    let options = Options { writers: arguments.writers, ..Options::default() };
    let store = PostgresStore::connect(&url, options).await.expect("a store");
    let mut first = Driver::new(store.clone()).await;
    make_cards(&mut first, arguments.cards).await;
    first.by_id = arguments.by_id;
    let mut drivers = vec![first];
    for node in 1..u32::try_from(arguments.writers).expect("few") {
        let another = drivers[0].beside(node).await;
        drivers.push(another);
    }
    let mut best: f64 = 0.0;
    for size in arguments.batches {
        for ordered in [true, false] {
            best = best.max(redeem(&mut drivers, arguments.cards, size, arguments.seconds, ordered).await);
        }
    }
    if let Some(baseline) = baseline {
        println!("best is {:.1} times pgbench", best / baseline);
    }
    if let (Some(cluster), Some(database)) = (&cluster, &database) {
        sizes(cluster, database);
    }
    if arguments.audit {
        finish(&store).await;
    }
}
