//! An issuer with merchants and a card, on a real database.

use std::sync::Arc;

use domain::{
    Amount, BusinessDate, CardId, ClientId, Command, Currency, IdempotencyKey, IssuerId, MerchantId,
    OperationId, Program, ProgramId, Timestamp,
    catalog::{Issuer, Merchant},
    command::{Activate, Actor, CardRef, Payment, Place, Refund, Reverse, UnlinkedRefund},
    program::{self, Rules},
};
use engine::{Clock, Engine, EngineConfig, Intent, ManualClock};
use finance::settlement::{NewAgreement, RunReport, add_agreement, run};
use postgres_testing::Cluster;
use settlement::{Payout, Statement, Terms};
use storage::{CatalogEntry, PayoutFilter, StatementFilter, Store};
use storage_postgres::PostgresStore;
use storage_sqlite::{Options, SqliteStore};
use vault::{KeyRing, PredictableRandomness, Vault};

pub(crate) const ISSUER: IssuerId = IssuerId::new(1);
const PROGRAM: ProgramId = ProgramId::new(2);
const CLIENT: ClientId = ClientId::new(4);
pub(crate) const MAKER: ClientId = ClientId::new(5);
pub(crate) const CHECKER: ClientId = ClientId::new(6);

/// Which database a world is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// An empty one, in this folder where it is a file.
    async fn open(self, folder: &std::path::Path) -> Arc<dyn Store> {
        match self {
            Self::Sqlite => {
                let path = folder.join("books.db");
                let path = path.to_str().expect("a path");
                Arc::new(SqliteStore::open(path, Options::default()).expect("a store"))
            }
            Self::Postgres => {
                let url = tokio::task::spawn_blocking(|| Cluster::shared().create_database());
                let url = url.await.expect("a database");
                let options = storage_postgres::Options { writers: 2, readers: 4, ..Default::default() };
                Arc::new(PostgresStore::connect(&url, options).await.expect("a store"))
            }
        }
    }
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<ManualClock>,
    card: CardId,
    next: std::sync::atomic::AtomicU64,
    _folder: tempfile::TempDir,
}

pub(crate) fn mer(number: i64) -> MerchantId {
    MerchantId::new(100 + number)
}

pub(crate) fn amount(minor: i64) -> Amount {
    Amount::new(minor).expect("an amount")
}

pub(crate) fn day(text: &str) -> BusinessDate {
    BusinessDate::parse(text).expect("a date")
}

fn rules() -> Rules {
    serde_json::from_str(
        r#"{"denominations":{"kind":"free","min":0,"max":9007199254740991},
            "validity":{"kind":"unlimited"},"reloadable":true,"registered":false}"#,
    )
    .expect("rules")
}

impl World {
    /// Begins at a moment, such as `2026-09-30T12:00:00`, in Shanghai.
    pub(crate) async fn begin_on(database: Database, at: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = database.open(folder.path()).await;
        let at = Timestamp::parse_rfc3339(&format!("{at}+08:00")).expect("a moment");
        let clock = Arc::new(ManualClock::new(at));
        let config = EngineConfig::new(Box::new(|error| panic!("the store failed: {error}")));
        let ring = KeyRing::generate(&mut PredictableRandomness::from_seed(1));
        let vault = Arc::new(Vault::new(Arc::new(ring)));
        let engine = Engine::start(store, vault, Arc::clone(&clock) as Arc<dyn Clock>, config);
        let engine = engine.await.expect("an engine").0;
        let program = catalog(&engine, at).await;
        let card = engine.issue_card(&program, None).await.expect("a card").card.id;
        let next = std::sync::atomic::AtomicU64::new(0);
        let world = Self { engine, clock, card, next, _folder: folder };
        let activate = Activate {
            card: CardRef::Id(card),
            amount: Some(amount(1_000_000_000)),
            currency: Currency::CNY,
            bonus: None,
            place: Place::default(),
            funding: None,
        };
        world.submit(Command::Activate(activate)).await;
        world
    }

    /// Goes on to a later moment.
    pub(crate) fn at(&self, moment: &str) {
        let at = Timestamp::parse_rfc3339(&format!("{moment}+08:00")).expect("a moment");
        let seconds = (at.micros() - self.engine.now().micros()) / 1_000_000;
        assert!(seconds >= 0, "time goes on");
        self.clock.advance_seconds(seconds + 1);
    }

    async fn submit(&self, command: Command) -> OperationId {
        self.submit_as(command).await.0
    }

    async fn submit_as(&self, command: Command) -> (OperationId, IdempotencyKey) {
        let number = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let key = IdempotencyKey::parse(&format!("key-{number}")).expect("a key");
        let intent = Intent {
            actor: Actor { client: CLIENT, issuer: ISSUER, merchant: None },
            key: key.clone(),
            canonical: format!("{command:?}").into_bytes().into_boxed_slice(),
            command,
            trace: None,
            reference: None,
            metadata: None,
        };
        let answer = self.engine.submit(intent).await.expect("taken").expect("an answer");
        assert!(answer.operation.is_approved(), "{:?}", answer.operation.status);
        (answer.operation.id, key)
    }

    pub(crate) async fn sale(&self, merchant: i64, minor: i64) -> OperationId {
        self.sale_with_key(merchant, minor).await.0
    }

    pub(crate) async fn sale_with_key(&self, merchant: i64, minor: i64) -> (OperationId, IdempotencyKey) {
        let place = Place { merchant: Some(mer(merchant)), ..Place::default() };
        let (card, currency) = (CardRef::Id(self.card), Currency::CNY);
        let payment = Payment { card, amount: amount(minor), currency, place, pin: None, partial: false };
        self.submit_as(Command::Redeem(payment)).await
    }

    pub(crate) async fn refund(&self, original: OperationId, minor: i64) -> OperationId {
        self.submit(Command::Refund(Refund { original, amount: Some(amount(minor)), currency: None })).await
    }

    /// A refund without a sale.
    pub(crate) async fn refund_to_a_card(&self, merchant: i64, minor: i64) -> OperationId {
        let place = Place { merchant: Some(mer(merchant)), ..Place::default() };
        let card = CardRef::Id(self.card);
        let refund = UnlinkedRefund { card, amount: amount(minor), currency: Currency::CNY, place };
        self.submit(Command::UnlinkedRefund(refund)).await
    }

    pub(crate) async fn reverse(&self, original: IdempotencyKey) -> OperationId {
        self.submit(Command::Reverse(Reverse { original })).await
    }

    pub(crate) async fn agree(&self, merchant: Option<i64>, from: &str, terms: &str) {
        let terms: Terms = serde_json::from_str(terms).expect("terms");
        let new = NewAgreement {
            merchant: merchant.map(mer),
            currency: Currency::CNY,
            effective_from: day(from),
            terms,
        };
        add_agreement(&self.engine, ISSUER, MAKER, new).await.expect("an agreement");
    }

    pub(crate) async fn settle(&self) -> RunReport {
        let report = run(&self.engine, ISSUER, None, MAKER).await.expect("a run");
        self.statements_are_the_ledger().await;
        report
    }

    /// What the ledger owes merchants is what their statements say. Returns how many accounts were compared.
    pub(crate) async fn statements_are_the_ledger(&self) -> u64 {
        let found = self.engine.store().settled_balances(ISSUER).await.expect("balances");
        assert_eq!(found.differences, [], "of {} accounts", found.accounts);
        found.accounts
    }

    /// The statements, oldest first.
    pub(crate) async fn statements(&self) -> Vec<Statement> {
        let filter = StatementFilter::all(ISSUER);
        let page = self.engine.store().statements(&filter, None, 1000).await.expect("statements");
        assert_eq!(page.next, None);
        page.items.into_iter().rev().collect()
    }

    /// The payouts, oldest first.
    pub(crate) async fn payouts(&self) -> Vec<Payout> {
        let filter = PayoutFilter::all(ISSUER);
        let page = self.engine.store().payouts(&filter, None, 1000).await.expect("payouts");
        page.items.into_iter().rev().collect()
    }

    /// What the ledger says that a merchant is owed.
    pub(crate) async fn owed(&self, merchant: i64) -> i64 {
        let account = domain::Account::Merchant(mer(merchant));
        let totals = self.engine.store().account_totals(ISSUER, account, None).await.expect("totals");
        totals.iter().map(|total| total.credits - total.debits).sum()
    }
}

async fn catalog(engine: &Engine, at: Timestamp) -> Program {
    let issuer = Issuer {
        id: ISSUER,
        name: "issuer".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        zone: jiff::tz::TimeZone::get("Asia/Shanghai").expect("bundled"),
        status: program::Status::Active,
        created_at: at,
        version: 1,
    };
    let program = Program {
        id: PROGRAM,
        issuer: ISSUER,
        name: "gift".to_owned(),
        currency: Currency::CNY,
        number_prefix: "8866".to_owned(),
        number_length: 16,
        status: program::Status::Active,
        rules: rules(),
        created_at: at,
        version: 1,
    };
    engine.put_catalog(CatalogEntry::Issuer(issuer)).await.expect("an issuer");
    engine.put_catalog(CatalogEntry::Program(program.clone())).await.expect("a program");
    for number in 1..=9 {
        let merchant = Merchant {
            id: mer(number),
            issuer: ISSUER,
            name: format!("merchant {number}"),
            status: program::Status::Active,
            created_at: at,
            version: 1,
        };
        engine.put_catalog(CatalogEntry::Merchant(merchant)).await.expect("a merchant");
    }
    program
}
