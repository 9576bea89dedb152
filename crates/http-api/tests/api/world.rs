//! A server with two issuers, built through its own interface.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use domain::{ClientId, Timestamp, catalog::Client, catalog::Scope, program::Status};
use engine::{Clock, Engine, EngineConfig, ManualClock};
use http_api::{AppState, Options};
use postgres_testing::Cluster;
use serde_json::{Value, json};
use storage::{CatalogEntry, Store};
use storage_postgres::PostgresStore;
use storage_sqlite::SqliteStore;
use tower::ServiceExt;
use vault::{ClientSecret, KeyRing, PredictableRandomness, Vault};

/// Submissions that may wait.
const QUEUE: usize = 4096;

/// What a request was answered with.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Asserts a problem with this status and code.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{self:?}");
        assert_eq!(problem["status"], status, "{self:?}");
        assert_eq!(problem["request_id"], self.header("x-request-id"), "{self:?}");
        problem
    }

    /// Asserts success with this status.
    #[track_caller]
    pub(crate) fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self.json()
    }

    /// Asserts an approved operation.
    #[track_caller]
    pub(crate) fn approved(&self) -> Value {
        let operation = self.ok(201);
        assert_eq!(operation["status"], "approved", "{self:?}");
        operation
    }

    /// Asserts a declined operation.
    #[track_caller]
    pub(crate) fn declined(&self, code: &str) -> Value {
        let operation = self.ok(201);
        assert_eq!(operation["status"], "declined", "{self:?}");
        assert_eq!(operation["decline"]["code"], code, "{self:?}");
        operation
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, String::from_utf8_lossy(&self.bytes))
    }
}

/// An issuer with what belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) issuer: String,
    pub(crate) key: String,
    pub(crate) program: String,
    pub(crate) merchant: String,
    pub(crate) store: String,
    pub(crate) terminal: String,
}

/// A card with its secrets.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) pin: Option<String>,
}

/// The server.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) platform: String,
    pub(crate) one: Tenant,
    pub(crate) two: Tenant,
    keys: AtomicU32,
    _folder: Option<tempfile::TempDir>,
}

/// Every scope of an issuer's client.
pub(crate) fn all_scopes() -> Vec<&'static str> {
    Scope::ALL.iter().filter(|scope| **scope != Scope::Platform).map(|scope| scope.name()).collect()
}

/// The balance of an account in the only currency in which it moved value; zero if it never did.
pub(crate) fn only_balance(account: &Value) -> i64 {
    match account["totals"].as_array().expect("totals").as_slice() {
        [] => 0,
        [total] => total["balance"].as_i64().expect("a sum"),
        several => panic!("value moved in several currencies: {several:?}"),
    }
}

/// Rules that allow everything.
pub(crate) fn open_rules() -> Value {
    json!({
        "denominations": {"kind": "free", "min": 0, "max": 1_000_000},
        "validity": {"kind": "months", "months": 36},
        "reloadable": true, "registered": true, "transferable": true, "cash_out": true
    })
}

fn start_time() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-22T02:00:00Z").expect("a moment")
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// The same on a database of its own of a PostgreSQL server.
    pub(crate) async fn on_postgres() -> Self {
        let url = Cluster::shared().create_database();
        let store = PostgresStore::connect(&url, storage_postgres::Options::default()).await;
        Self::on(Arc::new(store.expect("a database")), None, Options::default(), QUEUE).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::build(options, QUEUE).await
    }

    /// The same engine behind an interface with other options.
    pub(crate) fn reopen(&mut self, options: Options) {
        self.router = http_api::router(AppState::new(self.engine.clone(), options));
    }

    /// A server whose engine lets this many submissions wait.
    pub(crate) async fn build(options: Options, queue: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let store = SqliteStore::open(&url, storage_sqlite::Options::default()).expect("a database");
        Self::on(Arc::new(store), Some(folder), options, queue).await
    }

    async fn on(
        store: Arc<dyn Store>,
        folder: Option<tempfile::TempDir>,
        options: Options,
        queue: usize,
    ) -> Self {
        let ring = KeyRing::generate(&mut PredictableRandomness::from_seed(1));
        let vault = Arc::new(Vault::new(Arc::new(ring)));
        let clock = Arc::new(ManualClock::new(start_time()));
        let on_fatal = Box::new(|error: &storage::StorageError| panic!("the store failed: {error}"));
        let config = EngineConfig { queue, ..EngineConfig::new(on_fatal) };
        let clock_of_engine = Arc::clone(&clock) as Arc<dyn Clock>;
        let started = Engine::start(store, vault, clock_of_engine, config).await;
        let (engine, _writer) = started.expect("an engine");
        let platform = platform_client(&engine).await;
        let router = http_api::router(AppState::new(engine.clone(), options));
        let nobody = Tenant {
            issuer: String::new(),
            key: String::new(),
            program: String::new(),
            merchant: String::new(),
            store: String::new(),
            terminal: String::new(),
        };
        let mut world = Self {
            router,
            engine,
            clock,
            platform,
            one: nobody.clone(),
            two: nobody,
            keys: AtomicU32::new(0),
            _folder: folder,
        };
        world.one = world.tenant("one").await;
        world.two = world.tenant("two").await;
        world
    }

    async fn tenant(&self, name: &str) -> Tenant {
        let platform = self.platform.clone();
        let body = json!({"name": name, "time_zone": "Asia/Shanghai"});
        let issuer = text(&self.post(&platform, "/v1/issuers", body).await.ok(201)["id"]);
        let body =
            json!({"issuer": issuer, "name": name, "scopes": all_scopes(), "rate_per_second": 100_000});
        let key = text(&self.post(&platform, "/v1/clients", body).await.ok(201)["secret"]);
        let program = self.program(&key, open_rules()).await;
        let merchant = text(&self.post(&key, "/v1/merchants", json!({"name": name})).await.ok(201)["id"]);
        let body = json!({"name": name, "merchant": merchant});
        let store = text(&self.post(&key, "/v1/stores", body).await.ok(201)["id"]);
        let body = json!({"name": name, "store": store});
        let terminal = text(&self.post(&key, "/v1/terminals", body).await.ok(201)["id"]);
        Tenant { issuer, key, program, merchant, store, terminal }
    }

    /// A program with these rules.
    pub(crate) async fn program(&self, key: &str, rules: Value) -> String {
        let body = json!({
            "name": "gift", "currency": "CNY", "number_prefix": "8866", "number_length": 16, "rules": rules
        });
        text(&self.post(key, "/v1/programs", body).await.ok(201)["id"])
    }

    /// A client of an issuer with these scopes.
    pub(crate) async fn client(&self, tenant: &Tenant, scopes: &[&str], merchant: Option<&str>) -> String {
        let mut body = json!({"name": "client", "scopes": scopes, "rate_per_second": 100_000});
        if let Some(merchant) = merchant {
            body["merchant"] = merchant.into();
        }
        text(&self.post(&tenant.key, "/v1/clients", body).await.ok(201)["secret"])
    }

    /// A stocked card.
    pub(crate) async fn stocked(&self, tenant: &Tenant, program: &str) -> Card {
        let made = self.post(&tenant.key, "/v1/cards", json!({"program": program})).await.ok(201);
        Card {
            id: text(&made["card"]["id"]),
            number: text(&made["number"]),
            pin: made["pin"].as_str().map(str::to_owned),
        }
    }

    /// A card that is worth something.
    pub(crate) async fn card(&self, tenant: &Tenant, amount: i64) -> Card {
        self.card_of(tenant, &tenant.program, amount).await
    }

    /// The same of another program.
    pub(crate) async fn card_of(&self, tenant: &Tenant, program: &str, amount: i64) -> Card {
        let card = self.stocked(tenant, program).await;
        let body = json!({"card": {"id": card.id}, "amount": amount, "currency": "CNY"});
        self.keyed(&tenant.key, "/v1/activations", body).await.approved();
        card
    }

    /// A redemption in the tenant's store.
    pub(crate) async fn redeem(&self, tenant: &Tenant, card: &Card, amount: i64) -> Answer {
        let body = json!({
            "card": {"number": card.number}, "amount": amount, "currency": "CNY", "store": tenant.store
        });
        self.keyed(&tenant.key, "/v1/redemptions", body).await
    }

    /// A key that was not used before.
    pub(crate) fn new_key(&self) -> String {
        format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> Answer {
        self.call(&Method::GET, path, Some(key), None, None).await
    }

    pub(crate) async fn post(&self, key: &str, path: &str, body: Value) -> Answer {
        self.call(&Method::POST, path, Some(key), None, Some(body.to_string().into_bytes())).await
    }

    pub(crate) async fn patch(&self, key: &str, path: &str, body: Value) -> Answer {
        self.call(&Method::PATCH, path, Some(key), None, Some(body.to_string().into_bytes())).await
    }

    /// A POST under a new Idempotency-Key.
    pub(crate) async fn keyed(&self, key: &str, path: &str, body: Value) -> Answer {
        self.under(key, &self.new_key(), path, body).await
    }

    /// A POST under this Idempotency-Key.
    pub(crate) async fn under(&self, key: &str, idempotency_key: &str, path: &str, body: Value) -> Answer {
        let body = Some(body.to_string().into_bytes());
        self.call(&Method::POST, path, Some(key), Some(idempotency_key), body).await
    }

    /// A request.
    pub(crate) async fn call(
        &self,
        method: &Method,
        path: &str,
        key: Option<&str>,
        idempotency_key: Option<&str>,
        body: Option<Vec<u8>>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Body::from(body.unwrap_or_default())).expect("a request");
        self.send(request).await
    }

    /// The beginning of an answer.
    pub(crate) async fn begin(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.expect("an answer")
    }

    /// Any request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.begin(request).await.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        Answer { status: parts.status, headers: parts.headers, bytes: bytes.to_vec() }
    }
}

/// The text of a JSON string.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

async fn platform_client(engine: &Engine) -> String {
    let id = ClientId::new(engine.next_id());
    let secret =
        ClientSecret::generate(&id.to_string(), &mut PredictableRandomness::from_seed(2)).expect("a secret");
    let client = Client {
        id,
        issuer: None,
        merchant: None,
        name: "platform".to_owned(),
        scopes: [Scope::Platform].into(),
        secret_hash: secret.hash(),
        rate_per_second: 100_000,
        status: Status::Active,
        created_at: engine.now(),
        version: 1,
    };
    engine.put_catalog(CatalogEntry::Client(client)).await.expect("stored");
    secret.expose().to_owned()
}
