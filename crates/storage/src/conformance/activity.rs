//! Following the log for figures of the day.

use domain::{Operation, OperationKind, operation::Status};

use super::{
    Fresh, commands,
    scenario::run,
    world::{CLIENT, ISSUER, after, commit, everything, id_at, insert, only, operation, pages, settle},
};
use crate::{Activity, LogPosition, Store, activity_store::is_followed};

/// Everything from a place on, in parts of this size.
async fn follow(store: &dyn Store, from: LogPosition, limit: usize) -> (Vec<Activity>, LogPosition) {
    let (mut items, mut position) = (Vec::new(), from);
    loop {
        let page = store.activity(position, limit).await.expect("a part");
        items.extend(page.items);
        position = page.position;
        if page.caught_up {
            return (items, position);
        }
    }
}

async fn every_operation(store: &dyn Store) -> Vec<Operation> {
    let filter = everything(ISSUER);
    let all = pages(async |before: Option<i64>| {
        store.operations(&filter, before.map(domain::OperationId::new), 50).await
    });
    let mut all: Vec<Operation> = all.await.into_iter().flatten().collect();
    all.sort_by_key(|operation| operation.id);
    all
}

fn said_of(operation: &Operation, all: &[Operation]) -> Activity {
    let original = operation.original.filter(|_| operation.kind == OperationKind::Reversal);
    let of = |id| all.iter().find(|operation| operation.id == id).map(|operation| operation.kind);
    Activity {
        operation: operation.id,
        issuer: operation.issuer,
        kind: operation.kind,
        reversed: original.and_then(of),
        merchant: operation.merchant,
        currency: operation.currency,
        approved: operation.approved.get(),
        decline: match operation.status {
            Status::Declined(decline) => Some(decline),
            Status::Approved => None,
        },
        at: operation.at,
    }
}

/// Every operation of a kind that is followed comes once, however the log is cut, and what comes later comes after.
pub async fn activity_follows_the_log(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    insert(store, &commands::cards()).await;
    let catalog = store.load_catalog().await.expect("a catalog");
    let (nothing, start) = follow(store, LogPosition::START, 10).await;
    assert_eq!((nothing, start), (Vec::new(), LogPosition::START));
    run(store, &catalog, &commands::fixed(11, 400), &[9]).await;
    let all = every_operation(store).await;
    let expected: Vec<Activity> =
        all.iter().filter(|o| is_followed(o.kind)).map(|o| said_of(o, &all)).collect();
    for kind in [OperationKind::Redemption, OperationKind::Reversal, OperationKind::Refund] {
        assert!(expected.iter().any(|item| item.kind == kind && item.decline.is_none()), "{kind:?}");
    }
    assert!(expected.iter().any(|item| item.decline.is_some()), "a decline");
    assert!(expected.iter().any(|item| item.reversed.is_some()), "a reversal of something");
    for limit in [1, 7, 10_000] {
        let (mut found, end) = follow(store, LogPosition::START, limit).await;
        // Where several write, the order is that of the log, which need not be that of the ids.
        found.sort_by_key(|item| item.operation);
        assert_eq!(found, expected, "{limit} at once");
        let (rest, still) = follow(store, end, limit).await;
        assert_eq!((rest, still), (Vec::new(), end));
    }
    from_a_moment(store, &all, &expected).await;
}

async fn from_a_moment(store: &dyn Store, all: &[Operation], expected: &[Activity]) {
    let (_, end) = follow(store, LogPosition::START, 1000).await;
    let middle = all[all.len() / 2].at;
    let start = store.activity_start(middle).await.expect("a place");
    let (found, _) = follow(store, start, 100).await;
    for item in expected.iter().filter(|item| item.at >= middle) {
        assert!(found.contains(item), "{item:?} is not missed");
    }
    // Long after everything: what is there is too old to come, and what is written then comes.
    let later = after(90_000_000);
    let start = store.activity_start(later).await.expect("a place");
    let id = id_at(later, 3);
    let sale = Operation { client: CLIENT, kind: OperationKind::Redemption, ..operation(id, later) };
    commit(store, &only([sale])).await.expect("committed");
    let (found, _) = follow(store, start, 100).await;
    let new: Vec<_> = found.iter().filter(|item| item.at >= later).map(|item| item.operation).collect();
    assert_eq!(new, [id]);
    let (found, _) = follow(store, end, 100).await;
    assert_eq!(found.iter().map(|item| item.operation).collect::<Vec<_>>(), [id]);
}
