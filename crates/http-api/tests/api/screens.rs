//! The screens: pages, files, and what a browser is told about them.

use std::{fs, sync::Arc};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{HeaderName, Method, Request},
};
use http_api::Options;
use tower::ServiceExt;

use crate::world::{Answer, World};

const PAGE: &str = "<!doctype html><meta name=\"csp-nonce\" content=\"__CSP_NONCE__\">";

async fn world() -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    fs::create_dir(folder.path().join("assets")).expect("a folder");
    for entry in ["index", "till", "wallet"] {
        write(&format!("{entry}.html"), &format!("{PAGE}<title>{entry}</title>"));
    }
    write("assets/app-1.js", "the script");
    write("assets/app-1.js.br", "the script in brotli");
    write("favicon.svg", "<svg/>");
    let screens = Arc::new(console::Site::from_folder(folder.path()).expect("screens"));
    let trusted_proxy = "10.0.0.0/8".parse().expect("a network");
    World::with(Options { screens, trusted_proxies: vec![trusted_proxy], ..Options::default() }).await
}

async fn get(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask(world, &Method::GET, path, headers, [127, 0, 0, 1]).await
}

async fn ask(world: &World, method: &Method, path: &str, headers: &[(&str, &str)], from: [u8; 4]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(HeaderName::try_from(*name).expect("a name"), *value);
    }
    let mut request = request.body(Body::empty()).expect("a request");
    request.extensions_mut().insert(ConnectInfo(std::net::SocketAddr::from((from, 40000))));
    let response = world.router.clone().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body").to_vec();
    Answer { status: parts.status, headers: parts.headers, bytes }
}

fn body(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.bytes).into_owned()
}

#[tokio::test]
async fn a_path_without_a_route_is_a_page() {
    let world = world().await;
    for (path, title) in [
        ("/", "index"),
        ("/cards/card_1", "index"),
        ("/till", "till"),
        ("/till/sale", "till"),
        ("/wallet", "wallet"),
        ("/wallet/gifts?x=1", "wallet"),
    ] {
        let answer = get(&world, path, &[("accept", "text/html,*/*;q=0.8")]).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}: {answer:?}");
        assert!(body(&answer).contains(&format!("<title>{title}</title>")), "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    }
}

#[tokio::test]
async fn what_is_neither_a_route_nor_a_page_is_a_problem() {
    let world = world().await;
    let none: &[(&str, &str)] = &[];
    for (method, path, headers) in [
        (Method::GET, "/assets/gone-2.js", none),
        (Method::GET, "/robots.txt", none),
        (Method::GET, "/operations", &[("accept", "application/json")]),
        (Method::GET, "/metrics/x", none),
        (Method::POST, "/", none),
        (Method::DELETE, "/till", none),
    ] {
        ask(&world, &method, path, headers, [127, 0, 0, 1]).await.is(404, "route_unknown");
    }
    // Below /v1 strangers are told nothing, and callers are told in JSON, whatever they accept.
    get(&world, "/v1/nothing", &[("accept", "text/html")]).await.is(401, "credentials_missing");
    let key = format!("Bearer {}", world.one.key);
    for path in ["/v1/nothing", "/v1", "/v1/"] {
        let answer = get(&world, path, &[("accept", "text/html"), ("authorization", &key)]).await;
        answer.is(404, "route_unknown");
    }
}

#[tokio::test]
async fn what_the_interface_shows_is_where_it_was() {
    let world = world().await;
    for path in ["/docs/", "/openapi.json", "/healthz", "/readyz"] {
        assert_eq!(get(&world, path, &[]).await.status.as_u16(), 200, "{path}");
    }
}

#[tokio::test]
async fn a_page_is_not_kept_and_may_run_its_own_scripts_only() {
    let world = world().await;
    let answer = get(&world, "/", &[]).await;
    let policy = answer.header("content-security-policy");
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce");
    assert!(nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit()), "{nonce}");
    assert!(body(&answer).contains(&format!("content=\"{nonce}\"")), "{answer:?}");
    assert!(policy.contains("script-src 'self';"), "{policy}");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert!(answer.header("permissions-policy").contains("camera=()"));
    assert!(get(&world, "/till", &[]).await.header("permissions-policy").contains("camera=(self)"));
    let again = get(&world, "/", &[]).await;
    assert!(!body(&again).contains(nonce), "each answer has a nonce of its own");
}

#[tokio::test]
async fn files_are_packed_and_kept() {
    let world = world().await;
    let packed = get(&world, "/assets/app-1.js", &[("accept-encoding", "gzip, br")]).await;
    assert_eq!((body(&packed).as_str(), packed.header("content-encoding")), ("the script in brotli", "br"));
    assert_eq!(packed.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(packed.header("vary"), "accept-encoding");
    assert_eq!(packed.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(packed.header("x-content-type-options"), "nosniff");
    let plain = get(&world, "/assets/app-1.js", &[]).await;
    assert_eq!((body(&plain).as_str(), plain.header("content-encoding")), ("the script", ""));
    let icon = get(&world, "/favicon.svg", &[]).await;
    assert_eq!(icon.header("cache-control"), "no-cache");
    let tag = icon.header("etag").to_owned();
    let known = get(&world, "/favicon.svg", &[("if-none-match", &format!("\"x\", W/{tag}"))]).await;
    assert_eq!((known.status.as_u16(), known.bytes.len()), (304, 0));
}

#[tokio::test]
async fn a_browser_is_held_to_tls_where_a_trusted_proxy_says_that_there_is_one() {
    let world = world().await;
    let said = [("x-forwarded-proto", "https")];
    let name = "strict-transport-security";
    assert!(!ask(&world, &Method::GET, "/", &said, [10, 0, 0, 1]).await.header(name).is_empty());
    assert!(ask(&world, &Method::GET, "/", &said, [192, 0, 2, 1]).await.header(name).is_empty());
    assert!(ask(&world, &Method::GET, "/", &[], [10, 0, 0, 1]).await.header(name).is_empty());
}

#[tokio::test]
async fn without_screens_there_is_a_plain_page() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(console::Site::from_folder(folder.path()).is_err());
    let world = World::new().await;
    let answer = get(&world, "/", &[]).await;
    assert_eq!(answer.status.as_u16(), 200);
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
}
