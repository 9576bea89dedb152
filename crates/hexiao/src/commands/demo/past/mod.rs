//! The demo's past: a small chain that has sold, refunded, settled, paid and reconciled for some weeks, so that every
//! page has something to show.
//!
//! Nothing is written as rows. A clock is set to a morning some weeks ago, and from there on everything is asked of
//! the engine and of the routes, by those whose work it is, and aged by the jobs, until the clock has come to the
//! present. What happens is the same at each run, but for numbers, PINs and passwords.

mod chain;
mod clock;
mod customers;
mod finance;
mod office;
mod random;
mod stock;
mod trade;

use std::sync::Arc;

use domain::Timestamp;
use engine::Engine;
use jiff::{ToSpan, civil::Date, tz::TimeZone};

use super::{catalog, people};
use crate::{
    failure::{Failure, Result},
    installation::Installation,
};

/// What makes the random choices.
const SEED: u64 = 0x4865_7869_616f;

/// Lets so many days pass on a database that has nothing yet. One that has something goes on with it.
pub(crate) async fn live(installation: &Installation, days: u16) -> Result {
    if days == 0 || !installation.is_new().await? {
        return Ok(());
    }
    let clock = Arc::new(clock::PastClock::default());
    let running = installation.start_engine_in_the_past(Arc::clone(&clock) as _).await?;
    let done = live_through(&running.engine, &clock, running.present(), days).await;
    running.stop().await?;
    done.map_err(|failure| failure.while_doing("making the demo's past"))
}

async fn live_through(engine: &Engine, clock: &Arc<clock::PastClock>, end: Timestamp, days: u16) -> Result {
    let zone = TimeZone::get(catalog::TIME_ZONE)?;
    let last = end.date_in(&zone);
    let first = last.checked_sub(i32::from(days).days())?;
    clock.set(moment(&zone, first, 8, 0)?);
    let shop = catalog::prepare(engine).await?;
    let password = people::prepare(engine, &shop).await?.password;
    let office = office::Office::open(engine, password);
    let chain = chain::open(&office, &shop, first).await?;
    let stock = stock::Stock::make(engine, &chain).await?;
    let mut past = Past {
        engine: engine.clone(),
        clock: Arc::clone(clock),
        jobs: jobs::ByHand::default(),
        random: random::Random::from_seed(SEED),
        sales: Vec::new(),
        put_aside: Vec::new(),
        frozen: None,
        asked: 0,
        orders: 0,
        zone,
        first,
        last,
        end,
        shop,
        office,
        chain,
        stock,
    };
    past.days().await
}

/// The moment of a day at which a clock on the wall shows this.
fn moment(zone: &TimeZone, day: Date, hour: i8, minute: i8) -> Result<Timestamp> {
    let at = day.at(hour, minute, 0, 0).to_zoned(zone.clone());
    let at = at.map_err(|error| Failure::new(error.to_string()))?;
    Ok(Timestamp::from_micros(at.timestamp().as_microsecond()))
}

/// The past while it happens.
struct Past {
    engine: Engine,
    clock: Arc<clock::PastClock>,
    jobs: jobs::ByHand,
    random: random::Random,
    zone: TimeZone,
    first: Date,
    last: Date,
    /// The present.
    end: Timestamp,
    shop: catalog::Shop,
    office: office::Office,
    chain: chain::Chain,
    stock: stock::Stock,
    sales: Vec<stock::Sale>,
    put_aside: Vec<trade::PutAside>,
    /// The card that was frozen for suspicion.
    frozen: Option<usize>,
    /// Operations that were asked for.
    asked: u32,
    /// Orders that were numbered.
    orders: u32,
}

impl Past {
    async fn days(&mut self) -> Result {
        let mut day = self.first;
        while day <= self.last {
            // At night, as every night.
            if self.go_to(self.at(day, 2, 10)) {
                self.jobs.catch_up(&self.engine).await?;
            }
            self.office_hours(day).await?;
            self.trade(day).await?;
            day = day.tomorrow()?;
        }
        self.clock.set(self.end);
        Ok(self.jobs.catch_up(&self.engine).await?)
    }

    /// What people do before the shops open.
    async fn office_hours(&mut self, day: Date) -> Result {
        let (age, left) = ((day - self.first).get_days(), (self.last - day).get_days());
        if left == 0 || !self.go_to(self.at(day, 8, 40)) {
            return Ok(());
        }
        if left == 1 {
            self.last_finance_day(day).await?;
            return self.last_desk_day(day).await;
        }
        // Not close to the last one, so that something has gathered by then.
        if age % 5 == 4 && left > 4 {
            self.finance_day(day).await?;
        }
        if age == 12 || (age == 1 && left < 12) {
            self.look_after_cards().await?;
        }
        Ok(())
    }

    /// A moment; the end where the zone knows none.
    fn at(&self, day: Date, hour: i8, minute: i8) -> Timestamp {
        moment(&self.zone, day, hour, minute).unwrap_or(self.end)
    }

    /// Goes on to a moment, unless it is not past yet.
    fn go_to(&self, at: Timestamp) -> bool {
        if at >= self.end {
            return false;
        }
        self.clock.set(at);
        true
    }
}
