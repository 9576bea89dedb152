//! Whatever is sent, the answer is an answer: never a fault, and a refusal in form.

use std::{fmt::Write, sync::LazyLock};

use axum::http::Method;
use proptest::prelude::*;
use serde_json::Value;

use crate::world::World;

struct Target {
    runtime: tokio::runtime::Runtime,
    world: World,
    routes: Vec<(Method, String)>,
}

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::with(http_api::Options {
        lookups: http_api::LookupLimits::UNLIMITED,
        ..http_api::Options::default()
    }));
    let routes = crate::openapi::operations()
        .into_iter()
        .filter(|(_, _, operation)| operation.get("requestBody").is_some())
        .map(|(method, path, operation)| (method, crate::openapi::concrete(&path, &operation)))
        .collect();
    Target { runtime, world, routes }
});

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "card", "number", "id", "amount", "currency", "pin", "store", "merchant", "metadata", "rules",
            "bonus", "kind", "items", "key", "name", "version", "scopes", "from", "to", "trace", "reason",
        ]).prop_map(str::to_owned),
        1 => ".{0,8}",
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(Value::from("CNY")),
        Just(Value::from("card_00000003nqk8n")),
        ".{0,20}".prop_map(Value::from),
        "[0-9]{3,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Every byte percent-encoded.
fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let _ = write!(encoded, "%{byte:02x}");
    }
    encoded
}

fn check(method: &Method, path: &str, body: Option<Vec<u8>>) -> Result<(), TestCaseError> {
    let target = &*TARGET;
    let world = &target.world;
    let key = world.new_key();
    let call = world.call(method, path, Some(&world.one.key), Some(&key), body);
    let answer = target.runtime.block_on(call);
    prop_assert!(answer.status.as_u16() < 500, "{method} {path}: {answer:?}");
    if answer.status.is_client_error() {
        let problem = answer.json();
        prop_assert_eq!(&problem["status"], answer.status.as_u16());
        prop_assert!(problem["code"].is_string() && problem["detail"].is_string());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), route in any::<prop::sample::Index>()) {
        let (method, path) = route.get(&TARGET.routes);
        check(method, path, Some(bytes))?;
    }

    #[test]
    fn any_json(value in values(), route in any::<prop::sample::Index>()) {
        let (method, path) = route.get(&TARGET.routes);
        check(method, path, Some(value.to_string().into_bytes()))?;
    }

    #[test]
    fn any_query(
        name in prop::sample::select(vec!["limit", "cursor", "card", "kind", "from", "to", "account", "at"]),
        value in "[ -~]{0,30}",
        path in prop::sample::select(vec![
            "/v1/operations", "/v1/ledger/transfers", "/v1/ledger/trial-balance", "/v1/merchants",
        ]),
    ) {
        let hex = percent(&value);
        check(&Method::GET, &format!("{path}?{name}={hex}"), None)?;
        let raw: String = value.chars().filter(|c| !" \"<>#`{}|\\^".contains(*c)).collect();
        check(&Method::GET, &format!("{path}?{raw}"), None)?;
    }

    #[test]
    fn any_path(
        value in "[ -~]{1,30}",
        path in prop::sample::select(vec!["/v1/cards", "/v1/operations", "/v1/ledger/accounts", "/v1/clients"]),
    ) {
        let hex = percent(&value);
        check(&Method::GET, &format!("{path}/{hex}"), None)?;
        check(&Method::GET, &format!("{path}/%ff{hex}"), None)?;
    }

    #[test]
    fn any_moment(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})") {
        let hex = percent(&text);
        check(&Method::GET, &format!("/v1/ledger/trial-balance?at={hex}"), None)?;
        check(&Method::GET, &format!("/v1/operations?from={hex}&to={hex}"), None)?;
    }
}
