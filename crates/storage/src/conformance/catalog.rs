//! The catalog: written one entry at a time under a version, read whole.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{
    Amount, BusinessDate, Channel, Currency, MerchantId, Program, ProgramId, StoreId, Timestamp,
    catalog::{Client, Issuer, Scope},
    lot::LotOrder,
    program::{Acceptance, Denominations, LegalClass, PinRule, ResidualPolicy, Rules, Status, Validity},
};

use super::{
    Fresh,
    world::{
        CLIENT, ISSUER, MERCHANT, OTHER_CLIENT, PROGRAM, SECOND_CLIENT, SHOP, TERMINAL, amount,
        catalog_entries, client, issuer, merchant, program, settle, shop, terminal,
    },
};
use crate::{CatalogEntry, StorageError, Store};

/// Everything that is put is found, whole, and only that.
pub async fn catalog_round_trips(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let empty = store.load_catalog().await.expect("a catalog");
    assert!(empty.issuers.is_empty() && empty.programs.is_empty() && empty.clients_by_secret.is_empty());
    let mut revision = store.catalog_revision().await.expect("a revision");
    let mut entries = catalog_entries();
    entries.extend(program_variants().into_iter().map(CatalogEntry::Program));
    entries.push(CatalogEntry::Client(platform_client()));
    for entry in &entries {
        store.put_catalog(entry).await.expect("a new entry");
        let now = store.catalog_revision().await.expect("a revision");
        assert!(now > revision, "each change makes the revision grow");
        revision = now;
    }
    assert_holds(store, &entries).await;
    let changed = changed_entries();
    for entry in &changed {
        store.put_catalog(entry).await.expect("a changed entry");
    }
    assert!(store.catalog_revision().await.expect("a revision") > revision);
    entries.retain(|entry| !changed.iter().any(|new| name_of(new) == name_of(entry)));
    entries.extend(changed);
    assert_holds(store, &entries).await;
}

/// What an entry is, without its contents.
fn name_of(entry: &CatalogEntry) -> String {
    match entry {
        CatalogEntry::Issuer(e) => e.id.to_string(),
        CatalogEntry::Program(e) => e.id.to_string(),
        CatalogEntry::Merchant(e) => e.id.to_string(),
        CatalogEntry::Store(e) => e.id.to_string(),
        CatalogEntry::Terminal(e) => e.id.to_string(),
        CatalogEntry::Client(e) => e.id.to_string(),
    }
}

async fn assert_holds(store: &dyn Store, entries: &[CatalogEntry]) {
    let catalog = store.load_catalog().await.expect("a catalog");
    let mut secrets = 0;
    for entry in entries {
        match entry {
            CatalogEntry::Issuer(e) => assert_same_issuer(&catalog.issuers[&e.id], e),
            CatalogEntry::Program(e) => assert_eq!(&*catalog.programs[&e.id], e),
            // These print all their fields.
            CatalogEntry::Merchant(e) => assert_same_text(&catalog.merchants[&e.id], e),
            CatalogEntry::Store(e) => assert_same_text(&catalog.stores[&e.id], e),
            CatalogEntry::Terminal(e) => assert_same_text(&catalog.terminals[&e.id], e),
            CatalogEntry::Client(e) => {
                assert_same_text(&catalog.clients[&e.id], e);
                assert_eq!(catalog.clients_by_secret.get(&e.secret_hash), Some(&e.id));
                secrets += 1;
            }
        }
    }
    let found = [
        catalog.issuers.len(),
        catalog.programs.len(),
        catalog.merchants.len(),
        catalog.stores.len(),
        catalog.terminals.len(),
        catalog.clients.len(),
    ];
    assert_eq!(found.iter().sum::<usize>(), entries.len(), "nothing else is there");
    assert_eq!(catalog.clients_by_secret.len(), secrets, "a secret that was replaced lets nobody in");
}

fn assert_same_text<T: std::fmt::Debug>(found: &Arc<T>, expect: &T) {
    assert_eq!(format!("{found:?}"), format!("{expect:?}"));
}

fn assert_same_issuer(found: &Issuer, expect: &Issuer) {
    let fields = |i: &Issuer| (i.id, i.name.clone(), i.time_zone.clone(), i.status, i.created_at, i.version);
    assert_eq!(fields(found), fields(expect));
    // 20:00 UTC is another day in Shanghai: the zone itself must be the right one.
    for hours in [0, 12, 20] {
        let at = Timestamp::from_micros(1_772_323_200_000_000 + hours * 3_600_000_000);
        assert_eq!(BusinessDate::of(at, &found.zone), BusinessDate::of(at, &expect.zone));
    }
}

fn platform_client() -> Client {
    Client {
        name: "\u{1F511} platform".to_owned(),
        scopes: Scope::ALL.into_iter().collect(),
        rate_per_second: u32::MAX,
        ..client(domain::ClientId::new(699), None)
    }
}

/// Rules of every form.
fn program_variants() -> Vec<Program> {
    let base = program(PROGRAM, ISSUER);
    let rules = |rules: Rules, n: i64| Program { id: ProgramId::new(n), rules, ..base.clone() };
    let plain = base.rules.clone();
    let accepts = Acceptance {
        merchants: Some(BTreeSet::from([MERCHANT, MerchantId::new(5)])),
        stores: Some(BTreeSet::from([SHOP, StoreId::new(6)])),
        channels: Some(BTreeSet::from([Channel::parse("web").expect("a channel")])),
    };
    let most = Rules {
        denominations: Denominations::Fixed { amounts: vec![amount(1), Amount::MAX] },
        validity: Validity::Until { at: Timestamp::MAX },
        acceptance: accepts,
        redemption_min: Some(amount(2)),
        daily_amount: Some(amount(3)),
        member_required: true,
        pin: PinRule::CardNotPresent,
        lot_order: LotOrder::PaidFirst,
        residual: ResidualPolicy::Breakage,
        legal_class: LegalClass::MultiLicensed,
        ..plain.clone()
    };
    let least = Rules {
        validity: Validity::Months { months: 36 },
        acceptance: Acceptance { merchants: Some(BTreeSet::new()), ..Acceptance::default() },
        redemption_max: None,
        daily_count: None,
        balance_cap: None,
        reloadable: false,
        registered: false,
        pin: PinRule::Always,
        transferable: false,
        cash_out: false,
        refund_days: None,
        ..plain
    };
    let jpy = Program {
        currency: Currency::parse("JPY").expect("a currency"),
        number_length: 19,
        number_prefix: "95888765".to_owned(),
        status: Status::Closed,
        name: "名\"'".to_owned(),
        ..rules(least, 252)
    };
    vec![rules(most, 251), jpy]
}

/// One entry of each kind with its second version.
fn changed_entries() -> Vec<CatalogEntry> {
    let (version, status) = (2, Status::Closed);
    let name = "改名".to_owned();
    let mut secret_hash = [3; 32];
    secret_hash[0] = 1;
    vec![
        CatalogEntry::Issuer(Issuer { version, status, ..issuer(ISSUER) }),
        CatalogEntry::Program(Program { version, status, ..program(PROGRAM, ISSUER) }),
        CatalogEntry::Merchant(domain::catalog::Merchant {
            version,
            status,
            name: name.clone(),
            ..merchant(MERCHANT, ISSUER)
        }),
        CatalogEntry::Store(domain::catalog::Store { version, name, ..shop(SHOP, ISSUER, MERCHANT) }),
        CatalogEntry::Terminal(domain::catalog::Terminal {
            version,
            status,
            ..terminal(TERMINAL, ISSUER, SHOP)
        }),
        CatalogEntry::Client(Client {
            version,
            secret_hash,
            merchant: Some(MERCHANT),
            scopes: BTreeSet::new(),
            ..client(CLIENT, Some(ISSUER))
        }),
    ]
}

async fn assert_conflict(store: &dyn Store, entry: CatalogEntry, expect: &str) {
    let before = store.load_catalog().await.expect("a catalog");
    match store.put_catalog(&entry).await {
        Err(StorageError::Conflict { what }) => assert_eq!(what, expect, "{entry:?}"),
        other => panic!("a conflict on {expect} was expected, not {other:?}"),
    }
    let after = store.load_catalog().await.expect("a catalog");
    assert_eq!(format!("{:?}", after.clients.get(&CLIENT)), format!("{:?}", before.clients.get(&CLIENT)));
    assert_eq!(after.clients.len(), before.clients.len());
    assert_eq!(
        format!("{:?}", after.merchants.get(&MERCHANT)),
        format!("{:?}", before.merchants.get(&MERCHANT))
    );
}

/// A stale version, an id that is taken, a secret that is another's.
pub async fn catalog_refuses_conflicts(fresh: Fresh) {
    let store = fresh.store.as_ref();
    settle(store).await;
    let versions =
        |version| domain::catalog::Merchant { version, name: "new".to_owned(), ..merchant(MERCHANT, ISSUER) };
    assert_conflict(store, CatalogEntry::Merchant(versions(1)), "id").await;
    assert_conflict(store, CatalogEntry::Merchant(versions(3)), "version").await;
    store.put_catalog(&CatalogEntry::Merchant(versions(2))).await.expect("the next version");
    assert_conflict(store, CatalogEntry::Merchant(versions(2)), "version").await;
    for entry in catalog_entries() {
        let result = store.put_catalog(&entry).await;
        assert!(matches!(result, Err(StorageError::Conflict { .. })), "{entry:?} is there: {result:?}");
    }
    let secret_hash = client(OTHER_CLIENT, None).secret_hash;
    let new = Client { secret_hash, ..client(domain::ClientId::new(650), Some(ISSUER)) };
    assert_conflict(store, CatalogEntry::Client(new), "secret").await;
    let changed = Client { secret_hash, version: 2, ..client(CLIENT, Some(ISSUER)) };
    assert_conflict(store, CatalogEntry::Client(changed), "secret").await;
    let kept = Client { version: 2, rate_per_second: 5, ..client(SECOND_CLIENT, Some(ISSUER)) };
    store.put_catalog(&CatalogEntry::Client(kept)).await.expect("a client may keep its own secret");
}

/// Of two changes based on the same version, one wins.
pub async fn catalog_survives_two_writers(fresh: Fresh) {
    let store = Arc::clone(&fresh.store);
    settle(store.as_ref()).await;
    let rounds = 20;
    for version in 2..2 + rounds {
        let write = |name: &str| {
            let entry =
                domain::catalog::Merchant { version, name: name.to_owned(), ..merchant(MERCHANT, ISSUER) };
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                loop {
                    match store.put_catalog(&CatalogEntry::Merchant(entry.clone())).await {
                        Ok(()) => return true,
                        Err(StorageError::Conflict { what: "version" }) => return false,
                        Err(StorageError::Busy(_)) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            })
        };
        let (one, two) = (write("one"), write("two"));
        let (one, two) = (one.await.expect("a writer"), two.await.expect("a writer"));
        assert!(one != two, "exactly one of the two wins");
        let catalog = store.load_catalog().await.expect("a catalog");
        assert_eq!(catalog.merchants[&MERCHANT].name, if one { "one" } else { "two" });
        assert_eq!(catalog.merchants[&MERCHANT].version, version);
    }
}

/// Whoever waits for a change of the catalog is woken by it, long before patience ends, and no change
/// between looking and waiting is missed.
pub async fn a_catalog_change_wakes_who_waits(fresh: Fresh) {
    let store = Arc::clone(&fresh.store);
    settle(store.as_ref()).await;
    let seen = store.catalog_revision().await.expect("a revision");
    let short = Duration::from_millis(20);
    assert_eq!(store.await_catalog_change(seen, short).await.expect("a revision"), seen, "nothing changed");
    let long = Duration::from_mins(1);
    for round in 0..20_i64 {
        let seen = store.catalog_revision().await.expect("a revision");
        let waiting = {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut revision = seen;
                // It may return early.
                while revision == seen {
                    revision = store.await_catalog_change(seen, long).await.expect("a revision");
                }
                revision
            })
        };
        let name = issuer(domain::IssuerId::new(10_000 + round));
        store.put_catalog(&CatalogEntry::Issuer(name)).await.expect("put");
        let woken = tokio::time::timeout(Duration::from_secs(5), waiting).await;
        assert!(woken.expect("woken in time").expect("no panic") > seen);
        assert!(store.await_catalog_change(seen, long).await.expect("at once") > seen);
    }
}
