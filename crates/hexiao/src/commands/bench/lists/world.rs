//! What the lists are about: sales at many places, one card with many of them, statements, batches, a long trail.

use std::sync::Arc;

use domain::{
    AuditEventId, CardId, MerchantId, StoreId, Timestamp, UserId,
    command::{NumberIndex, Place},
};
use engine::Engine;
use storage::AuditEvent;
use vault::CardNumber;

use super::super::{
    selling::Selling,
    settlement,
    shop::{PackedNumber, Shop},
};
use crate::{
    cli::Global,
    failure::{Failure, Result},
    installation::Installation,
    progress::Progress,
};

const CARDS: u32 = 50_000;
/// Merchants with one sale each, and one statement each.
const RARE_MERCHANTS: u32 = 500;
/// Batches of one card.
const BATCHES: u32 = 300;
/// Sales of one card.
const OF_ONE_CARD: u64 = 3_000;
/// Sales come in so many parts, each followed by [`DECLINED`] that are declined.
const PARTS: u64 = 10;
const DECLINED: u64 = 50;
/// Above what the program allows for one sale.
const TOO_MUCH: i64 = 1_000_001;
/// One event of the trail for so many operations; one in so many is of one user.
const OPERATIONS_PER_EVENT: u64 = 4;
const EVENTS_TOGETHER: u64 = 1_000;
const USER_EVERY: u64 = 100;

/// What requests name.
pub(super) struct World {
    pub(super) authorization: Arc<String>,
    pub(super) card: CardId,
    pub(super) merchant: MerchantId,
    pub(super) store: StoreId,
    pub(super) rare_merchant: MerchantId,
    pub(super) user: UserId,
    /// When a tenth of the operations was there.
    pub(super) early: Timestamp,
    /// A tenth of the operations was made between these.
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// Makes it, and stops the engine that made it: the database is a server's from then on.
pub(super) async fn make(global: &Global, operations: u64) -> Result<World> {
    let shop = Shop::prepare(global, CARDS).await?;
    let installation = Installation::open(global).await?;
    let running = installation.start_engine().await?;
    let world = Making { engine: running.engine.clone(), shop, operations }.world().await;
    running.stop().await?;
    world
}

struct Making {
    engine: Engine,
    shop: Shop,
    operations: u64,
}

impl Making {
    async fn world(&self) -> Result<World> {
        let rare = settlement::merchants(&self.engine, &self.shop, RARE_MERCHANTS).await?;
        settlement::agree(&self.engine, &self.shop).await?;
        let at_rare = Selling::at_merchants(&self.engine, &self.shop, &rare);
        at_rare.sell(u64::from(RARE_MERCHANTS)).await?;
        self.batches().await?;
        let long = self.shop.numbers[0];
        let usual = self.usual(&at_rare);
        let one_card = Selling { numbers: [long].into(), ..usual.clone() };
        one_card.sell(OF_ONE_CARD).await?;
        let parts = self.parts(&usual).await?;
        settlement::settle(&self.engine, &self.shop).await?;
        let user = self.trail(parts[0], *parts.last().unwrap_or(&parts[0])).await?;
        let (store, merchant) = self.place()?;
        Ok(World {
            authorization: Arc::clone(&self.shop.authorization),
            card: self.card(long).await?,
            merchant,
            store,
            rare_merchant: rare[0],
            user,
            early: parts[1],
            from: parts[4],
            to: parts[5],
        })
    }

    /// All cards, at all stores.
    fn usual(&self, at: &Selling) -> Selling {
        let places = self.shop.stores.iter().map(|id| Place { store: Some(*id), ..Place::default() });
        Selling { places: places.collect(), ..at.clone() }
    }

    /// The sales, with the moments before, between and after their parts.
    async fn parts(&self, usual: &Selling) -> Result<Vec<Timestamp>> {
        let refused = Selling { amount: Some(TOO_MUCH), approved: false, ..usual.clone() };
        let progress = Progress::new("operations", Some(self.operations));
        let mut moments = vec![self.engine.now()];
        for part in 0..PARTS {
            let share = self.operations / PARTS + u64::from(part < self.operations % PARTS);
            usual.sell(share.saturating_sub(DECLINED)).await?;
            refused.sell(DECLINED.min(share)).await?;
            progress.add(share);
            moments.push(self.engine.now());
        }
        progress.finish();
        Ok(moments)
    }

    /// Batches of one card each, made like every other.
    async fn batches(&self) -> Result {
        let store = self.engine.store();
        let page = store.batches(self.shop.issuer, None, 1).await?;
        let like = page.items.into_iter().next().ok_or_else(|| Failure::new("there is no batch"))?;
        for _ in 0..BATCHES {
            let batch = super::super::shop::batch_like(&self.engine, &like);
            store.create_batch(&batch).await?;
            self.engine.run_batch(batch).await?;
        }
        Ok(())
    }

    /// A trail as people leave it, spread over the time of the sales. Returns one of the people.
    async fn trail(&self, from: Timestamp, to: Timestamp) -> Result<UserId> {
        let events = self.operations / OPERATIONS_PER_EVENT;
        let users: Vec<UserId> = (0..USER_EVERY).map(|_| UserId::new(self.engine.next_id())).collect();
        let span = to.micros().saturating_sub(from.micros());
        let mut next = 0;
        while next < events {
            let end = (next + EVENTS_TOGETHER).min(events);
            let part = (next..end).map(|number| {
                let share = i128::from(span) * i128::from(number) / i128::from(events);
                let at = from.micros() + i64::try_from(share).unwrap_or(0);
                self.event(
                    Timestamp::from_micros(at),
                    users[usize::try_from(number % USER_EVERY).unwrap_or(0)],
                    number,
                )
            });
            let part: Vec<_> = part.collect();
            self.engine.store().append_audit(&part).await?;
            next = end;
        }
        Ok(users[0])
    }

    /// One event; one in a thousand is of an action of its own. Ids follow the time, as they do in a server.
    fn event(&self, at: Timestamp, user: UserId, number: u64) -> AuditEvent {
        let action = if number.is_multiple_of(1_000) { "POST /v1/roles" } else { "POST /v1/redemptions" };
        let within = i64::try_from(number % 1_000).unwrap_or(0);
        AuditEvent {
            id: AuditEventId::new(domain::ids::floor_of(at).saturating_add(within)),
            issuer: Some(self.shop.issuer),
            user: Some(user),
            session: None,
            at,
            address: Some("192.0.2.7".to_owned()),
            action: action.to_owned(),
            object: None,
            status: 201,
            code: None,
            request_id: None,
        }
    }

    fn place(&self) -> Result<(StoreId, MerchantId)> {
        let catalog = self.engine.catalog();
        let store = self.shop.stores.first().and_then(|id| catalog.stores.get(id));
        store.map(|store| (store.id, store.merchant)).ok_or_else(|| Failure::new("there is no store"))
    }

    async fn card(&self, number: PackedNumber) -> Result<CardId> {
        let number = CardNumber::parse(&number.to_string())?;
        let indexes: Vec<_> =
            self.engine.vault().indexes(&number).map(|(_, index)| NumberIndex(index)).collect();
        let found = self.engine.store().card_by_number(&indexes).await?;
        found.map(|card| card.id).ok_or_else(|| Failure::new("a card that was made is not there"))
    }
}
