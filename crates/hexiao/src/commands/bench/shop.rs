//! What is needed to sell: an issuer of its own with stores and cards, a third of whose cards (up to a
//! number) hold bonus value beside the paid one, so that sales are split among lots.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    Amount, BatchId, ClientId, Command, Currency, IdempotencyKey, IssuerId, MerchantId, Program, ProgramId,
    StoreId, Timestamp,
    catalog::{Merchant, Store},
    command::{Actor, CardRef, Load, Place},
    lot::LotSource,
    operation,
    program::{Rules, Status},
};
use engine::{Engine, EngineConfig, Intent, SubmitError, issue::MAX_BATCH_CARDS};
use storage::{Batch, BatchStatus, CatalogEntry};
use vault::SealedNumber;

use crate::{
    cli::Global,
    commands::{
        client::{issuer_scopes, new_client, new_issuer},
        demo::plain_rules,
    },
    failure::{Failure, Result},
    installation::Installation,
    progress::Progress,
};

const ISSUER: &str = "Bench";
const MERCHANTS: usize = 4;
const STORES_EACH: usize = 4;
/// Every so many cards hold bonus value, among the first [`MAX_BONUS`].
const BONUS_EVERY: usize = 3;
const MAX_BONUS: usize = 100_000;
const FACE_VALUE: i64 = 1_000_000;
const BONUS: i64 = 300_000;
/// Limits that are checked at every sale and met by none.
const DAILY_COUNT: u32 = 1_000_000;
const PAGE: usize = 10_000;

/// A card number, packed: nineteen digits that do not begin with zero.
#[derive(Clone, Copy)]
pub(super) struct PackedNumber(u64);

impl std::fmt::Display for PackedNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What sales are made of. Cheap to clone.
#[derive(Clone)]
pub(super) struct Shop {
    pub(super) issuer: IssuerId,
    pub(super) client: ClientId,
    pub(super) merchants: Arc<[MerchantId]>,
    pub(super) stores: Arc<[StoreId]>,
    pub(super) numbers: Arc<[PackedNumber]>,
    /// The value of the Authorization header.
    pub(super) authorization: Arc<String>,
    /// How long the cards took to make and activate, and how many were made in this run.
    pub(super) issued: (u32, Duration),
    /// An instant with the time it stands for.
    pub(super) epoch: (Instant, Timestamp),
}

impl Shop {
    /// Makes what is missing in the database.
    pub(super) async fn prepare(global: &Global, cards: u32) -> Result<Self> {
        let installation = Installation::open(global).await?;
        let running = installation.start_engine().await?;
        let shop = Making { engine: &running.engine }.shop(cards).await?;
        running.stop().await?;
        Ok(shop)
    }
}

struct Making<'a> {
    engine: &'a Engine,
}

impl Making<'_> {
    async fn shop(&self, cards: u32) -> Result<Shop> {
        let issuer = self.issuer().await?;
        let program = self.program(issuer).await?;
        let places = self.places(issuer).await?;
        let (mut client, secret) = new_client(self.engine, Some(issuer), ISSUER, issuer_scopes())?;
        client.rate_per_second = u32::MAX;
        let id = client.id;
        self.engine.put_catalog(CatalogEntry::Client(client)).await?;
        let making = self.issue(&program, id, cards).await?;
        self.bonus(&program).await?;
        let numbers = self.numbers(issuer, cards).await?;
        Ok(Shop {
            issuer,
            client: id,
            merchants: places.keys().copied().collect(),
            stores: places.into_values().flatten().collect(),
            numbers: numbers.into(),
            authorization: Arc::new(format!("Bearer {}", secret.expose())),
            issued: making,
            epoch: (Instant::now(), self.engine.now()),
        })
    }

    /// Only on its own: a measurement has no business among real cards.
    async fn issuer(&self) -> Result<IssuerId> {
        let catalog = self.engine.catalog();
        if catalog.issuers.values().any(|issuer| issuer.name != ISSUER) {
            return Err(Failure::usage(
                "this database has issuers of its own; bench sells a million times, so give it an empty \
                 database, or none",
            ));
        }
        if let Some(id) = catalog.issuers.keys().next() {
            return Ok(*id);
        }
        let issuer = new_issuer(self.engine, ISSUER, "Asia/Shanghai")?;
        let id = issuer.id;
        self.engine.put_catalog(CatalogEntry::Issuer(issuer)).await?;
        Ok(id)
    }

    async fn program(&self, issuer: IssuerId) -> Result<Program> {
        if let Some(program) = self.engine.catalog().programs.values().next() {
            return Ok(Program::clone(program));
        }
        let program = Program {
            id: ProgramId::new(self.engine.next_id()),
            issuer,
            name: ISSUER.to_owned(),
            currency: Currency::CNY,
            number_prefix: "9586".to_owned(),
            number_length: 19,
            status: Status::Active,
            rules: Rules {
                redemption_max: Some(Amount::new(FACE_VALUE)?),
                daily_count: Some(DAILY_COUNT),
                daily_amount: Some(Amount::new(FACE_VALUE)?),
                balance_cap: Some(Amount::new(2 * FACE_VALUE)?),
                reloadable: true,
                ..plain_rules(Amount::new(FACE_VALUE)?)
            },
            created_at: self.engine.now(),
            version: 1,
        };
        self.engine.put_catalog(CatalogEntry::Program(program.clone())).await?;
        Ok(program)
    }

    async fn places(&self, issuer: IssuerId) -> Result<BTreeMap<MerchantId, Vec<StoreId>>> {
        let catalog = self.engine.catalog();
        if catalog.merchants.is_empty() {
            for _ in 0..MERCHANTS {
                self.merchant(issuer).await?;
            }
        }
        let catalog = self.engine.catalog();
        let mut places: BTreeMap<MerchantId, Vec<StoreId>> =
            catalog.merchants.keys().map(|id| (*id, Vec::new())).collect();
        for store in catalog.stores.values() {
            places.entry(store.merchant).or_default().push(store.id);
        }
        Ok(places)
    }

    async fn merchant(&self, issuer: IssuerId) -> Result {
        let id = MerchantId::new(self.engine.next_id());
        let created_at = self.engine.now();
        let (name, status, version) = (ISSUER.to_owned(), Status::Active, 1);
        let merchant = Merchant { id, issuer, name: name.clone(), status, created_at, version };
        self.engine.put_catalog(CatalogEntry::Merchant(merchant)).await?;
        for _ in 0..STORES_EACH {
            let store = StoreId::new(self.engine.next_id());
            let name = name.clone();
            let store = Store { id: store, issuer, merchant: id, name, status, created_at, version };
            self.engine.put_catalog(CatalogEntry::Store(store)).await?;
        }
        Ok(())
    }

    /// Makes and activates the cards that are missing, in batches as large as a caller may ask for.
    async fn issue(&self, program: &Program, client: ClientId, cards: u32) -> Result<(u32, Duration)> {
        for interrupted in self.engine.store().running_batches().await? {
            self.engine.run_batch(interrupted).await?;
        }
        let have: u32 = self.batches(program.issuer).await?.iter().map(|batch| batch.count).sum();
        let mut missing = cards.saturating_sub(have);
        let (made, began) = (missing, Instant::now());
        let progress = Progress::new("cards issued", Some(u64::from(missing)));
        while missing > 0 {
            let count = missing.min(MAX_BATCH_CARDS);
            let batch = self.new_batch(program, client, count)?;
            self.engine.store().create_batch(&batch).await?;
            self.engine.run_batch(batch).await?;
            missing -= count;
            progress.add(u64::from(count));
        }
        progress.finish();
        Ok((made, began.elapsed()))
    }

    fn new_batch(&self, program: &Program, client: ClientId, count: u32) -> Result<Batch> {
        let face_value = Some(Amount::new(FACE_VALUE)?);
        let of = (program.issuer, program.id, client);
        Ok(batch(self.engine, of, count, face_value))
    }

    /// Oldest first.
    async fn batches(&self, issuer: IssuerId) -> Result<Vec<Batch>> {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = self.engine.store().batches(issuer, before, 100).await?;
            all.extend(page.items);
            match page.next {
                Some(next) => before = Some(BatchId::new(next)),
                None => break,
            }
        }
        all.sort_unstable_by_key(|batch| batch.id);
        Ok(all)
    }

    /// Loads bonus value. Keys follow from the card, so that another run repeats nothing.
    async fn bonus(&self, program: &Program) -> Result {
        let Some(first) = self.batches(program.issuer).await?.into_iter().next() else { return Ok(()) };
        let progress = Progress::new("bonus loads", None);
        let (mut after, mut loaded) = (None, 0);
        while loaded < MAX_BONUS {
            let limit = EngineConfig::MAX_SUBMISSION * BONUS_EVERY;
            let rows = self.engine.store().batch_cards(first.id, after, limit).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.card);
            let loads =
                rows.iter().step_by(BONUS_EVERY).map(|row| bonus_load(program, first.client, row.card));
            let loads = loads.collect::<Result<Vec<_>>>()?;
            loaded += loads.len();
            progress.add(loads.len() as u64);
            self.load(loads).await?;
        }
        progress.finish();
        Ok(())
    }

    async fn load(&self, loads: Vec<Intent>) -> Result {
        let outcomes = loop {
            match self.engine.submit_many(loads.clone()).await {
                Err(SubmitError::QueueFull) => tokio::time::sleep(Duration::from_millis(5)).await,
                done => break done?,
            }
        };
        let approved = |outcome: &engine::Outcome| {
            outcome.as_ref().is_ok_and(|answer| answer.operation.status == operation::Status::Approved)
        };
        if !outcomes.iter().all(approved) {
            return Err(Failure::new("a bonus load was turned down"));
        }
        Ok(())
    }

    /// The numbers of all cards.
    async fn numbers(&self, issuer: IssuerId, cards: u32) -> Result<Vec<PackedNumber>> {
        let mut numbers = Vec::with_capacity(usize::try_from(cards).unwrap_or(0));
        for batch in self.batches(issuer).await? {
            let mut after = None;
            loop {
                let rows = self.engine.store().batch_cards(batch.id, after, PAGE).await?;
                let Some(last) = rows.last() else { break };
                after = Some(last.card);
                for row in rows {
                    numbers.push(self.number(row)?);
                }
            }
        }
        Ok(numbers)
    }

    fn number(&self, row: storage::ExportRow) -> Result<PackedNumber> {
        let sealed = SealedNumber { key_id: row.number.key_id, bytes: row.number.bytes };
        let number = self.engine.vault().open(row.card.get(), &sealed)?;
        Ok(PackedNumber(number.expose().parse()?))
    }
}

/// A batch of one card like those of another.
pub(super) fn batch_like(engine: &Engine, like: &Batch) -> Batch {
    batch(engine, (like.issuer, like.program, like.client), 1, like.face_value)
}

fn batch(
    engine: &Engine,
    (issuer, program, client): (IssuerId, ProgramId, ClientId),
    count: u32,
    face_value: Option<Amount>,
) -> Batch {
    let id = BatchId::new(engine.next_id());
    let key = format!("bench-{id}");
    Batch {
        id,
        issuer,
        program,
        client,
        fingerprint: engine.vault().fingerprint(key.as_bytes()),
        key,
        count,
        face_value,
        activate: true,
        issued: 0,
        activated: 0,
        status: BatchStatus::Running,
        failure: None,
        created_at: engine.now(),
        completed_at: None,
        exported_at: None,
    }
}

fn bonus_load(program: &Program, client: ClientId, card: domain::CardId) -> Result<Intent> {
    let key = format!("bench-bonus-{card}");
    Ok(Intent {
        actor: Actor { client, issuer: program.issuer, merchant: None },
        key: IdempotencyKey::parse(&key)?,
        canonical: key.into_bytes().into_boxed_slice(),
        command: Command::Load(Load {
            card: CardRef::Id(card),
            amount: Amount::new(BONUS)?,
            currency: program.currency,
            source: LotSource::Bonus,
            expires_at: None,
            bonus: None,
            place: Place::default(),
            funding: None,
        }),
        trace: None,
        reference: None,
        metadata: None,
    })
}
