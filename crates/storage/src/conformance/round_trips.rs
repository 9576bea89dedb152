//! Whatever is written is read back as it was, field by field.

use std::sync::Arc;

use domain::{
    Account, Amount, BusinessDate, Card, CardId, CardState, Channel, Currency, Decline, Fingerprint, Hold,
    HoldId, Lot, LotNo, Operation, OperationId, OperationKind, Timestamp, Transfer,
    card::{CloseReason, DayCounters, MAX_LOTS, PinDigest, PinState, StateCode},
    command::Direction,
    hold::HoldStatus,
    lot::LotSource,
    operation::{CardAfter, Compensation, Destination, Detail, Recorded, Status},
    policy::{BankAccount, BrokenRule, Buyer, Funding, Means, Payout, PayoutMeans, refund},
    working::{Changes, KeyState, Need, Tombstone, TraceKey, Working},
};

use super::{
    Fresh,
    world::{
        BATCH, CLIENT, ISSUER, MERCHANT, SECOND_CLIENT, SECOND_MERCHANT, SECOND_SHOP, SECOND_TERMINAL, SHOP,
        START, TERMINAL, after, amount, commit, id_at, index_of, insert, key, only, operation, settle,
        stocked, touch, transfer,
    },
};
use crate::Store;

/// Reads in a transaction that is then given up.
async fn load(store: &dyn Store, needs: &[Need]) -> Working {
    let mut working = Working::default();
    let mut transaction = store.begin().await.expect("a transaction");
    transaction.load(needs, &mut working).await.expect("loaded");
    working
}

/// Every field of a card, in every state.
pub async fn cards_round_trip(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let mut cards = card_variants();
    insert(store, &cards).await;
    for (written, n) in cards.iter_mut().zip(1..) {
        let operation = touch(written, id_at(after(n), n), after(n));
        let changes = Changes { cards: vec![written.clone()], ..only([operation]) };
        commit(store, &changes).await.expect("committed");
    }
    for written in &cards {
        let by_query = store.card(written.id).await.expect("a card");
        assert_eq!(by_query.as_ref(), Some(written));
        let by_number = store.card_by_number(&[index_of(written.id, 1)]).await.expect("a card");
        assert_eq!(by_number.as_ref(), Some(written));
        let working = load(store, &[Need::Card(written.id)]).await;
        assert_eq!(working.cards[&written.id].as_ref(), Some(written));
    }
    assert_eq!(store.card(CardId::new(999_999)).await.expect("no card"), None);
    let full = cards.into_iter().find(|card| card.id == full_card().id);
    back_to_stock(store, full.expect("the full card")).await;
}

/// What a reversed activation takes away must be gone, not only overwritten where there is something.
async fn back_to_stock(store: &dyn Store, card: Card) {
    let mut bare = Card {
        state: CardState::Stocked,
        lots: Vec::new(),
        held: Amount::ZERO,
        day: DayCounters::default(),
        pin: PinState { failures: 0, lifetime_failures: 0, ..card.pin },
        member: None,
        activated_at: None,
        expires_at: None,
        ..card
    };
    let operation = touch(&mut bare, id_at(after(900), 1), after(900));
    let changes = Changes { cards: vec![bare.clone()], ..only([operation]) };
    commit(store, &changes).await.expect("committed");
    assert_eq!(store.card(bare.id).await.expect("a card"), Some(bare));
}

fn lot(no: u16, source: LotSource, remaining: i64) -> Lot {
    Lot {
        no: LotNo(no),
        source,
        funder: None,
        granted: amount(remaining + 10),
        remaining: amount(remaining),
        expired: Amount::ZERO,
        expired_to_breakage: false,
        expires_at: None,
    }
}

fn card_variants() -> Vec<Card> {
    let states = [
        CardState::Stocked,
        CardState::Active,
        CardState::Frozen { reason: "持卡人要求 \"stolen?\" \u{1F4B3}\n".to_owned() },
        CardState::Frozen { reason: String::new() },
        CardState::Lost,
        CardState::Expired,
        CardState::Closed { reason: CloseReason::Replaced(CardId::new(20)) },
        CardState::Closed { reason: CloseReason::Merged(CardId::new(20)) },
        CardState::Closed { reason: CloseReason::CashedOut },
        CardState::Closed { reason: CloseReason::Refunded },
        CardState::Closed { reason: CloseReason::Destroyed },
    ];
    let mut cards: Vec<Card> =
        states.into_iter().zip(11..).map(|(state, id)| Card { state, ..stocked(id) }).collect();
    for (n, card) in cards.iter_mut().enumerate().skip(1) {
        let n = i64::try_from(n).expect("few cards");
        card.lots = vec![lot(1, LotSource::Paid, 100 * n)];
        card.face_value = Some(amount(n));
        card.activated_at = Some(after(n));
    }
    cards.push(full_card());
    cards.push(many_lots());
    cards.push(Card { lots: vec![lot_of_everything()], last4: 0, ..stocked(i64::MAX) });
    cards
}

/// All optional fields at once.
fn full_card() -> Card {
    let funded = Lot {
        funder: Some(SECOND_MERCHANT),
        expires_at: Some(after(77)),
        ..lot(3, LotSource::MerchantFunded, 30)
    };
    let expired = Lot { expired: amount(5), expired_to_breakage: true, ..lot(4, LotSource::Bonus, 5) };
    let residual = Lot { expired: amount(6), remaining: amount(0), ..lot(9, LotSource::Bonus, 0) };
    Card {
        batch: Some(BATCH),
        last4: 7,
        state: CardState::Active,
        face_value: Some(amount(0)),
        lots: vec![
            lot(1, LotSource::Paid, 10),
            lot(2, LotSource::EmployerFunded, 20),
            funded,
            expired,
            residual,
        ],
        held: amount(60),
        day: DayCounters { date: BusinessDate::from_stored(20_260_301), count: u32::MAX, amount: amount(55) },
        pin: PinState {
            digest: Some(PinDigest { key_id: 255, bytes: [0xA5; 16] }),
            failures: 4,
            lifetime_failures: 9,
        },
        member: Some("会员-Ω'; --".to_owned()),
        activated_at: Some(after(1)),
        expires_at: Some(Timestamp::MAX),
        ..stocked(30)
    }
}

fn many_lots() -> Card {
    let count = u16::try_from(MAX_LOTS).expect("few lots");
    let lots = (1..=count).map(|no| Lot {
        expires_at: Some(after(i64::from(no))),
        ..lot(no * 1_000, LotSource::ALL[usize::from(no) % 4], i64::from(no))
    });
    Card { state: CardState::Active, lots: lots.collect(), ..stocked(31) }
}

/// The largest values that each field can have.
fn lot_of_everything() -> Lot {
    Lot {
        no: LotNo(u16::MAX),
        source: LotSource::Paid,
        funder: Some(MERCHANT),
        granted: Amount::MAX,
        remaining: Amount::MAX,
        expired: Amount::ZERO,
        expired_to_breakage: false,
        expires_at: Some(Timestamp::MAX),
    }
}

/// Every kind, every decline, every optional field of an operation.
pub async fn operations_round_trip(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let (mut card, mut other) = (stocked(41), stocked(42));
    insert(store, &[card.clone(), other.clone()]).await;
    let written = operation_variants(&mut card, &mut other);
    let changes = Changes { cards: vec![card, other], ..only(written.iter().cloned()) };
    commit(store, &changes).await.expect("committed");
    for written in &written {
        assert_eq!(store.operation(written.id).await.expect("an operation").as_ref(), Some(written));
        let by_key = store.operation_by_key(written.client, &written.key).await.expect("an operation");
        assert_eq!(by_key.as_ref(), Some(written));
        let foreign =
            store.operation_by_key(domain::ClientId::new(1), &written.key).await.expect("no operation");
        assert_eq!(foreign, None, "a key is its client's own");
        check_loaded(store, written).await;
    }
    let newest = written.iter().map(|o| o.id).max();
    assert_eq!(store.newest_operation().await.expect("an id"), newest);
    let unknown = OperationId::new(1);
    assert_eq!(store.operation(unknown).await.expect("no operation"), None);
    assert_eq!(load(store, &[Need::Operation(unknown)]).await.operations[&unknown], None);
}

async fn check_loaded(store: &dyn Store, written: &Operation) {
    let by_key = (written.client, written.key.clone());
    let mut needs = vec![Need::Operation(written.id), Need::Key(by_key.0, by_key.1.clone())];
    let trace = written.terminal.zip(written.trace);
    let trace = trace.map(|(terminal, trace)| TraceKey { terminal, date: written.business_date, trace });
    needs.extend(trace.map(Need::Trace));
    let working = load(store, &needs).await;
    let operation = Arc::new(written.clone());
    assert_eq!(working.keys[&by_key], KeyState::Taken(Arc::clone(&operation)));
    if let Some(trace) = trace {
        assert_eq!(working.traces[&trace], Some(Arc::clone(&operation)));
    }
    let recorded = Recorded { operation, transfers: Vec::new(), compensation: Compensation::default() };
    assert_eq!(working.operations[&written.id], Some(recorded));
}

fn operation_variants(card: &mut Card, other: &mut Card) -> Vec<Operation> {
    let mut n = 0;
    let mut next = || {
        n += 1;
        (id_at(after(n), n), after(n))
    };
    let mut all = Vec::new();
    for kind in OperationKind::ALL {
        let (id, at) = next();
        all.push(Operation { kind, ..touch(card, id, at) });
    }
    for decline in Decline::ALL {
        let (id, at) = next();
        all.push(Operation { status: Status::Declined(*decline), ..touch(card, id, at) });
    }
    for state in StateCode::ALL {
        let (id, at) = next();
        let operation = touch(card, id, at);
        let card = operation.card.map(|after| CardAfter { state, ..after });
        all.push(Operation { card, ..operation });
    }
    for detail in details() {
        let (id, at) = next();
        all.push(Operation { detail, ..touch(card, id, at) });
    }
    let (id, at) = next();
    all.push(operation(id, at));
    let (id, at) = next();
    all.push(full_operation(id, at, card, other, all[0].id));
    all
}

fn details() -> Vec<Detail> {
    let none = Detail::default;
    let mut details = vec![
        Detail { reason: Some("理由".to_owned()), ..none() },
        Detail { reason: Some(String::new()), ..none() },
        Detail { expires_at: Some(Timestamp::MAX), ..none() },
        Detail { forfeited: Some(Amount::ZERO), ..none() },
        Detail { forfeited: Some(Amount::MAX), ..none() },
        Detail { direction: Some(Direction::Credit), ..none() },
        Detail { direction: Some(Direction::Debit), ..none() },
        Detail { member: Some("m-1".to_owned()), ..none() },
        Detail { original_key: Some("x".repeat(128)), ..none() },
        Detail { duplicate_trace: Some(0), ..none() },
        Detail { duplicate_trace: Some(999_999), ..none() },
    ];
    let destinations = [Destination::Card, Destination::Successor, Destination::Residual];
    details.extend(destinations.map(|d| Detail { destination: Some(d), ..none() }));
    details
}

fn full_operation(
    id: OperationId,
    at: Timestamp,
    card: &mut Card,
    other: &mut Card,
    original: OperationId,
) -> Operation {
    let counterpart = touch(other, id, at).card;
    Operation {
        client: SECOND_CLIENT,
        key: key(&format!("~{}", "k".repeat(127))),
        fingerprint: Fingerprint { key_id: 255, bytes: [0xFE; 16] },
        kind: OperationKind::Transfer,
        counterpart,
        original: Some(original),
        hold: Some(HoldId::new(original.get())),
        merchant: Some(SECOND_MERCHANT),
        store: Some(SECOND_SHOP),
        terminal: Some(SECOND_TERMINAL),
        channel: Channel::parse("zzzzzzzzzzzz").ok(),
        currency: Currency::parse("JPY").ok(),
        requested: Amount::MAX,
        approved: Amount::MAX,
        business_date: BusinessDate::from_stored(99_991_231),
        trace: Some(999_999),
        reference: Some("参考".repeat(20)),
        metadata: Some(format!("{{ \"note\" :\t\"{}\" }}", "备注 \\u0000 '\u{1F600}".repeat(100))),
        detail: Detail {
            reason: Some("a\nb".to_owned()),
            expires_at: Some(after(5)),
            forfeited: Some(amount(1)),
            destination: Some(Destination::Residual),
            direction: Some(Direction::Debit),
            member: Some("m".to_owned()),
            original_key: Some("k".to_owned()),
            duplicate_trace: Some(17),
            ..by_law()
        },
        ..touch(card, id, at)
    }
}

/// What policy packs have operations keep.
fn by_law() -> Detail {
    let account = |ending: &str| BankAccount { ending: ending.to_owned(), sealed: "1:00ff".to_owned() };
    let line = |item, article: Option<&str>| refund::Line {
        item,
        amount: Amount::MAX,
        article: article.map(ToOwned::to_owned),
        source: article.map(|_| "最高人民法院".to_owned()),
    };
    Detail {
        broken_rule: Some(Box::new(BrokenRule {
            pointer: "/funding".to_owned(),
            pack: "cn-beijing".to_owned(),
            version: "2022-06-01".to_owned(),
            rule: "transfer_remote".to_owned(),
            article: Some("17".to_owned()),
            number: 1,
            unit: "flag".to_owned(),
            source: "令".to_owned(),
        })),
        funding: Some(Box::new(Funding {
            buyer: Buyer::Company,
            face_to_face: false,
            means: Means::BankTransfer,
            payer: Some(account("5678")),
            payee: Some(account("账户")),
            identity_verified: true,
            purchase: Some(Amount::MAX),
        })),
        payout: Some(Box::new(Payout {
            means: PayoutMeans::Cash,
            identity_verified: true,
            same_name: false,
            account: Some(account("")),
        })),
        refund: Some(Box::new(refund::Calculation {
            cause: refund::Cause::CoolingOff,
            pack: "cn-beijing".to_owned(),
            version: "2025-05-01".to_owned(),
            rescinded_on: Some(BusinessDate::from_stored(20_261_122)),
            days: 366,
            rate: 300,
            day_count: 365,
            pay_by: Some(BusinessDate::from_stored(20_261_207)),
            lines: vec![line(refund::Item::Paid, None), line(refund::Item::Principal, Some("14"))],
        })),
        ..Detail::default()
    }
}

/// Every kind of account on both sides, with and without lots, in order.
pub async fn transfers_round_trip(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let mut card = stocked(51);
    insert(store, &[card.clone()]).await;
    let (one, two) = (id_at(after(1), 1), id_at(after(1), 2));
    let operations = [touch(&mut card, one, after(1)), touch(&mut card, two, after(1))];
    let first = transfers_of_all_accounts(one);
    let second = vec![transfer(two, 1, Account::Bank(ISSUER), Account::Suspense(ISSUER), 8)];
    let changes = Changes {
        transfers: [first.clone(), second.clone()].concat(),
        cards: vec![card],
        ..only(operations)
    };
    commit(store, &changes).await.expect("committed");
    let working = load(store, &[Need::Operation(one), Need::Operation(two)]).await;
    for (id, written) in [(one, first), (two, second)] {
        let recorded = working.operations[&id].as_ref().expect("an operation");
        assert_eq!(recorded.transfers, written);
    }
}

fn transfers_of_all_accounts(operation: OperationId) -> Vec<Transfer> {
    let card = Account::Card(CardId::new(51));
    let accounts = [
        Account::Merchant(MERCHANT),
        Account::Channel(Channel::parse("___________z").expect("a channel")),
        Account::Promotion(ISSUER),
        Account::Fees(ISSUER),
        Account::Breakage(ISSUER),
        Account::Residual(ISSUER),
        Account::Bank(ISSUER),
        Account::Suspense(ISSUER),
    ];
    let mut transfers = Vec::new();
    for (account, n) in accounts.into_iter().zip(1_u16..) {
        let claim = matches!(account, Account::Breakage(_) | Account::Residual(_)).then_some(LotNo(n));
        let lot = Some(LotNo(u16::MAX - n));
        let onto = transfer(operation, 2 * n - 1, account, card, i64::from(n));
        transfers.push(Transfer { debit_lot: claim, credit_lot: lot, ..onto });
        let off = Transfer {
            amount: Amount::new(1 << 50).expect("an amount"),
            ..transfer(operation, 2 * n, card, account, 1)
        };
        transfers.push(Transfer { debit_lot: lot, credit_lot: claim, ..off });
    }
    transfers
}

/// Every field of a hold in every status, and its changes.
pub async fn holds_round_trip(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let mut card = Card { lots: vec![lot(1, LotSource::Paid, 5_000)], ..stocked(61) };
    insert(store, &[card.clone()]).await;
    let statuses = [HoldStatus::Open, HoldStatus::Captured, HoldStatus::Released, HoldStatus::Expired];
    let mut holds = Vec::new();
    for (status, n) in statuses.into_iter().zip(1..) {
        let id = id_at(after(n), n);
        let mut operation = touch(&mut card, id, after(n));
        operation.kind = OperationKind::Hold;
        operation.hold = Some(HoldId::new(id.get()));
        let hold = Hold {
            id: HoldId::new(id.get()),
            issuer: ISSUER,
            card: card.id,
            merchant: MERCHANT,
            store: (n % 2 == 0).then_some(SHOP),
            terminal: (n > 2).then_some(TERMINAL),
            amount: amount(100 * n),
            captured: amount(n - 1),
            status: HoldStatus::Open,
            created_at: after(n),
            expires_at: after(900 + n),
        };
        write_hold(store, &mut card, operation, &hold).await;
        let later = touch(&mut card, id_at(after(n), n + 100), after(n));
        let hold = Hold { status, captured: amount(n), ..hold };
        write_hold(store, &mut card, later, &hold).await;
        holds.push(hold);
    }
    for written in &holds {
        assert_eq!(store.hold(written.id).await.expect("a hold").as_ref(), Some(written));
        let working = load(store, &[Need::Hold(written.id)]).await;
        assert_eq!(working.holds[&written.id].as_ref(), Some(written));
    }
    holds.reverse();
    assert_eq!(store.holds_of(card.id, 10).await.expect("holds"), holds, "newest first");
    assert_eq!(store.holds_of(card.id, 2).await.expect("holds"), holds[..2], "at most as many as asked for");
    assert_eq!(store.holds_of(CardId::new(62), 10).await.expect("holds"), Vec::new());
    assert_eq!(store.hold(HoldId::new(1)).await.expect("no hold"), None);
}

async fn write_hold(store: &dyn Store, card: &mut Card, operation: Operation, hold: &Hold) {
    let changes = Changes { cards: vec![card.clone()], holds: vec![hold.clone()], ..only([operation]) };
    commit(store, &changes).await.expect("committed");
}

/// What was given back of an operation, and reversals that came first.
pub async fn compensations_and_tombstones_round_trip(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let mut card = stocked(71);
    insert(store, &[card.clone()]).await;
    let sale = id_at(START, 1);
    let sold = Operation {
        kind: OperationKind::Redemption,
        requested: amount(900),
        approved: amount(900),
        merchant: Some(MERCHANT),
        ..touch(&mut card, sale, START)
    };
    commit(store, &Changes { cards: vec![card.clone()], ..only([sold]) }).await.expect("committed");
    let steps = [(amount(1), None), (amount(900), None), (amount(0), Some(id_at(after(3), 3)))];
    for ((refunded, reversed_by), n) in steps.into_iter().zip(1..) {
        let compensation = Compensation { refunded, reversed_by };
        let (id, at) = (id_at(after(n), n), after(n));
        let later = Operation { original: Some(sale), ..touch(&mut card, id, at) };
        let changes =
            Changes { cards: vec![card.clone()], compensations: vec![(sale, compensation)], ..only([later]) };
        commit(store, &changes).await.expect("committed");
        let working = load(store, &[Need::Operation(sale), Need::Operation(id)]).await;
        let found = |id| working.operations[&id].as_ref().map(|r: &Recorded| r.compensation);
        assert_eq!(found(sale), Some(compensation));
        assert_eq!(found(id), Some(Compensation::default()));
    }
    tombstones(store).await;
}

async fn tombstones(store: &dyn Store) {
    for (text, n) in ["late", "01ARZ3NDEKTSV4RRFFQ69G5FAV"].into_iter().zip(50..) {
        let (id, at, key) = (id_at(after(n), n), after(n), key(text));
        let tombstone = Tombstone { client: CLIENT, key: key.clone(), reversal: id };
        let changes = Changes { tombstones: vec![tombstone], ..only([operation(id, at)]) };
        commit(store, &changes).await.expect("committed");
        let needs = [Need::Key(CLIENT, key.clone()), Need::Key(SECOND_CLIENT, key.clone())];
        let working = load(store, &needs).await;
        assert_eq!(working.keys[&(CLIENT, key.clone())], KeyState::Tombstone(id));
        assert_eq!(working.keys[&(SECOND_CLIENT, key.clone())], KeyState::Free);
        // The late original is recorded as declined; from then on the key names it.
        let status = Status::Declined(Decline::ReversedBeforeArrival);
        let late = Operation { key: key.clone(), status, ..operation(id_at(at, n + 1), at) };
        commit(store, &only([late.clone()])).await.expect("committed");
        let working = load(store, &[Need::Key(CLIENT, key.clone())]).await;
        assert_eq!(working.keys[&(CLIENT, key)], KeyState::Taken(Arc::new(late)));
    }
}
