//! `hexiao serve --demo`: something to try things on.
//!
//! Everything is looked for by name, and everything that moves value has a fixed idempotency key, so that
//! starting again, or after an interrupted start, adds what is missing and repeats nothing. Only the
//! secrets of the two clients and the password of the users are made anew at each start, because they cannot be shown a second time.

mod business;
mod cards;
mod catalog;
mod page;
mod past;
mod people;
mod wallet;

use std::net::SocketAddr;

use engine::Engine;

pub(crate) use catalog::plain_rules;
pub(crate) use past::live;

use crate::failure::Result;

/// What a visitor needs to know.
pub(crate) struct Demo {
    shop: catalog::Shop,
    cards: cards::Cards,
    people: people::People,
}

/// Makes what is missing.
pub(crate) async fn prepare(engine: &Engine) -> Result<Demo> {
    let shop = catalog::prepare(engine).await?;
    let cards = cards::prepare(engine, &shop).await?;
    business::prepare(engine, &shop, &cards).await?;
    wallet::prepare(engine, &shop, &cards).await?;
    let people = people::prepare(engine, &shop).await?;
    Ok(Demo { shop, cards, people })
}

impl Demo {
    /// What to print at start.
    pub(crate) fn page(&self, address: SocketAddr, json: bool) -> String {
        if json { page::json(self, address) } else { page::text(self, address) }
    }
}
