//! The cards of the past: which there are, where they are accepted, and what is about left on them.

use domain::CardId;
use engine::Engine;
use zeroize::Zeroizing;

use super::{
    chain::{Chain, STORE},
    random::Random,
};
use crate::{
    commands::demo::cards::open,
    failure::{Failure, Result},
};

/// What kind of card it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ware {
    Gift,
    Benefit,
    Member,
    Festival,
    Shopping,
}

/// A card that is in use.
pub(super) struct Used {
    pub(super) id: CardId,
    pub(super) ware: Ware,
    /// About what is left, in fen: what the customer believes.
    pub(super) left: i64,
    pub(super) pin: Option<Zeroizing<String>>,
}

/// A card on the shelf.
#[derive(Clone, Copy)]
pub(super) struct Shelved {
    pub(super) id: CardId,
    pub(super) ware: Ware,
    pub(super) face_value: i64,
}

/// All of them.
#[derive(Default)]
pub(super) struct Stock {
    pub(super) used: Vec<Used>,
    pub(super) shelf: Vec<Shelved>,
}

impl Stock {
    /// Makes the cards that were asked for.
    pub(super) async fn make(engine: &Engine, chain: &Chain) -> Result<Self> {
        let mut stock = Self::default();
        for order in &chain.orders {
            let batch = engine.store().batch(order.batch).await?;
            let batch = batch.ok_or_else(|| Failure::new("a batch is gone"))?;
            let is_sold = batch.activate;
            let count = batch.count as usize;
            engine.run_batch(batch).await?;
            for row in engine.store().batch_cards(order.batch, None, count).await? {
                let card = open(engine, row)?;
                let (id, ware, face_value) = (card.id, order.ware, order.face_value);
                if is_sold {
                    stock.used.push(Used { id, ware, left: face_value, pin: card.pin });
                } else {
                    stock.shelf.push(Shelved { id, ware, face_value });
                }
            }
        }
        Ok(stock)
    }

    /// A card somebody would pay this much with at a merchant; the last one looked at, where none of a few has as
    /// much.
    pub(super) fn pick(&self, random: &mut Random, merchant: usize, amount: i64) -> usize {
        let mut last = 0;
        for _ in 0..6 {
            last = random.below(self.used.len());
            let card = &self.used[last];
            let accepted = card.ware != Ware::Shopping || merchant == STORE;
            let kept_for_visitors = card.ware == Ware::Festival && random.percent(50);
            if accepted && !kept_for_visitors && card.left >= amount {
                break;
            }
        }
        last
    }

    /// A card of a kind.
    pub(super) fn of(&self, random: &mut Random, ware: Ware) -> Option<usize> {
        let all: Vec<usize> = (0..self.used.len()).filter(|card| self.used[*card].ware == ware).collect();
        all.get(random.below(all.len())).copied()
    }

    /// Takes a card of a kind off the shelf.
    pub(super) fn take(&mut self, random: &mut Random, ware: Ware) -> Option<Shelved> {
        let all: Vec<usize> = (0..self.shelf.len()).filter(|card| self.shelf[*card].ware == ware).collect();
        let found = all.get(random.below(all.len())).copied()?;
        Some(self.shelf.swap_remove(found))
    }
}

/// A sale as what comes after it needs it.
pub(super) struct Sale {
    pub(super) operation: domain::OperationId,
    pub(super) place: usize,
    pub(super) card: usize,
    pub(super) amount: i64,
    pub(super) at: domain::Timestamp,
    /// The number of the order at the merchant.
    pub(super) reference: String,
    pub(super) refunded: bool,
}
