//! The engine in process: what is left of the rate without HTTP.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{
    Amount, Command, Currency, IdempotencyKey,
    command::{Actor, CardRef, NumberIndex, Payment, Place},
    operation::Status,
};
use engine::{Engine, EngineConfig, Intent, SubmitError};
use vault::CardNumber;

use super::{idempotency_keys::KeyMaker, shop::Shop, tally::Tally};
use crate::{
    cli::{Global, KeyOrder},
    failure::{Failure, Result},
    installation::{Installation, die},
};

/// Callers at once: enough to fill batches, few enough to stay below the queue's length.
const CALLERS: usize = 1024;
const WARM_UP: Duration = Duration::from_secs(1);
const MAX_SALE: u64 = 7;

/// Redemptions per second with keys of this order, and what was answered. `max_batch` bounds how many are
/// decided in one transaction, if not as usual.
pub(super) async fn measure(
    global: &Global,
    shop: &Shop,
    order: KeyOrder,
    seconds: u64,
    max_batch: Option<usize>,
) -> Result<(f64, Tally)> {
    let installation = Installation::open(global).await?;
    let usual = EngineConfig::new(Box::new(die));
    let config = EngineConfig { max_batch: max_batch.unwrap_or(usual.max_batch), ..usual };
    let running = installation.start_engine_with(config).await?;
    let began = Instant::now();
    let counting = Arc::new(AtomicU64::new(0));
    let window = (began + WARM_UP, began + WARM_UP + Duration::from_secs(seconds));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let caller = Caller {
                engine: running.engine.clone(),
                shop: shop.clone(),
                keys: KeyMaker::new(order, shop.epoch),
                counting: Arc::clone(&counting),
                window,
            };
            tokio::spawn(caller.run())
        })
        .collect();
    let mut tally = Tally::default();
    for caller in callers {
        tally.add(&caller.await??)?;
    }
    running.stop().await?;
    let counted = counting.load(Ordering::Relaxed);
    #[expect(clippy::cast_precision_loss, reason = "a rate for display")]
    Ok((counted as f64 / Duration::from_secs(seconds).as_secs_f64(), tally))
}

struct Caller {
    engine: Engine,
    shop: Shop,
    keys: KeyMaker,
    /// Answers within the window.
    counting: Arc<AtomicU64>,
    window: (Instant, Instant),
}

impl Caller {
    async fn run(mut self) -> Result<Tally> {
        let mut tally = Tally::default();
        loop {
            let (intent, amount) = self.intent()?;
            let outcome = match self.engine.submit(intent).await {
                Err(SubmitError::QueueFull) => continue,
                done => done?,
            };
            match outcome.map(|answer| answer.operation.status) {
                Ok(Status::Approved) => tally.approve(amount),
                Ok(Status::Declined(decline)) => tally.decline(|| decline.code().to_owned()),
                Err(refusal) => tally.refuse(|| refusal.code().to_owned()),
            }
            let now = Instant::now();
            if now >= self.window.1 {
                return Ok(tally);
            }
            if now >= self.window.0 {
                self.counting.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// The same as the HTTP interface makes of a request, the digests included.
    fn intent(&mut self) -> Result<(Intent, i64)> {
        let random = &mut self.keys.random;
        let number = random.one_of(&self.shop.numbers).to_string();
        let store = *random.one_of(&self.shop.stores);
        let amount = i64::try_from(random.next() % MAX_SALE)? + 1;
        let key = self.keys.next();
        let key = std::str::from_utf8(&key)?;
        let canonical = format!("POST /v1/redemptions\n{number},{amount},{store}").into_bytes();
        let number = CardNumber::parse(&number)?;
        let indexes = self.engine.vault().indexes(&number).map(|(_, index)| NumberIndex(index)).collect();
        let intent = Intent {
            actor: Actor { client: self.shop.client, issuer: self.shop.issuer, merchant: None },
            key: IdempotencyKey::parse(key).map_err(|error| Failure::new(error.to_string()))?,
            canonical: canonical.into_boxed_slice(),
            command: Command::Redeem(Payment {
                card: CardRef::Number(indexes),
                amount: Amount::new(amount)?,
                currency: Currency::CNY,
                place: Place { store: Some(store), ..Place::default() },
                pin: None,
                partial: false,
            }),
            trace: None,
            reference: None,
            metadata: None,
        };
        Ok((intent, amount))
    }
}
