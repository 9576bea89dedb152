//! What the engine does, without its queue: cards, requests, and batches of them through plan, load, decide
//! and commit. Deterministic: the same run makes the same keys, numbers and times. Several drivers may work
//! on one store at once, each with ids and keys of its own.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{
    Amount, BusinessDate, Card, CardId, CardState, Catalog, Channel, ClientId, Command, Currency,
    Fingerprint, IdempotencyKey, IssuerId, MerchantId, OperationId, Program, ProgramId, Request, StoreId,
    TerminalId, Timestamp,
    card::{DayCounters, PinDigest, PinState},
    catalog::{Issuer, Merchant, Store as Shop, Terminal},
    command::{Activate, Actor, Canonical, CardRef, NumberIndex, Payment, PinAttempt, Place},
    decide::{Context, Secrets, Verdict, decide},
    ids, plan,
    program::{Denominations, Rules, Status, Validity},
    working::{Changes, Need, Touched, Working},
};
use storage::{
    CatalogEntry, CatalogStore, IssueStore, NewCard, Result, Sealed, StorageError, Transaction, Transactions,
};
use storage_postgres::PostgresStore;

pub(crate) const ISSUER: IssuerId = IssuerId::new(1);
const PROGRAM: ProgramId = ProgramId::new(2);
const MERCHANT: MerchantId = MerchantId::new(3);
const SHOP: StoreId = StoreId::new(4);
const TERMINAL: TerminalId = TerminalId::new(5);
const CLIENT: ClientId = ClientId::new(6);
/// 2026-03-01T00:00:00Z.
const START: Timestamp = Timestamp::from_micros(1_772_323_200_000_000);

struct NoSecrets;

impl Secrets for NoSecrets {
    fn pin_matches(&self, _: CardId, _: &PinDigest, _: &PinAttempt) -> bool {
        false
    }

    fn fingerprint(&self, _: u8, _: &[u8]) -> Option<[u8; 16]> {
        None
    }
}

/// Numbers that look random and are the same in each run (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn sixteen(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes());
        bytes
    }
}

pub(crate) fn card_id(n: u64) -> CardId {
    CardId::new(ids::floor_of(START) + i64::try_from(n).expect("a card"))
}

pub(crate) fn number_of(n: u64) -> NumberIndex {
    NumberIndex(Random(n ^ 0x5EED).sixteen())
}

fn amount(minor: i64) -> Amount {
    Amount::new(minor).expect("an amount")
}

fn entries() -> Vec<CatalogEntry> {
    let rules = Rules {
        denominations: Denominations::Free { min: amount(1), max: amount(100_000_000) },
        validity: Validity::Months { months: 36 },
        acceptance: domain::program::Acceptance {
            merchants: Some(BTreeSet::from([MERCHANT])),
            ..domain::program::Acceptance::default()
        },
        redemption_min: Some(amount(1)),
        redemption_max: Some(amount(100_000)),
        daily_count: Some(1_000_000),
        daily_amount: Some(amount(1_000_000_000)),
        balance_cap: None,
        reloadable: true,
        registered: false,
        pin: domain::program::PinRule::Never,
        pin_issued: false,
        member_required: false,
        lot_order: domain::lot::LotOrder::ProRata,
        residual: domain::program::ResidualPolicy::KeepClaimable,
        legal_class: domain::program::LegalClass::SingleEnterprise,
        transferable: true,
        cash_out: true,
        hold_seconds: 900,
        refund_days: None,
        reversal_seconds: 86_400,
        reactivation_months: None,
        policy_pack: None,
    };
    let (status, created_at, version) = (Status::Active, START, 1);
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").expect("bundled");
    let name = |text: &str| text.to_owned();
    let time_zone = name("Asia/Shanghai");
    vec![
        CatalogEntry::Issuer(Issuer {
            id: ISSUER,
            name: name("i"),
            time_zone,
            zone,
            status,
            created_at,
            version,
        }),
        CatalogEntry::Program(Program {
            id: PROGRAM,
            issuer: ISSUER,
            name: name("p"),
            currency: Currency::CNY,
            number_prefix: name("62"),
            number_length: 16,
            status,
            rules,
            created_at,
            version,
        }),
        CatalogEntry::Merchant(Merchant {
            id: MERCHANT,
            issuer: ISSUER,
            name: name("m"),
            status,
            created_at,
            version,
        }),
        CatalogEntry::Store(Shop {
            id: SHOP,
            issuer: ISSUER,
            merchant: MERCHANT,
            name: name("s"),
            status,
            created_at,
            version,
        }),
        CatalogEntry::Terminal(Terminal {
            id: TERMINAL,
            issuer: ISSUER,
            store: SHOP,
            name: name("t"),
            status,
            created_at,
            version,
        }),
    ]
}

fn new_card(n: u64) -> NewCard {
    let card = Card {
        id: card_id(n),
        issuer: ISSUER,
        program: PROGRAM,
        batch: Some(domain::BatchId::new(7)),
        last4: u16::try_from(n % 10_000).expect("four digits"),
        state: CardState::Stocked,
        face_value: Some(amount(1_000_000)),
        lots: Vec::new(),
        held: Amount::ZERO,
        day: DayCounters { date: BusinessDate::default(), count: 0, amount: Amount::ZERO },
        pin: PinState::default(),
        member: None,
        activated_at: None,
        expires_at: None,
        last_operation: None,
        created_at: START,
    };
    let number = Sealed { key_id: 1, bytes: vec![7; 48] };
    NewCard { card, index: number_of(n), index_key_id: 1, number, pin: None }
}

/// Makes requests and runs them.
pub(crate) struct Driver {
    pub(crate) store: PostgresStore,
    catalog: Catalog,
    random: Random,
    /// Whether cards are named by id instead of by number.
    pub(crate) by_id: bool,
    /// Shared by all drivers of a store: ids are taken under the locks of their cards, so that those of one
    /// card grow.
    done: Arc<AtomicI64>,
    /// Operations per second of the made-up clock.
    pace: i64,
}

/// Where time went.
#[derive(Default)]
pub(crate) struct Times {
    pub(crate) load: Duration,
    pub(crate) decide: Duration,
    pub(crate) commit: Duration,
    /// Batches that were tried again.
    pub(crate) again: u64,
}

impl Driver {
    /// Writes the catalog of a new database.
    pub(crate) async fn new(store: PostgresStore) -> Self {
        for entry in entries() {
            store.put_catalog(&entry).await.expect("the catalog");
        }
        let catalog = store.load_catalog().await.expect("the catalog");
        Self { store, catalog, random: Random(1), by_id: false, done: Arc::default(), pace: 50_000 }
    }

    /// Another driver on the same database.
    pub(crate) async fn beside(&self, number: u32) -> Self {
        let catalog = self.store.load_catalog().await.expect("the catalog");
        let random = Random(1 + (u64::from(number) << 40));
        let (store, done) = (self.store.clone(), Arc::clone(&self.done));
        Self { store, catalog, random, by_id: self.by_id, done, pace: self.pace }
    }

    /// Makes stocked cards.
    pub(crate) async fn make_cards(&self, cards: u64) {
        for first in (0..cards).step_by(10_000) {
            let batch: Vec<NewCard> = (first..cards.min(first + 10_000)).map(new_card).collect();
            assert!(self.store.insert_cards(&batch, None).await.expect("new cards").is_empty());
        }
    }

    fn at(&self, done: i64) -> Timestamp {
        Timestamp::from_micros(START.micros() + 1_000_000 + done * 1_000_000 / self.pace)
    }

    fn now(&self) -> Timestamp {
        self.at(self.done.load(Ordering::Relaxed))
    }

    fn next_id(&mut self) -> OperationId {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        OperationId::new(ids::floor_of(self.at(done)) + done % (self.pace / 1000))
    }

    fn key(&mut self, ordered: bool) -> IdempotencyKey {
        let mut bytes = [1; 17];
        bytes[1..].copy_from_slice(&self.random.sixteen());
        if ordered {
            // As UUIDv7: milliseconds first, then random.
            let millis = u64::try_from(self.now().millis()).expect("after 1970") << 16;
            bytes[1..7].copy_from_slice(&millis.to_be_bytes()[..6]);
        }
        IdempotencyKey::from_stored(bytes, None)
    }

    fn request(&mut self, command: Command, ordered: bool) -> Request {
        Request {
            actor: Actor { client: CLIENT, issuer: ISSUER, merchant: None },
            key: self.key(ordered),
            fingerprint: Fingerprint { key_id: 1, bytes: self.random.sixteen() },
            canonical: Canonical(Box::default()),
            command,
            trace: None,
            reference: None,
            metadata: None,
        }
    }

    fn card_ref(&self, n: u64) -> CardRef {
        if self.by_id { CardRef::Id(card_id(n)) } else { CardRef::Number(vec![number_of(n)]) }
    }

    /// A small redemption from a random card.
    pub(crate) fn redemption(&mut self, cards: u64, ordered: bool) -> Request {
        let n = self.random.next() % cards;
        let command = Command::Redeem(Payment {
            card: self.card_ref(n),
            amount: amount(1 + i64::try_from(self.random.next() % 50).expect("small")),
            currency: Currency::CNY,
            place: Place {
                merchant: None,
                store: Some(SHOP),
                terminal: Some(TERMINAL),
                channel: Channel::parse("pos").ok(),
            },
            pin: None,
            partial: false,
        });
        self.request(command, ordered)
    }

    /// The activation of the nth card.
    pub(crate) fn activation(&mut self, n: u64) -> Request {
        let command = Command::Activate(Activate {
            card: CardRef::Id(card_id(n)),
            amount: None,
            currency: Currency::CNY,
            bonus: None,
            place: Place { channel: Channel::parse("web").ok(), ..Place::default() },
            funding: None,
        });
        self.request(command, true)
    }

    /// Runs requests as one batch, again while another batch is in the way. All of them must be approved.
    pub(crate) async fn run(&mut self, requests: &[Request], times: &mut Times) -> Result<()> {
        loop {
            match self.run_once(requests, times).await {
                Err(StorageError::Busy(_)) => times.again += 1,
                done => return done,
            }
        }
    }

    /// Runs requests as one batch.
    pub(crate) async fn run_once(&mut self, requests: &[Request], times: &mut Times) -> Result<()> {
        let prepared = self.prepare(requests, times).await?;
        assert_eq!(prepared.fresh, requests.len(), "each is new");
        let began = Instant::now();
        prepared.commit().await?;
        times.commit += began.elapsed();
        Ok(())
    }

    /// Reads and decides, and leaves the commit to the caller. What was decided must be approved.
    pub(crate) async fn prepare(&mut self, requests: &[Request], times: &mut Times) -> Result<Prepared> {
        let began = Instant::now();
        let mut transaction = self.store.begin().await?;
        let mut working = Working::default();
        let mut needs: Vec<Need> = Vec::new();
        let now = self.now();
        for _ in 0..plan::MAX_ROUNDS {
            needs.clear();
            for request in requests {
                plan::plan(request, &working, &self.catalog, now, &mut needs);
            }
            if needs.is_empty() {
                break;
            }
            transaction.load(&needs, &mut working).await?;
        }
        let loaded = Instant::now();
        let (mut touched, mut fresh) = (Touched::default(), 0);
        for request in requests {
            let id = self.next_id();
            let context = Context { catalog: &self.catalog, now: self.now(), id, secrets: &NoSecrets };
            match decide(request, &working, &context) {
                Ok(Verdict::Decided(decision)) => {
                    assert!(decision.operation.is_approved(), "{:?}", decision.operation.status);
                    working.apply(*decision, &mut touched);
                    fresh += 1;
                }
                Ok(Verdict::Replayed(_)) => {}
                Err(refusal) => panic!("{refusal:?}"),
            }
        }
        let changes = working.changes(touched);
        times.load += loaded - began;
        times.decide += loaded.elapsed();
        Ok(Prepared { transaction, changes, fresh })
    }
}

/// A batch that is decided but not written.
pub(crate) struct Prepared {
    transaction: Box<dyn Transaction>,
    /// What it would write.
    pub(crate) changes: Changes,
    /// How many of its requests were not replays.
    pub(crate) fresh: usize,
}

impl Prepared {
    pub(crate) async fn commit(self) -> Result<()> {
        if self.changes.is_empty() {
            return Ok(());
        }
        self.transaction.commit(&self.changes).await?.await
    }
}
