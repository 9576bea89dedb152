//! Several engines on one store, as nodes are.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{
    CardId, Command, Decline,
    command::{CardRef, Inquire, PinAttempt},
    operation::Status,
    program::PinRule,
};
use engine::{Clock, Engine, EngineConfig, Node, NodeConfig};
use storage::{CatalogEntry, NodeStore, Store, memory::MemoryStore};
use vault::Vault;

use crate::{START, World, intent, ring, start, world};

/// Far above what anything here takes: it only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A world whose program has PINs, a second engine on its store, and a card with its PIN.
async fn with_pins() -> (World, Engine, CardId, String) {
    let mut world = world(ring(), 4096).await;
    world.program.rules.pin = PinRule::CardNotPresent;
    world.program.rules.pin_issued = true;
    world.program.version = 2;
    world.engine.put_catalog(CatalogEntry::Program(world.program.clone())).await.expect("changed");
    // On two nodes of one number, the first id of the second would be a conflict.
    let config = EngineConfig { node: 1, ..EngineConfig::new(Box::new(|error| panic!("{error}"))) };
    let (store, clock) = (Arc::clone(&world.store) as Arc<dyn Store>, Arc::clone(&world.clock));
    let vault = Arc::new(Vault::new(Arc::new(ring())));
    let second = Engine::start(store, vault, clock, config).await.expect("an engine").0;
    let made = world.engine.issue_card(&world.program, None).await.expect("a card");
    let right = made.pin.expect("a PIN").expose().to_owned();
    (world, second, made.card.id, right)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_wrong_pins_at_two_nodes_are_five_attempts() {
    let (world, second, card, right) = with_pins().await;
    let sold = domain::command::Activate {
        card: CardRef::Id(card),
        amount: Some(crate::amount(100)),
        currency: domain::Currency::CNY,
        bonus: None,
        place: domain::command::Place::default(),
        funding: None,
    };
    let sold = world.engine.submit(intent("sold", Command::Activate(sold))).await.expect("taken");
    assert!(sold.expect("an answer").operation.is_approved());
    let wrong = if right == "000000" { "111111" } else { "000000" };
    let inquire =
        |pin: &str| Command::Inquire(Inquire { card: CardRef::Id(card), pin: Some(PinAttempt(pin.into())) });
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..1000 {
        let engine = if n % 2 == 0 { world.engine.clone() } else { second.clone() };
        let guess = intent(&format!("guess-{n}"), inquire(wrong));
        guesses.spawn(async move { engine.submit(guess).await });
    }
    let (mut evaluated, mut locked) = (0, 0);
    while let Some(answer) = guesses.join_next().await {
        let answer = answer.expect("no panic").expect("taken").expect("an answer");
        match answer.operation.status {
            Status::Declined(Decline::PinWrong) => evaluated += 1,
            Status::Declined(_) => locked += 1,
            Status::Approved => panic!("a wrong PIN"),
        }
    }
    assert_eq!((evaluated, locked), (5, 995));
    let late = second.submit(intent("late", inquire(&right))).await.expect("taken").expect("an answer");
    assert!(!late.operation.is_approved(), "locked on every node");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_catalog_is_seen_by_every_engine() {
    let world = world(ring(), 64).await;
    let second = start(&world.store, &world.clock, ring(), 64).await;
    world.engine.follow_catalog();
    second.follow_catalog();
    let mut changed = world.program.clone();
    for version in 2..12 {
        changed.version = version;
        changed.name = format!("gift {version}");
        let by = if version % 2 == 0 { &world.engine } else { &second };
        by.put_catalog(CatalogEntry::Program(changed.clone())).await.expect("changed");
        let began = Instant::now();
        for engine in [&world.engine, &second] {
            while engine.catalog().programs[&changed.id].version != version {
                assert!(began.elapsed() < PATIENCE, "version {version} is not seen");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

/// A node on a store whose lease is short.
async fn node(store: &Arc<MemoryStore>, lease: Duration, renew_every: Duration) -> Node {
    let store = Arc::clone(store) as Arc<dyn Store>;
    let config = NodeConfig { lease, renew_every, ..NodeConfig::new("test".to_owned(), Box::new(|| ())) };
    Node::join(store, config).await.expect("a node")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_keep_their_numbers_and_give_them_back() {
    let store = Arc::new(MemoryStore::new());
    let (lease, every) = (Duration::from_secs(2), Duration::from_millis(100));
    let (one, two) = (node(&store, lease, every).await, node(&store, lease, every).await);
    let (of_one, of_two) = (one.membership(), two.membership());
    assert_ne!(of_one.lease().node, of_two.lease().node);
    let (ids, more) = (one.ids(), two.ids());
    let mut given = HashSet::new();
    let began = Instant::now();
    while began.elapsed() < 2 * lease {
        assert!(given.insert(ids.next(one.clock().now())) && given.insert(more.next(two.clock().now())));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(of_one.is_current() && of_two.is_current() && of_one.nodes() == 2);
    let freed = of_one.lease().node;
    one.leave().await.expect("left");
    assert!(!of_one.is_current());
    let three = node(&store, lease, every).await;
    assert_eq!(three.membership().lease().node, freed);
    let first = three.ids().next(*START);
    assert!(given.iter().all(|id| *id != first) && first > *given.iter().min().expect("ids"));
}

/// A process that does not get to renew: its lease runs out, another takes the number, it wakes up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_node_gives_no_id_of_another_and_joins_again() {
    let store = Arc::new(MemoryStore::new());
    let lease = Duration::from_millis(300);
    // It would renew only long after its lease ran out.
    let frozen = node(&store, lease, Duration::from_secs(4)).await;
    let membership = frozen.membership();
    let (held, ids) = (membership.lease(), frozen.ids());
    let before: HashSet<i64> = (0..100).map(|_| ids.next(frozen.clock().now())).collect();
    tokio::time::sleep(lease).await;
    assert!(!membership.is_current(), "it knows by its own clock");
    let thief = node(&store, Duration::from_mins(1), Duration::from_secs(10)).await;
    assert_eq!(thief.membership().lease().node, held.node);
    // Waits, and does not give an id of a span that is not its own.
    let waited = Arc::new(AtomicBool::new(true));
    let late = tokio::task::spawn_blocking({
        let (ids, clock, waited) = (Arc::clone(&ids), frozen.clock(), Arc::clone(&waited));
        move || {
            let id = ids.next(clock.now());
            waited.store(false, Ordering::SeqCst);
            id
        }
    });
    let stolen: HashSet<i64> = (0..10_000).map(|_| thief.ids().next(thief.clock().now())).collect();
    assert!(waited.load(Ordering::SeqCst), "not before it has joined again");
    assert!(before.is_disjoint(&stolen));
    let late = late.await.expect("an id");
    assert!(!stolen.contains(&late) && !before.contains(&late));
    let now = membership.lease();
    assert!(membership.is_current() && now.node != held.node, "joined again under another number");
    assert_eq!((late >> 12) & 1023, i64::from(now.node));
    let stale = store.renew_node(&held, held.now, lease).await.expect("an answer");
    assert_eq!(stale, None, "the old lease is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_goes_on_after_the_newest_operation_whatever_its_lease_says() {
    let world = world(ring(), 64).await;
    let card = world.card(100).await;
    let newest = world.store.as_ref();
    let newest = storage::Queries::newest_operation(newest).await.expect("an id").expect("an operation");
    let node = node(&world.store, Duration::from_secs(30), Duration::from_secs(10)).await;
    let config = EngineConfig { ids: Some(node.ids()), ..EngineConfig::new(Box::new(|e| panic!("{e}"))) };
    let store = Arc::clone(&world.store) as Arc<dyn Store>;
    // The old clock: behind what the database has.
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let vault = Arc::new(Vault::new(Arc::new(ring())));
    let (engine, _writers) = Engine::start(store, vault, clock, config).await.expect("an engine");
    let answer = engine.submit(crate::redeem("next", card, 1)).await.expect("taken").expect("an answer");
    assert!(answer.operation.id > newest);
}
