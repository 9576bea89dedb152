//! Leases of node numbers and jobs, as several nodes see them.

use std::{collections::HashSet, time::Duration};

use domain::Timestamp;

use super::Fresh;
use crate::{NODES, NodeLease, Store};

/// A lease that does not run out during a test.
const LONG: Duration = Duration::from_hours(1);
/// A lease that has run out as soon as somebody looks.
const NONE: Duration = Duration::ZERO;
const LONG_AGO: Timestamp = Timestamp::from_micros(0);

async fn lease(store: &dyn Store, time: Duration) -> NodeLease {
    store.lease_node("a node", LONG_AGO, time).await.expect("an answer").expect("a number")
}

fn later(at: Timestamp, time: Duration) -> Timestamp {
    Timestamp::from_micros(at.micros() + i64::try_from(time.as_micros()).expect("a time"))
}

/// No two holders have one number at a time, however many ask at once, and there is an end to numbers.
pub async fn node_numbers_are_lent_once(fresh: Fresh) {
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = std::sync::Arc::clone(&fresh.store);
        asking.spawn(async move { lease(store.as_ref(), LONG).await.node });
    }
    let nodes: HashSet<u16> = asking.join_all().await.into_iter().collect();
    assert_eq!(nodes, (0..16).collect(), "the lowest numbers, each once");
    let store = fresh.store.as_ref();
    for node in 16..NODES {
        let lease = lease(store, LONG).await;
        assert_eq!((lease.node, lease.nodes), (node, node + 1));
    }
    assert_eq!(store.lease_node("one too many", LONG_AGO, LONG).await.expect("an answer"), None);
}

/// Whoever takes a number over begins where the moments of the holder before end, and that one cannot come
/// back.
pub async fn a_node_number_taken_over_has_moments_of_its_own(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let frozen = lease(store, NONE).await;
    let next = lease(store, LONG).await;
    assert_eq!(next.node, frozen.node, "its time has run out");
    assert!(next.term > frozen.term);
    assert_eq!(next.ids_from, frozen.ids_until);
    assert!(next.ids_until >= later(next.now, LONG));
    assert_eq!(store.renew_node(&frozen, frozen.now, LONG).await.expect("an answer"), None, "awake again");
    store.release_node(&frozen, frozen.ids_until).await.expect("nothing to release");
    let renewed = store.renew_node(&next, next.now, LONG).await.expect("an answer").expect("still held");
    assert_eq!((renewed.node, renewed.term, renewed.ids_from), (next.node, next.term, next.ids_from));
    assert!(renewed.ids_until >= next.ids_until && renewed.now >= next.now);
    assert_ne!(lease(store, LONG).await.node, next.node, "not free");
}

/// The end of a lease's moments moves with the database's clock and with a node that is ahead of it, and
/// never back.
pub async fn moments_of_a_node_only_grow(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let first = lease(store, NONE).await;
    // Late, but nobody came between.
    let renewed = store.renew_node(&first, LONG_AGO, LONG).await.expect("an answer").expect("still free");
    assert!(renewed.ids_until >= later(renewed.now, LONG));
    let ahead = later(renewed.now, 3 * LONG);
    let pushed = store.renew_node(&first, ahead, LONG).await.expect("an answer").expect("held");
    assert!(pushed.ids_until >= later(ahead, LONG));
    let again = store.renew_node(&first, LONG_AGO, NONE).await.expect("an answer").expect("held");
    assert_eq!(again.ids_until, pushed.ids_until, "never back");
    assert_ne!(lease(store, LONG).await.node, first.node, "a shorter time does not shorten the lease");
}

/// A number given back is free at once, and the next holder's moments begin where it says.
pub async fn a_node_number_given_back_is_free(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let first = lease(store, LONG).await;
    let used = later(first.now, Duration::from_millis(5));
    store.release_node(&first, used).await.expect("released");
    assert_eq!(store.renew_node(&first, first.now, LONG).await.expect("an answer"), None, "released");
    let next = lease(store, LONG).await;
    assert_eq!((next.node, next.ids_from, next.nodes), (first.node, used, 1));
    assert!(next.term > first.term);
}

/// A job's lease has one holder until it gives it up or its time runs out.
pub async fn job_leases_have_one_holder(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let check = async |names: &[&str], holder: &str, time: Duration, expect: &[bool]| {
        let held = store.hold_leases(names, holder, time).await.expect("an answer");
        assert_eq!(held, expect, "{names:?} for {holder}");
    };
    check(&["a", "b"], "one", LONG, &[true, true]).await;
    check(&["b", "c", "a"], "two", LONG, &[false, true, false]).await;
    check(&["a", "b", "c"], "one", LONG, &[true, true, false]).await;
    check(&[], "two", LONG, &[]).await;
    store.release_leases("one").await.expect("released");
    check(&["a", "c"], "two", NONE, &[true, true]).await;
    check(&["c", "b", "a"], "three", LONG, &[true, true, true]).await;
    check(&["a"], "two", LONG, &[false]).await;
}
