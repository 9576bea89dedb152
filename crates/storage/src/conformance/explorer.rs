//! How long a page of the list of operations takes, for every filter alone and together: for examples that measure it
//! on a full database.

use std::time::{Duration, Instant};

use domain::{ClientId, IssuerId, MerchantId, OperationId, OperationKind, StoreId, TerminalId, Timestamp};

use crate::{OperationFilter, Store};

/// What a page took.
#[derive(Debug)]
pub struct Explored {
    /// Which filter.
    pub what: &'static str,
    /// The longest of all pages that were asked for.
    pub longest: Duration,
    /// Items on the first page.
    pub items: usize,
}

/// How many pages of a filter are asked for, one after the other.
const PAGES: usize = 5;
/// The largest page.
const LIMIT: usize = 200;

/// Asks for pages under every filter: with values that many operations have, one in a thousand, and none.
///
/// # Panics
/// If the store fails.
pub async fn explore(store: &dyn Store, issuer: IssuerId, middle: Timestamp) -> Vec<Explored> {
    let all = OperationFilter {
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
    };
    let rare = Some(MerchantId::new(1_500));
    let cases = [
        ("no filter", all),
        ("kind, all", OperationFilter { kind: Some(OperationKind::Redemption), ..all }),
        ("kind, none", OperationFilter { kind: Some(OperationKind::CashOut), ..all }),
        ("approved", OperationFilter { approved: Some(true), ..all }),
        ("declined, none", OperationFilter { approved: Some(false), ..all }),
        ("merchant, one in a thousand", OperationFilter { merchant: rare, ..all }),
        ("merchant, none", OperationFilter { merchant: Some(MerchantId::new(7)), ..all }),
        ("store, all", OperationFilter { store: Some(StoreId::new(4)), ..all }),
        ("store, none", OperationFilter { store: Some(StoreId::new(7)), ..all }),
        ("terminal, none", OperationFilter { terminal: Some(TerminalId::new(7)), ..all }),
        ("client, none", OperationFilter { client: Some(ClientId::new(7)), ..all }),
        ("until the middle", OperationFilter { to: Some(middle), ..all }),
        ("from the middle, merchant", OperationFilter { from: Some(middle), merchant: rare, ..all }),
        ("issuer, none", OperationFilter { issuer: IssuerId::new(9_999), ..all }),
    ];
    let mut explored = Vec::new();
    for (what, filter) in cases {
        let (mut longest, mut items, mut before) = (Duration::ZERO, 0, None);
        for page in 0..PAGES {
            let began = Instant::now();
            let found = store.operations(&filter, before, LIMIT).await.expect("a page");
            longest = longest.max(began.elapsed());
            items = if page == 0 { found.items.len() } else { items };
            let Some(next) = found.next else { break };
            before = Some(OperationId::new(next));
        }
        explored.push(Explored { what, longest, items });
    }
    explored
}
