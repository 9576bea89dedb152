//! Two issuers who must not notice each other.
//!
//! The first has the program of `domain-testing`'s scripts, so that its reference model can follow every
//! operation. The second has everything that the model leaves out: PINs, terminals and their trace
//! numbers, lots of several sources that expire, limits of acceptance, clients bound to a merchant.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    Card, CardId, Catalog, ClientId, IssuerId, MerchantId, ProgramId, StoreId, TerminalId, Timestamp,
    catalog::{Merchant, Store, Terminal},
    command::{Actor, NumberIndex},
    lot::LotOrder,
    program::{Acceptance, PinRule, ResidualPolicy, Rules, Status},
};
use domain_testing::{fixture, script};
use storage::{NewCard, Sealed};
use vault::{KeyRing, Pin, PredictableRandomness, Vault};

use crate::random::Random;

/// The right PIN of every card.
pub(crate) const PIN: &str = fixture::PIN;

/// An issuer with its cards and places.
pub(crate) struct Island {
    pub(crate) issuer: IssuerId,
    /// Its cards are this and 1 to [`script::CARDS`].
    pub(crate) base: i64,
    pub(crate) merchants: [MerchantId; 2],
    pub(crate) stores: [StoreId; 2],
    pub(crate) terminals: [TerminalId; 2],
    first_client: i64,
    /// Whether the reference model can follow it.
    pub(crate) is_modelled: bool,
}

/// Both issuers.
pub(crate) static ISLANDS: [Island; 2] = [
    Island {
        issuer: fixture::ISSUER,
        base: 0,
        merchants: fixture::MERCHANTS,
        stores: fixture::STORES,
        terminals: fixture::TERMINALS,
        first_client: 7,
        is_modelled: true,
    },
    Island {
        issuer: fixture::FOREIGN_ISSUER,
        base: 100,
        merchants: [MerchantId::new(21), MerchantId::new(22)],
        stores: [StoreId::new(31), StoreId::new(32)],
        terminals: [TerminalId::new(41), TerminalId::new(42)],
        first_client: 107,
        is_modelled: false,
    },
];

const RICH_PROGRAM: ProgramId = ProgramId::new(21);

impl Island {
    /// The actor of a client. The second client of the second issuer is bound to a merchant.
    pub(crate) fn actor(&self, client: usize) -> Actor {
        let merchant = (!self.is_modelled && client == 1).then_some(self.merchants[0]);
        let number = self.first_client + i64::try_from(client).unwrap_or(0);
        Actor { client: ClientId::new(number), issuer: self.issuer, merchant }
    }

    pub(crate) fn card(&self, card: u8) -> CardId {
        CardId::new(self.base + i64::from(card))
    }

    /// The issuer of a card.
    pub(crate) fn issuer_of(card: CardId) -> IssuerId {
        if card.get() > ISLANDS[1].base { ISLANDS[1].issuer } else { ISLANDS[0].issuer }
    }
}

/// What a card's number is looked up by.
pub(crate) fn index_of(card: CardId) -> NumberIndex {
    let mut bytes = [0xa5; 16];
    bytes[..8].copy_from_slice(&card.get().to_be_bytes());
    NumberIndex(bytes)
}

/// The same keys in every run.
pub(crate) fn vault() -> Arc<Vault> {
    let ring = KeyRing::generate(&mut PredictableRandomness::from_seed(1));
    Arc::new(Vault::new(Arc::new(ring)))
}

/// Both issuers' catalog.
pub(crate) fn catalog(order: LotOrder, random: &mut Random) -> Catalog {
    let mut catalog = script::catalog(order);
    let [_, island] = &ISLANDS;
    let mut program = fixture::program(RICH_PROGRAM, rich_rules(order, random));
    program.issuer = island.issuer;
    catalog.programs.insert(program.id, Arc::new(program));
    let (status, created_at, version, issuer) = (Status::Active, Timestamp::from_micros(0), 1, island.issuer);
    for ((merchant, store), terminal) in island.merchants.into_iter().zip(island.stores).zip(island.terminals)
    {
        let name = String::new;
        let m = Merchant { id: merchant, issuer, name: name(), status, created_at, version };
        let s = Store { id: store, issuer, merchant, name: name(), status, created_at, version };
        let t = Terminal { id: terminal, issuer, store, name: name(), status, created_at, version };
        catalog.merchants.insert(merchant, Arc::new(m));
        catalog.stores.insert(store, Arc::new(s));
        catalog.terminals.insert(terminal, Arc::new(t));
    }
    catalog
}

fn rich_rules(order: LotOrder, random: &mut Random) -> Rules {
    let pins = [
        PinRule::Never,
        PinRule::Always,
        PinRule::CardNotPresent,
        PinRule::Above { amount: fixture::amount(90) },
    ];
    let only_first =
        Acceptance { merchants: Some(BTreeSet::from([ISLANDS[1].merchants[0]])), ..Acceptance::default() };
    Rules {
        pin: random.pick(&pins),
        acceptance: if random.chance(200) { only_first } else { Acceptance::default() },
        residual: random.pick(&[ResidualPolicy::KeepClaimable, ResidualPolicy::Breakage]),
        refund_days: random.chance(300).then_some(3),
        member_required: random.chance(100),
        daily_count: random.chance(300).then_some(20),
        ..script::rules(order)
    }
}

/// All cards as they are made: stocked, with a PIN and a number.
pub(crate) fn cards(vault: &Vault) -> Vec<NewCard> {
    let mut cards = script::cards();
    cards.extend((1..=script::CARDS).map(|card| {
        let mut card = fixture::stocked(ISLANDS[1].card(card).get());
        (card.issuer, card.program) = (ISLANDS[1].issuer, RICH_PROGRAM);
        if let Ok(pin) = Pin::parse(PIN) {
            let digest = vault.pin_digest(card.id.get(), &pin);
            card.pin.digest = Some(domain::card::PinDigest { key_id: digest.key_id, bytes: digest.bytes });
        }
        card
    }));
    cards.into_iter().map(new_card).collect()
}

fn new_card(card: Card) -> NewCard {
    let index = index_of(card.id);
    NewCard { card, index, index_key_id: 1, number: Sealed { key_id: 1, bytes: Vec::new() }, pin: None }
}
