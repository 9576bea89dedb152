//! How many redemptions a second the store takes in process, and where their time goes.
//!
//! ```text
//! cargo run --release -p storage-sqlite --example write_path -- --cards 1000000 --operations 1000000
//! ```
//!
//! Makes and activates cards in a scratch database, redeems in batches as the engine does (plan, load,
//! decide, commit), first with keys in order of time, then with random ones, and ends with an audit.

mod driver;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use domain::Request;
use storage::{Audit, JobsStore, Queries};
use storage_sqlite::{Options, SqliteStore};

use driver::{Driver, ISSUER, Times};

struct Arguments {
    cards: u64,
    operations: u64,
    batch: u64,
    folder: Option<PathBuf>,
    options: Options,
    by_id: bool,
    audit: bool,
}

fn arguments() -> Arguments {
    let mut found = Arguments {
        cards: 1_000_000,
        operations: 1_000_000,
        batch: 256,
        folder: None,
        options: Options::default(),
        by_id: false,
        audit: true,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("a value after each option");
        let number = |text: String| text.parse::<u32>().expect("a number");
        match word.as_str() {
            "--cards" => found.cards = number(value()).into(),
            "--operations" => found.operations = number(value()).into(),
            "--batch" => found.batch = number(value()).into(),
            "--folder" => found.folder = Some(value().into()),
            "--page-size" => found.options.page_size = number(value()),
            "--wal-pages" => found.options.wal_pages = number(value()),
            "--cache-kib" => found.options.writer_cache_kib = number(value()),
            "--by-id" => found.by_id = true,
            "--no-audit" => found.audit = false,
            other => panic!("unknown option {other}"),
        }
    }
    found
}

fn report(name: &str, count: u64, elapsed: Duration, times: &Times, store: &SqliteStore) {
    let count = f64::from(u32::try_from(count).expect("a count"));
    let each = |time: Duration| time.as_secs_f64() * 1e6 / count;
    let stats = store.checkpoint_stats();
    println!(
        "{name:<26} {:>7.0}/s  µs each: load {:5.2} decide {:5.2} commit {:5.2} (CPU {:5.2})  parts {}, checkpoints {}, \
         restarts {}, longest pause {:.1} ms",
        count / elapsed.as_secs_f64(),
        each(times.load),
        each(times.decide),
        each(times.commit),
        each(times.cpu),
        stats.parts,
        stats.rounds,
        stats.restarts,
        Duration::from_micros(stats.longest_pause_micros).as_secs_f64() * 1e3,
    );
}

async fn make_cards(driver: &Driver, cards: u64) {
    let began = Instant::now();
    driver.make_cards(cards).await;
    println!("made {cards} cards in {:.1} s", began.elapsed().as_secs_f64());
}

async fn activate(driver: &mut Driver, cards: u64) {
    let (began, mut times) = (Instant::now(), Times::default());
    for first in (0..cards).step_by(1000) {
        let requests: Vec<Request> = (first..cards.min(first + 1000)).map(|n| driver.activation(n)).collect();
        driver.run(&requests, &mut times).await.expect("committed");
    }
    report("activate, batches of 1000", cards, began.elapsed(), &times, &driver.store);
}

async fn redeem(driver: &mut Driver, arguments: &Arguments, ordered: bool) {
    let (mut times, mut busy) = (Times::default(), Duration::ZERO);
    let mut done = 0;
    while done < arguments.operations {
        let size = arguments.batch.min(arguments.operations - done);
        let requests: Vec<Request> = (0..size).map(|_| driver.redemption(arguments.cards, ordered)).collect();
        let began = Instant::now();
        driver.run(&requests, &mut times).await.expect("committed");
        busy += began.elapsed();
        done += size;
    }
    let name = if ordered { "redeem, ordered keys" } else { "redeem, random keys" };
    report(name, done, busy, &times, &driver.store);
}

async fn finish(store: &SqliteStore) {
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

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()).and_then(|n| n.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments = arguments();
    let folder = tempfile::tempdir().expect("a folder");
    let path = arguments.folder.clone().unwrap_or_else(|| folder.path().to_owned()).join("write_path.db");
    let store = SqliteStore::open(path.to_str().expect("a path"), arguments.options).expect("a store");
    let mut driver = Driver::new(store.clone()).await;
    driver.by_id = arguments.by_id;
    make_cards(&driver, arguments.cards).await;
    activate(&mut driver, arguments.cards).await;
    for ordered in [true, false, true] {
        redeem(&mut driver, &arguments, ordered).await;
    }
    println!("resident memory at most {} MiB", resident_mib());
    if arguments.audit {
        finish(&store).await;
        println!("resident memory at most {} MiB", resident_mib());
    }
}
