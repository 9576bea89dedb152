//! The small world that the tests write about: two issuers with what belongs to them, and makers of cards,
//! operations and batches in which a test sets only what it is about.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    Account, Amount, BatchId, BusinessDate, Card, CardId, CardState, Channel, ClientId, Currency,
    Fingerprint, IdempotencyKey, IssuerId, Lot, LotNo, MerchantId, Operation, OperationId, OperationKind,
    Program, ProgramId, StoreId, TerminalId, Timestamp, Transfer,
    account::AccountKind,
    card::{DayCounters, PinState},
    catalog::{Client, Issuer, Merchant, Scope, Store as Shop, Terminal},
    command::NumberIndex,
    ids,
    lot::LotSource,
    operation::{CardAfter, Detail, Status},
    policy::{NamedPack, PackId},
    program::{Denominations, PinRule, ResidualPolicy, Rules, Status as CatalogStatus, Validity},
    working::Changes,
};
use jiff::tz::TimeZone;

use crate::{Batch, BatchStatus, CatalogEntry, NewCard, Sealed, Store};

pub(super) const ISSUER: IssuerId = IssuerId::new(101);
pub(super) const OTHER_ISSUER: IssuerId = IssuerId::new(102);
/// Value that expires stays claimable, cards last two days, lots go in proportion.
pub(super) const PROGRAM: ProgramId = ProgramId::new(201);
/// Value that expires becomes income, cards last for ever, bonus goes first, and less is allowed.
pub(super) const SECOND_PROGRAM: ProgramId = ProgramId::new(202);
pub(super) const OTHER_PROGRAM: ProgramId = ProgramId::new(203);
pub(super) const MERCHANT: MerchantId = MerchantId::new(301);
pub(super) const SECOND_MERCHANT: MerchantId = MerchantId::new(302);
pub(super) const OTHER_MERCHANT: MerchantId = MerchantId::new(303);
pub(super) const SHOP: StoreId = StoreId::new(401);
pub(super) const SECOND_SHOP: StoreId = StoreId::new(402);
pub(super) const OTHER_SHOP: StoreId = StoreId::new(403);
pub(super) const TERMINAL: TerminalId = TerminalId::new(501);
pub(super) const SECOND_TERMINAL: TerminalId = TerminalId::new(502);
pub(super) const OTHER_TERMINAL: TerminalId = TerminalId::new(503);
pub(super) const CLIENT: ClientId = ClientId::new(601);
pub(super) const SECOND_CLIENT: ClientId = ClientId::new(602);
pub(super) const OTHER_CLIENT: ClientId = ClientId::new(603);
pub(super) const BATCH: BatchId = BatchId::new(701);

/// 2026-03-01T07:40:00Z: a few minutes before a full hour, so that little time crosses one.
pub(super) const START: Timestamp = Timestamp::from_micros(1_772_350_800_000_000);

/// A moment after [`START`].
pub(super) fn after(seconds: i64) -> Timestamp {
    START.plus_seconds(seconds)
}

pub(super) fn amount(minor: i64) -> Amount {
    Amount::new(minor).expect("an amount")
}

/// The id of the nth thing that happened at a moment.
pub(super) fn id_at(at: Timestamp, n: i64) -> OperationId {
    OperationId::new(ids::floor_of(at) + n)
}

fn rules(validity: Validity) -> Rules {
    Rules {
        denominations: Denominations::Free { min: amount(1), max: amount(1_000_000) },
        validity,
        acceptance: domain::program::Acceptance::default(),
        redemption_min: Some(amount(3)),
        redemption_max: Some(amount(4_900)),
        daily_count: Some(9),
        daily_amount: Some(amount(20_000)),
        balance_cap: Some(amount(30_000)),
        reloadable: true,
        registered: true,
        pin: PinRule::Above { amount: amount(4_500) },
        pin_issued: true,
        member_required: false,
        lot_order: domain::lot::LotOrder::ProRata,
        residual: ResidualPolicy::KeepClaimable,
        legal_class: domain::program::LegalClass::SingleEnterprise,
        transferable: true,
        cash_out: true,
        hold_seconds: 900,
        refund_days: Some(1),
        reversal_seconds: 20_000,
        reactivation_months: None,
        policy_pack: PackId::parse("cn-prepaid-consumption")
            .map(|id| NamedPack { id, since: Timestamp::from_micros(0) }),
    }
}

pub(super) fn program(id: ProgramId, issuer: IssuerId) -> Program {
    let mut rules = rules(Validity::Days { days: 2 });
    if id == SECOND_PROGRAM {
        rules.validity = Validity::Unlimited;
        rules.residual = ResidualPolicy::Breakage;
        rules.lot_order = domain::lot::LotOrder::BonusFirst;
        rules.acceptance.merchants = Some(BTreeSet::from([MERCHANT]));
        (rules.transferable, rules.cash_out, rules.registered) = (false, false, false);
    }
    Program {
        id,
        issuer,
        name: format!("礼品卡 {}", id.get()),
        currency: Currency::CNY,
        number_prefix: "9588".to_owned(),
        number_length: 16,
        status: CatalogStatus::Active,
        rules,
        created_at: START,
        version: 1,
    }
}

pub(super) fn issuer(id: IssuerId) -> Issuer {
    let time_zone = "Asia/Shanghai";
    Issuer {
        id,
        name: format!("发卡企业 {}", id.get()),
        time_zone: time_zone.to_owned(),
        zone: TimeZone::get(time_zone).expect("bundled"),
        status: CatalogStatus::Active,
        created_at: START,
        version: 1,
    }
}

pub(super) fn merchant(id: MerchantId, issuer: IssuerId) -> Merchant {
    let name = format!("merchant {}", id.get());
    Merchant { id, issuer, name, status: CatalogStatus::Active, created_at: START, version: 1 }
}

pub(super) fn shop(id: StoreId, issuer: IssuerId, merchant: MerchantId) -> Shop {
    let name = format!("门店 {}", id.get());
    Shop { id, issuer, merchant, name, status: CatalogStatus::Active, created_at: START, version: 1 }
}

pub(super) fn terminal(id: TerminalId, issuer: IssuerId, store: StoreId) -> Terminal {
    let name = format!("till {}", id.get());
    Terminal { id, issuer, store, name, status: CatalogStatus::Active, created_at: START, version: 1 }
}

pub(super) fn client(id: ClientId, issuer: Option<IssuerId>) -> Client {
    let mut secret_hash = [0; 32];
    secret_hash[..8].copy_from_slice(&id.get().to_be_bytes());
    Client {
        id,
        issuer,
        merchant: None,
        name: format!("client {}", id.get()),
        scopes: BTreeSet::from([Scope::Redeem, Scope::CardsRead]),
        secret_hash,
        rate_per_second: 100,
        status: CatalogStatus::Active,
        created_at: START,
        version: 1,
    }
}

/// The whole catalog of the small world, in an order in which each refers to what is there.
pub(super) fn catalog_entries() -> Vec<CatalogEntry> {
    vec![
        CatalogEntry::Issuer(issuer(ISSUER)),
        CatalogEntry::Issuer(issuer(OTHER_ISSUER)),
        CatalogEntry::Program(program(PROGRAM, ISSUER)),
        CatalogEntry::Program(program(SECOND_PROGRAM, ISSUER)),
        CatalogEntry::Program(program(OTHER_PROGRAM, OTHER_ISSUER)),
        CatalogEntry::Merchant(merchant(MERCHANT, ISSUER)),
        CatalogEntry::Merchant(merchant(SECOND_MERCHANT, ISSUER)),
        CatalogEntry::Merchant(merchant(OTHER_MERCHANT, OTHER_ISSUER)),
        CatalogEntry::Store(shop(SHOP, ISSUER, MERCHANT)),
        CatalogEntry::Store(shop(SECOND_SHOP, ISSUER, SECOND_MERCHANT)),
        CatalogEntry::Store(shop(OTHER_SHOP, OTHER_ISSUER, OTHER_MERCHANT)),
        CatalogEntry::Terminal(terminal(TERMINAL, ISSUER, SHOP)),
        CatalogEntry::Terminal(terminal(SECOND_TERMINAL, ISSUER, SECOND_SHOP)),
        CatalogEntry::Terminal(terminal(OTHER_TERMINAL, OTHER_ISSUER, OTHER_SHOP)),
        CatalogEntry::Client(client(CLIENT, Some(ISSUER))),
        CatalogEntry::Client(client(SECOND_CLIENT, Some(ISSUER))),
        CatalogEntry::Client(client(OTHER_CLIENT, Some(OTHER_ISSUER))),
    ]
}

/// Writes the catalog and one batch.
pub(super) async fn settle(store: &dyn Store) {
    for entry in catalog_entries() {
        store.put_catalog(&entry).await.expect("a new entry");
    }
    store.create_batch(&batch(BATCH, "first")).await.expect("a new batch");
}

pub(super) fn batch(id: BatchId, key: &str) -> Batch {
    Batch {
        id,
        issuer: ISSUER,
        program: PROGRAM,
        client: CLIENT,
        key: key.to_owned(),
        fingerprint: (1, [9; 16]),
        count: 100,
        face_value: Some(amount(5_000)),
        activate: false,
        issued: 0,
        activated: 0,
        status: BatchStatus::Running,
        failure: None,
        created_at: START,
        completed_at: None,
        exported_at: None,
    }
}

/// A stocked card of [`ISSUER`].
pub(super) fn stocked(id: i64) -> Card {
    Card {
        id: CardId::new(id),
        issuer: ISSUER,
        program: PROGRAM,
        batch: None,
        last4: u16::try_from(id.rem_euclid(10_000)).expect("four digits"),
        state: CardState::Stocked,
        face_value: None,
        lots: Vec::new(),
        held: Amount::ZERO,
        day: DayCounters::default(),
        pin: PinState::default(),
        member: None,
        activated_at: None,
        expires_at: None,
        last_operation: None,
        created_at: START,
    }
}

/// The look-up index of a card's number under a key.
pub(super) fn index_of(card: CardId, key_id: u8) -> NumberIndex {
    let mut bytes = [key_id; 16];
    // Spread, as keyed digests are.
    bytes[..8]
        .copy_from_slice(&card.get().wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed()).to_be_bytes());
    NumberIndex(bytes)
}

pub(super) fn sealed(key_id: u8, what: &str) -> Sealed {
    Sealed { key_id, bytes: what.as_bytes().to_vec() }
}

/// A card with its secrets under key 1.
pub(super) fn new_card(card: Card) -> NewCard {
    let id = card.id;
    NewCard {
        card,
        index: index_of(id, 1),
        index_key_id: 1,
        number: sealed(1, &format!("number {id}")),
        pin: Some(sealed(1, &format!("pin {id}"))),
    }
}

/// Writes cards, as stocked ones: what only operations give them is left away.
pub(super) async fn insert(store: &dyn Store, cards: &[Card]) {
    let stock = |card: &Card| Card {
        state: CardState::Stocked,
        lots: Vec::new(),
        held: Amount::ZERO,
        day: DayCounters::default(),
        pin: PinState { digest: card.pin.digest, failures: 0, lifetime_failures: 0 },
        member: None,
        activated_at: None,
        expires_at: None,
        last_operation: None,
        ..card.clone()
    };
    let new: Vec<NewCard> = cards.iter().map(|card| new_card(stock(card))).collect();
    assert_eq!(store.insert_cards(&new, None).await.expect("new cards"), Vec::<usize>::new());
}

/// An operation that did nothing to no card.
pub(super) fn operation(id: OperationId, at: Timestamp) -> Operation {
    let zone = TimeZone::get("Asia/Shanghai").expect("bundled");
    Operation {
        id,
        issuer: ISSUER,
        client: CLIENT,
        key: key(&format!("key-{}", id.get())),
        fingerprint: Fingerprint { key_id: 1, bytes: [7; 16] },
        kind: OperationKind::Reversal,
        status: Status::Approved,
        program: None,
        card: None,
        counterpart: None,
        original: None,
        hold: None,
        merchant: None,
        store: None,
        terminal: None,
        channel: None,
        currency: Some(Currency::CNY),
        requested: Amount::ZERO,
        approved: Amount::ZERO,
        business_date: BusinessDate::of(at, &zone),
        at,
        trace: None,
        reference: None,
        metadata: None,
        detail: Detail::default(),
    }
}

pub(super) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).expect("a key")
}

/// A card as an operation left it.
pub(super) fn card_after(card: &Card, previous: Option<OperationId>, at: Timestamp) -> CardAfter {
    CardAfter {
        id: card.id,
        last4: card.last4,
        state: card.state.code(),
        balance: card.posted(),
        held: card.held,
        available: card.available(at),
        previous,
    }
}

/// Changes that consist of operations alone.
pub(super) fn only(operations: impl IntoIterator<Item = Operation>) -> Changes {
    Changes { operations: operations.into_iter().map(Arc::new).collect(), ..Changes::default() }
}

/// An operation on a card, with the card as it is to be: the least that a store accepts for a change of a
/// card. Sets the card's newest operation.
pub(super) fn touch(card: &mut Card, id: OperationId, at: Timestamp) -> Operation {
    let previous = card.last_operation.replace(id);
    Operation {
        kind: OperationKind::Adjustment,
        issuer: card.issuer,
        program: Some(card.program),
        card: Some(card_after(card, previous, at)),
        ..operation(id, at)
    }
}

/// Begins, writes and commits.
pub(super) async fn commit(store: &dyn Store, changes: &Changes) -> crate::Result<()> {
    store.begin().await?.commit(changes).await?.await
}

/// An account of [`ISSUER`]'s ledger; a card's never.
pub(super) fn account(kind: AccountKind, merchant: MerchantId) -> Account {
    let reference = match kind {
        AccountKind::Merchant => merchant.get(),
        AccountKind::Channel => Channel::parse("web").expect("a channel").packed(),
        _ => ISSUER.get(),
    };
    Account::from_stored(kind, reference).expect("an account")
}

/// A transfer without lots.
pub(super) fn transfer(
    operation: OperationId,
    seq: u16,
    debit: domain::Account,
    credit: domain::Account,
    minor: i64,
) -> Transfer {
    Transfer { operation, seq, debit, debit_lot: None, credit, credit_lot: None, amount: amount(minor) }
}

/// The only lot of a card.
pub(super) fn lot(remaining: i64, expires_at: Option<Timestamp>) -> Lot {
    Lot {
        no: LotNo(1),
        source: LotSource::Paid,
        funder: None,
        granted: amount(remaining.max(1)),
        remaining: amount(remaining),
        expired: Amount::ZERO,
        expired_to_breakage: false,
        expires_at,
    }
}

/// Follows a list to its end and returns its pages. Fails if it does not end or goes backwards.
pub(super) async fn pages<T, F, Fut>(mut page: F) -> Vec<Vec<T>>
where
    F: FnMut(Option<i64>) -> Fut,
    Fut: Future<Output = crate::Result<crate::Page<T>>>,
{
    let (mut pages, mut before) = (Vec::new(), None);
    loop {
        let found = page(before).await.expect("a page");
        pages.push(found.items);
        let Some(next) = found.next else { return pages };
        assert!(before.is_none_or(|before| next < before), "a list must go on to older items");
        before = Some(next);
    }
}

/// The filter that accepts all operations of an issuer.
pub(super) fn everything(issuer: IssuerId) -> crate::OperationFilter {
    crate::OperationFilter {
        issuer,
        card: None,
        kind: None,
        approved: None,
        merchant: None,
        store: None,
        terminal: None,
        client: None,
        from: None,
        to: None,
    }
}

/// Rolls up until nothing is behind. Returns how many operations were taken in.
pub(super) async fn catch_up(store: &dyn Store) -> u64 {
    let mut taken = 0;
    for _ in 0..1_000 {
        let step = store.roll_up(33).await.expect("a roll-up");
        taken += step.operations;
        if step.behind == 0 && store.roll_up_journal(33).await.expect("a roll-up").behind == 0 {
            return taken;
        }
    }
    panic!("the roll-up does not catch up");
}
