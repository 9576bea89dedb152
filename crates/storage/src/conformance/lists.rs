//! Lists of operations and transfers: each filter, each page, the chain of a card.

use std::sync::Arc;

use domain::{
    Account, CardId, Channel, Operation, OperationId, OperationKind, Timestamp, Transfer, working::Changes,
};

use super::{
    Fresh, commands,
    scenario::{Outcome, run},
    world::{
        CLIENT, ISSUER, MERCHANT, OTHER_ISSUER, OTHER_PROGRAM, SECOND_CLIENT, SECOND_MERCHANT, SECOND_SHOP,
        SECOND_TERMINAL, SHOP, TERMINAL, after, commit, everything, id_at, insert, only, operation, pages,
        settle, stocked, touch, transfer,
    },
};
use crate::{OperationFilter, Page, Result, Store, TransferFilter, TransferRow, queries::MAX_EXAMINED};

async fn scenario(store: &dyn Store, count: usize) -> Outcome {
    settle(store).await;
    insert(store, &commands::cards()).await;
    let catalog = store.load_catalog().await.expect("a catalog");
    let outcome = run(store, &catalog, &commands::fixed(7, count), &[9]).await;
    foreign_operation(store).await;
    outcome
}

/// The newest operation of all belongs to another issuer.
async fn foreign_operation(store: &dyn Store) {
    let at = after(50_000_000);
    let mut card = domain::Card { issuer: OTHER_ISSUER, program: OTHER_PROGRAM, ..stocked(31) };
    insert(store, &[card.clone()]).await;
    let id = id_at(at, 1);
    let operation = touch(&mut card, id, at);
    let moved = transfer(id, 1, Account::Suspense(OTHER_ISSUER), Account::Card(card.id), 7);
    let changes = Changes { cards: vec![card], transfers: vec![moved], ..only([operation]) };
    commit(store, &changes).await.expect("committed");
}

async fn list(
    store: &dyn Store,
    filter: OperationFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Page<Operation>> {
    store.operations(&filter, before.map(OperationId::new), limit).await
}

fn filters(middle: Timestamp) -> Vec<OperationFilter> {
    let all = everything(ISSUER);
    let card = Some(commands::cards()[1].id);
    let later = Timestamp::from_micros(middle.micros() + 1);
    let mut filters = vec![
        all,
        OperationFilter { card, ..all },
        OperationFilter { approved: Some(true), ..all },
        OperationFilter { approved: Some(false), ..all },
        OperationFilter { merchant: Some(MERCHANT), ..all },
        OperationFilter { merchant: Some(SECOND_MERCHANT), ..all },
        OperationFilter { store: Some(SHOP), ..all },
        OperationFilter { store: Some(SECOND_SHOP), ..all },
        OperationFilter { terminal: Some(TERMINAL), ..all },
        OperationFilter { terminal: Some(SECOND_TERMINAL), ..all },
        OperationFilter { client: Some(CLIENT), ..all },
        OperationFilter { client: Some(SECOND_CLIENT), ..all },
        OperationFilter { from: Some(middle), ..all },
        OperationFilter { from: Some(later), ..all },
        OperationFilter { to: Some(middle), ..all },
        OperationFilter { to: Some(later), ..all },
        OperationFilter { from: Some(middle), to: Some(later), ..all },
        OperationFilter { from: Some(later), to: Some(middle), ..all },
        OperationFilter { card, kind: Some(OperationKind::Redemption), approved: Some(true), ..all },
        OperationFilter { card, from: Some(middle), client: Some(CLIENT), ..all },
        OperationFilter { card, to: Some(middle), merchant: Some(MERCHANT), ..all },
        OperationFilter { card: Some(CardId::new(31)), ..all },
        OperationFilter { card: Some(CardId::new(9_999)), ..all },
    ];
    filters.extend(OperationKind::ALL.map(|kind| OperationFilter { kind: Some(kind), ..all }));
    filters
}

fn accepts(filter: &OperationFilter, o: &Operation) -> bool {
    let cards = [o.card, o.counterpart].into_iter().flatten();
    let is = |wanted: bool, given: bool| wanted || !given;
    is(cards.into_iter().any(|c| Some(c.id) == filter.card), filter.card.is_some())
        && is(Some(o.kind) == filter.kind, filter.kind.is_some())
        && is(Some(o.is_approved()) == filter.approved, filter.approved.is_some())
        && is(o.merchant == filter.merchant, filter.merchant.is_some())
        && is(o.store == filter.store, filter.store.is_some())
        && is(o.terminal == filter.terminal, filter.terminal.is_some())
        && is(Some(o.client) == filter.client, filter.client.is_some())
        && filter.from.is_none_or(|from| o.at >= from)
        && filter.to.is_none_or(|to| o.at < to)
}

fn middle_of(outcome: &Outcome) -> Timestamp {
    outcome.operations[outcome.operations.len() / 2].at
}

/// Each field alone and some together; pages of any size cover everything once, newest first.
pub async fn operations_are_filtered_and_paged(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let outcome = scenario(store, 400).await;
    let mut found_any = 0;
    for filter in filters(middle_of(&outcome)) {
        let expect: Vec<Operation> = outcome
            .operations
            .iter()
            .rev()
            .filter(|operation| accepts(&filter, operation))
            .map(|operation| Operation::clone(operation))
            .collect();
        found_any += usize::from(!expect.is_empty());
        for limit in [3, 1_000] {
            let found = pages(|before| list(store, filter, before, limit)).await;
            assert!(found.iter().all(|page| page.len() <= limit), "{filter:?}");
            assert_eq!(found.concat(), expect, "{filter:?}, {limit} a page");
        }
    }
    assert!(found_any > 25, "the scenario gives most filters something to find: {found_any}");
    let page = list(store, everything(ISSUER), None, 1).await.expect("a page");
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.next, Some(page.items[0].id.get()), "the next page begins after the last item");
}

/// The history of a card is what touched it as first or as second card, newest first.
pub async fn card_chains_include_the_second_card(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let mut cards: Vec<domain::Card> = (11..=13).map(stocked).collect();
    insert(store, &cards).await;
    // (first card, second card), by position.
    let steps = [(0, None), (0, Some(1)), (1, None), (2, Some(1)), (1, Some(0)), (0, None), (2, None)];
    let mut written: Vec<Operation> = Vec::new();
    for ((first, second), n) in steps.into_iter().zip(1..) {
        let (id, at) = (id_at(after(n), n), after(n));
        let mut operation = touch(&mut cards[first], id, at);
        if let Some(second) = second {
            operation.kind = OperationKind::Transfer;
            operation.counterpart = touch(&mut cards[second], id, at).card;
        }
        written.push(operation);
    }
    // All in one batch: an operation's predecessor may be a neighbour.
    let changes = Changes { cards: cards.clone(), ..only(written.iter().cloned()) };
    commit(store, &changes).await.expect("committed");
    for (position, card) in cards.iter().enumerate() {
        let touched = steps.iter().zip(&written).rev();
        let touched = touched.filter(|((first, second), _)| *first == position || *second == Some(position));
        let expect: Vec<Operation> = touched.map(|(_, operation)| operation.clone()).collect();
        for limit in [1, 2, 100] {
            let filter = OperationFilter { card: Some(card.id), ..everything(ISSUER) };
            let found = pages(|before| list(store, filter, before, limit)).await;
            assert_eq!(found.concat(), expect, "{}, {limit} a page", card.id);
        }
        let foreign = OperationFilter { card: Some(card.id), ..everything(OTHER_ISSUER) };
        let found = pages(|before| list(store, foreign, before, 100)).await;
        assert_eq!(found.concat(), Vec::new(), "another issuer's card has no history");
    }
}

/// A page never ends within an operation; pages cover everything once.
pub async fn transfers_are_paged(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let outcome = scenario(store, 300).await;
    let middle = middle_of(&outcome);
    let all = TransferFilter { issuer: ISSUER, account: None, operation: None, from: None, to: None };
    let several = outcome.operations.iter().find(|o| outcome.transfers_of(o.id).len() > 1);
    let several: &Arc<Operation> = several.expect("an operation with several transfers");
    let filters = [
        all,
        TransferFilter { operation: Some(several.id), ..all },
        TransferFilter { operation: Some(OperationId::new(5)), ..all },
        TransferFilter { operation: Some(id_at(after(50_000_000), 1)), ..all },
        TransferFilter { account: Some(Account::Merchant(MERCHANT)), ..all },
        TransferFilter { account: Some(Account::Card(commands::cards()[2].id)), ..all },
        TransferFilter { account: Channel::parse("web").ok().map(Account::Channel), ..all },
        TransferFilter { account: Some(Account::Promotion(ISSUER)), to: Some(middle), ..all },
        TransferFilter { account: Some(Account::Card(commands::cards()[0].id)), from: Some(middle), ..all },
        TransferFilter { from: Some(middle), ..all },
        TransferFilter { to: Some(middle), ..all },
    ];
    for filter in filters {
        let expect = expected_rows(&outcome, &filter);
        for limit in [1, 2, 5, 10_000] {
            let found = pages(|before| rows(store, filter, before, limit)).await;
            assert_no_operation_is_split(&found);
            assert_eq!(found.concat(), expect, "{filter:?}, {limit} a page");
        }
    }
}

async fn rows(
    store: &dyn Store,
    filter: TransferFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Page<TransferRow>> {
    store.transfers(&filter, before.map(OperationId::new), limit).await
}

fn expected_rows(outcome: &Outcome, filter: &TransferFilter) -> Vec<TransferRow> {
    let wanted = |o: &&Arc<Operation>| {
        filter.operation.is_none_or(|id| o.id == id)
            && filter.from.is_none_or(|from| o.at >= from)
            && filter.to.is_none_or(|to| o.at < to)
    };
    let touches = |t: &Transfer| filter.account.is_none_or(|a| t.debit == a || t.credit == a);
    let mut rows = Vec::new();
    for operation in outcome.operations.iter().rev().filter(wanted) {
        let transfers = outcome.transfers_of(operation.id).into_iter().filter(touches);
        rows.extend(transfers.map(|transfer| TransferRow {
            transfer,
            currency: operation.currency.expect("what moves value has a currency"),
            kind: operation.kind,
            at: operation.at,
        }));
    }
    rows
}

fn assert_no_operation_is_split(pages: &[Vec<TransferRow>]) {
    let mut seen: Vec<OperationId> = Vec::new();
    for page in pages {
        let mut ids: Vec<OperationId> = page.iter().map(|row| row.transfer.operation).collect();
        ids.dedup();
        assert!(ids.iter().all(|id| !seen.contains(id)), "an operation is on one page");
        seen.extend(ids);
    }
}

/// What is wanted lies behind more rows than are examined for one page: it is found all the same, once.
pub async fn long_lists_are_searched_to_the_end(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let count = i64::try_from(MAX_EXAMINED).expect("a bound") + 50;
    let mut changes = Changes::default();
    for n in 1..=count {
        // Some at each moment, as in a busy shop.
        let at = after(n / 1_000);
        let oldest = n == 1;
        let kind = if oldest { OperationKind::Closure } else { OperationKind::Adjustment };
        let written = Operation { kind, ..operation(id_at(at, n), at) };
        let credit = if oldest { Account::Fees(ISSUER) } else { Account::Suspense(ISSUER) };
        changes.transfers.push(transfer(written.id, 1, Account::Bank(ISSUER), credit, n));
        changes.operations.push(Arc::new(written));
    }
    commit(store, &changes).await.expect("committed");
    let oldest = Operation::clone(&changes.operations[0]);
    let filter = OperationFilter { kind: Some(OperationKind::Closure), ..everything(ISSUER) };
    let found = pages(|before| list(store, filter, before, 10)).await;
    assert_eq!(found.concat(), vec![oldest.clone()]);
    let account = Some(Account::Fees(ISSUER));
    let filter = TransferFilter { issuer: ISSUER, account, operation: None, from: None, to: None };
    let found = pages(|before| rows(store, filter, before, 10)).await.concat();
    assert_eq!(found.iter().map(|row| &row.transfer).collect::<Vec<_>>(), [&changes.transfers[0]]);
    let none = pages(|before| list(store, everything(OTHER_ISSUER), before, 10)).await;
    assert_eq!(none.concat(), Vec::new(), "another issuer sees none of them");
}
