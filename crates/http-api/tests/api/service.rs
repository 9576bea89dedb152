//! The server itself.

use axum::http::Method;
use http_api::Options;

use crate::world::World;

#[tokio::test]
async fn it_is_alive_and_ready() {
    let world = World::new().await;
    for (path, status) in [("/healthz", "ok"), ("/readyz", "ready")] {
        let answer = world.call(&Method::GET, path, None, None, None).await;
        assert_eq!(answer.ok(200)["status"], status);
    }
    let answer = world.call(&Method::HEAD, "/healthz", None, None, None).await;
    assert_eq!(answer.status.as_u16(), 200);
}

#[tokio::test]
async fn metrics_are_open_or_protected() {
    let world = World::new().await;
    world.call(&Method::GET, "/metrics", None, None, None).await.is(404, "route_unknown");
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let options = Options { metrics: Some(recorder.handle()), ..Options::default() };
    let open = World::with(options.clone()).await;
    let answer = open.call(&Method::GET, "/metrics", None, None, None).await;
    assert_eq!(answer.status.as_u16(), 200);
    assert!(answer.header("content-type").starts_with("text/plain"));
    let closed = World::with(Options { metrics_protected: true, ..options }).await;
    closed.call(&Method::GET, "/metrics", None, None, None).await.is(401, "credentials_missing");
    let till = closed.client(&closed.one, &["redeem"], None).await;
    closed.get(&till, "/metrics").await.is(403, "scope_missing");
    let reader = closed.client(&closed.one, &["ledger_read"], None).await;
    for key in [&reader, &closed.platform] {
        assert_eq!(closed.get(key, "/metrics").await.status.as_u16(), 200);
    }
}

#[tokio::test]
async fn the_description_and_its_page_are_served() {
    let world = World::new().await;
    let answer = world.call(&Method::GET, "/openapi.json", None, None, None).await;
    assert_eq!(&answer.ok(200), crate::openapi::document());
    let page = world.call(&Method::GET, "/docs/", None, None, None).await;
    assert_eq!(page.status.as_u16(), 200);
    assert!(String::from_utf8_lossy(&page.bytes).contains("swagger-ui"));
    let script = world.call(&Method::GET, "/docs/swagger-initializer.js", None, None, None).await;
    let script = String::from_utf8_lossy(&script.bytes).into_owned();
    assert!(script.contains("/openapi.json") && !script.contains("https://"), "{script}");
}
