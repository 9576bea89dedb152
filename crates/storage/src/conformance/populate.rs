//! A small world of everything that a store keeps, made by random commands: for tests of what carries all of
//! it somewhere else.

use domain::{BatchId, Catalog, Currency};
use std::time::Duration;

use super::{
    commands,
    scenario::run,
    world::{CLIENT, ISSUER, START, amount, batch, catch_up, insert, settle},
};
use crate::{Figure, FigureKind, Setting, Store, Usage, UsageKey};

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
    super::reconciliation::populate(store).await;
    super::approvals::populate(store).await;
    super::identity::populate(store).await;
    super::providers::populate(store).await;
    super::holders::populate(store).await;
    super::passkeys::populate(store).await;
    enter_figures(store).await;
    let used = [Usage { key: UsageKey { kind: 3, subject: [7; 16], window: 12 }, used: 5 }];
    store.share_usage(&used, Duration::from_mins(1)).await.expect("usage");
    let lease = store.lease_node("a node", asked[0].now, Duration::from_secs(1)).await;
    let lease = lease.expect("a lease").expect("a free number");
    store.release_node(&lease, lease.ids_until).await.expect("given back");
}

async fn enter_figures(store: &dyn Store) {
    let (issuer, client, entered_at) = (ISSUER, CLIENT, START);
    for minor in [500, 510] {
        let (kind, period, note) = (FigureKind::CustodyBalance, 20_260_331, Some("对账单".to_owned()));
        let (currency, amount) = (Currency::CNY, amount(minor));
        let figure = Figure { issuer, kind, period, currency, version: 0, amount, note, client, entered_at };
        store.enter_figure(&figure).await.expect("a figure");
    }
    let (name, value) = ("chart".to_owned(), "{}".to_owned());
    let setting = Setting { issuer, name, version: 0, value, client, entered_at };
    store.enter_setting(&setting).await.expect("a setting");
}
