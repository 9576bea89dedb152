//! Which lists are measured, by the filters that the screens have.

use super::world::World;

/// A list.
pub(super) struct List {
    pub(super) name: &'static str,
    pub(super) path: String,
    /// How a place far down in it is found.
    pub(super) deep: Option<Deep>,
}

/// A path, and so many of its pages further down.
pub(super) struct Deep {
    pub(super) path: String,
    pub(super) pages: u32,
}

/// All of them.
pub(super) fn all(world: &World) -> Vec<List> {
    let mut lists = operations(world);
    let (card, rare) = (world.card, world.rare_merchant);
    let walk = |path: &str, pages| Some(Deep { path: format!("{path}?limit=200"), pages });
    let own = format!("/v1/cards/{card}/operations");
    lists.extend([
        List { name: "a card's operations", deep: walk(&own, 10), path: own },
        List {
            name: "audit trail",
            path: "/v1/audit-events".to_owned(),
            deep: Some(early("/v1/audit-events", &world.early.to_string())),
        },
        plain("audit trail by action", "/v1/audit-events?action=POST%20/v1/roles".to_owned()),
        plain(
            "audit trail by an action that is not there",
            "/v1/audit-events?action=PUT%20/v1/none".to_owned(),
        ),
        plain("audit trail up to a moment", format!("/v1/audit-events?to={}", world.early)),
        plain("audit trail by user", format!("/v1/audit-events?user={}", world.user)),
        List { name: "statements", path: "/v1/statements".to_owned(), deep: walk("/v1/statements", 2) },
        plain("statements of a merchant", format!("/v1/statements?merchant={rare}")),
        List { name: "batches", path: "/v1/batches".to_owned(), deep: walk("/v1/batches", 1) },
        plain("dashboard", "/v1/dashboard".to_owned()),
    ]);
    lists
}

fn plain(name: &'static str, path: String) -> List {
    List { name, path, deep: None }
}

/// The end of the first page of those before this moment.
fn early(path: &str, moment: &str) -> Deep {
    Deep { path: format!("{path}?limit=1&to={moment}"), pages: 1 }
}

fn operations(world: &World) -> Vec<List> {
    let World { early: at, card, merchant, store, rare_merchant, from, to, .. } = world;
    let of = |name, filter: String| List {
        name,
        path: format!("/v1/operations{filter}"),
        deep: Some(early("/v1/operations", &at.to_string())),
    };
    vec![
        of("operations", String::new()),
        of("operations, 200 on a page", "?limit=200".to_owned()),
        List {
            name: "operations of a card",
            path: format!("/v1/operations?card={card}"),
            deep: Some(Deep { path: format!("/v1/operations?card={card}&limit=200"), pages: 10 }),
        },
        of("operations of a merchant", format!("?merchant={merchant}")),
        of("operations of a merchant with one sale", format!("?merchant={rare_merchant}")),
        of("operations of a store", format!("?store={store}")),
        of("operations of a kind", "?kind=redemption".to_owned()),
        of("operations of a kind that is not there", "?kind=refund".to_owned()),
        of("operations, declined", "?status=declined".to_owned()),
        List {
            name: "operations of a span of time",
            path: format!("/v1/operations?from={from}&to={to}"),
            deep: Some(Deep { path: format!("/v1/operations?from={from}&to={to}&limit=200"), pages: 10 }),
        },
        plain(
            "operations, all filters",
            format!(
                "/v1/operations?merchant={merchant}&store={store}&kind=redemption&status=declined&from={from}&to={to}"
            ),
        ),
    ]
}
