//! A small world of everything that a store keeps, made by random commands: for tests of what carries all of
//! it somewhere else.

use domain::{BatchId, Catalog};
use std::time::Duration;

use super::{
    commands,
    scenario::run,
    world::{batch, catch_up, insert, settle},
};
use crate::{Store, Usage, UsageKey};

/// Fills an empty store with the world of this seed.
pub async fn populate(store: &dyn Store, seed: u64) {
    settle(store).await;
    insert(store, &commands::cards()).await;
    store.create_batch(&batch(BatchId::new(799), "second")).await.expect("a batch");
    let catalog: Catalog = store.load_catalog().await.expect("a catalog");
    let asked = commands::fixed(seed, 400);
    run(store, &catalog, &asked, &[1, 7, 30]).await;
    catch_up(store).await;
    super::settlement::populate(store).await;
    let used = [Usage { key: UsageKey { kind: 3, subject: [7; 16], window: 12 }, used: 5 }];
    store.share_usage(&used, Duration::from_mins(1)).await.expect("usage");
    let lease = store.lease_node("a node", asked[0].now, Duration::from_secs(1)).await;
    let lease = lease.expect("a lease").expect("a free number");
    store.release_node(&lease, lease.ids_until).await.expect("given back");
}
