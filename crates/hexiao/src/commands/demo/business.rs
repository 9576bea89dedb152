//! A little business, so that lists, statements and the trial balance are not empty.

use domain::{
    Amount, CardId, Command, Currency, IdempotencyKey, OperationId, Timestamp,
    command::{Actor, Bonus, CardRef, Load, Payment, Place, PlaceHold, Refund},
    lot::LotSource,
};
use engine::{Engine, Intent};

use super::{
    cards::Cards,
    catalog::{Shop, fen},
};
use crate::failure::{Failure, Result};

/// Demo cards are used from the front; the last ones keep their whole value for visitors.
pub(super) async fn prepare(engine: &Engine, shop: &Shop, cards: &Cards) -> Result {
    let day = Day { engine, shop };
    let gift = |position: usize| id(&cards.gift, position);
    let first = day.sell("sale-1", gift(0)?, 3500).await?;
    day.sell("sale-2", gift(0)?, 4200).await?;
    day.sell("sale-3", gift(1)?, 20_000).await?;
    let fourth = day.sell("sale-4", gift(2)?, 12_800).await?;
    // More than is left: declined, and on record.
    day.sell("sale-5", gift(1)?, 100).await?;
    day.refund("refund-1", first, Some(fen(1000))).await?;
    day.refund("refund-2", fourth, None).await?;
    day.hold("hold-1", gift(3)?, 5000).await?;
    let member = id(&cards.member, 0)?;
    day.load("load-1", member, 50_000, LotSource::Paid, Some(5000)).await?;
    day.sell("sale-6", member, 8800).await?;
    day.load("load-2", id(&cards.benefit, 0)?, 30_000, LotSource::EmployerFunded, None).await?;
    Ok(())
}

fn id(cards: &[super::cards::DemoCard], position: usize) -> Result<CardId> {
    let card = cards.get(position).ok_or_else(|| Failure::new("the demo's cards are incomplete"))?;
    Ok(card.id)
}

struct Day<'a> {
    engine: &'a Engine,
    shop: &'a Shop,
}

impl Day<'_> {
    async fn sell(&self, key: &str, card: CardId, minor: i64) -> Result<OperationId> {
        self.ask(key, Command::Redeem(self.payment(card, minor))).await
    }

    async fn hold(&self, key: &str, card: CardId, minor: i64) -> Result<OperationId> {
        let day = 86_400;
        let hold = PlaceHold { payment: self.payment(card, minor), seconds: Some(day) };
        self.ask(key, Command::Hold(hold)).await
    }

    async fn refund(&self, key: &str, original: OperationId, amount: Option<Amount>) -> Result<OperationId> {
        self.ask(key, Command::Refund(Refund { original, amount, currency: None })).await
    }

    async fn load(
        &self,
        key: &str,
        card: CardId,
        minor: i64,
        source: LotSource,
        bonus: Option<i64>,
    ) -> Result<OperationId> {
        let half_a_year = 182 * 86_400;
        let expires_at: Option<Timestamp> = Some(self.engine.now().plus_seconds(half_a_year));
        let load = Load {
            card: CardRef::Id(card),
            amount: fen(minor),
            currency: Currency::CNY,
            source,
            expires_at: None,
            bonus: bonus.map(|minor| Bonus { amount: fen(minor), expires_at }),
            funding: None,
            place: self.place(),
        };
        self.ask(key, Command::Load(load)).await
    }

    fn payment(&self, card: CardId, minor: i64) -> Payment {
        Payment {
            card: CardRef::Id(card),
            amount: fen(minor),
            currency: Currency::CNY,
            place: self.place(),
            pin: None,
            partial: false,
        }
    }

    fn place(&self) -> Place {
        Place { terminal: Some(self.shop.terminal), ..Place::default() }
    }

    async fn ask(&self, key: &str, command: Command) -> Result<OperationId> {
        let cashier = &self.shop.cashier.0;
        let intent = Intent {
            actor: Actor { client: cashier.id, issuer: self.shop.issuer, merchant: cashier.merchant },
            key: IdempotencyKey::parse(&format!("demo-{key}"))?,
            // The key says all: at the next start the same key means the same again.
            canonical: format!("demo:{key}").into_bytes().into_boxed_slice(),
            command,
            trace: None,
            reference: Some(format!("demo {key}")),
            metadata: None,
        };
        match self.engine.submit(intent).await? {
            Ok(answer) => Ok(answer.operation.id),
            Err(refusal) => Err(Failure::new(format!("the demo's {key} was refused: {}", refusal.code()))),
        }
    }
}
