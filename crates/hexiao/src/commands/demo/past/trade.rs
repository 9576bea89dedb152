//! A day of trade: cards are sold and loaded, people pay, some change their minds, some are turned down. What is
//! asked goes through the engine as if a till asked it; what comes of it is the engine's to decide.

use domain::{
    Amount, Channel, Command, HoldId, IdempotencyKey, Timestamp,
    command::{
        Activate, Actor, Bonus, Capture, CardRef, Load, Payment, PinAttempt, Place, PlaceHold, Refund,
    },
    lot::LotSource,
    policy::{Buyer, Funding, Means},
};
use engine::{Intent, Outcome};
use jiff::civil::{Date, Weekday};

use super::{
    Past,
    chain::{CAFE, CURRENCY, MALL, STORE},
    stock::{Sale, Shelved, Used, Ware},
};
use crate::{
    commands::demo::catalog::fen,
    failure::{Failure, Result},
};

/// How busy each hour from nine in the morning on is: lunch, and after work.
const HOURS: [usize; 13] = [3, 5, 7, 12, 10, 6, 6, 7, 9, 13, 12, 8, 3];
const OPENS: i8 = 9;
/// Days before today on which each sale is a moment of its own. Earlier ones come a few at a time, which is quicker.
const FINE_DAYS: i32 = 1;
const TOGETHER: usize = 12;
/// How long after it was set aside the value of a hold is taken.
const PICK_UP_SECONDS: i64 = 25 * 60;
/// How long an order that is picked up another day is held for.
const LONG_HOLD: u32 = 3 * 86_400;
const DAY_SECONDS: i64 = 86_400;

/// What somebody does.
enum Deed {
    Pay { card: usize, place: usize, amount: i64, wrong_pin: bool },
    PutAside { card: usize, place: usize, amount: i64, is_long: bool },
    TakeBack,
    Buy(Shelved),
    TopUp { card: usize, amount: i64, bonus: i64 },
    Employer { card: usize, amount: i64 },
}

/// Value that was set aside and is to be taken.
pub(super) struct PutAside {
    due: Timestamp,
    hold: HoldId,
    place: usize,
    amount: i64,
}

/// A deed that was asked of the engine.
struct Asked {
    deed: Deed,
    reference: String,
    /// The place in [`Past::sales`] of what is taken back.
    sale: Option<usize>,
}

impl Past {
    /// One day, as far as it has come.
    pub(super) async fn trade(&mut self, day: Date) -> Result {
        let mut deeds = self.plan(day);
        deeds.sort_by_key(|(at, _)| *at);
        let is_fine = (self.last - day).get_days() <= FINE_DAYS;
        let together = if is_fine { 1 } else { TOGETHER };
        let mut deeds = deeds.into_iter().peekable();
        while let Some((at, _)) = deeds.peek() {
            if !self.go_to(*at) {
                break;
            }
            self.take_what_is_due().await?;
            let part: Vec<Deed> = deeds.by_ref().take(together).map(|(_, deed)| deed).collect();
            self.ask(day, part).await?;
        }
        Ok(())
    }

    fn plan(&mut self, day: Date) -> Vec<(Timestamp, Deed)> {
        let is_weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let busy = if is_weekend { (120, 165) } else { (80, 120) };
        let mut deeds = Vec::new();
        for _ in 0..self.random.between(busy.0, busy.1) {
            let deed = self.payment();
            deeds.push((self.moment(day), deed));
        }
        for _ in 0..self.random.between(2, 5) {
            deeds.push((self.moment(day), Deed::TakeBack));
        }
        self.plan_holds(day, &mut deeds);
        self.plan_sales_of_cards(day, &mut deeds);
        self.plan_odd_things(day, &mut deeds);
        deeds
    }

    fn moment(&mut self, day: Date) -> Timestamp {
        let hour = i8::try_from(self.random.weighted(&HOURS)).unwrap_or(0) + OPENS;
        let second = self.random.between(0, 3599);
        self.at(day, hour, 0).plus_seconds(second)
    }

    fn payment(&mut self) -> Deed {
        let shares: Vec<usize> = self.chain.merchants.iter().map(|merchant| merchant.share).collect();
        let place = self.random.weighted(&shares);
        let amount = self.price(place);
        let card = self.stock.pick(&mut self.random, place, amount);
        // Most look at what they have left; some do not, and are turned down.
        let left = self.stock.used[card].left;
        let amount = if left < amount && left > 500 && !self.random.percent(8) { left } else { amount };
        Deed::Pay { card, place, amount, wrong_pin: false }
    }

    /// Prices end as prices do.
    fn price(&mut self, place: usize) -> i64 {
        let (low, high) = self.chain.merchants[place].yuan;
        // Small sales are more common than large ones.
        let yuan = self.random.between(low, high).min(self.random.between(low, high));
        yuan * 100 + [0, 0, 50, 80, 90][self.random.below(5)]
    }

    fn plan_holds(&mut self, day: Date, deeds: &mut Vec<(Timestamp, Deed)>) {
        let days_left = (self.last - day).get_days();
        for number in 0..3 {
            let place = if number == 0 { CAFE } else { STORE };
            let amount = self.price(place);
            let card = self.stock.pick(&mut self.random, place, amount);
            let is_long = days_left <= 1 && number > 0;
            deeds.push((self.moment(day), Deed::PutAside { card, place, amount, is_long }));
        }
    }

    fn plan_sales_of_cards(&mut self, day: Date, deeds: &mut Vec<(Timestamp, Deed)>) {
        for ware in [Ware::Gift, Ware::Gift, Ware::Gift, Ware::Gift, Ware::Shopping, Ware::Shopping] {
            if self.random.percent(80)
                && let Some(card) = self.stock.take(&mut self.random, ware)
            {
                deeds.push((self.moment(day), Deed::Buy(card)));
            }
        }
        for _ in 0..self.random.between(4, 8) {
            if let Some(card) = self.stock.of(&mut self.random, Ware::Member) {
                let amount = [10_000, 20_000, 30_000, 50_000][self.random.below(4)];
                let bonus = if amount >= 30_000 { amount / 20 } else { 0 };
                deeds.push((self.moment(day), Deed::TopUp { card, amount, bonus }));
            }
        }
        // The employer gives on the first day, and in the middle of each month.
        if day == self.first || day.day() == 15 {
            let at = self.at(day, OPENS, 5);
            for card in 0..self.stock.used.len() {
                if self.stock.used[card].ware == Ware::Benefit {
                    deeds.push((at, Deed::Employer { card, amount: 100_000 }));
                }
            }
        }
    }

    /// What a till has to turn down, every now and then: wrong PINs, cards of elsewhere, cards past their day.
    fn plan_odd_things(&mut self, day: Date, deeds: &mut Vec<(Timestamp, Deed)>) {
        let odd =
            [(Ware::Benefit, MALL, true), (Ware::Shopping, CAFE, false), (Ware::Festival, STORE, false)];
        for (ware, place, wrong_pin) in odd {
            if self.random.percent(60)
                && let Some(card) = self.stock.of(&mut self.random, ware)
            {
                let amount = self.price(place);
                deeds.push((self.moment(day), Deed::Pay { card, place, amount, wrong_pin }));
            }
        }
        if let Some(card) = self.frozen.filter(|_| self.random.percent(70)) {
            let amount = self.price(STORE);
            deeds.push((self.moment(day), Deed::Pay { card, place: STORE, amount, wrong_pin: false }));
        }
    }

    async fn ask(&mut self, day: Date, deeds: Vec<Deed>) -> Result {
        let (mut intents, mut asked) = (Vec::with_capacity(deeds.len()), Vec::with_capacity(deeds.len()));
        for deed in deeds {
            let place = Self::place_of(&deed);
            let reference = self.order_number(day, place);
            let sale = if matches!(deed, Deed::TakeBack) { self.unhappy() } else { None };
            let Some((actor, command)) = self.command(&deed, sale) else { continue };
            intents.push(self.intent(actor, command, Some(reference.clone()))?);
            asked.push(Asked { deed, reference, sale });
        }
        if intents.is_empty() {
            return Ok(());
        }
        let outcomes = self.engine.submit_many(intents).await?;
        asked.into_iter().zip(outcomes).for_each(|(asked, outcome)| self.note(asked, outcome));
        Ok(())
    }

    fn place_of(deed: &Deed) -> usize {
        match deed {
            Deed::Pay { place, .. } | Deed::PutAside { place, .. } => *place,
            Deed::TakeBack | Deed::Buy(_) | Deed::TopUp { .. } | Deed::Employer { .. } => STORE,
        }
    }

    fn order_number(&mut self, day: Date, place: usize) -> String {
        self.orders += 1;
        format!("{}{}{:05}", self.chain.merchants[place].code, day.strftime("%y%m%d"), self.orders)
    }

    /// A late sale of which nothing was given back. The mall's customers send parcels back, which is not of here.
    fn unhappy(&mut self) -> Option<usize> {
        let lately = self.sales.len().saturating_sub(80);
        let found = lately + self.random.below(self.sales.len() - lately);
        self.sales.get(found).filter(|sale| !sale.refunded && sale.place != MALL).map(|_| found)
    }

    fn command(&mut self, deed: &Deed, sale: Option<usize>) -> Option<(Actor, Command)> {
        let store = self.chain.merchants[STORE].actor;
        Some(match deed {
            Deed::Pay { card, place, amount, wrong_pin } => {
                let payment = self.payment_with(*card, *place, *amount, *wrong_pin);
                (self.chain.merchants[*place].actor, Command::Redeem(payment))
            }
            Deed::PutAside { card, place, amount, is_long } => {
                let payment = self.payment_with(*card, *place, *amount, false);
                let seconds = Some(if *is_long { LONG_HOLD } else { 7200 });
                (self.chain.merchants[*place].actor, Command::Hold(PlaceHold { payment, seconds }))
            }
            Deed::TakeBack => {
                let sale = &self.sales[sale?];
                // Two thirds bring everything back, others a part.
                let part = (sale.amount % 3 == 0 && sale.amount > 2000).then(|| fen(sale.amount / 200 * 100));
                let refund = Refund { original: sale.operation, amount: part, currency: None };
                (self.chain.merchants[sale.place].actor, Command::Refund(refund))
            }
            Deed::Buy(card) => (store, Command::Activate(bought(*card, self.till(STORE)))),
            Deed::TopUp { card, amount, bonus } => {
                let half_a_year = self.engine.now().plus_seconds(182 * DAY_SECONDS);
                let bonus =
                    (*bonus > 0).then(|| Bonus { amount: fen(*bonus), expires_at: Some(half_a_year) });
                let place = self.till(STORE);
                (store, self.load(*card, *amount, LotSource::Paid, bonus, place))
            }
            Deed::Employer { card, amount } => {
                let actor =
                    Actor { merchant: None, client: self.shop.manager.0.id, issuer: self.shop.issuer };
                (actor, self.load(*card, *amount, LotSource::EmployerFunded, None, Place::default()))
            }
        })
    }

    fn load(
        &self,
        card: usize,
        amount: i64,
        source: LotSource,
        bonus: Option<Bonus>,
        place: Place,
    ) -> Command {
        Command::Load(Load {
            card: CardRef::Id(self.stock.used[card].id),
            amount: fen(amount),
            currency: CURRENCY,
            source,
            expires_at: None,
            bonus,
            funding: None,
            place,
        })
    }

    fn payment_with(&mut self, card: usize, place: usize, amount: i64, wrong_pin: bool) -> Payment {
        let used = &self.stock.used[card];
        let id = used.id;
        let pin = (place == MALL).then(|| used.pin.as_ref().map(|pin| typed(pin, wrong_pin))).flatten();
        let (card, place) = (CardRef::Id(id), self.till(place));
        Payment { card, amount: fen(amount), currency: CURRENCY, place, pin, partial: false }
    }

    /// One of a merchant's tills.
    fn till(&mut self, place: usize) -> Place {
        let merchant = &self.chain.merchants[place];
        match merchant.tills.get(self.random.below(merchant.tills.len())) {
            Some(till) => Place { terminal: Some(*till), ..Place::default() },
            None => {
                Place { merchant: Some(merchant.id), channel: Channel::parse("web").ok(), ..Place::default() }
            }
        }
    }

    pub(super) fn intent(
        &mut self,
        actor: Actor,
        command: Command,
        reference: Option<String>,
    ) -> Result<Intent> {
        self.asked += 1;
        let key = format!("past-{:06}", self.asked);
        Ok(Intent {
            actor,
            key: IdempotencyKey::parse(&key)?,
            canonical: key.into_bytes().into_boxed_slice(),
            command,
            trace: None,
            reference,
            metadata: None,
        })
    }

    /// Notes what came of a deed.
    fn note(&mut self, asked: Asked, outcome: Outcome) {
        let Ok(answer) = outcome else { return };
        let operation = &answer.operation;
        if !operation.is_approved() {
            return;
        }
        let approved = operation.approved.get();
        match asked.deed {
            Deed::Pay { card, place, .. } => {
                self.stock.used[card].left -= approved;
                self.sales.push(Sale {
                    operation: operation.id,
                    place,
                    card,
                    amount: approved,
                    at: operation.at,
                    reference: asked.reference,
                    refunded: false,
                });
            }
            Deed::PutAside { card, place, is_long, .. } => {
                self.stock.used[card].left -= approved;
                if let Some(hold) = operation.hold.filter(|_| !is_long) {
                    let due = operation.at.plus_seconds(PICK_UP_SECONDS);
                    self.put_aside.push(PutAside { due, hold, place, amount: approved });
                }
            }
            Deed::TakeBack => {
                if let Some(sale) = asked.sale.map(|sale| &mut self.sales[sale]) {
                    sale.refunded = true;
                    self.stock.used[sale.card].left += approved;
                }
            }
            Deed::Buy(Shelved { id, ware, face_value }) => {
                self.stock.used.push(Used { id, ware, left: face_value, pin: None });
            }
            Deed::TopUp { card, amount, .. } | Deed::Employer { card, amount } => {
                self.stock.used[card].left += amount;
            }
        }
    }

    /// Takes what was set aside and is picked up now: all of it, or less where something was not to be had.
    async fn take_what_is_due(&mut self) -> Result {
        let now = self.engine.now();
        while let Some(found) = self.put_aside.iter().position(|put| put.due <= now) {
            let PutAside { hold, place, amount, .. } = self.put_aside.swap_remove(found);
            let amount = if amount % 5 == 0 { None } else { Amount::new(amount * 4 / 5).ok() };
            let capture = Command::Capture(Capture { hold, amount, currency: None, is_final: true });
            let intent = self.intent(self.chain.merchants[place].actor, capture, None)?;
            let outcome = self.engine.submit(intent).await?;
            outcome.map_err(|refusal| Failure::new(format!("a capture was refused: {}", refusal.code())))?;
        }
        Ok(())
    }
}

/// A card is bought at a till; a person pays in cash.
fn bought(card: Shelved, place: Place) -> Activate {
    let funding = Funding {
        buyer: Buyer::Person,
        face_to_face: true,
        means: Means::Cash,
        payer: None,
        payee: None,
        identity_verified: false,
        purchase: None,
    };
    Activate {
        card: CardRef::Id(card.id),
        amount: None,
        currency: CURRENCY,
        bonus: None,
        place,
        funding: Some(Box::new(funding)),
    }
}

/// A PIN as its holder types it.
fn typed(pin: &str, wrong: bool) -> PinAttempt {
    if !wrong {
        return PinAttempt(pin.into());
    }
    let other = |digit: char| if digit == '0' { '1' } else { '0' };
    PinAttempt(pin.chars().map(other).collect::<String>().into_boxed_str())
}
