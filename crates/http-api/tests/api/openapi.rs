//! The description is locked, complete, and true.
//!
//! `HEXIAO_UPDATE=1 cargo test -p http-api` writes docs/openapi.json and docs/api-errors.md anew.

use std::{path::Path, sync::LazyLock};

use axum::http::Method;
use serde_json::Value;

use crate::world::World;

/// Compares a file of the repository with what the code says, or writes it.
fn locked(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file);
    if std::env::var_os("HEXIAO_UPDATE").is_some() {
        std::fs::write(&path, text).expect("the file is written");
        return;
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "docs/{file} is not what the code says; look at the change, then write it with \
         HEXIAO_UPDATE=1 cargo test -p http-api"
    );
}

pub(crate) fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> =
        LazyLock::new(|| serde_json::to_value(http_api::openapi()).expect("JSON"));
    &DOCUMENT
}

/// Every operation: method, path, description.
pub(crate) fn operations() -> Vec<(Method, String, Value)> {
    let document = document();
    let paths = document["paths"].as_object().expect("paths").clone();
    let mut all = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let method = method.to_uppercase().parse().expect("a method");
            all.push((method, path.clone(), operation.clone()));
        }
    }
    all
}

/// The path with ids that nothing has.
pub(crate) fn concrete(path: &str, operation: &Value) -> String {
    let mut path = path.to_owned();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        if parameter["in"] != "path" {
            continue;
        }
        let schema = parameter["schema"]["$ref"].as_str().expect("a named schema");
        let document = document();
        let pointer = schema.trim_start_matches('#');
        let example = document.pointer(pointer).expect("a schema")["example"].as_str().expect("an example");
        let name = parameter["name"].as_str().expect("a name");
        path = path.replace(&format!("{{{name}}}"), example);
    }
    path
}

#[test]
fn the_description_is_locked() {
    let text = serde_json::to_string_pretty(document()).expect("JSON");
    locked("openapi.json", &format!("{text}\n"));
}

#[test]
fn the_error_reference_is_locked() {
    locked("api-errors.md", &http_api::error_reference());
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if name == "$ref" {
                        found.extend(value.as_str().map(str::to_owned));
                    }
                    references(value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = Vec::new();
    references(document, &mut found);
    assert!(found.len() > 100);
    for reference in found {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn objects_in_requests_are_closed() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        if name.ends_with("Request") {
            let alternatives = schema["oneOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
            for one in alternatives {
                assert_eq!(one["additionalProperties"], false, "{name}: {one}");
            }
        }
    }
}

#[expect(clippy::too_many_lines, reason = "a list")]
#[test]
fn every_route_of_the_task_is_there() {
    let expected = [
        "POST /v1/activations",
        "POST /v1/adjustments",
        "GET /v1/batches",
        "POST /v1/batches",
        "GET /v1/batches/{id}",
        "POST /v1/batches/{id}/export",
        "POST /v1/cards",
        "POST /v1/cards/lookup",
        "GET /v1/cards/{id}",
        "POST /v1/cards/{id}/bind",
        "POST /v1/cards/{id}/close",
        "POST /v1/cards/{id}/freeze",
        "GET /v1/cards/{id}/operations",
        "POST /v1/cards/{id}/reactivate",
        "POST /v1/cards/{id}/report-lost",
        "POST /v1/cards/{id}/unfreeze",
        "POST /v1/cash-outs",
        "GET /v1/clients",
        "POST /v1/clients",
        "GET /v1/clients/{id}",
        "PATCH /v1/clients/{id}",
        "POST /v1/clients/{id}/rotate-secret",
        "POST /v1/holds",
        "POST /v1/holds/{id}/captures",
        "POST /v1/holds/{id}/releases",
        "GET /v1/issuers",
        "POST /v1/issuers",
        "GET /v1/issuers/{id}",
        "PATCH /v1/issuers/{id}",
        "GET /v1/ledger/accounts/{account}",
        "GET /v1/ledger/transfers",
        "GET /v1/reconciliation-ageing",
        "GET /v1/reconciliation-differences",
        "GET /v1/reconciliation-differences/{id}",
        "GET /v1/reconciliations",
        "GET /v1/reconciliations/{id}",
        "GET /v1/reconciliations/{id}/lines",
        "POST /v1/reconciliation-differences/{id}/approve",
        "POST /v1/reconciliation-differences/{id}/propose",
        "POST /v1/reconciliation-differences/{id}/reject",
        "POST /v1/reconciliations",
        "GET /v1/calendar-days",
        "PUT /v1/calendar-days",
        "DELETE /v1/invitations/{id}",
        "DELETE /v1/me/totp",
        "DELETE /v1/sessions/current",
        "DELETE /v1/sessions/{id}",
        "DELETE /v1/views/{id}",
        "DELETE /v1/wallet/devices/{id}",
        "DELETE /v1/wallet/session",
        "GET /v1/approvals",
        "GET /v1/approvals/{id}",
        "GET /v1/audit-events",
        "GET /v1/dashboard",
        "GET /v1/dashboard/events",
        "GET /v1/invitations",
        "GET /v1/operations.csv",
        "GET /v1/roles",
        "GET /v1/roles/{id}",
        "GET /v1/service/health",
        "GET /v1/service/jobs",
        "GET /v1/sessions",
        "GET /v1/sessions/current",
        "GET /v1/users",
        "GET /v1/users/{id}",
        "GET /v1/views",
        "GET /v1/wallet/cards",
        "GET /v1/wallet/cards/{id}",
        "GET /v1/wallet/cards/{id}/devices",
        "GET /v1/wallet/cards/{id}/operations",
        "GET /v1/wallet/gifts",
        "GET /v1/wallet/outbox",
        "GET /v1/wallet/session",
        "PATCH /v1/users/{id}",
        "POST /v1/approvals/{id}/approve",
        "POST /v1/approvals/{id}/reject",
        "POST /v1/approvals/{id}/withdraw",
        "POST /v1/invitations",
        "POST /v1/invitations/accept",
        "POST /v1/me/password",
        "POST /v1/me/totp",
        "POST /v1/me/totp/confirm",
        "POST /v1/operations/lookup",
        "POST /v1/programs/check",
        "POST /v1/roles",
        "POST /v1/sessions",
        "POST /v1/sessions/second-factor",
        "POST /v1/users/{id}/reset-second-factor",
        "POST /v1/views",
        "POST /v1/wallet/cards",
        "POST /v1/wallet/cards/{id}/devices",
        "POST /v1/wallet/cards/{id}/gifts",
        "POST /v1/wallet/cards/{id}/report-lost",
        "POST /v1/wallet/codes",
        "POST /v1/wallet/gifts/{id}/accept",
        "POST /v1/wallet/gifts/{id}/decline",
        "POST /v1/wallet/gifts/{id}/withdraw",
        "POST /v1/wallet/sessions",
        "PUT /v1/roles/{id}",
        "GET /v1/agreements",
        "GET /v1/agreements/{id}",
        "POST /v1/agreements",
        "POST /v1/agreements/dry-run",
        "POST /v1/settlement-runs",
        "GET /v1/statements",
        "GET /v1/statements/{id}",
        "GET /v1/statements/{id}/lines",
        "GET /v1/statements/{id}/export",
        "POST /v1/payees",
        "GET /v1/payees",
        "POST /v1/channel-payments",
        "POST /v1/merchant-payments",
        "GET /v1/payouts",
        "GET /v1/payouts/{id}",
        "POST /v1/payouts/approve",
        "POST /v1/payouts/reject",
        "POST /v1/payouts/export",
        "POST /v1/payouts/confirm",
        "POST /v1/payouts/return",
        "GET /v1/ledger/trial-balance",
        "POST /v1/loads",
        "GET /v1/merchants",
        "POST /v1/merchants",
        "GET /v1/merchants/{id}",
        "PATCH /v1/merchants/{id}",
        "POST /v1/merges",
        "GET /v1/operations",
        "GET /v1/operations/{id}",
        "GET /v1/cards/expiring",
        "GET /v1/cards/{id}/evidence",
        "POST /v1/cards/{id}/holder-refund-quotes",
        "POST /v1/exchanges",
        "POST /v1/holder-refunds",
        "GET /v1/policy-packs",
        "GET /v1/policy-packs/{id}",
        "GET /v1/programs",
        "POST /v1/programs",
        "GET /v1/programs/{id}",
        "GET /v1/me/passkeys",
        "POST /v1/me/passkeys",
        "POST /v1/me/passkeys/challenges",
        "DELETE /v1/me/passkeys/{id}",
        "GET /v1/passkey-origins",
        "GET /v1/identity-providers",
        "POST /v1/identity-providers",
        "GET /v1/identity-providers/{id}",
        "PATCH /v1/identity-providers/{id}",
        "POST /v1/identity-providers/{id}/check",
        "GET /v1/identity-providers/{id}/users",
        "DELETE /v1/identity-providers/{id}/users/{user}",
        "GET /v1/sign-in-options",
        "POST /v1/sessions/openid",
        "GET /v1/sessions/openid/callback",
        "POST /v1/sessions/passkey-challenges",
        "POST /v1/sessions/passkeys",
        "POST /v1/sessions/second-factor/challenges",
        "PATCH /v1/programs/{id}",
        "POST /v1/redemptions",
        "POST /v1/redemptions/batch",
        "POST /v1/redemptions/{id}/refunds",
        "POST /v1/refunds",
        "POST /v1/replacements",
        "GET /v1/reports/ageing",
        "GET /v1/reports/breakage",
        "GET /v1/reports/custody",
        "PUT /v1/reports/custody/balance",
        "PUT /v1/reports/custody/revenue",
        "GET /v1/reports/invoices",
        "GET /v1/reports/journal",
        "GET /v1/reports/liability",
        "GET /v1/reports/quarterly",
        "GET /v1/reports/settings",
        "PUT /v1/reports/settings",
        "POST /v1/reversals",
        "GET /v1/stores",
        "POST /v1/stores",
        "GET /v1/stores/{id}",
        "PATCH /v1/stores/{id}",
        "GET /v1/terminals",
        "POST /v1/terminals",
        "GET /v1/terminals/{id}",
        "PATCH /v1/terminals/{id}",
        "POST /v1/transfers",
        "GET /healthz",
        "GET /metrics",
        "GET /readyz",
    ];
    let mut expected: Vec<String> = expected.iter().map(|&route| route.to_owned()).collect();
    let mut found: Vec<String> =
        operations().iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn every_route_is_closed_to_strangers_and_to_the_wrong_scope() {
    let world = World::new().await;
    let (platform, nobody) = (&world.platform, world.client(&world.one, &["cash_out"], None).await);
    let casher = world.client(&world.one, &["ledger_read"], None).await;
    for (method, path, operation) in operations() {
        let open = operation["security"].as_array().is_some_and(Vec::is_empty);
        if !path.starts_with("/v1") || path.starts_with("/v1/wallet") || open {
            continue;
        }
        let at = concrete(&path, &operation);
        let body = || operation.get("requestBody").map(|_| b"{}".to_vec());
        let call = |key: Option<String>| {
            let (world, method, at, body) = (&world, method.clone(), at.clone(), body());
            async move { world.call(&method, &at, key.as_deref(), Some("k"), body).await }
        };
        let answer = call(None).await;
        answer.is(401, "credentials_missing");
        assert!(!answer.header("www-authenticate").is_empty());
        call(Some("hx_wrong".to_owned())).await.is(401, "credentials_invalid");
        let said = operation["description"].as_str().unwrap_or_default();
        if said.ends_with("Needs the session of a user.") {
            call(Some(world.one.key.clone())).await.is(403, "session_missing");
            continue;
        }
        let (_, scopes) = said.rsplit_once("Needs the scope ").expect("scopes");
        if !scopes.contains("`platform`") {
            call(Some(platform.clone())).await.is(403, "scope_missing");
        }
        // A route that any scope opens is closed to strangers only.
        let others = [("`cash_out`", &nobody), ("`ledger_read`", &casher)];
        if let Some((_, other)) = others.iter().find(|(scope, _)| !scopes.contains(scope)) {
            call(Some((*other).clone())).await.is(403, "scope_missing");
        }
    }
}

#[tokio::test]
async fn every_route_names_its_methods() {
    let world = World::new().await;
    for (_, path, operation) in operations() {
        let at = concrete(&path, &operation);
        let answer = world.call(&Method::TRACE, &at, Some(&world.one.key), None, None).await;
        answer.is(405, "method_not_allowed");
        let allowed = answer.header("allow");
        for (method, other, _) in operations() {
            let same = other == path;
            assert!(!same || allowed.contains(method.as_str()), "{path}: {allowed}");
        }
    }
}

#[tokio::test]
async fn answers_have_documented_statuses_and_headers() {
    let world = World::new().await;
    for (method, path, operation) in operations() {
        // A stream of events ends only after minutes; its own tests read its beginning.
        if operation["responses"]["200"]["content"].get("text/event-stream").is_some() {
            continue;
        }
        let at = concrete(&path, &operation);
        let body = operation.get("requestBody").map(|_| b"{}".to_vec());
        let answer = world.call(&method, &at, Some(&world.one.key), Some("k"), body).await;
        let status = answer.status.as_u16().to_string();
        assert!(operation["responses"].get(&status).is_some(), "{method} {path}: {answer:?}");
        assert!(answer.header("x-request-id").starts_with("req_"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        if path.starts_with("/v1") {
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
}
