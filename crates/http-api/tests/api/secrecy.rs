//! A canary number, PIN and API key go through everything that can fail. They come out nowhere.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use axum::http::Method;
use serde_json::{Value, json};

use crate::world::World;

/// Not a number of ours, but one in form.
const NUMBER: &str = "8866123456789018";
const PIN: &str = "735190";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Bodies that carry the canaries where they belong and where they do not.
fn bodies() -> Vec<String> {
    let mut bodies = vec![
        format!("{{\"card\":{{\"number\":\"{NUMBER}\"}},\"pin\":\"{PIN}\"}}"),
        format!("{{\"number\":\"{NUMBER}\",\"pin\":\"{PIN}\"}}"),
        format!("{{\"number\":{NUMBER},\"pin\":{PIN}}}"),
        format!("{{\"{NUMBER}\":\"{PIN}\"}}"),
        format!("{{\"card\":{{\"{NUMBER}\":{{\"{PIN}\":1}}}}}}"),
        format!("\"{NUMBER} {PIN}\""),
        format!("[{NUMBER}, {PIN}]"),
        format!("{NUMBER} {PIN}"),
        format!("{{\"card\":{{\"number\":\"{NUMBER}\""),
    ];
    let whole = json!({
        "card": {"number": NUMBER}, "amount": 1, "currency": "CNY", "pin": PIN, "program": "prog_00000003nqk8n",
        "count": 1, "name": "n", "version": 1, "reason": "r", "direction": "credit", "member": "m"
    });
    for (name, _) in whole.as_object().expect("fields") {
        for canary in [json!(NUMBER), json!(PIN), json!([NUMBER, PIN]), json!({NUMBER: PIN})] {
            let mut body: Value = whole.clone();
            body[name] = canary;
            bodies.push(body.to_string());
        }
    }
    bodies
}

#[tokio::test]
async fn canaries_come_out_nowhere() {
    let log = Log::default();
    let sink = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || sink.clone())
        .finish();
    let _logging = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);
    let world = World::new().await;
    for (method, path, operation) in crate::openapi::operations() {
        let at = crate::openapi::concrete(&path, &operation);
        if operation.get("requestBody").is_none() {
            continue;
        }
        for body in bodies() {
            let body = Some(body.into_bytes());
            let answer = world.call(&method, &at, Some(&world.one.key), Some(&world.new_key()), body).await;
            let headers = format!("{:?}", answer.headers);
            let text = format!("{headers} {}", String::from_utf8_lossy(&answer.bytes));
            // What a caller names as its own words may be shown again, as of a merchant called like a PIN.
            if !answer.status.is_success() {
                assert!(!text.contains(NUMBER) && !text.contains(PIN), "{path}: {text}");
            }
        }
    }
    for query in [format!("?{NUMBER}={PIN}"), format!("?card={NUMBER}"), format!("?cursor={PIN}")] {
        let path = format!("/v1/operations{query}");
        let answer = world.call(&Method::GET, &path, Some(&world.one.key), None, None).await;
        let text = String::from_utf8_lossy(&answer.bytes).into_owned();
        assert!(!text.contains(NUMBER) && !text.contains(PIN), "{text}");
    }
    let logged = String::from_utf8_lossy(&log.0.lock().expect("unpoisoned")).into_owned();
    assert!(!logged.contains(NUMBER) && !logged.contains(PIN), "in the log");
    assert!(!logged.contains(&world.one.key), "an API key in the log");
}
