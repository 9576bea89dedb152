//! Who is let in.

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::json;

use crate::world::{World, text};

#[tokio::test]
async fn only_bearer_keys_open() {
    let world = World::new().await;
    let key = &world.one.key;
    for (value, code) in [
        (format!("Basic {key}"), "credentials_invalid"),
        (key.clone(), "credentials_invalid"),
        (format!("Bearer  {key}"), "credentials_invalid"),
        (format!("Bearer {key}x"), "credentials_invalid"),
        (format!("Bearer {}", &key[..key.len() - 1]), "credentials_invalid"),
        ("Bearer \u{e9}".to_owned(), "credentials_invalid"),
    ] {
        let request = Request::get("/v1/merchants").header("authorization", value);
        world.send(request.body(Body::empty()).expect("a request")).await.is(401, code);
    }
    let request = Request::get("/v1/merchants").header("authorization", format!("bearer {key}"));
    world.send(request.body(Body::empty()).expect("a request")).await.ok(200);
}

#[tokio::test]
async fn closed_clients_and_issuers_are_not_let_in() {
    let world = World::new().await;
    let one = &world.one;
    let body = json!({"name": "till", "scopes": ["redeem", "catalog_read"]});
    let made = world.post(&one.key, "/v1/clients", body).await.ok(201);
    let (key, path) = (text(&made["secret"]), format!("/v1/clients/{}", text(&made["client"]["id"])));
    world.get(&key, "/v1/merchants").await.ok(200);
    world.patch(&one.key, &path, json!({"version": 1, "status": "closed"})).await.ok(200);
    world.get(&key, "/v1/merchants").await.is(401, "credentials_invalid");
    world.patch(&one.key, &path, json!({"version": 2, "status": "active"})).await.ok(200);
    world.get(&key, "/v1/merchants").await.ok(200);
    let path = format!("/v1/issuers/{}", one.issuer);
    world.patch(&world.platform, &path, json!({"version": 1, "status": "closed"})).await.ok(200);
    world.get(&key, "/v1/merchants").await.is(401, "credentials_invalid");
    world.get(&world.two.key, "/v1/merchants").await.ok(200);
}

#[tokio::test]
async fn strangers_do_not_learn_which_routes_exist() {
    let world = World::new().await;
    let call = |method: Method, path: &'static str, key: Option<&str>| {
        let key = key.map(str::to_owned);
        let world = &world;
        async move { world.call(&method, path, key.as_deref(), None, None).await }
    };
    call(Method::GET, "/v1/nothing", None).await.is(401, "credentials_missing");
    call(Method::DELETE, "/v1/merchants", None).await.is(401, "credentials_missing");
    call(Method::GET, "/v1/nothing", Some(&world.one.key)).await.is(404, "route_unknown");
    call(Method::GET, "/v1/merchants/", Some(&world.one.key)).await.is(404, "route_unknown");
}
