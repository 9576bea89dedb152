//! Selling in bulk, through the engine like everybody else: the data of measurements that begin where sales end.

use std::sync::Arc;

use domain::{
    Amount, Command, Currency, IdempotencyKey, MerchantId,
    command::{Actor, CardRef, NumberIndex, Payment, Place},
};
use engine::{Engine, Intent, SubmitError};
use vault::CardNumber;

use super::{
    idempotency_keys::KeyMaker,
    shop::{PackedNumber, Shop},
};
use crate::{
    cli::KeyOrder,
    failure::{Failure, Result},
};

/// Submissions at once.
const CALLERS: usize = 4;
/// Redemptions of one submission.
const TOGETHER: usize = 1000;
const MAX_SALE: u64 = 7;

/// What is sold, where, from which cards. Cheap to clone.
#[derive(Clone)]
pub(super) struct Selling {
    pub(super) engine: Engine,
    pub(super) shop: Shop,
    /// Each in turn, so that each has sales.
    pub(super) places: Arc<[Place]>,
    /// At random.
    pub(super) numbers: Arc<[PackedNumber]>,
    /// The amount of each sale, if not a small one at random.
    pub(super) amount: Option<i64>,
    /// Whether the sales are approved: another answer is a failure.
    pub(super) approved: bool,
}

impl Selling {
    /// Small sales from all cards at these merchants.
    pub(super) fn at_merchants(engine: &Engine, shop: &Shop, merchants: &[MerchantId]) -> Self {
        let places = merchants.iter().map(|id| Place { merchant: Some(*id), ..Place::default() });
        Self {
            engine: engine.clone(),
            numbers: Arc::clone(&shop.numbers),
            shop: shop.clone(),
            places: places.collect(),
            amount: None,
            approved: true,
        }
    }

    /// Sells so many times.
    pub(super) async fn sell(&self, count: u64) -> Result {
        let callers = u64::try_from(CALLERS)?;
        let tasks: Vec<_> = (0..callers)
            .map(|number| {
                let share = count / callers + u64::from(number < count % callers);
                let keys = KeyMaker::new(KeyOrder::Ordered, self.shop.epoch);
                let next = usize::try_from(number).unwrap_or(0);
                tokio::spawn(Seller { selling: self.clone(), keys, next }.run(share))
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        Ok(())
    }
}

struct Seller {
    selling: Selling,
    keys: KeyMaker,
    next: usize,
}

impl Seller {
    async fn run(mut self, mut left: u64) -> Result {
        while left > 0 {
            let together = usize::try_from(left)?.min(TOGETHER);
            let intents: Result<Vec<Intent>> = (0..together).map(|_| self.intent()).collect();
            let intents = intents?;
            let outcomes = loop {
                match self.selling.engine.submit_many(intents.clone()).await {
                    Err(SubmitError::QueueFull) => tokio::task::yield_now().await,
                    done => break done?,
                }
            };
            for outcome in outcomes {
                let answer = outcome
                    .map_err(|refusal| Failure::new(format!("a sale was refused: {}", refusal.code())))?;
                if answer.operation.is_approved() != self.selling.approved {
                    return Err(Failure::new("a sale was answered otherwise than it should be"));
                }
            }
            left -= u64::try_from(together)?;
        }
        Ok(())
    }

    fn intent(&mut self) -> Result<Intent> {
        let number = self.keys.random.one_of(&self.selling.numbers).to_string();
        let place = self.selling.places[self.next % self.selling.places.len()];
        self.next += CALLERS;
        let amount = match self.selling.amount {
            Some(amount) => amount,
            None => i64::try_from(self.keys.random.next() % MAX_SALE)? + 1,
        };
        let key = self.keys.next();
        let key = std::str::from_utf8(&key)?;
        let canonical = format!("POST /v1/redemptions\n{number},{amount},{place:?}").into_bytes();
        let number = CardNumber::parse(&number)?;
        let indexes =
            self.selling.engine.vault().indexes(&number).map(|(_, index)| NumberIndex(index)).collect();
        let shop = &self.selling.shop;
        Ok(Intent {
            actor: Actor { client: shop.client, issuer: shop.issuer, merchant: None },
            key: IdempotencyKey::parse(key).map_err(|error| Failure::new(error.to_string()))?,
            canonical: canonical.into_boxed_slice(),
            command: Command::Redeem(Payment {
                card: CardRef::Number(indexes),
                amount: Amount::new(amount)?,
                currency: Currency::CNY,
                place,
                pin: None,
                partial: false,
            }),
            trace: None,
            reference: None,
            metadata: None,
        })
    }
}
