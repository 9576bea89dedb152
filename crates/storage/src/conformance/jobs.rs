//! What jobs look for is found from its moment on, and not before.

use domain::{
    Amount, Card, CardId, CardState, Hold, HoldId, IssuerId, Lot, LotNo, OperationKind, Timestamp,
    card::CloseReason, hold::HoldStatus, working::Changes,
};

use super::{
    Fresh,
    world::{
        ISSUER, MERCHANT, OTHER_ISSUER, OTHER_MERCHANT, OTHER_PROGRAM, START, after, amount, commit, id_at,
        insert, lot, only, settle, stocked, touch,
    },
};
use crate::{DueHold, ExpirySpan, Store};

fn just_before(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros() - 1)
}

/// Open holds whose end has come, the earliest end first.
pub async fn due_holds_are_found_at_their_moment(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let mut own = Card { state: CardState::Active, lots: vec![lot(1_000, None)], ..stocked(11) };
    let mut foreign =
        Card { issuer: OTHER_ISSUER, program: OTHER_PROGRAM, id: CardId::new(12), ..own.clone() };
    insert(store, &[own.clone(), foreign.clone()]).await;
    // (end, status): by id they are in another order than by end.
    let open = HoldStatus::Open;
    let ends =
        [(300, open), (100, open), (200, open), (50, HoldStatus::Released), (60, HoldStatus::Captured)];
    let mut holds = Vec::new();
    for ((end, status), n) in ends.into_iter().zip(1..) {
        holds.push(write_hold(store, &mut own, n, after(end), status).await);
    }
    holds.push(write_hold(store, &mut foreign, 6, after(150), open).await);
    let check = async |now: Timestamp, limit: usize, expect: &[usize]| {
        let found = store.due_holds(now, limit).await.expect("holds");
        let expect: Vec<DueHold> = expect.iter().map(|n| holds[*n]).collect();
        assert_eq!(found, expect, "at {now}");
    };
    check(just_before(after(100)), 10, &[]).await;
    check(after(100), 10, &[1]).await;
    check(just_before(after(150)), 10, &[1]).await;
    check(after(299), 10, &[1, 5, 2]).await;
    check(after(300), 10, &[1, 5, 2, 0]).await;
    check(after(300), 2, &[1, 5]).await;
    write_status(store, &mut own, holds[1].hold, HoldStatus::Expired).await;
    check(after(300), 10, &[5, 2, 0]).await;
}

async fn write_hold(
    store: &dyn Store,
    card: &mut Card,
    n: i64,
    end: Timestamp,
    status: HoldStatus,
) -> DueHold {
    let id = id_at(START, n);
    let merchant = if card.issuer == ISSUER { MERCHANT } else { OTHER_MERCHANT };
    let hold = Hold {
        id: HoldId::new(id.get()),
        issuer: card.issuer,
        card: card.id,
        merchant,
        store: None,
        terminal: None,
        amount: amount(10),
        captured: Amount::ZERO,
        status,
        created_at: START,
        expires_at: end,
    };
    if status == HoldStatus::Open {
        card.held = card.held.checked_add(hold.amount).expect("an amount");
    }
    let mut operation = touch(card, id, START);
    (operation.kind, operation.hold) = (OperationKind::Hold, Some(hold.id));
    let due = DueHold { hold: hold.id, issuer: hold.issuer };
    let changes = Changes { cards: vec![card.clone()], holds: vec![hold], ..only([operation]) };
    commit(store, &changes).await.expect("committed");
    due
}

async fn write_status(store: &dyn Store, card: &mut Card, id: HoldId, status: HoldStatus) {
    let hold = store.hold(id).await.expect("a hold").expect("a hold");
    card.held = card.held.checked_sub(hold.amount).expect("an amount");
    let operation = touch(card, id_at(after(400), 1), after(400));
    let changes =
        Changes { cards: vec![card.clone()], holds: vec![Hold { status, ..hold }], ..only([operation]) };
    commit(store, &changes).await.expect("committed");
}

/// What a card is like, and from when on it is due.
struct Case {
    card: Card,
    due: Option<Timestamp>,
}

fn cases() -> Vec<Case> {
    let (end, lot_end) = (after(100), after(50));
    let valid =
        || Card { expires_at: Some(end), lots: vec![lot(10, None)], state: CardState::Active, ..stocked(0) };
    let frozen = CardState::Frozen { reason: "r".to_owned() };
    let closed = CardState::Closed { reason: CloseReason::Destroyed };
    let two = vec![lot(10, None), Lot { no: LotNo(2), ..lot(5, Some(lot_end)) }];
    let cases = [
        (valid(), Some(end)),
        (Card { state: frozen.clone(), ..valid() }, Some(end)),
        (Card { lots: Vec::new(), ..valid() }, Some(end)),
        (Card { expires_at: None, ..valid() }, None),
        (Card { held: amount(4), ..valid() }, None),
        (Card { state: CardState::Stocked, lots: Vec::new(), ..valid() }, None),
        (Card { state: CardState::Lost, ..valid() }, None),
        (Card { state: CardState::Expired, lots: Vec::new(), ..valid() }, None),
        (Card { state: closed, lots: Vec::new(), ..valid() }, None),
        (Card { lots: two.clone(), ..valid() }, Some(lot_end)),
        (Card { lots: two.clone(), expires_at: None, ..valid() }, Some(lot_end)),
        (Card { lots: two.clone(), expires_at: None, state: frozen, ..valid() }, Some(lot_end)),
        (Card { lots: two, expires_at: None, held: amount(4), ..valid() }, Some(lot_end)),
        (Card { lots: vec![lot(0, Some(lot_end))], expires_at: None, ..valid() }, None),
    ];
    let numbered = cases.into_iter().zip(11..).map(|((card, due), id)| {
        let id = CardId::new(id);
        let foreign = id.get() == 12;
        let (issuer, program) =
            if foreign { (OTHER_ISSUER, OTHER_PROGRAM) } else { (card.issuer, card.program) };
        Case { card: Card { id, issuer, program, ..card }, due }
    });
    numbered.collect()
}

/// Cards past their validity and lots past theirs, by card, in pages.
pub async fn due_cards_are_found_at_their_moment(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let mut cases = cases();
    let cards: Vec<Card> = cases.iter().map(|case| case.card.clone()).collect();
    insert(store, &cards).await;
    for (case, n) in cases.iter_mut().zip(1..) {
        let operation = touch(&mut case.card, id_at(START, n), START);
        let changes = Changes { cards: vec![case.card.clone()], ..only([operation]) };
        commit(store, &changes).await.expect("committed");
    }
    for now in [just_before(after(50)), after(50), just_before(after(100)), after(100), after(100_000)] {
        let due = cases.iter().filter(|case| case.due.is_some_and(|due| due <= now));
        let expect: Vec<(CardId, IssuerId)> = due.map(|case| (case.card.id, case.card.issuer)).collect();
        for limit in [1, 2, 100] {
            assert_eq!(due_in_pages(store, now, limit).await, expect, "at {now}, {limit} a page");
        }
    }
}

/// Cards whose validity ends soon are found in the order of their ends, each once, however long a page is.
pub async fn expiring_cards_are_paged(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    // Ends at 10, 20, 20, 30 …; without value, ended for good, of no end, or of another issuer: none of them.
    let ends = [Some(30), Some(20), Some(10), Some(20), Some(40), None, Some(20), Some(20)];
    let mut cards: Vec<Card> = ends
        .into_iter()
        .zip(1..)
        .map(|(end, id)| {
            let mut card = stocked(id);
            card.state = CardState::Active;
            card.lots = vec![lot(5, None)];
            card.expires_at = end.map(after);
            card
        })
        .collect();
    cards[6].lots = Vec::new();
    cards[7].state = CardState::Expired;
    insert(store, &cards).await;
    for (card, n) in cards.iter_mut().zip(1..) {
        let operation = touch(card, id_at(START, n), START);
        let changes = Changes { cards: vec![card.clone()], ..only([operation]) };
        commit(store, &changes).await.expect("committed");
    }
    for limit in [1, 2, 100] {
        let (mut found, mut last) = (Vec::new(), (after(10), CardId::new(i64::MAX)));
        loop {
            let span = ExpirySpan { issuer: ISSUER, after: last, until: after(30) };
            let page = store.expiring_cards(&span, limit).await.expect("cards");
            let Some(card) = page.last() else { break };
            last = (card.expires_at.expect("an end"), card.id);
            found.extend(page.iter().map(|card| card.id.get()));
        }
        assert_eq!(found, [2, 4, 1], "{limit} a page");
    }
    let span = ExpirySpan { issuer: ISSUER, after: (after(0), CardId::new(0)), until: after(10) };
    assert_eq!(store.expiring_cards(&span, 9).await.expect("cards").len(), 1, "the last moment counts");
    let foreign = ExpirySpan { issuer: OTHER_ISSUER, ..span };
    assert!(store.expiring_cards(&foreign, 9).await.expect("cards").is_empty());
}

async fn due_in_pages(store: &dyn Store, now: Timestamp, limit: usize) -> Vec<(CardId, IssuerId)> {
    let (mut all, mut last) = (Vec::new(), None);
    loop {
        let page = store.due_cards(now, last, limit).await.expect("cards");
        assert!(page.len() <= limit);
        let Some((card, _)) = page.last() else { return all };
        assert!(last.is_none_or(|last| last < *card), "ordered by card");
        last = Some(*card);
        all.extend(page);
    }
}
