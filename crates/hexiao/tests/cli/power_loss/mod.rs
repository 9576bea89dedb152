//! The power is cut. A kill keeps the system's page cache and proves nothing about the disk, so this test
//! records what a loaded server writes, syncs and answers, works out what a disk may hold after a cut at
//! many moments of that (only what was synced is certain; the rest dropped, torn or out of order), and
//! looks at each such disk with `hexiao verify`: it opens, its books are right, and every operation whose
//! answer had left is there.
//!
//! HEXIAO_POWER_CUTS says how many disks are looked at (120).

mod disk;
mod record;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::Path,
    process::Command,
    sync::OnceLock,
    thread,
    time::Duration,
};

use domain::OperationId;
use rusqlite::{Connection as Database, OpenFlags};
use serde_json::{Value, json};

use self::{
    disk::{Disk, Fate, Random},
    record::{Event, What},
};
use crate::support::{Sandbox, Server, Shop};

const SELLERS: usize = 4;
const SALES: usize = 40;
/// Longer than the log may lie idle before it is carried over to the database.
const IDLE: Duration = Duration::from_secs(6);

/// What a server did, and what the disk held before.
struct Run {
    before: BTreeMap<String, Vec<u8>>,
    events: Vec<Event>,
}

#[test]
fn a_power_cut_loses_nothing_that_was_answered() {
    let cuts = std::env::var("HEXIAO_POWER_CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(120);
    let run = recorded();
    let answers =
        run.events.iter().filter(|e| matches!(&e.what, What::Answer(ids) if !ids.is_empty())).count();
    assert!(answers >= 2 * SELLERS * SALES, "{answers} answers");
    let names: BTreeSet<&str> = run.events.iter().map(|event| event.file.as_str()).collect();
    assert!(names.contains("hexiao.db"), "the log was carried over while recording: {names:?}");
    if let Err(found) = examine(&run.before, &run.events, cuts) {
        panic!("{found}");
    }
}

/// The same examination must find what it is there to find.
#[test]
fn answers_before_their_sync_are_noticed() {
    let run = recorded();
    let hasty = answered_early(&run.events);
    let found = examine(&run.before, &hasty, 400).expect_err("answers that left before the sync");
    assert!(found.contains("was answered"), "{found}");
}

#[test]
fn a_log_that_is_never_synced_is_noticed() {
    let run = recorded();
    let is_sync = |what: &What| matches!(what, What::SyncBegins(_) | What::SyncEnds(_));
    let mut unsynced = run.events.clone();
    unsynced.retain(|event| !(event.file.ends_with("-wal") && is_sync(&event.what)));
    examine(&run.before, &unsynced, 400).expect_err("a log that is not synced");
}

/// As if each answer had left when the sync that covers it began.
fn answered_early(events: &[Event]) -> Vec<Event> {
    let mut early: Vec<Event> = Vec::with_capacity(events.len());
    for event in events {
        let began = early.iter().rposition(|earlier| {
            earlier.file.ends_with("-wal") && matches!(earlier.what, What::SyncBegins(_))
        });
        match (&event.what, began) {
            (What::Answer(ids), Some(began)) if !ids.is_empty() => early.insert(began + 1, event.clone()),
            _ => early.push(event.clone()),
        }
    }
    early
}

/// Cuts the power at `cuts` moments and looks at what is left. The error says what is wrong.
fn examine(before: &BTreeMap<String, Vec<u8>>, events: &[Event], cuts: usize) -> Result<(), String> {
    let mut random = Random(7);
    let mut moments: Vec<usize> = (0..cuts).map(|n| moment(events, n, &mut random)).collect();
    moments.sort_unstable();
    let (mut disk, mut answered, mut done) = (Disk::holding(before), HashSet::new(), 0);
    for (n, moment) in moments.into_iter().enumerate() {
        for event in &events[done..moment] {
            disk.apply(event);
            if let What::Answer(ids) = &event.what {
                answered.extend(ids.iter().cloned());
            }
        }
        done = moment;
        let fate = Fate::ALL[n % Fate::ALL.len()];
        look(&disk, fate, &mut random, &answered).map_err(|why| {
            format!("the power cut after event {moment} of {}, {fate:?}: {why}", events.len())
        })?;
    }
    Ok(())
}

/// Any moment, every second time one at which an answer has just left or a sync is about to return: there,
/// a wrong order shows.
fn moment(events: &[Event], n: usize, random: &mut Random) -> usize {
    let any = random.below(events.len()) + 1;
    if n.is_multiple_of(2) {
        return any;
    }
    let near = |event: &Event| matches!(event.what, What::Answer(_) | What::SyncBegins(_));
    events[any - 1..].iter().position(near).map_or(any, |more| any + more)
}

fn look(disk: &Disk, fate: Fate, random: &mut Random, answered: &HashSet<String>) -> Result<(), String> {
    let image = Sandbox::new();
    disk.write_image(image.folder(), fate, random);
    let done = image.run(&["verify", "--json", "--log", "error"]);
    if done.code != 0 {
        return Err(format!("verify: {} {}", done.out, done.err));
    }
    let stored = stored(&image.path("hexiao.db"));
    match answered.iter().find(|id| !stored.contains(*id)) {
        None => Ok(()),
        Some(lost) => Err(format!("{lost} was answered and is not there, nor may others be")),
    }
}

fn stored(database: &Path) -> HashSet<String> {
    let database =
        Database::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("a database");
    let mut statement = database.prepare("SELECT id FROM operation").expect("a table");
    let ids = statement.query_map([], |row| row.get::<_, i64>(0)).expect("rows");
    ids.map(|id| OperationId::new(id.expect("an id")).to_string()).collect()
}

/// Recorded once for all tests.
fn recorded() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(record)
}

/// Loads a server, lets its log be carried over, loads it again, restarts it in good order, and kills it
/// under load in the end.
fn record() -> Run {
    let shop = Shop::new();
    let folder = shop.sandbox.folder().to_owned();
    let mut before = BTreeMap::new();
    for file in ["hexiao.db", "hexiao.db-wal"] {
        if let Ok(content) = std::fs::read(shop.sandbox.path(file)) {
            before.insert(file.to_owned(), content);
        }
    }
    let to = shop.sandbox.path("record");
    let library = build(&folder);
    let serve = || {
        let database = shop.sandbox.path("hexiao.db");
        let env = [("LD_PRELOAD", &library), ("HEXIAO_RECORD_TO", &to), ("HEXIAO_RECORD_PATH", &database)];
        Server::start_in(&shop.sandbox, &[], &env)
    };
    let server = serve();
    let mut till = shop.connect(&server);
    let cards: Vec<Value> =
        (0..SELLERS).map(|_| json!({ "id": shop.card(&mut till, 1_000_000).id })).collect();
    sell(&shop, &server, &cards, "first");
    thread::sleep(IDLE);
    sell(&shop, &server, &cards, "second");
    drop(till);
    assert_eq!(server.terminate(), Some(0));
    let server = serve();
    sell(&shop, &server, &cards, "third");
    server.kill_hard();
    Run { before, events: record::read(&to, &folder) }
}

fn sell(shop: &Shop, server: &Server, cards: &[Value], round: &str) {
    thread::scope(|scope| {
        for (seller, card) in cards.iter().enumerate() {
            let mut till = shop.connect(server);
            scope.spawn(move || {
                for n in 0..SALES {
                    let key = format!("{round}-{seller}-{n}");
                    let answer =
                        till.post("/v1/redemptions", Some(&key), &shop.sale(card, 7)).expect("an answer");
                    assert_eq!(answer.body["status"], "approved", "{answer:?}");
                }
            });
        }
    });
}

/// The recorder, built by the system's C compiler.
fn build(folder: &Path) -> std::path::PathBuf {
    let library = folder.join("disk_recorder.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/disk_recorder.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).args(["-ldl", "-lpthread"]);
    assert!(compiler.status().expect("a C compiler").success(), "the recorder builds");
    library
}
