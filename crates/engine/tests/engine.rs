//! The engine on the store in memory: group commit, idempotency, back-pressure, issuing.

mod nodes;

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use domain::{
    Account, Amount, BatchId, CardId, ClientId, Command, Currency, Decline, IdempotencyKey, IssuerId,
    MerchantId, PostedTransfer, Posting, PostingKind, Program, ProgramId, Refusal, Timestamp,
    catalog::{Issuer, Merchant},
    command::{Activate, Actor, CardRef, Payment, Place, Reverse},
    operation::Status,
    program::{self, Denominations, Rules, Validity},
};
use engine::{Clock, Engine, EngineConfig, Intent, ManualClock, SubmitError};
use storage::{Batch, BatchStatus, CatalogEntry, Store, Transactions, memory::MemoryStore};
use vault::{KeyRing, PredictableRandomness, Vault};

static START: LazyLock<Timestamp> =
    LazyLock::new(|| Timestamp::parse_rfc3339("2026-11-22T02:00:00Z").expect("a moment"));
const ISSUER: IssuerId = IssuerId::new(1);
const PROGRAM: ProgramId = ProgramId::new(2);
const MERCHANT: MerchantId = MerchantId::new(3);
const CLIENT: ClientId = ClientId::new(4);

struct World {
    engine: Engine,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    program: Program,
}

fn rules() -> Rules {
    let min = Amount::ZERO;
    Rules {
        denominations: Denominations::Free { min, max: Amount::MAX },
        validity: Validity::Unlimited,
        acceptance: program::Acceptance::default(),
        redemption_min: None,
        redemption_max: None,
        daily_count: None,
        daily_amount: None,
        balance_cap: None,
        reloadable: true,
        registered: false,
        pin: program::PinRule::Never,
        pin_issued: false,
        member_required: false,
        lot_order: domain::lot::LotOrder::ProRata,
        residual: program::ResidualPolicy::KeepClaimable,
        legal_class: program::LegalClass::SingleEnterprise,
        transferable: true,
        cash_out: true,
        hold_seconds: 900,
        refund_days: None,
        reversal_seconds: 86_400,
        reactivation_months: None,
        policy_pack: None,
    }
}

async fn world(ring: KeyRing, queue: usize) -> World {
    let store = Arc::new(MemoryStore::new());
    let clock = Arc::new(ManualClock::new(*START));
    let program = Program {
        id: PROGRAM,
        issuer: ISSUER,
        name: "gift".to_owned(),
        currency: Currency::CNY,
        number_prefix: "8866".to_owned(),
        number_length: 16,
        status: program::Status::Active,
        rules: rules(),
        created_at: *START,
        version: 1,
    };
    let engine = start(&store, &clock, ring, queue).await;
    let issuer = Issuer {
        id: ISSUER,
        name: "issuer".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        zone: jiff::tz::TimeZone::get("Asia/Shanghai").expect("bundled"),
        status: program::Status::Active,
        created_at: *START,
        version: 1,
    };
    let merchant = Merchant {
        id: MERCHANT,
        issuer: ISSUER,
        name: "merchant".to_owned(),
        status: program::Status::Active,
        created_at: *START,
        version: 1,
    };
    for entry in [
        CatalogEntry::Issuer(issuer),
        CatalogEntry::Program(program.clone()),
        CatalogEntry::Merchant(merchant),
    ] {
        engine.put_catalog(entry).await.expect("a new entry");
    }
    World { engine, store, clock, program }
}

async fn start(store: &Arc<MemoryStore>, clock: &Arc<ManualClock>, ring: KeyRing, queue: usize) -> Engine {
    let mut config = EngineConfig::new(Box::new(|error| panic!("the store failed: {error}")));
    config.queue = queue;
    let store = Arc::clone(store) as Arc<dyn Store>;
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let vault = Arc::new(Vault::new(Arc::new(ring)));
    Engine::start(store, vault, clock, config).await.expect("an engine").0
}

fn ring() -> KeyRing {
    KeyRing::generate(&mut PredictableRandomness::from_seed(1))
}

fn amount(minor: i64) -> Amount {
    Amount::new(minor).expect("an amount")
}

fn intent(key: &str, command: Command) -> Intent {
    Intent {
        actor: Actor { client: CLIENT, issuer: ISSUER, merchant: None },
        key: IdempotencyKey::parse(key).expect("a key"),
        canonical: format!("{command:?}").into_bytes().into_boxed_slice(),
        command,
        trace: None,
        reference: None,
        metadata: None,
    }
}

fn redeem(key: &str, card: CardId, minor: i64) -> Intent {
    let place = Place { merchant: Some(MERCHANT), ..Place::default() };
    let payment = Payment {
        card: CardRef::Id(card),
        amount: amount(minor),
        currency: Currency::CNY,
        place,
        pin: None,
        partial: false,
    };
    intent(key, Command::Redeem(payment))
}

impl World {
    async fn card(&self, minor: i64) -> CardId {
        let made = self.engine.issue_card(&self.program, None).await.expect("a card");
        let activate = Activate {
            card: CardRef::Id(made.card.id),
            amount: Some(amount(minor)),
            currency: Currency::CNY,
            bonus: None,
            place: Place::default(),
            funding: None,
        };
        let key = format!("activate-{}", made.card.id);
        let outcome = self.engine.submit(intent(&key, Command::Activate(activate))).await.expect("taken");
        assert!(outcome.expect("an answer").operation.is_approved());
        made.card.id
    }

    async fn balance(&self, card: CardId) -> i64 {
        use storage::Queries;
        self.store.card(card).await.expect("read").expect("a card").posted().get()
    }
}

#[tokio::test]
async fn results_of_a_batch_are_independent() {
    let world = world(ring(), 64).await;
    let card = world.card(100).await;
    let unknown = CardId::new(77);
    let intents =
        vec![redeem("a", card, 60), redeem("b", unknown, 1), redeem("c", card, 60), redeem("d", card, 40)];
    let outcomes = world.engine.submit_many(intents).await.expect("taken");
    let plain: Vec<_> = outcomes.into_iter().map(|o| o.map(|a| a.operation.status)).collect();
    let expect = vec![
        Ok(Status::Approved),
        Err(Refusal::CardUnknown),
        Ok(Status::Declined(Decline::InsufficientFunds)),
        Ok(Status::Approved),
    ];
    assert_eq!(plain, expect);
    assert_eq!(world.balance(card).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_at_one_card_never_overspend() {
    let world = world(ring(), 256).await;
    let card = world.card(1000).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..30 {
        let engine = world.engine.clone();
        tasks.spawn(async move { engine.submit(redeem(&format!("k{n}"), card, 70)).await });
    }
    let mut approved = 0;
    while let Some(outcome) = tasks.join_next().await {
        let answer = outcome.expect("no panic").expect("taken").expect("an answer");
        approved += i64::from(answer.operation.is_approved());
    }
    assert_eq!(approved, 1000 / 70);
    assert_eq!(world.balance(card).await, 1000 % 70);
}

#[tokio::test]
async fn a_key_replays_its_answer_and_conflicts_with_another_intent() {
    let world = world(ring(), 64).await;
    let card = world.card(100).await;
    let first = world.engine.submit(redeem("k", card, 60)).await.expect("taken").expect("an answer");
    let again = world.engine.submit(redeem("k", card, 60)).await.expect("taken").expect("an answer");
    assert!(again.replayed && !first.replayed);
    assert_eq!(*again.operation, *first.operation);
    let other = world.engine.submit(redeem("k", card, 59)).await.expect("taken");
    assert_eq!(other.map(|a| a.replayed), Err(Refusal::IdempotencyConflict));
    assert_eq!(world.balance(card).await, 40);
}

#[tokio::test]
async fn a_key_replays_after_the_key_ring_was_rotated() {
    let world = world(ring(), 64).await;
    let card = world.card(100).await;
    let first = world.engine.submit(redeem("k", card, 60)).await.expect("taken").expect("an answer");
    let mut rotated = ring();
    rotated.rotate(&mut PredictableRandomness::from_seed(2)).expect("room for a key");
    let engine = start(&world.store, &world.clock, rotated, 64).await;
    let again = engine.submit(redeem("k", card, 60)).await.expect("taken").expect("an answer");
    assert!(again.replayed);
    assert_eq!(*again.operation, *first.operation);
    let other = engine.submit(redeem("k", card, 59)).await.expect("taken");
    assert_eq!(other.map(|a| a.replayed), Err(Refusal::IdempotencyConflict));
}

#[tokio::test]
async fn a_key_ring_that_lacks_a_key_in_use_is_refused() {
    let world = world(ring(), 64).await;
    world.card(100).await;
    let mut other = ring();
    other.rotate(&mut PredictableRandomness::from_seed(2)).expect("room for a key");
    let json = other.to_json().replace("\"1\":", "\"3\":");
    let lacking = KeyRing::from_json(&json).expect("a ring");
    let store = Arc::clone(&world.store) as Arc<dyn Store>;
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let config = EngineConfig::new(Box::new(|_| {}));
    let started = Engine::start(store, Arc::new(Vault::new(Arc::new(lacking))), clock, config).await;
    let error = started.map(|_| ()).expect_err("a refusal").to_string();
    assert!(error.contains("lacks key 1"), "{error}");
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let world = world(ring(), 2).await;
    let card = world.card(1000).await;
    // Whoever has the transaction keeps the writer waiting.
    let in_the_way = world.store.begin().await.expect("a transaction");
    let mut waiting = Vec::new();
    let mut refused = 0;
    for n in 0..8 {
        let engine = world.engine.clone();
        let task = tokio::spawn(async move { engine.submit(redeem(&format!("k{n}"), card, 1)).await });
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        waiting.push(task);
    }
    drop(in_the_way);
    for task in waiting {
        match task.await.expect("no panic") {
            Ok(outcome) => assert!(outcome.expect("an answer").operation.is_approved()),
            Err(error) => {
                assert_eq!(error, SubmitError::QueueFull);
                refused += 1;
            }
        }
    }
    assert!((4..8).contains(&refused), "{refused} of 8 refused with room for 2 and a batch in hand");
    assert_eq!(world.balance(card).await, 1000 - (8 - refused));
}

#[tokio::test]
async fn an_original_that_comes_after_its_reversal_is_declined() {
    let world = world(ring(), 64).await;
    let card = world.card(100).await;
    let original = IdempotencyKey::parse("late").expect("a key");
    let reverse = intent("rev", Command::Reverse(Reverse { original }));
    // In one batch: the second request must see what the first left.
    let outcomes = world.engine.submit_many(vec![reverse, redeem("late", card, 10)]).await.expect("taken");
    let plain: Vec<_> = outcomes.into_iter().map(|o| o.expect("an answer").operation.status).collect();
    assert_eq!(plain, [Status::Approved, Status::Declined(Decline::ReversedBeforeArrival)]);
    assert_eq!(world.balance(card).await, 100);
}

fn batch(count: u32, activate: bool) -> Batch {
    Batch {
        id: BatchId::new(9),
        issuer: ISSUER,
        program: PROGRAM,
        client: CLIENT,
        key: "batch".to_owned(),
        fingerprint: (1, [0; 16]),
        count,
        face_value: Some(amount(500)),
        activate,
        issued: 0,
        activated: 0,
        status: BatchStatus::Running,
        failure: None,
        created_at: *START,
        completed_at: None,
        exported_at: None,
    }
}

#[tokio::test]
async fn an_interrupted_batch_goes_on_where_it_was() {
    use storage::{IssueStore, Queries};
    let world = world(ring(), 64).await;
    let asked = batch(2500, true);
    world.store.create_batch(&asked).await.expect("a new batch");
    let engine = world.engine.clone();
    let running = asked.clone();
    let task = tokio::spawn(async move { engine.run_batch(running).await.map(|_| ()) });
    // Interrupt it after its first step.
    loop {
        let stored = world.store.batch(asked.id).await.expect("read").expect("the batch");
        if stored.issued > 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    task.abort();
    let _ = task.await;
    let stored = world.store.batch(asked.id).await.expect("read").expect("the batch");
    assert_eq!(stored.status, BatchStatus::Running);
    let done = world.engine.run_batch(stored).await.expect("the rest");
    assert_eq!((done.issued, done.activated, done.status), (2500, 2500, BatchStatus::Complete));
    let mut numbers = BTreeSet::new();
    let mut after = None;
    loop {
        let page = world.store.batch_cards(asked.id, after, 1000).await.expect("read");
        let Some(last) = page.last() else { break };
        after = Some(last.card);
        for row in &page {
            let sealed = vault::SealedNumber { key_id: row.number.key_id, bytes: row.number.bytes.clone() };
            let number = world.engine.vault().open(row.card.get(), &sealed).expect("opens");
            assert!(numbers.insert(number.expose().to_owned()), "a number twice");
            let card = world.store.card(row.card).await.expect("read").expect("the card");
            assert_eq!(card.posted(), amount(500), "activated exactly once");
        }
    }
    assert_eq!(numbers.len(), 2500);
}

fn payout(n: usize, minor: i64) -> Intent {
    let posting = Posting {
        kind: PostingKind::Payout,
        currency: Currency::CNY,
        merchant: Some(MERCHANT),
        transfers: vec![PostedTransfer {
            debit: Account::Merchant(MERCHANT),
            credit: Account::Bank(ISSUER),
            amount: amount(minor),
        }],
        reason: None,
    };
    let actor = Actor { client: CLIENT, issuer: ISSUER, merchant: None };
    let key = IdempotencyKey::parse(&format!("payout-{n}")).expect("a key");
    Intent::post(actor, key, posting, Some(format!("statement {n}")))
}

/// As many as one may send together, beside sales; a second run replays, another amount is a conflict.
#[tokio::test]
async fn postings_go_through_the_same_batches_as_sales() {
    use storage::{Audit, Queries};
    let world = world(ring(), 4096).await;
    let card = world.card(1_000_000).await;
    let all: Vec<Intent> = (0..EngineConfig::MAX_SUBMISSION).map(|n| payout(n, 7)).collect();
    let mut sales = Vec::new();
    for n in 0..200 {
        let (engine, sale) = (world.engine.clone(), redeem(&format!("sale-{n}"), card, 5));
        sales.push(tokio::spawn(async move { engine.submit(sale).await.expect("taken").expect("decided") }));
    }
    let first = world.engine.submit_many(all.clone()).await.expect("taken");
    for sale in sales {
        assert_eq!(sale.await.expect("run").operation.status, Status::Approved);
    }
    let again = world.engine.submit_many(all).await.expect("taken");
    for (first, again) in first.iter().zip(&again) {
        let (first, again) = (first.as_ref().expect("decided"), again.as_ref().expect("decided"));
        assert!(first.operation.is_approved() && !first.replayed && again.replayed);
        assert_eq!(first.operation, again.operation);
    }
    let other = world.engine.submit(payout(0, 8)).await.expect("taken");
    assert_eq!(other.expect_err("another payout"), Refusal::IdempotencyConflict);
    let owed = world.store.account_totals(ISSUER, Account::Merchant(MERCHANT), None).await.expect("read");
    let owed: Vec<_> = owed.iter().map(|total| (total.debits, total.credits)).collect();
    assert_eq!(owed, [(7 * 1_000, 5 * 200)]);
    assert_eq!(world.store.audit().await.expect("a report").violations, Vec::new());
}
