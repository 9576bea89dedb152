//! `hexiao serve --demo`: something to try things on.
//!
//! Everything is looked for by name, and everything that moves value has a fixed idempotency key, so that
//! starting again, or after an interrupted start, adds what is missing and repeats nothing. Only the
//! secrets of the two clients are made anew at each start, because they cannot be shown a second time.

mod business;
mod cards;
mod catalog;
mod page;

use std::net::SocketAddr;

use engine::Engine;

pub(crate) use catalog::plain_rules;

use crate::failure::Result;

/// What a visitor needs to know.
pub(crate) struct Demo {
    shop: catalog::Shop,
    cards: cards::Cards,
}

/// Makes what is missing.
pub(crate) async fn prepare(engine: &Engine) -> Result<Demo> {
    let shop = catalog::prepare(engine).await?;
    let cards = cards::prepare(engine, &shop).await?;
    business::prepare(engine, &shop, &cards).await?;
    Ok(Demo { shop, cards })
}

impl Demo {
    /// What to print at start.
    pub(crate) fn page(&self, address: SocketAddr, json: bool) -> String {
        if json { page::json(self, address) } else { page::text(self, address) }
    }
}
