//! The wallet on a real engine and real databases: codes that are sent again and again, guesses, gifts.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use domain::{
    Amount, Card, CardId, ClientId, Command, Currency, Decline, IdempotencyKey, IssuerId, MerchantId,
    Operation, Program, ProgramId, Refusal, Timestamp,
    catalog::{Issuer, Merchant},
    command::{Activate, Actor, CardRef, Payment, Place},
    operation::Status,
    program::{self, PinRule, Rules},
};
use engine::{Clock, Engine, EngineConfig, Intent, ManualClock};
use postgres_testing::Cluster;
use storage::{CatalogEntry, GiftState, Holder, Store};
use storage_postgres::PostgresStore;
use storage_sqlite::SqliteStore;
use vault::{CardNumber, KeyRing, Pin, PredictableRandomness, Vault};
use wallet::{
    Added, CodeRefused, DeviceSecret, Enrolled, GiftError, Outbox, PaymentCode, Phone, Presented, Wallet,
    code::{PERIOD_SECONDS, step_of},
};

const ISSUER: IssuerId = IssuerId::new(1);
const PROGRAM: ProgramId = ProgramId::new(2);
const MERCHANT: MerchantId = MerchantId::new(3);
const TILL: ClientId = ClientId::new(4);

struct World {
    engine: Engine,
    clock: Arc<ManualClock>,
    wallet: Wallet,
    program: Program,
    next: AtomicU64,
    _folder: Option<tempfile::TempDir>,
}

struct Sold {
    card: CardId,
    number: CardNumber,
    pin: Pin,
}

fn amount(minor: i64) -> Amount {
    Amount::new(minor).expect("an amount")
}

fn phone(n: u32) -> Phone {
    Phone::parse(&format!("138{n:08}")).expect("a number")
}

async fn on_sqlite() -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("books.db");
    let options = storage_sqlite::Options::default();
    let store = SqliteStore::open(path.to_str().expect("a path"), options).expect("a store");
    World::begin(Arc::new(store), Some(folder)).await
}

async fn on_postgres() -> World {
    let url = tokio::task::spawn_blocking(|| Cluster::shared().create_database()).await.expect("a database");
    let options =
        storage_postgres::Options { writers: 2, readers: 8, ..storage_postgres::Options::default() };
    World::begin(Arc::new(PostgresStore::connect(&url, options).await.expect("a store")), None).await
}

impl World {
    async fn begin(store: Arc<dyn Store>, folder: Option<tempfile::TempDir>) -> Self {
        let at = Timestamp::parse_rfc3339("2026-11-22T10:00:00+08:00").expect("a moment");
        let clock = Arc::new(ManualClock::new(at));
        let config = EngineConfig {
            queue: 65_536,
            ..EngineConfig::new(Box::new(|error| panic!("the store failed: {error}")))
        };
        let ring = KeyRing::generate(&mut PredictableRandomness::from_seed(1));
        let vault = Arc::new(Vault::new(Arc::new(ring)));
        let engine = Engine::start(store, vault, Arc::clone(&clock) as Arc<dyn Clock>, config);
        let engine = engine.await.expect("an engine").0;
        let program = catalog(&engine, at).await;
        let wallet = Wallet::with_outbox(engine.clone());
        Self { engine, clock, wallet, program, next: AtomicU64::new(0), _folder: folder }
    }

    fn new_key(&self) -> String {
        format!("key-{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    async fn submit(&self, key: &str, command: Command) -> Result<Arc<Operation>, Refusal> {
        let intent = Intent {
            actor: Actor { client: TILL, issuer: ISSUER, merchant: None },
            key: IdempotencyKey::parse(key).expect("a key"),
            canonical: key.as_bytes().into(),
            command,
            trace: None,
            reference: None,
            metadata: None,
        };
        self.engine.submit(intent).await.expect("taken").map(|answer| answer.operation)
    }

    /// A card with 100.00 on it.
    async fn sold(&self) -> Sold {
        let made = self.engine.issue_card(&self.program, None).await.expect("a card");
        let activate = Activate {
            card: CardRef::Id(made.card.id),
            amount: Some(amount(10_000)),
            currency: Currency::CNY,
            bonus: None,
            place: Place::default(),
            funding: None,
        };
        let done = self.submit(&self.new_key(), Command::Activate(activate)).await.expect("decided");
        assert!(done.is_approved());
        Sold { card: made.card.id, number: made.number, pin: made.pin.expect("a PIN") }
    }

    async fn holder(&self, n: u32) -> Holder {
        self.wallet.holder_of(ISSUER, &phone(n)).await.expect("a holder")
    }

    /// A holder with a card and a device.
    async fn equipped(&self, n: u32) -> (Holder, Sold, Enrolled) {
        let (holder, sold) = (self.holder(n).await, self.sold().await);
        let added = self.wallet.add_card(&holder, &sold.number, &sold.pin).await.expect("decided");
        let Added::Yes(own) = added else { panic!("{added:?}") };
        let enrolled = self.wallet.enrol(&holder, &own).await.expect("enrolled");
        (holder, sold, enrolled)
    }

    fn code(&self, enrolled: &Enrolled, skew: i64) -> PaymentCode {
        PaymentCode::of(enrolled.device.tag, &enrolled.secret, step_of(self.engine.now()) + skew)
    }

    async fn present(&self, code: PaymentCode, key: &str) -> Result<CardRef, CodeRefused> {
        let presented = Presented { code, key: key.to_owned() };
        self.wallet.use_codes(ISSUER, TILL, &[presented]).await.expect("looked at").pop().expect("an answer")
    }

    async fn pay(&self, key: &str, card: CardRef, minor: i64) -> Result<Arc<Operation>, Refusal> {
        let place = Place { merchant: Some(MERCHANT), ..Place::default() };
        let currency = Currency::CNY;
        let payment = Payment { card, amount: amount(minor), currency, place, pin: None, partial: false };
        self.submit(key, Command::Redeem(payment)).await
    }

    async fn stored(&self, id: CardId) -> Card {
        self.engine.store().card(id).await.expect("read").expect("a card")
    }
}

async fn catalog(engine: &Engine, at: Timestamp) -> Program {
    let rules: Rules = serde_json::from_str(
        r#"{"denominations":{"kind":"free","min":0,"max":1000000},"validity":{"kind":"unlimited"},
            "reloadable":true,"registered":true}"#,
    )
    .expect("rules");
    let rules = Rules { pin: PinRule::Always, pin_issued: true, ..rules };
    let status = program::Status::Active;
    let zone = jiff_zone();
    let issuer = Issuer {
        id: ISSUER,
        name: "one".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        zone,
        status,
        created_at: at,
        version: 1,
    };
    let merchant =
        Merchant { id: MERCHANT, issuer: ISSUER, name: "m".to_owned(), status, created_at: at, version: 1 };
    let program = Program {
        id: PROGRAM,
        issuer: ISSUER,
        name: "card".to_owned(),
        currency: Currency::CNY,
        number_prefix: "8866".to_owned(),
        number_length: 16,
        status,
        rules,
        created_at: at,
        version: 1,
    };
    for entry in [
        CatalogEntry::Issuer(issuer),
        CatalogEntry::Merchant(merchant),
        CatalogEntry::Program(program.clone()),
    ] {
        engine.put_catalog(entry).await.expect("stored");
    }
    program
}

fn jiff_zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get("Asia/Shanghai").expect("bundled")
}

/// Ten thousand requests with one code, each under a key of its own: one gets on, whatever becomes of it.
async fn replayed(world: World) {
    const TIMES: usize = 10_000;
    let (_, sold, enrolled) = world.equipped(1).await;
    let code = world.code(&enrolled, 0);
    let world = Arc::new(world);
    let turns = Arc::new(tokio::sync::Semaphore::new(64));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..TIMES {
        let (world, turns) = (Arc::clone(&world), Arc::clone(&turns));
        tasks.spawn(async move {
            let _turn = turns.acquire().await.expect("a turn");
            let key = format!("replay-{n}");
            match world.present(code, &key).await {
                Ok(card) => Ok(world.pay(&key, card, 100).await.expect("decided").is_approved()),
                Err(refused) => Err(refused),
            }
        });
    }
    let (mut accepted, mut used) = (0, 0);
    while let Some(done) = tasks.join_next().await {
        match done.expect("no panic") {
            Ok(approved) => accepted += u32::from(approved),
            Err(CodeRefused::Used) => used += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((accepted, used), (1, TIMES - 1));
    assert_eq!(world.stored(sold.card).await.posted(), amount(9_900));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_sent_ten_thousand_times_pays_once_on_sqlite() {
    replayed(on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_sent_ten_thousand_times_pays_once_on_postgres() {
    replayed(on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_used_even_if_its_payment_is_declined() {
    let world = on_sqlite().await;
    let (_, sold, enrolled) = world.equipped(1).await;
    let code = world.code(&enrolled, 0);
    let card = world.present(code, "too-much").await.expect("accepted");
    let declined = world.pay("too-much", card, 10_001).await.expect("decided");
    assert_eq!(declined.status, Status::Declined(Decline::InsufficientFunds));
    assert_eq!(world.present(code, "less").await, Err(CodeRefused::Used));
    assert_eq!(world.stored(sold.card).await.posted(), amount(10_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_gets_its_stored_answer_also_when_the_code_is_old() {
    let world = on_sqlite().await;
    let (holder, sold, enrolled) = world.equipped(1).await;
    let code = world.code(&enrolled, 0);
    let card = world.present(code, "sale").await.expect("accepted");
    let first = world.pay("sale", card, 100).await.expect("decided");
    for seconds in [0, 30, 200, 86_400] {
        world.clock.advance_seconds(seconds);
        let card = world.present(code, "sale").await.expect("the same request");
        assert_eq!(world.pay("sale", card, 100).await.expect("replayed").id, first.id);
    }
    assert!(world.wallet.revoke_device(&holder, enrolled.device.id).await.expect("revoked"));
    let card = world.present(code, "sale").await.expect("of a device that is revoked by now");
    assert_eq!(world.pay("sale", card, 100).await.expect("replayed").id, first.id);
    assert_eq!(world.stored(sold.card).await.posted(), amount(9_900));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_reached_the_engine_is_not_decided_with_an_old_code() {
    let world = on_sqlite().await;
    let (_, sold, enrolled) = world.equipped(1).await;
    let code = world.code(&enrolled, 0);
    // Used, and then the connection breaks before the payment is submitted.
    world.present(code, "lost").await.expect("accepted");
    world.clock.advance_seconds(120);
    let card = world.present(code, "lost").await.expect("the same request");
    assert_eq!(world.pay("lost", card, 100).await.map(drop), Err(Refusal::CardUnknown));
    assert_eq!(world.stored(sold.card).await.posted(), amount(10_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_of_other_times_and_devices_are_refused() {
    let world = on_sqlite().await;
    let (holder, _, enrolled) = world.equipped(1).await;
    for (skew, expected) in [(-1, true), (0, true), (1, true), (-2, false), (2, false)] {
        let answer = world.present(world.code(&enrolled, skew), &world.new_key()).await;
        assert_eq!(answer.is_ok(), expected, "a clock {skew} steps off: {answer:?}");
    }
    let refused = |code| world.present(code, "guess");
    assert_eq!(refused(world.code(&enrolled, -2)).await, Err(CodeRefused::Expired));
    assert_eq!(refused(world.code(&enrolled, 2)).await, Err(CodeRefused::Unknown));
    let elsewhere =
        PaymentCode::of(enrolled.device.tag, &DeviceSecret::new([9; 32]), step_of(world.engine.now()));
    assert_eq!(refused(elsewhere).await, Err(CodeRefused::Unknown));
    world.clock.advance_seconds(PERIOD_SECONDS * 5);
    let fresh = world.code(&enrolled, 0);
    let foreign = Presented { code: fresh, key: "foreign".to_owned() };
    let foreign = world.wallet.use_codes(IssuerId::new(99), TILL, &[foreign]).await.expect("looked at");
    assert_eq!(foreign, [Err(CodeRefused::Unknown)], "another issuer's till");
    assert!(
        world.wallet.look_at_code(ISSUER, &fresh).await.expect("looked at").is_ok(),
        "not used by looking"
    );
    assert!(world.wallet.revoke_device(&holder, enrolled.device.id).await.expect("revoked"));
    assert_eq!(refused(fresh).await, Err(CodeRefused::Unknown));
}

/// Five attempts of a thousand at once are looked at, and a code that is right after them is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_at_a_sign_in_code_are_bounded() {
    for world in [on_sqlite().await, on_postgres().await] {
        let (wallet, phone) = (world.wallet.clone(), phone(7));
        wallet.request_code(ISSUER, &phone).await.expect("sent");
        let outbox = Outbox::new(world.engine.clone());
        let right = outbox.read(ISSUER, &phone).await.expect("read").pop().expect("a message").text;
        let wrong = if right.as_str() == "000000" { "111111" } else { "000000" };
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..1_000 {
            let (wallet, phone) = (wallet.clone(), phone.clone());
            tasks.spawn(async move { wallet.sign_in(ISSUER, &phone, wrong).await.expect("asked").is_some() });
        }
        while let Some(signed) = tasks.join_next().await {
            assert!(!signed.expect("no panic"));
        }
        assert!(wallet.sign_in(ISSUER, &phone, &right).await.expect("asked").is_none(), "no attempts left");
        // Not more than one code a minute, five an hour, ten a day.
        let mut sent = 1;
        for _ in 0..2 * 24 * 60 {
            world.clock.advance_seconds(30);
            wallet.request_code(ISSUER, &phone).await.expect("asked");
            let newest = outbox.read(ISSUER, &phone).await.expect("read");
            sent += u32::from(newest.first().is_some_and(|message| message.sent_at == world.engine.now()));
        }
        assert!(sent <= 20, "{sent} codes in 24 hours, which two days of the clock share");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_code_signs_in_once() {
    let world = on_sqlite().await;
    let phone = phone(8);
    world.wallet.request_code(ISSUER, &phone).await.expect("sent");
    let outbox = Outbox::new(world.engine.clone());
    let code = outbox.read(ISSUER, &phone).await.expect("read").pop().expect("a message").text;
    let signed = world.wallet.sign_in(ISSUER, &phone, &code).await.expect("asked").expect("signed in");
    assert!(world.wallet.sign_in(ISSUER, &phone, &code).await.expect("asked").is_none());
    let found = world.wallet.session(signed.token.expose()).await.expect("asked").expect("a session");
    assert_eq!(found.holder, signed.holder);
    world.clock.advance_seconds(31 * 60);
    assert!(world.wallet.session(signed.token.expose()).await.expect("asked").is_none(), "it lay idle");
}

/// Unknown, not sold, wrong PIN, without PIN, foreign: nobody is told which; and PINs are counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn adding_a_card_tells_nothing_without_its_pin() {
    let world = on_sqlite().await;
    let (holder, sold) = (world.holder(1).await, world.sold().await);
    let stocked = world.engine.issue_card(&world.program, None).await.expect("a card");
    let wrong = Pin::parse(if sold.pin.expose() == "000000" { "111111" } else { "000000" }).expect("a PIN");
    let add = |number: CardNumber, pin: Pin| {
        let (wallet, holder) = (world.wallet.clone(), holder.clone());
        async move { wallet.add_card(&holder, &number, &pin).await.expect("decided") }
    };
    let unknown = CardNumber::parse("8866123456789011").expect("a number");
    assert!(matches!(add(unknown, wrong.clone()).await, Added::NotFound));
    assert!(matches!(add(stocked.number, stocked.pin.expect("a PIN")).await, Added::NotFound));
    for _ in 0..5 {
        assert!(matches!(add(sold.number.clone(), wrong.clone()).await, Added::NotFound));
    }
    assert!(matches!(add(sold.number.clone(), sold.pin.clone()).await, Added::NotFound), "locked");
    assert_eq!(world.stored(sold.card).await.pin.failures, 5);
    assert!(world.wallet.cards(&holder).await.expect("listed").is_empty());
    let (_, taken, _) = world.equipped(2).await;
    assert!(matches!(add(taken.number.clone(), taken.pin.clone()).await, Added::Taken));
    assert!(world.wallet.card(&holder, taken.card).await.expect("read").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_moves_the_card_and_ends_the_givers_codes() {
    for world in [on_sqlite().await, on_postgres().await] {
        let (giver, sold, enrolled) = world.equipped(1).await;
        assert!(matches!(world.wallet.offer(&giver, sold.card, &phone(1)).await, Err(GiftError::Oneself)));
        let gift = world.wallet.offer(&giver, sold.card, &phone(2)).await.expect("offered").gift;
        assert!(matches!(world.wallet.offer(&giver, sold.card, &phone(3)).await, Err(GiftError::Offered)));
        let receiver = world.holder(2).await;
        let stranger = world.holder(3).await;
        assert!(matches!(world.wallet.accept(&stranger, gift.id).await, Err(GiftError::Unknown)));
        assert!(matches!(world.wallet.accept(&giver, gift.id).await, Err(GiftError::Unknown)));
        let code = world.code(&enrolled, 0);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (wallet, receiver, id) = (world.wallet.clone(), receiver.clone(), gift.id);
            tasks.spawn(async move { wallet.accept(&receiver, id).await.map(|seen| seen.gift.state) });
        }
        let done = tasks.join_all().await;
        assert!(done.iter().any(|done| matches!(done, Ok(GiftState::Accepted))), "{done:?}");
        let card = world.stored(sold.card).await;
        assert_eq!(card.member, Some(receiver.id.to_string()));
        let stored = world.engine.store().gift(gift.id).await.expect("read").expect("a gift");
        assert_eq!(stored.state, GiftState::Accepted);
        let operation = world.engine.store().operation(stored.operation.expect("an operation")).await;
        let operation = operation.expect("read").expect("an operation");
        assert_eq!(operation.reference, Some(gift.id.to_string()), "the log names the gift");
        assert_eq!(world.present(code, "late").await, Err(CodeRefused::Unknown));
        assert!(world.wallet.cards(&giver).await.expect("listed").is_empty());
        let own = world.wallet.cards(&receiver).await.expect("listed");
        assert_eq!(own.iter().map(|own| own.card.id).collect::<Vec<_>>(), [sold.card]);
        assert_eq!(own[0].since, operation.id, "what the giver bought is not the receiver's to see");
        assert!(matches!(
            world.wallet.withdraw(&giver, gift.id).await,
            Err(GiftError::State(GiftState::Accepted))
        ));
    }
}

/// A code that was accepted just before the card changed hands pays for nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_of_the_giver_does_not_pay_with_the_receivers_card() {
    let world = on_sqlite().await;
    let (giver, sold, enrolled) = world.equipped(1).await;
    let gift = world.wallet.offer(&giver, sold.card, &phone(2)).await.expect("offered").gift;
    let card = world.present(world.code(&enrolled, 0), "race").await.expect("accepted");
    let receiver = world.holder(2).await;
    world.wallet.accept(&receiver, gift.id).await.expect("accepted");
    assert_eq!(world.pay("race", card, 100).await.map(drop), Err(Refusal::CardUnknown));
    assert!(world.wallet.report_lost(&giver, sold.card).await.expect("asked").is_none(), "nor is it lost");
    let lost = world.wallet.report_lost(&receiver, sold.card).await.expect("asked").expect("decided");
    assert!(lost.is_approved());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upkeep_ends_gifts_and_forgets() {
    let world = on_sqlite().await;
    let (giver, sold, enrolled) = world.equipped(1).await;
    let gift = world.wallet.offer(&giver, sold.card, &phone(2)).await.expect("offered").gift;
    world.present(world.code(&enrolled, 0), "sale").await.expect("accepted");
    assert_eq!(world.wallet.keep_up(100).await.expect("done").gifts, 0);
    world.clock.advance_seconds(8 * 86_400);
    let done = world.wallet.keep_up(100).await.expect("done");
    assert_eq!((done.gifts, done.forgotten), (1, 1));
    let receiver = world.holder(2).await;
    let late = world.wallet.accept(&receiver, gift.id).await;
    assert!(matches!(late, Err(GiftError::State(GiftState::Expired))), "{late:?}");
    assert_eq!(world.stored(sold.card).await.member, Some(giver.id.to_string()));
}
